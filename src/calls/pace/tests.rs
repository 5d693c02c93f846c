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
        // The first calls take a share of two, and the last turn may be late.
        assert!((least - 1e-6..least + 1.5).contains(&took), "{took} with {workers} workers");
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
    assert!((1..=2).contains(&drain(&pace, start).len()));
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

/// A pace that was throttled at its first call, with the time of that.
fn throttled_at_once(workers: u32) -> (Pace, Instant) {
    let start = Instant::now();
    let pace = Pace::new(Allowance { workers, ..QUOTA }, start);
    pace.throttled(pace.take(start).unwrap(), start);
    (pace, start)
}

/// Makes so many calls that succeed.
fn succeed(pace: &Pace, now: &mut Instant, calls: u32) {
    for _ in 0..calls {
        let turn = next(pace, now);
        pace.succeeded(turn, *now);
    }
}

fn throttle(pace: &Pace, now: &mut Instant) {
    let turn = next(pace, now);
    pace.throttled(turn, *now);
}

/// How many processes seem to share the quota.
fn sharers(pace: &Pace) -> u32 {
    pace.lock().share.sharers()
}

#[test]
fn first_throttling_leaves_at_least_the_share_of_three() {
    let cut = |workers| sharers(&throttled_at_once(workers).0);
    // Somebody whom nobody counted may share the quota.
    assert_eq!([cut(1), cut(2), cut(3), cut(25)], [2, 2, 3, 3]);
}

/// The time until the guess falls, in seconds.
fn until_a_probe(pace: &Pace, now: &mut Instant) -> f64 {
    let (begun, guess) = (*now, sharers(pace));
    while sharers(pace) == guess {
        succeed(pace, now, 1);
    }
    (*now - begun).as_secs_f64()
}

#[test]
fn quiet_raises_the_rate_and_throttling_takes_it_back() {
    let (pace, mut now) = throttled_at_once(3);
    // The time of 9.3 calls at the quota, and at most that of one more call.
    let first = until_a_probe(&pace, &mut now);
    assert!((4.6..4.6 + 1.5 * 1.8).contains(&first), "{first}");
    assert_eq!(sharers(&pace), 2);
    throttle(&pace, &mut now);
    assert_eq!(sharers(&pace), 3);
    let second = until_a_probe(&pace, &mut now);
    assert!((51.1..51.1 + 1.5 * 1.8).contains(&second), "{second}");
}

#[test]
fn probe_of_the_share_of_two_begins_faster() {
    let rates = |throttlings: u32| {
        let (pace, mut now) = throttled_at_once(25);
        for _ in 1..throttlings {
            throttle(&pace, &mut now);
        }
        until_a_probe(&pace, &mut now);
        [0, 1, 2, 3].map(|_| {
            let rate = pace.rate();
            succeed(&pace, &mut now, 1);
            rate
        })
    };
    for throttlings in [1, 2] {
        assert_eq!(rates(throttlings), [1.36, 1.36, 1.36, 1.0]);
    }
    // A probe of a smaller share does not: where the quota is far lower than configured, it would be throttled more.
    assert_eq!(rates(3)[..3], [2.0 / 3.0; 3]);
}

#[test]
fn probe_of_the_whole_quota_begins_with_it() {
    let (pace, mut now) = throttled_at_once(2);
    until_a_probe(&pace, &mut now);
    assert_eq!((sharers(&pace), pace.rate()), (1, 2.0));
}

#[test]
fn probe_halves_the_guess() {
    let (pace, mut now) = throttled_at_once(25);
    for _ in 0..5 {
        throttle(&pace, &mut now);
    }
    let mut guesses = vec![sharers(&pace)];
    while sharers(&pace) > 1 {
        until_a_probe(&pace, &mut now);
        guesses.push(sharers(&pace));
    }
    assert_eq!(guesses, [8, 4, 2, 1]);
}

#[test]
fn throttling_after_many_successes_changes_nothing() {
    let guess_after = |throttlings: u32, successes| {
        let (pace, mut now) = throttled_at_once(25);
        for _ in 1..throttlings {
            throttle(&pace, &mut now);
        }
        // A probe that fails, so that the next one is far away.
        until_a_probe(&pace, &mut now);
        throttle(&pace, &mut now);
        succeed(&pace, &mut now, successes);
        throttle(&pace, &mut now);
        sharers(&pace)
    };
    assert_eq!([guess_after(1, 0), guess_after(1, 13), guess_after(1, 14)], [4, 4, 3]);
    // The more processes share the quota, the fewer successes are many.
    assert_eq!([guess_after(2, 0), guess_after(2, 6), guess_after(2, 7)], [5, 5, 4]);
}

#[test]
fn guess_reaches_the_workers_however_many_they_are() {
    let (pace, mut now) = throttled_at_once(25);
    for _ in 3..25 {
        throttle(&pace, &mut now);
    }
    assert_eq!(sharers(&pace), 25);
}

#[test]
fn guess_passes_the_workers_only_after_few_successes() {
    let (pace, mut now) = throttled_at_once(2);
    succeed(&pace, &mut now, 3);
    throttle(&pace, &mut now);
    assert_eq!(sharers(&pace), 2);
    succeed(&pace, &mut now, 2);
    throttle(&pace, &mut now);
    assert_eq!(sharers(&pace), 3);
}

#[test]
fn no_burst_gathers_while_slowed() {
    let (pace, now) = throttled_at_once(3);
    assert_eq!(drain(&pace, seconds(now, 600.0)).len(), 1);
}

#[test]
fn idle_time_never_lowers_the_rate() {
    let (pace, mut now) = throttled_at_once(3);
    succeed(&pace, &mut now, 2);
    let before = pace.rate();
    now += Duration::from_secs(600);
    succeed(&pace, &mut now, 1);
    assert!(pace.rate() >= before);
}

#[test]
fn process_long_alone_passes_over_one_refusal() {
    for workers in [2, 25] {
        let start = Instant::now();
        let pace = Pace::new(Allowance { workers, ..QUOTA }, start);
        let mut now = start;
        succeed(&pace, &mut now, 40);
        throttle(&pace, &mut now);
        assert_eq!(sharers(&pace), 1);
        // Refused again, it gives way.
        throttle(&pace, &mut now);
        assert_eq!(sharers(&pace), 2);
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
            let before = sharers(&pace);
            pace.succeeded(turn, now);
            assert!(sharers(&pace) <= before && pace.rate() <= 2.0);
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
        assert!(sharers(&pace) <= workers.max(5) * 2, "{}", sharers(&pace));
    }
}
