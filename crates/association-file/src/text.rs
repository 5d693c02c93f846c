//! Limits text from outside to one line and to a maximum length.

pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Shortens the text to at most `bytes` bytes. An ellipsis marks the cut.
pub(crate) fn shortened(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
        // The text is stored for a long time, and may be a small part of a large allocation.
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
