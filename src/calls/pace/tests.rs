//! The pace against a server's bucket, with time as an argument.

use super::*;

const ALLOWANCE: Allowance = Allowance { rate: 2.0, burst: 5.0 };

/// The server's side: a bucket that may fill at another rate than the client believes.
struct Server {
    tokens: f64,
    burst: f64,
    filled: Instant,
}

impl Server {
    fn allows(&mut self, now: Instant, rate: f64) -> bool {
        self.tokens = (self.tokens + (now - self.filled).as_secs_f64() * rate).min(self.burst);
        self.filled = now;
        let allowed = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(allowed));
        allowed
    }
}

struct Course {
    throttled: f64,
    makespan: f64,
}

/// Lets clients, each with a pace of its own, make calls until so many are through.
fn course(clients: usize, calls: u32, latency: Duration, rate: impl Fn(f64) -> f64) -> Course {
    let start = Instant::now();
    let paces: Vec<Pace> = (0..clients).map(|_| Pace::new(ALLOWANCE, start)).collect();
    let mut server = Server { tokens: 5.0, burst: 5.0, filled: start };
    let (mut now, mut done, mut refused) = (start, 0, 0);
    let mut answers: Vec<(Instant, usize, Turn, bool)> = Vec::new();
    while done < calls {
        answers.retain(|(at, client, turn, allowed)| {
            if *at > now {
                return true;
            }
            match allowed {
                true => paces[*client].succeeded(*turn, *at),
                false => paces[*client].throttled(*turn, *at),
            }
            false
        });
        for (client, pace) in paces.iter().enumerate() {
            while let Ok(turn) = pace.take(now) {
                let allowed = server.allows(now, rate((now - start).as_secs_f64()));
                if allowed {
                    done += 1;
                } else {
                    refused += 1;
                }
                answers.push((now + latency, client, turn, allowed));
            }
        }
        now += Duration::from_millis(5);
    }
    let took = (now - start).as_secs_f64();
    // What the server lets through in that time, had it been asked without a pause.
    let mut room = 5.0;
    let mut ideal = 0.0;
    while room < f64::from(calls) {
        room += rate(ideal) * 0.005;
        ideal += 0.005;
    }
    Course { throttled: f64::from(refused) / f64::from(refused + calls), makespan: took / ideal }
}

#[test]
fn the_quota_is_used_whatever_it_is() {
    type Rate = Box<dyn Fn(f64) -> f64>;
    let scenarios: [(&str, usize, Rate, f64, f64); 6] = [
        ("as configured", 1, Box::new(|_| 2.0), 1.03, 0.01),
        ("half of what is configured", 1, Box::new(|_| 1.0), 1.15, 0.10),
        ("a third", 1, Box::new(|_| 0.66), 1.15, 0.10),
        ("shared by two that do not know", 2, Box::new(|_| 2.0), 1.15, 0.10),
        ("three tenths used up by others", 1, Box::new(|_| 1.4), 1.15, 0.10),
        (
            "halved for a while",
            1,
            Box::new(|at| if (50.0..125.0).contains(&at) { 1.0 } else { 2.0 }),
            1.15,
            0.10,
        ),
    ];
    for (scenario, clients, rate, makespan, throttled) in scenarios {
        for latency in [50, 200, 400] {
            let course = course(clients, 300, Duration::from_millis(latency), &rate);
            assert!(course.makespan <= makespan, "{scenario}: {} of the ideal time", course.makespan);
            assert!(course.throttled <= throttled, "{scenario}: {} throttled", course.throttled);
        }
    }
}

fn seconds(start: Instant, seconds: f64) -> Instant {
    start + Duration::from_secs_f64(seconds)
}

/// Takes every turn that there is at a time.
fn drain(pace: &Pace, now: Instant) -> Vec<Turn> {
    std::iter::from_fn(|| pace.take(now).ok()).collect()
}

