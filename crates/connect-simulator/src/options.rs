//! The options of a simulator, and its answers to the questions that AWS's reference leaves open.

use std::time::Duration;

use clap::ValueEnum;

use crate::{Fault, Fixture, Quota};

/// Addresses that a queue takes beside its default outbound one (API reference,
/// `AssociateQueueEmailAddresses`: "up to 49 additional email addresses with a single queue, plus 1
/// default outbound email address").
pub const ADDITIONAL_ADDRESSES: usize = 49;

/// The options that a [`Connect`](crate::Connect) starts with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The instances, queues, addresses and associations that exist; none by default.
    pub fixture: Fixture,
    /// The answers to the questions that the reference leaves open.
    pub switches: Switches,
    /// The request quota of each operation; unlimited by default.
    pub quota: Quota,
    /// Addresses that a queue takes beside its default one, unless the queue has a limit of its own;
    /// [`ADDITIONAL_ADDRESSES`] by default.
    pub limit: usize,
    /// How long every answer takes; nothing by default.
    pub latency: Duration,
    /// The seed of the generator behind [`Fault::share`].
    pub seed: u64,
    /// Faults that are there from the first call on.
    pub faults: Vec<Fault>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fixture: Fixture::default(),
            switches: Switches::default(),
            quota: Quota::default(),
            limit: ADDITIONAL_ADDRESSES,
            latency: Duration::ZERO,
            seed: 1,
            faults: Vec::new(),
        }
    }
}

/// One field for each question that AWS's reference leaves open: a client must stand either answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Switches {
    /// The answer to a call that asks for an association the queue already has.
    pub associated_again: AssociatedAgain,
    /// The response to a call that removes an address that is not on the queue.
    pub disassociated_again: DisassociatedAgain,
    /// How an address that the instance does not have is reported.
    pub unknown_address: UnknownAddress,
    /// How many addresses a queue without a default outbound one takes.
    pub full_without_default: FullWithoutDefault,
    /// The error that answers a call beyond the quota.
    pub throttle_error: ThrottleError,
    /// Whether the instances, queues and addresses that a call names come to exist by being named: any event
    /// can then be tried without a fixture.
    pub auto_create: bool,
}

/// The answer to a call that asks for an association the queue already has; the default address of a queue
/// counts as associated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum AssociatedAgain {
    /// It is accepted, and only the missing addresses are associated.
    #[default]
    Accept,
    /// The whole call is refused with `InvalidParameterException`.
    Refuse,
}

/// The response to a call that removes an address that is not on the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum DisassociatedAgain {
    /// The call is accepted, and the other addresses are removed.
    #[default]
    Accept,
    /// The whole call is rejected with `InvalidParameterException`.
    Refuse,
}

/// How a call that names an address the instance does not have is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum UnknownAddress {
    /// With `InvalidParameterException`, 400.
    #[default]
    InvalidParameter,
    /// With `ResourceNotFoundException`, 404, as an unknown queue or instance is.
    ResourceNotFound,
}

/// How many addresses a queue without a default outbound one takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FullWithoutDefault {
    /// Its limit (49): the place of the default address stays free.
    #[default]
    FortyNine,
    /// One more than its limit (50): the place of the default address can be taken.
    Fifty,
}

/// The error that answers a call beyond the quota. The status is 429 either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ThrottleError {
    /// `TooManyRequestsException`, the throttle of the service's front end, which the SDK does not model.
    #[default]
    TooManyRequests,
    /// `ThrottlingException`, the throttle that the API reference lists.
    Throttling,
}
