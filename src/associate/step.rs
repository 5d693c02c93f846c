//! The calls that a scheduler needs next. The scheduler yields a step by value and gets its task back with the response.

use std::time::Duration;

use tokio::time::Instant;

use crate::connect::{
    DirectoryEntry, ListCall, ListedAddress, Operation, Page, QueueCall, RejectedCall, Rejection, SearchCall,
};
use crate::index::{DirectoryIndex, GroupIndex};

use super::calls::{CallContext, RetryState};
use super::group::{Chunk, Listing};

#[derive(Debug)]
pub(crate) struct Step {
    pub task: Task,
    pub rank: Rank,
    /// The least wait for room before the first attempt, which then counts as a retry. The wait also grows each time.
    pub wait: Option<Duration>,
    /// `None` before the first rejection.
    pub retry: Option<Box<RetryState>>,
}

/// The order of steps: the lowest rank goes first. A retry keeps the rank of its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    /// Number of calls of the smallest request that needs the step. The check of an instance has zero, because other
    /// calls wait for it.
    pub request_calls: usize,
    /// All steps of one group have the same number, so the groups of a request are called one after the other.
    pub tie_break: usize,
}

/// A call and its purpose.
#[derive(Debug)]
pub(crate) enum Task {
    Associate {
        group: GroupIndex,
        chunk: Chunk,
        /// Built again before the first attempt, because addresses may join the chunk until then.
        call: QueueCall,
    },
    /// Read the next page of the list of a group's queue.
    List {
        group: GroupIndex,
        listing: Box<Listing>,
        call: ListCall,
    },
    ReadDirectory {
        directory: DirectoryIndex,
        call: SearchCall,
    },
    CheckInstance {
        call: SearchCall,
    },
}

/// The response to a task, after all retries of its call.
#[derive(Debug)]
pub(crate) enum StepResponse {
    /// Every address of the chunk is on the queue.
    Associated {
        group: GroupIndex,
        chunk: Chunk,
    },
    /// A page of the queue's list. `listing` contains the pages before it.
    Listed {
        group: GroupIndex,
        listing: Box<Listing>,
        page: Page<ListedAddress>,
    },
    DirectoryPage {
        directory: DirectoryIndex,
        page: Page<DirectoryEntry>,
    },
    InstanceExists {
        call: SearchCall,
    },
    /// The call failed and is not retried.
    Rejected {
        task: Task,
        rejected: RejectedCall,
    },
}

impl Step {
    pub(super) fn is_retry(&self) -> bool {
        self.wait.is_some() || self.retry.is_some()
    }
}

impl Task {
    pub(super) fn operation(&self) -> Operation {
        match self {
            Task::Associate { .. } => Operation::Associate,
            Task::List { .. } => Operation::List,
            Task::ReadDirectory { call, .. } | Task::CheckInstance { call } => call.directory.operation(),
        }
    }

    pub(super) fn group(&self) -> Option<GroupIndex> {
        match self {
            Task::Associate { group, .. } | Task::List { group, .. } => Some(*group),
            Task::ReadDirectory { .. } | Task::CheckInstance { .. } => None,
        }
    }

    pub(super) fn reads_directory(&self) -> bool {
        matches!(self, Task::ReadDirectory { .. })
    }

    /// Number of addresses that the call associates if it succeeds.
    pub(super) fn addresses(&self) -> usize {
        match self {
            Task::Associate { call, .. } => call.addresses.len(),
            Task::List { .. } | Task::ReadDirectory { .. } | Task::CheckInstance { .. } => 0,
        }
    }

    /// Makes the call once. A rejection returns the task too, because the call may be retried.
    pub(super) async fn attempt(
        self,
        context: CallContext<'_>,
        now: Instant,
    ) -> Result<StepResponse, (Self, Rejection)> {
        let connect = context.connect;
        match self {
            Task::Associate { group, chunk, call } => {
                match context.attempt(now, connect.associate(&call)).await {
                    Ok(()) => Ok(StepResponse::Associated { group, chunk }),
                    Err(rejection) => Err((Task::Associate { group, chunk, call }, rejection)),
                }
            }
            Task::List { group, listing, call } => match context.attempt(now, connect.list(&call)).await {
                Ok(page) => Ok(StepResponse::Listed { group, listing, page }),
                Err(rejection) => Err((Task::List { group, listing, call }, rejection)),
            },
            Task::ReadDirectory { directory, call } => {
                match context.attempt(now, connect.search(&call)).await {
                    Ok(page) => Ok(StepResponse::DirectoryPage { directory, page }),
                    Err(rejection) => Err((Task::ReadDirectory { directory, call }, rejection)),
                }
            }
            Task::CheckInstance { call } => match context.attempt(now, connect.search(&call)).await {
                Ok(_) => Ok(StepResponse::InstanceExists { call }),
                Err(rejection) => Err((Task::CheckInstance { call }, rejection)),
            },
        }
    }
}
