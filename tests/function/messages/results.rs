//! The messages of failed pairs, and the lines of the log.

use std::time::Duration;

use connect_simulator::{Connect, Effect, Fault, Fixture, Operation, Options, Switches};
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

use crate::common::{
    ASSOCIATE, BOTH_QUEUES, CONTINUATION_QUEUE, FAILURES_QUEUE, LIST, ONE_ATTEMPT, entries, error, failures,
    message, on, on_queue, one_pair_a_queue, pair, reported,
};
use crate::golden::Messages;
use crate::logs::log_of;
use crate::sqs::SqsFault;
use crate::world::{INSTANCE, World, fixture, ids, request, sqs};

pub(super) async fn add_results(messages: &mut Messages) {
    rejections(messages).await;
    narrowing(messages).await;
    full_queues(messages).await;
    names(messages).await;
    checks(messages).await;
    deadlines(messages).await;
    log_lines(messages).await;
}

fn denied() -> Effect {
    error(403, "AccessDeniedException", "User is not authorized to perform this action")
}

fn internal_error() -> Effect {
    error(500, "InternalServiceException", "Internal error")
}

/// Makes an operation fail after its first call.
fn fail_after_first(connect: &Connect, operation: Operation, effect: Effect) {
    let other = connect.clone();
    connect.observe(move |call| {
        if call.operation == operation {
            other.inject(on(operation, effect.clone()));
        }
    });
}

/// Adds every distinct failure of a request.
async fn add(messages: &mut Messages, cause: &str, world: &World, payload: Value) {
    let report = world.invoke(&reported(payload)).await.unwrap();
    let mut seen = Vec::new();
    for failure in failures(&report) {
        let kind = if failure["retryable"] == true { "retryable" } else { "permanent" };
        let line = format!("{} ({kind}): {}", failure["error"].as_str().unwrap(), message(failure));
        if !seen.contains(&line) {
            messages.add(cause, &line);
            seen.push(line);
        }
    }
    assert!(!seen.is_empty(), "{cause}: {report}");
}

async fn rejections(messages: &mut Messages) {
    messages.section("API rejections, and calls without a response");
    let expired =
        error(403, "ExpiredTokenException", "The security token included in the request is expired");
    for (cause, effect) in [
        ("the role lacks a permission", denied()),
        ("the credentials have expired", expired),
        ("every attempt is throttled", error(429, "ThrottlingException", "Rate exceeded")),
        ("every attempt fails", error(500, "InternalServiceException", "")),
        ("no attempt gets a response", Effect::Hang),
        ("the connection breaks", Effect::Reset),
        ("the response is not JSON", Effect::Malformed),
    ] {
        let world = World::in_memory(fixture(1, 2), &[ONE_ATTEMPT]);
        world.connect.inject(on(ASSOCIATE, effect));
        add(messages, cause, &world, request("q0", &ids(0..2))).await;
    }
}

async fn narrowing(messages: &mut Messages) {
    messages.section("Queues, addresses and instances that the API does not accept");
    let world = World::in_memory(fixture(1, 1), &[]);
    add(messages, "the queue does not exist", &world, pair("missing", "e0")).await;
    add(messages, "the address does not exist", &world, pair("q0", "missing")).await;
    let mut elsewhere = one_pair_a_queue(0..9);
    elsewhere["instanceId"] = json!("elsewhere");
    let switches = Switches { unknown_address_is_not_found: true, ..Switches::default() };
    let options = Options { fixture: fixture(1, 1), switches, ..Options::default() };
    let world = World::in_memory(options, &[]);
    add(messages, "the address does not exist, with the other error", &world, pair("q0", "missing")).await;
    add(messages, "the instance does not exist", &world, elsewhere).await;
    let bad = || request("q0", &["missing".to_owned(), "e0".to_owned()]);
    let world = World::in_memory(fixture(1, 1), &[ONE_ATTEMPT]);
    world.connect.inject(on(LIST, internal_error()));
    add(messages, "a chunk is rejected and the list cannot be read", &world, bad()).await;
    let world = World::in_memory(fixture(1, 1), &[ONE_ATTEMPT]);
    fail_after_first(&world.connect, LIST, internal_error());
    add(messages, "an address is rejected and the list cannot be read again", &world, bad()).await;
}

