//! Checks the function's responses, which are reports, listed messages and errors.

use connect_simulator::{Effect, Fault, Options};
use serde_json::{Value, json};

use crate::world::{INSTANCE, World, fixture, ids, listed, request, sqs};

fn entries(entries: &[(&str, &str)]) -> Value {
    let entries: Vec<_> = entries
        .iter()
        .map(|(queue, address)| json!({ "queueId": queue, "emailAddressId": address }))
        .collect();
    json!({ "instanceId": INSTANCE, "associations": entries })
}

#[tokio::test]
async fn successful_request_reports_totals_and_rows() {
    let world = World::new(fixture(2, 2));
    let report =
        world.invoke(&entries(&[("q0", "e0"), ("q0", "e1"), ("q1", "e0"), ("q0", "e0")])).await.unwrap();
    let row = |queue: &str, requested: u32, associated: u32| {
        json!({ "instanceId": INSTANCE, "queueId": queue, "requested": requested, "associated": associated,
                "alreadyAssociated": 0, "failed": 0, "chunks": 1 })
    };
    assert_eq!(
        report,
        json!({
            "status": "SUCCEEDED",
            "requested": 4, "distinct": 3, "associated": 3, "alreadyAssociated": 0, "planned": 0, "failed": 0,
            "apiCalls": 2, "throttledCalls": 0,
            "queues": [row("q0", 3, 2), row("q1", 1, 1)],
            "failures": [],
            "failuresOmitted": 0, "queuesOmitted": 0,
        })
    );
}

