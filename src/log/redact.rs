//! Removes email addresses from a text before it is logged.
//!
//! The function's own messages contain no addresses. Messages of the API, of the SDK and of a panic may contain some.

use std::borrow::Cow;

use crate::requests::find_at_sign;

const REDACTED: &str = "[email address]";

/// Returns the text without its email addresses.
pub(super) fn redact(text: &str) -> Cow<'_, str> {
    let mut next = find_at_sign(text, 0);
    if next.is_none() {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut end = 0;
    while let Some(sign) = next {
        let start = end + local_part(&text[end..sign.start]);
        clean.push_str(&text[end..start]);
        clean.push_str(REDACTED);
        end = sign.end + domain(&text[sign.end..]);
        next = find_at_sign(text, end);
    }
    clean.push_str(&text[end..]);
    Cow::Owned(clean)
}

/// The start of the local part before the sign.
fn local_part(before: &str) -> usize {
    // Blanks may surround the sign (RFC 5322, "obsolete addressing").
    let before = before.trim_end_matches(is_blank);
    // A quoted local part may contain any character, such as a space or a quote after a backslash.
    if let Some(quoted) = before.strip_suffix('"') {
        let mut quotes = quoted.rmatch_indices('"').map(|(quote, _)| quote).peekable();
        while let Some(quote) = quotes.next() {
            if !quoted[..quote].ends_with('\\') || quotes.peek().is_none() {
                return quote;
            }
        }
    }
    before
        .rfind(|c: char| !is_of_local_part(c))
        .map_or(0, |last| last + before[last..].chars().next().map_or(0, char::len_utf8))
}

/// The length of the domain after the sign. It includes blanks before the domain if a domain follows.
fn domain(rest: &str) -> usize {
    let blanks = rest.len() - rest.trim_start_matches(is_blank).len();
    match rest[blanks..].find(|c: char| !is_of_domain(c)).unwrap_or(rest.len() - blanks) {
        0 => 0,
        length => blanks + length,
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Whether a local part may contain the character: RFC 5322, `atom`, a dot, or a letter of any script (RFC 6531).
fn is_of_local_part(c: char) -> bool {
    c.is_alphanumeric() || is_of_a_script(c) || "!#$%&'*+-/=?^_`{|}~.".contains(c)
}

fn is_of_domain(c: char) -> bool {
    c.is_alphanumeric() || is_of_a_script(c) || matches!(c, '-' | '.' | '[' | ']' | ':')
}

/// Whether the character may belong to a word of any script. Combining marks are not letters, but they belong to words.
fn is_of_a_script(c: char) -> bool {
    !c.is_ascii() && !c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_are_redacted() {
        for (text, clean) in [
            ("nothing here", "nothing here"),
            ("a@b.example", "[email address]"),
            ("address a.b+c@brand.example is bad", "address [email address] is bad"),
            ("<a@b.example>, (c@d.example)", "<[email address]>, ([email address])"),
            ("\"john doe\"@b.example!", "[email address]!"),
            ("a%40b.example", "[email address]"),
            ("{\"x\":\"a\\u0040b.example\"}", "{\"x\":\"[email address]\"}"),
            ("müller@größe.example", "[email address]"),
            ("mu\u{308}ller@x.example", "[email address]"),
            ("a@[127.0.0.1]", "[email address]"),
            ("a@b@c.example", "[email address][email address]"),
            ("@", "[email address]"),
            ("secret.name @ b.example, and", "[email address], and"),
            (r#"to "john \"x\" secret"@b.example"#, "to [email address]"),
            (r#"\"a"@b.example"#, r"\[email address]"),
            ("secret%2540b.example", "[email address]"),
            ("for a\u{fe6b}b.example and a\u{ff20}b.example", "for [email address] and [email address]"),
            (
                "<p>a&#64;b.example, a&#X40;b.example or a&commat;b.example",
                "<p>[email address], [email address] or [email address]",
            ),
            ("To: a=40b.example", "To: [email address]"),
            ("status=404, limit=40", "status=404, limit=40"),
            ("ends with @ ", "ends [email address] "),
        ] {
            assert_eq!(redact(text), clean, "{text}");
        }
    }
}
