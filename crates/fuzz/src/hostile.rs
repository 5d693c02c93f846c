//! Makes malformed and adversarial field values.

use fastrand::Rng;

use crate::tree::Tree;

/// The instance that exists. Worlds that set `CONNECT_INSTANCE_ID` set it to this instance.
pub(crate) const INSTANCE: &str = "11111111-2222-3333-4444-555555555555";

const TEXTS: [&str; 52] = [
    "",
    " ",
    ".",
    "..",
    "...",
    "../../search-queues",
    "q0/../q1",
    "q0/associate-email-addresses",
    "a/b",
    "a%2fb",
    "%2e%2e",
    "a\0b",
    "\0",
    "q0\n",
    "q0\r\nHost: elsewhere.example",
    "q0?x=y",
    "q0#x",
    "q0;x",
    "q0\\..",
    "@elsewhere.example",
    "//elsewhere.example/",
    "http://elsewhere.example/",
    "é",
    "e\u{301}",
    "\u{202e}0q",
    "\u{feff}q0",
    "\u{ffff}",
    "\u{fffe}",
    "\u{fffd}",
    "\u{10ffff}",
    "\u{7f}",
    "\u{85}",
    "İ",
    "ß@brand.example",
    "e0@brand.example",
    "E0@BRAND.EXAMPLE",
    "nobody@brand.example",
    "\"quoted @\"@brand.example",
    "a%40b",
    "Billing <e0@brand.example>",
    "e0@brand.example;e1@brand.example",
    "mailto:e0@brand.example",
    " e0@brand.example",
    "e0\u{200b}@brand.example",
    "e0＠brand.example",
    "Billing",
    "billing",
    "Queue 0",
    "Same name",
    "aws:sqs",
    "null",
    "{}",
];

const ARNS: [&str; 10] = [
    "arn:aws:connect:eu-central-1:111122223333:instance/I/queue/q0",
    "arn:aws:connect:eu-central-1:111122223333:instance/I/email-address/e0",
    "arn:aws:connect:eu-central-1:111122223333:instance/I",
    "arn:aws:connect:eu-central-1:444455556666:instance/I/queue/q0",
    "arn:aws-cn:connect:cn-north-1:111122223333:instance/I/queue/q0",
    "arn:aws-us-gov:connect:us-gov-west-1:111122223333:instance/I/email-address/e0",
    "arn:aws:connect:us-east-1:111122223333:instance/I/queue/q0",
    "arn:aws:connect:eu-central-1:111122223333:instance/../queue/q0",
    "arn:aws:connect:eu-central-1:111122223333:instance/I/queue/q0/q1",
    "arn:::::instance/I/queue/q0",
];

const RAW: [&str; 22] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1e400",
    "-1e400",
    "1e308",
    "1.5",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "0.1e-400",
    "[]",
    "{}",
    r#""\ud800""#,
    r#""\udc00x""#,
    r#"{"\ud800":1}"#,
    r#""\u0000""#,
    "\"\u{1}\"",
    "nul",
    "",
];

pub(crate) const FIELDS: [&str; 14] = [
    "instanceId",
    "dryRun",
    "checkQueues",
    "failOnPermanent",
    "failOnRetryable",
    "reference",
    "continued",
    "associations",
    "queueId",
    "queueName",
    "emailAddressId",
    "emailAddressIds",
    "emailAddress",
    "emailAddresses",
];

const OTHER_NAMES: [&str; 22] = [
    "Records",
    "Items",
    "BatchInput",
    "Type",
    "Message",
    "Sns",
    "unreadable",
    "failures",
    "detail",
    "detail-type",
    "source",
    "id",
    "messageId",
    "MessageId",
    "body",
    "eventSource",
    "EventSource",
    "eventSourceARN",
    "attributes",
    "",
    "note",
    "\0",
];

pub(crate) fn text(rng: &mut Rng) -> String {
    match rng.u8(0..20) {
        0..=3 => format!("q{}", rng.u8(0..8)),
        4..=8 => format!("e{}", rng.u8(0..130)),
        9 => INSTANCE.to_owned(),
        10 => format!("e{}@brand.example", rng.u8(0..130)),
        11..=12 => ARNS[rng.usize(0..ARNS.len())].replace("/I", &format!("/{INSTANCE}")),
        13 => {
            let lengths = [99, 100, 101, 499, 500, 501, 5_000, 70_000];
            let letter = ["q", "@", "é", "\u{ffff}", "\\", "\0", "a@b "][rng.usize(0..7)];
            letter.repeat(lengths[rng.usize(0..lengths.len())])
        }
        14 => (0..rng.usize(0..12)).map(|_| rng.char(..)).collect(),
        _ => TEXTS[rng.usize(0..TEXTS.len())].to_owned(),
    }
}

/// Returns the name of a field: a known name, a similar one, or any text.
pub(crate) fn name(rng: &mut Rng) -> String {
    match rng.u8(0..10) {
        0..=4 => FIELDS[rng.usize(0..FIELDS.len())].to_owned(),
        5..=6 => OTHER_NAMES[rng.usize(0..OTHER_NAMES.len())].to_owned(),
        7..=8 => nearly(FIELDS[rng.usize(0..FIELDS.len())], rng),
        _ => text(rng),
    }
}

/// Invisible characters, and characters that people ignore in a name.
const BETWEEN: [char; 10] =
    ['_', ' ', '.', '"', '\0', '\u{ad}', '\u{200b}', '\u{2060}', '\u{fe0f}', '\u{feff}'];
/// Distance from an ASCII character to its full-width form.
const FULL_WIDTH: u32 = 0xfee0;

/// Returns a name that people easily mistake for `name`.
pub(crate) fn nearly(name: &str, rng: &mut Rng) -> String {
    let mut nearly = String::new();
    for c in name.chars() {
        if rng.u8(0..4) == 0 {
            nearly.push(BETWEEN[rng.usize(0..BETWEEN.len())]);
        }
        nearly.push(match rng.u8(0..16) {
            0 | 1 => c.to_ascii_uppercase(),
            2 if c.is_ascii_graphic() => char::from_u32(u32::from(c) + FULL_WIDTH).unwrap_or(c),
            _ => c,
        });
    }
    nearly
}

pub(crate) fn value(rng: &mut Rng) -> Tree {
    match rng.u8(0..14) {
        0..=5 => Tree::Text(text(rng)),
        6..=8 => Tree::Raw(RAW[rng.usize(0..RAW.len())].to_owned()),
        9 => Tree::List((0..rng.usize(0..4)).map(|_| value(rng)).collect()),
        10..=11 => Tree::Object((0..rng.usize(0..4)).map(|_| (name(rng), value(rng))).collect()),
        12 => deep(rng),
        _ => Tree::Text(value(rng).write()),
    }
}

/// Returns nesting near the parser's limit or far beyond it, closed or not.
fn deep(rng: &mut Rng) -> Tree {
    let depth = [120, 124, 125, 126, 127, 128, 129, 5_000][rng.usize(0..8)];
    let (open, close) = [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")][rng.usize(0..3)];
    let close = if rng.u8(0..4) == 0 { "" } else { close };
    Tree::Raw(format!("{}1{}", open.repeat(depth), close.repeat(depth)))
}
