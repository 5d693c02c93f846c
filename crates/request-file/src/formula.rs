//! Cells that a spreadsheet would take for a formula, written so that it does not, and read back as they were.
//!
//! A cell that begins with `=`, `+`, `-` or `@` is calculated when a person opens the file, whatever quotes stand
//! around it (OWASP, "CSV Injection"). An apostrophe before it makes it text. So that a file written here can be read
//! here again, reading takes that apostrophe off, and writing also puts one before what would otherwise lose its own.

use std::borrow::Cow;

const APOSTROPHE: char = '\'';

/// A cell as it is written into a file for people.
pub fn defused(cell: &str) -> Cow<'_, str> {
    if calculates(cell) { Cow::Owned(format!("{APOSTROPHE}{cell}")) } else { Cow::Borrowed(cell) }
}

/// A cell as it was before [`defused`].
pub(crate) fn plain(cell: &str) -> &str {
    cell.strip_prefix(APOSTROPHE).filter(|rest| calculates(rest)).unwrap_or(cell)
}

/// Whether a formula begins the cell, perhaps behind apostrophes.
fn calculates(cell: &str) -> bool {
    cell.trim_start_matches(APOSTROPHE).starts_with(['=', '+', '-', '@', '\t'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_a_spreadsheet_calculates_gets_an_apostrophe() {
        for (cell, written) in [
            ("", ""),
            ("q-1", "q-1"),
            ("a@brand.example", "a@brand.example"),
            ("'quoted'", "'quoted'"),
            ("=1+1", "'=1+1"),
            ("+49@brand.example", "'+49@brand.example"),
            ("-x", "'-x"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("'=1", "''=1"),
        ] {
            assert_eq!(defused(cell), written);
            assert_eq!(plain(written), cell);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_never_calculated(cell in "['=+@a\t-]{0,6}") {
            let written = defused(&cell);
            prop_assert_eq!(plain(&written), cell.as_str());
            prop_assert!(!written.starts_with(['=', '+', '-', '@', '\t']));
        }
    }
}
