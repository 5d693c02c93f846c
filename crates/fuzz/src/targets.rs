//! Runs a payload against one of three parts of the function. Each run returns the features that it reached, so that
//! the worker can recognise a payload that reached something new.

use std::collections::BTreeSet;

use queue_email_associator::payload::{Envelope, Json, UnrecognizedPayload};
use queue_email_associator::requests::{ArnScope, Base, Context, Named, Request, with_request};
use serde_json::Value;
use testbed::sqs::FAILURES;
use testbed::world::{Ending, World};
use tokio::time::Instant;

use crate::case::{Case, Target};
use crate::cost::Cost;
use crate::ledger;
use crate::requested::Payload;
use crate::world;

/// The features that an execution reached: its envelope, its errors, its result.
pub(crate) type Features = BTreeSet<String>;

/// Runs a case.
///
/// # Errors
/// Returns the fault that the case showed.
pub(crate) fn run(case: &Case) -> Result<(Features, Cost), String> {
    let (features, cost) = match case.target {
        Target::Envelope => {
            // Only the function's own reading counts, not the check of what it read.
            let (envelope, cost) = Cost::of(|| Envelope::read(&case.payload));
            (check_envelope(envelope, &case.payload), cost)
        }
        Target::Body => Cost::of(|| body(&case.payload)),
        Target::Handler => handler(case)?,
    };
    let features = features?;
    cost.check(case.payload.len())?;
    Ok((features, cost))
}

/// Checks what the function read from a payload.
fn check_envelope(
    envelope: Result<Envelope<'_>, UnrecognizedPayload>,
    payload: &[u8],
) -> Result<Features, String> {
    let mut features = Features::new();
    match envelope {
        Ok(envelope) => {
            features.insert(format!("envelope {:?}", envelope.kind));
            features.insert(format!("sources {}", envelope.sources.len().min(3)));
            if let Some(Payload::Batch(messages)) = Payload::read(payload)
                && envelope.kind.is_batch()
            {
                let ids: Vec<Option<&str>> =
                    envelope.sources.iter().map(|source| source.id.as_deref()).collect();
                if ids != messages.iter().map(|(id, _)| Some(id.as_str())).collect::<Vec<_>>() {
                    return Err("the envelope has other messages than its records".to_owned());
                }
            }
        }
        Err(reason) => {
            let reason = reason.to_string();
            one_line(&reason)?;
            features.insert(format!("no envelope: {}", skeleton(&reason)));
        }
    }
    Ok(features)
}

fn body(payload: &[u8]) -> Result<Features, String> {
    let Ok(text) = std::str::from_utf8(payload) else { return Ok(Features::new()) };
    let scope = ArnScope::new("eu-central-1");
    with_request(text, |json| request(json, &scope)).unwrap_or_else(|invalid| {
        one_line(&invalid.message)?;
        Ok(Features::from([format!("unreadable: {}", skeleton(&invalid.message))]))
    })
}

/// Checks every value that a request passes on. No value may have a meaning in a URI.
fn request(json: &Json<'_>, scope: &ArnScope) -> Result<Features, String> {
    let context = Context::new(scope, None);
    let request = Request::read(json, Base::Root, &context);
    let mut features = Features::new();
    for entry in &request.entries {
        plain(&entry.instance, 100)?;
        match &entry.queue {
            Named::Id(id) => plain(id, 500)?,
            Named::Name("") => return Err("an empty name of a queue".to_owned()),
            Named::Name(_) => {
                features.insert("a queue by name".to_owned());
            }
        }
        for (_, address) in &entry.addresses {
            match address {
                Named::Id(id) => plain(id, 500)?,
                Named::Name(address) => {
                    has_the_form(address)?;
                    features.insert("an address by name".to_owned());
                }
            }
        }
        features.insert(format!("an entry of {} addresses", entry.addresses.len().min(3)));
    }
    for invalid in &request.invalid {
        one_line(&invalid.message)?;
        features.insert(format!("invalid: {}", skeleton(&invalid.message)));
    }
    Ok(features)
}

fn plain(id: &str, longest: usize) -> Result<(), String> {
    let plain = (1..=longest).contains(&id.len())
        && !matches!(id, "." | "..")
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if plain { Ok(()) } else { Err(format!("{id:?} was let through as an identifier")) }
}

