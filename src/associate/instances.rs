//! Finds out whether an instance exists before all of its queues are called.
//!
//! With a wrong `instanceId` every queue is missing, and each queue would cost two calls. So if the API did not find two
//! groups of an instance and found none, one SearchQueues call checks the instance. Until its response arrives, calls of
//! that instance's other groups wait. They also wait while the lists of enough rejected groups are being read, because
//! those lists may lead to the same check.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::connect::{Class, DirectoryKind, Rejection, SearchCall};
use crate::failure::{Blame, Failure, Retry};
use crate::index::GroupIndex;
use crate::requests::InstanceId;

use super::group::QueueStatus;
use super::step::Step;

/// Number of groups that the API did not find, after which the instance is checked.
const NOT_FOUND_TO_CHECK: usize = 2;

/// What is known about each instance, and the calls that wait until more is known.
#[derive(Debug, Default)]
pub(super) struct Instances {
    states: HashMap<InstanceId, InstanceState>,
    to_check: VecDeque<InstanceId>,
    waiting: HashMap<InstanceId, Vec<Step>>,
    released: Vec<Step>,
}

#[derive(Debug)]
enum InstanceState {
    /// The API has not found any queue of the instance so far.
    Undecided(RejectedGroups),
    /// A SearchQueues call checks whether the instance exists. The text is the error code of the missing groups.
    Checking(String),
    /// The instance exists, or the check failed. Every group of the instance is called.
    Open,
    /// SearchQueues did not find the instance either.
    Missing(Arc<Failure>),
}

/// The groups of an instance that suggest that it does not exist.
#[derive(Debug, Default)]
struct RejectedGroups {
    /// Groups that the API did not find, up to [`NOT_FOUND_TO_CHECK`].
    not_found: Vec<GroupIndex>,
    /// Groups whose first call was rejected. Their lists are being read to find out whether their queues exist.
    doubtful: Vec<GroupIndex>,
    /// The error code of the groups that were not found.
    code: String,
}

/// The decision about a call before it is made.
#[derive(Debug)]
pub(super) enum Review {
    Call(Step),
    /// The call must wait. [`Instances::release`] returns it later.
    Wait,
    /// The instance does not exist, so the call is unnecessary.
    Missing(Arc<Failure>),
}

impl Instances {
    /// Decides whether to make a call of a group that the API has not found yet.
    pub(super) fn review(&mut self, instance: &InstanceId, group: GroupIndex, step: Step) -> Review {
        match self.states.get_mut(instance) {
            None | Some(InstanceState::Open) => return Review::Call(step),
            Some(InstanceState::Missing(failure)) => return Review::Missing(failure.clone()),
            Some(InstanceState::Undecided(groups)) if groups.allows(group) => {
                return Review::Call(step);
            }
            Some(state) => {
                if let InstanceState::Undecided(groups) = state
                    && groups.not_found.len() >= NOT_FOUND_TO_CHECK
                {
                    *state = InstanceState::Checking(std::mem::take(&mut groups.code));
                    self.to_check.push_back(instance.clone());
                }
            }
        }
        self.waiting.entry(instance.clone()).or_default().push(step);
        Review::Wait
    }

    /// Records what is known about a queue of the instance after a response.
    pub(super) fn note(&mut self, instance: &InstanceId, group: GroupIndex, status: QueueStatus<'_>) {
        if matches!(status, QueueStatus::Unknown) && !self.states.contains_key(instance) {
            return;
        }
        let state = self
            .states
            .entry(instance.clone())
            .or_insert_with(|| InstanceState::Undecided(RejectedGroups::default()));
        match (state, status) {
            (InstanceState::Open | InstanceState::Missing(_), _) => return,
            (state, QueueStatus::Found) => *state = InstanceState::Open,
            (InstanceState::Checking(_), _) => return,
            (InstanceState::Undecided(groups), status) => {
                if !groups.note(group, status) {
                    return;
                }
            }
        }
        self.release_waiting(instance);
    }

    /// Takes the calls that no longer wait. They are reviewed again before they are made.
    pub(super) fn release(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.released)
    }

    pub(super) fn next_check(&mut self) -> Option<SearchCall> {
        let instance = self.to_check.pop_front()?;
        Some(SearchCall { instance, directory: DirectoryKind::Queues, next_token: None })
    }

    /// Records the end of the check. Without a `rejection`, the instance exists or the call was not made in time.
    pub(super) fn checked(&mut self, call: &SearchCall, rejection: Option<&Rejection>) {
        let Some(state) = self.states.get_mut(&call.instance) else { return };
        let InstanceState::Checking(code) = state else { return };
        *state = match rejection {
            Some(rejection) if rejection.class == Class::NotFound => {
                InstanceState::Missing(Arc::new(missing(std::mem::take(code), rejection)))
            }
            _ => InstanceState::Open,
        };
        self.release_waiting(&call.instance);
    }

    fn release_waiting(&mut self, instance: &InstanceId) {
        self.released.extend(self.waiting.remove(instance).into_iter().flatten());
    }
}

impl RejectedGroups {
    /// Whether a group can be called now. Of the rejected groups, only as many read their lists as the check needs.
    fn allows(&self, group: GroupIndex) -> bool {
        let needed = NOT_FOUND_TO_CHECK.saturating_sub(self.not_found.len());
        self.doubtful.len() < needed || self.doubtful.iter().take(needed).any(|doubtful| *doubtful == group)
    }

    /// Records the status of a group. Returns whether a call that waits might now be allowed.
    fn note(&mut self, group: GroupIndex, status: QueueStatus<'_>) -> bool {
        let doubtful = self.doubtful.len();
        self.doubtful.retain(|other| *other != group);
        match status {
            QueueStatus::Doubtful => self.doubtful.push(group),
            QueueStatus::NotFound(failure) => {
                if self.not_found.len() < NOT_FOUND_TO_CHECK && !self.not_found.contains(&group) {
                    self.not_found.push(group);
                    self.code.clone_from(&failure.error);
                }
            }
            QueueStatus::Found | QueueStatus::Unknown => {}
        }
        self.doubtful.len() < doubtful
    }
}

/// The failure of the other groups of a missing instance, with the error code of the groups that were called.
fn missing(code: String, rejection: &Rejection) -> Failure {
    let message =
        format!("{}; check the instanceId: SearchQueues does not find it either", rejection.message);
    // The API may not find a new instance yet.
    Failure { blame: Blame::Queue, ..Failure::ours(code, message, Retry::FirstDelivery) }
}
