//! The simulated service, which turns a request and its time into a response.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use tokio::time::Instant;

use crate::directory::Directory;
use crate::error::ApiError;
use crate::faults::Faults;
use crate::operation::Reply;
use crate::operations::{self, Rules};
use crate::quota::Buckets;
use crate::wire::{self, Call};
use crate::{Effect, Fault, Fixture, Options, Quota, RecordedCall};

/// The simulated service. It uses no socket and reads no clock. Clones share their state.
///
/// A call passes the faults, then the quota, then its operation. The first of these that rejects the call decides the
/// response. Where the API reference does not define the behaviour and no [switch](crate::Switches) does, the simulator
/// follows these rules:
///
/// - If a `ClientToken` was used before for the same queue and operation with the same addresses, the call returns the
///   first response and changes nothing. With other addresses it fails with `InvalidRequestException`. Only calls that
///   succeed use up their token.
/// - A body that is not JSON, lacks a required field or has a field of a wrong type is an `InvalidRequestException`. A
///   value outside its range is an `InvalidParameterException`.
#[derive(Clone)]
pub struct Connect {
    state: Arc<Mutex<State>>,
}

/// What a server does with a request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The response. `None` closes the connection without a response, unless [`hang`](Self::hang) is set.
    pub response: Option<Response<Bytes>>,
    /// Time to wait before responding or closing.
    pub delay: Duration,
    /// Never respond: keep the connection open until the client gives up.
    pub hang: bool,
    /// Send the headers and the first half of the body, then close the connection.
    pub cut_off: bool,
    /// The error code of the response.
    error: Option<String>,
}

type Observer = Arc<dyn Fn(&RecordedCall) + Send + Sync>;

struct State {
    directory: Directory,
    rules: Rules,
    buckets: Buckets,
    faults: Faults,
    latency: Duration,
    calls: Vec<RecordedCall>,
    requests: u64,
    observer: Option<Observer>,
}

impl fmt::Debug for Connect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connect").finish_non_exhaustive()
    }
}

impl Connect {
    /// Returns a service with the given options, or with a fixture and otherwise default options.
    pub fn new(options: impl Into<Options>) -> Self {
        let options = options.into();
        let mut directory = Directory::default();
        directory.content.merge(options.fixture);
        let state = State {
            directory,
            rules: Rules { switches: options.switches, limit: options.limit },
            buckets: Buckets::new(options.quota),
            faults: Faults::new(options.faults, options.seed),
            latency: options.latency,
            calls: Vec::new(),
            requests: 0,
            observer: None,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Returns the answer to a request that arrives at `now`, and records the call.
    pub fn answer(&self, request: Request<Bytes>, now: Instant) -> Answer {
        let mut state = self.lock();
        state.requests += 1;
        let number = state.requests;
        let Some(call) = Call::parse(request) else {
            let mut answer = Answer::of(Err(ApiError::unknown_operation()), state.latency);
            answer.identify(number);
            return answer;
        };
        let mut answer = state.decide(&call, now);
        answer.identify(number);
        let record = record(call, &answer, now);
        state.calls.push(record.clone());
        let observer = state.observer.clone();
        // The observer can use the service, which needs the lock.
        drop(state);
        if let Some(observer) = observer {
            observer(&record);
        }
        answer
    }

    /// Calls `observer` with every later call after its answer is known. Replaces an earlier observer.
    pub fn observe(&self, observer: impl Fn(&RecordedCall) + Send + Sync + 'static) {
        self.lock().observer = Some(Arc::new(observer));
    }

    /// Returns the calls so far, in the order of arrival.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.lock().calls.clone()
    }

    /// Removes the records of the calls so far.
    pub fn clear_calls(&self) {
        self.lock().calls.clear();
    }

    /// Returns the identifiers of the addresses associated with a queue, in the order of association and without its
    /// default address. Returns none for a queue that does not exist.
    pub fn associated(&self, instance: &str, queue: &str) -> Vec<String> {
        let state = self.lock();
        let instance = state.directory.content.instances.get(instance);
        let queue = instance.and_then(|instance| instance.queues.get(queue));
        queue.map(|queue| queue.email_address_ids.clone()).unwrap_or_default()
    }

    /// Returns the addresses of every queue, by instance and queue, in the form of [`associated`](Self::associated).
    pub fn associations(&self) -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
        let state = self.lock();
        let instances = state.directory.content.instances.iter();
        instances
            .map(|(id, instance)| {
                let queues = instance.queues.iter();
                (
                    id.clone(),
                    queues.map(|(id, queue)| (id.clone(), queue.email_address_ids.clone())).collect(),
                )
            })
            .collect()
    }

