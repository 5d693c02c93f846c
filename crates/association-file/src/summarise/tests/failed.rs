//! The rows that failed, as the summary and the file of failed rows show them.

use super::*;

#[test]
fn invalid_json_line_is_listed_by_address() {
    let text = "{\"queueId\":\"q\",\"queueName\":\"Q\",\"emailAddressIds\":[\"e1\",\"e2\"]}\n\
                {\"instanceId\":\"i\",\"associations\":[{\"queueId\":\"q\",\"emailAddresses\":[\"\",7,\"x@brand.example\"]}]}\n";
    let (_, known) = grouped_file("f.jsonl", text);
    let summed = sum(&known, &[]);
    assert_eq!(
        rows(&summed),
        [
            "1 InvalidRequest q Q e1",
            "1 InvalidRequest q Q e2",
            "2 InvalidRequest q",
            "2 InvalidRequest q",
            "2 NoResult q x@brand.example"
        ]
    );
    assert_eq!((summed.counts.failed, summed.counts.file.pairs), (4, 4));
}

#[test]
fn failed_rows_are_a_readable_file_without_formulas() {
    let text = "queueName,emailAddress\n=1+1,+49@brand.example\n\"a,\"\"b\"\"\",-x\n'=q,@y\n";
    let (_, known) = grouped(text);
    let summed = sum(&known, &[]);
    let written = failed::csv(&summed.failed.iter().collect::<Vec<_>>());
    let written = String::from_utf8(written).unwrap();
    assert!(written.starts_with(
        "\u{feff}instanceId,queueId,queueName,emailAddressId,emailAddress,row,error,message,retryable\n\
         ,,'=1+1,,'+49@brand.example,2,NoResult,no result,true\n"
    ));
    let again = file::records("failed.csv", written.as_bytes()).unwrap();
    let first = file::records("f.csv", text.as_bytes()).unwrap();
    let requests = |records: Vec<Record>| records.into_iter().map(|record| record.json).collect::<Vec<_>>();
    assert_eq!(requests(again), requests(first));
}

#[test]
fn failed_rows_have_their_references() {
    let text = "queueId,emailAddressId,reference\nq,e1,order-1\nq,e2,\nq/,e,order-3\nq,e4,=order-4\np,e1,order-6\np,e2,order-6\n";
    let (items, known) = grouped(text);
    assert_eq!(items[0]["references"], json!(["order-1", null, "=order-4"]));
    assert_eq!((&items[0]["reference"], &items[1]["references"]), (&Value::Null, &Value::Null));
    // The function takes it for the reference of each pair of the line.
    assert_eq!(items[1]["reference"], "order-6");
    let summed = sum(&known, &[]);
    let written = String::from_utf8(failed::csv(&summed.failed.iter().collect::<Vec<_>>())).unwrap();
    let lines: Vec<&str> = written.lines().collect();
    assert!(lines[0].ends_with(",retryable,reference"), "{written}");
    for (line, reference) in
        lines[1..].iter().zip(["order-1", "", "order-3", "'=order-4", "order-6", "order-6"])
    {
        assert!(line.ends_with(&format!(",{reference}")), "{line}");
    }
    // If it is put back, the file asks for the same pairs.
    let (again, _) = grouped(&written);
    assert_eq!(
        (&again[0]["references"], &again[1]["reference"]),
        (&items[0]["references"], &items[1]["reference"])
    );
}

/// The memory that failures take does not grow with the length of their messages.
#[test]
fn rows_share_an_equal_reason() {
    let (items, known) = grouped("queueId,emailAddressId\nq1,e1\nq1,e2\nq2,e1\nq3,e1\nq4,e1\n");
    let cause = "ü".repeat(32_768);
    let failed = |item| json!({ "Input": input(&[item]), "Error": "E", "Cause": cause });
    let failure =
        json!({ "queueId": "q3", "emailAddressId": "e1", "error": "E", "message": cause, "retryable": true });
    let summed = sum(
        &known,
        &[
            (Ended::Failed, json!([failed(items[0].clone()), failed(items[1].clone())])),
            (Ended::Succeeded, json!([succeeded(&items[2..3], &output(0, &[failure], 0))])),
        ],
    );
    assert_eq!(rows(&summed).len(), 5);
    let shared = &summed.failed[0].reason;
    assert!(summed.failed[..4].iter().all(|failed| Arc::ptr_eq(&failed.reason, shared)));
    assert!(shared.message.len() < 1_100, "{} bytes", shared.message.len());
    let shown = serde_json::to_value(&summed.failed[4]).unwrap();
    let row = json!({ "queueId": "q4", "emailAddressId": "e1", "row": 6, "error": "NoResult",
                      "message": "no result", "retryable": true });
    assert_eq!(shown, row);
}

#[test]
fn summary_shows_first_failures_and_stays_small() {
    let text: String = (0..30).map(|n| format!("q{n},e\n")).collect();
    let (_, known) = grouped(&format!("queueId,emailAddressId\n{text}"));
    let summed = sum(&known, &[]);
    let error = Cause { error: "States.Timeout".to_owned(), cause: "c".repeat(32_768) };
    let summary = Summary::new("incoming/f.csv", "results/f/x", &summed, Some(error));
    assert_eq!((summary.status, summary.failures.len()), (Status::Failed, 20));
    assert_eq!(summary.failed_rows.as_deref(), Some("results/f/x/failed.csv"));
    assert_eq!(summary.failed_dry_run_rows, None);
    assert!(serde_json::to_vec(&summary).unwrap().len() < 20_000);
}

#[test]
fn dry_run_failures_stand_apart() {
    let text = "{\"queueId\":\"q\",\"emailAddressId\":\"e\",\"dryRun\":true}\n{\"queueId\":\"p\",\"emailAddressId\":\"e\"}\n";
    let (_, known) = grouped_file("f.jsonl", text);
    let summed = sum(&known, &[]);
    let dry: Vec<bool> = summed.failed.iter().map(|row| row.dry_run).collect();
    assert_eq!(dry, [true, false]);
    let summary = Summary::new("f", "results/f/x", &summed, None);
    assert_eq!(summary.failed_dry_run_rows.as_deref(), Some("results/f/x/failed-in-dry-run.csv"));
}

/// A person who puts `failed.csv` back makes live calls, so it holds no pair that only dry runs can have asked for.
#[test]
fn unknown_failure_of_a_dry_batch_is_dry() {
    let failures = [json!({ "error": "E", "message": "m", "retryable": true, "path": "BatchInput" })];
    let dry = json!({ "queueId": "q", "emailAddressId": "e", "dryRun": true });
    let live = json!({ "queueId": "p", "emailAddressId": "e" });
    for (items, done, dry_run) in [
        (vec![dry.clone(), dry.clone()], 0, true),
        (vec![dry, live.clone()], 1, false),
        (vec![live], 0, false),
    ] {
        let results = [(Ended::Succeeded, json!([succeeded(&items, &output(done, &failures, 0))]))];
        let summed = sum(None, &results);
        assert_eq!(rows(&summed), ["- E "]);
        assert_eq!(summed.failed[0].dry_run, dry_run, "{items:?}");
    }
}
