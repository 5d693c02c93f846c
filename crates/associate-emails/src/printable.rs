//! Text that others have written, as it may be shown on a terminal.

/// Characters that take part in a line and cannot be seen: joiners, variation selectors and fillers (Unicode,
/// "DerivedCoreProperties.txt", Default_Ignorable_Code_Point). Rust's own escapes know the other invisible characters.
const INVISIBLE: [std::ops::RangeInclusive<char>; 10] = [
    '\u{34f}'..='\u{34f}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{e0000}'..='\u{e0fff}',
];

/// A text in which everything can be seen: control, directional and invisible characters are written as escapes, so
/// that they neither move a cursor nor turn a line around.
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

fn is_visible(c: char) -> bool {
    if matches!(c, ' '..='~') {
        return true;
    }
    // `str::escape_debug` escapes unprintable characters, but keeps a combining character that follows another.
    let follows = ['a', c];
    let shown: String = follows.iter().collect();
    shown.escape_debug().eq(follows) && !INVISIBLE.iter().any(|range| range.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_written_out() {
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
}
