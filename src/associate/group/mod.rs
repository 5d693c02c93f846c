//! Associates the addresses of one queue.
//!
//! A group is a state machine without a clock or a socket (`progress`). It yields its next step by value, and the scheduler
//! hands the step back with the response. Its calls are made one after the other, because each response decides which
//! addresses the next call contains.
//!
//! - When the API accepts a chunk, all addresses of the chunk are done.
//! - At the first rejection for content, the group reads the queue's list (`listing`). The list shows whether the queue
//!   exists, and which addresses are on it already. The group then narrows the chunk (`narrowing`).
//! - At the first LimitExceededException, the group reads the list to find out how many addresses fit (`room`).
//! - Before an address fails permanently, the group may read the list once more, because another process may have changed
//!   the queue since.
//! - Last, the list decides the addresses that requests only check (`check`).

mod addresses;
mod check;
mod failure;
mod listing;
mod narrowing;
mod progress;
mod room;

use crate::failure::Failure;

pub(crate) use self::failure::{unavailable, undecided};
pub(crate) use self::listing::{Listing, OnQueue};
pub(crate) use self::narrowing::{Chunk, Narrowing};
pub(crate) use self::progress::Progress;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupLimits {
    /// Number of addresses that a queue accepts in addition to its default one.
    pub(crate) additional_addresses: usize,
    pub(crate) max_attempts: u32,
}

/// What the API's responses show about the queue of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueueStatus<'g> {
    Unknown,
    /// The API rejected a call for its content. The queue's list is read to find out whether the queue exists.
    Doubtful,
    Found,
    /// The API did not find the queue. All addresses of the group failed for this reason.
    NotFound(&'g Failure),
}

/// The next step of a group. The scheduler hands it back with the API's response.
#[derive(Debug)]
pub(crate) enum GroupStep {
    Associate(Chunk),
    List(Box<Listing>),
}

#[cfg(test)]
mod tests;
