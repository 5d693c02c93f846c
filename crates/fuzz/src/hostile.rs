//! Makes malformed and adversarial values, and names that are similar to those of fields.

use fastrand::Rng;
use queue_email_associator::requests::Field;
use testbed::world::INSTANCE;

use crate::json::Json;

/// Each of these constants is a list whose elements are separated by `|`.
const TEXTS: &str = "|.|..|a/b|a%2fb|%2e%2e|../../search-queues|q0/associate-email-addresses|//elsewhere.example/|\0|q0\n|\
    q0\r\nHost: elsewhere.example|q0?x=y|q0#x|q0;x|q0\\..|a%40b|\u{202e}0q|\u{ffff}|\u{fffe}|\u{10ffff}|\u{7f}|\u{85}|\
    e\u{301}|İ|null|{}|aws:sqs|Billing|Queue 0|Same name|e0@brand.example|E0@BRAND.EXAMPLE|missing@brand.example|\
    ß@brand.example|\"quoted @\"@brand.example|Billing <e0@brand.example>|e0@brand.example;e1@brand.example|\
    mailto:e0@brand.example| e0@brand.example|e0\u{200b}@brand.example|e0＠brand.example";

/// Parts of an ARN after its service.
const ARNS: &str = "eu-central-1:111122223333:instance/I/queue/q0|eu-central-1:111122223333:instance/I/email-address/e0|\
    eu-central-1:111122223333:instance/I|eu-central-1:444455556666:instance/I/queue/q0|::instance/I/queue/q0|\
    eu-central-1:111122223333:instance/../queue/q0|eu-central-1:111122223333:instance/I/queue/q0/q1|\
    us-east-1:111122223333:instance/I/queue/q0";

const TOKENS: &str = r#"null|true|false|0|-0|1e400|-1e400|1e308|1.5|18446744073709551615|18446744073709551616|-9223372036854775809|0.1e-400|[]|{}|"\ud800"|"\udc00x"|{"\ud800":1}|"\u0000"|nul|"#;

const OTHER_NAMES: &str = "Records|Items|BatchInput|Type|Message|Sns|unreadable|failures|detail|detail-type|source|id|\
    messageId|body|eventSource|EventSource|eventSourceARN|attributes||note";

/// Invisible characters, and characters that people ignore in a name.
const BETWEEN: [char; 10] =
    ['_', ' ', '.', '"', '\0', '\u{ad}', '\u{200b}', '\u{2060}', '\u{fe0f}', '\u{feff}'];

/// Distance from an ASCII character to its full-width form.
pub(crate) const FULL_WIDTH: u32 = 0xfee0;

pub(crate) fn text(rng: &mut Rng) -> String {
    match rng.u8(0..16) {
        0..=2 => format!("q{}", rng.u8(0..8)),
        3..=5 => format!("e{}", rng.u8(0..130)),
        6 => INSTANCE.to_owned(),
        7 => format!("e{}@brand.example", rng.u8(0..130)),
        8 => format!(
            "arn:{}:connect:{}",
            one_in("aws|aws-cn|", rng),
            one_in(ARNS, rng).replace("/I", &format!("/{INSTANCE}"))
        ),
        9 => {
            let length = one_of(&[99, 100, 101, 499, 500, 501, 5_000, 70_000], rng);
            one_of(&["q", "@", "é", "\u{ffff}", "\\", "\0", "a@b "], rng).repeat(length)
        }
        10 => (0..rng.usize(0..12)).map(|_| rng.char(..)).collect(),
        _ => one_in(TEXTS, rng).to_owned(),
    }
}

/// Returns the name of a field: a known name, a similar one, or any text.
pub(crate) fn name(rng: &mut Rng) -> String {
    match rng.u8(0..10) {
        0..=4 => one_of(&Field::ALL, rng).to_string(),
        5..=6 => one_in(OTHER_NAMES, rng).to_owned(),
        7..=8 => similar(one_of(&Field::ALL, rng).name(), rng),
        _ => text(rng),
    }
}

/// Returns a name that people easily mistake for `name`.
pub(crate) fn similar(name: &str, rng: &mut Rng) -> String {
    let mut similar = String::new();
    for c in name.chars() {
        if rng.u8(0..4) == 0 {
            similar.push(one_of(&BETWEEN, rng));
        }
        similar.push(match rng.u8(0..16) {
            0 | 1 => c.to_ascii_uppercase(),
            2 if c.is_ascii_graphic() => char::from_u32(u32::from(c) + FULL_WIDTH).unwrap_or(c),
            _ => c,
        });
    }
    similar
}

pub(crate) fn value(rng: &mut Rng) -> Json {
    match rng.u8(0..14) {
        0..=5 => Json::Text(text(rng)),
        6..=8 => Json::Raw(one_in(TOKENS, rng).to_owned()),
        9 => Json::List((0..rng.usize(0..4)).map(|_| value(rng)).collect()),
        10..=11 => Json::Object((0..rng.usize(0..4)).map(|_| (name(rng), value(rng))).collect()),
        12 => deep(rng),
        _ => Json::Text(value(rng).to_string()),
    }
}

/// Returns nesting near the parser's limit or far beyond it, closed or not.
fn deep(rng: &mut Rng) -> Json {
    let depth = one_of(&[120, 124, 125, 126, 127, 128, 129, 5_000], rng);
    let (open, close) = one_of(&[("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")], rng);
    let close = if rng.u8(0..4) == 0 { "" } else { close };
    Json::Raw(format!("{}1{}", open.repeat(depth), close.repeat(depth)))
}

pub(crate) fn one_of<T: Copy>(choices: &[T], rng: &mut Rng) -> T {
    choices[rng.usize(0..choices.len())]
}

fn one_in(list: &'static str, rng: &mut Rng) -> &'static str {
    one_of(&list.split('|').collect::<Vec<_>>(), rng)
}
