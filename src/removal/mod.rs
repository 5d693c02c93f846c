//! Removes pairs from their queues, for the command `undo` of the command-line tool.
//!
//! The function never calls this module, its role has no permission for DisassociateQueueEmailAddresses, and the linker
//! drops the module from its binary. The module is here because it shares name resolution, pace, backoff, deadline and
//! narrowing with associations.
//!
//! A removal has two steps. [`Remover::plan`] resolves names and reads the list of each queue. [`Remover::remove`] reads
//! each list again, because a person may have thought about the plan for an hour, and removes only addresses that are
//! on the list and are not the queue's default address.

mod queue;
mod report;
mod retrier;

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use crate::associate::{
    CallContext, CallCounts, Deadline, DirectoryCache, Group, Observer, Plan, ProcessLimits, SchedulerInput,
    associate,
};
use crate::connect::Connect;
use crate::failure::Failure;
use crate::index::{AddressIndex, GroupIndex, IndexList, PairIndex, SourceIndex};
use crate::pairs::Pairs;
use crate::payload::Envelope;
use crate::requests::Intent;
use crate::sdk::LazyClient;
use crate::settings::Settings;

pub use report::{RemovalCounts, RemovalReport, RemovalRow};

use retrier::Retrier;

/// Removes pairs. Its calls share one pace for each operation.
#[derive(Debug)]
pub struct Remover {
    settings: Settings,
    connect: Connect,
    shared: ProcessLimits,
    directories: DirectoryCache,
}

/// The limits of one step.
#[derive(Clone, Copy)]
pub struct RemovalRun<'a> {
    /// An identifier of the run. `ClientToken`s derive from it, so that a pair that was associated again since an
    /// earlier run does not seem to be removed already.
    pub id: &'a str,
    /// The time by which the step must have ended.
    pub ends: Instant,
    /// Observes each call.
    pub observer: &'a dyn Observer,
}

/// The pairs of a payload, and what happens to them.
#[derive(Debug)]
pub struct Removal<'p> {
    envelope: Envelope<'p>,
    source_ids: IndexList<SourceIndex, Arc<str>>,
    pairs: Pairs,
    plan: Plan,
    states: IndexList<GroupIndex, States>,
    call_counts: CallCounts,
}

/// The state of each address of a group.
type States = IndexList<AddressIndex, RemovalState>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum RemovalState {
    /// The address is on the queue and is to be removed.
    Planned,
    Removed,
    /// It is not on the queue.
    NotOnQueue,
    /// It is the queue's default address, which is never removed.
    Default,
    Kept,
    /// It was not removed, or whether it is on the queue is not known.
    Failed(Arc<Failure>),
}

impl Remover {
    /// Creates a remover. The client must not retry by itself.
    pub fn new(settings: Settings, connect: LazyClient<aws_sdk_connect::Client>) -> Self {
        Remover {
            shared: ProcessLimits::new(settings.allowance, settings.max_concurrent_calls, Instant::now()),
            settings,
            connect: Connect::new(connect),
            directories: DirectoryCache::default(),
        }
    }

