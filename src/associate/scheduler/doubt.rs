//! Looks names up again whose identifiers may be out of date, before their pairs fail permanently.

use std::sync::Arc;

use tokio::time::Instant;

use crate::associate::names::{LookupError, LookupResults};
use crate::associate::outcome::Outcome;
use crate::associate::plan::Place;
use crate::connect::DirectoryKind;
use crate::failure::{Blame, Failure, Retry};
use crate::index::{IndexList, PairIndex, QueueIndex};

use super::{Candidate, Scheduler};

/// A pair whose identifiers may be out of date, because at least one of them was given by name.
#[derive(Debug)]
struct DoubtfulPair {
    pair: PairIndex,
    place: Place,
    cause: Doubt,
    /// The directories of its names whose identifiers may be out of date.
    directories: [Option<DirectoryKind>; 2],
}

/// Why the identifiers of a pair may be out of date.
#[derive(Debug)]
enum Doubt {
    /// The API rejected one of them.
    Rejected(Arc<Failure>),
    /// The queue is full. Another queue may have the name by now, or the address may be on the queue under another
    /// identifier.
    Full,
    /// The address is on the queue. It may have been deleted and created again under another identifier.
    AlreadyOnQueue,
}

impl Scheduler<'_> {
    /// Looks up the doubtful pairs again, in directories that are read again if this invocation has not done so before.
    /// Returns whether there is anything to call.
    ///
    /// The pairs leave the plan until their names are found. A pair whose identifiers are still the same returns to its
    /// place, and keeps its outcome. Pairs that a call associated are not looked up.
    pub(crate) fn look_up_doubtful(&mut self, now: Instant) -> bool {
        let doubtful = self.doubtful_pairs();
        if doubtful.is_empty() {
            return false;
        }
        for DoubtfulPair { pair, cause, directories, .. } in &doubtful {
            for kind in directories.iter().flatten() {
                match cause {
                    Doubt::AlreadyOnQueue => self.names.refresh(*pair, *kind, now),
                    Doubt::Rejected(_) | Doubt::Full => self.names.reread(*pair, *kind, now),
                }
            }
        }
        let mut found = LookupResults::default();
        for DoubtfulPair { pair, place, cause, .. } in doubtful {
            let why = match self.names.look_up_again(pair, now) {
                Err(LookupError::Waits(_)) => self.names.directories.unread.clone(),
                Err(LookupError::Failed(failure)) => failure,
                Ok((queue, address)) => {
                    let group = &self.plan.groups[place.group];
                    let is_same = group.queue == queue && group.addresses[place.address].id == address;
                    match cause {
                        // The directory was read again before the rejection, so it does not confirm the identifier.
                        Doubt::Rejected(failure) if is_same => retryable(&failure),
                        Doubt::Full | Doubt::AlreadyOnQueue if is_same => continue,
                        _ => {
                            found.queues.push((self.input.pairs.pairs[pair].queue(), Ok(queue)));
                            found.pairs.push((pair, Ok(address)));
                            self.names.directories.unread.clone()
                        }
                    }
                }
            };
            self.plan.remove(pair, why);
            self.looked_up_again.push((pair, place));
        }
        self.look_up_unresolved(now);
        self.plan.remove_unwanted();
        self.join(found);
        self.candidates.extend(self.names.directories.to_read().map(Candidate::Directory));
        !self.candidates.is_empty()
    }

    /// Looks up missing and ambiguous names again if their directory is being read again, because they may exist by now.
    fn look_up_unresolved(&mut self, now: Instant) {
        for pair in self.input.pairs.pairs.indices() {
            if matches!(&self.plan.places[pair], Err(failure) if is_unresolved(failure))
                && let Err(LookupError::Waits(_)) = self.names.look_up_again(pair, now)
            {
                self.plan.remove(pair, self.names.directories.unread.clone());
            }
        }
    }

    /// Makes rejections retryable that came after the second look-up of a pair. No directory is newer than they are.
    pub(super) fn make_late_rejections_retryable(&mut self) {
        let looked_up_again = std::mem::take(&mut self.looked_up_again);
        if looked_up_again.is_empty() {
            return;
        }
        for (pair, before) in looked_up_again {
            let Ok(place) = self.plan.places[pair] else { continue };
            if place != before
                && let Some(Outcome::Failed(failure)) =
                    self.groups[place.group].progress.outcome(place.address)
                && is_rejection(failure)
            {
                let why = retryable(failure);
                self.plan.remove(pair, why);
            }
        }
        self.plan.remove_unwanted();
    }

    fn doubtful_pairs(&self) -> Vec<DoubtfulPair> {
        let proven = self.proven_queues();
        let pairs = self.input.pairs;
        let mut doubtful = Vec::new();
        for (index, pair) in pairs.pairs.indexed() {
            let Ok(place) = self.plan.places[index] else { continue };
            let (cause, doubts_queue, doubts_address) = match self.groups[place.group]
                .progress
                .outcome(place.address)
            {
                Some(Outcome::Failed(failure)) if is_rejection(failure) => (
                    Doubt::Rejected(failure.clone()),
                    failure.blame.queue() && !proven[pair.queue()],
                    failure.blame.address(),
                ),
                Some(Outcome::Failed(failure)) if failure.blame == Blame::Room => (Doubt::Full, true, true),
                Some(Outcome::AlreadyAssociated) => (Doubt::AlreadyOnQueue, false, true),
                _ => continue,
            };
            let doubts_queue = doubts_queue && pairs.queues[pair.queue()].queue.name().is_some();
            let doubts_address = doubts_address && pair.address().name().is_some();
            let directories = [
                doubts_queue.then_some(DirectoryKind::Queues),
                doubts_address.then_some(DirectoryKind::EmailAddresses),
            ];
            if doubts_queue || doubts_address {
                doubtful.push(DoubtfulPair { pair: index, place, cause, directories });
            }
        }
        doubtful
    }

    /// For each requested queue, whether one of its pairs is on the queue. That proves the queue's identifier, even if
    /// the API rejects other pairs of the queue.
    fn proven_queues(&self) -> IndexList<QueueIndex, bool> {
        let mut proven = IndexList::from(vec![false; self.input.pairs.queues.len()]);
        for (pair, place) in self.input.pairs.pairs.iter().zip(&self.plan.places) {
            let Ok(place) = place else { continue };
            let outcome = self.groups[place.group].progress.outcome(place.address);
            proven[pair.queue()] |= matches!(outcome, Some(Outcome::Associated | Outcome::AlreadyAssociated));
        }
        proven
    }
}

fn is_rejection(failure: &Failure) -> bool {
    failure.blame.queue() || failure.blame.address()
}

fn is_unresolved(failure: &Failure) -> bool {
    matches!(&*failure.error, "NameNotFound" | "NameAmbiguous")
}

/// The retryable form of a rejection. The next invocation reads the directory after it.
fn retryable(failure: &Failure) -> Arc<Failure> {
    Arc::new(Failure { retry: Retry::MayPass, blame: Blame::Nothing, ..failure.clone() })
}
