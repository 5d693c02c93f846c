//! Makes payloads that are large in one respect, to find costs that grow faster than the payload.

use fastrand::Rng;
use serde_json::{Value, json};
use testbed::world::{INSTANCE, sqs};

use crate::hostile::one_of;

/// Sizes of payloads in bytes: with about as many parts as an invocation handles, and with more. The larger one is a sixth
/// of the largest payload of a synchronous invocation (Lambda Developer Guide, "Lambda quotas": 6 MB), because a debug build
/// is slow.
const SIZES: [usize; 2] = [300_000, 1_000_000];

/// The fields of a request. `«…»` is repeated with commas and `‹…›` without, `№` is the number of the repetition, and `$` a
/// different sequence of ignored characters for each number.
const REQUESTS: [&str; 18] = [
    r#""associations":[«1»]"#,
    r#""associations":[«{}»]"#,
    r#""associations":[«{"queueId":"q№","emailAddressId":"e1"}»]"#,
    r#""associations":[«{"queueName":"Q№","emailAddressId":"e1"}»]"#,
    r#""associations":[«{"instanceId":"i№","queueId":"q","emailAddressId":"e1"}»]"#,
    r#""associations":[«{"queueId$":1}»]"#,
    r#""queueId":"q0","emailAddressIds":[«1»]"#,
    r#""queueId":"q0","emailAddressIds":[«"@"»]"#,
    r#""queueId":"q0","emailAddressIds":[«"e1"»]"#,
    r#""queueId":"q0","emailAddressIds":[«"e№"»]"#,
    r#""queueId":"q0","emailAddresses":[«"№@x.example"»]"#,
    r#""queueId":"q0","emailAddresses":[«"a@b <"»]"#,
    r#""queueId":"q0","emailAddresses":["‹@é›"]"#,
    r#""queueName":"‹@›","emailAddressId":"e1""#,
    r#""queueId":"q0","emailAddress‹_›Id":"e1""#,
    "\"queueId\":\"q0\",\"emailAddress‹\u{200b}›Id\":\"e1\"",
    "\"queueId\":\"q0\",\"emailAddressId\":\"e1\",\"‹\u{323}\u{301}›\":1",
    r#""queueId":"q0","emailAddressId":"e1",«"x№":1»"#,
];

/// Bodies that are not JSON. Written as text, the last two double and grow sixfold.
const BODIES: [&str; 3] = ["‹x›", "‹\"›", "‹\u{1}›"];

const PAYLOADS: [&str; 9] = [
    r#"{"Records":[«{}»]}"#,
    r#"{"Records":[«{"eventSource":"aws:sqs","messageId":"№"}»]}"#,
    r#"{"Records":[«{"eventSource":"aws:sqs","messageId":"№","body":"1"}»]}"#,
    r#"[«{"eventSource":"aws:sqs","eventSourceARN":"a.fifo","messageId":"№","attributes":{"MessageGroupId":"№"}}»]"#,
    r#"{"Records":[{"eventSource":"aws:sqs","messageId":"‹@›","body":"1"}]}"#,
    r#"{"Records":[«{"EventSource":"aws:sns"}»]}"#,
    r#"{"Items":[«1»]}"#,
    r#"{"Items":[«{}»]}"#,
    "‹[›",
];

/// The payloads of scripts/check/memory, in their order.
const MEASURED: [fn() -> Value; 9] = [
    || sqs(&[request("q".repeat(500), numbered(174_712, |n| json!(format!("{:03x}", n % 4_096))))]),
    || sqs(&[request("q".repeat(500), numbered(100_000, |n| json!(format!("{:03x}", n % 4_096))))]),
    || sqs(&vec![request("q", vec![json!({}); 9_990]); 50]),
    || sqs(&numbered(16, |n| event(&n.to_string(), 220_000))),
    || event(&"i".repeat(100_000), 0),
    || request("q", vec![json!("a"); 850_000]),
    || json!({ "Items": vec![1; 2_850_000] }),
    || {
        let item = |n| json!({ "queueName": format!("{n}"), "emailAddress": format!("{n}@x.y") });
        json!({ "BatchInput": { "instanceId": INSTANCE }, "Items": numbered(90_000, item) })
    },
    || {
        let entry = |n| json!({ "queueId": format!("{n:x}"), "emailAddressId": "e" });
        json!({ "instanceId": "missing", "associations": numbered(100_000, entry) })
    },
];

/// The envelopes of a request.
const ENVELOPES: [fn(String) -> String; 4] = [
    |request| request,
    |request| format!(r#"{{"detail-type":"t","source":"s","detail":{request}}}"#),
    |request| format!(r#"{{"Items":[{request}]}}"#),
    in_sqs,
];

/// Makes a payload.
pub(crate) type Shape = Box<dyn FnOnce() -> String>;

/// Returns every shape. The largest ones come first, the others are in random order.
pub(crate) fn all(rng: &mut Rng) -> Vec<Shape> {
    let bytes = one_of(&SIZES, rng);
    let mut shapes: Vec<Shape> = vec![Box::new(move || in_sqs(nested_unreadable(bytes)))];
    for (fields, envelope) in REQUESTS.iter().flat_map(|fields| ENVELOPES.map(|envelope| (fields, envelope)))
    {
        let bytes = one_of(&SIZES, rng);
        let request = move || format!(r#"{{"instanceId":"{INSTANCE}",{}}}"#, filled(fields, bytes));
        shapes.push(Box::new(move || envelope(request())));
    }
    shapes.extend(BODIES.map(|shape| Box::new(move || in_sqs(filled(shape, bytes))) as Shape));
    shapes.extend(PAYLOADS.map(|shape| Box::new(move || filled(shape, bytes)) as Shape));
    rng.shuffle(&mut shapes);
    let measured = MEASURED.into_iter().map(|payload| Box::new(move || payload().to_string()) as Shape);
    measured.chain(shapes).collect()
}

fn in_sqs(body: String) -> String {
    sqs(&[body.into()]).to_string()
}

/// Returns a text with as many repetitions as the given number of bytes needs.
fn filled(shape: &str, bytes: usize) -> String {
    let (before, rest) = shape.split_once(['«', '‹']).unwrap_or((shape, ""));
    let (repeated, after) = rest.split_once(['»', '›']).unwrap_or_default();
    let mut text = before.to_owned();
    for number in 0.. {
        if text.len() >= bytes {
            break;
        }
        if number > 0 && shape.contains('«') {
            text.push(',');
        }
        let ignored =
            |n: usize| (0..20).map(move |bit| if n >> bit & 1 == 1 { '_' } else { ' ' }).collect::<String>();
        text += &repeated.replace('№', &number.to_string()).replace('$', &ignored(number));
    }
    text + after
}

fn numbered(number: usize, one: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..number).map(one).collect()
}

fn request(queue: impl Into<Value>, addresses: impl Into<Value>) -> Value {
    json!({ "instanceId": INSTANCE, "queueId": queue.into(), "emailAddressIds": addresses.into() })
}

fn event(id: &str, note: usize) -> Value {
    let mut detail = request("q", vec![json!({}); 9_000]);
    detail["note"] = "x".repeat(note).into();
    json!({ "detail-type": "d", "source": "s", "id": id, "detail": detail })
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
