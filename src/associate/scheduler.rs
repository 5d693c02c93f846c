//! Decides on the next call of an invocation, from the state of its names, its plan and its groups.

mod doubt;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::associate::names::{DirectoryCache, LookupResults, Names};
use crate::associate::outcome::GroupOutcomes;
use crate::associate::plan::{AddedChunks, Group, Place, Plan};
use crate::connect::{AssociateCall, ListCall};
use crate::failure::Failure;
use crate::index::{DirectoryIndex, GroupIndex, Index, IndexList, PairIndex, SourceIndex};
use crate::pairs::Pairs;
use crate::requests::EmailAddressId;

use super::agenda::PendingAttempt;
use super::credentials::Credentials;
use super::group::{Chunk, GroupLimits, GroupStep, Progress, Standing};
use super::instances::{Gate, Instances};
use super::pause::Pause;
use super::step::{Attempt, Step, StepResponse, Task};
use super::token::client_token;

/// How long a chunk that is not full waits for names that may still join its group. A full chunk saves a call, and a
/// call takes this long at the default quota of two per second. A longer wait would delay identifiers more than it saves.
const WAIT_FOR_NAMES: Duration = Duration::from_millis(500);

/// The input of a scheduler.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SchedulerInput<'p> {
    /// The pairs of the payload.
    pub pairs: &'p Pairs,
    /// The identifier of each source of the envelope, for the `ClientToken`.
    pub(crate) source_ids: &'p IndexList<SourceIndex, Arc<str>>,
    /// The directories that the process keeps.
    pub directories: &'p DirectoryCache,
    /// The Region of Connect, for messages.
    pub region: &'p str,
    /// Bounds of each group.
    pub limits: GroupLimits,
}

/// The state of everything that needs calls.
#[derive(Debug)]
pub(crate) struct Scheduler<'p> {
    input: SchedulerInput<'p>,
    names: Names<'p>,
    plan: Plan,
    groups: IndexList<GroupIndex, ScheduledGroup>,
    instances: Instances,
    /// Whether the API accepts the credentials.
    pub(super) credentials: Credentials,
    /// Groups and directories that may need a step.
    candidates: VecDeque<Candidate>,
    /// Until when chunks that are not full wait for names.
    names_awaited_until: Option<Instant>,
    /// The pairs that were looked up again, with their places before.
    looked_up_again: Vec<(PairIndex, Place)>,
}

/// A group of the plan, while calls are made.
#[derive(Debug)]
struct ScheduledGroup {
    progress: Progress,
    /// Number of pairs that join the group after the lookup of their address.
    waiting: usize,
}

/// A group or a directory that may need a step.
#[derive(Debug, Clone, Copy)]
enum Candidate {
    /// A group, perhaps after a pause.
    Group(GroupIndex, Option<Pause>),
    /// The reading of a directory.
    Reading(DirectoryIndex),
}

impl<'p> Scheduler<'p> {
    /// Groups the pairs whose identifiers are known, and starts to look up the names of the others.
    pub(crate) fn new(input: SchedulerInput<'p>, now: Instant) -> Self {
        let (names, resolved) = Names::new(input.pairs, input.directories, input.region, now);
        let mut scheduler = Scheduler {
            input,
            plan: Plan::new(input.pairs, resolved),
            groups: IndexList::default(),
            instances: Instances::default(),
            credentials: Credentials::default(),
            candidates: names.directories.to_read().map(Candidate::Reading).collect(),
            names,
            names_awaited_until: Some(now + WAIT_FOR_NAMES),
            looked_up_again: Vec::new(),
        };
        scheduler.add_new_groups();
        scheduler.count_waiting();
        scheduler
    }

    /// Returns the final plan and the outcome of each of its addresses.
    pub(crate) fn finish(mut self) -> (Plan, IndexList<GroupIndex, GroupOutcomes>) {
        self.excuse_late_rejections();
        (self.plan, self.groups.into_iter().map(|group| group.progress.finish()).collect())
    }

    /// Returns the next step. The loop returns it with [`Scheduler::record`], [`Scheduler::expire`] or
    /// [`Scheduler::give_up`].
    pub(super) fn next_step(&mut self, now: Instant) -> Option<Step> {
        self.end_wait_for_names(now);
        if let Some(call) = self.instances.next_check() {
            return Some(Step { task: Task::CheckInstance { call }, urgency: 0, place: 0, pause: None });
        }
        while let Some(candidate) = self.candidates.pop_front() {
            let step = match candidate {
                Candidate::Group(group, pause) => self.next_step_of_group(group, pause),
                Candidate::Reading(reading) => self.names.directories.next_page(reading).map(|call| Step {
                    task: Task::Search { reading, call },
                    urgency: self.names.directories.urgency(reading),
                    place: reading.get(),
                    pause: None,
                }),
            };
            if step.is_some() {
                return step;
            }
        }
        None
    }

