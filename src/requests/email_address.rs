//! Checks the form of an email address, and describes the mistake in any other text.

use super::at_sign::find_at_sign;
use super::invisible::is_invisible;

/// Maximum length of an email address, in characters (API reference, CreateEmailAddress, EmailAddress).
const MAX_LENGTH: usize = 255;

/// Checks that a text has the form of an email address. It needs one `@` with a character before it, a dot in the
/// domain, no white space, and at most 255 characters (API reference, CreateEmailAddress, EmailAddress: pattern and
/// length). The API also accepts invisible characters, and the characters around and between the addresses of an address
/// book. This check rejects them, because no instance has an address with one of them.
///
/// The error is the mistake and the expected form, as a phrase that follows the name of the field. It contains neither the
/// text nor an at sign, because the log redacts text with that sign.
pub(super) fn email_address(text: &str) -> Result<&str, String> {
    if has_the_form(text) { Ok(text) } else { Err(mistake(text)) }
}

/// Runs for every address, so it reads the bytes once. Only a text that is not ASCII is read again.
fn has_the_form(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut sign = None;
    // Whether the domain has a dot with a character before and after it.
    let mut dot = false;
    for (position, byte) in bytes.iter().enumerate() {
        match byte {
            b'@' if sign.is_some() || position == 0 => return false,
            b'@' => sign = Some(position),
            b'.' => dot |= sign.is_some_and(|sign| position > sign + 1) && position + 1 < bytes.len(),
            0..=b' ' | 0x7f => return false,
            byte if separates(char::from(*byte)) => return false,
            _ => {}
        }
    }
    let is_of_an_address = |c: char| !c.is_whitespace() && !is_invisible(c);
    dot && if text.is_ascii() {
        text.len() <= MAX_LENGTH
    } else {
        text.chars().all(is_of_an_address) && text.chars().count() <= MAX_LENGTH
    }
}

/// Characters around and between the addresses of an address book or a mail header (RFC 5322, "Address Specification").
fn separates(c: char) -> bool {
    is_of_a_display_name(c) || is_between_addresses(c) || c == ':'
}

fn is_of_a_display_name(c: char) -> bool {
    matches!(c, '<' | '>' | '(' | ')')
}

fn is_between_addresses(c: char) -> bool {
    matches!(c, ',' | ';')
}

/// Describes the first mistake that applies. The more specific mistakes come first, because a display name usually has
/// white space too, and several addresses may each have a display name. Positions count characters from one.
fn mistake(text: &str) -> String {
    const ONE: &str = "expected one email address";
    const SEVERAL: &str = "expected one email address, or emailAddresses with an array of them";
    let find = |is: fn(char) -> bool| (1..).zip(text.chars()).find(|(_, c)| is(*c));
    let code = u32::from;
    let signs = text.matches('@').count();
    if let Some((position, c)) = find(|c| is_invisible(c) && !c.is_whitespace()) {
        return format!("contains an invisible character (U+{:04X}) at position {position}; {ONE}", code(c));
    }
    if let (0, Some(sign)) = (signs, find_at_sign(text, 0)) {
        let position = text[..sign.start].chars().count() + 1;
        return match text[sign].chars().next() {
            Some(c) if !c.is_ascii() => {
                format!("has U+{:04X} instead of an at sign at position {position}; {ONE}", code(c))
            }
            _ => format!("has an encoded at sign at position {position}; {ONE}"),
        };
    }
    let between = find(is_between_addresses);
    if let (Some((position, c)), 2..) = (between, signs) {
        return format!("looks like several addresses ('{c}' at position {position}); {SEVERAL}");
    }
    let mut at_signs = (1..).zip(text.chars()).filter(|(_, c)| *c == '@');
    if let Some((position, _)) = at_signs.nth(1) {
        return format!("looks like several addresses (a second at sign at position {position}); {SEVERAL}");
    }
    if let Some((position, c)) = find(is_of_a_display_name) {
        return format!("looks like an address with a display name ('{c}' at position {position}); {ONE}");
    }
    if let Some((position, c)) = between {
        return format!("looks like several addresses ('{c}' at position {position}); {SEVERAL}");
    }
    if let Some((position, _)) = find(|c| c == ':') {
        return format!("has a prefix such as mailto: (':' at position {position}); {ONE}");
    }
    if let Some((position, c)) = find(char::is_whitespace) {
        return format!("contains white space (U+{:04X}) at position {position}; {ONE}", code(c));
    }
    match (signs, text.chars().count()) {
        (0, _) => format!("has no at sign; {ONE}"),
        _ if text.starts_with('@') => format!("has nothing before the at sign; {ONE}"),
        (_, length) if length > MAX_LENGTH => {
            format!("has {length} characters; expected at most {MAX_LENGTH}")
        }
        _ => format!("has no dot in its domain; {ONE}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_addresses() {
        let longest = format!("{}@b.example", "x".repeat(245));
        let longest_beyond_ascii = format!("{}@b.example", "é".repeat(245));
        for text in [
            "a@b.c",
            "billing+vip@brand.example",
            "Billing-10@Brand.Example",
            "o'neil_1.2@mail.brand.example",
            "müller@größe.example",
            "\"quoted\"@brand.example",
            "a@b..example",
            &longest,
            &longest_beyond_ascii,
        ] {
            assert_eq!(email_address(text), Ok(text));
        }
    }

    /// `messages.txt` lists the messages. This table adds the mistakes that look like another one.
    #[test]
    fn more_specific_mistake_is_reported() {
        for (text, start) in [
            (
                "Team, Billing (b@brand.example)",
                "looks like an address with a display name ('(' at position 15)",
            ),
            ("A <a@x.example>; B <b@x.example>", "looks like several addresses (';' at position 16)"),
            ("a@x.example b@x.example", "looks like several addresses (a second at sign at position 14)"),
            ("a,b@x.example", "looks like several addresses (',' at position 2)"),
            ("\u{feff}a @x.example", "contains an invisible character (U+FEFF) at position 1"),
            ("a@x.example\u{a0}", "contains white space (U+00A0) at position 12"),
            ("é b@x.example", "contains white space (U+0020) at position 2"),
            ("é%40x.example", "has an encoded at sign at position 2"),
            ("a@", "has no dot in its domain"),
            ("a@.example", "has no dot in its domain"),
            ("a@example.", "has no dot in its domain"),
            ("a.b@example", "has no dot in its domain"),
        ] {
            let error = email_address(text).unwrap_err();
            assert!(error.starts_with(start), "{text:?}: {error}");
        }
        for letter in ["x", "é"] {
            let long = format!("{}@b.example", letter.repeat(246));
            assert_eq!(email_address(&long), Err("has 256 characters; expected at most 255".to_owned()));
        }
    }
}
