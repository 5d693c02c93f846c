//! The weather at Connect: every other second another fault, for a share of the calls.

use std::time::Duration;

use connect_simulator::{Connect, Effect, Fault};
use fastrand::Rng;
use tokio::time::{Instant, sleep};

/// Changes the weather until `ends`, and leaves it fair.
pub(crate) async fn weather(connect: Connect, mut rng: Rng, ends: Instant) {
    while Instant::now() < ends {
        connect.clear_faults();
        for _ in 0..rng.u8(0..3) {
            connect.inject(fault(&mut rng));
        }
        sleep(Duration::from_secs(2)).await;
    }
    connect.clear_faults();
}

fn fault(rng: &mut Rng) -> Fault {
    let error = |status, code: &str| Effect::Error {
        status,
        code: code.to_owned(),
        message: "an injected failure".to_owned(),
    };
    let (effect, share) = match rng.u8(0..12) {
        0 => (error(500, "InternalServiceException"), 0.5),
        1 => (error(503, "ServiceUnavailable"), 1.0),
        2 => (Effect::Reset, 0.4),
        3 => (Effect::ResetAfter, 0.4),
        4 => (Effect::Delay(Duration::from_millis(rng.u64(200..4_000))), 0.4),
        5 => (Effect::CutOff, 0.3),
        6 => (Effect::Malformed, 0.3),
        7 => (error(429, "ThrottlingException"), 0.6),
        8 => (Effect::RetryAfter { millis: 700, code: "TooManyRequestsException".to_owned() }, 0.5),
        9 => (error(403, "ExpiredTokenException"), 0.3),
        10 => (error(429, "LimitExceededException"), 0.3),
        _ => (Effect::Hang, 0.1),
    };
    Fault { share: Some(share), ..Fault::new(effect) }
}
