//! The request quota: one token bucket for each operation.
//!
//! Amazon Connect service quotas, "API throttling quotas": most operations have a rate of 2 requests a
//! second and a burst of 5, for an account in a Region, each operation counted for itself.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::time::Instant;

use crate::Operation;

/// The quota of each operation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Requests a second; `None` is no limit at all.
    #[serde(default)]
    pub rate: Option<f64>,
    /// Requests that may come at once, after a while without any.
    #[serde(default = "default_burst")]
    pub burst: f64,
}

/// The burst of most operations of Amazon Connect.
fn default_burst() -> f64 {
    5.0
}

impl Default for Quota {
    /// No limit.
    fn default() -> Self {
        Self { rate: None, burst: default_burst() }
    }
}

/// A quota that no request could be judged by.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum InvalidQuota {
    /// The rate is negative or no number.
    #[error("rate {0}: a number of requests a second, 0 or more, is accepted")]
    Rate(f64),
    /// The burst is below 1 or no number.
    #[error("burst {0}: a number of requests, 1 or more, is accepted")]
    Burst(f64),
}

impl Quota {
    /// A quota of `rate` requests a second and `burst` at once.
    pub fn per_second(rate: f64, burst: f64) -> Self {
        Self { rate: Some(rate), burst }
    }

    /// Whether requests can be judged by it.
    ///
    /// # Errors
    ///
    /// A rate below 0, a burst below 1, or either that is not finite.
    pub fn check(&self) -> Result<(), InvalidQuota> {
        match self.rate {
            Some(rate) if !(rate.is_finite() && rate >= 0.0) => Err(InvalidQuota::Rate(rate)),
            _ if !(self.burst.is_finite() && self.burst >= 1.0) => Err(InvalidQuota::Burst(self.burst)),
            _ => Ok(()),
        }
    }
}

/// The buckets of all operations. A bucket is full when its operation is first called.
#[derive(Debug)]
pub(crate) struct Buckets {
    quota: Quota,
    buckets: HashMap<Operation, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Buckets {
    pub(crate) fn new(quota: Quota) -> Self {
        Self { quota, buckets: HashMap::new() }
    }

    /// Takes a token for a call at `now`, or takes nothing and says no: a rejected call costs no quota.
    pub(crate) fn take(&mut self, operation: Operation, now: Instant) -> bool {
        let Some(rate) = self.quota.rate else { return true };
        let burst = self.quota.burst;
        let bucket = self.buckets.entry(operation).or_insert(Bucket { tokens: burst, at: now });
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * rate).min(burst);
        bucket.at = bucket.at.max(now);
        // A client that waits for exactly one token must not be refused for a rounding error.
        if bucket.tokens < 1.0 - 1e-9 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ASSOCIATE: Operation = Operation::AssociateQueueEmailAddresses;
    const LIST: Operation = Operation::ListQueueEmailAddresses;

    #[test]
    fn rate_and_burst_let_calls_through() {
        let start = Instant::now();
        let mut buckets = Buckets::new(Quota::per_second(2.0, 3.0));
        let calls = [
            (0, ASSOCIATE, true),
            (0, ASSOCIATE, true),
            (0, ASSOCIATE, true),
            (0, ASSOCIATE, false),
            // Each operation is counted for itself.
            (0, LIST, true),
            // The refused call took nothing: half a second is one token.
            (499, ASSOCIATE, false),
            (500, ASSOCIATE, true),
            (500, ASSOCIATE, false),
            // An instant before the last one gives no tokens, and takes none away.
            (400, ASSOCIATE, false),
            (1000, ASSOCIATE, true),
            // However long nothing is asked for, no more than the burst is saved.
            (60_000, ASSOCIATE, true),
            (60_000, ASSOCIATE, true),
            (60_000, ASSOCIATE, true),
            (60_000, ASSOCIATE, false),
        ];
        for (index, (millis, operation, let_through)) in calls.into_iter().enumerate() {
            let now = start + Duration::from_millis(millis);
            assert_eq!(buckets.take(operation, now), let_through, "call {index} at {millis} ms");
        }
    }

    #[test]
    fn no_rate_refuses_nothing() {
        let mut buckets = Buckets::new(Quota::default());
        let now = Instant::now();
        assert!((0..1000).all(|_| buckets.take(ASSOCIATE, now)));
    }

    #[test]
    fn senseless_quotas_are_refused() {
        let cases = [
            (Quota::per_second(2.0, 5.0), None),
            (Quota::per_second(0.0, 1.0), None),
            (
                Quota::per_second(-1.0, 5.0),
                Some("rate -1: a number of requests a second, 0 or more, is accepted"),
            ),
            (
                Quota::per_second(f64::NAN, 5.0),
                Some("rate NaN: a number of requests a second, 0 or more, is accepted"),
            ),
            (Quota::per_second(2.0, 0.5), Some("burst 0.5: a number of requests, 1 or more, is accepted")),
        ];
        for (quota, message) in cases {
            assert_eq!(quota.check().err().map(|error| error.to_string()).as_deref(), message);
        }
    }
}
