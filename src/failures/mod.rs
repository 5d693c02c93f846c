//! Failures: every failed pair and everything invalid, once for each source that asks for it.
//!
//! A source that names one pair in two ways has one failure of it, so the rows of a report agree with its counts.

mod failed;

use std::collections::HashMap;
use std::sync::Arc;

pub use failed::Failed;
pub(crate) use failed::Origin;

use crate::index::{IndexList, SourceIndex};
use crate::outcomes::{Outcome, Outcomes};
use crate::pairs::{Pairs, RequestInfo};
use crate::payload::Source;
use crate::plan::{Distinct, Plan};

/// All failures of an invocation, ordered by source and by place in the source.
#[derive(Debug, Default)]
pub struct Failures {
    list: Vec<Failed>,
}

impl Failures {
    /// Collects the failures. `source_ids` identifies each source.
    pub(crate) fn new(
        sources: &IndexList<SourceIndex, Source<'_>>,
        source_ids: &IndexList<SourceIndex, Arc<str>>,
        pairs: &Pairs,
        plan: &Plan,
        outcomes: &Outcomes,
    ) -> Self {
        let reference =
            |request: &RequestInfo| request.reference.as_ref().unwrap_or(&source_ids[request.source]).clone();
        let mut list = Vec::new();
        let mut seen: HashMap<(SourceIndex, Distinct), usize> = HashMap::new();
        for mention in &pairs.mentions {
            let Outcome::Failed(failure) = &outcomes.by_pair[mention.pair] else { continue };
            let request = &pairs.requests[mention.request];
            // A message that asks twice for a pair has one failure, and the stricter options of both requests apply.
            let distinct = plan.distinct(mention.pair);
            if let Some(known) = seen.get(&(request.source, distinct)) {
                let known: &mut (_, Failed) = &mut list[*known];
                known.1.merge(request.options);
                continue;
            }
            seen.insert((request.source, distinct), list.len());
            let source = &sources[request.source];
            let pair = &pairs.pairs[mention.pair];
            let queue = &pairs.queues[pair.queue()];
            let failed = Failed {
                instance_id: Some(queue.instance.clone()),
                queue: Some(queue.queue.clone()),
                address: Some(pair.address().cloned()),
                error: failure.error.clone(),
                message: failure.message.clone(),
                retryable: failure.is_retryable(pairs.is_in_grace(mention.request, sources)),
                path: Some(mention.path).filter(|path| !path.is_empty()).map(|path| path.to_string()),
                message_id: source.id.as_deref().map(str::to_owned),
                reference: reference(request),
                source: request.source,
                origin: Origin::Pair {
                    pair: mention.pair,
                    distinct,
                    retry: failure.retry,
                    intent: request.options.intent,
                },
                sent_on: false,
                fail_on_retryable: request.options.fail_on_retryable,
                fail_on_permanent: request.options.fail_on_permanent,
            };
            list.push(((request.source, mention.path), failed));
        }
        for (number, (request, invalid)) in pairs.invalid.iter().enumerate() {
            let request = &pairs.requests[*request];
            let failed = Failed {
                instance_id: None,
                queue: None,
                address: None,
                error: "InvalidRequest".to_owned(),
                message: invalid.message.to_string(),
                retryable: false,
                path: invalid.path_text(),
                message_id: sources[request.source].id.as_deref().map(str::to_owned),
                reference: reference(request),
                source: request.source,
                origin: Origin::Invalid(number),
                sent_on: false,
                fail_on_retryable: request.options.fail_on_retryable,
                fail_on_permanent: request.options.fail_on_permanent,
            };
            list.push(((request.source, invalid.path()), failed));
        }
        list.sort_by_key(|(place, _)| *place);
        Failures { list: list.into_iter().map(|(_, failed)| failed).collect() }
    }

    /// The failures.
    pub fn as_slice(&self) -> &[Failed] {
        &self.list
    }

    /// Notes that failures were sent on. The numbers are indexes in [`Failures::as_slice`].
    pub(crate) fn note_sent_on(&mut self, numbers: impl IntoIterator<Item = usize>) {
        for number in numbers {
            self.list[number].sent_on = true;
        }
    }

    /// Whether a failure passes the test and was not sent on.
    pub fn has(&self, test: impl Fn(&Failed) -> bool) -> bool {
        self.list.iter().any(|failed| !failed.sent_on && test(failed))
    }
}
