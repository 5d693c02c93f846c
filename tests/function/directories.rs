//! Tests directories that change while they are read or later, and directories that cannot be read completely.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use connect_simulator::{Connect, Fixture, Operation};
use serde_json::{Value, json};
use tokio::time::{Instant, advance};

use crate::common::{ASSOCIATE, counts, error, failures, on, on_address, unwell};
use crate::world::{INSTANCE, World, fixture, listed, sqs};

/// Three pages of queues. `a` is on the first page, `z` on the last.
fn three_pages() -> Fixture {
    fixture(1_200, 60)
}

fn with_queues(fixture: Fixture, queues: &[(&str, &str)]) -> Fixture {
    queues.iter().fold(fixture, |fixture, (id, name)| fixture.with_queue(INSTANCE, id, *name))
}

fn to(queue: &str, addresses: &[&str]) -> Value {
    json!({ "instanceId": INSTANCE, "failOnRetryable": false, "associations": [
        { "queueName": queue, "emailAddressIds": addresses },
    ]})
}

/// Adds another queue by name to a request.
fn and(mut request: Value, queue: &str) -> Value {
    let entry = json!({ "queueName": queue, "emailAddressId": "e0" });
    request["associations"].as_array_mut().unwrap().push(entry);
    request
}

fn rename(connect: &Connect, queue: &str, name: &str) {
    connect.edit(|fixture| fixture.instance(INSTANCE).queue(queue).name = Some(name.to_owned()));
}

fn delete_queue(connect: &Connect, queue: &str) {
    connect.edit(|fixture| drop(fixture.instance(INSTANCE).queues.remove(queue)));
}

/// Changes the content after the given number of SearchQueues calls from now on.
fn after_searches(world: &World, searches: usize, change: impl Fn(&Connect) + Send + Sync + 'static) {
    let (connect, counted) = (world.connect.clone(), AtomicUsize::new(0));
    world.connect.observe(move |call| {
        if call.operation == Operation::SearchQueues
            && counted.fetch_add(1, Ordering::Relaxed) + 1 == searches
        {
            change(&connect);
        }
    });
}

fn searches(world: &World) -> usize {
    world.calls(Operation::SearchQueues).len()
}

fn only_failure(report: &Value) -> (&str, bool) {
    let failures = failures(report);
    assert_eq!(failures.len(), 1, "{report}");
    (failures[0]["error"].as_str().unwrap(), failures[0]["retryable"].as_bool().unwrap())
}

