//! In random worlds, a check and the live run after it report the same outcome of each pair.

use std::collections::{BTreeMap, BTreeSet};

use connect_simulator::{Fixture, Options, Switches};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{ASSOCIATE, failures, on_a_paused_clock};
use crate::world::{INSTANCE, World};

/// Number of addresses that a queue of these worlds accepts in addition to its default one.
const LIMIT: usize = 4;
const EXISTING_QUEUES: usize = 3;
const EXISTING_ADDRESSES: usize = 12;

/// A world and a request. Queues and addresses beyond the existing ones are missing.
#[derive(Debug, Clone)]
struct Case {
    on_queues: BTreeSet<(usize, usize)>,
    defaults: Vec<Option<usize>>,
    pairs: Vec<(usize, usize, bool)>,
    refuses_again: bool,
    not_found: bool,
}

fn case() -> impl Strategy<Value = Case> {
    let pair = (0..EXISTING_QUEUES + 1, 0..EXISTING_ADDRESSES + 2, any::<bool>());
    (
        proptest::collection::btree_set((0..EXISTING_QUEUES, 0..EXISTING_ADDRESSES), 0..8),
        proptest::collection::vec(proptest::option::of(0..EXISTING_ADDRESSES), EXISTING_QUEUES),
        proptest::collection::vec(pair, 1..16),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(on_queues, defaults, pairs, refuses_again, not_found)| Case {
            on_queues,
            defaults,
            pairs,
            refuses_again,
            not_found,
        })
}

impl Case {
    fn world(&self) -> World {
        let mut fixture = Fixture::new();
        for queue in 0..EXISTING_QUEUES {
            fixture = fixture.with_queue(INSTANCE, &format!("q{queue}"), format!("Queue {queue}"));
            fixture = fixture.with_limit(INSTANCE, &format!("q{queue}"), LIMIT);
        }
        for address in 0..EXISTING_ADDRESSES {
            fixture =
                fixture.with_address(INSTANCE, format!("e{address}"), format!("e{address}@brand.example"));
        }
        for (queue, default) in self.defaults.iter().enumerate() {
            if let Some(address) = default {
                fixture = fixture.with_queue_default(INSTANCE, &format!("q{queue}"), format!("e{address}"));
            }
        }
        let mut room = [LIMIT; EXISTING_QUEUES];
        for (queue, address) in &self.on_queues {
            if room[*queue] > 0 && self.defaults[*queue] != Some(*address) {
                room[*queue] -= 1;
                fixture = fixture.with_association(INSTANCE, &format!("q{queue}"), format!("e{address}"));
            }
        }
        let switches = Switches {
            reject_repeated_associations: self.refuses_again,
            unknown_address_is_not_found: self.not_found,
            ..Switches::default()
        };
        let limit = LIMIT.to_string();
        World::in_memory(
            Options { fixture, switches, ..Options::default() },
            &[("QUEUE_ADDITIONAL_LIMIT", &limit)],
        )
    }

    fn request(&self, check: bool) -> Value {
        let entries: Vec<Value> = self
            .pairs
            .iter()
            .map(|(queue, address, by_name)| {
                if *by_name {
                    let address = format!("e{address}@brand.example");
                    json!({ "queueName": format!("Queue {queue}"), "emailAddress": address })
                } else {
                    json!({ "queueId": format!("q{queue}"), "emailAddressId": format!("e{address}") })
                }
            })
            .collect();
        json!({ "instanceId": INSTANCE, "dryRun": check, "checkQueues": check, "associations": entries })
    }
}

/// Maps the path of each failure in the request to its cause: no room, or something that does not exist.
fn causes(report: &Value) -> BTreeMap<&str, &'static str> {
    let kind = |error: &str| match error {
        "QueueFull" => "full",
        "EmailAddressNotFound"
        | "NameNotFound"
        | "ResourceNotFoundException"
        | "InvalidParameterException" => "missing",
        other => panic!("unexpected error {other}"),
    };
    failures(report)
        .iter()
        .map(|failed| (failed["path"].as_str().unwrap(), kind(failed["error"].as_str().unwrap())))
        .collect()
}

async fn check_then_live(case: &Case) {
    let world = case.world();
    let before = world.connect.associations();
    let checked = world.invoke(&case.request(true)).await.unwrap();
    assert_eq!(world.connect.associations(), before, "a check changed something");
    assert!(world.calls(ASSOCIATE).is_empty());
    let live = world.invoke(&case.request(false)).await.unwrap();
    let (of_check, of_live) = (causes(&checked), causes(&live));
    assert_eq!(
        of_check.keys().collect::<Vec<_>>(),
        of_live.keys().collect::<Vec<_>>(),
        "{checked:#}\n{live:#}"
    );
    for (path, kind) in &of_check {
        assert_eq!(*kind, of_live[path], "{path}: {checked:#}\n{live:#}");
    }
    let done = |report: &Value| {
        ["planned", "associated", "alreadyAssociated"]
            .iter()
            .map(|count| report[count].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!(done(&checked), done(&live), "{checked:#}\n{live:#}");
}

proptest! {
    #[test]
    fn live_run_matches_its_check(case in case()) {
        on_a_paused_clock(check_then_live(&case));
    }
}
