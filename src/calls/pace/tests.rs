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

/// A call on its way: when it reaches the server, when its answer is back, and what that is.
struct OnItsWay {
    client: usize,
    turn: Turn,
    arrives: Instant,
    answered: Instant,
    allowed: Option<bool>,
}

/// Lets clients, each with a pace of its own, make their share of so many calls, to the end of the last one. Calls take
/// a little longer or shorter to the server, as they do.
fn course(clients: usize, calls: u32, latency: Duration, rate: impl Fn(f64) -> f64) -> Course {
    let start = Instant::now();
    // No two processes begin at the same moment.
    let begins = |client: usize| start + Duration::from_millis(310) * u32::try_from(client).unwrap();
    let paces: Vec<Pace> = (0..clients).map(|client| Pace::new(ALLOWANCE, begins(client))).collect();
    let mut left = vec![calls / u32::try_from(clients).unwrap(); clients];
    let mut server = Server { tokens: 5.0, burst: 5.0, filled: start };
    let (mut now, mut refused, mut random) = (start, 0, 1_u64);
    let mut on_their_way: Vec<OnItsWay> = Vec::new();
    while left.iter().any(|left| *left > 0) || !on_their_way.is_empty() {
        on_their_way.sort_by_key(|call| call.arrives);
        for call in on_their_way.iter_mut().filter(|call| call.allowed.is_none() && call.arrives <= now) {
            let allowed = server.allows(now, rate((now - start).as_secs_f64()));
            call.allowed = Some(allowed);
            if !allowed {
                left[call.client] += 1;
                refused += 1;
            }
        }
        on_their_way.retain(|call| {
            if call.answered > now {
                return true;
            }
            match call.allowed {
                Some(true) => paces[call.client].succeeded(call.turn, now),
                _ => paces[call.client].throttled(call.turn, now),
            }
            false
        });
        for (client, pace) in paces.iter().enumerate().filter(|(client, _)| now >= begins(*client)) {
            while left[client] > 0
                && let Ok(turn) = pace.take(now)
            {
                left[client] -= 1;
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let arrives =
                    now + latency.mul_f64(0.3 + 0.4 * (random >> 33) as f64 / f64::from(1_u32 << 31));
                on_their_way.push(OnItsWay { client, turn, arrives, answered: now + latency, allowed: None });
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
fn who_asks_too_soon_is_told_when_there_is_a_turn() {
    let start = Instant::now();
    let pace = Pace::new(ALLOWANCE, start);
    drain(&pace, start);
    // Two fifths of a token have gathered, and three are wanting.
    let next = pace.take(seconds(start, 0.2)).unwrap_err();
    assert!((next - seconds(start, 0.5)).as_secs_f64().abs() < 1e-6, "{:?}", next - start);
}

#[test]
fn calls_that_began_at_the_moment_of_a_cut_are_of_its_episode() {
    let start = Instant::now();
    let pace = Pace::new(ALLOWANCE, start);
    let turns = drain(&pace, start);
    pace.throttled(turns[0], start);
    let cut = pace.rate();
    pace.throttled(turns[1], seconds(start, 1.0));
    pace.succeeded(turns[2], seconds(start, 5.0));
    assert!((pace.rate() - cut).abs() < 1e-9, "{} {cut}", pace.rate());
}

#[test]
fn once_enough_calls_got_through_the_cut_is_to_what_was_measured() {
    for (calls, share) in [(MEASURABLE - 1, BLIND_CUT), (MEASURABLE, BELOW)] {
        let start = Instant::now();
        let pace = Pace::new(ALLOWANCE, start);
        pace.throttled(pace.take(start).unwrap(), start);
        let mut now = start;
        for _ in 0..calls {
            now = pace.take(now).unwrap_err();
            pace.succeeded(pace.take(now).unwrap(), now);
        }
        let before = pace.rate();
        now = pace.take(now).unwrap_err();
        pace.throttled(pace.take(now).unwrap(), now);
        // Measured is a little less than the pace was in the end, since it rose meanwhile.
        let cut = pace.rate() / before;
        assert!(
            cut <= share + 1e-9 && cut > share - 0.15 && (share == BLIND_CUT) == (cut == BLIND_CUT),
            "{calls}: {cut}"
        );
    }
}

#[test]
fn time_in_which_nobody_calls_is_no_part_of_what_is_measured() {
    for rate in [0.5, 2.0] {
        let start = Instant::now();
        let pace = Pace::new(Allowance { rate, burst: 5.0 }, start);
        let mut now = start;
        for _ in 0..10 {
            now += Duration::from_secs_f64(20.0 / rate);
            pace.throttled(pace.take(now).unwrap(), now);
        }
        // Far below its ceiling it could still make more calls than it is asked to.
        let pause = Duration::from_secs_f64(4.0 / rate);
        for _ in 0..2 * MEASURABLE {
            now += pause;
            pace.succeeded(pace.take(now).unwrap(), now);
        }
        let before = pace.rate();
        now += pause;
        pace.throttled(pace.take(now).unwrap(), now);
        // What was asked for is not all that would have been let through.
        let cut = pace.rate() / before;
        assert!(cut <= BELOW && cut > BELOW * BLIND_CUT + 0.005, "{rate}: {cut}");
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
    assert!(pace.rate() < 0.7, "{}", pace.rate());
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
    assert!((pace.rate() - 2.0 * BLIND_FLOOR).abs() < 1e-9, "{}", pace.rate());
}
