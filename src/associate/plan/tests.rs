//! Plans of whole requests, without a call.

use serde_json::{Value, json};

use crate::associate::names::LookupResults;
use crate::failure::Retry;
use crate::payload::Envelope;
use crate::requests::{ArnScope, Context, Id, Named};

use super::*;

fn pairs(request: &Value) -> Pairs {
    let payload = request.to_string();
    let envelope = Envelope::read(payload.as_bytes()).unwrap();
    Pairs::read(&envelope, Context::new(&ArnScope::new("eu-central-1"), Some(&"i".into()))).unwrap()
}

/// Finds every name except those with a leading question mark. The identifier is the name after `mark`, without its
/// domain.
fn resolved(pairs: &Pairs, mark: &str) -> Resolutions {
    fn id<Of: Clone>(named: Named<&Id<Of>, &Arc<str>>, mark: &str) -> Resolution<Id<Of>> {
        match named {
            Named::Id(id) => Ok(id.clone()),
            Named::Name(name) if name.starts_with('?') => {
                Err(Arc::new(Failure::ours("E", "as the test wants", Retry::Never)))
            }
            Named::Name(name) => Ok(format!("{mark}{}", name.trim_end_matches("@x.example")).as_str().into()),
        }
    }
    Resolutions {
        queues: pairs.queues.iter().map(|queue| id(queue.queue.as_ref(), mark)).collect(),
        addresses: pairs.pairs.iter().map(|pair| id(pair.address(), mark)).collect(),
    }
}

/// Each chunk as its queue, its addresses and the calls of its smallest request.
fn chunks((plan, added): &(Plan, Vec<AddedChunks>)) -> Vec<(String, Vec<&str>, usize)> {
    let chunks = added.iter().flat_map(|added| added.chunks.iter().map(|chunk| (added.group, chunk)));
    chunks
        .map(|(group, chunk)| {
            let group = &plan.groups[group];
            let addresses = chunk.addresses.iter().map(|address| &*group.addresses[*address].id).collect();
            (format!("{}/{}", group.instance, group.queue), addresses, chunk.request_calls)
        })
        .collect()
}

#[test]
fn pairs_are_grouped_once_in_requested_order() {
    let pairs = pairs(&json!({ "associations": [
        { "queueId": "q", "emailAddressIds": ["b", "a"] },
        { "queueId": "p", "emailAddressId": "a" },
        { "queueId": "q", "emailAddressIds": ["a", "c"] },
        { "instanceId": "j", "queueId": "q", "emailAddressId": "a" },
    ]}));
    let plan = Plan::new(&pairs, resolved(&pairs, "+"));
    assert_eq!(
        chunks(&plan),
        [
            ("i/q".to_owned(), vec!["b", "a", "c"], 3),
            ("i/p".to_owned(), vec!["a"], 3),
            ("j/q".to_owned(), vec!["a"], 3),
        ]
    );
}

#[test]
fn chunk_counts_the_calls_of_its_smallest_request() {
    let many: Vec<String> = (0..120).map(|number| format!("e{number}")).collect();
    let large = json!({ "associations": [{ "queueId": "q", "emailAddressIds": many }] });
    let small = json!({ "queueId": "q", "emailAddressId": "e60" });
    let pairs = pairs(&json!({ "Items": [large, small] }));
    let plan = Plan::new(&pairs, resolved(&pairs, ""));
    let calls: Vec<_> =
        chunks(&plan).into_iter().map(|(_, addresses, calls)| (addresses.len(), calls)).collect();
    assert_eq!(calls, [(50, 3), (50, 1), (20, 3)]);
}

#[test]
fn found_pairs_join_their_groups() {
    let pairs = pairs(&json!({ "associations": [
        { "queueId": "q", "emailAddresses": ["?a@x.example", "?b@x.example"] },
        { "queueId": "q", "emailAddressIds": ["b", "c"] },
        { "queueName": "?p", "emailAddressId": "d" },
    ]}));
    let plan = Plan::new(&pairs, resolved(&pairs, ""));
    assert_eq!(chunks(&plan), [("i/q".to_owned(), vec!["b", "c"], 1)]);
    let mut plan = plan.0;
    let joined = plan.join(
        &pairs,
        LookupResults {
            queues: vec![(QueueIndex::new(1), Ok("p".into()))],
            pairs: [(0, "a"), (1, "b"), (4, "d")]
                .map(|(pair, id)| (PairIndex::new(pair), Ok(id.into())))
                .into(),
        },
    );
    // One address is in the group already.
    let chunk =
        |position| vec![PlannedChunk { addresses: vec![AddressIndex::new(position)], request_calls: 2 }];
    let joins = |group, position| AddedChunks { group: GroupIndex::new(group), chunks: chunk(position) };
    assert_eq!(joined, [joins(0, 2), joins(1, 0)]);
    let places: Vec<_> = plan.places.iter().map(|place| plan.identifiers(*place.as_ref().unwrap())).collect();
    let q = |address| ("i", "q", address);
    assert_eq!(places, [q("a"), q("b"), q("b"), q("c"), ("i", "p", "d")]);
    assert_eq!(plan.groups[GroupIndex::new(0)].addresses[AddressIndex::new(0)].first_pair, PairIndex::new(1));
    assert_eq!(
        (plan.groups[GroupIndex::new(0)].calls_needed(), plan.groups[GroupIndex::new(1)].calls_needed()),
        (1, 1)
    );
}

#[test]
fn address_without_pairs_is_not_wanted() {
    let pairs = pairs(&json!({ "associations": [
        { "queueId": "q", "emailAddressIds": ["a", "b"] },
        { "queueId": "q", "emailAddress": "a@x.example" },
    ]}));
    let (mut plan, _) = Plan::new(&pairs, resolved(&pairs, ""));
    let why = Arc::new(Failure::ours("E", "as the test wants", Retry::MayPass));
    plan.remove(PairIndex::new(1), why.clone());
    plan.remove(PairIndex::new(2), why);
    plan.remove_unwanted();
    let wanted: Vec<bool> =
        plan.groups[GroupIndex::new(0)].addresses.iter().map(PlannedAddress::is_wanted).collect();
    assert_eq!(wanted, [true, false]);
}
