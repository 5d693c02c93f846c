//! Looks names up again whose identifiers may be out of date, before their pairs fail permanently.

use std::sync::Arc;

use tokio::time::Instant;

use crate::associate::names::{Lookup, LookupResults};
use crate::associate::outcome::Outcome;
use crate::associate::plan::Place;
use crate::failure::{Blame, Failure, Retry};
use crate::index::{IndexList, PairIndex, QueueIndex};
use crate::requests::Named;

use super::{Candidate, Scheduler};

/// Why the identifiers of a pair that was given by name may be wrong.
#[derive(Debug)]
enum Doubt {
    /// The API rejected an identifier.
    Rejected { failure: Arc<Failure>, queue: bool, address: bool },
    /// The queue is full. Another queue may have the name by now.
    Full,
    /// The address is on the queue under an identifier from an earlier invocation. The address may have been deleted and
    /// created again since.
    AlreadyOnQueue,
}

impl Scheduler<'_> {
    /// Looks up the doubtful pairs again, in directories that are read again if this invocation has not done so before.
    /// Returns whether there is anything to call.
    ///
    /// The pairs leave the plan until their names are found. A pair whose identifiers are still the same returns to its
    /// place, and keeps its outcome. Pairs that a call associated are not looked up.
    pub(crate) fn look_up_doubtful(&mut self, now: Instant) -> bool {
        let doubtful = self.doubtful();
        if doubtful.is_empty() {
            return false;
        }
        for (pair, _, doubt) in &doubtful {
            match doubt {
                Doubt::Rejected { queue, address, .. } => {
                    if *queue {
                        self.names.reread_queues(*pair, now);
                    }
                    if *address {
                        self.names.reread_addresses(*pair, now);
                    }
                }
                Doubt::Full => {
                    self.names.reread_queues(*pair, now);
                    self.names.reread_addresses(*pair, now);
                }
                Doubt::AlreadyOnQueue => self.names.refresh_addresses(*pair, now),
            }
        }
        let mut found = LookupResults::default();
        for (pair, place, doubt) in doubtful {
            let why = match self.names.look_up_again(pair, now) {
                Lookup::Waits(_) => self.names.unread().clone(),
                Lookup::Failed(failure) => failure,
                Lookup::Id((queue, address)) => {
                    let group = &self.plan.groups[place.group];
                    if group.queue != queue || group.addresses[place.address].id != address {
                        found.queues.push((self.input.pairs.pairs[pair].queue(), Ok(queue)));
                        found.pairs.push((pair, Ok(address)));
                        self.names.unread().clone()
                    } else if let Doubt::Rejected { failure, .. } = doubt {
                        // The directory was read again before the rejection, so it does not confirm the identifier.
                        excused(&failure)
                    } else {
                        continue;
                    }
                }
            };
            self.plan.remove(pair, why);
            self.looked_up_again.push((pair, place));
        }
        self.plan.remove_unwanted();
        self.join(found);
        self.candidates.extend(self.names.to_read().map(Candidate::Reading));
        !self.candidates.is_empty()
    }

    /// Makes rejections retryable that came after the second look-up of a pair. No directory is newer than they are.
    pub(super) fn excuse_late_rejections(&mut self) {
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
                let why = excused(failure);
                self.plan.remove(pair, why);
            }
        }
        self.plan.remove_unwanted();
    }

    /// The pairs to look up again, with their places.
    fn doubtful(&self) -> Vec<(PairIndex, Place, Doubt)> {
        let proven = self.proven_queues();
        let pairs = self.input.pairs;
        let mut doubtful = Vec::new();
        for (index, pair) in pairs.pairs.indexed() {
            let Ok(place) = self.plan.places[index] else { continue };
            let queue_by_name = matches!(pairs.queues[pair.queue()].queue, Named::Name(_));
            let address_by_name = matches!(pair.address(), Named::Name(_));
            let doubt = match self.groups[place.group].progress.outcome(place.address) {
                Some(Outcome::Failed(failure)) if is_rejection(failure) => {
                    let queue = queue_by_name && failure.blame.queue() && !proven[pair.queue()];
                    let address = address_by_name && failure.blame.address();
                    (queue || address).then(|| Doubt::Rejected { failure: failure.clone(), queue, address })
                }
                Some(Outcome::Failed(failure)) if failure.blame == Blame::Room => {
                    (queue_by_name || address_by_name).then_some(Doubt::Full)
                }
                Some(Outcome::AlreadyAssociated) => address_by_name.then_some(Doubt::AlreadyOnQueue),
                _ => None,
            };
            doubtful.extend(doubt.map(|doubt| (index, place, doubt)));
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

/// The retryable form of a rejection. The next invocation reads the directory after it.
fn excused(failure: &Failure) -> Arc<Failure> {
    Arc::new(Failure { retry: Retry::MayPass, blame: Blame::Nothing, ..failure.clone() })
}
