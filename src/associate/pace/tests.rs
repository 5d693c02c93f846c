//! The pace call by call, with time as an argument.

use std::time::Duration;

use super::*;

const QUOTA: Allowance = Allowance { rate: 2.0, burst: 5.0, workers: 1 };

fn seconds(start: Instant, seconds: f64) -> Instant {
    start + Duration::from_secs_f64(seconds)
}

/// Takes every slot that is available at a time.
fn drain(pace: &Pace, now: Instant) -> Vec<Slot> {
    std::iter::from_fn(|| pace.take(now).ok()).collect()
}

/// Takes the next slot, and moves `now` to its time.
fn next(pace: &Pace, now: &mut Instant) -> Slot {
    loop {
        match pace.take(*now) {
            Ok(slot) => return slot,
            Err(at) => *now = at,
        }
    }
}

/// Makes the given number of calls, all successful.
fn succeed(pace: &Pace, now: &mut Instant, calls: u32) {
    for _ in 0..calls {
        let slot = next(pace, now);
        pace.not_throttled(slot, *now);
    }
}

fn throttle(pace: &Pace, now: &mut Instant) {
    let slot = next(pace, now);
    pace.throttled(slot, *now);
}

/// A pace whose first call was throttled, and the time of that.
fn throttled_at_first(workers: u32) -> (Pace, Instant) {
    let mut now = Instant::now();
    let pace = Pace::new(Allowance { workers, ..QUOTA }, now);
    throttle(&pace, &mut now);
    (pace, now)
}

#[test]
fn rate_is_the_quota_regardless_of_workers() {
    for workers in [1, 5, 25] {
        let start = Instant::now();
        let pace = Pace::new(Allowance { workers, ..QUOTA }, start);
        let mut now = start;
        succeed(&pace, &mut now, 100);
        // `burst - 1` of the 100 calls start immediately. The last slot may be late.
        let shortest = (100.0 - 4.0) / 2.0;
        let elapsed = (now - start).as_secs_f64();
        assert!((shortest - 1e-6..shortest + 1.5).contains(&elapsed), "{elapsed} with {workers} workers");
    }
}

#[test]
fn single_worker_has_its_burst_immediately() {
    let start = Instant::now();
    // One token of the burst is never used.
    assert_eq!(drain(&Pace::new(QUOTA, start), start).len(), 4);
}

#[test]
fn success_releases_the_burst() {
    let start = Instant::now();
    let pace = Pace::new(Allowance { workers: 2, ..QUOTA }, start);
    assert_eq!(drain(&pace, start).len(), 1);
    // Without a response no burst accumulates.
    let mut now = seconds(start, 60.0);
    assert_eq!(drain(&pace, now).len(), 1);
    succeed(&pace, &mut now, 20);
    // A slot may be late by less than a token.
    assert!((3..=4).contains(&drain(&pace, seconds(now, 60.0)).len()));
}

#[test]
fn burst_of_one_allows_one_call_at_once() {
    let mut now = Instant::now();
    let pace = Pace::new(Allowance { burst: 1.0, ..QUOTA }, now);
    succeed(&pace, &mut now, 20);
    assert_eq!(drain(&pace, seconds(now, 60.0)).len(), 1);
}

#[test]
fn slot_that_is_not_available_takes_no_token() {
    let start = Instant::now();
    let pace = Pace::new(QUOTA, start);
    drain(&pace, start);
    let now = seconds(start, 60.0);
    drain(&pace, now);
    let at = pace.take(now).unwrap_err();
    let wait = (at - now).as_secs_f64();
    assert!((0.0..=0.5).contains(&wait), "{wait}");
    assert!(pace.take(at).is_ok());
}

#[test]
fn one_episode_slows_once() {
    let start = Instant::now();
    let pace = Pace::new(QUOTA, start);
    let mut now = start;
    let slots: Vec<Slot> = (0..4).map(|_| next(&pace, &mut now)).collect();
    for slot in &slots {
        pace.throttled(*slot, seconds(now, 0.1));
    }
    let slowed = pace.rate();
    assert!((0.5..2.0).contains(&slowed), "{slowed}");
    // A call that started after the first throttling is a new episode.
    now = seconds(now, 5.0);
    throttle(&pace, &mut now);
    assert!(pace.rate() < slowed);
    // A response to a call that started earlier changes nothing.
    let slowed = pace.rate();
    pace.not_throttled(slots[0], seconds(now, 600.0));
    assert_eq!(pace.rate(), slowed);
}

#[test]
fn first_throttling_assumes_three_processes_or_two() {
    let divisor = |workers| (2.0 / throttled_at_first(workers).0.rate()).round();
    // A client that is not counted may share the quota of a single worker.
    assert_eq!([1, 2, 3, 25].map(divisor), [2.0, 2.0, 3.0, 3.0]);
}

#[test]
fn failed_probe_restores_the_rate_and_delays_the_next() {
    let (pace, mut now) = throttled_at_first(3);
    let slowed = pace.rate();
    let mut until_probe = || {
        let start = now;
        while pace.rate() <= slowed {
            succeed(&pace, &mut now, 1);
        }
        throttle(&pace, &mut now);
        assert_eq!(pace.rate(), slowed);
        (now - start).as_secs_f64()
    };
    let first = until_probe();
    let second = until_probe();
    assert!(second > 2.0 * first, "{first} {second}");
}

#[test]
fn success_restores_the_quota_and_never_exceeds_it() {
    for (workers, limit) in [(1, 120), (5, 200), (25, 600)] {
        let mut now = Instant::now();
        let pace = Pace::new(Allowance { workers, ..QUOTA }, now);
        for _ in 0..6 {
            now += Duration::from_secs(30);
            throttle(&pace, &mut now);
        }
        assert!(pace.rate() < 1.0, "{}", pace.rate());
        let mut successes = 0;
        while pace.rate() < 2.0 {
            let before = pace.rate();
            succeed(&pace, &mut now, 1);
            assert!(pace.rate() >= before);
            successes += 1;
        }
        assert!(successes < limit, "{successes} with {workers} workers");
        succeed(&pace, &mut now, 50);
        assert_eq!(pace.rate(), 2.0);
    }
}

#[test]
fn endless_throttling_never_stops_the_calls() {
    for workers in [2, 25] {
        let mut now = Instant::now();
        let pace = Pace::new(Allowance { workers, ..QUOTA }, now);
        for _ in 0..100 {
            throttle(&pace, &mut now);
        }
        let lowest = 2.0 / f64::from(2 * workers.max(5));
        assert!(pace.rate() >= lowest, "{}", pace.rate());
    }
}

#[test]
fn no_burst_accumulates_while_slowed() {
    let (pace, now) = throttled_at_first(3);
    assert_eq!(drain(&pace, seconds(now, 600.0)).len(), 1);
}

#[test]
fn idle_time_never_lowers_the_rate() {
    let (pace, mut now) = throttled_at_first(3);
    succeed(&pace, &mut now, 2);
    let before = pace.rate();
    now += Duration::from_secs(600);
    succeed(&pace, &mut now, 1);
    assert!(pace.rate() >= before);
}