#[tokio::test]
async fn duplicate_name_on_an_unreadable_page_is_never_associated() {
    let world = World::new(with_queues(three_pages(), &[("a", "Billing"), ("z", "Billing")]));
    after_searches(&world, 1, |connect| connect.inject(on(Operation::SearchQueues, unwell())));
    for _ in 0..2 {
        let report = world.invoke(&to("Billing", &["e0"])).await.unwrap();
        assert_eq!(only_failure(&report), ("Unwell", true));
    }
    world.connect.clear_faults();
    let report = world.invoke(&to("Billing", &["e0"])).await.unwrap();
    assert_eq!(only_failure(&report), ("NameAmbiguous", false));
    assert_eq!(world.calls(ASSOCIATE).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn directory_that_is_too_long_for_an_invocation_starts_again_in_the_next() {
    let fixture = with_queues(three_pages(), &[("a", "Billing"), ("z", "Billing"), ("z2", "Orders")]);
    let rate = [("CONNECT_REQUESTS_PER_SECOND", "1"), ("CONNECT_BURST", "1")];
    let mut world = World::in_memory(fixture, &rate);
    world.invocation_time = Duration::from_millis(3_500);
    let payload = and(and(to("Billing", &["e0"]), "Orders"), "Late");
    for _ in 0..2 {
        world.connect.clear_calls();
        advance(Duration::from_secs(2)).await;
        let report = world.invoke(&payload).await.unwrap();
        let failures = failures(&report);
        assert_eq!(failures.len(), 3, "{report}");
        assert!(failures.iter().all(|failure| failure["error"] == "DeadlineExceeded"), "{report}");
        assert_eq!(searches(&world), 2);
    }
    // The name is created on a page that the second invocation has read.
    world.connect.add(Fixture::new().with_queue(INSTANCE, "b", "Late"));
    world.invocation_time = Duration::from_secs(60);
    let report = world.invoke(&payload).await.unwrap();
    assert_eq!(only_failure(&report), ("NameAmbiguous", false));
    assert_eq!((world.associated("z2"), world.associated("b")), (vec!["e0".into()], vec!["e0".into()]));
}

#[tokio::test(start_paused = true)]
async fn directory_age_counts_from_its_first_page() {
    // Three pages take 200 s.
    let rate = [("CONNECT_REQUESTS_PER_SECOND", "0.01"), ("CONNECT_BURST", "1")];
    let world = World::in_memory(three_pages(), &rate);
    let started = Instant::now();
    world.invoke(&to("Queue 0", &["e0"])).await.unwrap();
    assert_eq!(searches(&world), 3);
    advance(Duration::from_secs(299).saturating_sub(started.elapsed())).await;
    world.invoke(&to("Queue 1", &["e0"])).await.unwrap();
    assert_eq!(searches(&world), 3);
    advance(Duration::from_secs(300).saturating_sub(started.elapsed())).await;
    world.invoke(&to("Queue 2", &["e0"])).await.unwrap();
    assert_eq!(searches(&world), 6);
}

/// A read that ended after its first page returned the old identifier.
#[tokio::test]
async fn rejected_identifier_is_read_again_from_the_first_page() {
    let mut world = World::new(with_queues(three_pages(), &[("a", "Billing")]));
    world.invoke(&to("Billing", &["e0"])).await.unwrap();
    after_searches(&world, 1, |connect| connect.inject(on(Operation::SearchQueues, unwell())));
    world.request_id = "request-2";
    let report = world.invoke(&and(to("Billing", &["e1"]), "Never")).await.unwrap();
    assert_eq!(only_failure(&report), ("Unwell", true));
    world.connect.clear_faults();
    world.connect.clear_calls();
    delete_queue(&world.connect, "a");
    // The new queue is on the page that the second invocation has read.
    world.connect.add(Fixture::new().with_queue(INSTANCE, "b", "Billing"));
    world.request_id = "request-3";
    let report = world.invoke(&to("Billing", &["e2"])).await.unwrap();
    assert_eq!((world.associated("b"), searches(&world)), (vec!["e2".into()], 3), "{report}");
}

#[tokio::test]
async fn full_queue_that_lost_its_name_is_replaced() {
    let mut world =
        World::new(with_queues(fixture(1, 60), &[("old", "Billing")]).with_limit(INSTANCE, "old", 49));
    let all: Vec<String> = (0..49).map(|number| format!("e{number}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    world.invoke(&to("Billing", &all)).await.unwrap();
    assert_eq!(world.associated("old").len(), 49);
    rename(&world.connect, "old", "Old billing");
    world.connect.add(Fixture::new().with_queue(INSTANCE, "new", "Billing"));
    world.request_id = "request-2";
    let report = world.invoke(&to("Billing", &["e50", "e51"])).await.unwrap();
    assert_eq!(counts(&report, ["associated", "failed"]), [2, 0], "{report}");
    assert_eq!(world.associated("new"), ["e50", "e51"]);
    // A queue that keeps its name really is full.
    rename(&world.connect, "new", "New billing");
    rename(&world.connect, "old", "Billing");
    world.request_id = "request-3";
    let report = world.invoke(&to("Billing", &["e52"])).await.unwrap();
    assert_eq!((&report["associated"], searches(&world)), (&json!(1), 2), "{report}");
}

/// The address was deleted and created again. The queue still has the old identifier, and is full.
#[tokio::test]
async fn recreated_address_is_not_associated_under_its_old_identifier() {
    let mut fixture = fixture(1, 60);
    for number in 0..49 {
        fixture = fixture.with_association(INSTANCE, "q0", format!("e{number}"));
    }
    let mut world = World::new(fixture);
    let by_name = |address: &str| {
        json!({ "instanceId": INSTANCE, "queueId": "q0",
                "emailAddresses": [address, "e55@brand.example"] })
    };
    world.invoke(&by_name("e0@brand.example")).await.unwrap();
    world.connect.edit(|fixture| {
        let addresses = &mut fixture.instance(INSTANCE).email_addresses;
        let address = addresses.remove("e0").unwrap();
        addresses.insert("new".to_owned(), address);
    });
    world.request_id = "request-2";
    let report = world.invoke(&by_name("e0@brand.example")).await.unwrap();
    assert_eq!(counts(&report, ["alreadyAssociated", "failed"]), [0, 2], "{report}");
    assert!(failures(&report).iter().all(|failure| failure["error"] == "QueueFull"));
    // If the queue has room, the new identifier is associated.
    world.connect.edit(|fixture| fixture.instance(INSTANCE).queue("q0").limit = Some(100));
    world.request_id = "request-3";
    let report = world.invoke(&by_name("e0@brand.example")).await.unwrap();
    assert_eq!(report["associated"], 2, "{report}");
    assert!(world.associated("q0").contains(&"new".to_owned()));
}

/// The old identifier of the address does not fit, and its new one is on the queue.
#[tokio::test]
async fn recreated_address_is_found_on_a_full_queue() {
    let mut world = World::new(fixture(2, 60));
    let by_name =
        |queue: &str| json!({ "instanceId": INSTANCE, "queueId": queue, "emailAddress": "e0@brand.example" });
    world.invoke(&by_name("q1")).await.unwrap();
    world.connect.edit(|fixture| {
        let instance = fixture.instance(INSTANCE);
        let address = instance.email_addresses.remove("e0").unwrap();
        instance.email_addresses.insert("new".to_owned(), address);
        instance.queue("q0").email_address_ids =
            (1..49).map(|number| format!("e{number}")).chain(["new".to_owned()]).collect();
    });
    world.connect.inject(on_address("e0", error(429, "LimitExceededException", "full")));
    world.request_id = "request-2";
    let report = world.invoke(&by_name("q0")).await.unwrap();
    assert_eq!(counts(&report, ["alreadyAssociated", "failed"]), [1, 0], "{report}");
}

#[tokio::test]
async fn stale_and_missing_names_share_one_read() {
    let mut world = World::new(with_queues(fixture(1, 1), &[("old", "Billing")]));
    world.invoke(&to("Billing", &["e0"])).await.unwrap();
    delete_queue(&world.connect, "old");
    world.connect.add(Fixture::new().with_queue(INSTANCE, "new", "Billing"));
    world.request_id = "request-2";
    let report = world.invoke(&and(to("Billing", &["e0"]), "Never")).await.unwrap();
    assert_eq!(only_failure(&report), ("NameNotFound", false));
    assert_eq!((&report["associated"], world.associated("new")), (&json!(1), vec!["e0".into()]), "{report}");
    assert_eq!(searches(&world), 2);
}

/// The directory has one page, so a missing name alone does not cause a second read.
#[tokio::test]
async fn missing_name_is_found_when_a_stale_one_causes_a_second_read() {
    let world = World::new(with_queues(fixture(1, 1), &[("old", "Billing")]));
    after_searches(&world, 1, |connect| {
        delete_queue(connect, "old");
        let queues = [("new", "Billing"), ("late", "Late")];
        connect.add(with_queues(Fixture::new(), &queues));
    });
    let report = world.invoke(&and(to("Billing", &["e0"]), "Late")).await.unwrap();
    assert_eq!((&report["associated"], &report["failed"]), (&json!(2), &json!(0)), "{report}");
    assert_eq!((world.associated("late"), searches(&world)), (vec!["e0".into()], 2));
}

#[tokio::test]
async fn name_that_moves_while_its_directory_is_read_is_found() {
    for is_cached in [false, true] {
        // The name moves from the last page to the first one, so neither contains it when it is read.
        let mut world = World::new(with_queues(three_pages(), &[("a", "Other"), ("z", "Billing")]));
        if is_cached {
            rename(&world.connect, "z", "Not yet");
            world.invoke(&to("Other", &["e1"])).await.unwrap();
            rename(&world.connect, "z", "Billing");
        }
        world.request_id = "request-2";
        world.connect.clear_calls();
        after_searches(&world, 1, |connect| {
            rename(connect, "z", "Other");
            rename(connect, "a", "Billing");
        });
        let report = world.invoke(&to("Billing", &["e0"])).await.unwrap();
        if is_cached {
            // The cached directory was already read again once.
            assert_eq!(only_failure(&report), ("NameNotFound", false));
            assert_eq!(searches(&world), 3);
        } else {
            assert_eq!((&report["associated"], world.associated("a")), (&json!(1), vec!["e0".into()]));
            assert_eq!(searches(&world), 6);
        }
    }
}

#[tokio::test]
async fn name_that_is_on_two_pages_because_it_moves_is_not_ambiguous() {
    let world = World::new(with_queues(three_pages(), &[("a", "Billing"), ("z", "Other")]));
    after_searches(&world, 1, |connect| {
        rename(connect, "a", "Other");
        rename(connect, "z", "Billing");
    });
    let report = world.invoke(&to("Billing", &["e0"])).await.unwrap();
    assert_eq!((&report["associated"], world.associated("z")), (&json!(1), vec!["e0".into()]), "{report}");
    assert_eq!(searches(&world), 6);
}

/// The directory was read again before the API rejected the identifier from it.
#[tokio::test]
async fn rejection_after_the_second_read_is_retryable() {
    let mut world = World::new(with_queues(fixture(1, 1), &[("old", "Billing")]));
    world.invoke(&to("Billing", &["e0"])).await.unwrap();
    delete_queue(&world.connect, "old");
    world.connect.add(Fixture::new().with_queue(INSTANCE, "new", "Billing"));
    after_searches(&world, 1, |connect| delete_queue(connect, "new"));
    world.request_id = "request-2";
    let report = world.invoke(&to("Billing", &["e0"])).await.unwrap();
    assert_eq!(only_failure(&report), ("ResourceNotFoundException", true));
    world.request_id = "request-3";
    let report = world.invoke(&to("Billing", &["e0"])).await.unwrap();
    assert_eq!(only_failure(&report), ("NameNotFound", false));
}

#[tokio::test]
async fn check_finds_a_recreated_address_by_name() {
    let mut world = World::new(fixture(1, 1).with_address(INSTANCE, "e1", "e1@brand.example"));
    let check = json!({ "instanceId": INSTANCE, "dryRun": true, "checkQueues": true, "associations": [
        { "queueId": "q0", "emailAddresses": ["e0@brand.example", "new@brand.example"] },
    ]});
    world.invoke(&check).await.unwrap();
    world.connect.remove_address(INSTANCE, "e0");
    let again = Fixture::new().with_address(INSTANCE, "again", "e0@brand.example");
    world.connect.add(again.with_address(INSTANCE, "new", "new@brand.example"));
    world.request_id = "request-2";
    let report = world.invoke(&check).await.unwrap();
    assert_eq!(counts(&report, ["planned", "failed"]), [2, 0], "{report}");
}

/// One message requests queues of 200 other instances by name. Their directories do not delay a small message.
#[tokio::test(start_paused = true)]
async fn directories_of_the_smallest_message_are_read_first() {
    let other = |number: usize| format!("99999999-0000-0000-0000-{number:012}");
    let rate = [("CONNECT_REQUESTS_PER_SECOND", "2"), ("CONNECT_BURST", "1")];
    let mut fixture = fixture(1, 1);
    for number in 0..200 {
        fixture = fixture.with_queue(&other(number), "q0", "Queue 0");
    }
    let mut world = World::in_memory(fixture, &rate);
    world.invocation_time = Duration::from_secs(20);
    let entry =
        |number| json!({ "instanceId": other(number), "queueName": "Queue 0", "emailAddressId": "e0" });
    let foreign = json!({ "associations": (0..200).map(entry).collect::<Vec<_>>() });
    assert_eq!(listed(&world.invoke(&sqs(&[foreign, to("Queue 0", &["e0"])])).await), ["m0"]);
    assert_eq!(world.calls(Operation::SearchQueues)[0].instance, INSTANCE);
    assert_eq!(world.associated("q0"), ["e0"]);
}
