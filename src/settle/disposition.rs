//! Decides what becomes of each source: it is done, its failures are sent on, or it is redelivered.

use std::collections::HashMap;

use crate::associate::Outcome;
use crate::index::{IndexList, SourceIndex};
use crate::outcomes::Outcomes;
use crate::pairs::Pairs;
use crate::payload::{Envelope, Source};

use super::{Failures, Reason};

/// One of the two queues that failures are sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    /// `FAILURES_QUEUE_URL`
    Failures,
    /// `CONTINUATION_QUEUE_URL`
    Continuation,
}

/// The destinations that are configured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Destinations {
    pub(super) failures: bool,
    pub(super) continuation: bool,
}

/// What becomes of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disposition {
    /// Nothing of it failed.
    Done,
    /// All of its failures are sent on. Then it is done.
    SentOn {
        /// The destination of its permanent failures, if it has any. Retryable ones are continued.
        permanent: Destination,
    },
    /// It is redelivered as a whole.
    Redelivered(Redelivery),
}

/// The redelivery of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Redelivery {
    /// The source whose failure is the cause. On a FIFO queue it may be an earlier message of the same group. Both are
    /// redelivered at the same time.
    pub(super) cause: SourceIndex,
    /// The reason why that source is redelivered.
    pub(super) reason: Reason,
}

/// The results of the pairs and invalid parts of one source.
#[derive(Debug, Clone, Copy, Default)]
struct SourceResults {
    /// Some pair did not fail.
    some_done: bool,
    some_permanent: bool,
    /// The combined reason of its retryable failures.
    retryable: Option<Reason>,
}

/// The dispositions of all sources of an invocation.
#[derive(Debug)]
pub(super) struct Dispositions<'s> {
    sources: &'s IndexList<SourceIndex, Source<'s>>,
    results: IndexList<SourceIndex, SourceResults>,
    list: IndexList<SourceIndex, Disposition>,
}

impl<'s> Dispositions<'s> {
    /// Decides before anything is sent. A source that will be redelivered sends nothing. Otherwise its failures would
    /// be in two queues.
    pub(super) fn new(
        envelope: &'s Envelope<'s>,
        pairs: &Pairs,
        outcomes: &Outcomes,
        failures: &Failures,
        destinations: Destinations,
    ) -> Self {
        let asynchronous = envelope.kind.is_asynchronous();
        let results = results(envelope.sources.len(), pairs, outcomes, failures);
        let disposition = |((index, source), results): ((SourceIndex, &Source<'_>), &SourceResults)| {
            results.disposition(index, source.delivery.is_fifo(), asynchronous, destinations)
        };
        let list = envelope.sources.indexed().zip(&results).map(disposition).collect();
        let mut dispositions = Dispositions { sources: &envelope.sources, results, list };
        // An event is one invocation. If the invocation ends in an error, Lambda retries the whole event. The function
        // would then send the same messages twice.
        let is_redelivered = |disposition: &Disposition| matches!(disposition, Disposition::Redelivered(_));
        if asynchronous && dispositions.list.iter().any(is_redelivered) {
            dispositions.redeliver(envelope.sources.indices());
        }
        dispositions.hold_groups();
        dispositions
    }

    /// Redelivers sources whose failures could not be sent on.
    pub(super) fn redeliver(&mut self, sources: impl IntoIterator<Item = SourceIndex>) {
        for source in sources {
            if let Some(reason) = self.results[source].reason() {
                self.list[source] = Disposition::Redelivered(Redelivery { cause: source, reason });
            }
        }
    }

    /// Redelivers the messages of a FIFO queue that follow a redelivered message of their group, so that the group
    /// keeps its order.
    pub(super) fn hold_groups(&mut self) {
        let mut held: HashMap<&str, Redelivery> = HashMap::new();
        for (source, disposition) in self.sources.iter().zip(&mut self.list) {
            let Some(group) = source.delivery.ordered_group() else { continue };
            match (&*disposition, held.get(group)) {
                (Disposition::Redelivered(first), None) => {
                    held.insert(group, *first);
                }
                (Disposition::Done | Disposition::SentOn { .. }, Some(first)) => {
                    *disposition = Disposition::Redelivered(*first);
                }
                (Disposition::Redelivered(_), Some(_)) | (_, None) => {}
            }
        }
    }

    pub(super) fn of(&self, source: SourceIndex) -> Disposition {
        self.list[source]
    }

    /// The sources that are redelivered, in the order of the batch.
    pub(super) fn redelivered(&self) -> Vec<(SourceIndex, Redelivery)> {
        let redelivered = self.list.indexed().filter_map(|(source, disposition)| match disposition {
            Disposition::Redelivered(redelivery) => Some((source, *redelivery)),
            Disposition::Done | Disposition::SentOn { .. } => None,
        });
        redelivered.collect()
    }
}

impl SourceResults {
    /// Decides for a source as if it were alone.
    fn disposition(
        self,
        source: SourceIndex,
        is_fifo: bool,
        asynchronous: bool,
        destinations: Destinations,
    ) -> Disposition {
        let Some(reason) = self.reason() else { return Disposition::Done };
        // A continuation must be smaller than its source. Pairs that failed permanently are not part of it if they go
        // to the failures queue.
        let is_smaller = self.some_done || (self.some_permanent && destinations.failures);
        let continues = self.retryable.is_some() && destinations.continuation && !is_fifo && is_smaller;
        let permanent = match (destinations.failures, continues && !asynchronous) {
            (true, _) => Some(Destination::Failures),
            // Without a failures queue, the continuation contains the permanent failures too. Once its other pairs are
            // done, it is not continued again. So SQS redelivers it until it is a dead letter. An event with permanent
            // failures ends in an error instead, which reaches its on-failure destination.
            (false, true) => Some(Destination::Continuation),
            (false, false) => None,
        };
        match permanent {
            _ if self.retryable.is_some() && !continues => {
                Disposition::Redelivered(Redelivery { cause: source, reason })
            }
            None if self.some_permanent => Disposition::Redelivered(Redelivery { cause: source, reason }),
            permanent => Disposition::SentOn { permanent: permanent.unwrap_or(Destination::Failures) },
        }
    }

