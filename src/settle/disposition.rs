//! Decides what happens to each source: it is done, its failures are sent on, or it is redelivered.

use std::collections::HashMap;

use crate::associate::{Outcome, Outcomes};
use crate::failure::Retry;
use crate::index::{IndexList, SourceIndex};
use crate::pairs::Pairs;
use crate::payload::{Envelope, Source};

use super::Failures;

/// The URLs of the queues that failures are sent to: `FAILURES_QUEUE_URL` and `CONTINUATION_QUEUE_URL`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queues<'q> {
    pub(super) failures: Option<&'q str>,
    pub(super) continuation: Option<&'q str>,
}

/// What happens to a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disposition {
    Done,
    /// All of its failures are sent on. Then it is done.
    SentOn,
    Redelivered(Redelivery),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Redelivery {
    /// The source whose failure caused this. On a FIFO queue, it may be an earlier message of the same group. Both are
    /// redelivered at the same time.
    pub(super) first: SourceIndex,
    /// The combined retry of that source's retryable failures, or [`Retry::Never`] if it has none.
    pub(super) retry: Retry,
}

/// The results of the pairs and invalid parts of one source.
#[derive(Debug, Clone, Copy, Default)]
struct SourceResults {
    /// At least one pair did not fail.
    some_done: bool,
    some_permanent: bool,
    /// The combined retry of its retryable failures.
    retryable: Option<Retry>,
}

#[derive(Debug)]
pub(super) struct Dispositions<'s> {
    sources: &'s IndexList<SourceIndex, Source<'s>>,
    results: IndexList<SourceIndex, SourceResults>,
    list: IndexList<SourceIndex, Disposition>,
}

impl<'s> Dispositions<'s> {
    /// Decides before anything is sent. Nothing is sent for a source that will be redelivered. Otherwise its failures
    /// would be in two queues.
    pub(super) fn new(
        envelope: &'s Envelope<'s>,
        pairs: &Pairs,
        outcomes: &Outcomes,
        failures: &Failures,
        queues: Queues<'_>,
    ) -> Self {
        let asynchronous = envelope.kind.is_asynchronous();
        let results = results(envelope.sources.len(), pairs, outcomes, failures);
        let disposition = |((index, source), results): ((SourceIndex, &Source<'_>), &SourceResults)| {
            results.disposition(index, source.delivery.is_fifo(), asynchronous, queues)
        };
        let list = envelope.sources.indexed().zip(&results).map(disposition).collect();
        let mut dispositions = Dispositions { sources: &envelope.sources, results, list };
        // Lambda retries an asynchronous invocation as a whole. If one of its sources is redelivered, all must be.
        // Otherwise the function would send the failures of the others twice.
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
            if let Some(retry) = self.results[source].retry() {
                self.list[source] = Disposition::Redelivered(Redelivery { first: source, retry });
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
                (Disposition::Done | Disposition::SentOn, Some(first)) => {
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
            Disposition::Done | Disposition::SentOn => None,
        });
        redelivered.collect()
    }
}

impl SourceResults {
    /// Decides for one source, ignoring all others.
    fn disposition(
        self,
        source: SourceIndex,
        is_fifo: bool,
        asynchronous: bool,
        queues: Queues<'_>,
    ) -> Disposition {
        let Some(retry) = self.retry() else { return Disposition::Done };
        let (sends_failures, sends_continuations) =
            (queues.failures.is_some(), queues.continuation.is_some());
        // A continuation must be smaller than its source. Pairs that failed permanently are not part of it if they go
        // to the failures queue.
        let is_smaller = self.some_done || (self.some_permanent && sends_failures);
        let continues = self.retryable.is_some() && sends_continuations && !is_fifo && is_smaller;
        // Without a failures queue, permanent failures travel along in the continuation. When only they are left,
        // nothing can be continued, so SQS redelivers the message until its redrive policy moves it to the dead-letter
        // queue. An asynchronous event ends in an error instead, which Lambda sends to the on-failure destination.
        let sends_permanent = sends_failures || continues && !asynchronous;
        let is_stuck = self.retryable.is_some() && !continues || self.some_permanent && !sends_permanent;
        if is_stuck {
            return Disposition::Redelivered(Redelivery { first: source, retry });
        }
        Disposition::SentOn
    }

    /// The retry that decides on a redelivery, if something of the source failed. A permanent failure does not need a
    /// delay, so a retryable one takes precedence.
    fn retry(self) -> Option<Retry> {
        self.retryable.or(self.some_permanent.then_some(Retry::Never))
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
            let retry = entry.failure.retry;
            results.retryable = Some(results.retryable.map_or(retry, |known| known.and(retry)));
        } else {
            results.some_permanent = true;
        }
    }
    // Messages that were not read have no results. They are left for another invocation.
    for (source, results) in results.indexed_mut() {
        if pairs.first_unread.is_some_and(|first| source >= first) {
            results.retryable = Some(Retry::NextInvocation);
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Index;

    #[test]
    fn disposition_follows_from_results_and_queues() {
        let results =
            |some_done, some_permanent, retryable| SourceResults { some_done, some_permanent, retryable };
        let late = Some(Retry::NextInvocation);
        let source = SourceIndex::new(0);
        let redelivered = |retry| Disposition::Redelivered(Redelivery { first: source, retry });
        let (none, url) = (None, Some("url"));
        let table = [
            (results(true, false, None), (none, none), Disposition::Done),
            (results(true, true, None), (none, none), redelivered(Retry::Never)),
            (results(true, true, late), (none, none), redelivered(Retry::NextInvocation)),
            (results(false, true, None), (url, none), Disposition::SentOn),
            (results(true, true, late), (url, none), redelivered(Retry::NextInvocation)),
            (results(true, true, None), (none, url), redelivered(Retry::Never)),
            (results(true, true, late), (none, url), Disposition::SentOn),
            (results(false, true, late), (none, url), redelivered(Retry::NextInvocation)),
            (results(true, true, late), (url, url), Disposition::SentOn),
            (results(false, true, late), (url, url), Disposition::SentOn),
            (results(false, false, late), (url, url), redelivered(Retry::NextInvocation)),
        ];
        for (results, (failures, continuation), expected) in table {
            let queues = Queues { failures, continuation };
            assert_eq!(results.disposition(source, false, false, queues), expected, "{results:?}");
            // A FIFO message is never continued.
            let of_fifo = results.disposition(source, true, false, queues);
            let expected = results.retryable.map_or(expected, redelivered);
            assert_eq!(of_fifo, expected, "FIFO, {results:?}");
        }
    }
}
