//! Malformed and adversarial payloads. Some once caused quadratic work, which would keep a test here from ending.

use connect_simulator::Fault;
use serde_json::{Value, json};

use crate::common::{BOTH_QUEUES, counts, error, event, pair, received};
use crate::sqs::FAILURES;
use crate::world::{INSTANCE, World, fixture, ids, listed, request, sqs};

fn world_with_queues() -> World {
    World::with(fixture(3, 3), &BOTH_QUEUES)
}

/// Once, each reason was compared with all previous ones, the request was serialised once per failure to estimate its
/// size, and its list was copied once per element.
#[tokio::test]
async fn many_invalid_elements_are_sent_on() {
    let most = 99_998;
    for (count, failed, associated) in
        [(most, most, ["e0"].as_slice()), (most + 2, 1, &[]), (200_000, 1, &[])]
    {
        let world = world_with_queues();
        let elements: Vec<Value> = std::iter::repeat_n(json!(1), count).chain([json!("e0")]).collect();
        let valid = json!({ "queueId": "q1", "emailAddressId": "e0" });
        let entry = json!({ "queueId": "q0", "emailAddressIds": elements });
        let detail = json!({ "instanceId": INSTANCE, "associations": [entry, valid] });
        assert_eq!(world.invoke(&event(&detail)).await.unwrap()["failed"], failed);
        assert_eq!(world.associated("q0"), associated);
        assert_eq!(world.associated("q1"), associated);
        let bodies = world.sqs.sent_to(FAILURES);
        let sent: usize = bodies
            .iter()
            .map(|body| body["associations"][0]["emailAddressIds"].as_array().unwrap().len())
            .sum();
        assert_eq!(sent, count + usize::from(failed == 1));
    }
}

/// Once, the rest of the text was searched again for each sign.
#[tokio::test]
async fn message_of_at_signs_is_logged() {
    let world = world_with_queues();
    let message = "@".repeat(1_000_000);
    world.connect.inject(Fault::new(error(403, "AccessDeniedException", &message)));
    let report = world.invoke(&request("q0", &ids(0..1))).await.unwrap();
    assert_eq!(counts(&report, ["failed", "failuresOmitted"]), [1, 1]);
}

/// A failure contains the names of its pair. One failure per pair would copy the long name for each address, which took
/// 420 MB for a message of 200 KB.
#[tokio::test]
async fn long_name_with_many_addresses_is_one_failure() {
    let addresses: Vec<String> = (0..20_000).map(|number| format!("e{number}")).collect();
    let body =
        json!({ "instanceId": INSTANCE, "queueName": "n".repeat(20_000), "emailAddressIds": addresses });
    let world = world_with_queues();
    assert_eq!(listed(&world.invoke(&sqs(&[body])).await), [""; 0]);
    let sent = world.sqs.sent_to(FAILURES);
    assert_eq!((sent.len(), sent[0]["failures"].as_array().unwrap().len()), (1, 1));
    assert_eq!(world.call_count(), 0);
}

