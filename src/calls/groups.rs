//! All groups of an invocation, as one work for the loop that makes the calls.

use std::collections::HashMap;
use std::sync::Arc;

use crate::failure::{Blame, Failure, Retry};
use crate::outcomes::Outcome;
use crate::plan::{Group, Plan};

use super::group::{GroupCall, GroupLimits, GroupRun, QueueVerdict, deadline_exceeded};
use super::operation::{Call, Reply};
use super::token::client_token;
use super::work::{Refused, Then, Want, Work};

/// Groups of an instance that must be not found, and none found, for the rest to be given up: it is the instance
/// that is wrong then, and each queue of it would cost two more calls.
const NOT_FOUND_TO_GIVE_UP: u32 = 10;

/// The groups of a plan and how far each has come. A group is a job of the same number.
#[derive(Debug)]
pub struct Groups<'p> {
    plan: &'p Plan,
    /// For each of the envelope's sources, what identifies it in a `ClientToken`.
    source_ids: &'p [Arc<str>],
    runs: Vec<GroupRun>,
    instances: HashMap<&'p str, Instance>,
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

impl<'p> Groups<'p> {
    /// The groups of a plan, of which nothing was called yet. `decided` gives what is known already of an address,
    /// by its group and its position in it.
    pub fn new(
        plan: &'p Plan,
        source_ids: &'p [Arc<str>],
        limits: GroupLimits,
        decided: impl Fn(usize, usize) -> Option<Outcome>,
    ) -> Self {
        let run = |(number, group): (usize, &Group)| {
            GroupRun::new(group, limits, |address| decided(number, address))
        };
        let runs = plan.groups.iter().enumerate().map(run).collect();
        Groups { plan, source_ids, runs, instances: HashMap::new() }
    }

    /// What became of each address, group by group.
    pub fn into_outcomes(self) -> Vec<Vec<Outcome>> {
        self.runs.into_iter().map(GroupRun::into_outcomes).collect()
    }

    fn instance(&self, group: usize) -> Instance {
        self.instances.get(&*self.plan.groups[group].instance).copied().unwrap_or_default()
    }

    fn client_token(&self, group: &Group, addresses: &[usize]) -> String {
        let mut sources: Vec<usize> = addresses
            .iter()
            .flat_map(|address| group.addresses[*address].sources.as_slice())
            .copied()
            .collect();
        sources.sort_unstable();
        sources.dedup();
        client_token(
            &group.instance,
            &group.queue,
            addresses.iter().map(|address| &*group.addresses[*address].id),
            sources.iter().map(|source| &*self.source_ids[*source]),
        )
    }
}

impl Work for Groups<'_> {
    fn jobs(&self) -> usize {
        self.runs.len()
    }

    fn wants(&mut self, job: usize) -> Option<Want> {
        if self.runs[job].verdict().is_none()
            && !self.runs[job].is_begun()
            && self.instance(job).is_given_up()
        {
            let message = format!(
                "not called: {NOT_FOUND_TO_GIVE_UP} other queues of this instance were not found and none was; check \
                 the instanceId"
            );
            let failure = Failure::ours("ResourceNotFoundException", message, Retry::MayPass);
            self.runs[job].fail_rest(Failure { blame: Blame::Queue, ..failure });
        }
        self.runs[job].wants()
    }

    fn call(&mut self, job: usize) -> Option<Call> {
        let group = &self.plan.groups[job];
        let (instance, queue) = (group.instance.clone(), group.queue.clone());
        Some(match self.runs[job].call()? {
            GroupCall::List(next_token) => Call::List { instance, queue, next_token },
            GroupCall::Associate(addresses) => Call::Associate {
                instance,
                queue,
                client_token: self.client_token(group, &addresses),
                addresses: addresses.iter().map(|address| group.addresses[*address].id.clone()).collect(),
            },
        })
    }

    fn record(&mut self, job: usize, answer: Result<Reply, Refused>) -> Then {
        let group = &self.plan.groups[job];
        let before = self.runs[job].verdict();
        let then = self.runs[job].record(answer, group);
        let verdict = self.runs[job].verdict();
        if verdict != before {
            let instance = self.instances.entry(&group.instance).or_default();
            match verdict {
                Some(QueueVerdict::Found) => instance.found = true,
                Some(QueueVerdict::NotFound) => instance.not_found += 1,
                None => {}
            }
        }
        then
    }

    fn expire(&mut self, job: usize, reason: &str) {
        self.runs[job].fail_rest(deadline_exceeded(reason));
    }
}
