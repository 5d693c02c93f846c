//! Permanent failures are sent to the failures queue with their reasons, as messages that can be redriven unchanged.

use connect_simulator::Fault;
use serde_json::{Value, json};

use crate::common::{
    BOTH_QUEUES, CONTINUATION_QUEUE, FAILURES_QUEUE, ONE_ATTEMPT, error, event, on_fifo, on_queue, pair,
    received, unwell,
};
use crate::sqs::{CONTINUATION, FAILURES, SqsFault};
use crate::world::{INSTANCE, World, fixture, ids, listed, request, sqs};

#[tokio::test]
async fn permanent_failures_are_sent_with_their_reasons() {
    let world = World::with(fixture(3, 3), &[FAILURES_QUEUE]);
    let body = json!({ "instanceId": INSTANCE, "associations": [
        { "queueId": "q0", "emailAddressIds": ["e0", "bad", "e1", 7] },
        { "queueId": "missing", "emailAddressId": "e0" },
        { "queueId": "q1" },
    ]});
    assert_eq!(listed(&world.invoke(&received(sqs(&[body]), 2)).await), [""; 0]);
    assert_eq!(world.associated("q0"), ids(0..2));
    let sent = world.sqs.sent_to(FAILURES);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["instanceId"], INSTANCE);
    assert_eq!(
        sent[0]["associations"],
        json!([
            { "queueId": "q0", "emailAddressIds": ["bad"] },
            { "queueId": "missing", "emailAddressIds": ["e0"] },
            { "queueId": "q0", "emailAddressIds": [7] },
            { "queueId": "q1" },
        ])
    );
    let failures = sent[0]["failures"].as_array().unwrap();
    let seen: Vec<_> = failures
        .iter()
        .map(|failure| (failure["path"].as_str().unwrap(), failure["error"].as_str().unwrap()))
        .collect();
    assert_eq!(
        seen,
        [
            ("associations[0].emailAddressIds[1]", "InvalidParameterException"),
            ("associations[0].emailAddressIds[3]", "InvalidRequest"),
            ("associations[1]", "ResourceNotFoundException"),
            ("associations[2].emailAddressId", "InvalidRequest"),
        ]
    );
    assert!(failures.iter().all(|failure| failure["messageId"] == "m0"));
}

#[tokio::test]
async fn fixed_failure_can_be_redriven() {
    let world = World::with(fixture(3, 3), &[FAILURES_QUEUE]);
    let bodies = [
        request("q0", &["late".to_owned()]),
        json!("{\"instanceId\": "),
        json!({ "instanceId": INSTANCE, "dryRun": "no", "queueId": "q0", "emailAddressId": "e0" }),
    ];
    assert_eq!(listed(&world.invoke(&sqs(&bodies)).await), [""; 0]);
    let sent = world.sqs.take();
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[1].body["unreadable"], "{\"instanceId\": ");
    assert_eq!(sent[2].body["dryRun"], "no");
    // A second failure is not nested in the first.
    let again: Vec<Value> = sent.iter().map(|sent| sent.body.clone()).collect();
    assert_eq!(listed(&world.invoke(&sqs(&again)).await), [""; 0]);
    let second = world.sqs.take();
    assert_eq!(second.iter().map(|sent| sent.body.clone()).collect::<Vec<_>>(), again);
    // Once the cause is fixed, it succeeds.
    world.connect.add(connect_simulator::Fixture::new().with_address(INSTANCE, "late", "late@brand.example"));
    assert_eq!(listed(&world.invoke(&sqs(&again[..1])).await), [""; 0]);
    assert_eq!(world.associated("q0"), ["late"]);
    assert!(world.sqs.sent().is_empty());
}

