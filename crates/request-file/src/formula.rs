//! Keeps a spreadsheet from taking text for a formula, and restores the text when it is read again.
//!
//! A spreadsheet calculates a cell that starts with `=`, `+`, `-` or `@`, or with the full-width form of one of them, even
//! inside quotes (OWASP, "CSV Injection"). A spreadsheet that separates cells by another character than this project
//! finds such a cell in the middle of a text, as in `Billing;=1+1`. An apostrophe before each of these places makes it
//! text. Reading removes the apostrophes.

use std::borrow::Cow;

const APOSTROPHE: char = '\'';

/// The characters other than the comma that separate the cells of a file that people open in a spreadsheet.
const SEPARATORS: [char; 3] = [';', '\t', '|'];

const SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Returns a text with an apostrophe wherever a formula could start. [`restored`] is its inverse.
pub(crate) fn defused(text: &str) -> Cow<'_, str> {
    with_apostrophes(text, can_calculate)
}

/// Returns a cell of a file with the same meaning, in which no formula can start. Existing apostrophes
/// before a formula stay.
///
/// The cell has no outer white space.
pub(crate) fn harmless(cell: &str) -> Cow<'_, str> {
    with_apostrophes(cell, |piece| can_calculate(piece) && !piece.starts_with(APOSTROPHE))
}

/// Returns the text before [`defused`].
pub(crate) fn restored(cell: &str) -> Cow<'_, str> {
    if !cell.contains(APOSTROPHE) {
        return Cow::Borrowed(cell);
    }
    let piece = |piece| match str::strip_prefix(piece, APOSTROPHE) {
        Some(rest) if can_calculate(rest) => rest,
        _ => piece,
    };
    Cow::Owned(cell.split_inclusive(SEPARATORS).map(piece).collect())
}

fn with_apostrophes(text: &str, needs_one: impl Fn(&str) -> bool) -> Cow<'_, str> {
    if !text.split_inclusive(SEPARATORS).any(&needs_one) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 1);
    for piece in text.split_inclusive(SEPARATORS) {
        if needs_one(piece) {
            written.push(APOSTROPHE);
        }
        written.push_str(piece);
    }
    Cow::Owned(written)
}

/// Whether a formula starts the text, perhaps after quotes and white space.
fn can_calculate(text: &str) -> bool {
    text.trim_start_matches(|c: char| c == APOSTROPHE || c == '"' || c.is_whitespace()).starts_with(SIGNS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_formulas_get_an_apostrophe() {
        for (text, written) in [
            ("", ""),
            ("q-1", "q-1"),
            ("a@brand.example", "a@brand.example"),
            ("'quoted'", "'quoted'"),
            ("=1+1", "'=1+1"),
            ("＝1+1", "'＝1+1"),
            ("+49@brand.example", "'+49@brand.example"),
            ("-x", "'-x"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\"=1\"", "'\"=1\""),
            ("'=1", "''=1"),
            ("Billing;=1+1;x", "Billing;'=1+1;x"),
            ("a|b\t \"+1", "a|b\t' \"+1"),
        ] {
            assert_eq!(defused(text), written);
            assert_eq!(restored(written), text);
        }
        assert_eq!(harmless("a;=1|'=2"), "a;'=1|'=2");
        assert_eq!(harmless("'=1"), "'=1");
    }

    proptest! {
        #[test]
        fn written_text_is_restored_and_never_calculates(text in "['=+@a\t;| \"-]{0,8}") {
            let written = defused(&text);
            prop_assert_eq!(restored(&written), text.as_str());
            let cell = harmless(text.trim());
            prop_assert_eq!(restored(&cell), restored(text.trim()));
            for form in [written, harmless(&text)] {
                for piece in form.split(SEPARATORS) {
                    let piece = piece.trim_start_matches(['"', ' ']);
                    prop_assert!(!piece.starts_with(SIGNS), "{}", form);
                }
            }
        }
    }
}
