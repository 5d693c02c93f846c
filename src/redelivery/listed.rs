//! Listed: the messages of a batch that come again, with their reasons.

use std::collections::HashMap;
use std::time::Duration;

use crate::failure::Retry;
use crate::failures::{Failed, Failures, Origin};
use crate::index::{IndexList, SourceIndex};
use crate::payload::Source;

use super::{Delays, Due, Reason};

/// A message that comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The source.
    pub source: SourceIndex,
    /// The source with the failure. On a FIFO queue it may be an earlier message of the same group. Both come again at
    /// the same time.
    pub cause: SourceIndex,
    /// The reason why that source comes again.
    pub reason: Reason,
}

/// The messages that come again, in the order of the batch. A message comes again if it has a failure that was not sent
/// on. On a FIFO queue the later messages of its group come again too, so that the group keeps its order.
/// The messages from `first_unread` on come again too, because there was no room for them.
pub(crate) fn listed(
    sources: &IndexList<SourceIndex, Source<'_>>,
    failures: &Failures,
    first_unread: Option<SourceIndex>,
) -> Vec<Listed> {
    let unsent = failures.as_slice().iter().filter(|failed| !failed.sent_on);
    let mut reasons = reasons(sources.len(), unsent);
    for (source, reason) in reasons.indexed_mut() {
        if first_unread.is_some_and(|first| source >= first) {
            *reason = Some(Reason::Time);
        }
    }
    in_order(sources, &reasons)
}

/// Lists messages in order. `reasons` gives for each source the reason of its own failures, if it has any.
fn in_order(
    sources: &IndexList<SourceIndex, Source<'_>>,
    reasons: &IndexList<SourceIndex, Option<Reason>>,
) -> Vec<Listed> {
    let mut holding: HashMap<&str, Listed> = HashMap::new();
    let mut listed = Vec::new();
    for (source, of_source) in sources.indexed() {
        let group = of_source.delivery.ordered_group();
        let own = reasons[source].map(|reason| Listed { source, cause: source, reason });
        let held = group.and_then(|group| holding.get(group)).map(|first| Listed { source, ..*first });
        if let Some(again) = own.or(held) {
            listed.push(again);
            if let Some(group) = group {
                holding.entry(group).or_insert(again);
            }
        }
    }
    listed
}

/// The delay of each listed message. `random` gives numbers from 0 to 1 for the jitter.
pub(crate) fn due<'p>(
    sources: &'p IndexList<SourceIndex, Source<'p>>,
    listed: &[Listed],
    delays: Delays,
    mut random: impl FnMut() -> f64,
) -> Vec<Due<'p>> {
    let mut known: HashMap<SourceIndex, Duration> = HashMap::new();
    let due = listed.iter().map(|Listed { source, cause, reason }| {
        let delay = known.entry(*cause).or_insert_with(|| {
            let receive_count = sources[*cause].delivery.receive_count.unwrap_or(1);
            delays.of(*reason, receive_count, random())
        });
        Due { delivery: &sources[*source].delivery, delay: *delay }
    });
    due.collect()
}

/// The reason of each source, if one of its failures was not sent on.
fn reasons<'f>(
    sources: usize,
    failures: impl Iterator<Item = &'f Failed>,
) -> IndexList<SourceIndex, Option<Reason>> {
    let mut retryable = IndexList::<SourceIndex, Option<Reason>>::from(vec![None; sources]);
    let mut permanent = IndexList::from(vec![false; sources]);
    for failed in failures {
        if failed.retryable {
            let reason = reason(failed);
            let known = &mut retryable[failed.source];
            *known = Some(known.map_or(reason, |known| known.and(reason)));
        } else {
            permanent[failed.source] = true;
        }
    }
    // A permanent failure does not need a delay, so the reason of a retryable failure wins.
    let reasons = retryable.into_iter().zip(permanent);
    reasons.map(|(retryable, permanent)| retryable.or(permanent.then_some(Reason::Other))).collect()
}

