//! Measure: from the simulator's record of a run to its figures. No clock is read here.

use std::collections::HashSet;

use connect_simulator::RecordedCall;

use crate::setup::{PAIRS_PER_QUEUE, Setup};
use crate::world::is_contestants;

/// How far behind counts as behind: runs differ by less.
const LEVEL: f64 = 1.02;

/// The figures of one run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figures {
    /// From the arrival of the first call to that of the last one that was let through, over the limit.
    pub(crate) makespan: f64,
    /// The share of calls that were throttled.
    pub(crate) throttled: f64,
    /// Calls.
    pub(crate) calls: usize,
    /// Pairs that no call associated.
    pub(crate) undone: usize,
    /// The longest row of calls that were throttled, in the order of their arrival.
    pub(crate) refused_in_a_row: usize,
    /// The share of somebody else's calls that were throttled, if there were any.
    pub(crate) elsewhere_throttled: Option<f64>,
    /// When each call arrived that was let through, in seconds since the first call.
    pub(crate) accepted: Vec<f64>,
}

impl Figures {
    /// The figures of a record.
    pub(crate) fn of(record: &[RecordedCall], setup: Setup, limit: f64) -> Self {
        let calls: Vec<&RecordedCall> = record.iter().filter(|call| is_contestants(call)).collect();
        let others: Vec<&RecordedCall> = record.iter().filter(|call| !is_contestants(call)).collect();
        let through: Vec<&RecordedCall> =
            calls.iter().copied().filter(|call| call.status == Some(200)).collect();
        let accepted: Vec<f64> = through
            .iter()
            .map(|call| calls.first().map_or(0.0, |first| (call.at - first.at).as_secs_f64()))
            .collect();
        let done: HashSet<(Option<&str>, &str)> = through
            .iter()
            .flat_map(|call| call.addresses.iter().map(|address| (call.queue.as_deref(), address.as_str())))
            .collect();
        Figures {
            makespan: accepted.last().copied().unwrap_or_default() / limit,
            throttled: share_throttled(&calls).unwrap_or_default(),
            calls: calls.len(),
            undone: (setup.queues * PAIRS_PER_QUEUE).saturating_sub(done.len()),
            refused_in_a_row: longest_row(calls.iter().map(|call| call.throttled())),
            elsewhere_throttled: share_throttled(&others),
            accepted,
        }
    }
}

fn share_throttled(calls: &[&RecordedCall]) -> Option<f64> {
    let throttled = calls.iter().filter(|call| call.throttled()).count();
    (!calls.is_empty()).then(|| throttled as f64 / calls.len() as f64)
}

fn longest_row(refused: impl Iterator<Item = bool>) -> usize {
    refused
        .fold((0, 0), |(longest, row), refused| {
            let row = if refused { row + 1 } else { 0 };
            (longest.max(row), row)
        })
        .0
}

/// A figure over several runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// The spread of a figure; nothing of no runs.
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        let middle = figures.len() / 2;
        let median = match figures.len() % 2 {
            0 => (figures.get(middle.checked_sub(1)?)? + figures.get(middle)?) / 2.0,
            _ => *figures.get(middle)?,
        };
        Some(Spread { least: *figures.first()?, median, most: *figures.last()? })
    }
}

/// The figures of a contestant in a scenario, over all its runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Summary {
    pub(crate) makespan: Spread,
    pub(crate) throttled: Spread,
    pub(crate) calls: Spread,
    pub(crate) undone: Spread,
    pub(crate) refused_in_a_row: Spread,
    pub(crate) elsewhere_throttled: Option<Spread>,
    /// The run whose makespan is nearest to the median, for the plot.
    pub(crate) typical: Figures,
}

impl Summary {
    /// Sums runs up; nothing of no runs.
    pub(crate) fn of(runs: &[Figures]) -> Option<Self> {
        let spread = |figure: fn(&Figures) -> f64| Spread::of(runs.iter().map(figure));
        let makespan = spread(|run| run.makespan)?;
        let distance = |run: &&Figures| (run.makespan - makespan.median).abs();
        let typical = runs.iter().min_by(|one, other| distance(one).total_cmp(&distance(other)))?;
        Some(Summary {
            makespan,
            throttled: spread(|run| run.throttled)?,
            calls: spread(|run| run.calls as f64)?,
            undone: spread(|run| run.undone as f64)?,
            refused_in_a_row: spread(|run| run.refused_in_a_row as f64)?,
            elsewhere_throttled: Spread::of(runs.iter().filter_map(|run| run.elsewhere_throttled)),
            typical: typical.clone(),
        })
    }

