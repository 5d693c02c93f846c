//! Failures: every pair that failed and everything invalid, once for each source that asked for it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write;
use std::sync::Arc;

use serde::Serialize;

use crate::outcomes::{Outcome, Outcomes, Retry};
use crate::pairs::{Named, Pairs};
use crate::payload::Source;
use crate::requests::{Options, Path};

use crate::forward::Outgoing;

use super::Report;

/// One failure, as it stands in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// The instance, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<Arc<str>>,
    /// The queue, as the caller named it.
    #[serde(flatten)]
    pub queue: Option<NamedQueue>,
    /// The email address, as the caller named it.
    #[serde(flatten)]
    pub address: Option<NamedAddress>,
    /// The API's error code, or one of the function's own.
    pub error: String,
    /// One line: what was wrong and what to do.
    pub message: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// Where in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The message that asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Which of the envelope's sources asked.
    #[serde(skip)]
    pub source: usize,
    /// What failed.
    #[serde(skip)]
    pub origin: Origin,
    /// It was sent on to one of the two queues, so that the source need not be delivered again for it.
    #[serde(skip)]
    pub sent_on: bool,
    /// The request's `failOnRetryable`.
    #[serde(skip)]
    pub fail_on_retryable: bool,
    /// The request's `failOnPermanent`.
    #[serde(skip)]
    pub fail_on_permanent: bool,
}

impl Failed {
    /// Another request of the same source asks for the pair too.
    fn asked_again(&mut self, options: Options) {
        if let Origin::Pair { dry_run, .. } = &mut self.origin {
            *dry_run &= options.dry_run;
        }
        self.fail_on_retryable |= options.fail_on_retryable;
        self.fail_on_permanent |= options.fail_on_permanent;
    }
}

/// What a failure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A pair.
    Pair {
        /// Which of [`Pairs::pairs`].
        pair: usize,
        /// Only time was short.
        only_time: bool,
        /// It was asked for in a dry run.
        dry_run: bool,
    },
    /// Something invalid, at this place of the request.
    Invalid(Path),
}

/// A queue under the name of the field that named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum NamedQueue {
    /// By identifier.
    #[serde(rename = "queueId")]
    Id(Arc<str>),
    /// By name.
    #[serde(rename = "queueName")]
    Name(Arc<str>),
}

/// An email address under the name of the field that named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum NamedAddress {
    /// By identifier.
    #[serde(rename = "emailAddressId")]
    Id(Arc<str>),
    /// By the address itself.
    #[serde(rename = "emailAddress")]
    Address(Arc<str>),
}

/// All failures of an invocation, in the order of the sources and of the places in them.
#[derive(Debug, Default)]
pub struct Failures {
    list: Vec<Failed>,
    sources: usize,
}

