//! What jobs cost when processes share a quota: duration, throttling and fairness.
//!
//! `SHOW_PACE=1 cargo test --workspace --lib -- pace::scenarios --nocapture` prints all figures. The constants of the
//! rule were chosen with other seeds, latencies and bursts than most of these.

use std::ops::Range;

use super::Allowance;
use super::model::{Figures, Job, LATENCY, Process};

const SEEDS: Range<u64> = 1_000..1_040;

/// The highest cost of a job.
#[derive(Debug, Clone, Copy)]
struct Target {
    makespan: f64,
    throttled: f64,
    slowest: f64,
}

/// The target of processes that share a quota.
const SHARED: Target = Target { makespan: 1.13, throttled: 0.12, slowest: 1.6 };

fn allowance(rate: f64, burst: f64, workers: u32) -> Allowance {
    Allowance { rate, burst, workers }
}

/// A job of processes that start within the given seconds and run against the configured quota.
fn together(allowance: Allowance, processes: u32, calls: u32, within: f64) -> Job {
    let process = Process { starts: (0.0, within), calls };
    Job {
        allowance,
        quota: (allowance.rate, allowance.burst),
        latency: LATENCY,
        unlucky: None,
        processes: vec![process; processes as usize],
    }
}

/// Asserts that the mean of a family of jobs meets its target.
fn assert_mean(family: &str, jobs: &[Job], target: Target) {
    let mut mean = Figures::default();
    let mut worst: f64 = 0.0;
    for job in jobs {
        let figures = job.mean(SEEDS);
        mean.makespan += figures.makespan / jobs.len() as f64;
        mean.throttled += figures.throttled / jobs.len() as f64;
        mean.slowest += figures.slowest / jobs.len() as f64;
        mean.failed += figures.failed;
        worst = worst.max(figures.makespan);
    }
    let Figures { makespan, throttled, slowest, failed } = mean;
    let line = format!(
        "{family}: {makespan:.3} of the limit (worst job {worst:.3}), {:.1} % throttled, slowest {slowest:.2} times the \
         fastest, {failed} calls failed",
        throttled * 100.0
    );
    if std::env::var_os("SHOW_PACE").is_some() {
        println!("{line}");
    }
    assert_eq!(failed, 0, "{line}");
    assert!(
        makespan <= target.makespan && throttled <= target.throttled && slowest <= target.slowest,
        "{line}"
    );
}

/// Jobs of one number of processes at several rates, numbers of calls and start times.
fn shared(processes: u32, burst: f64, latency: f64) -> Vec<Job> {
    let mut jobs = Vec::new();
    for workers in [processes, 5] {
        for rate in [2.0, 20.0] {
            for (calls, within) in [(240 / processes, 0.05), (240 / processes, 2.0), (60, 1.0)] {
                let job = together(allowance(rate, burst, workers), processes, calls, within);
                jobs.push(Job { latency, ..job });
            }
        }
    }
    jobs
}

#[test]
fn single_process_uses_the_whole_quota() {
    let strict = Target { makespan: 1.03, throttled: 0.0, slowest: f64::INFINITY };
    // At 20 calls per second, the jitter of slow calls exceeds the one token that is never used.
    let slow = Target { makespan: 1.05, throttled: 0.002, slowest: f64::INFINITY };
    for workers in [1, 2, 5, 25] {
        for (burst, latency, target) in
            [(5.0, LATENCY, strict), (2.0, LATENCY, strict), (5.0, 0.04, strict), (10.0, 0.3, slow)]
        {
            let jobs = [(2.0, 60), (2.0, 240), (20.0, 240)]
                .map(|(rate, calls)| together(allowance(rate, burst, workers), 1, calls, 0.0))
                .map(|job| Job { latency, ..job });
            assert_mean(&format!("alone, {workers} workers, burst {burst}, {latency} s"), &jobs, target);
        }
    }
}

#[test]
fn processes_share_the_quota() {
    for processes in 2..=4 {
        assert_mean(&format!("{processes} share"), &shared(processes, 5.0, LATENCY), SHARED);
    }
    assert_mean("5 share", &shared(5, 5.0, LATENCY), Target { throttled: 0.16, ..SHARED });
}

#[test]
fn processes_share_the_quota_at_other_latencies_and_bursts() {
    for (burst, latency) in [(5.0, 0.04), (5.0, 0.3), (10.0, LATENCY)] {
        for processes in 2..=4 {
            let family = format!("{processes} share, burst {burst}, {latency} s");
            // The longer a call takes, the more calls are in flight when throttling is noticed.
            let throttled = if latency > LATENCY { 0.14 } else { SHARED.throttled };
            assert_mean(&family, &shared(processes, burst, latency), Target { throttled, ..SHARED });
        }
    }
}

#[test]
fn two_processes_share_the_quota_although_only_one_is_configured() {
    let jobs = [(2.0, 0.05), (2.0, 2.0), (20.0, 0.05), (20.0, 2.0)]
        .map(|(rate, within)| together(allowance(rate, 5.0, 1), 2, 120, within));
    assert_mean("2 share, 1 worker", &jobs, SHARED);
}

#[test]
fn quota_is_used_when_processes_come_and_go() {
    for (family, first, starts, others) in [
        ("others end early", 240, 0.0, 60),
        ("others join later", 150, 80.0, 100),
        ("unequal work", 160, 0.0, 80),
    ] {
        let mut jobs = Vec::new();
        for (workers, processes) in [(2, 2), (5, 2), (5, 3)] {
            for rate in [2.0, 20.0] {
                let mut job = together(allowance(rate, 5.0, workers), processes, others, 0.0);
                for process in &mut job.processes {
                    process.starts = (starts / rate, starts / rate + 1.0);
                }
                job.processes[0] = Process { starts: (0.0, 0.0), calls: first };
                jobs.push(job);
            }
        }
        assert_mean(family, &jobs, Target { slowest: f64::INFINITY, ..SHARED });
    }
}

#[test]
fn one_unlucky_rejection_costs_little() {
    let mut jobs = Vec::new();
    for workers in [1, 5, 25] {
        for rate in [2.0, 20.0] {
            let job = together(allowance(rate, 5.0, workers), 1, 240, 0.0);
            jobs.push(Job { unlucky: Some(60), ..job });
        }
    }
    assert_mean("one rejection", &jobs, Target { makespan: 1.10, throttled: 0.01, slowest: f64::INFINITY });
}

#[test]
fn lower_quota_than_configured_is_found() {
    let mut jobs = Vec::new();
    let mut fifths = Vec::new();
    for workers in [1, 2, 3, 5] {
        for rate in [2.0, 20.0] {
            for share in [0.7, 0.5, 0.33] {
                let job = together(allowance(rate, 5.0, workers), 1, 240, 0.0);
                jobs.push(Job { quota: (rate * share, 5.0), ..job });
            }
        }
        let job = together(allowance(75.0, 20.0, workers), 1, 125, 0.0);
        fifths.push(Job { quota: (15.0, 5.0), ..job });
    }
    assert_mean("lower quota", &jobs, Target { slowest: f64::INFINITY, ..SHARED });
    assert_mean(
        "a fifth of the quota, a quarter of the burst",
        &fifths,
        Target { throttled: 0.20, ..SHARED },
    );
}