#[test]
fn it_begins_at_the_configured_rate_with_a_token_kept_back() {
    for (allowance, at_once) in [
        (ALLOWANCE, 4),
        (Allowance { rate: 2.0, burst: 1.0 }, 1),
        (Allowance { rate: 2.0, burst: 1.25 }, 1),
        (Allowance { rate: 0.2, burst: 10.0 }, 9),
    ] {
        let start = Instant::now();
        let pace = Pace::new(allowance, start);
        assert_eq!(drain(&pace, start).len(), at_once, "{allowance:?}");
        let next = pace.take(start).unwrap_err();
        let wait = (next - start).as_secs_f64();
        assert!((wait - 1.0 / allowance.rate).abs() < 1e-6, "{wait}");
        // Asking took nothing.
        assert!(pace.take(next).is_ok());
    }
}

#[test]
fn an_episode_cuts_once() {
    let start = Instant::now();
    let pace = Pace::new(ALLOWANCE, start);
    let turns = drain(&pace, start);
    for turn in &turns {
        pace.throttled(*turn, seconds(start, 0.1));
    }
    let cut = pace.rate();
    assert!(cut < 2.0 && cut > 1.5, "{cut}");
    // A call that was begun after the cut and refused is a new episode.
    let later = pace.take(seconds(start, 5.0)).unwrap();
    pace.throttled(later, seconds(start, 5.1));
    assert!(pace.rate() < cut);
    // An answer from before the cut changes nothing, not even a good one.
    let cut = pace.rate();
    pace.succeeded(turns[0], seconds(start, 5.2));
    assert!((pace.rate() - cut).abs() < 1e-9);
}

#[test]
fn success_brings_it_back_to_the_ceiling_and_never_above() {
    let start = Instant::now();
    let pace = Pace::new(ALLOWANCE, start);
    let mut now = start;
    for _ in 0..6 {
        now = pace.take(now).err().unwrap_or(now) + Duration::from_secs(3);
        let turn = pace.take(now).unwrap();
        pace.throttled(turn, now);
    }
    assert!(pace.rate() < 0.5, "{}", pace.rate());
    let mut successes = 0;
    while pace.rate() < 2.0 {
        match pace.take(now) {
            Ok(turn) => {
                let before = pace.rate();
                pace.succeeded(turn, now);
                assert!(pace.rate() >= before && pace.rate() <= 2.0);
                successes += 1;
            }
            Err(at) => now = at,
        }
    }
    assert!(successes < 120, "{successes}");
    let turn = pace.take(seconds(now, 10.0)).unwrap();
    pace.succeeded(turn, seconds(now, 10.0));
    assert!((pace.rate() - 2.0).abs() < 1e-9);
}

#[test]
fn idle_time_never_lowers_it() {
    let start = Instant::now();
    let pace = Pace::new(ALLOWANCE, start);
    let turn = pace.take(start).unwrap();
    pace.throttled(turn, start);
    // Ten calls at the pace, ten minutes of nothing, ten calls, and a refusal.
    let mut now = start;
    for round in 0..2 {
        for _ in 0..10 {
            now = pace.take(now).err().unwrap_or(now);
            let turn = pace.take(now).unwrap_or_else(|at| {
                now = at;
                pace.take(now).unwrap()
            });
            pace.succeeded(turn, now);
        }
        if round == 0 {
            let before = pace.rate();
            now += Duration::from_secs(600);
            let turn = pace.take(now).unwrap();
            pace.succeeded(turn, now);
            assert!(pace.rate() >= before);
        }
    }
    let before = pace.rate();
    now = pace.take(now).err().unwrap_or(now);
    let turn = pace.take(now).unwrap();
    pace.throttled(turn, now);
    // Twenty-one calls in ten minutes would be a rate of 0.035.
    assert!(pace.rate() > before * 0.6, "{} after {before}", pace.rate());
    // And no burst gathers while it is slowed.
    assert_eq!(drain(&pace, now + Duration::from_secs(600)).len(), 1);
}

#[test]
fn it_never_stops_probing() {
    let start = Instant::now();
    let pace = Pace::new(ALLOWANCE, start);
    let mut now = start;
    for _ in 0..100 {
        now += Duration::from_secs(30);
        let turn = pace.take(now).unwrap();
        pace.throttled(turn, now);
    }
    assert!((pace.rate() - 0.1).abs() < 1e-9, "{}", pace.rate());
}
