//! A panic is logged as one line without email addresses. The test has its own process, because a panic hook applies to
//! the whole process.

use std::sync::{Arc, Mutex};

use queue_email_associator::log::{Lines, start_to};
use tracing::level_filters::LevelFilter;

#[test]
fn panic_is_one_line_without_addresses() {
    let lines = Arc::new(Mutex::new(String::new()));
    let sink = {
        let lines = lines.clone();
        Arc::new(move |line: &str| lines.lock().unwrap().push_str(line))
    };
    start_to(Lines::new(LevelFilter::INFO, sink));
    for payload in ["hidden@brand.example was not expected", "no address"] {
        let caught = std::panic::catch_unwind(|| panic!("{payload}"));
        assert!(caught.is_err());
    }
    let lines = lines.lock().unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["level"], "ERROR");
    assert_eq!(lines[0]["message"], "panic: [email address] was not expected");
    assert!(lines[0]["location"].as_str().unwrap().contains("panics.rs"));
    assert_eq!(lines[1]["message"], "panic: no address");
}
