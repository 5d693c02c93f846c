//! Handles one invocation, from the bytes of its payload to its response.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::answer::{Answer, Counts, FinishedRun, InvocationError, Report, answer, queue_rows};
use crate::associate::{
    CallContext, CallCounts, Deadline, DirectoryCache, Observer, Outcomes, Plan, ProcessLimits,
    SchedulerInput, associate,
};
use crate::connect::Connect;
use crate::index::{Index, IndexList, SourceIndex};
use crate::log::{InvocationEnd, log_rejected_payload, log_run};
use crate::pairs::Pairs;
use crate::payload::Envelope;
use crate::requests::Intent;
use crate::sdk::LazyClient;
use crate::settings::Settings;
use crate::settle::{Failures, Settler};

/// The function. The process creates it once, and all invocations share it.
#[derive(Debug)]
pub struct Function {
    settings: Settings,
    connect: Connect,
    shared: ProcessLimits,
    directories: DirectoryCache,
    sqs: LazyClient<aws_sdk_sqs::Client>,
}

/// One invocation.
#[derive(Clone, Copy)]
pub struct Invocation<'a> {
    /// The identifier that Lambda gives the invocation.
    pub request_id: &'a str,
    /// The time at which Lambda ends the invocation.
    pub ends: Instant,
    /// The intent of every request. `None` leaves the intent to each request.
    pub intent: Option<Intent>,
    /// Observes each call.
    pub observer: Option<&'a dyn Observer>,
}

/// A finished invocation.
#[derive(Debug)]
pub struct Completed {
    /// The outcome of its pairs, in full.
    pub report: Report,
    /// The response to the caller.
    pub answer: Result<Answer, InvocationError>,
}

impl Function {
    /// Creates a function that calls Connect and SQS. The clients must not retry by themselves.
    pub fn new(
        settings: Settings,
        connect: LazyClient<aws_sdk_connect::Client>,
        sqs: LazyClient<aws_sdk_sqs::Client>,
    ) -> Self {
        Function {
            shared: ProcessLimits::new(settings.allowance, settings.max_concurrent_calls, Instant::now()),
            sqs,
            settings,
            connect: Connect::new(connect),
            directories: DirectoryCache::default(),
        }
    }

    /// Handles one payload and returns only the response.
    ///
    /// # Errors
    /// Returns an [`InvocationError`] if the caller must see the failures as an error.
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
    /// Returns [`InvocationError::InvalidRequest`] if nothing in the payload can be read. There is no report in this
    /// case.
    pub async fn complete(
        &self,
        payload: &[u8],
        invocation: Invocation<'_>,
    ) -> Result<Completed, InvocationError> {
        let start = Instant::now();
        let end = || InvocationEnd {
            namespace: &self.settings.metrics_namespace,
            function_name: &self.settings.function_name,
            request_id: invocation.request_id,
            duration: start.elapsed(),
        };
        let read = self.read(payload, invocation.intent);
        let (envelope, pairs) = read.inspect_err(|error| log_rejected_payload(&end(), error))?;
        let source_ids = envelope.source_ids(invocation.request_id);
        // Calls get at least half of the time, because without a call there is nothing to send.
        let left = invocation.ends.saturating_duration_since(start);
        let settler = Settler { sqs: &self.sqs, settings: &self.settings };
        let reserved = settler.time_needed(&envelope).min(left / 2);
        let (plan, outcomes, call_counts) = self.carry_out(&pairs, &source_ids, invocation, reserved).await;
        let mut failures =
            Failures::new(&envelope.sources, &source_ids, &pairs, &plan, |pair| outcomes.failure(pair));
        let settled_by = invocation.ends.checked_sub(self.settings.deadline_margin);
        let settled_by = settled_by.unwrap_or_else(Instant::now);
        let redelivered = settler.settle(&envelope, &pairs, &outcomes, &mut failures, settled_by).await;
        let queues = queue_rows(&pairs, &plan, &outcomes);
        let counts = Counts::new(&pairs, &queues, &failures);
        let run =
            FinishedRun { envelope, pairs, outcomes, failures, redelivered, call_counts, counts, queues };
        // A large plan and the copies of a report's rows need not be in memory together.
        drop(plan);
        let answer = answer(&run);
        log_run(&end(), &run, answer.as_ref().err());
        Ok(Completed { report: Report::new(run), answer })
    }

    fn read<'p>(
        &self,
        payload: &'p [u8],
        intent: Option<Intent>,
    ) -> Result<(Envelope<'p>, Pairs), InvocationError> {
        let mut envelope = Envelope::read(payload).map_err(InvocationError::InvalidRequest)?;
        let mut pairs = self.pairs(&envelope)?;
        envelope.drop_bodies();
        if let Some(first) = pairs.first_unread {
            tracing::info!(
                messages = envelope.sources.len() - first.get(),
                "messages exceed the limit of one invocation and will be redelivered immediately"
            );
        }
        if let Some(intent) = intent {
            pairs.requests.iter_mut().for_each(|request| request.options.intent = intent);
        }
        Ok((envelope, pairs))
    }

    /// Reads the pairs of an envelope without any call.
    ///
    /// # Errors
    /// Returns [`InvocationError::InvalidRequest`] if the defaults of a Distributed Map batch are invalid.
    pub fn pairs(&self, envelope: &Envelope<'_>) -> Result<Pairs, InvocationError> {
        Pairs::read(envelope, self.settings.context())
            .map_err(|invalid| InvocationError::InvalidRequest(invalid.to_string()))
    }

    async fn carry_out(
        &self,
        pairs: &Pairs,
        source_ids: &IndexList<SourceIndex, Arc<str>>,
        invocation: Invocation<'_>,
        reserved: Duration,
    ) -> (Plan, Outcomes, CallCounts) {
        let input = SchedulerInput {
            pairs,
            source_ids,
            directories: &self.directories,
            region: self.settings.scope.region(),
            limits: self.settings.group_limits(),
        };
        associate(&self.call_context(invocation, reserved), input).await
    }

    fn call_context<'a>(&'a self, invocation: Invocation<'a>, reserved: Duration) -> CallContext<'a> {
        let now = Instant::now();
        CallContext {
            connect: &self.connect,
            shared: &self.shared,
            limits: self.settings.calls,
            deadline: Deadline::new(invocation.ends, self.settings.deadline_margin + reserved, now),
            observer: invocation.observer,
        }
    }
}
