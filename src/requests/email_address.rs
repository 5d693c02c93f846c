//! Checks the form of an email address, and describes the mistake in any other text.

use std::fmt;

use super::at_sign::find_at_sign;
use super::invisible::is_invisible;

/// Maximum length of an email address, in characters (API reference, CreateEmailAddress, EmailAddress).
const MAX_LENGTH: usize = 255;

/// Checks that a text has the form of an email address. It needs one `@` with a character before it, a dot in the
/// domain, no white space, and at most 255 characters (API reference, CreateEmailAddress, EmailAddress: pattern and
/// length). The API also accepts invisible characters, and the characters around and between the addresses of an address
/// book. This check rejects them, because no instance has an address with one of them.
///
/// # Errors
/// Returns the mistake and the expected form, as a phrase that follows the name of the field. The phrase contains neither
/// the text nor an at sign, because the log redacts text with that sign.
pub(super) fn email_address(text: &str) -> Result<&str, String> {
    if has_the_form(text) {
        return Ok(text);
    }
    Err(match AddressError::of(text) {
        long @ AddressError::Long(_) => long.to_string(),
        several @ (AddressError::Several(..) | AddressError::SecondSign(_)) => {
            format!("{several}; expected one email address, or emailAddresses with an array of them")
        }
        other => format!("{other}; expected one email address"),
    })
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

/// The mistake in a text that is not an email address. Positions count characters from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AddressError {
    Invisible(usize, char),
    Several(usize, char),
    SecondSign(usize),
    DisplayName(usize, char),
    Prefix(usize),
    WhiteSpace(usize, char),
    OtherSign(usize, char),
    EncodedSign(usize),
    NoSign,
    NoLocalPart,
    NoDot,
    Long(usize),
}

