//! On a full queue, the addresses that fit are associated in the requested order, and the others fail with a reason.

use std::time::Duration;

use connect_simulator::{Effect, Fault, Fixture, LimitWithoutDefault, Operation, Options, Switches};
use serde_json::{Value, json};

use crate::world::{INSTANCE, World, fixture, ids, request};

/// A queue `q0` with a default address and the given number of other addresses, in an instance with 200 addresses.
fn holding(queue_holds: usize) -> Fixture {
    let mut fixture = fixture(2, 200).with_queue_default(INSTANCE, "q0", "e199");
    for address in 100..100 + queue_holds {
        fixture = fixture.with_association(INSTANCE, "q0", format!("e{address}"));
    }
    fixture
}

fn world(fixture: Fixture) -> World {
    World::new(fixture)
}

fn added(world: &World) -> Vec<String> {
    let mut added = world.associated("q0");
    added.retain(|id| id[1..].parse::<usize>().unwrap() < 100);
    added
}

fn full(report: &Value) -> usize {
    report["failures"].as_array().unwrap().iter().filter(|failure| failure["error"] == "QueueFull").count()
}

#[tokio::test]
async fn full_queue_accepts_what_fits_in_requested_order() {
    let world = world(holding(40));
    let report = world.invoke(&request("q0", &ids(0..20))).await.unwrap();
    assert_eq!(added(&world), ids(0..9));
    assert_eq!((&report["associated"], full(&report)), (&json!(9), 11));
    assert_eq!(report["failures"][0]["retryable"], false);
    let message = report["failures"][0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("queue is full: added 9 of 20 addresses to the 40 that it had (limit 49,"),
        "{message}"
    );
    assert!(message.contains("L-7B867368"), "{message}");
    // The chunk is rejected, the list is read, and the addresses that fit are added.
    assert_eq!(world.call_count(), 3);
}

#[tokio::test]
async fn several_chunks_fill_the_queue_from_the_first() {
    let world = world(holding(0));
    let report = world.invoke(&request("q0", &ids(0..100))).await.unwrap();
    assert_eq!(added(&world), ids(0..49));
    assert_eq!((&report["associated"], full(&report)), (&json!(49), 51));
    assert_eq!(world.call_count(), 3);
}

#[tokio::test]
async fn small_message_does_not_change_the_filling_order() {
    let world = world(holding(0));
    // The second chunk contains the whole second message, so it is more urgent.
    let batch = crate::world::sqs(&[request("q0", &ids(0..90)), request("q0", &ids(90..100))]);
    world.invoke(&batch).await.unwrap();
    assert_eq!(added(&world), ids(0..49));
}

#[tokio::test]
async fn full_queue_costs_two_calls() {
    let world = world(holding(49));
    let report = world.invoke(&request("q0", &ids(0..100))).await.unwrap();
    assert_eq!((&report["associated"], full(&report)), (&json!(0), 100));
    assert_eq!(world.call_count(), 2);
}

#[tokio::test]
async fn address_on_the_queue_needs_no_room() {
    let world = world(holding(45));
    // Six are on the queue, one of them as its default. Four of the ten new addresses fit.
    let mut wanted = ids(100..105);
    wanted.extend(ids(199..200));
    wanted.extend(ids(0..10));
    let report = world.invoke(&request("q0", &wanted)).await.unwrap();
    assert_eq!(added(&world), ids(0..4));
    assert_eq!(
        (&report["associated"], &report["alreadyAssociated"], full(&report)),
        (&json!(4), &json!(6), 6)
    );
    let there = [ids(100..105), ids(199..200)].concat();
    let named = json!([{ "instanceId": INSTANCE, "queueId": "q0", "emailAddressIds": there }]);
    assert_eq!(report["alreadyAssociatedPairs"], named);
}

#[tokio::test]
async fn queue_without_default_address_gets_as_many_as_the_api_accepts() {
    for (limit_without_default, fits) in
        [(LimitWithoutDefault::FortyNine, 49), (LimitWithoutDefault::Fifty, 50)]
    {
        let switches = Switches { limit_without_default, ..Switches::default() };
        let world = World::with(Options { fixture: fixture(1, 50), switches, ..Options::default() }, &[]);
        let report = world.invoke(&request("q0", &ids(0..50))).await.unwrap();
        assert_eq!(world.associated("q0"), ids(0..fits));
        assert_eq!(full(&report), 50 - fits);
    }
}

#[tokio::test]
async fn lower_true_limit_takes_precedence_over_the_setting() {
    for fits in [0, 1, 7, 19, 20] {
        let world = world(holding(0).with_limit(INSTANCE, "q0", fits));
        let report = world.invoke(&request("q0", &ids(0..20))).await.unwrap();
        assert_eq!(added(&world), ids(0..fits), "{fits}");
        assert_eq!(full(&report), 20 - fits);
        let message = format!(
            "queue is full: added {fits} of 20 addresses to the 0 that it had, and the API accepts no more although"
        );
        let failures = report["failures"].as_array().unwrap();
        assert!(failures.iter().all(|failure| failure["message"].as_str().unwrap().starts_with(&message)));
        // The call, the list, three retries, the halving, and the list once more.
        assert!(world.call_count() <= 1 + 1 + 3 + 7 + 1, "{}", world.call_count());
    }
}