async fn full_queues(messages: &mut Messages) {
    messages.section("Full queues");
    let world = |limit: usize| {
        let variables = [("QUEUE_ADDITIONAL_LIMIT", "5"), ONE_ATTEMPT];
        World::in_memory(fixture(1, 9).with_limit(INSTANCE, "q0", limit), &variables)
    };
    let nine = || request("q0", &ids(0..9));
    add(messages, "the queue has no more room", &world(5), nine()).await;
    add(messages, "the API accepts fewer than the setting says", &world(3), nine()).await;
    let unreadable = world(3);
    fail_after_first(&unreadable.connect, LIST, internal_error());
    add(messages, "the API accepts fewer and the list cannot be read again", &unreadable, nine()).await;
    let unreadable = world(3);
    unreadable.connect.inject(on(LIST, denied()));
    add(messages, "the queue is full and the role is not allowed to read its list", &unreadable, nine())
        .await;
}

async fn names(messages: &mut Messages) {
    messages.section("Names of queues and addresses");
    let by_name =
        |queue: &str, address: &str| entries(json!({ "queueName": queue, "emailAddress": address }));
    let twice = fixture(1, 1)
        .with_queue(INSTANCE, "q1", "Twice")
        .with_queue(INSTANCE, "q2", "Twice")
        .with_queue(INSTANCE, "q3", "R\u{fc}ck")
        .with_address(INSTANCE, "e1", "twice@brand.example")
        .with_address(INSTANCE, "e2", "Twice@brand.example")
        .with_address(INSTANCE, "e3", "r\u{fc}ck@brand.example");
    let world = World::in_memory(twice, &[]);
    let address = "e0@brand.example";
    for (cause, queue, address) in [
        ("no queue has the name", "Nowhere", address),
        ("a queue has the name in another case", "queue 0", address),
        ("a queue has the name without white space", "queue 0 ", address),
        ("a queue has the name without an invisible character", "Que\u{ad}ue 0", address),
        ("a queue has the name in another Unicode form", "ru\u{308}ck", address),
        ("two queues have the name", "Twice", address),
        ("there is no such address", "Queue 0", "nobody@brand.example"),
        ("there is a similar address", "Queue 0", "ru\u{308}ck@brand.example"),
        ("two addresses match", "Queue 0", "twice@brand.example"),
    ] {
        add(messages, cause, &world, by_name(queue, address)).await;
    }
    for (cause, operation, effect) in [
        ("the role is not allowed to search queues", Operation::SearchQueues, denied()),
        ("the role is not allowed to search addresses", Operation::SearchEmailAddresses, denied()),
        ("the directory cannot be read", Operation::SearchQueues, internal_error()),
    ] {
        let world = World::in_memory(fixture(1, 1), &[ONE_ATTEMPT]);
        world.connect.inject(on(operation, effect));
        add(messages, cause, &world, by_name("Queue 0", address)).await;
    }
    let world = World::endless(fixture(1, 1));
    add(messages, "the directory does not end", &world, by_name("Queue 0", address)).await;
    let slow = [("CONNECT_REQUESTS_PER_SECOND", "4"), ("CONNECT_BURST", "1")];
    let mut world = World::in_memory(fixture(1, 4_000), &slow);
    world.invocation_time = Duration::from_secs(5);
    add(messages, "the directory is not read in time", &world, by_name("Queue 0", "nobody@brand.example"))
        .await;
}

async fn checks(messages: &mut Messages) {
    messages.section("Dry runs that check queues");
    let check = |queue: &str, addresses: &[String]| {
        let mut payload = request(queue, addresses);
        (payload["dryRun"], payload["checkQueues"]) = (json!(true), json!(true));
        payload
    };
    let world = || {
        let variables = [("QUEUE_ADDITIONAL_LIMIT", "5"), ONE_ATTEMPT];
        World::in_memory(fixture(1, 9).with_limit(INSTANCE, "q0", 5), &variables)
    };
    let calm = world();
    add(messages, "the queue would be full", &calm, check("q0", &ids(0..9))).await;
    add(messages, "the address does not exist", &calm, check("q0", &["missing".to_owned()])).await;
    add(messages, "the queue does not exist", &calm, check("missing", &ids(0..1))).await;
    for (cause, effect) in [
        ("the role is not allowed to read the list", denied()),
        ("the list cannot be read", internal_error()),
    ] {
        let world = world();
        world.connect.inject(on(LIST, effect));
        add(messages, cause, &world, check("q0", &ids(0..1))).await;
    }
}