/// The cached identifier of the queue is stale, and the first chunk uses all its attempts on it.
#[tokio::test]
async fn rows_add_up_to_the_totals_after_a_second_lookup() {
    let options = Options { fixture: fixture(1, 60), limit: 100, ..Options::default() };
    let variables = [("MAX_ATTEMPTS", "2"), ("QUEUE_ADDITIONAL_LIMIT", "100"), ("MAX_CONCURRENT_CALLS", "1")];
    let mut world = World::with(options, &variables);
    let by_name = |addresses: &[String]| {
        let entry = json!({ "queueName": "Queue 0", "emailAddressIds": addresses });
        json!({ "instanceId": INSTANCE, "failOnRetryable": false, "associations": [entry] })
    };
    world.invoke(&by_name(&ids(0..1))).await.unwrap();
    world.request_id = "request-2";
    world.connect.edit(|fixture| {
        let queue = fixture.instance(INSTANCE).queues.remove("q0").unwrap();
        fixture.instance(INSTANCE).queues.insert("new".to_owned(), queue);
    });
    world.connect.inject(Fault { address: Some("e0".to_owned()), ..Fault::default() });
    let report = world.invoke(&by_name(&ids(0..51))).await.unwrap();
    assert_eq!((&report["associated"], &report["failed"]), (&json!(1), &json!(50)));
    let row = &report["queues"][0];
    assert_eq!((&row["requested"], &row["associated"], &row["failed"]), (&json!(51), &json!(1), &json!(50)));
    assert_eq!((&row["queueId"], &row["queueName"]), (&json!("new"), &json!("Queue 0")));
    assert_eq!(report["queues"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn failure_contains_pair_path_and_reason() {
    let world = World::new(fixture(1, 1));
    let mut payload = entries(&[("q0", "e0"), ("q0", "missing"), ("q0", "")]);
    payload["associations"][2] = json!({ "queueId": "q0" });
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!(report["status"], "PARTIAL");
    assert_eq!(report["distinct"], 3);
    assert_eq!(report["associated"], 1);
    assert_eq!(report["failed"], 2);
    let failures = report["failures"].as_array().unwrap();
    assert_eq!(failures[0]["instanceId"], INSTANCE);
    assert_eq!(failures[0]["queueId"], "q0");
    assert_eq!(failures[0]["emailAddressId"], "missing");
    assert_eq!(failures[0]["error"], "InvalidParameterException");
    assert_eq!(failures[0]["retryable"], false);
    assert_eq!(failures[0]["path"], "associations[1]");
    assert!(failures[0].get("messageId").is_none());
    assert_eq!(
        failures[1],
        json!({
            "error": "InvalidRequest",
            "message": "missing emailAddressId, emailAddressIds, emailAddress or emailAddresses",
            "retryable": false,
            "path": "associations[2].emailAddressId",
            "reference": "request-1",
        })
    );
}

#[tokio::test]
async fn nothing_valid_is_an_error_for_direct_requests_and_events() {
    let world = World::new(fixture(1, 1));
    let invalid = json!({ "instanceId": INSTANCE, "queueId": 5, "emailAddressId": "e0" });
    let event = json!({ "source": "s", "detail-type": "t", "detail": invalid });
    let sns = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": invalid.to_string() } }] });
    for payload in [invalid.clone(), event, sns] {
        let (kind, message) = world.invoke(&payload).await.unwrap_err();
        assert_eq!(kind, "InvalidRequest");
        assert_eq!(message, "1 of 1 failed: queueId must be a string, not a number");
    }
    // A Distributed Map batch gets a report, because its items are invalid, not the batch itself.
    let report = world.invoke(&json!({ "Items": [invalid] })).await.unwrap();
    assert_eq!(report["status"], "FAILED");
    assert_eq!(report["failures"][0]["path"], "Items[0].queueId");
}

#[tokio::test]
async fn invalid_batch_defaults_are_an_error() {
    let world = World::new(fixture(1, 1));
    let items = json!([{ "instanceId": INSTANCE, "queueId": "q0", "emailAddressId": "e0" }]);
    for (batch_input, message) in [
        (json!("x"), "BatchInput must be an object, not a string"),
        (json!({ "dryrun": true }), r#"BatchInput.dryrun: unknown field "dryrun"; did you mean "dryRun"?"#),
        (json!({ "dryRun": "yes" }), "BatchInput.dryRun must be true or false, not a string"),
    ] {
        let ending = world.invoke(&json!({ "Items": items, "BatchInput": batch_input })).await;
        assert_eq!(ending, Err(("InvalidRequest".to_owned(), message.to_owned())));
    }
    assert_eq!(world.call_count(), 0);
}

#[tokio::test]
async fn messages_with_one_pair_share_its_failure() {
    let world = World::new(fixture(2, 2));
    let batch = sqs(&[
        entries(&[("q0", "e0"), ("q0", "missing")]),
        entries(&[("q0", "e1")]),
        entries(&[("q0", "missing")]),
        entries(&[("q1", "e0")]),
    ]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m0", "m2"]);
    assert_eq!(world.associated("q0"), ["e0", "e1"]);
    assert_eq!(world.associated("q1"), ["e0"]);
}

#[tokio::test]
async fn failed_batch_lists_every_message() {
    let world = World::new(fixture(0, 0));
    let batch = sqs(&[entries(&[("q0", "e0")]), json!("nope")]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m0", "m1"]);
}

#[tokio::test]
async fn fifo_messages_after_a_failure_are_listed() {
    let world = World::new(fixture(1, 3));
    let mut batch = sqs(&[
        entries(&[("q0", "e0")]),
        entries(&[("q0", "missing")]),
        entries(&[("q0", "e1")]),
        entries(&[("q0", "e2")]),
    ]);
    for (record, group) in batch["Records"].as_array_mut().unwrap().iter_mut().zip(["a", "a", "a", "b"]) {
        record["eventSourceARN"] = json!("arn:aws:sqs:eu-central-1:111122223333:associations.fifo");
        record["attributes"]["MessageGroupId"] = json!(group);
    }
    assert_eq!(listed(&world.invoke(&batch).await), ["m1", "m2"]);
}

#[tokio::test]
async fn retryable_pair_is_an_error_for_retrying_callers() {
    let world = World::new(fixture(1, 1));
    world.connect.inject(Fault::new(Effect::Error {
        status: 500,
        code: "InternalServiceException".to_owned(),
        message: "try later".to_owned(),
    }));
    let payload = request("q0", &ids(0..1));
    let event = json!({ "source": "s", "detail-type": "t", "detail": payload });
    for payload in [payload, event, json!({ "Items": [request("q0", &ids(0..1))] })] {
        let (kind, message) = world.invoke(&payload).await.unwrap_err();
        assert_eq!(kind, "RetryableFailure");
        let item = if payload.get("Items").is_some() { "Items[0]." } else { "" };
        assert_eq!(
            message,
            format!(
                "1 of 1 failed: InternalServiceException at {item}associations[0].emailAddressIds[0]: try later"
            )
        );
    }
}

#[tokio::test]
async fn permanent_failure_is_an_error_for_events_and_on_request() {
    let world = World::new(fixture(1, 1));
    let mut payload = entries(&[("q0", "e0"), ("q0", "missing")]);
    assert_eq!(world.invoke(&payload).await.unwrap()["status"], "PARTIAL");
    let event = json!({ "source": "s", "detail-type": "t", "detail": payload });
    assert_eq!(world.invoke(&event).await.unwrap_err().0, "PermanentFailure");
    payload["failOnPermanent"] = json!(true);
    assert_eq!(world.invoke(&payload).await.unwrap_err().0, "PermanentFailure");
    let items =
        json!({ "Items": [entries(&[("q0", "missing")])], "BatchInput": { "failOnPermanent": true } });
    assert_eq!(world.invoke(&items).await.unwrap_err().0, "PermanentFailure");
    assert_eq!(world.associated("q0"), ["e0"]);
}

#[tokio::test]
async fn missing_queue_is_listed_on_the_first_delivery() {
    let world = World::new(fixture(0, 1));
    let batch = sqs(&[entries(&[("new", "e0")])]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m0"]);
    let report = world.invoke(&entries(&[("new", "e0")])).await.unwrap();
    assert_eq!(report["failures"][0]["error"], "ResourceNotFoundException");
    assert_eq!(report["failures"][0]["retryable"], false);
    let message = report["failures"][0]["message"].as_str().unwrap();
    assert!(message.ends_with("; create it first, or check the instanceId"), "{message}");
}

#[tokio::test]
async fn report_stays_below_its_size() {
    let world = World::new(fixture(1, 1));
    let many: Vec<Value> =
        (0..5_000).map(|number| json!({ "queueId": format!("q{number}"), "emailAddressId": 7 })).collect();
    let payload = json!({ "instanceId": INSTANCE, "associations": many });
    let mut with_one_valid = payload.clone();
    with_one_valid["associations"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "queueId": "q0", "emailAddressId": "e0" }));
    let report = world.invoke(&with_one_valid).await.unwrap();
    assert!(report.to_string().len() < 200_000);
    assert_eq!(report["failed"], 5_000);
    let shown = report["failures"].as_array().unwrap().len();
    assert!(shown > 500);
    assert_eq!(report["failuresOmitted"], 5_000 - shown);
    assert_eq!(report["queuesOmitted"], 1);
}

#[tokio::test]
async fn error_is_one_line() {
    let world = World::new(fixture(1, 1));
    let misspelled = json!({ "dry\nRun": true, "queueId": "q0", "emailAddressId": "e0" });
    let (_, message) = world.invoke(&misspelled).await.unwrap_err();
    assert!(message.starts_with("1 of 1 failed: dry Run: unknown field "), "{message}");
    world.connect.inject(Fault::new(Effect::Error {
        status: 500,
        code: "Unwell".to_owned(),
        message: "one\u{2028}two\r\nthree".to_owned(),
    }));
    let (_, message) = world.invoke(&request("q0", &ids(0..1))).await.unwrap_err();
    assert_eq!(message, "1 of 1 failed: Unwell at associations[0].emailAddressIds[0]: one two  three");
}

#[tokio::test]
async fn item_with_fail_on_permanent_causes_the_error() {
    let world = World::new(fixture(1, 0));
    let item = |strict: bool| json!({ "instanceId": INSTANCE, "failOnPermanent": strict, "queueId": "q0", "emailAddressId": "bad" });
    for items in [[true, false], [false, true], [true, true]] {
        let ending = world.invoke(&json!({ "Items": items.map(item) })).await;
        assert_eq!(ending.unwrap_err().0, "PermanentFailure", "{items:?}");
    }
    let report = world.invoke(&json!({ "Items": [item(false), item(false)] })).await.unwrap();
    assert_eq!(report["status"], "FAILED");
}

#[tokio::test]
async fn error_quotes_three_reasons_and_counts_others() {
    let world = World::new(fixture(1, 1));
    let wrong =
        [json!(1), json!({ "queueId": "q0" }), json!({ "emailAddressId": "e0" }), json!("x"), json!([])];
    for (count, others) in [(3, None), (4, Some("; and 1 other reason")), (5, Some("; and 2 other reasons"))]
    {
        let request = json!({ "instanceId": INSTANCE, "associations": wrong[..count] });
        let (_, message) = world.invoke(&request).await.unwrap_err();
        assert!(
            message.starts_with(&format!(
                "{count} of {count} failed: associations[0] must be an object, not a number; "
            )),
            "{message}"
        );
        assert_eq!(message.matches("associations[").count(), 3, "{message}");
        assert_eq!(message.find("; and ").map(|at| &message[at..]), others, "{message}");
    }
}
