//! The options of a simulator.

use std::time::Duration;

use crate::{Fault, Fixture, Quota};

/// Number of addresses that fit on a queue in addition to its default outbound address (API reference,
/// `AssociateQueueEmailAddresses`: "up to 49 additional email addresses with a single queue, plus 1 default outbound
/// email address").
const ADDITIONAL_ADDRESSES: usize = 49;

/// The options that a [`Connect`](crate::Connect) starts with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The instances, queues, addresses and associations that exist. None by default.
    pub fixture: Fixture,
    /// The behaviour where the API reference does not define it.
    pub switches: Switches,
    /// The request quota of each operation. Unlimited by default.
    pub quota: Quota,
    /// Number of addresses that fit on a queue in addition to its default address, unless the queue has its own limit.
    /// 49 by default.
    pub limit: usize,
    /// Delay of each response. None by default.
    pub latency: Duration,
    /// Seed of the random numbers for [`Fault::share`].
    pub seed: u64,
    /// Faults that apply from the first call on.
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

/// The behaviour where the API reference does not define it. A client must handle each alternative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Switches {
    /// Response to a call that associates an address that is already on the queue.
    pub repeated_association: RepeatedAssociation,
    /// Response to a call that removes an address that is not on the queue.
    pub repeated_removal: RepeatedRemoval,
    /// Error for an address that the instance does not have.
    pub unknown_address: UnknownAddress,
    /// Number of addresses that fit on a queue without a default outbound address.
    pub limit_without_default: LimitWithoutDefault,
    /// Error for a call above the quota.
    pub throttle_error: ThrottleError,
    /// Whether the simulator creates the instances, queues and addresses that a call refers to. Any event can then be
    /// tried without a fixture.
    pub auto_create: bool,
}

/// Response to a call that associates an address that is already on the queue. The default address of a queue counts as
/// associated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RepeatedAssociation {
    /// The call succeeds, and only the missing addresses are associated.
    #[default]
    Accept,
    /// The whole call is rejected with `InvalidParameterException`.
    Reject,
}

/// Response to a call that removes an address that is not on the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RepeatedRemoval {
    /// The call succeeds, and the other addresses are removed.
    #[default]
    Accept,
    /// The whole call is rejected with `InvalidParameterException`.
    Reject,
}

/// Error for a call with an address that the instance does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownAddress {
    /// `InvalidParameterException`, status 400.
    #[default]
    InvalidParameter,
    /// `ResourceNotFoundException`, status 404, as for an unknown queue or instance.
    ResourceNotFound,
}

/// Number of addresses that fit on a queue without a default outbound address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LimitWithoutDefault {
    /// The limit (49). The slot of the default address stays free.
    #[default]
    FortyNine,
    /// The limit plus one (50). Another address can use the slot of the default address.
    Fifty,
}

/// Error for a call above the quota. The status is always 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThrottleError {
    /// `TooManyRequestsException`, the throttling error of the service's front end. The SDK does not model it.
    #[default]
    TooManyRequests,
    /// `ThrottlingException`, the throttling error that the API reference lists.
    Throttling,
}

impl From<Fixture> for Options {
    fn from(fixture: Fixture) -> Self {
        Options { fixture, ..Options::default() }
    }
}
