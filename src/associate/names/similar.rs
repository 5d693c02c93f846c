//! Compares names as a person sees them, and describes their differences.

use unicode_normalization::UnicodeNormalization;

use crate::requests::is_invisible;

type Fold = fn(&str) -> String;

/// Differences that a person may not see, in words, each with the function that removes it. The functions are applied in
/// this order.
const DIFFERENCES: [(&str, Fold); 4] = [
    ("invisible characters", |name| {
        name.chars().filter(|c| c.is_whitespace() || !is_invisible(*c)).collect()
    }),
    ("Unicode normalization", |name| name.nfkc().collect()),
    ("leading or trailing white space", |name| name.trim().to_owned()),
    ("case", |name| name.to_lowercase()),
];

/// Returns the folded form of a name. Two names without a visible difference have the same one.
pub(super) fn folded(name: &str) -> String {
    fold(name, None)
}

/// Lists, in words, the differences between two names that have the same folded form.
pub(super) fn differences(name: &str, other: &str) -> String {
    let differs = |words: &&str| fold(name, Some(words)) != fold(other, Some(words));
    let words: Vec<&str> = DIFFERENCES.iter().rev().map(|(words, _)| *words).filter(differs).collect();
    match words.as_slice() {
        [] => "the characters it is written with".to_owned(),
        [words] => (*words).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// Removes all differences from a name, except for `except`.
fn fold(name: &str, except: Option<&str>) -> String {
    let removed = DIFFERENCES.iter().filter(|(words, _)| Some(*words) != except);
    removed.fold(name.to_owned(), |name, (_, remove)| remove(&name))
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
