//! Compares names as a person sees them, and describes their differences.

use unicode_normalization::UnicodeNormalization;

use crate::requests::is_invisible;

/// A difference between two names that a person may not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Difference {
    Case,
    WhiteSpace,
    Form,
    Invisible,
}

const ALL: [(Difference, &str); 4] = [
    (Difference::Case, "case"),
    (Difference::WhiteSpace, "leading or trailing white space"),
    (Difference::Form, "Unicode normalization"),
    (Difference::Invisible, "invisible characters"),
];

/// Returns the folded form of a name. Two names without a visible difference have the same one.
pub(super) fn folded(name: &str) -> String {
    fold(name, None)
}

/// Lists, in words, the differences between two names that have the same folded form.
pub(super) fn differences(name: &str, other: &str) -> String {
    let words: Vec<&str> = ALL
        .into_iter()
        .filter(|(difference, _)| fold(name, Some(*difference)) != fold(other, Some(*difference)))
        .map(|(_, words)| words)
        .collect();
    match words.as_slice() {
        [] => "the characters it is written with".to_owned(),
        [words] => (*words).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// Folds a name, except for the difference `except`.
fn fold(name: &str, except: Option<Difference>) -> String {
    let folds = |difference| except != Some(difference);
    let mut name = name.to_owned();
    if folds(Difference::Invisible) {
        name.retain(|c| c.is_whitespace() || !is_invisible(c));
    }
    if folds(Difference::Form) {
        name = name.nfkc().collect();
    }
    if folds(Difference::WhiteSpace) {
        name = name.trim().to_owned();
    }
    if folds(Difference::Case) {
        name = name.to_lowercase();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_listed_in_words() {
        for (name, other, differs) in [
            ("billing", "Billing", "case"),
            ("Billing ", "Billing", "leading or trailing white space"),
            ("\u{a0}Billing", "Billing", "leading or trailing white space"),
            ("\tbilling\n", "Billing", "case and leading or trailing white space"),
            ("Ru\u{308}ckgaben", "R\u{fc}ckgaben", "Unicode normalization"),
            ("Ｂilling", "Billing", "Unicode normalization"),
            ("Billing\u{a0}desk", "Billing desk", "Unicode normalization"),
            ("Bil\u{ad}ling\u{200b}", "Billing", "invisible characters"),
            ("Bil\0ling", "Billing", "invisible characters"),
            (
                "\u{feff} ru\u{308}ck ",
                "R\u{fc}ck",
                "case, leading or trailing white space, Unicode normalization and invisible characters",
            ),
        ] {
            assert_eq!(folded(name), folded(other), "{name:?}");
            assert_eq!(differences(name, other), differs, "{name:?}");
        }
    }

    #[test]
    fn other_names_do_not_look_alike() {
        for other in ["Billings", "Bi lling", "Bílling", "Billing.", ""] {
            assert_ne!(folded("Billing"), folded(other), "{other:?}");
        }
    }
}
