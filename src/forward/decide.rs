//! Decide: which failures of each source the function sends on, the messages that carry them, and which of them arrived.

use std::collections::HashSet;
use std::time::Duration;

use crate::failure::Retry;
use crate::failures::{Failed, Failures, Origin};
use crate::index::{IndexList, SourceIndex};
use crate::outcomes::{Outcome, Outcomes};
use crate::pairs::Pairs;
use crate::payload::{Envelope, EnvelopeKind};

use super::body::{Carried, MAX_BYTES, bodies};

/// The delay of a continuation if the source failed for another reason than lack of time.
const PAUSE: Duration = Duration::from_secs(30);

/// One of the two queues that the function sends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// `FAILURES_QUEUE_URL`
    Failures,
    /// `CONTINUATION_QUEUE_URL`
    Continuation,
}

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// The source whose failures it carries.
    pub source: SourceIndex,
    /// The identifier of the source, if its envelope gives one.
    pub message_id: Option<String>,
    /// The queue that gets the message.
    pub(crate) destination: Destination,
    /// An association request.
    pub body: String,
    /// The failures that the message carries, as indexes in [`Failures::as_slice`].
    pub carries: Vec<usize>,
    /// How long the message stays hidden.
    pub delay: Duration,
}

/// The queues that the function can send to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forwarding {
    /// There is a failures queue.
    pub failures: bool,
    /// There is a continuation queue.
    pub continuation: bool,
}

/// The decision for the failures of one source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Decision {
    permanent: Option<Destination>,
    retryable: Option<Destination>,
    /// The source comes again, because one of its failures cannot be sent on. So the function sends none of them.
    comes_again: bool,
}

/// The results of the pairs and invalid parts of one source.
#[derive(Debug, Clone, Copy, Default)]
struct Results {
    /// Some pair did not fail.
    progressed: bool,
    permanent: bool,
    retryable: bool,
}

/// Returns the failures that were sent on, as indexes in [`Failures::as_slice`]. `arrived` says for each message
/// whether it arrived. If one message of a source did not arrive, the whole source comes again, and none of its
/// failures counts as sent on.
pub(crate) fn sent_on(outgoing: &[Outgoing], arrived: &[bool]) -> Vec<usize> {
    let lost: HashSet<SourceIndex> = outgoing
        .iter()
        .zip(arrived)
        .filter(|(_, arrived)| !**arrived)
        .map(|(message, _)| message.source)
        .collect();
    let whole = outgoing.iter().filter(|message| !lost.contains(&message.source));
    whole.flat_map(|message| &message.carries).copied().collect()
}

impl Forwarding {
    /// Whether the function can send on failures of such an envelope.
    pub(crate) fn applies(self, kind: EnvelopeKind) -> bool {
        (self.failures || self.continuation)
            && matches!(
                kind,
                EnvelopeKind::Sqs | EnvelopeKind::Pipes | EnvelopeKind::Sns | EnvelopeKind::EventBridge
            )
    }

    /// The messages to be sent.
    pub(crate) fn outgoing(
        self,
        envelope: &Envelope<'_>,
        pairs: &Pairs,
        outcomes: &Outcomes,
        failures: &Failures,
        default_instance: Option<&str>,
    ) -> Vec<Outgoing> {
        if !self.applies(envelope.kind) {
            return Vec::new();
        }
        let decisions = self.decide(envelope, pairs, outcomes, failures);
        let mut outgoing = Vec::new();
        for (source, numbers) in by_source(failures) {
            let decision = decisions[source];
            let before = outgoing.len();
            for destination in [Destination::Failures, Destination::Continuation] {
                let carried: Vec<(usize, &Failed)> = numbers
                    .clone()
                    .map(|number| (number, &failures.as_slice()[number]))
                    .filter(|(_, failed)| decision.destination(failed) == Some(destination))
                    .collect();
                if carried.is_empty() {
                    continue;
                }
                // Permanent failures in a continuation do not count, because waiting does not mend them.
                let only_time = carried.iter().filter(|(_, failed)| failed.retryable).all(|(_, failed)| {
                    matches!(failed.origin, Origin::Pair { retry: Retry::NextInvocation, .. })
                });
                let delay = match destination {
                    Destination::Continuation if !only_time => PAUSE,
                    _ => Duration::ZERO,
                };
                let carried = Carried {
                    failures: &carried,
                    with_reasons: destination == Destination::Failures,
                    default_instance,
                };
                outgoing.extend(bodies(&carried, pairs).into_iter().map(|(body, carries)| Outgoing {
                    source,
                    message_id: envelope.sources[source].id.as_deref().map(str::to_owned),
                    destination,
                    body,
                    carries,
                    delay,
                }));
            }
            if outgoing[before..].iter().any(|message| message.body.len() > MAX_BYTES) {
                // The whole source comes again, and ends unchanged in the dead-letter queue.
                let message_id = envelope.sources[source].id.as_deref();
                tracing::warn!(
                    messageId = message_id,
                    "the failures of a message are too large to be sent on"
                );
                outgoing.truncate(before);
            }
        }
        outgoing
    }

