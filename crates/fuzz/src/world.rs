//! Derives the settings, faults and services of one execution from one number.

use std::time::Duration;

use connect_simulator::{Effect, Fault, Fixture, Options, Quota};
use fastrand::Rng;
use testbed::sqs::{CONTINUATION, FAILURES, SqsFault};
use testbed::world::{INSTANCE, World};

/// The content of the sample events' instance.
const SAMPLES: &str = include_str!("../../../events/fixture.json");

/// Returns a world with random faults, quota, variables and time.
///
/// # Errors
/// Returns an error if the sample events' content cannot be read. Without it, few payloads would refer to anything that
/// exists.
pub(crate) fn stormy(number: u64) -> Result<World, String> {
    let mut rng = Rng::with_seed(number);
    let faults = (0..rng.usize(0..4)).map(|_| fault(&mut rng)).collect();
    let quota = if rng.bool() { Quota::per_second(2.0, 5.0) } else { Quota::default() };
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
    let options = Options { fixture: fixture(SAMPLES)?, quota, faults, seed: number, ..Options::default() };
    let mut world = World::in_memory(options, &variables);
    world.invocation_time = Duration::from_secs([2, 3, 5, 10, 30][rng.usize(0..5)]);
    if rng.bool() {
        world.sqs.fail((0..rng.usize(1..6)).map(|_| sqs_fault(&mut rng)));
        world.sqs.fail_visibility((0..rng.usize(0..4)).map(|_| sqs_fault(&mut rng)));
    }
    Ok(world)
}

/// Returns the same world without faults.
///
/// # Errors
/// Returns the error of [`stormy`].
pub(crate) fn calm(number: u64) -> Result<World, String> {
    let mut world = stormy(number)?;
    world.connect.clear_faults();
    world.connect.set_quota(Quota::default());
    world.sqs.fail([]);
    world.sqs.fail_visibility([]);
    world.invocation_time = Duration::from_secs(30);
    Ok(world)
}

/// Returns the sample events' content, queues `q0` to `q5`, two of them with the same name, and addresses `e0` to `e119`.
pub(crate) fn fixture(samples: &str) -> Result<Fixture, String> {
    let mut fixture: Fixture =
        serde_json::from_str(samples).map_err(|error| format!("events/fixture.json: {error}"))?;
    for queue in 0..6 {
        let name = if queue < 4 { format!("Queue {queue}") } else { "Same name".to_owned() };
        fixture = fixture.with_queue(INSTANCE, format!("q{queue}"), name);
    }
    for address in 0..120 {
        let id = format!("e{address}");
        fixture = fixture.with_address(INSTANCE, id.clone(), format!("{id}@brand.example"));
    }
    Ok(fixture.with_association(INSTANCE, "q1", "e3").with_limit(INSTANCE, "q2", 7))
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
        message: "hidden@brand.example is no reason".to_owned(),
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

#[cfg(test)]
mod tests {
    use super::{INSTANCE, SAMPLES, fixture};

    #[test]
    fn fixture_needs_the_samples() {
        let queues = |samples| fixture(samples).unwrap().instances[INSTANCE].queues.len();
        assert!(queues(SAMPLES) > queues("{}"));
        let error = fixture(r#"{"instance": {}}"#).unwrap_err();
        assert!(error.starts_with("events/fixture.json: unknown field `instance`"), "{error}");
    }
}
