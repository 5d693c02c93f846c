//! Work: what the loop that makes the calls needs to know of those who want calls made.

use std::time::Duration;

use super::operation::{Call, Operation, Reply};
use super::refusal::Refusal;

/// Something that wants calls made, as numbered jobs that each want one call at a time.
pub trait Work {
    /// How many jobs there are; they are numbered from 0.
    fn jobs(&self) -> usize;

    /// What a job wants next, or nothing if it is done. Asked again before each first attempt, so a job may lose
    /// its interest through the answer to another.
    fn wants(&mut self, job: usize) -> Option<Want>;

    /// The call that [`Work::wants`] announced.
    fn call(&mut self, job: usize) -> Option<Call>;

    /// Takes the answer to the job's call: retries are behind it.
    fn record(&mut self, job: usize, answer: Result<Reply, Refused>) -> Then;

    /// There is no time left for the job's next call.
    fn expire(&mut self, job: usize, reason: &str);
}

/// A call that a job wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// Which operation it calls.
    pub operation: Operation,
    /// The least goes first.
    pub urgency: usize,
}

/// A call that was not to succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The last refusal.
    pub refusal: Refusal,
    /// It would have been made again, but there was no time left.
    pub out_of_time: bool,
    /// An earlier attempt may have been carried out although its answer was lost.
    pub maybe_done: bool,
}

/// What a job wants after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Its next call, if it has one.
    GoOn,
    /// Its call once more, which is a retry: after a wait that doubles each time the job asks for one.
    BackOff {
        /// How long the server asked to wait.
        at_least: Duration,
    },
}
