//! Escapes text from other sources, so that it can be shown on a terminal.

use std::io::{self, Write};

use queue_email_associator::requests::is_invisible;

/// Escapes control, directional and invisible characters, so that they cannot move the cursor or reverse a line.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if is_visible(c) {
            printable.push(c);
        } else if c.is_ascii() {
            printable.extend(c.escape_default());
        } else {
            printable.extend(c.escape_unicode());
        }
    }
    printable
}

/// Escapes the same characters in JSON, which keeps its meaning. Line feeds between the elements stay.
pub(crate) fn printable_json(json: &str) -> String {
    let mut printable = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || is_visible(c) {
            printable.push(c);
        } else {
            // An invisible character can only be in a string, where JSON allows this escape.
            for unit in c.encode_utf16(&mut [0; 2]) {
                printable.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    printable
}

/// Returns whether a character has a shape of its own, or is a plain space.
fn is_visible(c: char) -> bool {
    !is_invisible(c) && (c == ' ' || !c.is_whitespace())
}

/// Prints a line on standard error. A closed standard error does not stop the program.
pub(crate) fn print_error(line: &str) {
    let _ = writeln!(io::stderr(), "{}", printable(line));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_escaped() {
        for (text, shown) in [
            ("Billing \"EMEA\" \\ it's", "Billing \"EMEA\" \\ it's"),
            ("Rückgaben Łódź 請求", "Rückgaben Łódź 請求"),
            ("u\u{308}", "u\u{308}"),
            ("a\nb\u{1b}[2J", "a\\nb\\u{1b}[2J"),
            ("evil\u{202e}txt\u{2066}", "evil\\u{202e}txt\\u{2066}"),
            ("a\u{200b}b\u{feff}\u{ad}", "a\\u{200b}b\\u{feff}\\u{ad}"),
            ("a\u{a0}b\u{3000}", "a\\u{a0}b\\u{3000}"),
            ("a\u{fe0f}\u{3164}\u{e0041}", "a\\u{fe0f}\\u{3164}\\u{e0041}"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn json_keeps_its_meaning() {
        let json = "{\n  \"Bücher\": \"\u{9b}31m\u{202e}\u{2066}\u{e0041}\u{7f}\"\n}";
        let escaped = printable_json(json);
        assert_eq!(escaped, "{\n  \"Bücher\": \"\\u009b31m\\u202e\\u2066\\udb40\\udc41\\u007f\"\n}");
        let value = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&escaped), value(json));
    }
}
