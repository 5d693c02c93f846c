//! A rejected chunk is narrowed to the addresses at fault, within a bounded number of calls, for every possible response.

use connect_simulator::{Effect, Fixture, Options, Switches};
use serde_json::{Value, json};

use crate::common::{
    ASSOCIATE, LIST, counts, error, errors, failures, limit_exceeded, on, on_address, reported, unwell,
};
use crate::world::{INSTANCE, World, fixture, ids, request};

/// A queue `q0` and the addresses `e0…`, without the bad ones.
fn with_bad(addresses: usize, bad: &[usize]) -> Fixture {
    let mut fixture = fixture(1, 0);
    for address in (0..addresses).filter(|address| !bad.contains(address)) {
        fixture = fixture.with_address(INSTANCE, format!("e{address}"), format!("e{address}@brand.example"));
    }
    fixture
}

fn switches() -> impl Iterator<Item = Switches> {
    [false, true].into_iter().flat_map(|reject_repeated_associations| {
        [false, true].map(|unknown_address_is_not_found| Switches {
            reject_repeated_associations,
            unknown_address_is_not_found,
            ..Switches::default()
        })
    })
}

fn failed_addresses(report: &Value) -> Vec<String> {
    failures(report).iter().map(|failure| failure["emailAddressId"].as_str().unwrap().to_owned()).collect()
}

/// Requests 50 addresses, including the given bad ones, and returns the number of calls.
async fn narrow(bad: &[usize], switches: Switches) -> usize {
    let world = World::with(Options { fixture: with_bad(50, bad), switches, ..Options::default() }, &[]);
    let report = world.invoke(&request("q0", &ids(0..50))).await.unwrap();
    assert_eq!(failed_addresses(&report), bad.iter().map(|bad| format!("e{bad}")).collect::<Vec<_>>());
    let mut associated = world.associated("q0");
    associated.sort_by_key(|id| id[1..].parse::<usize>().unwrap());
    let good: Vec<_> =
        (0..50).filter(|address| !bad.contains(address)).map(|address| format!("e{address}")).collect();
    // A queue without a default address accepts 49, so one of fifty good addresses does not fit.
    assert!(associated == good, "{associated:?}");
    world.call_count()
}

#[tokio::test]
async fn bad_addresses_cost_a_bounded_number_of_calls() {
    let single = (0..50).map(|bad| vec![bad]);
    let several = [&[0, 1][..], &[0, 49], &[24, 25], &[13, 37], &[18, 19], &[3, 11, 19, 30, 42]];
    let all = (0..50).collect();
    for bad in single.chain(several.map(<[usize]>::to_vec)).chain([all]) {
        for switches in switches() {
            let calls = narrow(&bad, switches).await;
            assert!(calls <= (14 + 9 * (bad.len() - 1)).min(101), "{bad:?} took {calls} calls");
        }
    }
}

#[tokio::test]
async fn failure_keeps_the_apis_message() {
    let world = World::new(fixture(1, 10));
    world.connect.inject(
        on_address("e7", error(400, "InvalidRequestException", "this address is being deleted"))
            .on(ASSOCIATE),
    );
    let report = world.invoke(&request("q0", &ids(0..10))).await.unwrap();
    assert_eq!(report["associated"], 9);
    let failure = &report["failures"][0];
    assert_eq!(failure["error"], "InvalidRequestException");
    assert_eq!(failure["emailAddressId"], "e7");
    assert!(failure["message"].as_str().unwrap().starts_with("this address is being deleted"), "{failure}");
}

#[tokio::test]
async fn missing_queue_costs_two_calls() {
    let world = World::with(fixture(1, 120), &[]);
    let report = world.invoke(&request("missing", &ids(0..120))).await.unwrap();
    assert_eq!(report["failed"], 120);
    assert_eq!(report["failures"][119]["error"], "ResourceNotFoundException");
    assert_eq!(world.call_count(), 2);
}

#[tokio::test]
async fn rejected_address_on_the_queue_counts_as_done() {
    let switches = Switches { reject_repeated_associations: true, ..Switches::default() };
    let fixture = fixture(1, 20)
        .with_association(INSTANCE, "q0", "e3")
        .with_association(INSTANCE, "q0", "e7")
        .with_queue_default(INSTANCE, "q0", "e9");
    let world = World::with(Options { fixture, switches, ..Options::default() }, &[]);
    let report = world.invoke(&request("q0", &ids(0..20))).await.unwrap();
    assert_eq!(report["status"], "SUCCEEDED");
    assert_eq!(counts(&report, ["associated", "alreadyAssociated"]), [17, 3]);
    assert_eq!(world.call_count(), 3);
}

