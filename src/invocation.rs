//! Invocation: one payload through the pipeline, from its bytes to its answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::answer::{Answer, InvocationError, Report, answer};
use crate::calls::{Caller, Deadline, Observer, Round, Shared, Tally};
use crate::connect::Connect;
use crate::deferred::Deferred;
use crate::failures::Failures;
use crate::forward::{Forwarding, Sender, sent_on};
use crate::log::{Closing, close, close_without_report};
use crate::names::{Directories, Reading, Resolver};
use crate::outcomes::{Outcome, Outcomes};
use crate::pairs::Pairs;
use crate::payload::Envelope;
use crate::plan::Plan;
use crate::redelivery::{Listed, Visibility, due, listed};
use crate::settings::Settings;
use crate::sqs;

/// The function: made once in a process, and shared by its invocations.
#[derive(Debug)]
pub struct Function {
    settings: Settings,
    connect: Connect,
    shared: Shared,
    directories: Directories,
    sender: Sender,
    visibility: Visibility,
}

/// One invocation.
#[derive(Clone, Copy)]
pub struct Invocation<'a> {
    /// The identifier that Lambda gave it.
    pub request_id: &'a str,
    /// When Lambda ends it.
    pub ends: Instant,
    /// Every request is taken as a dry run, whatever it says.
    pub dry_run: bool,
    /// Is told of each call.
    pub observer: Option<&'a dyn Observer>,
}

/// An invocation that came to its end.
#[derive(Debug)]
pub struct Completed {
    /// What became of its pairs, in full.
    pub report: Report,
    /// What the caller gets.
    pub answer: Result<Answer, InvocationError>,
}

impl Function {
    /// A function that calls Connect and SQS through clients that must not retry by themselves.
    pub fn new(
        settings: Settings,
        connect: Deferred<aws_sdk_connect::Client>,
        sqs: Deferred<aws_sdk_sqs::Client>,
    ) -> Self {
        let now = Instant::now();
        let (failures, continuation) = (settings.failures_queue.clone(), settings.continuation_queue.clone());
        let (region, endpoint) = (settings.home.region().to_owned(), settings.sqs_endpoint.clone());
        Function {
            shared: Shared::new(settings.allowance, settings.max_concurrent_calls, now),
            settings,
            connect: Connect::new(connect),
            directories: Directories::default(),
            sender: Sender::new(sqs.clone(), failures, continuation),
            visibility: Visibility::new(sqs, region, endpoint),
        }
    }

    /// Handles one payload, and gives the answer alone.
    ///
    /// # Errors
    /// Where the caller must see failures as an error: see [`InvocationError`].
    pub async fn invoke(
        &self,
        payload: &[u8],
        invocation: Invocation<'_>,
    ) -> Result<Answer, InvocationError> {
        self.complete(payload, invocation).await?.answer
    }

    /// Handles one payload.
    ///
    /// # Errors
    /// [`InvocationError::InvalidRequest`] where nothing of the payload can be read, so that there is no report.
    pub async fn complete(
        &self,
        payload: &[u8],
        invocation: Invocation<'_>,
    ) -> Result<Completed, InvocationError> {
        let begun = Instant::now();
        let closing = || Closing {
            namespace: &self.settings.metrics_namespace,
            function_name: &self.settings.function_name,
            request_id: invocation.request_id,
            duration: begun.elapsed(),
        };
        let read = self.read(payload, invocation.dry_run);
        let (envelope, pairs) = read.inspect_err(|error| close_without_report(closing(), error))?;
        let source_ids = envelope.asker_ids(invocation.request_id);
        // Sending is no use if nothing was called, so calls have at least half of the time.
        let left = invocation.ends.saturating_duration_since(begun);
        let kept = self.time_for_sqs(&envelope).min(left / 2);
        let (plan, outcomes, tally) = self.carry_out(&pairs, &source_ids, invocation, kept).await;
        let mut failures = Failures::new(&envelope.sources, &source_ids, &pairs, &plan, &outcomes);
        self.send_on(&envelope, &pairs, &outcomes, &mut failures, invocation).await;
        let report = Report::new(&pairs, &plan, &outcomes, &failures, tally);
        let listed = self.list(&envelope, &failures, invocation).await;
        let answer = answer(&envelope, &pairs, &failures, &report, &listed);
        close(closing(), &envelope.sources, &report, &failures, answer.as_ref().err(), tally);
        Ok(Completed { report, answer })
    }

