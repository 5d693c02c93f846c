//! Tests the formats of a file, and the line numbers of failures.

use std::path::PathBuf;

use crate::{file, finish, program, run};

#[test]
fn csv_accepts_names_of_queues_and_addresses() {
    let content = "\u{feff}instanceId,queueName,emailAddress\r\n\
                   i,\"Billing, EMEA\",Billing@brand.example\r\n\
                   i,\"Billing, EMEA\",help@brand.example\r\n\
                   i,Repairs,billing@brand.example\r\n";
    let ran = run(&[], "names.csv", content);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.rows(&["Billing, EMEA", "2"]), 1, "{}", ran.stdout);
    // Two directories are read, and two queues called.
    assert!(ran.stdout.contains("3 associated, 0 failed; 4 calls to Amazon Connect"), "{}", ran.stdout);
}

/// Workbooks written by openpyxl 3.1 and odfpy 1.4, each with a sheet of notes, a title above the header, a hidden row, a
/// formula, and a queue whose name is a number.
#[test]
fn workbooks_are_read() {
    for name in ["pairs.xlsx", "pairs.ods"] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/program/workbooks").join(name);
        let ran = finish(program(&["--instance", "i"]).arg(&path));
        assert_eq!(ran.code, Some(1), "{name}: {}{}", ran.stdout, ran.stderr);
        for (queue, pairs) in [("Billing", "2"), ("1001", "1"), ("Rückgaben, EMEA", "1")] {
            assert_eq!(ran.rows(&[&format!("| {queue} "), pairs]), 1, "{name}: {}", ran.stdout);
        }
        assert_eq!(ran.rows(&["| 9 ", "the row has no email address"]), 1, "{name}: {}", ran.stdout);
        assert!(
            ran.stdout.contains("PARTIAL: 5 requested, 4 associated, 1 failed"),
            "{name}: {}",
            ran.stdout
        );
        let without_extension = file("workbook", std::fs::read(&path).unwrap());
        let plan = finish(program(&["plan", "--instance", "i"]).arg(without_extension));
        assert!(plan.stdout.contains("4 to add"), "{name}: {}{}", plan.stdout, plan.stderr);
    }
}
