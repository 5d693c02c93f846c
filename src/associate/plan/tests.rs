//! Plans of whole requests, without a call.

use serde_json::{Value, json};

use crate::associate::names::LookupResults;
use crate::failure::Retry;
use crate::index::Index;
use crate::payload::Envelope;
use crate::requests::{ArnScope, Context, Id};

use super::*;

fn pairs(request: &Value) -> Pairs {
    let payload = request.to_string();
    let envelope = Envelope::read(payload.as_bytes()).unwrap();
    Pairs::read(&envelope, Context::new(&ArnScope::new("eu-central-1"), Some(&"i".into()))).unwrap()
}

/// A plan in which every name is found except those with a leading question mark. The identifier is the name after `mark`,
/// without its domain.
fn planned(pairs: &Pairs, mark: &str) -> (Plan, AddedChunks) {
    fn id<Of>(name: &str, mark: &str) -> Result<Id<Of>, Arc<Failure>> {
        if name.starts_with('?') {
            return Err(Arc::new(Failure::ours("E", "as the test wants", Retry::Never)));
        }
        Ok(format!("{mark}{}", name.trim_end_matches("@x.example")).as_str().into())
    }
    let queues = pairs.queues.indexed();
    let addresses = pairs.pairs.indexed();
    let found = LookupResults {
        queues: queues.filter_map(|(index, queue)| Some((index, id(queue.queue.name()?, mark)))).collect(),
        pairs: addresses
            .filter_map(|(index, pair)| Some((index, id(pair.address().name()?, mark))))
            .collect(),
    };
    Plan::new(pairs, found, &Arc::new(Failure::deadline_exceeded("as the test wants")))
}

/// Each chunk as its queue, its addresses and the calls of its smallest request.
fn chunks((plan, added): &(Plan, AddedChunks)) -> Vec<(String, Vec<&str>, usize)> {
    let chunks = added.indexed().flat_map(|(group, chunks)| chunks.iter().map(move |chunk| (group, chunk)));
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
    let plan = planned(&pairs, "+");
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
    let plan = planned(&pairs, "");
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
    let plan = planned(&pairs, "");
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
    assert_eq!(joined, vec![chunk(2), chunk(0)].into());
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
    let (mut plan, _) = planned(&pairs, "");
    let why = Arc::new(Failure::ours("E", "as the test wants", Retry::MayPass));
    plan.remove(PairIndex::new(1), why.clone());
    plan.remove(PairIndex::new(2), why);
    plan.remove_unwanted();
    let wanted: Vec<bool> =
        plan.groups[GroupIndex::new(0)].addresses.iter().map(PlannedAddress::is_wanted).collect();
    assert_eq!(wanted, [true, false]);
}