impl AddressError {
    /// Finds the first mistake that applies. The more specific mistakes come first, because a display name usually has
    /// white space too, and several addresses may each have a display name.
    fn of(text: &str) -> Self {
        let find = |is: fn(char) -> bool| (1..).zip(text.chars()).find(|(_, c)| is(*c));
        let signs = text.matches('@').count();
        if let Some((position, c)) = find(|c| is_invisible(c) && !c.is_whitespace()) {
            return AddressError::Invisible(position, c);
        }
        if let (0, Some(sign)) = (signs, find_at_sign(text, 0)) {
            let position = text[..sign.start].chars().count() + 1;
            return match text[sign].chars().next() {
                Some(c) if !c.is_ascii() => AddressError::OtherSign(position, c),
                _ => AddressError::EncodedSign(position),
            };
        }
        let between = find(is_between_addresses);
        if let (Some((position, c)), 2..) = (between, signs) {
            return AddressError::Several(position, c);
        }
        let mut at_signs = (1..).zip(text.chars()).filter(|(_, c)| *c == '@');
        if let Some((position, _)) = at_signs.nth(1) {
            return AddressError::SecondSign(position);
        }
        if let Some((position, c)) = find(is_of_a_display_name) {
            return AddressError::DisplayName(position, c);
        }
        if let Some((position, c)) = between {
            return AddressError::Several(position, c);
        }
        if let Some((position, _)) = find(|c| c == ':') {
            return AddressError::Prefix(position);
        }
        if let Some((position, c)) = find(char::is_whitespace) {
            return AddressError::WhiteSpace(position, c);
        }
        match (signs, text.chars().count()) {
            (0, _) => AddressError::NoSign,
            _ if text.starts_with('@') => AddressError::NoLocalPart,
            (_, length) if length > MAX_LENGTH => AddressError::Long(length),
            _ => AddressError::NoDot,
        }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = u32::from;
        match *self {
            AddressError::Invisible(position, c) => {
                write!(f, "has an invisible character (U+{:04X}) at position {position}", code(c))
            }
            AddressError::Several(position, c) => {
                write!(f, "looks like several addresses ('{c}' at position {position})")
            }
            AddressError::SecondSign(position) => {
                write!(f, "looks like several addresses (a second at sign at position {position})")
            }
            AddressError::DisplayName(position, c) => {
                write!(f, "looks like an address with a display name ('{c}' at position {position})")
            }
            AddressError::Prefix(position) => {
                write!(f, "has a prefix such as mailto: (':' at position {position})")
            }
            AddressError::WhiteSpace(position, c) => {
                write!(f, "has white space (U+{:04X}) at position {position}", code(c))
            }
            AddressError::OtherSign(position, c) => {
                write!(
                    f,
                    "has another character (U+{:04X}) at position {position} instead of an at sign",
                    code(c)
                )
            }
            AddressError::EncodedSign(position) => write!(f, "has an encoded at sign at position {position}"),
            AddressError::NoSign => f.write_str("has no at sign"),
            AddressError::NoLocalPart => f.write_str("has nothing before the at sign"),
            AddressError::NoDot => f.write_str("has no dot in its domain"),
            AddressError::Long(length) => {
                write!(f, "has {length} characters; expected at most {MAX_LENGTH}")
            }
        }
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

    #[test]
    fn invalid_address_says_what_it_looks_like() {
        let long = format!("{}@b.example", "x".repeat(246));
        let long_beyond_ascii = format!("{}@b.example", "é".repeat(246));
        let table = [
            (
                "Billing <billing@brand.example>",
                "looks like an address with a display name ('<' at position 9)",
            ),
            ("<billing@brand.example>", "looks like an address with a display name ('<' at position 1)"),
            (
                "Team, Billing (b@brand.example)",
                "looks like an address with a display name ('(' at position 15)",
            ),
            ("a@x.example;b@x.example", "looks like several addresses (';' at position 12)"),
            ("a@x.example, b@x.example", "looks like several addresses (',' at position 12)"),
            ("A <a@x.example>; B <b@x.example>", "looks like several addresses (';' at position 16)"),
            ("a@x.example b@x.example", "looks like several addresses (a second at sign at position 14)"),
            ("a@b@x.example", "looks like several addresses (a second at sign at position 4)"),
            ("a,b@x.example", "looks like several addresses (',' at position 2)"),
            ("mailto:a@x.example", "has a prefix such as mailto: (':' at position 7)"),
            ("SMTP:a@x.example", "has a prefix such as mailto: (':' at position 5)"),
            (" a@x.example", "has white space (U+0020) at position 1"),
            ("a@x.example\u{a0}", "has white space (U+00A0) at position 12"),
            ("é b@x.example", "has white space (U+0020) at position 2"),
            ("a@x.example\n", "has white space (U+000A) at position 12"),
            ("a@x.exa\u{200b}mple", "has an invisible character (U+200B) at position 8"),
            ("\u{feff}a@x.example", "has an invisible character (U+FEFF) at position 1"),
            ("a\u{ad}@x.example", "has an invisible character (U+00AD) at position 2"),
            ("a\0@x.example", "has an invisible character (U+0000) at position 2"),
            ("a＠x.example", "has another character (U+FF20) at position 2 instead of an at sign"),
            ("a﹫x.example", "has another character (U+FE6B) at position 2 instead of an at sign"),
            ("é%40x.example", "has an encoded at sign at position 2"),
            ("a&#64;x.example", "has an encoded at sign at position 2"),
            ("a=40x.example", "has an encoded at sign at position 2"),
            ("billing-09", "has no at sign"),
            ("@x.example", "has nothing before the at sign"),
            ("a@", "has no dot in its domain"),
            ("a@localhost", "has no dot in its domain"),
            ("a@.example", "has no dot in its domain"),
            ("a@example.", "has no dot in its domain"),
            ("a.b@example", "has no dot in its domain"),
        ];
        for (text, looks) in table {
            let is_several = looks.starts_with("looks like several");
            let several = if is_several { ", or emailAddresses with an array of them" } else { "" };
            let message = format!("{looks}; expected one email address{several}");
            assert_eq!(email_address(text), Err(message), "{text:?}");
        }
        for text in [long, long_beyond_ascii] {
            let message = "has 256 characters; expected at most 255".to_owned();
            assert_eq!(email_address(&text), Err(message));
        }
    }
}
