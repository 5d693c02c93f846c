//! The pace call by call, with time as an argument.

use std::time::Duration;

use super::*;

const QUOTA: Allowance = Allowance { rate: 2.0, burst: 5.0, workers: 1 };

fn seconds(start: Instant, seconds: f64) -> Instant {
    start + Duration::from_secs_f64(seconds)
}

/// Takes every turn that there is at a time.
fn drain(pace: &Pace, now: Instant) -> Vec<Turn> {
    std::iter::from_fn(|| pace.take(now).ok()).collect()
}

/// Takes the next turn, whenever it comes.
fn next(pace: &Pace, now: &mut Instant) -> Turn {
    loop {
        match pace.take(*now) {
            Ok(turn) => return turn,
            Err(at) => *now = at,
        }
    }
}

#[test]
fn whole_quota_whatever_the_number_of_workers() {
    for workers in [1, 5, 25] {
        let start = Instant::now();
        let pace = Pace::new(Allowance { workers, ..QUOTA }, start);
        let mut now = start;
        for _ in 0..100 {
            let turn = next(&pace, &mut now);
            pace.succeeded(turn, now);
        }
        assert!((pace.rate() - 2.0).abs() < 1e-9);
        // A hundred calls, of which a burst but one comes at once.
        let least = (100.0 - 4.0) / 2.0;
        let took = (now - start).as_secs_f64();
        assert!((least - 1e-6..least + 0.5).contains(&took), "{took} with {workers} workers");
    }
}

#[test]
fn process_that_shares_with_nobody_has_its_burst_at_once() {
    let start = Instant::now();
    // One token of the burst stays with the server.
    assert_eq!(drain(&Pace::new(QUOTA, start), start).len(), 4);
}

#[test]
fn burst_is_released_by_success() {
    let start = Instant::now();
    let pace = Pace::new(Allowance { workers: 2, ..QUOTA }, start);
    assert_eq!(drain(&pace, start).len(), 2);
    // Without an answer no burst gathers.
    let mut now = seconds(start, 60.0);
    assert!((1..=2).contains(&drain(&pace, now).len()));
    for _ in 0..20 {
        let turn = next(&pace, &mut now);
        pace.succeeded(turn, now);
    }
    // One token of the burst stays with the server. A turn may be late by less than a token.
    assert!((3..=4).contains(&drain(&pace, seconds(now, 60.0)).len()));
}

#[test]
fn few_calls_begin_before_the_first_answer() {
    for answers in [true, false] {
        let start = Instant::now();
        let pace = Pace::new(Allowance { rate: 20.0, workers: 2, ..QUOTA }, start);
        let turns = drain(&pace, start);
        assert_eq!(turns.len(), 2);
        let later = seconds(start, 0.25);
        assert!(drain(&pace, later).is_empty());
        if answers {
            pace.succeeded(turns[0], later);
            assert!(!drain(&pace, seconds(later, 0.1)).is_empty());
        } else {
            // An answer that never comes does not stop the others for good.
            assert!(!drain(&pace, seconds(start, 0.4)).is_empty());
        }
    }
}

#[test]
fn a_burst_of_one_is_one_call_at_once() {
    let start = Instant::now();
    let pace = Pace::new(Allowance { burst: 1.0, ..QUOTA }, start);
    let mut now = start;
    for _ in 0..20 {
        let turn = next(&pace, &mut now);
        pace.succeeded(turn, now);
    }
    assert_eq!(drain(&pace, seconds(now, 60.0)).len(), 1);
}

#[test]
fn asking_takes_nothing() {
    let start = Instant::now();
    let pace = Pace::new(QUOTA, start);
    drain(&pace, start);
    let now = seconds(start, 60.0);
    drain(&pace, now);
    let at = pace.take(now).unwrap_err();
    let wait = (at - now).as_secs_f64();
    // At most half a second for a token, and as much longer as turns may be late.
    assert!((0.0..=0.5 * 1.5).contains(&wait), "{wait}");
    assert!(pace.take(at).is_ok());
}

#[test]
fn calls_begun_at_the_moment_of_a_cut_belong_to_its_episode() {
    let start = Instant::now();
    let pace = Pace::new(QUOTA, start);
    let first = next(&pace, &mut start.clone());
    let mut now = seconds(start, 3.0);
    let second = next(&pace, &mut now);
    pace.throttled(first, now);
    let cut = pace.rate();
    pace.throttled(second, seconds(now, 1.0));
    pace.succeeded(second, seconds(now, 5.0));
    assert!((pace.rate() - cut).abs() < 1e-9, "{} {cut}", pace.rate());
}

#[test]
fn an_episode_cuts_once() {
    let start = Instant::now();
    let pace = Pace::new(QUOTA, start);
    let mut now = start;
    let turns: Vec<Turn> = (0..4).map(|_| next(&pace, &mut now)).collect();
    for turn in &turns {
        pace.throttled(*turn, seconds(now, 0.1));
    }
    let cut = pace.rate();
    assert!(cut < 2.0 && cut > 0.8, "{cut}");
    // A call that was begun after the cut and refused is a new episode.
    now = seconds(now, 5.0);
    let later = next(&pace, &mut now);
    pace.throttled(later, seconds(now, 0.1));
    assert!(pace.rate() < cut);
    // An answer from before the cut changes nothing, not even a good one.
    let cut = pace.rate();
    pace.succeeded(turns[0], seconds(now, 0.2));
    assert!((pace.rate() - cut).abs() < 1e-9);
}