    fn decide(
        self,
        envelope: &Envelope<'_>,
        pairs: &Pairs,
        outcomes: &Outcomes,
        failures: &Failures,
    ) -> IndexList<SourceIndex, Decision> {
        let asynchronous = envelope.kind.is_asynchronous();
        let results = results(envelope.sources.len(), pairs, outcomes, failures);
        let mut decisions: IndexList<SourceIndex, Decision> = envelope
            .sources
            .iter()
            .zip(&results)
            .map(|(source, results)| {
                // A continuation must be smaller than its source. Pairs that failed permanently are not part of it if
                // they go to the failures queue.
                let is_smaller = results.progressed || (results.permanent && self.failures);
                let continues =
                    self.continuation && !source.delivery.is_fifo() && is_smaller && results.retryable;
                let permanent = match (self.failures, continues && !asynchronous) {
                    (true, _) => Some(Destination::Failures),
                    // Without a failures queue, the continuation carries the permanent failures too. Once its other
                    // pairs are done, nothing of it progresses. So SQS redelivers it until it is a dead letter. An
                    // event with permanent failures ends in an error instead, which reaches its on-failure destination.
                    (false, true) => Some(Destination::Continuation),
                    (false, false) => None,
                };
                let retryable = continues.then_some(Destination::Continuation);
                let comes_again =
                    (results.retryable && retryable.is_none()) || (results.permanent && permanent.is_none());
                Decision { permanent, retryable, comes_again }
            })
            .collect();
        if asynchronous {
            // An event is one invocation. If the invocation ends in an error, Lambda retries the whole event. The
            // function would then send the same messages twice.
            let again = decisions.iter().any(|decision| decision.comes_again);
            decisions.iter_mut().for_each(|decision| decision.comes_again = again);
        }
        let mut held_groups = HashSet::new();
        for (source, decision) in envelope.sources.iter().zip(&mut decisions) {
            if let Some(group) = source.delivery.ordered_group() {
                decision.comes_again |= held_groups.contains(group);
                if decision.comes_again {
                    held_groups.insert(group);
                }
            }
        }
        decisions
    }
}

impl Decision {
    fn destination(self, failed: &Failed) -> Option<Destination> {
        match (self.comes_again, failed.retryable) {
            (true, _) => None,
            (false, true) => self.retryable,
            (false, false) => self.permanent,
        }
    }
}

fn results(
    sources: usize,
    pairs: &Pairs,
    outcomes: &Outcomes,
    failures: &Failures,
) -> IndexList<SourceIndex, Results> {
    let mut results = IndexList::from(vec![Results::default(); sources]);
    for mention in &pairs.mentions {
        if !matches!(outcomes.by_pair[mention.pair], Outcome::Failed(_)) {
            results[pairs.source_of(mention)].progressed = true;
        }
    }
    for failed in failures.as_slice() {
        let results = &mut results[failed.source];
        if failed.retryable {
            results.retryable = true;
        } else {
            results.permanent = true;
        }
    }
    results
}

/// The failures of each source that has any, as a range of numbers. Failures are ordered by source.
fn by_source(failures: &Failures) -> impl Iterator<Item = (SourceIndex, std::ops::Range<usize>)> {
    let mut next = 0;
    failures.as_slice().chunk_by(|a, b| a.source == b.source).map(move |chunk| {
        let numbers = next..next + chunk.len();
        next = numbers.end;
        (chunk[0].source, numbers)
    })
}
