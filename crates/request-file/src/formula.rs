//! Keeps a spreadsheet from taking a cell for a formula, and reads the cell back as it was.
//!
//! A spreadsheet calculates a cell that begins with `=`, `+`, `-` or `@` when a person opens the file, even inside
//! quotes (OWASP, "CSV Injection"). An apostrophe before the cell makes it text. Reading takes that apostrophe off, so
//! that a file written here can be read here again. Writing also puts one before a cell that would otherwise lose its
//! own.

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
    fn only_formulas_get_an_apostrophe() {
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
        fn written_cells_read_back_and_never_calculate(cell in "['=+@a\t-]{0,6}") {
            let written = defused(&cell);
            prop_assert_eq!(plain(&written), cell.as_str());
            prop_assert!(!written.starts_with(['=', '+', '-', '@', '\t']));
        }
    }
}
