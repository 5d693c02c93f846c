//! On a full queue, the addresses that fit are associated in the requested order, and the others fail with a reason.

use std::time::Duration;

use connect_simulator::{Effect, Fault, Fixture, Options, Switches};
use serde_json::json;

use crate::common::{
    ASSOCIATE, LIST, ONE_ATTEMPT, count_errors, counts, error, errors, failures, limit_exceeded, message, on,
    reported, tokens, unwell,
};
use crate::world::{INSTANCE, World, fixture, ids, request};

/// A queue `q0` with a default address and the given number of other addresses, in an instance with 200 addresses.
fn queue_with(addresses: usize) -> Fixture {
    let mut fixture = fixture(2, 200).with_queue_default(INSTANCE, "q0", "e199");
    for address in 100..100 + addresses {
        fixture = fixture.with_association(INSTANCE, "q0", format!("e{address}"));
    }
    fixture
}

fn added(world: &World) -> Vec<String> {
    let mut added = world.associated("q0");
    added.retain(|id| id[1..].parse::<usize>().unwrap() < 100);
    added
}

#[tokio::test]
async fn full_queue_accepts_what_fits_in_requested_order() {
    // A chunk is rejected, the list is read, and the addresses that fit are added.
    for (on_queue, requested, added, calls) in [(40, 20, 9, 3), (0, 100, 49, 3), (49, 100, 0, 2)] {
        let world = World::new(queue_with(on_queue));
        let report = world.invoke(&request("q0", &ids(0..requested))).await.unwrap();
        assert_eq!(self::added(&world), ids(0..added), "{on_queue}");
        assert_eq!(report["associated"], added);
        assert_eq!(errors(&report), vec![("QueueFull", false); requested - added]);
        let counts =
            format!("added {added} of {requested} addresses to the {on_queue} that it had (limit 49,");
        let message = message(&report["failures"][0]);
        assert!(message.starts_with(&format!("queue is full: {counts}")), "{message}");
        assert_eq!(world.call_count(), calls, "{on_queue}");
    }
}

#[tokio::test]
async fn small_message_does_not_change_the_filling_order() {
    let world = World::new(queue_with(0));
    // The second chunk contains the whole second message, so it is more urgent.
    let batch = crate::world::sqs(&[request("q0", &ids(0..90)), request("q0", &ids(90..100))]);
    world.invoke(&batch).await.unwrap();
    assert_eq!(added(&world), ids(0..49));
}

#[tokio::test]
async fn address_on_the_queue_needs_no_room() {
    let world = World::new(queue_with(45));
    // Six are on the queue, one of them as its default. Four of the ten new addresses fit.
    let mut wanted = ids(100..105);
    wanted.extend(ids(199..200));
    wanted.extend(ids(0..10));
    let report = world.invoke(&request("q0", &wanted)).await.unwrap();
    assert_eq!(added(&world), ids(0..4));
    assert_eq!(
        (&report["associated"], &report["alreadyAssociated"], count_errors(&report, "QueueFull")),
        (&json!(4), &json!(6), 6)
    );
    let there = [ids(100..105), ids(199..200)].concat();
    let named = json!([{ "instanceId": INSTANCE, "queueId": "q0", "emailAddressIds": there }]);
    assert_eq!(report["alreadyAssociatedPairs"], named);
}

#[tokio::test]
async fn queue_without_default_address_gets_as_many_as_the_api_accepts() {
    for (use_default_slot, fits) in [(false, 49), (true, 50)] {
        let switches = Switches { use_default_slot, ..Switches::default() };
        let world = World::with(Options { fixture: fixture(1, 50), switches, ..Options::default() }, &[]);
        let report = world.invoke(&request("q0", &ids(0..50))).await.unwrap();
        assert_eq!(world.associated("q0"), ids(0..fits));
        assert_eq!(count_errors(&report, "QueueFull"), 50 - fits);
    }
}

#[tokio::test]
async fn lower_true_limit_takes_precedence_over_the_setting() {
    for fits in [0, 1, 7, 19, 20] {
        let world = World::new(queue_with(0).with_limit(INSTANCE, "q0", fits));
        let report = world.invoke(&request("q0", &ids(0..20))).await.unwrap();
        assert_eq!(added(&world), ids(0..fits), "{fits}");
        assert_eq!(count_errors(&report, "QueueFull"), 20 - fits);
        // The call, the list, three retries, the halving, and the list once more.
        assert!(world.call_count() <= 1 + 1 + 3 + 7 + 1, "{}", world.call_count());
    }
}

