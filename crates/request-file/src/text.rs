//! Decodes the text of a file, and recognises files that are not text.

use std::borrow::Cow;
use std::str;

use crate::UnreadableFile;
use crate::line_numbers::line_at;

/// First bytes of files that are not UTF-8 or UTF-16 text: the bytes, the format of the file, and what to do.
const OTHER_FORMATS: [(&[u8], &str, &str); 11] = [
    (b"\xff\xfe\0\0", "UTF-32 text", AS_UTF_8),
    (b"\x1f\x8b", "compressed with gzip", "unpack it first (gunzip)"),
    (b"BZh", "compressed with bzip2", "unpack it first (bunzip2)"),
    (b"\xfd7zXZ\0", "compressed with xz", "unpack it first (unxz)"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it first (unzstd)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (
        b"PK\x03\x04",
        "a workbook or another ZIP archive",
        "if it is a workbook, rename it so that it ends in .xlsx or .ods",
    ),
    (b"PK\x05\x06", "an empty ZIP archive", "expected a file with pairs"),
    (
        b"\xd0\xcf\x11\xe0",
        "an old Excel workbook (.xls), or one with a password",
        "save it as .xlsx, without a password",
    ),
    (b"%PDF", "a PDF document", "expected a workbook, CSV or JSON"),
    (b"{\\rtf", "a rich text document", "save it as plain text in UTF-8"),
];

const AS_UTF_8: &str = "save it as UTF-8 (in Excel: Save As, \"CSV UTF-8\") or as a workbook (.xlsx)";

/// Number of bytes at the start in which to look for the zeros of UTF-16 without a byte-order mark.
const SEARCHED: usize = 64;

/// Returns the text of a file: UTF-8 with or without a byte-order mark, or UTF-16 with one. The text does not contain the
/// mark, nor the padding that some programs write after the last row (Ctrl-Z, NUL).
///
/// # Errors
/// The file has another format, which its first bytes show, or another encoding.
pub fn text(bytes: &[u8]) -> Result<Cow<'_, str>, UnreadableFile> {
    if let Some((first, format, advice)) =
        OTHER_FORMATS.into_iter().find(|(first, ..)| bytes.starts_with(first))
    {
        return Err(UnreadableFile(format!(
            "the file is {format}: it starts with the bytes {}; {advice}",
            hex(first)
        )));
    }
    let mut text = match bytes {
        [0xff, 0xfe, units @ ..] => utf_16(units, u16::from_le_bytes)?,
        [0xfe, 0xff, units @ ..] => utf_16(units, u16::from_be_bytes)?,
        _ => return utf_8(bytes).map(|text| without_padding(text).into()),
    };
    text.truncate(without_padding(&text).len());
    Ok(text.into())
}

fn utf_8(bytes: &[u8]) -> Result<&str, UnreadableFile> {
    if is_utf_16(bytes) {
        let first = hex(&bytes[..bytes.len().min(4)]);
        return Err(UnreadableFile(format!(
            "the file is UTF-16 text without a byte-order mark: it starts with the bytes {first}; {AS_UTF_8}"
        )));
    }
    let text = str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let line = line_at(bytes, at);
        UnreadableFile(format!(
            "line {line} is not UTF-8 text: it contains the byte 0x{:02X}; {AS_UTF_8}",
            bytes[at]
        ))
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, UnreadableFile> {
    let (units, rest) = bytes.as_chunks::<2>();
    let text: Option<String> =
        char::decode_utf16(units.iter().map(|bytes| unit(*bytes))).map(Result::ok).collect();
    let broken = || UnreadableFile(format!("the file is UTF-16 text that is damaged or cut off; {AS_UTF_8}"));
    text.filter(|_| rest.is_empty()).ok_or_else(broken)
}

fn without_padding(text: &str) -> &str {
    let padded = text.ends_with(['\0', '\u{1a}']) || text.trim_end().ends_with(['\0', '\u{1a}']);
    if padded { text.trim_end_matches(['\0', '\u{1a}', '\r', '\n']) } else { text }
}

/// Whether every other byte at the start is zero, as in UTF-16 of Latin letters.
fn is_utf_16(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(SEARCHED) & !1];
    let zeros = |offset: usize| start.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let half = start.len() / 2;
    half > 1 && ((zeros(0) == half && zeros(1) == 0) || (zeros(1) == half && zeros(0) == 0))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> String {
        text(bytes).unwrap().into_owned()
    }

    #[test]
    fn marks_and_padding_are_dropped() {
        for (bytes, expected) in [
            (&b"\xef\xbb\xbfqueueId\n"[..], "queueId\n"),
            (b"", ""),
            (b"a\r\nb\r\n\x1a", "a\r\nb"),
            (b"a\nb\n\x1a\r\n\0\0\0", "a\nb"),
            (b"a\x1ab\n", "a\x1ab\n"),
            (b"\0\0\0", ""),
        ] {
            assert_eq!(read(bytes), expected);
        }
    }

    #[test]
    fn utf_16_with_a_mark_is_text() {
        let units: Vec<u16> = "\u{feff}Łódź 😀\r\n\u{1a}".encode_utf16().collect();
        for unit in [u16::to_le_bytes, u16::to_be_bytes] {
            let bytes: Vec<u8> = units.iter().flat_map(|one| unit(*one)).collect();
            assert_eq!(read(&bytes), "Łódź 😀");
            let cut_off = text(&bytes[..bytes.len() - 1]).unwrap_err().to_string();
            assert!(cut_off.starts_with("the file is UTF-16 text that is damaged or cut off"), "{cut_off}");
        }
        let lone_surrogate = text(b"\xff\xfe\x3c\xd8\x41\0").unwrap_err().to_string();
        assert!(lone_surrogate.starts_with("the file is UTF-16 text that is damaged"), "{lone_surrogate}");
    }
}
