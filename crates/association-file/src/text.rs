//! Text of others, cut to one line of a limited length.

/// The text on one line.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text, cut to at most so many bytes. An ellipsis marks the cut.
pub(crate) fn shortened(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
        // The text is kept for long, and may be a small part of a large allocation.
        text.shrink_to_fit();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        for (text, cut) in [("abc", "abc"), ("abcd", "abc…"), ("aüü", "aü…"), ("aüb", "aü…"), ("aaü", "aa…")]
        {
            assert_eq!(shortened(text.to_owned(), 3), cut, "{text}");
        }
    }
}
