//! Failures: what a group says of addresses that it could not associate.

use crate::connect::{Class, Refusal, Refused};
use crate::failure::{Blame, Failure, Retry};

/// A failure in the API's own words, and what to do about it where that is known.
pub(super) fn failed(refusal: &Refusal, retry: Retry, blame: Blame) -> Failure {
    let advice = match refusal.class {
        Class::NotFound => "; create it first, or check the instanceId",
        Class::Denied => {
            "; the function's role needs connect:AssociateQueueEmailAddresses on the instance and its queues"
        }
        _ => "",
    };
    let message = format!("{}{advice}", refusal.message);
    Failure { error: refusal.code.clone(), message, retry, blame }
}

/// The failure of what the API refused for its content. What was just created may not be found yet.
pub(super) fn refused_for_content(refusal: &Refusal, blame: Blame) -> Failure {
    let retry = match refusal.class {
        Class::NotFound => Retry::FirstDelivery,
        _ => Retry::Never,
    };
    failed(refusal, retry, blame)
}

/// The failure of an address that the API refused when the queue's list, which may explain it, cannot be read.
pub(super) fn undecided(refusal: &Refusal, list: &Refused) -> Failure {
    let reason = format!("refused ({}: {})", refusal.code, refusal.message);
    list_unread(&reason, list)
}

/// The failure of addresses for which no room was found when the queue's list, which may hold them by now, cannot be
/// read again.
pub(super) fn maybe_full(list: &Refused) -> Failure {
    list_unread("the API takes no more addresses for this queue", list)
}

pub(super) fn list_unread(reason: &str, list: &Refused) -> Failure {
    let Refused { refusal: of_list, out_of_time, .. } = list;
    let message = format!(
        "{reason}, and the queue's list, which tells what is on it, cannot be read: {}",
        of_list.message
    );
    match out_of_time {
        true => Failure::deadline_exceeded_after_refusal(message),
        false => Failure::ours(of_list.code.clone(), message, Retry::MayPass),
    }
}

/// The addresses that a queue held and took when no more fitted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fill {
    /// Addresses beside the default one that the queue held before this group added any.
    pub(super) held: usize,
    /// Addresses that this group added.
    pub(super) added: usize,
    /// Addresses that do not fit.
    pub(super) left: usize,
    /// `QUEUE_ADDITIONAL_LIMIT`.
    pub(super) limit: usize,
}

impl Fill {
    /// The queue's list shows that it holds as many as it can.
    pub(super) fn by_list(self) -> Failure {
        let Fill { held, added, left, limit } = self;
        let message = format!(
            "the queue held {held} of {limit} addresses beside its default one: {added} were added and {left} do not \
             fit; remove addresses from the queue, or have quota L-7B867368 raised and set QUEUE_ADDITIONAL_LIMIT to it"
        );
        Failure::ours("QueueFull", message, Retry::Never)
    }

    /// The queue's list shows that it would not take them all.
    pub(super) fn by_plan(self) -> Failure {
        let Fill { held, added, left, limit } = self;
        let message = format!(
            "the queue holds {held} of {limit} addresses beside its default one: {added} would be added and {left} would \
             not fit; remove addresses from the queue, or have quota L-7B867368 raised and set QUEUE_ADDITIONAL_LIMIT to \
             it"
        );
        Failure::ours("QueueFull", message, Retry::Never)
    }

    /// The API refuses more although the queue's list shows room.
    pub(super) fn by_refusal(self) -> Failure {
        let Fill { held, added, left, limit } = self;
        let message = format!(
            "the API takes no more addresses for this queue, which held {held} beside its default one, although \
             QUEUE_ADDITIONAL_LIMIT is {limit}: {added} were added and {left} do not fit; remove addresses from the \
             queue, or set QUEUE_ADDITIONAL_LIMIT to the queue's true limit"
        );
        Failure::ours("QueueFull", message, Retry::Never)
    }
}

pub(super) fn no_time_to_retry(refusal: &Refusal) -> Failure {
    Failure::deadline_exceeded_after_refusal(format!(
        "no time was left to try again after {}: {}",
        refusal.code, refusal.message
    ))
}
