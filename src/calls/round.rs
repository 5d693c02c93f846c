//! A round: the directories that are to be read and the groups that are to be brought onto their queues, as steps for
//! the loop that makes the calls.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::connect::{AssociateCall, ListCall};
use crate::failure::{Blame, Failure, Retry};
use crate::names::Reading;
use crate::outcomes::Outcome;
use crate::plan::{Group, Plan};

use super::group::{GroupLimits, GroupStep, Progress, QueueVerdict, Set};
use super::step::{Answer, Attempt, Pause, Step, Task};
use super::token::client_token;

/// Groups of an instance that must be not found, and none found, for the rest to be given up: it is the instance
/// that is wrong then, and each queue of it would cost two more calls.
const NOT_FOUND_TO_GIVE_UP: u32 = 10;

/// Everything that wants calls made, and how far each part has come.
#[derive(Debug)]
pub struct Round<'p> {
    plan: &'p Plan,
    /// For each of the envelope's sources, what identifies it in a `ClientToken`.
    source_ids: &'p [Arc<str>],
    groups: Vec<Progress>,
    instances: HashMap<&'p str, Instance>,
    reading: Reading,
    /// Who may want a step, each once.
    idle: VecDeque<Idle>,
}

/// Somebody who has no step under way.
#[derive(Debug, Clone, Copy)]
enum Idle {
    /// A group, perhaps after a pause.
    Group(usize, Option<Pause>),
    /// The reading of a directory.
    Reading(usize),
}

/// What is known of an instance by its queues.
#[derive(Debug, Default, Clone, Copy)]
struct Instance {
    found: bool,
    not_found: u32,
}

impl Instance {
    fn is_given_up(self) -> bool {
        !self.found && self.not_found >= NOT_FOUND_TO_GIVE_UP
    }
}

impl<'p> Round<'p> {
    /// The groups of a plan, of which nothing was called yet. `decided` gives what is known already of an address,
    /// by its group and its position in it.
    pub fn new(
        plan: &'p Plan,
        source_ids: &'p [Arc<str>],
        limits: GroupLimits,
        decided: impl Fn(usize, usize) -> Option<Outcome>,
    ) -> Self {
        let begin = |(number, group): (usize, &Group)| {
            Progress::new(group, limits, |address| decided(number, address))
        };
        let groups: Vec<Progress> = plan.groups.iter().enumerate().map(begin).collect();
        let idle = (0..groups.len()).map(|group| Idle::Group(group, None)).collect();
        Round { plan, source_ids, groups, instances: HashMap::new(), reading: Reading::default(), idle }
    }

    /// Directories are to be read as well.
    #[must_use]
    pub fn with_reading(mut self, reading: Reading) -> Self {
        self.idle.extend((0..reading.directories()).map(Idle::Reading));
        self.reading = reading;
        self
    }

    /// What became of each address, group by group, and the directories.
    pub fn finish(self) -> (Vec<Vec<Outcome>>, Reading) {
        (self.groups.into_iter().map(Progress::into_outcomes).collect(), self.reading)
    }

    /// The next step that is wanted. It comes back with [`Round::record`] or [`Round::expire`].
    pub(super) fn next(&mut self) -> Option<Step> {
        while let Some(idle) = self.idle.pop_front() {
            let step = match idle {
                Idle::Group(group, pause) => self.next_of_group(group, pause),
                Idle::Reading(reading) => self.reading.next(reading).map(|operation| Step {
                    task: Task::Search { reading, operation },
                    urgency: 0,
                    place: reading,
                    pause: None,
                }),
            };
            if step.is_some() {
                return step;
            }
        }
        None
    }

    fn next_of_group(&mut self, group: usize, pause: Option<Pause>) -> Option<Step> {
        let (task, urgency) = match self.groups[group].next_step()? {
            GroupStep::Associate(set) => {
                let urgency = set.urgency;
                (Task::Associate { group, set }, urgency)
            }
            GroupStep::List(listing) => {
                let urgency = listing.urgency();
                (Task::List { group, listing }, urgency)
            }
        };
        Some(Step { task, urgency, place: group, pause })
    }

