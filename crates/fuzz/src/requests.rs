//! Makes payloads from scratch: every envelope around requests that are mostly valid, so that there are pairs to lose.

use fastrand::Rng;

use crate::hostile::{self, INSTANCE};
use crate::tree::Tree;

/// Returns a payload in one of the envelopes.
pub(crate) fn payload(rng: &mut Rng) -> Tree {
    match rng.u8(0..10) {
        0..=4 => Tree::object([("Records", sqs_records(rng))]),
        5 => sqs_records(rng),
        6 => event(request(rng), rng),
        7 => {
            let records = (0..rng.usize(0..3)).map(|_| sns_record(rng)).collect();
            Tree::object([("Records", Tree::List(records))])
        }
        8 => {
            let items = (0..rng.usize(0..8)).map(|_| request(rng)).collect();
            let batch_input = if rng.bool() { request(rng) } else { hostile::value(rng) };
            Tree::object([("Items", Tree::List(items)), ("BatchInput", batch_input)])
        }
        _ => request(rng),
    }
}

/// Returns the body of a message, sometimes with a byte-order mark.
pub(crate) fn body(rng: &mut Rng) -> String {
    let mark = if rng.u8(0..15) == 0 { "\u{feff}" } else { "" };
    format!("{mark}{}", unmarked_body(rng))
}

fn unmarked_body(rng: &mut Rng) -> String {
    match rng.u8(0..10) {
        0..=5 => request(rng).write(),
        6 => event(request(rng), rng).write(),
        7 => notification(body_or_hostile(rng)).write(),
        8 => Tree::object([("unreadable", Tree::Text(body_or_hostile(rng)))]).write(),
        _ => hostile::value(rng).write(),
    }
}

fn body_or_hostile(rng: &mut Rng) -> String {
    if rng.u8(0..4) == 0 { hostile::text(rng) } else { body(rng) }
}

fn sqs_records(rng: &mut Rng) -> Tree {
    let fifo = rng.u8(0..5) == 0;
    let same_id = rng.u8(0..20) == 0;
    let record = |number: usize, rng: &mut Rng| {
        let id = if same_id { 0 } else { number };
        let arn =
            format!("arn:aws:sqs:eu-central-1:111122223333:requests{}", if fifo { ".fifo" } else { "" });
        let mut attributes =
            vec![("ApproximateReceiveCount".to_owned(), Tree::text(if rng.bool() { "1" } else { "2" }))];
        if fifo && rng.u8(0..5) > 0 {
            attributes.push(("MessageGroupId".to_owned(), Tree::Text(format!("g{}", rng.u8(0..3)))));
        }
        Tree::object([
            ("messageId", Tree::Text(format!("m{id}"))),
            ("body", Tree::Text(body(rng))),
            ("attributes", Tree::Object(attributes)),
            ("eventSource", Tree::text("aws:sqs")),
            ("eventSourceARN", Tree::Text(arn)),
        ])
    };
    let count = if rng.u8(0..30) == 0 { 300 } else { rng.usize(0..8) };
    Tree::List((0..count).map(|number| record(number, rng)).collect())
}

fn sns_record(rng: &mut Rng) -> Tree {
    let sns = Tree::object([("MessageId", Tree::text("n")), ("Message", Tree::Text(body(rng)))]);
    Tree::object([("EventSource", Tree::text("aws:sns")), ("Sns", sns)])
}

fn notification(message: String) -> Tree {
    Tree::object([("Type", Tree::text("Notification")), ("Message", Tree::Text(message))])
}

fn event(detail: Tree, rng: &mut Rng) -> Tree {
    Tree::object([
        ("id", if rng.bool() { Tree::text("event-1") } else { hostile::value(rng) }),
        ("detail-type", Tree::text("t")),
        ("source", Tree::text("s")),
        ("detail", detail),
    ])
}

/// Returns a request. Two thirds of its entries are valid.
fn request(rng: &mut Rng) -> Tree {
    let mut members = Vec::new();
    if rng.u8(0..6) > 0 {
        members.push(("instanceId".to_owned(), Tree::text(INSTANCE)));
    }
    for flag in ["dryRun", "checkQueues", "failOnPermanent", "failOnRetryable"] {
        if rng.u8(0..10) == 0 {
            let value = if rng.bool() { "true" } else { "false" };
            members.push((flag.to_owned(), Tree::Raw(value.to_owned())));
        }
    }
    if rng.u8(0..5) == 0 {
        if let Tree::Object(entry) = entry(rng) {
            members.extend(entry);
        }
    } else {
        let entries: Vec<Tree> = (0..rng.usize(0..5)).map(|_| entry(rng)).collect();
        members.push(("associations".to_owned(), list(entries, rng)));
    }
    add_nulls(&mut members, rng);
    Tree::Object(members)
}

/// Returns an array. A single element may be written without the array.
fn list(mut elements: Vec<Tree>, rng: &mut Rng) -> Tree {
    match (elements.len(), rng.u8(0..3)) {
        (1, 0) => elements.swap_remove(0),
        _ => Tree::List(elements),
    }
}

/// Adds unused fields as `null`, as a typed serialiser does.
fn add_nulls(members: &mut Vec<(String, Tree)>, rng: &mut Rng) {
    if rng.u8(0..6) > 0 {
        return;
    }
    for field in hostile::FIELDS {
        if rng.bool() && members.iter().all(|(name, _)| name != field) {
            members.insert(rng.usize(0..=members.len()), (field.to_owned(), Tree::Raw("null".to_owned())));
        }
    }
}

fn entry(rng: &mut Rng) -> Tree {
    if rng.u8(0..12) == 0 {
        return hostile::value(rng);
    }
    let queue = match rng.u8(0..8) {
        0..=5 => ("queueId", Tree::Text(format!("q{}", rng.u8(0..8)))),
        6 => ("queueName", Tree::Text(format!("Queue {}", rng.u8(0..8)))),
        _ => (if rng.bool() { "queueId" } else { "queueName" }, hostile::value(rng)),
    };
    let address = match rng.u8(0..8) {
        0..=2 => ("emailAddressId", address(rng, false)),
        3..=5 => {
            let count = if rng.u8(0..6) == 0 { 120 } else { 5 };
            let addresses = (0..rng.usize(0..count)).map(|_| address(rng, false)).collect();
            ("emailAddressIds", list(addresses, rng))
        }
        6 => {
            let addresses = (0..rng.usize(0..5)).map(|_| address(rng, true)).collect();
            ("emailAddresses", list(addresses, rng))
        }
        _ => ("emailAddress", address(rng, true)),
    };
    let mut entry = Tree::object([queue, address]);
    if let Tree::Object(members) = &mut entry {
        add_nulls(members, rng);
    }
    if let (0, Tree::Object(members)) = (rng.u8(0..10), &mut entry) {
        let at = rng.usize(0..=members.len());
        members.insert(at, (hostile::name(rng), hostile::value(rng)));
    }
    entry
}

fn address(rng: &mut Rng, written_out: bool) -> Tree {
    let number = rng.u8(0..130);
    match (rng.u8(0..10), written_out) {
        (0, _) => hostile::value(rng),
        (_, false) => Tree::Text(format!("e{number}")),
        (_, true) => Tree::Text(format!("E{number}@brand.example")),
    }
}
