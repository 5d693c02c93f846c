//! Decides which call to make next, from the state of name look-ups, plan and groups.

mod doubt;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::associate::names::{DirectoryCache, LookupResults, Names};
use crate::associate::outcome::Outcomes;
use crate::associate::plan::{AddedChunks, Group, Place, Plan};
use crate::connect::{ListCall, QueueCall};
use crate::failure::Failure;
use crate::index::{DirectoryIndex, GroupIndex, Index, IndexList, PairIndex, SourceIndex};
use crate::pairs::Pairs;
use crate::requests::EmailAddressId;

use super::group::{Chunk, GroupLimits, GroupStep, Progress, QueueStatus};
use super::instances::{Instances, Review};
use super::step::{Rank, Step, StepResponse, Task};

/// How long a chunk that is not full waits for names that may still join its group. A full chunk saves a call, and a
/// call takes this long at the default quota of two per second. Waiting longer would delay pairs that need no look-up by
/// more than it saves.
const WAIT_FOR_NAMES: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy)]
pub(crate) struct SchedulerInput<'p> {
    pub pairs: &'p Pairs,
    /// The identifier of each source of the envelope, for the `ClientToken`.
    pub source_ids: &'p IndexList<SourceIndex, Arc<str>>,
    /// The cached directories.
    pub directories: &'p DirectoryCache,
    /// The Region of Connect, for messages.
    pub region: &'p str,
    pub limits: GroupLimits,
}

/// Everything that needs calls, with its state.
#[derive(Debug)]
pub(crate) struct Scheduler<'p> {
    input: SchedulerInput<'p>,
    names: Names<'p>,
    plan: Plan,
    groups: IndexList<GroupIndex, ScheduledGroup>,
    instances: Instances,
    candidates: VecDeque<Candidate>,
    /// Until this time, chunks that are not full wait for names. `None` once it has passed.
    names_awaited_until: Option<Instant>,
    /// The pairs whose names were looked up a second time, each with its previous place in the plan.
    looked_up_again: Vec<(PairIndex, Place)>,
}

/// A group of the plan, while calls are made.
#[derive(Debug)]
struct ScheduledGroup {
    progress: Progress,
    /// Number of pairs that will join the group once their address is resolved.
    waiting: usize,
}

/// A group or a directory that may need a step.
#[derive(Debug, Clone, Copy)]
enum Candidate {
    /// A group, with the wait before its next step if there is one.
    Group(GroupIndex, Option<Duration>),
    /// A directory that is being read.
    Directory(DirectoryIndex),
}

impl<'p> Scheduler<'p> {
    /// Groups the pairs whose identifiers are known, and starts to look up the names of the others.
    pub(crate) fn new(input: SchedulerInput<'p>, now: Instant) -> Self {
        let (names, found) = Names::new(input.pairs, input.directories, input.region, now);
        let (plan, added) = Plan::new(input.pairs, found, &names.directories.unread);
        let mut scheduler = Scheduler {
            input,
            plan,
            groups: IndexList::default(),
            instances: Instances::default(),
            candidates: names.directories.to_read().map(Candidate::Directory).collect(),
            names,
            names_awaited_until: Some(now + WAIT_FOR_NAMES),
            looked_up_again: Vec::new(),
        };
        scheduler.add(added);
        scheduler
    }

    /// Returns the final plan and the outcome of each pair.
    pub(crate) fn finish(mut self) -> (Plan, Outcomes) {
        self.make_late_rejections_retryable();
        let by_group = self.groups.into_iter().map(|group| group.progress.finish()).collect();
        let outcomes = Outcomes::new(&self.plan, by_group);
        (self.plan, outcomes)
    }

