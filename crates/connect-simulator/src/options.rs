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

/// The behaviour where the API reference does not define it. A client must handle both answers to each question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Switches {
    /// Whether a call with an address that is already on the queue, its default one included, is rejected as a whole with
    /// `InvalidParameterException`. Otherwise only the missing addresses are associated.
    pub reject_repeated_associations: bool,
    /// Whether a call to remove an address that is not on the queue is rejected as a whole with
    /// `InvalidParameterException`. Otherwise the other addresses are removed.
    pub reject_repeated_removals: bool,
    /// Whether the error for an address that the instance does not have is `ResourceNotFoundException`, as for an unknown
    /// queue or instance. Otherwise it is `InvalidParameterException`.
    pub unknown_address_is_not_found: bool,
    /// Whether another address can use the slot of the default address on a queue without one, so that 50 fit.
    pub use_default_slot: bool,
    /// Whether the error for a call above the quota is `ThrottlingException`, which the API reference lists. Otherwise it is
    /// `TooManyRequestsException`, the error of the service's front end, which the SDK does not model.
    pub throttle_as_listed: bool,
    /// Whether the simulator creates the instances, queues and addresses that a call refers to. Any event can then be
    /// tried without a fixture.
    pub auto_create: bool,
}

impl From<Fixture> for Options {
    fn from(fixture: Fixture) -> Self {
        Options { fixture, ..Options::default() }
    }
}