#[tokio::test]
async fn lost_response_blames_no_associated_address() {
    // The second chunk is executed, its response is lost, and the API then rejects the addresses that are already on
    // the queue.
    let switches = Switches { reject_repeated_associations: true, ..Switches::default() };
    let options = Options { fixture: with_bad(60, &[0]), switches, limit: 100, ..Options::default() };
    let world = World::with(options, &[("QUEUE_ADDITIONAL_LIMIT", "100")]);
    world.connect.inject(on_address("e55", Effect::ResetAfter).times(1));
    let report = world.invoke(&request("q0", &ids(0..60))).await.unwrap();
    assert_eq!(failed_addresses(&report), ["e0"]);
    assert_eq!(world.associated("q0").len(), 59);
}

#[tokio::test]
async fn narrowing_works_without_permission_to_list() {
    let world = World::with(with_bad(50, &[17, 31]), &[]);
    world.connect.inject(on(LIST, error(403, "AccessDeniedException", "no")));
    let report = world.invoke(&request("q0", &ids(0..50))).await.unwrap();
    assert_eq!(failed_addresses(&report), ["e17", "e31"]);
    assert_eq!(world.associated("q0").len(), 48);
    assert_eq!(world.calls(LIST).len(), 1);
}

#[tokio::test]
async fn unreadable_list_blames_no_address() {
    let switches = Switches { reject_repeated_associations: true, ..Switches::default() };
    let fixture = fixture(1, 40).with_association(INSTANCE, "q0", "e3");
    let world = World::with(Options { fixture, switches, ..Options::default() }, &[("MAX_ATTEMPTS", "3")]);
    world.connect.inject(on(LIST, unwell()));
    let report = world.invoke(&reported(request("q0", &ids(0..40)))).await.unwrap();
    // The list is read once. Only the address that the API rejects alone fails.
    assert_eq!((&report["associated"], failed_addresses(&report)), (&json!(39), vec!["e3".to_owned()]));
    assert_eq!(world.calls(LIST).len(), 3);
    assert!(world.call_count() <= 14 + 3 - 2, "{}", world.call_count());
    assert_eq!(errors(&report), [("Unwell", true)]);
    // When the list can be read, the address on the queue counts as done.
    world.connect.clear_faults();
    let report = world.invoke(&report["remaining"]).await.unwrap();
    assert_eq!(counts(&report, ["associated", "alreadyAssociated"]), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn good_addresses_are_associated_if_the_list_has_no_end() {
    let world = World::endless(with_bad(110, &[3, 57, 58]));
    let report = world.invoke(&reported(request("q0", &ids(0..49)))).await.unwrap();
    assert_eq!((&report["associated"], failed_addresses(&report)), (&json!(48), vec!["e3".to_owned()]));
    assert_eq!(errors(&report), [("EndlessPages", true)]);
    assert_eq!(world.calls(LIST).len(), 2);
}

/// Another process adds an address to the queue after its list was read.
#[tokio::test]
async fn addresses_of_another_process_are_not_blamed() {
    let switches = Switches { reject_repeated_associations: true, ..Switches::default() };
    let world = World::with(Options { fixture: with_bad(10, &[0]), switches, ..Options::default() }, &[]);
    let other = world.connect.clone();
    world.connect.observe(move |call| {
        if call.operation == LIST {
            other.add(Fixture::new().with_association(INSTANCE, "q0", "e5"));
        }
    });
    let report = world.invoke(&request("q0", &ids(0..10))).await.unwrap();
    assert_eq!(failed_addresses(&report), ["e0"]);
    assert_eq!(counts(&report, ["associated", "alreadyAssociated"]), [8, 1]);
}

/// The list could not be read to find room. It is read again to explain the rejection of an address.
#[tokio::test]
async fn unread_list_after_a_limit_blames_no_address() {
    let switches = Switches { reject_repeated_associations: true, ..Switches::default() };
    for (queue, addresses) in [("q0", 2), ("missing", 50)] {
        let fixture = fixture(1, 50).with_association(INSTANCE, "q0", "e0");
        let world = World::with(Options { fixture, switches, ..Options::default() }, &[]);
        world.connect.inject(on(ASSOCIATE, limit_exceeded()).times(1));
        world.connect.inject(on(LIST, unwell()));
        let report = world.invoke(&reported(request(queue, &ids(0..addresses)))).await.unwrap();
        let failures = failures(&report);
        assert!(failures.iter().all(|failure| failure["retryable"] == true), "{report}");
        // A call, its list, the call once more, and the list once more. Each list has ten attempts. Then each address
        // is narrowed down, because the API may accept it.
        assert_eq!(report["apiCalls"], 1 + 10 + 1 + 10 + 2 * (addresses - 1));
        assert_eq!(report["failed"], if queue == "missing" { addresses } else { 1 });
    }
}
