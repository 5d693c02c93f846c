//! Lists every failed pair and every invalid part, once for each source that requests it.
//!
//! If a source identifies one pair in two ways, it has one failure, so the rows of a report agree with its counts.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::associate::{DistinctPair, Plan};
use crate::failure::{Failure, Retry};
use crate::index::{Index, IndexList, InvalidIndex, PairIndex, SourceIndex};
use crate::pairs::{Pairs, RequestInfo};
use crate::payload::Source;
use crate::requests::Path;

use super::{FailureEntry, Subject};

/// All failures of an invocation, ordered by source and by path in the source.
#[derive(Debug, Default)]
pub struct Failures {
    list: Vec<FailureEntry>,
}

impl Failures {
    /// Collects the failures. `source_ids` identifies each source, and `failure_of` returns why a pair failed.
    pub(crate) fn new<'f>(
        sources: &IndexList<SourceIndex, Source<'_>>,
        source_ids: &IndexList<SourceIndex, Arc<str>>,
        pairs: &Pairs,
        plan: &Plan,
        failure_of: impl Fn(PairIndex) -> Option<&'f Arc<Failure>>,
    ) -> Self {
        let message_ids = message_ids(sources, source_ids);
        let entry =
            |request: &RequestInfo, failure: Arc<Failure>, path: Option<String>, subject| FailureEntry {
                instance_id: None,
                queue: None,
                address: None,
                failure,
                retryable: false,
                path: path.map(String::into_boxed_str),
                message_id: message_ids[request.source].clone(),
                reference: request.reference.as_ref().unwrap_or(&source_ids[request.source]).clone(),
                source: request.source,
                subject,
                sent_on: false,
                options: request.options,
            };
        let mut reasons: HashSet<Arc<Failure>> = HashSet::new();
        let mut list: Vec<(Path, FailureEntry)> = Vec::new();
        let mut seen: HashMap<(SourceIndex, DistinctPair), usize> = HashMap::new();
        for mention in &pairs.mentions {
            let Some(failure) = failure_of(mention.pair) else { continue };
            let request = &pairs.requests[mention.request];
            let distinct = plan.distinct(mention.pair);
            if let Some(known) = seen.get(&(request.source, distinct)) {
                list[*known].1.merge(request.options);
                continue;
            }
            seen.insert((request.source, distinct), list.len());
            let failure = shared(&mut reasons, failure.clone());
            let retryable = failure.is_retryable(pairs.may_be_new(mention.request, sources));
            let subject = Subject::Pair { pair: mention.pair, distinct };
            let path = Some(mention.path).filter(|path| !path.is_empty()).map(|path| path.to_string());
            let pair = &pairs.pairs[mention.pair];
            let queue = &pairs.queues[pair.queue()];
            let entry = FailureEntry {
                instance_id: Some(queue.instance.clone()),
                queue: Some(queue.queue.clone()),
                address: Some(pair.address().cloned()),
                retryable,
                ..entry(request, failure, path, subject)
            };
            list.push((mention.path, entry));
        }
        for (number, (request, invalid)) in pairs.invalid.iter().enumerate() {
            let failure = Failure::ours("InvalidRequest", &*invalid.message, Retry::Never);
            let failure = shared(&mut reasons, Arc::new(failure));
            let subject = Subject::Invalid(InvalidIndex::new(number));
            let entry = entry(&pairs.requests[*request], failure, invalid.path_text(), subject);
            list.push((invalid.path(), entry));
        }
        list.sort_by_key(|(path, entry)| (entry.source, *path));
        Failures { list: list.into_iter().map(|(_, entry)| entry).collect() }
    }

    #[cfg(test)]
    pub(crate) fn of(list: Vec<FailureEntry>) -> Self {
        Failures { list }
    }

    /// The failures.
    pub fn as_slice(&self) -> &[FailureEntry] {
        &self.list
    }

    pub(crate) fn into_vec(self) -> Vec<FailureEntry> {
        self.list
    }

    pub(super) fn by_source(&self) -> impl Iterator<Item = (SourceIndex, &[FailureEntry])> {
        self.list.chunk_by(|a, b| a.source == b.source).map(|failures| (failures[0].source, failures))
    }

    /// Notes that all failures of some sources were sent on.
    pub(super) fn note_sent_on(&mut self, is_sent_on: impl Fn(SourceIndex) -> bool) {
        self.list.iter_mut().for_each(|entry| entry.sent_on = is_sent_on(entry.source));
    }

    /// Whether a failure passes the test and was not sent on.
    pub fn has(&self, test: impl Fn(&FailureEntry) -> bool) -> bool {
        self.list.iter().any(|entry| !entry.sent_on && test(entry))
    }
}

/// Returns the one allocation of a reason.
fn shared(reasons: &mut HashSet<Arc<Failure>>, failure: Arc<Failure>) -> Arc<Failure> {
    if let Some(known) = reasons.get(&failure) {
        return known.clone();
    }
    reasons.insert(failure.clone());
    failure
}

/// The identifier of each message or event, shared with that of its source if they are the same.
fn message_ids(
    sources: &IndexList<SourceIndex, Source<'_>>,
    source_ids: &IndexList<SourceIndex, Arc<str>>,
) -> IndexList<SourceIndex, Option<Arc<str>>> {
    let message_id = |(source, source_id): (&Source<'_>, &Arc<str>)| {
        let id = source.id.as_deref()?;
        Some(if id == &**source_id { source_id.clone() } else { id.into() })
    };
    sources.iter().zip(source_ids).map(message_id).collect()
}