#[tokio::test]
async fn rejection_for_room_is_retried_as_long_as_room_is_possible() {
    let full = [("QueueFull", false)];
    let unknown = [("LimitExceededException", true)];
    let denied = || Some(error(403, "AccessDeniedException", ""));
    for (cause, on_queue, rejections, list, attempts, calls, lists, errors_of_one) in [
        ("the limit passes", 0, Some(3), None, "10", 1 + 3, 1, &[][..]),
        // The list is read at the first rejection, and once more before the address fails permanently.
        ("the limit stays although there is room", 0, None, None, "10", 1 + 3, 2, &full),
        ("the list is denied", 49, Some(0), denied(), "4", 4, 1, &unknown),
        ("the list is never readable", 49, Some(0), Some(unwell()), "4", 4, 4, &unknown),
    ] {
        let world = World::with(queue_with(on_queue), &[("MAX_ATTEMPTS", attempts)]);
        if rejections != Some(0) {
            world.connect.inject(Fault { times: rejections, ..on(ASSOCIATE, limit_exceeded()) });
        }
        list.into_iter().for_each(|effect| world.connect.inject(on(LIST, effect)));
        let report = world.invoke(&reported(request("q0", &ids(0..1)))).await.unwrap();
        assert_eq!(errors(&report), errors_of_one, "{cause}");
        assert_eq!((world.calls(ASSOCIATE).len(), world.calls(LIST).len()), (calls, lists), "{cause}");
        let tokens = tokens(&world);
        assert!(tokens.iter().all(|token| *token == tokens[0]), "{cause}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_for_room_waits_as_the_server_requests() {
    let world = World::in_memory(queue_with(0), &[("BACKOFF_MAX_MS", "20000")]);
    let wait = Effect::RetryAfter { millis: 30_000, code: "LimitExceededException".to_owned() };
    world.connect.inject(on(ASSOCIATE, wait).times(3));
    let report = world.invoke(&request("q0", &ids(0..20))).await.unwrap();
    assert_eq!(report["status"], "SUCCEEDED");
    let calls = world.calls(ASSOCIATE);
    assert_eq!(calls.len(), 4);
    assert!(calls.windows(2).all(|pair| pair[1].at - pair[0].at >= Duration::from_secs(30)));
}

#[tokio::test]
async fn single_attempt_is_not_retried_for_room() {
    for (listed, calls) in [(true, 1 + 1 + 6 + 1), (false, 1 + 1)] {
        let world = World::with(queue_with(0).with_limit(INSTANCE, "q0", 7), &[ONE_ATTEMPT]);
        if !listed {
            world.connect.inject(on(LIST, error(500, "InternalServiceException", "")));
        }
        let report = world.invoke(&reported(request("q0", &ids(0..20)))).await.unwrap();
        assert_eq!(report["associated"], if listed { 7 } else { 0 });
        assert!(world.call_count() <= calls, "{}", world.call_count());
        let calls = world.calls(ASSOCIATE);
        assert!(calls.windows(2).all(|pair| pair[0].addresses != pair[1].addresses), "no call is made twice");
    }
}

#[tokio::test]
async fn room_of_bad_addresses_is_used_by_others() {
    let world = World::new(queue_with(40));
    world.connect.remove_address(INSTANCE, "e0");
    world.connect.remove_address(INSTANCE, "e4");
    let report = world.invoke(&request("q0", &ids(0..20))).await.unwrap();
    assert_eq!(report["associated"], 9);
    let mut wanted = ids(1..4);
    wanted.extend(ids(5..11));
    assert_eq!(added(&world), wanted);
    assert_eq!(count_errors(&report, "QueueFull"), 9);
    assert_eq!(report["failed"], 11);
    // The message counts neither the bad addresses nor an added one twice.
    let full = failures(&report).iter().find(|failure| failure["error"] == "QueueFull").unwrap();
    let start = "queue is full: added 9 of 18 addresses to the 40 that it had (limit 49,";
    assert!(message(full).starts_with(start), "{full}");
}

#[tokio::test(start_paused = true)]
async fn full_queue_does_not_slow_another_queue() {
    let world =
        World::in_memory(queue_with(0).with_limit(INSTANCE, "q0", 3), &[("BACKOFF_INITIAL_MS", "20000")]);
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
    assert_eq!(counts(&report, ["associated", "failed"]), [400, 0]);
}

/// Two processes associate the same addresses in opposite order.
#[tokio::test]
async fn addresses_of_another_process_on_a_full_queue_count_as_done() {
    let world = World::new(queue_with(40));
    let other = world.connect.clone();
    world.connect.observe(move |call| {
        if call.operation == LIST {
            let put = (11..20).fold(Fixture::new(), |fixture, address| {
                fixture.with_association(INSTANCE, "q0", format!("e{address}"))
            });
            other.add(put);
        }
    });
    let report = world.invoke(&request("q0", &ids(0..20))).await.unwrap();
    assert_eq!((&report["alreadyAssociated"], count_errors(&report, "QueueFull")), (&json!(9), 11));
    let message = message(&report["failures"][0]);
    let start = "queue is full: added 0 of 11 addresses to the 49 that it had (limit 49,";
    assert!(message.starts_with(start), "{message}");
}
