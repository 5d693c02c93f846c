//! The failures of addresses that a group could not associate, with their messages.

use crate::connect::{Class, RejectedCall, Rejection};
use crate::failure::{Blame, Failure, Retry};

/// Creates a failure with the API's own message. It adds advice if a remedy is known.
pub(super) fn failed(rejection: &Rejection, retry: Retry, blame: Blame) -> Failure {
    let advice = match rejection.class {
        Class::NotFound => "; create it first, or check the instanceId",
        Class::Denied => {
            "; the function's role needs connect:AssociateQueueEmailAddresses on the instance and its queues"
        }
        _ => "",
    };
    let message = format!("{}{advice}", rejection.message);
    Failure { error: rejection.code.clone(), message, retry, blame }
}

/// The failure of addresses that the API rejected for their content. The API may not find a new queue or address yet, so
/// a rejection as not found is retryable on the first delivery.
pub(super) fn rejected_for_content(rejection: &Rejection, blame: Blame) -> Failure {
    let retry = match rejection.class {
        Class::NotFound => Retry::FirstDelivery,
        _ => Retry::Never,
    };
    failed(rejection, retry, blame)
}

/// The failure of a rejected address if the queue's list cannot be read. The list might have explained the rejection.
pub(crate) fn undecided(rejection: &Rejection, list: &RejectedCall) -> Failure {
    let reason = format!(
        "the API rejected the call ({}: {}), and the queue's list, which may explain that, cannot be read",
        rejection.code, rejection.message
    );
    list_unread(&reason, list)
}

/// The failure of addresses for which there was no room, if the queue's list cannot be read again. They may be on the
/// queue by now.
pub(super) fn maybe_full(list: &RejectedCall) -> Failure {
    let reason = "the API accepts no more addresses for this queue, and the queue's list, which may contain them by \
                  now, cannot be read";
    list_unread(reason, list)
}

/// The failure of addresses to check if the queue's list cannot be read although the queue may exist.
pub(super) fn unchecked(list: &RejectedCall) -> Failure {
    if list.rejection.class != Class::Denied {
        return list_unread("the queue cannot be checked, because its list cannot be read", list);
    }
    let message = format!(
        "the queue cannot be checked: {}; the function's role needs connect:ListQueueEmailAddresses on the instance and \
         its queues",
        list.rejection.message
    );
    Failure { message, ..failed(&list.rejection, Retry::Never, Blame::Nothing) }
}

/// The failure of addresses that wait for the queue's list. It has the error code of the list's rejection.
fn list_unread(reason: &str, list: &RejectedCall) -> Failure {
    let RejectedCall { rejection: of_list, out_of_time, .. } = list;
    let message = format!("{reason}: {}", of_list.message);
    if *out_of_time {
        Failure::deadline_exceeded_after_rejection(message)
    } else {
        Failure::ours(of_list.code.clone(), message, Retry::MayPass)
    }
}

/// The numbers of addresses that explain a full queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct FillLevel {
    /// Addresses on the queue that the group did not add, without the default one.
    pub(super) held: usize,
    /// Addresses that this group added.
    pub(super) added: usize,
    /// Addresses that do not fit.
    pub(super) left: usize,
    /// `QUEUE_ADDITIONAL_LIMIT`.
    pub(super) limit: usize,
}

/// What shows that a queue is full.
#[derive(Debug, Clone, Copy)]
pub(super) enum FullBy {
    /// The queue's list shows no more room.
    List,
    /// In a dry run, the queue's list shows too little room.
    Plan,
    /// The API accepts no more addresses, although the queue's list shows room.
    Rejection,
}

impl FillLevel {
    pub(super) fn failure(self, full_by: FullBy) -> Failure {
        let FillLevel { held, added, left, limit } = self;
        let requested = added + left;
        let raise = "have quota L-7B867368 raised and set QUEUE_ADDITIONAL_LIMIT to the new value";
        let message = match full_by {
            FullBy::List => format!(
                "queue is full: added {added} of {requested} addresses to the {held} that it had (limit {limit}, not \
                 counting the default address); remove some, or {raise}"
            ),
            FullBy::Plan => format!(
                "queue would be full: {added} of {requested} addresses fit in addition to the {held} that it has (limit \
                 {limit}, not counting the default address); remove some, or {raise}"
            ),
            FullBy::Rejection => format!(
                "queue is full: added {added} of {requested} addresses to the {held} that it had, and the API accepts no \
                 more although QUEUE_ADDITIONAL_LIMIT is {limit}; remove some, or set QUEUE_ADDITIONAL_LIMIT to the limit \
                 of the queue"
            ),
        };
        Failure { blame: Blame::Room, ..Failure::ours("QueueFull", message, Retry::Never) }
    }
}

/// The failure of addresses whose call met a limit until its attempts ended. Without the list, the function cannot
/// distinguish a full queue from a limit that passes.
pub(super) fn limited(rejection: &Rejection, list: &RejectedCall) -> Failure {
    let advice = match list.rejection.class {
        Class::Denied => "; the function's role needs connect:ListQueueEmailAddresses",
        _ => "",
    };
    let message = format!(
        "{}, but the queue's list could not be read to find out whether it is full: {}{advice}",
        rejection.message, list.rejection.message
    );
    Failure { message, ..failed(rejection, Retry::MayPass, Blame::Nothing) }
}

/// The failure of addresses whose call used up its attempts, or its time.
pub(crate) fn unavailable(rejection: &Rejection, out_of_time: bool) -> Failure {
    if !out_of_time {
        return failed(rejection, Retry::MayPass, Blame::Nothing);
    }
    Failure::deadline_exceeded_after_rejection(format!(
        "no time was left to try again after {}: {}",
        rejection.code, rejection.message
    ))
}
