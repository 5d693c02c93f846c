//! Dead letters do not repeat equal reasons, so that they stay small. They request the same pairs when they are redriven.

use serde_json::{Value, json};

use crate::common::{ASSOCIATE, FAILURES_QUEUE, ONE_ATTEMPT, error, on, received};
use crate::sqs::FAILURES;
use crate::world::{INSTANCE, World, fixture, ids, listed, sqs};

/// Delivers a message a second time to a world in which nothing of it can succeed. Returns the dead letters.
async fn dead_letters(world: &World, body: &str) -> Vec<Value> {
    let batch = received(sqs(&[json!(body)]), 2);
    assert_eq!(listed(&world.invoke(&batch).await), [""; 0], "{body:.200}");
    world.sqs.sent_to(FAILURES)
}

#[tokio::test]
async fn equal_reasons_are_one_failure() {
    let world = World::with(fixture(3, 3), &[FAILURES_QUEUE]);
    let body = json!({ "instanceId": INSTANCE, "associations": [
        { "queueId": "q0", "emailAddressIds": ["bad1", "e0", "bad2"] },
        { "queueId": "q0", "emailAddressIds": [7, 8] },
        { "queueId": "q1", "emailAddressId": "bad1" },
        { "queueId": "q1", "emailAddressId": "bad2" },
        { "queueName": "No queue", "emailAddresses": ["e0@brand.example", "e1@brand.example"] },
        { "queueId": "q2" },
        { "queueId": "q2" },
        { "queueId": "q2", "emailAddressId": "bad1" },
    ]});
    let letters = dead_letters(&world, &body.to_string()).await;
    assert_eq!(letters.len(), 1);
    let mut failures = letters[0]["failures"].clone();
    for failure in failures.as_array_mut().unwrap() {
        let failure = failure.as_object_mut().unwrap();
        assert_eq!(failure.remove("messageId"), Some(json!("m0")));
        assert_eq!(failure.remove("reference"), Some(json!("m0")));
        assert_eq!(failure.remove("retryable"), Some(json!(false)));
        assert!(failure.remove("message").is_some());
    }
    let unknown = "InvalidParameterException";
    assert_eq!(
        failures,
        json!([
            { "instanceId": INSTANCE, "queueId": "q0", "emailAddressIds": ["bad1", "bad2"], "error": unknown,
              "path": "associations[0].emailAddressIds" },
            { "error": "InvalidRequest", "path": "associations[1].emailAddressIds" },
            { "instanceId": INSTANCE, "queueId": "q1", "emailAddressIds": ["bad1", "bad2"], "error": unknown,
              "path": "associations" },
            { "instanceId": INSTANCE, "queueName": "No queue", "error": "NameNotFound",
              "emailAddresses": ["e0@brand.example", "e1@brand.example"],
              "path": "associations[4].emailAddresses" },
            { "error": "InvalidRequest", "path": "associations" },
            { "instanceId": INSTANCE, "queueId": "q2", "emailAddressId": "bad1", "error": unknown,
              "path": "associations[7]" },
        ])
    );
}

