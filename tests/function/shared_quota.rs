//! Processes that share a quota use nearly all of it, with few throttled calls and similar shares.
//!
//! Each process is a function of its own, on a paused clock. At this quota, a call waits for its slot longer than for its
//! backoff, so the costs depend only on the seed. `cargo test --workspace --test function -- shared_quota --nocapture`
//! prints them.

use std::ops::Range;
use std::time::Duration;

use connect_simulator::{Options, Quota};
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use crate::common::{ASSOCIATE, on_a_paused_clock, one_pair_a_queue};
use crate::world::{World, fixture};

/// The server's rate, in calls per second.
const RATE: f64 = 2.0;

/// Processes that share the quota.
#[derive(Debug)]
struct Job {
    /// The server's burst, and the duration of a call.
    burst: f64,
    latency: Duration,
    /// The rate and the burst that the processes are configured with.
    configured: (f64, f64),
    workers: usize,
    /// The second at which each process starts, and its number of calls.
    processes: &'static [(u32, usize)],
}

/// The cost of a job, or the highest mean cost of some jobs.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// Time until the last accepted call, as a multiple of the shortest possible time.
    makespan: f64,
    /// Share of the calls that were throttled.
    throttled: f64,
    /// Time of the slowest process, as a multiple of the time of the fastest one.
    slowest: f64,
}

const SHARED: Cost = Cost { makespan: 1.13, throttled: 0.12, slowest: 1.6 };

fn job(workers: usize, processes: &'static [(u32, usize)]) -> Job {
    job_on(5.0, 120, workers, processes)
}

/// A job on a server with this burst, whose calls take this number of milliseconds.
fn job_on(burst: f64, latency: u64, workers: usize, processes: &'static [(u32, usize)]) -> Job {
    Job { burst, latency: Duration::from_millis(latency), configured: (RATE, burst), workers, processes }
}

impl Job {
    /// Returns the time that the server needs: it accepts a burst, and then calls at its rate. The work of a process
    /// cannot be done before it starts.
    fn shortest_time(&self) -> f64 {
        let time_from = |start: u32| {
            let later = self.processes.iter().filter(|(other, _)| *other >= start);
            let calls: usize = later.map(|(_, calls)| calls).sum();
            f64::from(start) + (calls as f64 - self.burst) / RATE
        };
        self.processes.iter().map(|(start, _)| time_from(*start)).fold(0.0, f64::max)
    }

    async fn run(&self) -> Cost {
        let options = Options {
            fixture: fixture(self.processes.iter().map(|(_, calls)| calls).sum(), 1),
            quota: Quota::per_second(RATE, self.burst),
            latency: self.latency,
            ..Options::default()
        };
        let (rate, burst) = self.configured;
        let [rate, burst, workers] = [rate, burst, self.workers as f64].map(|number| number.to_string());
        let variables = [
            ("CONNECT_REQUESTS_PER_SECOND", &*rate),
            ("CONNECT_BURST", &*burst),
            ("CONNECT_WORKERS", &*workers),
        ];
        let world = World::in_memory(options, &variables);
        let started = Instant::now();
        let mut unassigned = 0;
        let runs = self.processes.iter().map(|(start, calls)| {
            let queues = unassigned..unassigned + calls;
            unassigned = queues.end;
            let start = f64::from(*start) + 0.05 * fastrand::f64();
            run_process(world.beside(&variables), Duration::from_secs_f64(start), queues)
        });
        let times = join_all(runs).await;
        let calls = world.calls(ASSOCIATE);
        let accepted = || calls.iter().filter(|call| !call.throttled());
        let last = accepted().map(|call| call.at).max().unwrap();
        Cost {
            makespan: (last - started).as_secs_f64() / self.shortest_time(),
            throttled: 1.0 - accepted().count() as f64 / calls.len() as f64,
            slowest: times.iter().max().unwrap().div_duration_f64(*times.iter().min().unwrap()),
        }
    }
}

/// Makes one call for each queue, in two invocations with one pace, and returns the time that they took.
async fn run_process(process: World, start: Duration, queues: Range<usize>) -> Duration {
    sleep(start).await;
    let started = Instant::now();
    let middle = queues.start.midpoint(queues.end);
    for half in [queues.start..middle, middle..queues.end] {
        assert_eq!(process.invoke(&one_pair_a_queue(half)).await.unwrap()["status"], "SUCCEEDED");
    }
    started.elapsed()
}

/// Asserts that the mean cost of the jobs, each with the given number of seeds, is at most the given cost.
fn assert_mean_cost(jobs: &[Job], seeds: u64, highest: Cost) {
    let mean = |costs: &[Cost]| {
        let mean = |part: fn(&Cost) -> f64| costs.iter().map(part).sum::<f64>() / costs.len() as f64;
        Cost {
            makespan: mean(|cost| cost.makespan),
            throttled: mean(|cost| cost.throttled),
            slowest: mean(|cost| cost.slowest),
        }
    };
    let mut all = Vec::new();
    for job in jobs {
        let costs = (1..=seeds).map(|seed| {
            fastrand::seed(seed);
            on_a_paused_clock(job.run())
        });
        let costs: Vec<Cost> = costs.collect();
        println!("{job:?}: {:.3?}", mean(&costs));
        all.extend(costs);
    }
    let Cost { makespan, throttled, slowest } = mean(&all);
    assert!(
        makespan <= highest.makespan && throttled <= highest.throttled && slowest <= highest.slowest,
        "{:.3?} is more than {highest:?}",
        mean(&all)
    );
}

#[test]
fn single_process_uses_the_whole_quota_and_is_never_throttled() {
    let jobs = [1, 5].map(|workers| job(workers, &[(0, 120)]));
    assert_mean_cost(&jobs, 1, Cost { makespan: 1.03, throttled: 0.0, slowest: 1.0 });
}

#[test]
fn processes_share_the_quota() {
    let jobs = [job(2, &[(0, 120); 2]), job(5, &[(0, 80); 3]), job(4, &[(0, 60); 4])];
    assert_mean_cost(&jobs, 6, SHARED);
}

/// The constants of the pace were chosen with other latencies and bursts.
#[test]
fn quota_is_shared_at_any_latency_and_burst() {
    let jobs = [
        job_on(5.0, 40, 2, &[(0, 120); 2]),
        job_on(5.0, 300, 4, &[(0, 60); 4]),
        job_on(10.0, 120, 5, &[(0, 80); 3]),
    ];
    assert_mean_cost(&jobs, 3, SHARED);
}

#[test]
fn quota_is_used_when_processes_come_and_go() {
    let ends = job(3, &[(0, 150), (0, 40), (0, 40)]);
    let joins = job(2, &[(0, 150), (40, 90)]);
    let unequal_work = job(5, &[(0, 160), (0, 80)]);
    assert_mean_cost(&[ends, joins, unequal_work], 3, Cost { slowest: f64::INFINITY, ..SHARED });
}

#[test]
fn lower_quota_than_configured_is_found() {
    let fifth = Job { configured: (5.0 * RATE, 20.0), ..job(1, &[(0, 120)]) };
    assert_mean_cost(&[fifth], 3, Cost { throttled: 0.20, ..SHARED });
}