    /// The reason to redeliver the source, if something of it failed. A permanent failure does not need a delay, so a
    /// retryable one takes precedence.
    fn reason(self) -> Option<Reason> {
        self.retryable.or(self.some_permanent.then_some(Reason::Other))
    }
}

fn results(
    sources: usize,
    pairs: &Pairs,
    outcomes: &Outcomes,
    failures: &Failures,
) -> IndexList<SourceIndex, SourceResults> {
    let mut results = IndexList::from(vec![SourceResults::default(); sources]);
    for mention in &pairs.mentions {
        if !matches!(outcomes.by_pair[mention.pair], Outcome::Failed(_)) {
            results[pairs.source_of(mention)].some_done = true;
        }
    }
    for entry in failures.as_slice() {
        let results = &mut results[entry.source];
        if entry.retryable {
            let reason = Reason::of(entry);
            results.retryable = Some(results.retryable.map_or(reason, |known| known.and(reason)));
        } else {
            results.some_permanent = true;
        }
    }
    // Messages that were not read have no results. Another invocation has room for them.
    for (source, results) in results.indexed_mut() {
        if pairs.first_unread.is_some_and(|first| source >= first) {
            results.retryable = Some(Reason::Time);
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Index;
    use crate::payload::{Body, Delivery};

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

    /// The redelivered messages, each with the message that is the cause.
    fn redelivered(
        sources: &IndexList<SourceIndex, Source<'_>>,
        failing: &[&'static str],
    ) -> Vec<(String, String)> {
        let id = |source: SourceIndex| sources[source].id.as_deref().unwrap();
        let results =
            sources.iter().map(|_| SourceResults { some_permanent: true, ..SourceResults::default() });
        let list = sources.iter().map(|_| Disposition::SentOn { permanent: Destination::Failures });
        let mut dispositions = Dispositions { sources, results: results.collect(), list: list.collect() };
        dispositions.redeliver(sources.indices().filter(|source| failing.contains(&id(*source))));
        dispositions.hold_groups();
        let redelivered = dispositions.redelivered();
        redelivered.iter().map(|(source, of)| (id(*source).to_owned(), id(of.cause).to_owned())).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(source, with)| ((*source).to_owned(), (*with).to_owned())).collect()
    }

    #[test]
    fn failed_messages_are_redelivered_in_order() {
        let batch =
            vec![message("a", "q", Some("g")), message("b", "q", Some("g")), message("c", "q", None)].into();
        assert_eq!(redelivered(&batch, &[]), []);
        assert_eq!(redelivered(&batch, &["a"]), pairs(&[("a", "a")]));
        assert_eq!(redelivered(&batch, &["c", "b"]), pairs(&[("b", "b"), ("c", "c")]));
    }

    #[test]
    fn fifo_messages_after_a_failure_are_redelivered_with_it() {
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
        assert_eq!(redelivered(&batch, &["a1"]), pairs(&[("a1", "a1"), ("a2", "a1"), ("a3", "a1")]));
        assert_eq!(redelivered(&batch, &["a2"]), pairs(&[("a2", "a2"), ("a3", "a2")]));
        assert_eq!(redelivered(&batch, &["x"]), pairs(&[("x", "x")]));
        assert_eq!(
            redelivered(&batch, &["b1", "a1", "a2"]),
            pairs(&[("a1", "a1"), ("b1", "b1"), ("a2", "a2"), ("b2", "b1"), ("a3", "a1")])
        );
    }

    #[test]
    fn disposition_follows_from_results_and_destinations() {
        let results =
            |some_done, some_permanent, retryable| SourceResults { some_done, some_permanent, retryable };
        let late = Some(Reason::Time);
        let source = SourceIndex::new(0);
        let redelivered = |reason| Disposition::Redelivered(Redelivery { cause: source, reason });
        let sent_on = |permanent| Disposition::SentOn { permanent };
        let (both, failures, continuation, none) =
            ((true, true), (true, false), (false, true), (false, false));
        let table = [
            (results(true, false, None), none, Disposition::Done),
            (results(true, true, None), none, redelivered(Reason::Other)),
            (results(true, true, late), none, redelivered(Reason::Time)),
            (results(false, true, None), failures, sent_on(Destination::Failures)),
            (results(true, true, late), failures, redelivered(Reason::Time)),
            (results(true, true, None), continuation, redelivered(Reason::Other)),
            (results(true, true, late), continuation, sent_on(Destination::Continuation)),
            (results(false, true, late), continuation, redelivered(Reason::Time)),
            (results(true, true, late), both, sent_on(Destination::Failures)),
            (results(false, true, late), both, sent_on(Destination::Failures)),
            (results(false, false, late), both, redelivered(Reason::Time)),
        ];
        for (results, (failures, continuation), expected) in table {
            let destinations = Destinations { failures, continuation };
            assert_eq!(results.disposition(source, false, false, destinations), expected, "{results:?}");
            // A FIFO message is never continued.
            let of_fifo = results.disposition(source, true, false, destinations);
            let expected = match results.retryable {
                Some(reason) => redelivered(reason),
                None => expected,
            };
            assert_eq!(of_fifo, expected, "FIFO, {results:?}");
        }
    }
}