#[tokio::test]
async fn default_instance_is_written_out() {
    let world = World::with(fixture(1, 1), &[FAILURES_QUEUE, ("CONNECT_INSTANCE_ID", INSTANCE)]);
    for (body, written) in [
        (json!({ "associations": [{ "queueId": "q0", "emailAddressIds": ["e0", "bad"] }] }), true),
        (
            json!({ "associations": [{ "queueId": "q0", "emailAddressIds": ["e0", "bad"] }, { "queueId": "q0" }] }),
            true,
        ),
        (json!({ "dryRun": "no", "associations": [{ "queueId": "q0", "emailAddressId": "e0" }] }), true),
        (json!({ "queueId": "q0" }), true),
        // An ARN contains another instance, which the request's `instanceId` would contradict after the cause is fixed.
        (
            json!({ "associations": [{ "queueId": "arn:aws:connect:eu-central-1:111122223333:instance/j/queue/q" }] }),
            false,
        ),
        (json!({ "queueId": "arn:aws:connect:eu-central-1:111122223333:instance/j/queue/q" }), false),
    ] {
        assert_eq!(listed(&world.invoke(&sqs(std::slice::from_ref(&body))).await), [""; 0]);
        let sent = world.sqs.take().remove(0).body;
        assert_eq!(sent.get("instanceId"), written.then(|| json!(INSTANCE)).as_ref(), "{body}");
    }
}

#[tokio::test]
async fn permanent_failures_are_dead_letters_and_the_rest_is_continued() {
    let world = World::with(fixture(3, 3), &BOTH_QUEUES);
    world.connect.inject(on_queue("q1", unwell()));
    // Nothing was associated, but a permanently failed pair counts as finished.
    let body = json!({ "instanceId": INSTANCE, "associations": [
        { "queueId": "q1", "emailAddressId": "e0" },
        { "queueId": "q0", "emailAddressId": "bad" },
    ]});
    assert_eq!(listed(&world.invoke(&sqs(&[body])).await), [""; 0]);
    let associations = |queue: &str| world.sqs.sent_to(queue)[0]["associations"].clone();
    assert_eq!(associations(FAILURES), json!([{ "queueId": "q0", "emailAddressIds": ["bad"] }]));
    assert_eq!(associations(CONTINUATION), json!([{ "queueId": "q1", "emailAddressIds": ["e0"] }]));
    world.sqs.take();
    let body = json!({ "instanceId": INSTANCE, "associations": [
        { "queueId": "q1", "emailAddressId": "e0" },
        { "queueId": "q0", "emailAddressIds": ["e1", "bad"] },
    ]});
    assert_eq!(listed(&world.invoke(&sqs(&[body])).await), [""; 0]);
    assert_eq!((world.sqs.sent_to(FAILURES).len(), world.sqs.sent_to(CONTINUATION).len()), (1, 1));
}

#[tokio::test]
async fn continuation_takes_dead_letters_without_a_failures_queue() {
    let world = World::with(fixture(3, 3), &[CONTINUATION_QUEUE]);
    world.connect.inject(on_queue("q1", unwell()));
    let body = json!({ "instanceId": INSTANCE, "associations": [
        { "queueId": "q1", "emailAddressId": "e0" },
        { "queueId": "q0", "emailAddressIds": ["e1", "bad"] },
        { "queueId": "q0" },
    ]});
    assert_eq!(listed(&world.invoke(&sqs(&[body])).await), [""; 0]);
    assert_eq!(
        world.sqs.sent_to(CONTINUATION),
        [json!({ "instanceId": INSTANCE, "reference": "m0", "continued": true, "associations": [
            { "queueId": "q1", "emailAddressIds": ["e0"] },
            { "queueId": "q0", "emailAddressIds": ["bad"] },
            { "queueId": "q0" },
        ]})]
    );
}

