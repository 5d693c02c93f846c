//! Makes payloads that are large in one respect, to find costs that grow faster than the payload.

use std::fmt::Write;

use fastrand::Rng;

use crate::hostile::INSTANCE;
use crate::tree::Tree;

/// Size of the largest payload in bytes. This is a sixth of the largest payload of a synchronous invocation (Lambda
/// Developer Guide, "Lambda quotas": 6 MB), because a debug build is slow. It is large enough to show a cost that grows
/// faster than the payload.
const LARGEST: usize = 1_000_000;

type Shape = (&'static str, fn(usize) -> String);

/// Each makes a body or a payload of about the given number of bytes.
const REQUESTS: [Shape; 18] = [
    ("entries that are numbers", |bytes| associations(&repeated("1", bytes))),
    ("entries that are empty objects", |bytes| associations(&repeated("{}", bytes))),
    ("elements that are numbers", |bytes| entry("emailAddressIds", &repeated("1", bytes))),
    ("elements that are refused", |bytes| entry("emailAddressIds", &repeated("\"@\"", bytes))),
    ("one address again and again", |bytes| entry("emailAddressIds", &repeated("\"e1\"", bytes))),
    ("distinct addresses", |bytes| {
        entry("emailAddressIds", &numbered(bytes, |number| format!("\"e{number}\"")))
    }),
    ("distinct addresses by name", |bytes| {
        entry("emailAddresses", &numbered(bytes, |number| format!("\"{number}@x.example\"")))
    }),
    ("distinct queues", |bytes| {
        let entry = |number| format!(r#"{{"queueId":"q{number}","emailAddressId":"e1"}}"#);
        associations(&numbered(bytes, entry))
    }),
    ("distinct queues by name", |bytes| {
        let entry = |number| format!(r#"{{"queueName":"Q{number}","emailAddressId":"e1"}}"#);
        associations(&numbered(bytes, entry))
    }),
    ("distinct instances", |bytes| {
        let entry = |number| format!(r#"{{"instanceId":"i{number}","queueId":"q","emailAddressId":"e1"}}"#);
        associations(&numbered(bytes, entry))
    }),
    ("names nearly right, each in its own way", |bytes| {
        let entry = |number: usize| {
            let bits = (0..20).map(|bit| if number >> bit & 1 == 1 { "_" } else { " " });
            format!(r#"{{"queueId{}":1}}"#, bits.collect::<String>())
        };
        associations(&numbered(bytes, entry))
    }),
    ("a queue's name of signs that begin an address", |bytes| {
        format!(r#"{{"instanceId":"{INSTANCE}","queueName":"{}","emailAddressId":"e1"}}"#, "@".repeat(bytes))
    }),
    ("a member's name that is nearly right and long", |bytes| {
        format!(r#"{{"instanceId":"{INSTANCE}","queueId":"q0","emailAddress{}Id":"e1"}}"#, "_".repeat(bytes))
    }),
    ("a member's name that is nearly right, long and invisible", |bytes| {
        let invisible = "\u{200b}".repeat(bytes / 3);
        format!(r#"{{"instanceId":"{INSTANCE}","queueId":"q0","emailAddress{invisible}Id":"e1"}}"#)
    }),
    ("a member's name of marks that combine", |bytes| {
        let marks = "\u{323}\u{301}".repeat(bytes / 4);
        format!(r#"{{"instanceId":"{INSTANCE}","queueId":"q0","emailAddressId":"e1","{marks}":1}}"#)
    }),
    ("addresses that are none", |bytes| entry("emailAddresses", &repeated("\"a@b <\"", bytes))),
    ("an address that is none and long", |bytes| {
        entry("emailAddresses", &format!("\"{}\"", "@é".repeat(bytes / 3)))
    }),
    ("members that nobody knows", |bytes| {
        let members = numbered(bytes, |number| format!("\"x{number}\":1"));
        format!(r#"{{"instanceId":"{INSTANCE}","queueId":"q0","emailAddressId":"e1",{members}}}"#)
    }),
];

const BODIES: [Shape; 4] = [
    ("unreadable within unreadable", nested_unreadable),
    ("a body that is no JSON", |bytes| "x".repeat(bytes)),
    ("a body that doubles when it is written as text", |bytes| "\"".repeat(bytes)),
    ("a body that grows sixfold when it is written as text", |bytes| "\u{1}".repeat(bytes)),
];

const PAYLOADS: [Shape; 9] = [
    ("records that are empty objects", |bytes| format!(r#"{{"Records":[{}]}}"#, repeated("{}", bytes))),
    ("records of nothing", |bytes| {
        let record = |number| format!(r#"{{"eventSource":"aws:sqs","messageId":"{number}"}}"#);
        format!(r#"{{"Records":[{}]}}"#, numbered(bytes, record))
    }),
    ("records of a number each", |bytes| {
        let record = |number| format!(r#"{{"eventSource":"aws:sqs","messageId":"{number}","body":"1"}}"#);
        format!(r#"{{"Records":[{}]}}"#, numbered(bytes, record))
    }),
    ("records of a FIFO queue, each of its own group", |bytes| {
        let record = |number| {
            format!(
                r#"{{"eventSource":"aws:sqs","eventSourceARN":"a.fifo","messageId":"{number}","body":"1",
                    "attributes":{{"MessageGroupId":"{number}"}}}}"#
            )
        };
        format!("[{}]", numbered(bytes, record))
    }),
    ("records of one identifier of signs that begin an address", |bytes| {
        let id = "@".repeat(bytes / 2);
        format!(r#"{{"Records":[{{"eventSource":"aws:sqs","messageId":"{id}","body":"1"}}]}}"#)
    }),
    ("notifications of nothing", |bytes| {
        format!(r#"{{"Records":[{}]}}"#, repeated(r#"{"EventSource":"aws:sns"}"#, bytes))
    }),
    ("items that are numbers", |bytes| format!(r#"{{"Items":[{}]}}"#, repeated("1", bytes))),
    ("items that are empty objects", |bytes| format!(r#"{{"Items":[{}]}}"#, repeated("{}", bytes))),
    ("lists within lists", |bytes| "[".repeat(bytes)),
];

/// Returns the name of a shape, and a payload with it.
pub(crate) fn payload(rng: &mut Rng) -> (&'static str, String) {
    let bytes = [3_000, 30_000, 300_000, LARGEST][rng.usize(0..4)];
    let number = rng.usize(0..REQUESTS.len() + BODIES.len() + PAYLOADS.len());
    let shapes: Vec<&Shape> = REQUESTS.iter().chain(&BODIES).chain(&PAYLOADS).collect();
    let (name, shape) = shapes[number];
    let text = shape(bytes);
    if number >= REQUESTS.len() + BODIES.len() {
        return (name, text);
    }
    let in_sqs = || {
        let record = Tree::object([
            ("messageId", Tree::text("m")),
            ("body", Tree::text(&*text)),
            ("eventSource", Tree::text("aws:sqs")),
        ]);
        Tree::object([("Records", Tree::List(vec![record]))]).write()
    };
    let payload = match rng.u8(0..4) {
        _ if number >= REQUESTS.len() => in_sqs(),
        0 => text,
        1 => format!(r#"{{"detail-type":"t","source":"s","detail":{text}}}"#),
        2 => format!(r#"{{"Items":[{text}]}}"#),
        _ => in_sqs(),
    };
    (name, payload)
}

fn associations(entries: &str) -> String {
    format!(r#"{{"instanceId":"{INSTANCE}","associations":[{entries}]}}"#)
}

fn entry(field: &str, elements: &str) -> String {
    format!(r#"{{"instanceId":"{INSTANCE}","queueId":"q0","{field}":[{elements}]}}"#)
}

fn repeated(item: &str, bytes: usize) -> String {
    let mut text = item.to_owned();
    while text.len() + item.len() < bytes {
        text.push(',');
        text.push_str(item);
    }
    text
}

fn numbered(bytes: usize, item: impl Fn(usize) -> String) -> String {
    let mut text = item(0);
    let mut number = 1;
    while text.len() < bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, ",{}", item(number));
        number += 1;
    }
    text
}

/// Escapes written as `\u005c` do not double with each level. The text can therefore have many levels.
fn nested_unreadable(bytes: usize) -> String {
    let mut text = "x".to_owned();
    while text.len() < bytes {
        let escaped = text.replace('\\', "\\u005c").replace('"', "\\u0022");
        text = format!(r#"{{"unreadable":"{escaped}"}}"#);
    }
    text
}
