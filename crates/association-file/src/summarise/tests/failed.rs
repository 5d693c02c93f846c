//! Tests the failed rows in the summary and in the file of failed rows.

use super::*;

#[test]
fn failed_csv_has_the_rows_of_the_file_without_formulas() {
    let text = "emailAddress;queueName;note\n+49@brand.example;=1+1;\"a\nb\"\n-x;\"a;=\"\"b\"\"\";1\n@y;'=q;\n\
                z@brand.example;Orders; EMEA;\n\"a@brand.example\";=\"Billing\";2;surplus\n";
    let (_, file) = grouped(text);
    let first = failed_csv(&outcome(&file, &[]));
    assert!(
        first.starts_with(
            "\u{feff}row,error,message,retryable,emailAddress,queueName,note\n\
             2,NoResult,no result,true,'+49@brand.example,'=1+1,\"a\nb\"\n"
        ),
        "{first}"
    );
    assert!(first.contains(",false,'-x,\"a;'=\"\"b\"\"\",1\n"), "{first}");
    assert!(first.ends_with(",false,a@brand.example,\"'=\"\"Billing\"\"\",2,surplus\n"), "{first}");
    // If it is uploaded again, it has the same rows with the same outcome, and no additional columns.
    let (_, again) = grouped(&first);
    let second = failed_csv(&outcome(&again, &[]));
    let rows = |text: &str| -> Vec<Vec<String>> {
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_bytes());
        let cells = |row: csv::StringRecord| row.iter().skip(3).map(str::to_owned).collect();
        reader.records().map(|row| cells(row.unwrap())).collect()
    };
    assert_eq!(rows(&first), rows(&second));
}

#[test]
fn invalid_part_of_json_is_written_complete() {
    let text = "{\"queueId\":\"q\",\"emailAddressId\":\"e\",\"dryRun\":true}\n\
                {\"queueId\":\"q\",\"emailAddressIds\":[\" e\",\"f\"]}\n";
    let (_, file) = grouped_as("f.jsonl", text);
    let failed = failed_csv(&outcome(&file, &[]));
    assert!(
        failed.starts_with(
            "\u{feff}row,error,message,retryable,instanceId,queueId,queueName,emailAddressId,emailAddress,request\n1,"
        ),
        "{failed}"
    );
    let option =
        ",false,,,,,,\"{\"\"queueId\"\":\"\"q\"\",\"\"emailAddressId\"\":\"\"e\"\",\"\"dryRun\"\":true}\"\n";
    assert!(failed.contains(option), "{failed}");
    assert!(failed.contains("2,NoResult,no result,true,,q,,f,,\n"), "{failed}");
    // Only the pair that failed retryably is sent again.
    let (items, _) = grouped(&failed);
    assert_eq!(items, [json!({ "queueId": "q", "emailAddressIds": ["f"], "rows": [4] })]);
}

#[test]
fn failed_rows_have_their_references() {
    let text = "queueId,emailAddressId,reference\nq,e1,order-1\nq,e2,\nq/,e,order-3\nq,e4,=order-4\np,e1,order-6\np,e2,order-6\n";
    let (items, file) = grouped(text);
    assert_eq!(items[0]["references"], json!(["order-1", null, "=order-4"]));
    assert_eq!((&items[0]["reference"], &items[1]["references"]), (&Value::Null, &Value::Null));
    // The function uses it as the reference of each pair of the line.
    assert_eq!(items[1]["reference"], "order-6");
    let result = outcome(&file, &[]);
    let references: Vec<_> = result.failed.iter().map(|failed| failed.reference.as_deref()).collect();
    let orders = [Some("order-1"), None, Some("order-3"), Some("=order-4"), Some("order-6"), Some("order-6")];
    assert_eq!(references, orders);
    let written = failed_csv(&result);
    let lines: Vec<&str> = written.lines().collect();
    assert!(lines[0].ends_with(",retryable,queueId,emailAddressId,reference"), "{written}");
    for (line, reference) in
        lines[1..].iter().zip(["order-1", "", "order-3", "'=order-4", "order-6", "order-6"])
    {
        assert!(line.ends_with(&format!(",{reference}")), "{line}");
    }
    // If it is uploaded again, the file requests the same pairs.
    let (again, _) = grouped(&written);
    assert_eq!(
        (&again[0]["references"], &again[1]["reference"]),
        (&items[0]["references"], &items[1]["reference"])
    );
}

/// The memory that failures take does not grow with the length of their messages.
#[test]
fn rows_with_equal_reasons_share_one() {
    let (items, file) = grouped("queueId,emailAddressId\nq1,e1\nq1,e2\nq2,e1\nq3,e1\nq4,e1\n");
    let cause = "ü".repeat(32_768);
    let failed = |item| json!({ "Input": input(&[item]), "Error": "E", "Cause": cause });
    let failure =
        json!({ "queueId": "q3", "emailAddressId": "e1", "error": "E", "message": cause, "retryable": true });
    let result = outcome(
        &file,
        &[
            (ResultKind::Failed, json!([failed(items[0].clone()), failed(items[1].clone())])),
            (ResultKind::Succeeded, json!([succeeded(&items[2..3], &output(0, &[failure], 0))])),
        ],
    );
    assert_eq!(rows(&result).len(), 5);
    let shared = &result.failed[0].reason;
    assert!(result.failed[..4].iter().all(|failed| Arc::ptr_eq(&failed.reason, shared)));
    assert!(shared.message.len() < 1_100, "{} bytes", shared.message.len());
    let json = serde_json::to_value(&result.failed[4]).unwrap();
    let row = json!({ "queueId": "q4", "emailAddressId": "e1", "row": 6, "error": "NoResult",
                      "message": "no result", "retryable": true });
    assert_eq!(json, row);
}

#[test]
fn summary_shows_first_failures_and_stays_small() {
    let text: String = (0..30).map(|n| format!("q{n},e\n")).collect();
    let (_, file) = grouped(&format!("queueId,emailAddressId\n{text}"));
    let result = outcome(&file, &[]);
    let error = CaughtError { error: "States.Timeout".to_owned(), cause: "c".repeat(32_768) };
    let summary = Summary::new("incoming/f.csv", "results/f/x", &result, Some(error));
    assert_eq!((summary.status, summary.failures.len()), ("FAILED", 20));
    assert_eq!(summary.failed_rows.as_deref(), Some("results/f/x/failed.csv"));
    assert!(serde_json::to_vec(&summary).unwrap().len() < 20_000);
}