#[tokio::test]
async fn unsent_failures_list_their_message() {
    let world = World::with(fixture(3, 3), &[FAILURES_QUEUE]);
    let batch = sqs(&[pair("q0", "bad"), pair("q1", "bad")]);
    world.sqs.fail([SqsFault::FirstEntry { sender_fault: true }]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m0"]);
    world.sqs.fail([SqsFault::Status(403)]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m0", "m1"]);
}

#[tokio::test]
async fn fifo_messages_after_a_failure_send_nothing() {
    let world = World::with(fixture(3, 3), &[FAILURES_QUEUE]);
    world.connect.inject(on_queue("q1", unwell()));
    let batch = sqs(&[pair("q0", "bad"), pair("q1", "e0"), pair("q2", "bad")]);
    let batch = on_fifo(batch, &[Some("g"); 3]);
    assert_eq!(listed(&world.invoke(&batch).await), ["m1", "m2"]);
    let sent = world.sqs.sent_to(FAILURES);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["failures"][0]["messageId"], "m0");
}

#[tokio::test]
async fn event_with_sent_failures_is_done() {
    let world = World::with(fixture(3, 3), &[FAILURES_QUEUE]);
    let report = world.invoke(&event(&request("q0", &["e0".to_owned(), "bad".to_owned()]))).await.unwrap();
    assert_eq!(report["status"], "PARTIAL");
    // An event without any valid pair is sent too.
    let report = world.invoke(&event(&json!("what is this"))).await.unwrap();
    assert_eq!(report["status"], "FAILED");
    let sent = world.sqs.sent_to(FAILURES);
    assert_eq!(sent[1]["unreadable"], "\"what is this\"");
    world.sqs.fail([SqsFault::Status(400)]);
    assert_eq!(world.invoke(&event(&json!(1))).await.unwrap_err().0, "InvalidRequest");
    world.sqs.fail([SqsFault::Status(400)]);
    let ending = world.invoke(&event(&pair("q0", "bad"))).await;
    assert_eq!(ending.unwrap_err().0, "PermanentFailure");
}

#[tokio::test]
async fn direct_request_sends_nothing() {
    let world = World::with(fixture(3, 3), &BOTH_QUEUES);
    let report = world.invoke(&pair("q0", "bad")).await.unwrap();
    assert_eq!(report["status"], "FAILED");
    world.invoke(&json!({ "Items": [pair("q0", "bad")] })).await.unwrap();
    assert!(world.sqs.sent().is_empty());
}

#[tokio::test]
async fn too_large_message_is_divided_between_pairs() {
    let world = World::with(fixture(1, 0), &[FAILURES_QUEUE, ONE_ATTEMPT]);
    world.connect.inject(Fault::new(error(403, "AccessDeniedException", &"x".repeat(500))));
    let addresses: Vec<String> = (0..2_000).map(|number| format!("{number:0>400}")).collect();
    assert_eq!(listed(&world.invoke(&sqs(&[request("q0", &addresses)])).await), [""; 0]);
    let sent = world.sqs.sent();
    assert!(sent.len() > 1 && sent.iter().all(|sent| sent.bytes <= 1_048_576), "{}", sent.len());
    let arrived: Vec<String> = sent
        .iter()
        .flat_map(|sent| sent.body["associations"].as_array().unwrap().clone())
        .flat_map(|entry| entry["emailAddressIds"].as_array().unwrap().clone())
        .map(|address| address.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(arrived, addresses);
}

#[tokio::test]
async fn body_without_text_is_sent_on_unchanged() {
    let world = World::with(fixture(3, 3), &[FAILURES_QUEUE]);
    let mut batch = sqs(&[json!("")]);
    batch["Records"][0]["body"] = json!({ "queueId": "q0" });
    assert_eq!(listed(&world.invoke(&batch).await), [""; 0]);
    assert_eq!(world.sqs.sent_to(FAILURES)[0]["unreadable"], "{\"queueId\":\"q0\"}");
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_messages_leave_time_to_call_and_send() {
    let mut world = World::in_memory(fixture(1, 1), &BOTH_QUEUES);
    world.invocation_time = std::time::Duration::from_secs(60);
    let bodies: Vec<Value> =
        (0..10_000).map(|number| request("q0", &["e0".to_owned(), format!("{}", number % 10)])).collect();
    assert_eq!(listed(&world.invoke(&received(sqs(&bodies), 2)).await), [""; 0]);
    assert_eq!((world.sqs.sent_to(FAILURES).len(), world.sqs.batches()), (10_000, 1_000));
    assert_eq!(world.associated("q0"), ["e0"]);
}

#[tokio::test]
async fn too_large_failure_lists_its_message_and_sends_nothing() {
    let world = World::with(fixture(3, 3), &[FAILURES_QUEUE]);
    let unreadable = "\"".repeat(600_000);
    assert_eq!(listed(&world.invoke(&sqs(&[json!(unreadable), pair("q0", "bad")])).await), ["m0"]);
    assert_eq!((world.sqs.sent().len(), world.sqs.batches()), (1, 1));
}

#[tokio::test]
async fn duplicate_envelope_is_sent_on_unchanged() {
    let world = World::with(fixture(3, 3), &[FAILURES_QUEUE]);
    let body = r#"{"unreadable":"a","unreadable":"b"}"#;
    assert_eq!(listed(&world.invoke(&sqs(&[json!(body)])).await), [""; 0]);
    assert_eq!(world.sqs.take().remove(0).body["unreadable"], body);
}