    /// Looks at a step again before it begins: the answer to another may have made it pointless.
    pub(super) fn review(&mut self, step: Step) -> Option<Step> {
        let Task::Associate { group, .. } = step.task else { return Some(step) };
        let progress = &mut self.groups[group];
        let instance = self.instances.get(&*self.plan.groups[group].instance).copied().unwrap_or_default();
        if progress.verdict().is_some() || progress.is_begun() || !instance.is_given_up() {
            return Some(step);
        }
        let message = format!(
            "not called: {NOT_FOUND_TO_GIVE_UP} other queues of this instance were not found and none was; check \
             the instanceId"
        );
        let failure = Failure::ours("ResourceNotFoundException", message, Retry::MayPass);
        progress.fail_rest(Failure { blame: Blame::Queue, ..failure });
        None
    }

    /// The task with its call.
    pub(super) fn attempt(&self, task: Task) -> Attempt {
        match task {
            Task::Associate { group, set } => {
                let call = self.associate_call(&self.plan.groups[group], &set);
                Attempt::Associate { group, set, call }
            }
            Task::List { group, listing } => {
                let Group { instance, queue, .. } = &self.plan.groups[group];
                let next_token = listing.next_token().map(str::to_owned);
                let call = ListCall { instance: instance.clone(), queue: queue.clone(), next_token };
                Attempt::List { group, listing, call }
            }
            Task::Search { reading, operation } => {
                Attempt::Search { reading, operation, call: self.reading.call(reading) }
            }
        }
    }

    /// Takes the answer to a step.
    pub(super) fn record(&mut self, answer: Answer) {
        match answer {
            Answer::Associated { group, set } => self.update(group, |progress, _| {
                progress.associated(&set);
                None
            }),
            Answer::Listed { group, listing, page } => {
                self.update(group, |progress, group| progress.listed(listing, page, group));
            }
            Answer::Found { reading, page } => {
                self.reading.found(reading, page);
                self.idle.push_back(Idle::Reading(reading));
            }
            Answer::Refused { task: Task::Associate { group, set }, refused } => {
                self.update(group, |progress, _| progress.not_associated(set, refused));
            }
            Answer::Refused { task: Task::List { group, listing }, refused } => {
                self.update(group, |progress, _| progress.not_listed(listing, &refused));
            }
            Answer::Refused { task: Task::Search { reading, .. }, refused } => {
                self.reading.refused(reading, &refused);
            }
        }
    }

    /// Hands an answer to a group, which then may want its next step.
    fn update(&mut self, group: usize, answer: impl FnOnce(&mut Progress, &Group) -> Option<Pause>) {
        let (progress, planned) = (&mut self.groups[group], &self.plan.groups[group]);
        let before = progress.verdict();
        let pause = answer(progress, planned);
        if progress.verdict() != before {
            let instance = self.instances.entry(&planned.instance).or_default();
            match progress.verdict() {
                Some(QueueVerdict::Found) => instance.found = true,
                Some(QueueVerdict::NotFound) => instance.not_found += 1,
                None => {}
            }
        }
        self.idle.push_back(Idle::Group(group, pause));
    }

    /// There is no time left for a step.
    pub(super) fn expire(&mut self, task: &Task, reason: &str) {
        match task {
            Task::Associate { group, .. } | Task::List { group, .. } => {
                self.groups[*group].fail_rest(Failure::deadline_exceeded(reason));
            }
            Task::Search { reading, .. } => self.reading.expire(*reading, reason),
        }
    }

    fn associate_call(&self, group: &Group, set: &Set) -> AssociateCall {
        let addresses = || set.members.iter().map(|address| &group.addresses[*address]);
        let mut sources: Vec<usize> =
            addresses().flat_map(|address| address.sources.as_slice()).copied().collect();
        sources.sort_unstable();
        sources.dedup();
        AssociateCall {
            instance: group.instance.clone(),
            queue: group.queue.clone(),
            addresses: addresses().map(|address| address.id.clone()).collect(),
            client_token: client_token(
                &group.instance,
                &group.queue,
                addresses().map(|address| &*address.id),
                sources.iter().map(|source| &*self.source_ids[*source]),
            ),
        }
    }
}