#[tokio::test]
async fn temporary_limit_is_retried() {
    let world = world(holding(0));
    world.connect.inject(Fault {
        operation: Some(Operation::AssociateQueueEmailAddresses),
        times: Some(3),
        ..Fault::new(limit_exceeded())
    });
    let report = world.invoke(&request("q0", &ids(0..20))).await.unwrap();
    assert_eq!(report["status"], "SUCCEEDED");
    assert_eq!(added(&world), ids(0..20));
    let tokens: Vec<_> = world
        .calls(Operation::AssociateQueueEmailAddresses)
        .into_iter()
        .map(|call| call.client_token.unwrap())
        .collect();
    assert_eq!(tokens.len(), 4);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
}

#[tokio::test]
async fn call_that_fits_is_retried_three_times() {
    let world = world(holding(0));
    world.connect.inject(Fault {
        operation: Some(Operation::AssociateQueueEmailAddresses),
        ..Fault::new(limit_exceeded())
    });
    let report = world.invoke(&request("q0", &ids(0..1))).await.unwrap();
    assert_eq!((full(&report), &report["failed"]), (1, &json!(1)));
    assert_eq!(world.calls(Operation::AssociateQueueEmailAddresses).len(), 1 + 3);
    // The list is read at the first rejection, and once more before the address fails permanently.
    assert_eq!(world.calls(Operation::ListQueueEmailAddresses).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn retry_for_room_waits_as_the_server_requests() {
    let options = Options { fixture: holding(0), ..Options::default() };
    let world = World::in_memory(options, &[("BACKOFF_MAX_MS", "20000")]);
    world.connect.inject(Fault {
        operation: Some(Operation::AssociateQueueEmailAddresses),
        times: Some(3),
        ..Fault::new(Effect::RetryAfter { millis: 30_000, code: "LimitExceededException".to_owned() })
    });
    let report = world.invoke(&request("q0", &ids(0..20))).await.unwrap();
    assert_eq!(report["status"], "SUCCEEDED");
    let calls = world.calls(Operation::AssociateQueueEmailAddresses);
    assert_eq!(calls.len(), 4);
    assert!(calls.windows(2).all(|pair| pair[1].at - pair[0].at >= Duration::from_secs(30)));
}

#[tokio::test]
async fn unreadable_list_retries_until_attempts_end() {
    for (status, code) in [(403, "AccessDeniedException"), (500, "InternalServiceException")] {
        let world =
            World::with(Options { fixture: holding(49), ..Options::default() }, &[("MAX_ATTEMPTS", "4")]);
        world.connect.inject(Fault {
            operation: Some(Operation::ListQueueEmailAddresses),
            ..Fault::new(Effect::Error { status, code: code.to_owned(), message: "no".to_owned() })
        });
        let mut payload = request("q0", &ids(0..3));
        payload["failOnRetryable"] = json!(false);
        let report = world.invoke(&payload).await.unwrap();
        assert_eq!(report["failures"][0]["error"], "LimitExceededException");
        assert_eq!(report["failures"][0]["retryable"], true);
        let message = report["failures"][0]["message"].as_str().unwrap();
        let cause = "; whether the queue is full is not known, because its list cannot be read: no";
        assert!(message.contains(cause), "{message}");
        assert_eq!(
            message.ends_with("; the function's role needs connect:ListQueueEmailAddresses"),
            status == 403
        );
        assert_eq!(world.calls(Operation::AssociateQueueEmailAddresses).len(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn list_without_an_end_is_the_cause_in_the_message() {
    let world = World::endless(Options { fixture: holding(49), ..Options::default() });
    let mut payload = request("q0", &ids(0..3));
    payload["failOnRetryable"] = json!(false);
    let report = world.invoke(&payload).await.unwrap();
    let failure = &report["failures"][0];
    assert_eq!((&failure["error"], &failure["retryable"]), (&json!("LimitExceededException"), &json!(true)));
    let message = failure["message"].as_str().unwrap();
    let cause = "because its list cannot be read: ListQueueEmailAddresses returned the same page token twice";
    assert!(message.ends_with(cause), "{message}");
}

#[tokio::test]
async fn single_attempt_is_not_retried_for_room() {
    for (listed, calls) in [(true, 1 + 1 + 6 + 1), (false, 1 + 1)] {
        let options = Options { fixture: holding(0).with_limit(INSTANCE, "q0", 7), ..Options::default() };
        let world = World::with(options, &[("MAX_ATTEMPTS", "1")]);
        if !listed {
            world.connect.inject(Fault {
                operation: Some(Operation::ListQueueEmailAddresses),
                ..Fault::new(Effect::Error {
                    status: 500,
                    code: "InternalServiceException".to_owned(),
                    message: String::new(),
                })
            });
        }
        let mut payload = request("q0", &ids(0..20));
        payload["failOnRetryable"] = json!(false);
        let report = world.invoke(&payload).await.unwrap();
        assert_eq!(report["associated"], if listed { 7 } else { 0 });
        assert!(world.call_count() <= calls, "{}", world.call_count());
        let calls = world.calls(Operation::AssociateQueueEmailAddresses);
        assert!(calls.windows(2).all(|pair| pair[0].addresses != pair[1].addresses), "no call is made twice");
    }
}

#[tokio::test]
async fn room_of_bad_addresses_is_used_by_others() {
    let world = world(holding(40));
    world.connect.remove_address(INSTANCE, "e0");
    world.connect.remove_address(INSTANCE, "e4");
    let report = world.invoke(&request("q0", &ids(0..20))).await.unwrap();
    assert_eq!(report["associated"], 9);
    let mut wanted = ids(1..4);
    wanted.extend(ids(5..11));
    assert_eq!(added(&world), wanted);
    assert_eq!(full(&report), 9);
    assert_eq!(report["failed"], 11);
}

#[tokio::test(start_paused = true)]
async fn full_queue_does_not_slow_another_queue() {
    let world = World::in_memory(
        Options { fixture: holding(0).with_limit(INSTANCE, "q0", 3), ..Options::default() },
        &[("BACKOFF_INITIAL_MS", "20000")],
    );
    let payload = json!({ "instanceId": INSTANCE, "associations": [
        { "queueId": "q0", "emailAddressIds": ids(0..20) },
        { "queueId": "q1", "emailAddressIds": ids(0..20) },
    ]});
    world.invoke(&payload).await.unwrap();
    let calls = world.connect.calls();
    let of_q1 = calls.iter().find(|call| call.queue.as_deref() == Some("q1")).unwrap();
    assert!(of_q1.at - calls[0].at < Duration::from_secs(1));
    assert_eq!(world.associated("q1"), ids(0..20));
}

/// The deadline is too close to read the list.
#[tokio::test(start_paused = true)]
async fn late_list_does_not_prevent_the_response() {
    let mut world = World::in_memory(
        Options { fixture: holding(0), ..Options::default() },
        &[("CONNECT_REQUESTS_PER_SECOND", "0.2"), ("CONNECT_BURST", "1")],
    );
    world.invocation_time = Duration::from_secs(5);
    world.connect.inject(Fault {
        operation: Some(Operation::AssociateQueueEmailAddresses),
        ..Fault::new(limit_exceeded())
    });
    world.connect.inject(Fault {
        operation: Some(Operation::ListQueueEmailAddresses),
        ..Fault::new(Effect::Error { status: 500, code: "Unwell".to_owned(), message: String::new() })
    });
    let mut payload = request("q0", &ids(0..3));
    payload["failOnRetryable"] = json!(false);
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!((&report["failed"], &report["failures"][0]["retryable"]), (&json!(3), &json!(true)));
}

/// Each chunk is rejected because of a temporary limit.
#[tokio::test]
async fn each_call_has_its_own_retries_for_room() {
    let options = Options { fixture: fixture(1, 400), limit: 5_000, ..Options::default() };
    let world = World::with(options, &[("QUEUE_ADDITIONAL_LIMIT", "5000")]);
    for chunk in 0..8 {
        let address = Some(format!("e{}", chunk * 50));
        world.connect.inject(Fault { address, times: Some(2), ..Fault::new(limit_exceeded()) });
    }
    let report = world.invoke(&request("q0", &ids(0..400))).await.unwrap();
    assert_eq!((&report["associated"], &report["failed"]), (&json!(400), &json!(0)));
}

/// Two processes associate the same addresses in opposite order.
#[tokio::test]
async fn addresses_of_another_process_on_a_full_queue_count_as_done() {
    let world = world(holding(40));
    let other = world.connect.clone();
    world.connect.observe(move |call| {
        if call.operation == Operation::ListQueueEmailAddresses {
            let put = (11..20).fold(Fixture::new(), |fixture, address| {
                fixture.with_association(INSTANCE, "q0", format!("e{address}"))
            });
            other.add(put);
        }
    });
    let report = world.invoke(&request("q0", &ids(0..20))).await.unwrap();
    assert_eq!((&report["alreadyAssociated"], full(&report)), (&json!(9), 11));
    let message = report["failures"][0]["message"].as_str().unwrap();
    let start = "queue is full: added 0 of 11 addresses to the 49 that it had (limit 49,";
    assert!(message.starts_with(start), "{message}");
}

#[tokio::test]
async fn queue_full_message_counts_added_addresses_once() {
    let world = world(holding(40));
    world.connect.remove_address(INSTANCE, "e0");
    let report = world.invoke(&request("q0", &ids(0..20))).await.unwrap();
    let failures = report["failures"].as_array().unwrap();
    let message =
        failures.iter().find(|failure| failure["error"] == "QueueFull").unwrap()["message"].as_str().unwrap();
    let start = "queue is full: added 9 of 19 addresses to the 40 that it had (limit 49,";
    assert!(message.starts_with(start), "{message}");
}

fn limit_exceeded() -> Effect {
    Effect::Error { status: 429, code: "LimitExceededException".to_owned(), message: "too many".to_owned() }
}
