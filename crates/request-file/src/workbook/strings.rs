//! The texts that the cells of an Office Open XML workbook share.

use std::io::BufRead;

use super::xml::{Node, Xml};
use crate::UnreadableFile;

/// The shared texts, in one string, because a workbook may have very many short ones.
#[derive(Debug, Default)]
pub(super) struct SharedStrings {
    text: String,
    /// For each text, its end in the string.
    ends: Vec<u32>,
}

impl SharedStrings {
    pub(super) fn read<R: BufRead>(xml: &mut Xml<R>) -> Result<Self, UnreadableFile> {
        let mut strings = SharedStrings::default();
        loop {
            match xml.next()? {
                Node::Start(element) if element.name() == "si" => {}
                Node::Eof => return Ok(strings),
                _ => continue,
            }
            // A reading aid for Japanese text is not a part of it.
            strings.text.push_str(&decoded(xml.text("rPh")?));
            // Unpacked parts are much smaller than 4 GiB.
            strings.ends.push(u32::try_from(strings.text.len()).unwrap_or(u32::MAX));
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |previous| self.ends[previous]);
        self.text.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }
}

/// Returns a text in which `_x000D_` stands for the character with that code (ECMA-376, part 1, 22.9.2.19).
pub(super) fn decoded(text: String) -> String {
    const LENGTH: usize = "_x000D_".len();
    if !text.contains("_x") {
        return text;
    }
    let code = |at: usize| {
        let escape = text.get(at..at + LENGTH)?;
        let digits = escape.strip_prefix("_x")?.strip_suffix('_')?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
    };
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) {
        if let Some(code) = code(at) {
            units.push(code);
            at += LENGTH;
        } else {
            units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
            at += character.len_utf8();
        }
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_characters_are_decoded() {
        for (text, expected) in [
            ("a_b", "a_b"),
            ("a_x000D_b", "a\rb"),
            ("_x005F_x000D_", "_x000D_"),
            ("_xD83D__xDE00_", "😀"),
            ("_x00_ü_xZZZZ_", "_x00_ü_xZZZZ_"),
        ] {
            assert_eq!(decoded(text.to_owned()), expected);
        }
    }

    #[test]
    fn texts_keep_their_indexes() {
        let part = "<sst uniqueCount='99999999999'><si/><si><t>a &amp;</t></si>\
                    <si><r><t>b</t></r><r><t>c</t></r><rPh><t>x</t></rPh></si></sst>";
        let strings = SharedStrings::read(&mut Xml::new(part.as_bytes(), "part")).unwrap();
        let texts: Vec<_> = (0..4).map(|index| strings.get(index)).collect();
        assert_eq!(texts, [Some(""), Some("a &"), Some("bc"), None]);
    }
}