    /// Returns the next step. The loop hands back the result with [`Scheduler::record`] or [`Scheduler::end`].
    pub(super) fn next_step(&mut self, now: Instant) -> Option<Step> {
        self.end_wait_for_names(now);
        if let Some(call) = self.instances.next_check() {
            let rank = Rank { request_calls: 0, tie_break: 0 };
            return Some(Step { task: Task::CheckInstance { call }, rank, wait: None, retry: None });
        }
        while let Some(candidate) = self.candidates.pop_front() {
            let step = match candidate {
                Candidate::Group(group, wait) => self.next_step_of_group(group, wait),
                Candidate::Directory(directory) => self.next_page(directory),
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

    fn next_page(&self, directory: DirectoryIndex) -> Option<Step> {
        let needed = &self.names.directories.needed[directory];
        let (call, request_calls) = (needed.next_page()?, needed.request_calls);
        let rank = Rank { request_calls, tie_break: directory.get() };
        Some(Step { task: Task::ReadDirectory { directory, call }, rank, wait: None, retry: None })
    }

    fn next_step_of_group(&mut self, group: GroupIndex, wait: Option<Duration>) -> Option<Step> {
        let scheduled = &mut self.groups[group];
        let more_may_join = scheduled.waiting > 0 && self.names_awaited_until.is_some();
        let planned = &self.plan.groups[group];
        let step = scheduled.progress.next_step(planned, more_may_join).or_else(|| {
            // A check comes last, because it needs every requested address.
            let can_check =
                scheduled.waiting == 0 && self.names.directories.knows_addresses(&planned.instance);
            can_check.then(|| scheduled.progress.next_check(planned)).flatten()
        })?;
        let (task, request_calls) = match step {
            GroupStep::Associate(chunk) => {
                let request_calls = chunk.request_calls;
                let call = associate_call(self.input.source_ids, planned, &chunk);
                (Task::Associate { group, chunk, call }, request_calls)
            }
            GroupStep::List(listing) => {
                let (instance, queue) = (planned.instance.clone(), planned.queue.clone());
                let next_token = listing.next_token().map(str::to_owned);
                let request_calls = listing.request_calls();
                (Task::List { group, listing, call: ListCall { instance, queue, next_token } }, request_calls)
            }
        };
        Some(Step { task, rank: Rank { request_calls, tie_break: group.get() }, wait, retry: None })
    }

    /// Reviews a call before it is made. Other responses may have made the call unnecessary, or it must wait for them. If
    /// it goes ahead, newly resolved addresses join its chunk.
    pub(super) fn review(&mut self, mut step: Step) -> Option<Step> {
        let Some(group) = step.task.group() else { return Some(step) };
        let planned = &self.plan.groups[group];
        let progress = &mut self.groups[group].progress;
        if !matches!(progress.queue_status(), QueueStatus::Found) {
            step = match self.instances.review(&planned.instance, group, step) {
                Review::Call(step) => step,
                Review::Wait => return None,
                Review::Missing(failure) => {
                    progress.close(failure);
                    return None;
                }
            };
        }
        if let (None, Task::Associate { chunk, call, .. }) = (&step.retry, &mut step.task) {
            progress.fill(chunk, planned);
            *call = associate_call(self.input.source_ids, planned, chunk);
        }
        Some(step)
    }

    /// Takes the calls that no longer wait and can be reviewed again.
    pub(super) fn release(&mut self) -> Vec<Step> {
        self.instances.release()
    }

    /// Records that a call is being retried. Its response may take a while, so other groups stop waiting for it.
    pub(super) fn stop_waiting_for(&mut self, group: GroupIndex) {
        self.instances.note(&self.plan.groups[group].instance, group, QueueStatus::Unknown);
    }

    pub(super) fn start_page(&mut self, directory: DirectoryIndex, now: Instant) {
        self.names.directories.needed[directory].start_page(now);
    }

    pub(super) fn record(&mut self, response: StepResponse, now: Instant) {
        match response {
            StepResponse::Associated { group, chunk } => self.update(group, |progress, _, _| {
                progress.associated(&chunk);
                None
            }),
            StepResponse::Listed { group, listing, page } => {
                self.update(group, |progress, group, names| {
                    let exists = |id: &EmailAddressId| names.directories.check_address(&group.instance, id);
                    progress.listed(*listing, page, group, exists)
                });
            }
            StepResponse::DirectoryPage { directory, page } => {
                let found = self.names.add_page(directory, page, now);
                self.apply_look_ups(directory, found);
            }
            StepResponse::InstanceExists { call } => self.instances.checked(&call, None),
            StepResponse::Rejected { task, rejected } => match task {
                Task::Associate { group, chunk, .. } => {
                    self.update(group, |progress, _, _| progress.not_associated(chunk, rejected));
                }
                Task::List { group, listing, .. } => {
                    self.update(group, |progress, group, _| progress.not_listed(*listing, &rejected, group));
                }
                Task::ReadDirectory { directory, .. } => {
                    let found = self.names.page_rejected(directory, &rejected, now);
                    self.apply_look_ups(directory, found);
                }
                Task::CheckInstance { call } => self.instances.checked(&call, Some(&rejected.rejection)),
            },
        }
    }

    /// Ends the group or directory of a step for which no time is left.
    pub(super) fn end(&mut self, task: &Task, failure: Failure, now: Instant) {
        match task {
            Task::Associate { group, .. } | Task::List { group, .. } => {
                let progress = &mut self.groups[*group].progress;
                progress.close(Arc::new(failure));
                self.instances.note(&self.plan.groups[*group].instance, *group, progress.queue_status());
            }
            Task::ReadDirectory { directory, .. } => {
                let found = self.names.out_of_time(*directory, &failure.message, now);
                self.apply_look_ups(*directory, found);
            }
            // Without a response, the instance counts as existing.
            Task::CheckInstance { call } => self.instances.checked(call, None),
        }
    }

    fn end_wait_for_names(&mut self, now: Instant) {
        if self.names_awaited_until.is_some_and(|until| until <= now) {
            self.names_awaited_until = None;
            self.wake_groups();
        }
    }

    /// Applies the results of a page that was read, or of a directory that cannot be read to its end.
    fn apply_look_ups(&mut self, directory: DirectoryIndex, found: LookupResults) {
        self.join(found);
        if self.names.directories.needed[directory].state.is_reading() {
            self.candidates.push_back(Candidate::Directory(directory));
        } else {
            // A check waits for the whole directory.
            self.wake_groups();
        }
    }

    /// Adds pairs to their groups, now that their names have been resolved.
    fn join(&mut self, found: LookupResults) {
        if found.queues.is_empty() && found.pairs.is_empty() {
            return;
        }
        let added = self.plan.join(self.input.pairs, found);
        self.add(added);
        self.wake_groups();
    }

    /// Adds what is new in the plan to the groups.
    fn add(&mut self, added: AddedChunks) {
        for _ in self.groups.len()..self.plan.groups.len() {
            let group =
                self.groups.push(ScheduledGroup { progress: Progress::new(self.input.limits), waiting: 0 });
            self.candidates.push_back(Candidate::Group(group, None));
        }
        for (scheduled, group) in self.groups.iter_mut().zip(&self.plan.groups) {
            scheduled.progress.grow(group);
        }
        for (scheduled, chunks) in self.groups.iter_mut().zip(added) {
            if !chunks.is_empty() {
                scheduled.progress.join(chunks);
            }
        }
        self.count_waiting();
    }

    fn wake_groups(&mut self) {
        self.candidates.extend(self.groups.indices().map(|group| Candidate::Group(group, None)));
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
        respond: impl FnOnce(&mut Progress, &Group, &Names<'_>) -> Option<Duration>,
    ) {
        let (progress, planned) = (&mut self.groups[group].progress, &self.plan.groups[group]);
        let wait = respond(progress, planned, &self.names);
        self.instances.note(&planned.instance, group, progress.queue_status());
        self.candidates.push_back(Candidate::Group(group, wait));
    }
}

fn associate_call(source_ids: &IndexList<SourceIndex, Arc<str>>, group: &Group, chunk: &Chunk) -> QueueCall {
    let members = || chunk.members.iter().map(|member| &group.addresses[*member]);
    let mut sources: Vec<SourceIndex> =
        members().flat_map(|address| address.sources.as_slice()).copied().collect();
    sources.sort_unstable();
    sources.dedup();
    QueueCall {
        instance: group.instance.clone(),
        queue: group.queue.clone(),
        addresses: members().map(|address| address.id.clone()).collect(),
        sources: sources.into_iter().map(|source| source_ids[source].clone()).collect(),
    }
}