    fn read<'p>(&self, payload: &'p [u8], dry_run: bool) -> Result<(Envelope<'p>, Pairs), InvocationError> {
        let envelope =
            Envelope::read(payload).map_err(|reason| InvocationError::InvalidRequest(reason.to_string()))?;
        let mut pairs = self.pairs(&envelope)?;
        if dry_run {
            pairs.requests.iter_mut().for_each(|request| request.options.dry_run = true);
        }
        Ok((envelope, pairs))
    }

    /// Reads the pairs that an envelope asks for, without calling anything.
    ///
    /// # Errors
    /// [`InvocationError::InvalidRequest`] where the defaults of a Distributed Map batch are invalid.
    pub fn pairs(&self, envelope: &Envelope<'_>) -> Result<Pairs, InvocationError> {
        Pairs::read(envelope, &self.settings.home, self.settings.instance.as_deref()).map_err(|invalid| {
            InvocationError::InvalidRequest(match invalid.path_text() {
                Some(path) => format!("{path}: {}", invalid.message),
                None => invalid.message,
            })
        })
    }

    /// Resolves names, plans, and makes the calls.
    async fn carry_out(
        &self,
        pairs: &Pairs,
        source_ids: &[Arc<str>],
        invocation: Invocation<'_>,
        kept: Duration,
    ) -> (Plan, Outcomes, Tally) {
        let caller = self.caller(invocation, kept);
        let limits = self.settings.group_limits();
        let mut resolver = Resolver::new(&self.directories);
        let reading = resolver.missing(pairs);
        let mut tally = self.read_directories(&mut resolver, reading, &caller).await;
        let plan = Plan::new(pairs, resolver.look_up(pairs));
        let mut round = Round::new(&plan, source_ids, limits, |_, _| None);
        tally += caller.run(&mut round).await;
        let outcomes = Outcomes::new(&plan, round.finish().0);
        let Some(reading) = resolver.refused(pairs, &outcomes.by_pair) else {
            return (plan, outcomes, tally);
        };
        tally += self.read_directories(&mut resolver, reading, &caller).await;
        let resolved = outcomes.keep_in(resolver.look_up(pairs), pairs, &plan);
        let (plan_before, plan) = (plan, Plan::new(pairs, resolved));
        let known = known_outcomes(&plan, &plan_before, &outcomes);
        let mut round = Round::new(&plan, source_ids, limits, |group, address| known[group][address].clone());
        tally += caller.run(&mut round).await;
        let outcomes = Outcomes::new(&plan, round.finish().0);
        (plan, outcomes, tally)
    }

    /// Reads directories, and gives them to the resolver.
    async fn read_directories(
        &self,
        resolver: &mut Resolver<'_>,
        reading: Reading,
        caller: &Caller<'_>,
    ) -> Tally {
        let no_groups = Plan::default();
        let mut round =
            Round::new(&no_groups, &[], self.settings.group_limits(), |_, _| None).with_reading(reading);
        let tally = caller.run(&mut round).await;
        resolver.take(round.finish().1);
        tally
    }

    fn forwarding(&self) -> Forwarding {
        Forwarding {
            failures: self.settings.failures_queue.is_some(),
            continuation: self.settings.continuation_queue.is_some(),
        }
    }

    /// The time that is kept for SQS after the calls: each message is sent on or its visibility is set.
    fn time_for_sqs(&self, envelope: &Envelope<'_>) -> Duration {
        let forwarding = self.forwarding();
        let queues = match forwarding.applies(envelope.kind) {
            true => usize::from(forwarding.failures) + usize::from(forwarding.continuation),
            false => 0,
        };
        let sending = sqs::time_for(envelope.sources.len() * queues);
        match envelope.kind.is_batch() && self.settings.redelivery.is_some() {
            // Where messages are sent on first, the visibility of the others takes a round of its own.
            true if queues > 0 => sending + sqs::time_for(1),
            true => sqs::time_for(envelope.sources.len()),
            false => sending,
        }
    }

    async fn send_on(
        &self,
        envelope: &Envelope<'_>,
        pairs: &Pairs,
        outcomes: &Outcomes,
        failures: &mut Failures,
        invocation: Invocation<'_>,
    ) {
        let instance = self.settings.instance.as_deref();
        let outgoing = self.forwarding().outgoing(envelope, pairs, outcomes, failures, instance);
        if !outgoing.is_empty() {
            let arrived = self.sender.send(&outgoing, self.last_send(invocation)).await;
            failures.note_sent_on(sent_on(&outgoing, &arrived));
        }
    }

    /// Lists the messages of a batch that come again, and sets their visibility.
    async fn list(
        &self,
        envelope: &Envelope<'_>,
        failures: &Failures,
        invocation: Invocation<'_>,
    ) -> Vec<Listed> {
        if !envelope.kind.is_batch() {
            return Vec::new();
        }
        let listed = listed(&envelope.sources, failures);
        if let Some(delays) = self.settings.redelivery
            && !listed.is_empty()
        {
            let due = due(&envelope.sources, &listed, delays, fastrand::f64);
            self.visibility.set(&due, self.last_send(invocation)).await;
        }
        listed
    }

    /// Until when SQS is waited for.
    fn last_send(&self, invocation: Invocation<'_>) -> Instant {
        invocation.ends.checked_sub(self.settings.deadline_margin).unwrap_or_else(Instant::now)
    }

    fn caller<'a>(&'a self, invocation: Invocation<'a>, kept: Duration) -> Caller<'a> {
        let now = Instant::now();
        Caller {
            connect: &self.connect,
            shared: &self.shared,
            limits: self.settings.calls,
            deadline: Deadline::new(invocation.ends, self.settings.deadline_margin + kept, now),
            observer: invocation.observer,
        }
    }
}

/// What is known of each address of a new plan from the outcomes of the one before: everything but refusals of
/// identifiers that are others now.
fn known_outcomes(plan: &Plan, before: &Plan, outcomes: &Outcomes) -> Vec<Vec<Option<Outcome>>> {
    let mut known: Vec<Vec<Option<Outcome>>> =
        plan.groups.iter().map(|group| vec![None; group.addresses.len()]).collect();
    for ((place, place_before), outcome) in plan.places.iter().zip(&before.places).zip(&outcomes.by_pair) {
        let (Ok(place), Ok(place_before)) = (place, place_before) else { continue };
        // What was planned in a dry run may have become the same as something that is to be associated.
        let planned = *outcome == Outcome::Planned;
        if !planned && plan.identifiers(*place) == before.identifiers(*place_before) {
            known[place.group()][place.address()] = Some(outcome.clone());
        }
    }
    known
}
