//! Enforces the request quota with one token bucket for each operation.
//!
//! Most operations have a rate of 2 requests per second and a burst of 5, for an account in a Region, and each
//! operation has its own quota (Amazon Connect service quotas, "API throttling quotas").

use std::collections::HashMap;

use serde::Deserialize;
use tokio::time::Instant;

use crate::Operation;

/// The quota of each operation.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// Requests per second. `None` means unlimited.
    pub rate: Option<f64>,
    /// Requests that can arrive at once after a period without requests.
    pub burst: f64,
}

impl Default for Quota {
    /// Returns an unlimited rate, with the burst of most operations of Amazon Connect.
    fn default() -> Self {
        Self { rate: None, burst: 5.0 }
    }
}

impl Quota {
    /// Returns a quota of `rate` requests per second and `burst` requests at once.
    pub fn per_second(rate: f64, burst: f64) -> Self {
        Self { rate: Some(rate), burst }
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

    /// Takes a token for a call at `now` and returns true. Returns false if there is none: a rejected call uses no
    /// quota.
    pub(crate) fn take(&mut self, operation: Operation, now: Instant) -> bool {
        let Some(rate) = self.quota.rate else { return true };
        let burst = self.quota.burst;
        let bucket = self.buckets.entry(operation).or_insert(Bucket { tokens: burst, at: now });
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * rate).min(burst);
        bucket.at = bucket.at.max(now);
        // A rounding error must not cause a rejection for a client that waits for exactly one token.
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
    fn bucket_allows_the_burst_and_then_the_rate() {
        let start = Instant::now();
        let mut buckets = Buckets::new(Quota::per_second(2.0, 3.0));
        let calls = [
            (0, ASSOCIATE, true),
            (0, ASSOCIATE, true),
            (0, ASSOCIATE, true),
            (0, ASSOCIATE, false),
            // Each operation has its own bucket.
            (0, LIST, true),
            // The rejected call took no token, so half a second adds up to one.
            (499, ASSOCIATE, false),
            (500, ASSOCIATE, true),
            (500, ASSOCIATE, false),
            // A time before the last one neither adds nor removes tokens.
            (400, ASSOCIATE, false),
            (1000, ASSOCIATE, true),
            // However long the pause, the bucket never has more tokens than the burst.
            (60_000, ASSOCIATE, true),
            (60_000, ASSOCIATE, true),
            (60_000, ASSOCIATE, true),
            (60_000, ASSOCIATE, false),
        ];
        for (index, (millis, operation, allowed)) in calls.into_iter().enumerate() {
            let now = start + Duration::from_millis(millis);
            assert_eq!(buckets.take(operation, now), allowed, "call {index} at {millis} ms");
        }
    }
}
