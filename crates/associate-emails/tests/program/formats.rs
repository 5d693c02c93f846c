//! Tests the formats of a file, and the line numbers of failures.

use std::path::PathBuf;

use crate::{file, finish, program, run, run_on_stdin};

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

#[test]
fn failed_records_show_their_lines() {
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
fn form_of_standard_input_follows_its_content() {
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
fn common_variants_of_files_are_read() {
    let table = [
        ("short.csv", "queueId,emailAddressId,instanceId,note\nq,e1,i,first\nq,e2\nq,e3,,\n", 3),
        ("long.csv", "queueName,emailAddress\nBilling,a@brand.example,,,\nOrders,b@brand.example,\n", 2),
        ("ctrl-z.csv", "queueId,emailAddressId\r\nq,e1\r\nq,e2\r\n\u{1a}", 2),
        ("padding.csv", "queueId,emailAddressId\nq,e1\n\0\0\0\0", 1),
        (
            "white-space.csv",
            "queueName,emailAddress\nBilling ,a@brand.example\n Billing,\tb@brand.example\nBilling\u{a0},c@brand.example\n \u{a0} , \n",
            3,
        ),
        ("lone-cr.csv", "queueId,emailAddressId\rq,e1\rq,e2\r", 2),
        ("sep.csv", "sep=;\r\nQueue Name;E-Mail-Address\r\nBilling;a@brand.example\r\n", 1),
        ("bars.txt", "queueName|emailAddress\nBilling|a@brand.example\n", 1),
        ("tabs.tsv", "List of pairs\nqueue_name\temail_address\nBilling\ta@brand.example\n", 1),
        ("invisible.csv", "\u{200b}queueId,emailAddressId\nq,e\n", 1),
        (
            "type.csv",
            "#TYPE System.Object\r\n\"queueName\",\"emailAddress\"\r\n\"Billing\",\"a@brand.example\"\r\n",
            1,
        ),
        ("concatenated.csv", "queueId,emailAddressId\nq,e1\n\u{feff}queueId,emailAddressId\nq,e2\n", 2),
        (
            "quotes.csv",
            "queueName, emailAddress\n\"Billing\", \"a@brand.example\"\n=\"Billing\",“b@brand.example”\n",
            2,
        ),
        (
            "array.json",
            "[{\"queueId\": \"q\", \"emailAddressId\": \"e1\"},\n{\"queueId\": \"q\", \"emailAddressId\": \"e2\"}]",
            2,
        ),
    ];
    for (name, content, pairs) in table {
        let ran = run(&["--instance", "i"], name, content);
        assert_eq!(ran.code, Some(0), "{name}: {}{}", ran.stdout, ran.stderr);
        let done = format!("SUCCEEDED: {pairs} requested, {pairs} associated, 0 failed");
        assert!(ran.stdout.contains(&done), "{name}: {}", ran.stdout);
    }
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

#[test]
fn invalid_row_does_not_affect_other_rows() {
    for end in ["\n", "\r\n", "\r"] {
        let content = "note,queueId,emailAddressId\nx,q,e1\n\"two\nlines\",q,\n,q,e2\n,,,\n,q,e3,and more\n";
        let ran = run(&["--instance", "i"], "wrong-rows.csv", &content.replace('\n', end));
        assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.rows(&["| 3 ", "the row has no email address"]), 1, "{end:?}: {}", ran.stdout);
        assert_eq!(ran.rows(&["| 7 ", "the row has 4 cells, but the header has 3"]), 1, "{}", ran.stdout);
        assert!(ran.stdout.contains("PARTIAL: 4 requested, 2 associated, 2 failed"), "{}", ran.stdout);
        assert!(!ran.stdout.contains("associations"), "{}", ran.stdout);
    }
}

/// Half an emoji in a custom field, an option, and a line that is not JSON.
#[test]
fn invalid_line_does_not_affect_other_lines() {
    let content = "{\"queueId\": \"q\", \"emailAddressId\": \"e1\"}\n\
                   {\"queueId\": \"q\", \"emailAddressId\": \"e2\", \"note\": \"Team \\ud83c\"}\n\
                   {\"queueId\": \"q\", \"emailAddressId\": \"e3\", \"dryRun\": true}\n\
                   {\"queueId\": \"q\", \n\
                   {\"queueId\": \"q\", \"emailAddressId\": \"e5\"}\n";
    let ran = run(&["--instance", "i"], "invalid-lines.jsonl", content);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stdout.contains("PARTIAL: 5 requested, 2 associated, 3 failed"), "{}", ran.stdout);
    for (line, problem) in
        [("| 2 ", "not valid JSON"), ("| 3 ", "dryRun is an option"), ("| 4 ", "not valid JSON")]
    {
        assert_eq!(ran.rows(&[line, problem]), 1, "{}", ran.stdout);
    }
}

/// The line exceeds the maximum length for a Distributed Map.
#[test]
fn long_invalid_line_does_not_affect_other_lines() {
    let line = |address: &str| format!("{{\"queueId\": \"q\", \"emailAddressId\": \"{address}\"}}\n");
    let ids: Vec<String> = (0..400).map(|number| format!("\"branch-{number}@brand.example\"")).collect();
    let long = format!("{{\"queueId\": \"q\", \"emailAddressIds\": [{}]}}\n", ids.join(", "));
    let ran = run(&["--instance", "i"], "long-line.jsonl", &format!("{}{long}{}", line("e1"), line("e2")));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stdout.contains("2 associated"), "{}", ran.stdout);
    assert!(ran.rows(&[" 2 ", "InvalidRequest"]) > 0, "{}", ran.stdout);
}