async fn deadlines(messages: &mut Messages) {
    messages.section("Calls that do not fit before the deadline");
    let wait = |code: &str| Effect::RetryAfter { millis: 60_000, code: code.to_owned() };
    let one = || pair("q0", "e0");
    for (cause, seconds, fault, payload) in [
        ("there are more calls than time", 4, None, one_pair_a_queue(0..40)),
        ("no call gets a response", 4, Some(Fault::new(Effect::Hang)), one_pair_a_queue(0..40)),
        (
            "the API requests a longer wait than there is time",
            10,
            Some(Fault::new(wait("ThrottlingException"))),
            one(),
        ),
        (
            "the API requests a longer wait for room than there is time",
            10,
            Some(on(ASSOCIATE, wait("LimitExceededException"))),
            one(),
        ),
    ] {
        let mut world = World::in_memory(fixture(40, 9), &[]);
        world.invocation_time = Duration::from_secs(seconds);
        fault.into_iter().for_each(|fault| world.connect.inject(fault));
        add(messages, cause, &world, payload).await;
    }
}

async fn log_lines(messages: &mut Messages) {
    messages.section("Lines of the log");
    let world =
        |content: Fixture| World::in_memory(content, &[FAILURES_QUEUE, CONTINUATION_QUEUE, ONE_ATTEMPT]);
    let batch = || sqs(&[request("q0", &["e0".to_owned(), "missing".to_owned()]), request("q1", &ids(0..2))]);
    let unwell = || on_queue("q1", internal_error());

    let calm = world(fixture(2, 2));
    log(messages, "the payload has no recognised envelope", &calm, &json!([1])).await;
    let mut dry = pair("q0", "e0");
    dry["dryRun"] = json!(true);
    log(messages, "a dry run", &calm, &dry).await;
    log(messages, "one pair fails permanently", &calm, &batch()).await;
    let stormy = world(fixture(2, 2));
    stormy.connect.inject(unwell());
    log(messages, "one pair fails permanently, and two others may succeed later", &stormy, &batch()).await;
    for (cause, faults) in [
        ("SQS rejects a batch", vec![SqsFault::Status(400)]),
        ("SQS rejects a message", vec![SqsFault::FirstEntry { sender_fault: true }]),
        ("SQS does not respond", vec![SqsFault::Hang; 9]),
    ] {
        let mut world = world(fixture(2, 2));
        world.invocation_time = Duration::from_secs(30);
        world.sqs.fail(faults);
        log(messages, cause, &world, &batch()).await;
    }
    let denied = world(fixture(2, 2));
    denied.connect.inject(unwell());
    denied.sqs.fail_visibility([SqsFault::Status(403)]);
    log(messages, "the visibility timeout cannot be set", &denied, &sqs(&[request("q1", &ids(0..2))])).await;
    let entry =
        format!(r#"{{"instanceId": "i", "queueId": 7, "emailAddressId": "{}"}}"#, "x".repeat(1_100_000));
    let world = World::in_memory(fixture(1, 1), &BOTH_QUEUES);
    log(messages, "a failure is too large for SQS", &world, &sqs(&[json!(entry)])).await;
}

/// Adds the log lines of an invocation, without the timestamp and the source location.
async fn log(messages: &mut Messages, cause: &str, world: &World, payload: &Value) {
    for line in log_of(world, LevelFilter::INFO, payload.to_string().as_bytes()).await {
        let Some(message) = line["message"].as_str().filter(|message| *message != "invocation ended") else {
            continue;
        };
        let mut text = format!("{} {message}", line["level"].as_str().unwrap());
        for name in ["error", "reason", "messages", "attempt", "count"] {
            if !line[name].is_null() {
                text += &format!("; {name} {}", line[name]);
            }
        }
        messages.add(cause, &text);
    }
}
