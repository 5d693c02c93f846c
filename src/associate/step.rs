//! The calls that a scheduler needs next. The scheduler yields a step by value and gets it back with the response.

use std::future::Future;
use std::time::Duration;

use tokio::time::timeout;

use crate::connect::{
    AssociateCall, Connect, DirectoryEntry, ListCall, ListedAddress, Operation, Page, RejectedCall,
    Rejection, SearchCall,
};
use crate::index::{DirectoryIndex, GroupIndex};

use super::group::{Chunk, Listing};
use super::pause::Pause;

/// One call that a scheduler needs.
#[derive(Debug)]
pub(crate) struct Step {
    /// The purpose of the call.
    pub task: Task,
    /// The lowest number goes first.
    pub(crate) urgency: usize,
    /// The lowest number goes first among equally urgent steps. All steps of one group have the same place.
    pub place: usize,
    /// How long the step waits before it starts.
    pub(crate) pause: Option<Pause>,
}

/// The purpose of a call.
#[derive(Debug)]
pub(crate) enum Task {
    /// Associate addresses of a group.
    Associate { group: GroupIndex, chunk: Chunk },
    /// Read the next page of the list of a group's queue.
    List { group: GroupIndex, listing: Listing },
    /// Read the next page of a directory.
    Search { reading: DirectoryIndex, call: SearchCall },
    /// Check whether an instance exists.
    CheckInstance { call: SearchCall },
}

/// A task with its call. A retry makes the same call.
#[derive(Debug)]
pub(super) enum Attempt {
    Associate { group: GroupIndex, chunk: Chunk, call: AssociateCall },
    List { group: GroupIndex, listing: Listing, call: ListCall },
    Search { reading: DirectoryIndex, call: SearchCall },
    CheckInstance { call: SearchCall },
}

/// The response to a task, after all retries of its call.
#[derive(Debug)]
pub(crate) enum StepResponse {
    /// Every address of the chunk is on the queue.
    Associated { group: GroupIndex, chunk: Chunk },
    /// A page of the queue's list.
    Listed {
        group: GroupIndex,
        /// The pages of the list before this one.
        listing: Listing,
        page: Page<ListedAddress>,
    },
    /// A page of a directory.
    Found { reading: DirectoryIndex, page: Page<DirectoryEntry> },
    /// The instance exists.
    Exists { call: SearchCall },
    /// The call failed, and is not made again.
    Rejected { task: Task, rejected: RejectedCall },
}

impl Task {
    /// The operation that the task calls.
    pub(crate) fn operation(&self) -> Operation {
        match self {
            Task::Associate { .. } => Operation::Associate,
            Task::List { .. } => Operation::List,
            Task::Search { call, .. } | Task::CheckInstance { call } => call.directory.operation(),
        }
    }

    /// The group that the task belongs to, if it belongs to one.
    pub(super) fn group(&self) -> Option<GroupIndex> {
        match self {
            Task::Associate { group, .. } | Task::List { group, .. } => Some(*group),
            Task::Search { .. } | Task::CheckInstance { .. } => None,
        }
    }
}

impl Attempt {
    pub(super) fn operation(&self) -> Operation {
        match self {
            Attempt::Associate { .. } => Operation::Associate,
            Attempt::List { .. } => Operation::List,
            Attempt::Search { call, .. } | Attempt::CheckInstance { call } => call.directory.operation(),
        }
    }

    /// The group that the call belongs to, if it belongs to one.
    pub(super) fn group(&self) -> Option<GroupIndex> {
        match self {
            Attempt::Associate { group, .. } | Attempt::List { group, .. } => Some(*group),
            Attempt::Search { .. } | Attempt::CheckInstance { .. } => None,
        }
    }

    /// Number of addresses that the call associates if it succeeds.
    pub(super) fn addresses(&self) -> usize {
        match self {
            Attempt::Associate { call, .. } => call.addresses.len(),
            Attempt::List { .. } | Attempt::Search { .. } | Attempt::CheckInstance { .. } => 0,
        }
    }

    /// Makes the call once. A rejection returns the attempt too, because the loop may make it again.
    pub(super) async fn make(
        self,
        connect: &Connect,
        time: Duration,
    ) -> Result<StepResponse, (Self, Rejection)> {
        match self {
            Attempt::Associate { group, chunk, call } => match within(time, connect.associate(&call)).await {
                Ok(()) => Ok(StepResponse::Associated { group, chunk }),
                Err(rejection) => Err((Attempt::Associate { group, chunk, call }, rejection)),
            },
            Attempt::List { group, listing, call } => match within(time, connect.list(&call)).await {
                Ok(page) => Ok(StepResponse::Listed { group, listing, page }),
                Err(rejection) => Err((Attempt::List { group, listing, call }, rejection)),
            },
            Attempt::Search { reading, call } => match within(time, connect.search(&call)).await {
                Ok(page) => Ok(StepResponse::Found { reading, page }),
                Err(rejection) => Err((Attempt::Search { reading, call }, rejection)),
            },
            Attempt::CheckInstance { call } => match within(time, connect.search(&call)).await {
                Ok(_) => Ok(StepResponse::Exists { call }),
                Err(rejection) => Err((Attempt::CheckInstance { call }, rejection)),
            },
        }
    }

    /// The response to a call that the loop does not make again.
    pub(super) fn rejected(self, rejected: RejectedCall) -> StepResponse {
        let task = match self {
            Attempt::Associate { group, chunk, .. } => Task::Associate { group, chunk },
            Attempt::List { group, listing, .. } => Task::List { group, listing },
            Attempt::Search { reading, call } => Task::Search { reading, call },
            Attempt::CheckInstance { call } => Task::CheckInstance { call },
        };
        StepResponse::Rejected { task, rejected }
    }
}

async fn within<T>(time: Duration, call: impl Future<Output = Result<T, Rejection>>) -> Result<T, Rejection> {
    timeout(time, call).await.unwrap_or_else(|_| Err(Rejection::timed_out(time)))
}
