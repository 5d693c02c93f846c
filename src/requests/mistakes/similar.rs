//! Compares names as a person reads them, so that `Dry run` is recognised as `dryRun`.

use unicode_normalization::UnicodeNormalization;

/// Unicode classifies the four Hangul fillers as letters, although they are invisible. Compatibility form maps all four
/// to these two.
fn is_filler(c: char) -> bool {
    matches!(c, '\u{115f}' | '\u{1160}')
}

/// Whether a person would read a name as the known one, which has only ASCII letters. Both names are compared in
/// compatibility form (NFKC) and lower case, reduced to letters and digits. So the name may differ in case and width, and
/// contain spaces, punctuation, control characters or invisible characters.
pub(crate) fn is_similar(name: &str, known: &str) -> bool {
    let known = known.chars().map(|c| c.to_ascii_lowercase());
    // Most names are ASCII and differ in the first letter.
    if name.is_ascii() {
        let letters = name.chars().filter(char::is_ascii_alphanumeric);
        return letters.map(|c| c.to_ascii_lowercase()).eq(known);
    }
    let folded = name.nfkc().flat_map(char::to_lowercase);
    folded.filter(|c| c.is_alphanumeric() && !is_filler(*c)).eq(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_spellings_are_recognised() {
        for name in [
            "dryRun",
            "dryrun",
            "DRYRUN",
            "dry_run",
            "Dry-Run",
            " dry Run ",
            "dryRun.",
            "\"dryRun\"",
            "'dryRun'",
            "dryRun:",
            "dry/run",
            "dryRun\0",
            "dryRun\r",
            "dry\u{a0}Run",
            "\u{feff}dryRun",
            "dryRun\u{200b}",
            "dry\u{2060}Run",
            "dry\u{ad}Run",
            "dryRun\u{fe0f}",
            "dryRun\u{202c}",
            "dryRun\u{e0020}",
            "\u{3164}dryRun",
            "dryRun\u{ffa0}",
            "dryRun\u{2800}",
            "ｄｒｙＲｕｎ",
            "𝐝𝐫𝐲𝐑𝐮𝐧",
            "ⓓⓡⓨⓡⓤⓝ",
            &format!("dry{}run", " ".repeat(1_000)),
            &format!("dry{}run", "\u{200b}".repeat(1_000)),
        ] {
            assert!(is_similar(name, "dryRun"), "{name:?}");
        }
    }

    #[test]
    fn other_names_are_unknown() {
        for name in [
            "",
            "_",
            "dry",
            "dryRuns",
            "drysRun",
            "dryRün",
            "dryRu\u{301}n",
            "dryRun1",
            "драйRun",
            "\u{200b}",
        ] {
            assert!(!is_similar(name, "dryRun"), "{name:?}");
        }
        for name in ["emailAddressIdsEmailAddressIds", &"x".repeat(100_000), &"é".repeat(100_000)] {
            assert!(!is_similar(name, "emailAddressIds"), "{name:.40}");
        }
    }

    /// The ranges are Default_Ignorable_Code_Point of the Unicode Character Database, and the control characters.
    #[test]
    fn invisible_characters_do_not_change_a_name() {
        let ranges = [
            0..=0x1f,
            0x7f..=0xa0,
            0xad..=0xad,
            0x34f..=0x34f,
            0x61c..=0x61c,
            0x115f..=0x1160,
            0x17b4..=0x17b5,
            0x180b..=0x180f,
            0x2000..=0x200f,
            0x2028..=0x202f,
            0x205f..=0x206f,
            0x3000..=0x3000,
            0x3164..=0x3164,
            0xfe00..=0xfe0f,
            0xfeff..=0xfeff,
            0xffa0..=0xffa0,
            0xfff0..=0xfffb,
            0x1bca0..=0x1bca3,
            0x1d173..=0x1d17a,
            0xe0000..=0xe0fff,
        ];
        for c in ranges.into_iter().flatten().filter_map(char::from_u32) {
            assert!(is_similar(&format!("queue{c}Id"), "queueId"), "U+{:04X}", u32::from(c));
        }
    }
}
