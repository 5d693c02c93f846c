//! Reads a file and prints the number of its records, or why it cannot be used. Measure it with `/usr/bin/time -v`.

use std::path::PathBuf;
use std::process::ExitCode;

use request_file::{FileFormat, read};

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: read FILE");
        return ExitCode::FAILURE;
    };
    let form = FileFormat::of_name(&path.to_string_lossy()).unwrap_or(FileFormat::Delimited);
    let records = match std::fs::read(&path) {
        Ok(bytes) => read(&bytes, form).map(|file| file.records.len()).map_err(|problem| problem.to_string()),
        Err(problem) => Err(problem.to_string()),
    };
    match records {
        Ok(records) => println!("{records} records"),
        Err(problem) => println!("{problem}"),
    }
    ExitCode::SUCCESS
}