fn has_the_form(address: &str) -> Result<(), String> {
    let in_form = address.split_once('@').is_some_and(|(name, domain)| {
        let inner: Vec<char> = domain.chars().collect();
        let has_dot = inner.len() > 2 && inner[1..inner.len() - 1].contains(&'.');
        !name.is_empty() && !domain.contains('@') && has_dot
    });
    let plain = address.chars().count() <= 255
        && !address.contains(char::is_whitespace)
        && !address.contains(['<', ';']);
    if in_form && plain { Ok(()) } else { Err(format!("{address:?} was let through as an email address")) }
}

type Execution = (Result<Features, String>, Cost);

fn handler(case: &Case) -> Result<Execution, String> {
    let requested = Payload::read(&case.payload);
    let (world, ending, cost) = invoke(world::stormy, case.world, &case.payload)?;
    let mut features = Features::new();
    features.insert(match &ending {
        Ok(answer) => format!("answered {}", answer["status"].as_str().unwrap_or("a batch")),
        Err((error_type, _)) => format!("ended in {error_type}"),
    });
    if requested.is_none() && ending.is_ok() {
        features.insert("read by the function alone".to_owned());
    }
    for call in world.connect.calls() {
        features.insert(format!("called {:?}: {}", call.operation, call.error.as_deref().unwrap_or("-")));
    }
    for sent in &world.sqs.sent() {
        let failures: &Value = &sent.body;
        let errors =
            failures["failures"].as_array().into_iter().flatten().filter_map(|f| f["error"].as_str());
        features.extend(errors.map(|error| format!("sent on: {error}")));
        features.insert(format!(
            "sent on as {}",
            if sent.queue_url == FAILURES { "dead letters" } else { "a continuation" }
        ));
    }
    let checked =
        ledger::check(&world, requested.as_ref(), &ending).and_then(|()| redrive(case.world, &world));
    Ok((checked.map(|()| features), cost))
}

/// Redelivers the dead letters in a world without faults. Only pairs that were valid the first time may be associated.
fn redrive(number: u64, world: &World) -> Result<(), String> {
    for sent in
        world.sqs.sent().iter().filter(|sent| sent.queue_url == FAILURES && sent.bytes < 20_000).take(5)
    {
        let record = serde_json::json!({ "messageId": "again", "body": sent.text, "eventSource": "aws:sqs" });
        let payload = serde_json::json!({ "Records": [record] }).to_string();
        let (again, _, _) = invoke(world::calm, number, payload.as_bytes())?;
        ledger::check_redriven(&again, &sent.text)?;
    }
    Ok(())
}

fn invoke(
    world: fn(u64) -> Result<World, String>,
    number: u64,
    payload: &[u8],
) -> Result<(World, Ending, Cost), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    let world = runtime.block_on(async { world(number) })?;
    let ((ending, took), cost) = Cost::of(|| {
        runtime.block_on(async {
            let begun = Instant::now();
            (world.invoke_raw(payload).await, begun.elapsed())
        })
    });
    if took > world.invocation_time {
        return Err(format!("the answer came after {took:?}, the deadline was {:?}", world.invocation_time));
    }
    if let Err((error_type, message)) = &ending {
        one_line(message)?;
        if error_type == "InvalidRequest" && !world.connect.calls().is_empty() {
            return Err("an InvalidRequest has made calls".to_owned());
        }
    }
    Ok((world, ending, cost))
}

/// Maximum length of an `errorMessage` in bytes that a person can still read.
const LONGEST_MESSAGE: usize = 20_000;

fn one_line(text: &str) -> Result<(), String> {
    if text.contains(['\n', '\r']) {
        return Err("a reason has more than one line".to_owned());
    }
    if text.len() > LONGEST_MESSAGE {
        return Err(format!("a reason is {} bytes long", text.len()));
    }
    Ok(())
}

/// Returns a message without the parts that differ between payloads.
fn skeleton(message: &str) -> String {
    let words = message
        .split(' ')
        .filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == ',' || c == ';'));
    let mut skeleton = words.collect::<Vec<_>>().join(" ");
    skeleton.truncate(70);
    skeleton
}
