//! The forms of a file, and the lines that failures are shown with.

use crate::{run, run_on_stdin};

#[test]
fn a_csv_file_may_name_queues_and_addresses() {
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

#[test]
fn failures_of_records_are_shown_by_their_lines() {
    let csv = "queueId,emailAddressId\nq1,e1\n\nq/2,e2\n";
    let json_lines = "{\"queueId\": \"q1\", \"emailAddressId\": \"e1\"}\n\n\n\
                      {\"queueId\": \"q/2\", \"emailAddressId\": \"e2\"}\n";
    for (name, content) in [("lines.csv", csv), ("lines.jsonl", json_lines)] {
        let ran = run(&["--instance", "i"], name, content);
        assert_eq!(ran.code, Some(1), "{name}: {}", ran.stderr);
        assert!(ran.stdout.contains("| line   where"), "{}", ran.stdout);
        assert_eq!(ran.rows(&["| 4 ", "queueId", "InvalidRequest", "position 2"]), 1, "{}", ran.stdout);
    }
}

#[test]
fn standard_input_is_told_apart_by_its_content() {
    let table = [
        r#"{"queueId": "q1", "emailAddressId": "e1"}"#,
        "{\"queueId\": \"q1\", \"emailAddressId\": \"e1\"}\n{\"queueId\": \"q1\", \"emailAddressId\": \"e1\"}\n",
        "queueId,emailAddressId\nq1,e1\n",
        r#"[{"eventSource": "aws:sqs", "messageId": "m", "body": "{\"queueId\": \"q1\", \"emailAddressId\": \"e1\"}"}]"#,
    ];
    for content in table {
        let ran = run_on_stdin(&["--instance", "i"], content);
        assert_eq!(ran.code, Some(0), "{content}: {}", ran.stderr);
        assert!(ran.stdout.contains("1 associated"), "{}", ran.stdout);
    }
}

#[test]
fn a_header_that_cannot_be_used_is_refused_before_any_call() {
    let ran = run(&["--instance", "i"], "header.csv", "note,queue_id,emailAddressId\nx,q,e\n");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    let met = "line 1, column 2: \"queue_id\" is no known column; queueId was meant\n";
    assert!(ran.stderr.ends_with(met), "{}", ran.stderr);
}