#[test]
fn more_workers_give_way_further() {
    let cut = |workers| {
        let start = Instant::now();
        let pace = Pace::new(Allowance { workers, ..QUOTA }, start);
        let turn = next(&pace, &mut start.clone());
        pace.throttled(turn, start);
        pace.rate()
    };
    assert!(cut(2) > cut(5) && cut(5) > cut(25));
    // Nobody gives way further than to what all of them could have.
    assert!(cut(2) >= 1.0 && cut(5) >= 0.4 && cut(25) >= 0.08);
    // Somebody whom nobody counted may share the quota.
    assert!((cut(1) - cut(2)).abs() < 1e-9);
}

#[test]
fn the_cut_is_to_what_was_measured() {
    let start = Instant::now();
    let pace = Pace::new(QUOTA, start);
    let mut now = start;
    let turn = next(&pace, &mut now);
    pace.throttled(turn, now);
    let cut_at = now;
    let mut calls = 0.0;
    while calls < 30.0 {
        let turn = next(&pace, &mut now);
        pace.succeeded(turn, now);
        calls += 1.0;
    }
    let turn = next(&pace, &mut now);
    let measured = calls / (now - cut_at).as_secs_f64();
    assert!(measured < pace.rate());
    pace.throttled(turn, now);
    assert!((pace.rate() - measured).abs() < 1e-6, "{} of {measured}", pace.rate());
}

#[test]
fn time_in_which_nobody_calls_is_no_part_of_what_is_measured() {
    let start = Instant::now();
    let pace = Pace::new(QUOTA, start);
    let turn = pace.take(start).unwrap();
    pace.throttled(turn, start);
    // Ten calls at the pace, ten minutes of nothing, ten calls, and a refusal.
    let mut now = start;
    for round in 0..2 {
        for _ in 0..10 {
            let turn = next(&pace, &mut now);
            pace.succeeded(turn, now);
        }
        if round == 0 {
            let before = pace.rate();
            now += Duration::from_secs(600);
            let turn = next(&pace, &mut now);
            pace.succeeded(turn, now);
            assert!(pace.rate() >= before, "idle time never lowers it");
        }
    }
    let turn = next(&pace, &mut now);
    pace.throttled(turn, now);
    // Twenty-one calls in ten minutes would be a rate of 0.035.
    assert!(pace.rate() > 0.5, "{}", pace.rate());
    // And no burst gathers while it is slowed.
    assert_eq!(drain(&pace, now + Duration::from_secs(600)).len(), 1);
}

#[test]
fn a_process_that_was_alone_gives_way_a_little() {
    for workers in [2, 25] {
        let start = Instant::now();
        let pace = Pace::new(Allowance { workers, ..QUOTA }, start);
        let mut now = start;
        for _ in 0..40 {
            let turn = next(&pace, &mut now);
            pace.succeeded(turn, now);
        }
        let turn = next(&pace, &mut now);
        pace.throttled(turn, now);
        assert!((pace.rate() - 1.5).abs() < 1e-9, "{} with {workers} workers", pace.rate());
        // Refused again, it gives way like the others.
        let turn = next(&pace, &mut now);
        pace.throttled(turn, now);
        assert!(pace.rate() < 1.2, "{} with {workers} workers", pace.rate());
    }
}

#[test]
fn success_brings_it_back_to_the_quota_and_never_above() {
    for (workers, most) in [(1, 120), (5, 200), (25, 600)] {
        let start = Instant::now();
        let pace = Pace::new(Allowance { workers, ..QUOTA }, start);
        let mut now = start;
        for _ in 0..6 {
            now += Duration::from_secs(30);
            let turn = next(&pace, &mut now);
            pace.throttled(turn, now);
        }
        assert!(pace.rate() < 1.0, "{}", pace.rate());
        let mut successes = 0;
        while pace.rate() < 2.0 {
            let turn = next(&pace, &mut now);
            let before = pace.rate();
            pace.succeeded(turn, now);
            assert!(pace.rate() >= before && pace.rate() <= 2.0);
            successes += 1;
        }
        assert!(successes < most, "{successes} with {workers} workers");
        now += Duration::from_secs(10);
        let turn = next(&pace, &mut now);
        pace.succeeded(turn, now);
        assert!((pace.rate() - 2.0).abs() < 1e-9);
    }
}

#[test]
fn it_never_stops_probing() {
    for workers in [2, 25] {
        let start = Instant::now();
        let pace = Pace::new(Allowance { workers, ..QUOTA }, start);
        let mut now = start;
        for _ in 0..100 {
            now += Duration::from_secs(30);
            let turn = next(&pace, &mut now);
            pace.throttled(turn, now);
        }
        // Near the share of each, if all of them call.
        let share = 2.0 / f64::from(workers);
        assert!(pace.rate() > 0.5 * share && pace.rate() <= share, "{} of {share}", pace.rate());
    }
}
