//! Runs the kept inputs. Each of them once broke the function.

use std::path::PathBuf;

use crate::worker::replay;

#[test]
fn found_cases_pass() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("found");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "case"));
    files.sort();
    assert!(!files.is_empty());
    replay(&files).unwrap();
}