fn reason(failed: &Failed) -> Reason {
    match failed.origin {
        Origin::Pair { retry: Retry::NextInvocation, .. } => Reason::Time,
        Origin::Pair { retry: Retry::FirstDelivery, .. } => Reason::Grace,
        Origin::Pair { .. } | Origin::Invalid(_) => Reason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{Index, PairIndex};
    use crate::payload::{Body, Delivery};
    use crate::plan::Distinct;
    use crate::requests::Intent;

    fn message(id: &'static str, queue: &'static str, group: Option<&'static str>) -> Source<'static> {
        Source {
            id: Some(id.into()),
            body: Body::Text("".into()),
            delivery: Delivery {
                queue_arn: Some(queue.into()),
                message_group: group.map(Into::into),
                ..Delivery::default()
            },
        }
    }

    /// The listed messages, each with the source that made it come again.
    fn listed(sources: &IndexList<SourceIndex, Source<'_>>, failing: &[&str]) -> Vec<(String, String)> {
        let id = |source: SourceIndex| sources[source].id.as_deref().unwrap();
        let reasons =
            sources.indices().map(|source| failing.contains(&id(source)).then_some(Reason::Other)).collect();
        let listed = in_order(sources, &reasons);
        listed.iter().map(|listed| (id(listed.source).to_owned(), id(listed.cause).to_owned())).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(source, with)| ((*source).to_owned(), (*with).to_owned())).collect()
    }

    #[test]
    fn failed_messages_are_listed_in_order() {
        let batch =
            vec![message("a", "q", Some("g")), message("b", "q", Some("g")), message("c", "q", None)].into();
        assert_eq!(listed(&batch, &[]), []);
        assert_eq!(listed(&batch, &["a"]), pairs(&[("a", "a")]));
        assert_eq!(listed(&batch, &["c", "b"]), pairs(&[("b", "b"), ("c", "c")]));
    }

    #[test]
    fn fifo_messages_behind_a_failure_come_again_with_it() {
        let fifo = |id, group| message(id, "q.fifo", group);
        let batch = vec![
            fifo("a1", Some("a")),
            fifo("b1", Some("b")),
            fifo("a2", Some("a")),
            fifo("x", None),
            fifo("y", None),
            fifo("b2", Some("b")),
            fifo("a3", Some("a")),
        ]
        .into();
        assert_eq!(listed(&batch, &["a1"]), pairs(&[("a1", "a1"), ("a2", "a1"), ("a3", "a1")]));
        assert_eq!(listed(&batch, &["a2"]), pairs(&[("a2", "a2"), ("a3", "a2")]));
        assert_eq!(listed(&batch, &["x"]), pairs(&[("x", "x")]));
        assert_eq!(
            listed(&batch, &["b1", "a1", "a2"]),
            pairs(&[("a1", "a1"), ("b1", "b1"), ("a2", "a2"), ("b2", "b1"), ("a3", "a1")])
        );
    }

    #[test]
    fn reason_follows_from_retryable_failures() {
        let failed = |retry: Retry, retryable: bool| Failed {
            instance_id: None,
            queue: None,
            address: None,
            error: String::new(),
            message: String::new(),
            retryable,
            path: None,
            message_id: None,
            reference: "r".into(),
            source: SourceIndex::new(1),
            origin: Origin::Pair {
                pair: PairIndex::new(0),
                distinct: Distinct::Named(PairIndex::new(0)),
                retry,
                intent: Intent::Associate,
            },
            sent_on: false,
            fail_on_retryable: true,
            fail_on_permanent: false,
        };
        let throttled = || failed(Retry::MayPass, true);
        let late = || failed(Retry::NextInvocation, true);
        let new = || failed(Retry::FirstDelivery, true);
        let gone = || failed(Retry::FirstDelivery, false);
        let invalid = || Failed { origin: Origin::Invalid(0), ..failed(Retry::Never, false) };
        let table = [
            (vec![], None),
            (vec![late(), late()], Some(Reason::Time)),
            (vec![new(), new()], Some(Reason::Grace)),
            (vec![throttled()], Some(Reason::Other)),
            (vec![late(), new()], Some(Reason::Other)),
            (vec![late(), throttled()], Some(Reason::Other)),
            (vec![gone()], Some(Reason::Other)),
            (vec![invalid(), late()], Some(Reason::Time)),
            (vec![new(), invalid()], Some(Reason::Grace)),
        ];
        for (failures, reason) in table {
            assert_eq!(*reasons(2, failures.iter()), [None, reason], "{failures:?}");
        }
    }
}
