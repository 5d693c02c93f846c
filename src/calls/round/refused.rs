//! Identifiers that the API refused although a directory gave them.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use crate::failure::{Blame, Failure, Retry};
use crate::index::{IndexList, PairIndex, QueueIndex};
use crate::names::Reread;
use crate::outcomes::Outcome;

use super::{Idle, Round};

impl Round<'_> {
    /// Reads a directory again if the API refused an identifier from it. Returns whether there is anything to call.
    ///
    /// The affected pairs leave the plan and join it again after the second lookup. Pairs that are already done stay
    /// done.
    ///
    /// Such a pair never fails for good because of the old identifier. If the directory cannot be read again, the
    /// failure is retryable.
    pub(crate) fn look_up_refused(&mut self, now: Instant) -> bool {
        let proven = self.proven_queues();
        let mut queues: HashMap<QueueIndex, Option<Reread>> = HashMap::new();
        for pair in self.given.pairs.pairs.indices() {
            let Some(failure) = self.refusal_of(pair) else { continue };
            let queue = self.given.pairs.pairs[pair].queue();
            let of_queue = if failure.blame.queue() && !proven[queue] {
                queues.entry(queue).or_insert_with(|| self.names.reread_queue(queue, now)).as_ref()
            } else {
                None
            };
            let of_address = failure.blame.address().then(|| self.names.reread_address(pair, now)).flatten();
            let why = match (of_queue, of_address.as_ref()) {
                (None, None) => continue,
                (Some(Reread::UnderWay(directory)), _) | (_, Some(Reread::UnderWay(directory))) => {
                    self.names.wait(pair, *directory);
                    self.names.unread().clone()
                }
                (Some(Reread::Failed(why)), _) | (_, Some(Reread::Failed(why))) => why.clone(),
                (Some(Reread::Done) | None, Some(Reread::Done) | None) => Arc::new(Failure {
                    retry: Retry::MayPass,
                    blame: Blame::Nothing,
                    ..Failure::clone(&failure)
                }),
            };
            self.plan.remove(pair, why);
        }
        self.plan.leave_out_unwanted();
        self.idle.extend(self.names.to_read().map(Idle::Reading));
        !self.idle.is_empty()
    }

    /// Why the API refused an identifier of a pair.
    fn refusal_of(&self, pair: PairIndex) -> Option<Arc<Failure>> {
        let place = self.plan.places[pair].as_ref().ok()?;
        match self.groups[place.group].progress.outcome(place.address)? {
            Outcome::Failed(failure) if failure.blame != Blame::Nothing => Some(failure.clone()),
            _ => None,
        }
    }

    /// For each requested queue, whether one of its pairs is on the queue. That proves the queue's identifier, even if
    /// the API refuses other pairs of the queue.
    fn proven_queues(&self) -> IndexList<QueueIndex, bool> {
        let mut proven = IndexList::from(vec![false; self.given.pairs.queues.len()]);
        for (pair, place) in self.given.pairs.pairs.iter().zip(&self.plan.places) {
            let Ok(place) = place else { continue };
            let outcome = self.groups[place.group].progress.outcome(place.address);
            proven[pair.queue()] |= matches!(outcome, Some(Outcome::Associated | Outcome::AlreadyAssociated));
        }
        proven
    }
}