/// An object with one value per key would lose the first queue and become valid. A redrive would then associate an
/// ambiguous request.
#[tokio::test]
async fn duplicate_field_is_sent_on_unchanged() {
    let world = world_with_queues();
    let twice = r#"{"queueId":"q0","queueId":"q1","emailAddressId":"e0"}"#;
    let bodies = [
        json!(format!(r#"{{"instanceId":"{INSTANCE}","associations":[{twice}]}}"#)),
        json!(format!(r#"{{"dryRun":true,"dryRun":false,"instanceId":"{INSTANCE}","associations":[]}}"#)),
    ];
    assert_eq!(listed(&world.invoke(&sqs(&bodies)).await), [""; 0]);
    let sent = world.sqs.raw_sent();
    assert_eq!(sent.len(), 2);
    assert!(sent[0].contains(twice), "{}", sent[0]);
    assert!(sent[1].contains(r#""dryRun":true,"dryRun":false"#), "{}", sent[1]);
}

/// SQS rejects a whole batch of messages because of one of these characters. Unrelated messages were then redelivered
/// until they became dead letters.
#[tokio::test]
async fn characters_rejected_by_sqs_are_escaped() {
    let world = world_with_queues();
    let body = json!({ "instanceId": INSTANCE, "queueName": "\u{ffff}\u{fffe}", "emailAddressId": "e0" });
    assert_eq!(listed(&world.invoke(&received(sqs(&[body]), 2)).await), [""; 0]);
    let sent = world.sqs.raw_sent();
    assert!(!sent[0].contains(['\u{ffff}', '\u{fffe}']), "{}", sent[0]);
    assert_eq!(world.sqs.sent_to(FAILURES)[0]["associations"][0]["queueName"], "\u{ffff}\u{fffe}");
}

/// Once, a queue was looked up even if it had no valid address.
#[tokio::test]
async fn queue_without_valid_address_is_not_looked_up() {
    let world = world_with_queues();
    let ending =
        world.invoke(&json!({ "instanceId": INSTANCE, "queueName": "Queue 0", "emailAddresses": [7] })).await;
    assert_eq!(ending.unwrap_err().0, "InvalidRequest");
    assert_eq!(world.call_count(), 0);
}

/// A request for `count` addresses on the queue `q0`. `invalid` of them are numbers.
fn parts(count: usize, invalid: usize) -> Value {
    let addresses = std::iter::repeat_n(json!("e0"), count - invalid);
    let invalid = std::iter::repeat_n(json!(7), invalid);
    json!({ "instanceId": INSTANCE, "queueId": "q0", "emailAddressIds": addresses.chain(invalid).collect::<Vec<_>>() })
}

#[tokio::test]
async fn messages_beyond_the_bound_are_redelivered_immediately() {
    let world = world_with_queues();
    let bodies = [parts(60_000, 10), parts(40_000, 0), pair("q1", "e1"), parts(2, 0)];
    assert_eq!(listed(&world.invoke(&sqs(&bodies)).await), ["m2", "m3"]);
    assert_eq!(world.associated("q0"), ["e0"]);
    assert_eq!(world.associated("q1"), [""; 0]);
    assert_eq!(world.sqs.seconds(), [("handle2".to_owned(), 0), ("handle3".to_owned(), 0)]);
}

#[tokio::test]
async fn message_above_the_bound_is_invalid_alone() {
    let world = world_with_queues();
    let bodies = [parts(100_001, 0), parts(100_001, 100_001), pair("q1", "e1")];
    assert_eq!(listed(&world.invoke(&sqs(&bodies)).await), [""; 0]);
    assert_eq!((world.associated("q0"), world.associated("q1")), (vec![], vec!["e1".to_owned()]));
    let sent = world.sqs.sent_to(FAILURES);
    assert_eq!(sent.len(), 2);
    for body in sent {
        let reason = "the request contains more than 100,000 pairs (invalid entries count too); split it into smaller requests";
        assert_eq!(body["failures"][0]["message"], reason);
        assert_eq!(body["emailAddressIds"].as_array().unwrap().len(), 100_001);
    }
}

#[tokio::test]
async fn bound_counts_all_entries_and_items() {
    for (count, associated) in [(50_000, true), (50_001, false)] {
        let entry = |count| json!({ "queueId": "q0", "emailAddressIds": vec!["e0"; count] });
        let two = json!({ "instanceId": INSTANCE, "associations": [entry(50_000), entry(count)] });
        let items =
            json!({ "BatchInput": { "instanceId": INSTANCE }, "Items": [entry(50_000), entry(count)] });
        for payload in [two, items] {
            let world = world_with_queues();
            let ending = world.invoke(&payload).await;
            assert_eq!(ending.is_ok_and(|report| report["status"] == "SUCCEEDED"), associated);
            assert_eq!(world.associated("q0") == ["e0"], associated);
        }
    }
}