    /// The time at which a step may become ready without another response.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        self.names.directories.to_read().next()?;
        self.names_awaited_until
    }

    fn next_step_of_group(&mut self, group: GroupIndex, pause: Option<Pause>) -> Option<Step> {
        let scheduled = &mut self.groups[group];
        let more_may_join = scheduled.waiting > 0 && self.names_awaited_until.is_some();
        let planned = &self.plan.groups[group];
        let step = scheduled.progress.next_step(planned, more_may_join).or_else(|| {
            // A check comes last, because it needs every requested address.
            let may_check =
                scheduled.waiting == 0 && self.names.directories.knows_addresses(&planned.instance);
            may_check.then(|| scheduled.progress.next_check(planned)).flatten()
        })?;
        let (task, urgency) = match step {
            GroupStep::Associate(chunk) => {
                let urgency = chunk.urgency;
                (Task::Associate { group, chunk }, urgency)
            }
            GroupStep::List(listing) => {
                let urgency = listing.urgency();
                (Task::List { group, listing }, urgency)
            }
        };
        Some(Step { task, urgency, place: group.get(), pause })
    }

    /// Reviews a call before it is made. Other responses may have made it pointless, or it has to wait for them. New
    /// identifiers from a directory join its chunk.
    pub(super) fn review(&mut self, mut pending: PendingAttempt) -> Option<PendingAttempt> {
        let Some(group) = pending.group() else { return Some(pending) };
        let planned = &self.plan.groups[group];
        let progress = &mut self.groups[group].progress;
        if !matches!(progress.standing(), Standing::Found) {
            pending = match self.instances.review(&planned.instance, group, pending) {
                Gate::Call(pending) => pending,
                Gate::Wait => return None,
                Gate::Missing(failure) => {
                    progress.close(failure);
                    return None;
                }
            };
        }
        if let PendingAttempt::First(step) = &mut pending
            && let Task::Associate { chunk, .. } = &mut step.task
        {
            progress.fill(chunk, planned);
        }
        Some(pending)
    }

    /// Takes the calls that no longer wait and can be reviewed again.
    pub(super) fn release(&mut self) -> Vec<PendingAttempt> {
        self.instances.release()
    }

    /// Records that a call is retried, so that its response may take long. Other groups do not wait for it.
    pub(super) fn delay(&mut self, group: GroupIndex) {
        self.instances.note(&self.plan.groups[group].instance, group, Standing::Unknown);
    }

    /// Builds the call of a task. The call starts now.
    pub(super) fn attempt(&mut self, task: Task, now: Instant) -> Attempt {
        match task {
            Task::Associate { group, chunk } => {
                let call = self.associate_call(&self.plan.groups[group], &chunk);
                Attempt::Associate { group, chunk, call }
            }
            Task::List { group, listing } => {
                let Group { instance, queue, .. } = &self.plan.groups[group];
                let next_token = listing.next_token().map(str::to_owned);
                let call = ListCall { instance: instance.clone(), queue: queue.clone(), next_token };
                Attempt::List { group, listing, call }
            }
            Task::Search { reading, call } => {
                self.names.directories.start_page(reading, now);
                Attempt::Search { reading, call }
            }
            Task::CheckInstance { call } => Attempt::CheckInstance { call },
        }
    }

    /// Records the response to a step.
    pub(super) fn record(&mut self, response: StepResponse, now: Instant) {
        match response {
            StepResponse::Associated { group, chunk } => self.update(group, |progress, _, _| {
                progress.associated(&chunk);
                None
            }),
            StepResponse::Listed { group, listing, page } => {
                self.update(group, |progress, group, names| {
                    let exists = |id: &EmailAddressId| names.directories.check_address(&group.instance, id);
                    progress.listed(listing, page, group, exists)
                });
            }
            StepResponse::Found { reading, page } => {
                let found = self.names.add_page(reading, page, now);
                self.apply_reading(reading, found);
            }
            StepResponse::Exists { call } => self.instances.checked(&call, None),
            StepResponse::Rejected { task: Task::CheckInstance { call }, rejected } => {
                self.instances.checked(&call, Some(&rejected.rejection));
            }
            StepResponse::Rejected { task: Task::Associate { group, chunk }, rejected } => {
                self.update(group, |progress, _, _| progress.not_associated(chunk, rejected));
            }
            StepResponse::Rejected { task: Task::List { group, listing }, rejected } => {
                self.update(group, |progress, group, _| progress.not_listed(listing, &rejected, group));
            }
            StepResponse::Rejected { task: Task::Search { reading, .. }, rejected } => {
                let found = self.names.page_rejected(reading, &rejected, now);
                self.apply_reading(reading, found);
            }
        }
    }

    /// Records that the time for a step is over.
    pub(super) fn expire(&mut self, task: &Task, reason: &str, now: Instant) {
        self.end(task, Failure::deadline_exceeded(reason), now);
    }

    /// Ends the group or reading of a rejected task, because the time for a retry is over.
    pub(super) fn give_up(&mut self, task: &Task, reason: &str, now: Instant) {
        self.end(task, Failure::deadline_exceeded_after_rejection(reason), now);
    }

    fn end(&mut self, task: &Task, failure: Failure, now: Instant) {
        match task {
            Task::Associate { group, .. } | Task::List { group, .. } => {
                let progress = &mut self.groups[*group].progress;
                progress.close(Arc::new(failure));
                self.instances.note(&self.plan.groups[*group].instance, *group, progress.standing());
            }
            Task::Search { reading, .. } => {
                let found = self.names.out_of_time(*reading, &failure.message, now);
                self.apply_reading(*reading, found);
            }
            Task::CheckInstance { call } => self.instances.checked(call, None),
        }
    }

    fn end_wait_for_names(&mut self, now: Instant) {
        if self.names_awaited_until.is_some_and(|until| until <= now) {
            self.names_awaited_until = None;
            self.wake_groups();
        }
    }

    /// Applies the results of a page that was read, or of a reading that ended.
    fn apply_reading(&mut self, reading: DirectoryIndex, found: LookupResults) {
        self.join(found);
        if self.names.directories.is_reading(reading) {
            self.candidates.push_back(Candidate::Reading(reading));
        } else {
            // A check waits for the whole directory.
            self.wake_groups();
        }
    }

    /// Adds the pairs whose names were found to their groups.
    fn join(&mut self, found: LookupResults) {
        if found.queues.is_empty() && found.pairs.is_empty() {
            return;
        }
        let added = self.plan.join(self.input.pairs, found);
        self.add_new_groups();
        for (scheduled, group) in self.groups.iter_mut().zip(&self.plan.groups) {
            scheduled.progress.grow(group);
        }
        for AddedChunks { group, chunks } in added {
            self.groups[group].progress.join(&chunks);
        }
        self.count_waiting();
        self.wake_groups();
    }

    fn wake_groups(&mut self) {
        self.candidates.extend(self.groups.indices().map(|group| Candidate::Group(group, None)));
    }

    fn add_new_groups(&mut self) {
        for group in self.plan.groups.iter().skip(self.groups.len()) {
            let progress = Progress::new(group, self.input.limits);
            let group = self.groups.push(ScheduledGroup { progress, waiting: 0 });
            self.candidates.push_back(Candidate::Group(group, None));
        }
    }

    fn count_waiting(&mut self) {
        self.groups.iter_mut().for_each(|group| group.waiting = 0);
        for pair in self.names.waiting() {
            if let Ok(group) = self.plan.group_of[self.input.pairs.pairs[pair].queue()] {
                self.groups[group].waiting += 1;
            }
        }
    }

    /// Passes a response to a group. The group may then need its next step.
    fn update(
        &mut self,
        group: GroupIndex,
        respond: impl FnOnce(&mut Progress, &Group, &Names<'_>) -> Option<Pause>,
    ) {
        let (progress, planned) = (&mut self.groups[group].progress, &self.plan.groups[group]);
        let pause = respond(progress, planned, &self.names);
        self.instances.note(&planned.instance, group, progress.standing());
        self.candidates.push_back(Candidate::Group(group, pause));
    }

    fn associate_call(&self, group: &Group, chunk: &Chunk) -> AssociateCall {
        let members = || chunk.members.iter().map(|member| &group.addresses[*member]);
        let addresses: Vec<EmailAddressId> = members().map(|address| address.id.clone()).collect();
        let mut sources: Vec<SourceIndex> =
            members().flat_map(|address| address.sources.as_slice()).copied().collect();
        sources.sort_unstable();
        sources.dedup();
        AssociateCall {
            instance: group.instance.clone(),
            queue: group.queue.clone(),
            client_token: client_token(
                &group.instance,
                &group.queue,
                &addresses,
                sources.iter().map(|source| &*self.input.source_ids[*source]),
            ),
            addresses,
        }
    }
}
