//! Derives the settings, faults and services of one execution from one number.

use std::time::Duration;

use connect_simulator::{Effect, Fault, Fixture, Options, Quota};
use fastrand::Rng;
use testbed::sqs::{CONTINUATION, FAILURES, SqsFault};
use testbed::world::{self, INSTANCE, World};

/// The content of the sample events' instance.
const SAMPLES: &str = include_str!("../../../events/fixture.json");

/// Returns a world with random variables, and with random faults, quota and time, or without faults.
pub(crate) fn world(number: u64, faults: bool) -> Result<World, String> {
    let mut rng = Rng::with_seed(number);
    let injected = (0..rng.usize(0..4)).map(|_| fault(&mut rng)).collect();
    let quota = if rng.bool() { world::default_quota() } else { Quota::default() };
    let mut variables = vec![("CONNECT_REQUESTS_PER_SECOND", if rng.bool() { "2" } else { "20" })];
    if rng.u8(0..4) > 0 {
        variables.push(("FAILURES_QUEUE_URL", FAILURES));
    }
    if rng.bool() {
        variables.push(("CONTINUATION_QUEUE_URL", CONTINUATION));
    }
    if rng.bool() {
        variables.push(("CONNECT_INSTANCE_ID", INSTANCE));
    }
    let options = Options { fixture: fixture(), quota, faults: injected, seed: number, ..Options::default() };
    let mut world = World::in_memory(options, &variables);
    let samples = serde_json::from_str(SAMPLES).map_err(|error| format!("events/fixture.json: {error}"))?;
    world.connect.add(samples);
    world.invocation_time = Duration::from_secs([2, 3, 5, 10, 30][rng.usize(0..5)]);
    if rng.bool() {
        world.sqs.fail((0..rng.usize(1..6)).map(|_| sqs_fault(&mut rng)));
        world.sqs.fail_visibility((0..rng.usize(0..4)).map(|_| sqs_fault(&mut rng)));
    }
    if !faults {
        world.connect.clear_faults();
        world.connect.set_quota(Quota::default());
        world.sqs.fail([]);
        world.sqs.fail_visibility([]);
        world.invocation_time = Duration::from_secs(30);
    }
    Ok(world)
}

/// Returns queues `q0` to `q5`, two of them with the same name, and addresses `e0` to `e119`.
fn fixture() -> Fixture {
    world::fixture(6, 120)
        .with_queue(INSTANCE, "q4", "Same name")
        .with_queue(INSTANCE, "q5", "Same name")
        .with_association(INSTANCE, "q1", "e3")
        .with_limit(INSTANCE, "q2", 7)
}

fn sqs_fault(rng: &mut Rng) -> SqsFault {
    match rng.u8(0..5) {
        0 => SqsFault::Status(500),
        1 => SqsFault::Status(403),
        2 => SqsFault::FirstEntry { sender_fault: rng.bool() },
        3 => SqsFault::Forgotten,
        _ => SqsFault::Reset,
    }
}

fn fault(rng: &mut Rng) -> Fault {
    let error = |status, code: &str| Effect::Error {
        status,
        code: code.to_owned(),
        message: "hidden@brand.example must not be logged".to_owned(),
    };
    let effect = match rng.u8(0..14) {
        0 => error(500, "InternalServiceException"),
        1 => error(503, "ServiceUnavailable"),
        2 => error(429, "TooManyRequestsException"),
        3 => error(429, "LimitExceededException"),
        4 => error(403, "AccessDeniedException"),
        5 => error(403, "ExpiredTokenException"),
        6 => error(404, "ResourceNotFoundException"),
        7 => error(400, "InvalidParameterException"),
        8 => Effect::Reset,
        9 => Effect::ResetAfter,
        10 => Effect::Malformed,
        11 => Effect::CutOff,
        12 => Effect::Delay(Duration::from_secs(rng.u64(0..8))),
        _ => Effect::Hang,
    };
    Fault { times: Some(rng.u32(1..30)), share: Some(0.3), ..Fault::new(effect) }
}