/// Requests of 100 KB or more in which everything fails.
fn failing_requests() -> Vec<(&'static str, String)> {
    let request = |entries: String| format!(r#"{{"instanceId":"{INSTANCE}","associations":[{entries}]}}"#);
    let repeat =
        |count: usize, entry: &dyn Fn(usize) -> String| (0..count).map(entry).collect::<Vec<_>>().join(",");
    let long = "x".repeat(200);
    let invalid_names = ["dryrun", "queue_id", "emailaddress", "INSTANCEID"];
    vec![
        (
            "short addresses of one queue",
            request(format!(
                r#"{{"queueId":"q","emailAddressIds":[{}]}}"#,
                repeat(15_000, &|n| format!("\"{n:x}\""))
            )),
        ),
        (
            "a queue for each address",
            request(repeat(3_000, &|n| format!(r#"{{"queueId":"{n:x}","emailAddressId":"e"}}"#))),
        ),
        (
            "an instance for each address",
            request(repeat(3_000, &|n| {
                format!(r#"{{"instanceId":"i{n:x}","queueId":"q","emailAddressId":"e"}}"#)
            })),
        ),
        (
            "entries of queues in turn",
            request(repeat(6_000, &|n| {
                format!(r#"{{"queueId":"q{}","emailAddressId":"{n:x}"}}"#, n % 1_000)
            })),
        ),
        (
            "queues by name",
            request(repeat(4_000, &|n| format!(r#"{{"queueName":"{n:x}","emailAddress":"a@b.c"}}"#))),
        ),
        (
            "long queues by name",
            request(repeat(600, &|n| format!(r#"{{"queueName":"{n} {long}","emailAddress":"a{n}@b.c"}}"#))),
        ),
        (
            "addresses by name",
            request(format!(
                r#"{{"queueId":"q0","emailAddresses":[{}]}}"#,
                repeat(12_000, &|n| format!("\"{n:x}@b.c\""))
            )),
        ),
        ("entries that are numbers", request(repeat(60_000, &|_| "1".to_owned()))),
        ("entries without address", request(repeat(8_000, &|_| r#"{"queueId":"q"}"#.to_owned()))),
        (
            "entries with different mistakes",
            request(repeat(4_000, &|n| format!(r#"{{"{}{n:x}":1,"queueId":""}}"#, invalid_names[n % 4]))),
        ),
        (
            "elements that are numbers",
            request(format!(
                r#"{{"queueId":"q","emailAddressIds":[{}]}}"#,
                repeat(60_000, &|_| "1".to_owned())
            )),
        ),
        (
            "different invalid elements",
            request(format!(
                r#"{{"queueId":"q","emailAddresses":[{}]}}"#,
                repeat(4_000, &|n| format!("\"{}a b@c\"", "y".repeat(n % 50)))
            )),
        ),
        (
            "small lists with invalid elements",
            request(repeat(20_000, &|n| format!(r#"{{"queueId":"q{n:x}","emailAddressIds":["",1]}}"#))),
        ),
        ("no JSON", "\u{1}\"\\\n".repeat(40_000)),
        (
            "an invalid request",
            format!(r#"{{"dryRun":1,"associations":[{}]}}"#, repeat(40_000, &|_| "{}".to_owned())),
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn dead_letters_stay_within_eight_times_their_message() {
    for (name, body) in failing_requests() {
        assert!(body.len() >= 100_000, "{name}: {} bytes", body.len());
        let unlimited =
            [FAILURES_QUEUE, ("CONNECT_REQUESTS_PER_SECOND", "100000"), ("CONNECT_BURST", "100000")];
        let world = World::in_memory(fixture(1, 0), &unlimited);
        world.connect.inject(on(
            ASSOCIATE,
            error(
                403,
                "AccessDeniedException",
                "User: arn:aws:sts::111122223333:assumed-role/role/session is not authorized to perform: \
                          connect:AssociateQueueEmailAddresses on resource: a queue",
            ),
        ));
        dead_letters(&world, &body).await;
        let sent = world.sqs.sent();
        let bytes: usize = sent.iter().map(|sent| sent.bytes).sum();
        assert!(bytes <= 8 * body.len(), "{name}: {bytes} bytes of {}", body.len());
        assert!(!sent.is_empty() && sent.iter().all(|sent| sent.bytes <= 1 << 20), "{name}");
    }
}

#[tokio::test]
async fn redriven_dead_letters_request_the_same_pairs() {
    let world = World::with(fixture(3, 40), &[FAILURES_QUEUE, ONE_ATTEMPT]);
    let denied = error(403, "AccessDeniedException", "no");
    world.connect.inject(on(ASSOCIATE, denied));
    let body = json!({ "instanceId": INSTANCE, "associations": [
        { "queueId": "q0", "emailAddressIds": ids(0..20) },
        { "queueId": "q0", "emailAddresses": ["e20@brand.example", "E21@brand.example"] },
        { "queueId": "q0", "emailAddressId": "e22" },
        { "queueName": "Queue 1", "emailAddressIds": ids(3..9) },
        { "queueId": "q2", "emailAddressId": "e1" },
        { "queueId": "q2", "emailAddressIds": ["e2", ""] },
    ]});
    dead_letters(&world, &body.to_string()).await;
    let letters: Vec<Value> = world.sqs.take().into_iter().map(|sent| sent.body).collect();
    assert!(letters[0]["failures"].as_array().unwrap().len() < 10, "{letters:#?}");
    world.connect.clear_faults();
    assert_eq!(listed(&world.invoke(&received(sqs(&letters), 2)).await), [""; 0]);
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(world.associated("q0")), sorted(ids(0..23)));
    assert_eq!(sorted(world.associated("q1")), sorted(ids(3..9)));
    assert_eq!(sorted(world.associated("q2")), ids(1..3));
    let left = world.sqs.take().remove(0).body;
    assert_eq!(left["associations"], json!([{ "queueId": "q2", "emailAddressIds": [""] }]));
}