    /// Adds a fault after the existing faults.
    pub fn inject(&self, fault: Fault) {
        self.lock().faults.active.push(fault);
    }

    /// Removes every fault.
    pub fn clear_faults(&self) {
        self.lock().faults.active.clear();
    }

    /// Sets the quota of each operation and fills all buckets.
    pub fn set_quota(&self, quota: Quota) {
        self.lock().buckets = Buckets::new(quota);
    }

    /// Merges a fixture into the state. A queue or an address in both gets the values of the fixture, and associations
    /// are added.
    pub fn add(&self, fixture: Fixture) {
        self.lock().directory.content.merge(fixture);
    }

    /// Returns a copy of everything that exists now.
    pub fn content(&self) -> Fixture {
        self.lock().directory.content.clone()
    }

    /// Changes the state, as another client or an administrator does between two calls.
    pub fn edit(&self, edit: impl FnOnce(&mut Fixture)) {
        edit(&mut self.lock().directory.content);
    }

    /// Deletes an address, and removes it from every queue of its instance.
    pub fn remove_address(&self, instance: &str, address_id: &str) {
        self.lock().directory.remove_address(instance, address_id);
    }

    /// Locks the state. Ignores poisoning, because no code here panics between two steps that belong together.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn decide(&mut self, call: &Call, now: Instant) -> Answer {
        let Some(effect) = self.faults.apply(call) else { return self.carry_out(call, now) };
        let nothing_done = |answer: Reply| Answer::of(answer, self.latency);
        match effect {
            Effect::Delay(delay) => {
                let answer = self.carry_out(call, now);
                Answer { delay: answer.delay.saturating_add(delay), ..answer }
            }
            Effect::ResetAfter => Answer { response: None, ..self.carry_out(call, now) },
            Effect::Reset => Answer { response: None, ..nothing_done(Ok(None)) },
            Effect::Hang => Answer { response: None, hang: true, ..nothing_done(Ok(None)) },
            Effect::CutOff => {
                let response = Some(wire::with_body(StatusCode::OK, r#"{"message": "cut off"}"#));
                Answer { response, cut_off: true, ..nothing_done(Ok(None)) }
            }
            Effect::Malformed => {
                let response = Some(wire::with_body(StatusCode::OK, "<html>no JSON</html>"));
                Answer { response, ..nothing_done(Ok(None)) }
            }
            Effect::Error { status, code, message } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                nothing_done(Err(ApiError { status, code, message }))
            }
            Effect::RetryAfter { millis, code } => {
                let message = "Too Many Requests".to_owned();
                let mut answer =
                    nothing_done(Err(ApiError { status: StatusCode::TOO_MANY_REQUESTS, code, message }));
                if let Some(response) = &mut answer.response {
                    response.headers_mut().insert(wire::RETRY_AFTER, HeaderValue::from(millis));
                }
                answer
            }
        }
    }

    fn carry_out(&mut self, call: &Call, now: Instant) -> Answer {
        Answer::of(self.behave(call, now), self.latency)
    }

    /// Applies the quota, then the operation.
    fn behave(&mut self, call: &Call, now: Instant) -> Reply {
        if !self.buckets.take(call.operation, now) {
            let is_listed = self.rules.switches.throttle_as_listed;
            return Err(if is_listed { ApiError::throttling() } else { ApiError::too_many_requests() });
        }
        operations::perform(call, &mut self.directory, &self.rules)
    }
}

impl Answer {
    fn of(reply: Reply, delay: Duration) -> Self {
        let error = reply.as_ref().err().map(|error| error.code.clone());
        Self { response: Some(wire::response(reply)), delay, hang: false, cut_off: false, error }
    }

    fn identify(&mut self, number: u64) {
        if let Some(response) = &mut self.response {
            wire::identify(response, number);
        }
    }
}

fn record(call: Call, answer: &Answer, at: Instant) -> RecordedCall {
    let complete = answer.response.as_ref().filter(|_| !answer.cut_off);
    RecordedCall {
        operation: call.operation,
        instance: call.instance,
        queue: call.queue,
        addresses: call.addresses,
        client_token: call.client_token,
        status: complete.map(|response| response.status().as_u16()),
        error: answer.error.clone().filter(|_| complete.is_some()),
        at,
    }
}

#[cfg(test)]
mod tests;
