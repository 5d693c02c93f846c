//! The forms in which texts contain the at sign of an email address.

use std::ops::Range;

/// The at sign, its look-alikes, and its encodings: percent-encoding (once or twice), JSON and JavaScript escapes, HTML
/// character references (HTML Living Standard, "Named character references"), and quoted-printable (RFC 2045). Letters
/// are compared without case.
const FORMS: [&str; 14] = [
    "@",
    "\u{ff20}",
    "\u{fe6b}",
    "%40",
    "%2540",
    "\\u0040",
    "\\x40",
    "\\u{40}",
    "&#64;",
    "&#064;",
    "&#x40;",
    "&#x0040;",
    "&commat;",
    QUOTED_PRINTABLE,
];

/// Often something else, such as the end of `status=404`. It counts only before a domain.
const QUOTED_PRINTABLE: &str = "=40";

/// The first characters of the forms.
const FIRST: [char; 7] = ['@', '\u{ff20}', '\u{fe6b}', '%', '\\', '&', '='];

/// Returns the first at sign at or after a byte position. A caller that continues after each sign reads the text once.
pub(crate) fn find_at_sign(text: &str, from: usize) -> Option<Range<usize>> {
    text[from..].match_indices(FIRST).find_map(|(at, _)| {
        let start = from + at;
        let length = form_at(&text[start..])?;
        Some(start..start + length)
    })
}

/// The length of the form at the start of a text.
fn form_at(text: &str) -> Option<usize> {
    let is_start = |form: &&str| {
        text.as_bytes().get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form.as_bytes()))
    };
    let form = FORMS.into_iter().find(is_start)?;
    let is_sign = form != QUOTED_PRINTABLE || starts_with_domain(&text[form.len()..]);
    is_sign.then_some(form.len())
}

/// Whether a text starts with a word that has a letter first and a dot between two characters.
fn starts_with_domain(text: &str) -> bool {
    let is_of_domain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.');
    let domain = text.split(|c| !is_of_domain(c)).next().unwrap_or_default();
    domain.starts_with(char::is_alphabetic) && domain.trim_end_matches('.').contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_found() {
        for form in FORMS {
            for form in [form.to_owned(), form.to_ascii_uppercase()] {
                let text = format!("a{form}brand.example");
                assert_eq!(find_at_sign(&text, 0), Some(1..1 + form.len()), "{text}");
                assert!(form.starts_with(FIRST), "{form}");
            }
        }
    }

    #[test]
    fn similar_text_is_not_an_at_sign() {
        for text in
            ["status=404", "n=40", "x=40.5", "size=40kB", "100%", "50% & more", "&#640;", "\\u004", "a=40b."]
        {
            assert_eq!(find_at_sign(text, 0), None, "{text}");
        }
    }

    #[test]
    fn search_continues_after_a_sign() {
        let text = "é@%40 =40b.c";
        let signs: Vec<_> =
            std::iter::successors(find_at_sign(text, 0), |sign| find_at_sign(text, sign.end)).collect();
        assert_eq!(signs, [2..3, 3..6, 7..10]);
    }
}