impl Failures {
    /// Collects the failures.
    pub fn new(sources: &[Source<'_>], pairs: &Pairs, outcomes: &Outcomes) -> Self {
        let mut list = Vec::new();
        let mut seen: HashMap<(usize, usize), usize> = HashMap::new();
        for ask in &pairs.asks {
            let Outcome::Failed(failure) = &outcomes.by_pair[ask.pair()] else { continue };
            let request = &pairs.requests[ask.request()];
            // A message that asks twice for the same pair has one failure, under the stricter options of both.
            if let Some(known) = seen.get(&(request.source, ask.pair())) {
                let known: &mut (_, Failed) = &mut list[*known];
                known.1.asked_again(request.options);
                continue;
            }
            seen.insert((request.source, ask.pair()), list.len());
            let source = &sources[request.source];
            let pair = &pairs.pairs[ask.pair()];
            let queue = &pairs.queues[pair.queue()];
            let failed = Failed {
                instance_id: Some(queue.instance.clone()),
                queue: Some(match &queue.queue {
                    Named::Id(id) => NamedQueue::Id(id.clone()),
                    Named::Name(name) => NamedQueue::Name(name.clone()),
                }),
                address: Some(match pair.address() {
                    Named::Id(id) => NamedAddress::Id(id.clone()),
                    Named::Name(address) => NamedAddress::Address(address.clone()),
                }),
                error: failure.error.clone(),
                message: failure.message.clone(),
                retryable: failure.is_retryable(source.delivery.is_first()),
                path: Some(ask.path).filter(|path| !path.is_empty()).map(|path| path.to_string()),
                message_id: source.id.as_deref().map(str::to_owned),
                source: request.source,
                origin: Origin::Pair {
                    pair: ask.pair(),
                    only_time: failure.retry == Retry::NextInvocation,
                    dry_run: request.options.dry_run,
                },
                sent_on: false,
                fail_on_retryable: request.options.fail_on_retryable,
                fail_on_permanent: request.options.fail_on_permanent,
            };
            list.push(((request.source, ask.path), failed));
        }
        for (request, invalid) in &pairs.invalid {
            let request = &pairs.requests[*request];
            let failed = Failed {
                instance_id: None,
                queue: None,
                address: None,
                error: "InvalidRequest".to_owned(),
                message: invalid.message.clone(),
                retryable: false,
                path: invalid.path_text(),
                message_id: sources[request.source].id.as_deref().map(str::to_owned),
                source: request.source,
                origin: Origin::Invalid(invalid.path()),
                sent_on: false,
                fail_on_retryable: request.options.fail_on_retryable,
                fail_on_permanent: request.options.fail_on_permanent,
            };
            list.push(((request.source, invalid.path()), failed));
        }
        list.sort_by_key(|(place, _)| *place);
        Failures { list: list.into_iter().map(|(_, failed)| failed).collect(), sources: sources.len() }
    }

    /// The failures.
    pub fn as_slice(&self) -> &[Failed] {
        &self.list
    }

    /// Notes what was sent on, given for each outgoing message whether it arrived. A source of which one message did
    /// not arrive comes again as a whole, whatever else was sent for it.
    pub fn note_sent_on(&mut self, outgoing: &[Outgoing], arrived: &[bool]) {
        let mut lost = vec![false; self.sources];
        for (message, arrived) in outgoing.iter().zip(arrived) {
            lost[message.source] |= !arrived;
        }
        for message in outgoing.iter().filter(|message| !lost[message.source]) {
            for number in &message.carries {
                self.list[*number].sent_on = true;
            }
        }
    }

    /// Whether there is a failure for which the test holds and that was not sent on.
    pub fn has(&self, test: impl Fn(&Failed) -> bool) -> bool {
        self.list.iter().any(|failed| !failed.sent_on && test(failed))
    }

    /// For each source, whether anything of it failed that was not sent on.
    pub fn failing_sources(&self) -> Vec<bool> {
        let mut failing = vec![false; self.sources];
        for failed in self.list.iter().filter(|failed| !failed.sent_on) {
            failing[failed.source] = true;
        }
        failing
    }

    /// One line: how many of how many failed, and the first reasons.
    pub fn summary(&self, report: &Report) -> String {
        const REASONS: usize = 3;
        let mut reasons: Vec<(&Failed, usize)> = Vec::new();
        // Each invalid entry may have a reason of its own, and a payload a million of them.
        let mut known: HashMap<(&str, &str), usize> = HashMap::new();
        for failed in &self.list {
            let next = reasons.len();
            match known.entry((&failed.error, &failed.message)) {
                Entry::Occupied(reason) => reasons[*reason.get()].1 += 1,
                Entry::Vacant(reason) => {
                    reason.insert(next);
                    reasons.push((failed, 1));
                }
            }
        }
        let mut line = format!("{} of {} failed", report.counts.failed, report.counts.distinct);
        for (number, (failed, count)) in reasons.iter().take(REASONS).enumerate() {
            let separator = if number == 0 { ": " } else { "; " };
            // Writing to a string cannot fail.
            let _ = write!(line, "{separator}{}", failed.error);
            if *count > 1 {
                let _ = write!(line, " ({count} times)");
            }
            if let (Some(path), 1) = (&failed.path, count) {
                let _ = write!(line, " at {path}");
            }
            let _ = write!(line, ": {}", failed.message);
        }
        let _ = match reasons.len().saturating_sub(REASONS) {
            0 => Ok(()),
            1 => write!(line, "; and 1 other reason"),
            others => write!(line, "; and {others} other reasons"),
        };
        // The API's messages and the names of members are others' words.
        line.replace(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'), " ")
    }
}
