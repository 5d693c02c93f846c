//! The text that a cell represents.
//!
//! Programs and people wrap cells in quotes that are not part of the text: a blank before the opening quote, `="…"`
//! against a spreadsheet that drops zeros, typographic quotes from a document.

use std::borrow::Cow;

use crate::formula::{defused, restored};

/// Pairs of quotes that can wrap a cell, apart from the straight double quote.
const QUOTES: [(char, char); 12] = [
    ('\'', '\''),
    ('“', '”'),
    ('„', '“'),
    ('„', '”'),
    ('”', '”'),
    ('«', '»'),
    ('»', '«'),
    ('‘', '’'),
    ('‚', '‘'),
    ('’', '’'),
    ('‹', '›'),
    ('＂', '＂'),
];

/// Whether a character is a quote, straight or typographic.
pub(crate) fn is_quote(c: char) -> bool {
    c == '"' || QUOTES.iter().any(|(open, close)| c == *open || c == *close)
}

/// Returns the text that a cell represents: without outer white space, without the apostrophe before a formula, and
/// without one pair of quotes around all of it.
pub(crate) fn text(cell: &str) -> Cow<'_, str> {
    match restored(cell.trim()) {
        Cow::Borrowed(cell) => unwrapped(cell.trim()),
        Cow::Owned(cell) => Cow::Owned(unwrapped(cell.trim()).into_owned()),
    }
}

fn unwrapped(cell: &str) -> Cow<'_, str> {
    let within = |open, close| cell.strip_prefix(open)?.strip_suffix(close);
    if let Some(inner) = cell.strip_prefix('=').and_then(quoted).or_else(|| quoted(cell)) {
        return inner;
    }
    // Every quote was doubled once more than it should have been.
    if let Some(inner) = within("\"\"", "\"\"").filter(|inner| !inner.contains('"')) {
        return Cow::Borrowed(inner);
    }
    for (open, close) in QUOTES {
        let inner = cell.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        if let Some(inner) = inner.filter(|inner| !inner.contains([open, close])) {
            return Cow::Borrowed(inner);
        }
    }
    Cow::Borrowed(cell)
}

/// Returns the text within straight quotes, in which a quote is written twice.
fn quoted(cell: &str) -> Option<Cow<'_, str>> {
    let inner = cell.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('"') {
        return Some(Cow::Borrowed(inner));
    }
    let single = inner.replace("\"\"", "");
    (!single.contains('"')).then(|| Cow::Owned(inner.replace("\"\"", "\"")))
}

/// The character that replaces a line break. A cell with it is invalid.
pub(crate) const LINE_END: char = '␤';

/// Returns a text without line ends. Replaced by a blank, they could lead to something else that exists.
pub(crate) fn without_line_ends(text: &str) -> String {
    text.replace(['\r', '\n'], "␤")
}

/// Returns a cell that represents a text: no formula starts in it, and reading it yields the text again. A text with a line
/// end becomes an invalid cell.
pub fn written(text_of_cell: &str) -> String {
    let line = without_line_ends(text_of_cell);
    let cell = defused(&line);
    if text(&cell) == line {
        cell.into_owned()
    } else {
        defused(&format!("\"{}\"", line.replace('"', "\"\""))).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wrapped_cell_is_its_inner_text() {
        for (cell, expected) in [
            (" Billing\u{a0}", "Billing"),
            ("\"Billing\"", "Billing"),
            ("=\"Billing\"", "Billing"),
            ("'=\"Billing\"", "Billing"),
            ("=\"Say \"\"hello\"\"\"", "Say \"hello\""),
            ("\"\"Billing\"\"", "Billing"),
            ("'a@brand.example'", "a@brand.example"),
            ("“Billing”", "Billing"),
            ("„Billing“", "Billing"),
            ("«Billing»", "Billing"),
            ("\"\"", ""),
            ("", ""),
            ("\"", "\""),
            ("'", "'"),
            ("=1+1", "=1+1"),
            ("'=1+1", "=1+1"),
            ("\"A\" and \"B\"", "\"A\" and \"B\""),
            ("'it's'", "'it's'"),
            ("12\" screens", "12\" screens"),
            ("=\"a\"&\"b\"", "=\"a\"&\"b\""),
        ] {
            assert_eq!(text(cell), expected, "{cell}");
        }
    }

    #[test]
    fn line_end_does_not_become_another_name() {
        assert_eq!(written("Bill\ning"), "Bill␤ing");
    }

    proptest! {
        #[test]
        fn written_text_is_read_again(value in "['\"=+a“” ;|-]{0,8}") {
            let cell = written(&value);
            prop_assert_eq!(text(&cell), value.as_str(), "{}", cell);
        }
    }
}