    /// Whether another one did better: fewer pairs left undone, or, with as many, a makespan that is shorter by
    /// more than 2 %.
    pub(crate) fn is_behind(&self, other: &Summary) -> bool {
        let (mine, others) = (self.undone.median, other.undone.median);
        others < mine || (others == mine && self.makespan.median > other.makespan.median * LEVEL)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use connect_simulator::Operation;
    use tokio::time::Instant;

    use super::*;
    use crate::setup::{address_ids, queue_id};
    use crate::world::ELSEWHERE;

    /// A run with these figures.
    pub(crate) fn figures(makespan: f64, throttled: f64, undone: usize) -> Figures {
        Figures {
            makespan,
            throttled,
            calls: 300,
            undone,
            refused_in_a_row: 1,
            elsewhere_throttled: None,
            accepted: vec![0.0, 1.0, 2.0],
        }
    }

    fn call(at: Instant, queue: &str, addresses: Vec<String>, status: u16) -> RecordedCall {
        RecordedCall {
            operation: Operation::AssociateQueueEmailAddresses,
            instance: String::new(),
            queue: Some(queue.to_owned()),
            addresses,
            client_token: None,
            status: Some(status),
            error: (status == 429).then(|| "TooManyRequestsException".to_owned()),
            at,
            uri: String::new(),
        }
    }

    #[test]
    fn figures_come_from_the_record() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let own = |millis, queue, status| call(at(millis), &queue_id(queue), address_ids(queue), status);
        let record = [
            call(at(0), ELSEWHERE, vec!["x".to_owned()], 200),
            own(100, 0, 200),
            own(200, 1, 429),
            call(at(250), ELSEWHERE, vec!["x".to_owned()], 429),
            own(300, 1, 429),
            own(600, 1, 200),
            // A pair that is done counts once.
            own(1_100, 1, 200),
            own(2_000, 2, 429),
        ];
        let figures = Figures::of(&record, Setup { scale: 1.0, queues: 3 }, 2.0);
        let expected = Figures {
            makespan: 0.5,
            throttled: 0.5,
            calls: 6,
            undone: 5,
            refused_in_a_row: 2,
            elsewhere_throttled: Some(0.5),
            accepted: vec![0.0, 0.5, 1.0],
        };
        assert_eq!(figures, expected);
    }

    #[test]
    fn nothing_recorded_is_nothing_done() {
        let figures = Figures::of(&[], Setup { scale: 1.0, queues: 3 }, 2.0);
        assert_eq!((figures.makespan, figures.undone, figures.elsewhere_throttled), (0.0, 15, None));
    }

    #[test]
    fn spreads_have_their_median_in_the_middle() {
        let spread =
            |figures: &[f64]| Spread::of(figures.iter().copied()).map(|s| (s.least, s.median, s.most));
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[2.0]), Some((2.0, 2.0, 2.0)));
        assert_eq!(spread(&[3.0, 1.0]), Some((1.0, 2.0, 3.0)));
        assert_eq!(spread(&[3.0, 1.0, 10.0]), Some((1.0, 3.0, 10.0)));
    }

    #[test]
    fn less_undone_ranks_before_faster() {
        let summary = |makespan, undone| Summary::of(&[figures(makespan, 0.0, undone)]).unwrap();
        let one = summary(1.0, 0);
        assert!(!one.is_behind(&summary(0.3, 10)), "the other one gave up");
        assert!(summary(0.3, 10).is_behind(&one));
        assert!(!summary(1.019, 0).is_behind(&one), "level");
        assert!(summary(1.03, 0).is_behind(&one));
    }

    #[test]
    fn typical_run_is_the_median() {
        let runs = [figures(1.2, 0.0, 0), figures(1.0, 0.0, 0), figures(1.1, 0.0, 0)];
        assert_eq!(Summary::of(&runs).unwrap().typical, runs[2]);
        assert_eq!(Summary::of(&[]), None);
    }
}
