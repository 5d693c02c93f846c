//! Estimates the number of calls for a payload, if nothing fails, and their time at the configured pace.

use std::time::Duration;

use queue_email_associator::associate::CHUNK;
use queue_email_associator::associate::pace::Allowance;
use queue_email_associator::index::{IndexList, PairIndex, QueueIndex};
use queue_email_associator::pairs::Pairs;
use queue_email_associator::requests::Intent;

/// The pairs and calls of a payload. Look-ups of names are not counted, because the number of pages of a directory is
/// unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Workload {
    /// Pairs to associate, as the file identifies them.
    pub(crate) pairs: usize,
    pub(crate) queues: usize,
    /// Calls of `AssociateQueueEmailAddresses`.
    pub(crate) calls: usize,
}

impl Workload {
    /// Counts the calls of a dry run: a list for each queue, if the dry run checks queues.
    pub(crate) fn of_dry_run(pairs: &Pairs, intent: Intent) -> Self {
        let queues = if intent == Intent::Check { pairs.queues.len() } else { 0 };
        Workload { pairs: 0, queues, calls: queues }
    }

    /// Counts the pairs and calls of the requests that are not dry runs.
    pub(crate) fn of(pairs: &Pairs) -> Self {
        let mut live = IndexList::<PairIndex, bool>::from(vec![false; pairs.pairs.len()]);
        for mention in &pairs.mentions {
            live[mention.pair] |= !pairs.requests[mention.request].options.intent.is_dry();
        }
        let mut addresses = IndexList::<QueueIndex, usize>::from(vec![0; pairs.queues.len()]);
        for (pair, _) in pairs.pairs.iter().zip(live).filter(|(_, live)| *live) {
            addresses[pair.queue()] += 1;
        }
        Workload {
            pairs: addresses.iter().sum(),
            queues: addresses.iter().filter(|count| **count > 0).count(),
            calls: addresses.iter().map(|count| count.div_ceil(CHUNK)).sum(),
        }
    }
}

/// Returns the time needed for `calls` calls when the full burst is available. Calls beyond the burst go at the rate.
/// One call of the burst stays unused, as in the function's pace.
pub(crate) fn time_of(calls: usize, allowance: Allowance) -> Duration {
    let at_once = (allowance.burst - 1.0).max(1.0);
    seconds((calls as f64 - at_once).max(0.0) / allowance.rate)
}

/// Returns the time needed for `calls` calls after the burst is used up.
pub(crate) fn time_after_burst(calls: usize, allowance: Allowance) -> Duration {
    seconds(calls as f64 / allowance.rate)
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

/// Formats an estimated duration in words.
pub(crate) fn words(time: Duration) -> String {
    match time.as_secs() {
        0 => "less than a second".to_owned(),
        secs @ 1..120 => format!("about {secs} s"),
        secs @ 120..7200 => format!("about {} min", (secs + 30) / 60),
        secs => format!("about {} h", (secs + 1_800) / 3_600),
    }
}

/// Formats a number with its noun: "1 call", "2 calls", "3 addresses".
pub(crate) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ if noun.ends_with('s') => format!("{number} {noun}es"),
        _ => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use queue_email_associator::payload::Envelope;
    use queue_email_associator::requests::{ArnScope, Context, InstanceId};

    use super::*;

    fn workload(payload: &str) -> Workload {
        let (envelope, scope) = (Envelope::read(payload.as_bytes()).unwrap(), ArnScope::new("us-east-1"));
        let instance = InstanceId::parse("i", &scope).unwrap();
        Workload::of(&Pairs::read(&envelope, Context::new(&scope, Some(&instance))).unwrap())
    }

    #[test]
    fn calls_contain_fifty_addresses_and_dry_runs_make_none() {
        let ids: Vec<String> = (0..51).map(|number| format!("\"e{number}\"")).collect();
        let ids = ids.join(",");
        let items = format!(
            r#"{{"Items": [{{"associations": [{{"queueId": "q1", "emailAddressIds": [{ids}]}}]}},
                           {{"queueId": "q2", "emailAddressId": "e1"}},
                           {{"queueId": "q2", "emailAddressId": "e1"}},
                           {{"queueId": "q3", "emailAddressId": "e1", "dryRun": true}}]}}"#
        );
        assert_eq!(workload(&items), Workload { pairs: 52, queues: 2, calls: 3 });
        assert_eq!(workload(r#"{"queueId": "q"}"#), Workload::default());
    }

    #[test]
    fn burst_takes_no_time_and_other_calls_follow_at_the_rate() {
        let allowance = Allowance { rate: 2.0, burst: 5.0, workers: 1 };
        for (calls, millis) in [(0, 0), (4, 0), (5, 500), (24, 10_000)] {
            assert_eq!(time_of(calls, allowance), Duration::from_millis(millis), "{calls}");
        }
        assert_eq!(time_after_burst(24, allowance), Duration::from_secs(12));
    }

    #[test]
    fn durations_are_written_in_words() {
        for (secs, text) in [
            (0, "less than a second"),
            (1, "about 1 s"),
            (119, "about 119 s"),
            (121, "about 2 min"),
            (150, "about 3 min"),
            (7_201, "about 2 h"),
            (9_000, "about 3 h"),
        ] {
            assert_eq!(words(Duration::from_secs(secs)), text);
        }
    }
}
