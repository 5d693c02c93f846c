//! Makes payloads of every envelope around valid requests, so that there are pairs to lose.

use fastrand::Rng;
use serde_json::{Value, json};
use testbed::world::{INSTANCE, sqs};

use crate::hostile;
use crate::json::Json;
use crate::mutate::mutate;

/// Returns a payload in one of the envelopes.
pub(crate) fn payload(rng: &mut Rng) -> Json {
    match rng.u8(0..10) {
        0..=4 => batch(rng).into(),
        5 => batch(rng)["Records"].take().into(),
        6 => event(rng),
        7 => {
            let record = |rng: &mut Rng| json!({ "EventSource": "aws:sns", "Sns": { "MessageId": "n", "Message": body(rng) } });
            json!({ "Records": several(0..3, record, rng) }).into()
        }
        8 => {
            let items = Json::List(several(0..8, request, rng));
            Json::object([("Items", items), ("BatchInput", with_options(json!({}), rng).into())])
        }
        _ => request(rng),
    }
}

fn several<T>(number: std::ops::Range<usize>, one: impl Fn(&mut Rng) -> T, rng: &mut Rng) -> Vec<T> {
    (0..rng.usize(number)).map(|_| one(rng)).collect()
}

fn batch(rng: &mut Rng) -> Value {
    let number = if rng.u8(0..30) == 0 { 300..301 } else { 0..8 };
    let mut batch = sqs(&several(number, |rng| body(rng).into(), rng));
    let (is_fifo, has_one_id) = (rng.u8(0..5) == 0, rng.u8(0..20) == 0);
    for record in batch["Records"].as_array_mut().into_iter().flatten() {
        if rng.bool() {
            record["attributes"]["ApproximateReceiveCount"] = "2".into();
        }
        if has_one_id {
            record["messageId"] = "m0".into();
        }
        if is_fifo {
            record["eventSourceARN"] = "arn:aws:sqs:eu-central-1:111122223333:associations.fifo".into();
        }
        if is_fifo && rng.u8(0..5) > 0 {
            record["attributes"]["MessageGroupId"] = format!("g{}", rng.u8(0..3)).into();
        }
    }
    batch
}

/// Returns the body of a message, sometimes with a byte-order mark.
fn body(rng: &mut Rng) -> String {
    let body = match rng.u8(0..10) {
        0..=5 => request(rng),
        6 => event(rng),
        7 => changed(json!({ "Type": "Notification", "Message": body(rng) }), rng),
        8 => changed(json!({ "unreadable": body(rng) }), rng),
        _ => changed(json!({ "unreadable": hostile::text(rng) }), rng),
    };
    format!("{}{body}", if rng.u8(0..15) == 0 { "\u{feff}" } else { "" })
}

fn event(rng: &mut Rng) -> Json {
    let [id, kind, source] = ["event-1", "t", "s"].map(|text| Json::Text(text.to_owned()));
    Json::object([("id", id), ("detail-type", kind), ("source", source), ("detail", request(rng))])
}

fn request(rng: &mut Rng) -> Json {
    let pairs = match rng.u8(0..5) {
        0 => entry(rng),
        _ => json!({ "associations": list(several(0..5, entry, rng), rng) }),
    };
    changed(with_options(pairs, rng), rng)
}

/// Changes one document of three.
fn changed(document: impl Into<Json>, rng: &mut Rng) -> Json {
    let mut document = document.into();
    while rng.u8(0..3) == 0 {
        mutate(&mut document, rng);
    }
    document
}

/// Adds the fields of a request other than its pairs.
fn with_options(mut request: Value, rng: &mut Rng) -> Value {
    if rng.u8(0..6) > 0 {
        request["instanceId"] = INSTANCE.into();
    }
    for flag in ["dryRun", "checkQueues", "failOnPermanent", "failOnRetryable"] {
        if rng.u8(0..10) == 0 {
            request[flag] = rng.bool().into();
        }
    }
    request
}

fn entry(rng: &mut Rng) -> Value {
    let id = |rng: &mut Rng| text("e", 130, rng);
    let name = |rng: &mut Rng| Value::from(format!("E{}@brand.example", rng.u8(0..130)));
    let queue = match rng.u8(0..7) {
        0 => ("queueName", text("Queue ", 8, rng)),
        _ => ("queueId", text("q", 8, rng)),
    };
    let most = if rng.u8(0..10) == 0 { 120 } else { 5 };
    let address = match rng.u8(0..8) {
        0..=2 => ("emailAddressId", id(rng)),
        3..=5 => ("emailAddressIds", list(several(0..most, id, rng), rng)),
        6 => ("emailAddresses", list(several(0..most, name, rng), rng)),
        _ => ("emailAddress", name(rng)),
    };
    Value::from_iter([queue, address])
}

/// Returns a prefix with a number below `most`, or a hostile text.
fn text(prefix: &str, most: u8, rng: &mut Rng) -> Value {
    if rng.u8(0..12) == 0 { hostile::text(rng) } else { format!("{prefix}{}", rng.u8(0..most)) }.into()
}

/// Returns an array. A single element may be written without the array.
fn list(mut elements: Vec<Value>, rng: &mut Rng) -> Value {
    if elements.len() == 1 && rng.bool() { elements.swap_remove(0) } else { elements.into() }
}