    /// Resolves the names of the pairs, and reads the list of each queue. Removes nothing.
    pub async fn plan<'p>(
        &self,
        envelope: Envelope<'p>,
        mut pairs: Pairs,
        run: RemovalRun<'_>,
    ) -> Removal<'p> {
        let source_ids = envelope.source_ids(run.id);
        let (plan, mut call_counts) = self.resolve(&mut pairs, &source_ids, run).await;
        let planned = |group: &Group| IndexList::from(vec![RemovalState::Planned; group.addresses.len()]);
        let mut states: IndexList<GroupIndex, States> = plan.groups.iter().map(planned).collect();
        let retrier = Retrier::new(self.call_context(run));
        stream::iter(plan.groups.iter().zip(&mut states))
            .for_each_concurrent(self.settings.max_concurrent_calls, |(group, states)| {
                queue::check(&retrier, group, states)
            })
            .await;
        call_counts += retrier.counts();
        Removal { envelope, source_ids, pairs, plan, states, call_counts }
    }

    /// Keeps these pairs on their queues.
    ///
    /// # Errors
    /// Returns an error if one of these pairs is invalid or cannot be resolved, because the removal might include it.
    pub async fn keep(
        &self,
        removal: &mut Removal<'_>,
        envelope: &Envelope<'_>,
        mut pairs: Pairs,
        run: RemovalRun<'_>,
    ) -> Result<(), String> {
        if let Some((_, invalid)) = pairs.invalid.first() {
            let path = invalid.path_text().map(|path| format!("{path}: ")).unwrap_or_default();
            return Err(format!("{path}InvalidRequest: {}", invalid.message));
        }
        let (plan, call_counts) = self.resolve(&mut pairs, &envelope.source_ids(run.id), run).await;
        removal.call_counts += call_counts;
        if let Some(failure) = plan.places.iter().find_map(|place| place.as_ref().err()) {
            return Err(format!("{}: {}", failure.error, failure.message));
        }
        let kept: HashSet<_> = plan.places.iter().flatten().map(|place| plan.identifiers(*place)).collect();
        for (group, states) in removal.plan.groups.iter().zip(&mut removal.states) {
            for (address, state) in group.addresses.iter().zip(states) {
                let identifiers = (&*group.instance, &*group.queue, &*address.id);
                if *state == RemovalState::Planned && kept.contains(&identifiers) {
                    *state = RemovalState::Kept;
                }
            }
        }
        Ok(())
    }

    /// Removes the planned pairs. The rest of the removal stays as it is.
    pub async fn remove(&self, removal: &mut Removal<'_>, run: RemovalRun<'_>) {
        let retrier = Retrier::new(self.call_context(run));
        let run_id = Arc::from(run.id);
        let groups = removal.plan.groups.iter().zip(&mut removal.states);
        let to_change = groups.filter(|(_, states)| states.contains(&RemovalState::Planned));
        stream::iter(to_change)
            .for_each_concurrent(self.settings.max_concurrent_calls, |(group, states)| {
                queue::remove(&retrier, group, states, &run_id)
            })
            .await;
        removal.call_counts += retrier.counts();
    }

    /// Groups the pairs by queue, with the calls that their names need.
    async fn resolve(
        &self,
        pairs: &mut Pairs,
        source_ids: &IndexList<SourceIndex, Arc<str>>,
        run: RemovalRun<'_>,
    ) -> (Plan, CallCounts) {
        pairs.requests.iter_mut().for_each(|request| request.options.intent = Intent::Plan);
        let input = SchedulerInput {
            pairs,
            source_ids,
            directories: &self.directories,
            limits: self.settings.group_limits(),
            region: self.settings.scope.region(),
        };
        // With this intent only names need calls.
        let (plan, _, call_counts) = associate(&self.call_context(run), input).await;
        (plan, call_counts)
    }

    fn call_context<'a>(&'a self, run: RemovalRun<'a>) -> CallContext<'a> {
        CallContext {
            connect: &self.connect,
            shared: &self.shared,
            limits: self.settings.calls,
            deadline: Deadline::new(run.ends, self.settings.deadline_margin, Instant::now()),
            observer: Some(run.observer),
        }
    }
}

impl Removal<'_> {
    /// The state of the pairs as a report.
    pub fn report(&self) -> RemovalReport {
        RemovalReport::new(self)
    }

    /// The state of a pair, or `None` if its names could not be resolved.
    fn state(&self, pair: PairIndex) -> Option<&RemovalState> {
        let place = self.plan.places[pair].as_ref().ok()?;
        Some(&self.states[place.group][place.address])
    }

    fn failure(&self, pair: PairIndex) -> Option<&Arc<Failure>> {
        match &self.plan.places[pair] {
            Ok(place) => match &self.states[place.group][place.address] {
                RemovalState::Failed(failure) => Some(failure),
                _ => None,
            },
            Err(failure) => Some(failure),
        }
    }
}
