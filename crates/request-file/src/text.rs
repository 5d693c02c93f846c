//! The text of a file, and the forms of files that are not text.

use std::fmt::Write;
use std::str;

use crate::Unusable;

/// Beginnings of files that are not text: the first bytes, the form of the file, and the remedy.
const FORMS: [(&[u8], &str, &str); 13] = [
    (b"\xff\xfe\0\0", "UTF-32 text", AS_UTF_8),
    (b"\xff\xfe", "UTF-16 text", AS_UTF_8),
    (b"\xfe\xff", "UTF-16 text", AS_UTF_8),
    (b"\x1f\x8b", "compressed with gzip", "unpack it first (gunzip)"),
    (b"BZh", "compressed with bzip2", "unpack it first (bunzip2)"),
    (b"\xfd7zXZ\0", "compressed with xz", "unpack it first (unxz)"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it first (unzstd)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"PK\x03\x04", "an Excel workbook (.xlsx) or another ZIP archive", AS_CSV),
    (b"PK\x05\x06", "an empty ZIP archive", AS_CSV),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)", AS_CSV),
    (b"%PDF", "a PDF document", AS_CSV),
    (b"{\\rtf", "a rich text document", "save it as plain text in UTF-8"),
];

const AS_UTF_8: &str = "save it as UTF-8 (in Excel: Save As, \"CSV UTF-8 (Comma delimited)\")";
const AS_CSV: &str = "open it in the spreadsheet and save it as \"CSV UTF-8 (Comma delimited)\"";

/// The number of bytes at the beginning that are searched for the zeros of UTF-16 without a byte-order mark.
const LOOKED_AT: usize = 64;

/// The text of a file. Programs on Windows begin it with a byte-order mark, and some programs put padding behind its
/// last row (Ctrl-Z, NUL). The text has neither.
///
/// # Errors
/// The file is not UTF-8 text. The error names the form that the first bytes show, or the first line with another
/// encoding.
pub fn text(bytes: &[u8]) -> Result<&str, Unusable> {
    if let Some((first, form, advice)) = FORMS.into_iter().find(|(first, ..)| bytes.starts_with(first)) {
        return Err(Unusable(format!(
            "the file is {form}: it begins with the bytes {}; {advice}",
            hex(first)
        )));
    }
    if is_utf_16(bytes) {
        let first = hex(&bytes[..bytes.len().min(4)]);
        return Err(Unusable(format!(
            "the file is UTF-16 text without a byte-order mark: it begins with the bytes {first}; {AS_UTF_8}"
        )));
    }
    let text = str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let line = crate::line_at(bytes, at);
        Unusable(format!("line {line} is not UTF-8 text: it holds the byte {:02x}; {AS_UTF_8}", bytes[at]))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let padded = text.ends_with(['\0', '\u{1a}']) || text.trim_end().ends_with(['\0', '\u{1a}']);
    Ok(if padded { text.trim_end_matches(['\0', '\u{1a}', '\r', '\n']) } else { text })
}

/// Whether every other byte of the beginning is zero, as it is in UTF-16 of Latin letters.
fn is_utf_16(bytes: &[u8]) -> bool {
    let looked_at = &bytes[..bytes.len().min(LOOKED_AT) & !1];
    let zeros = |offset: usize| looked_at.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let half = looked_at.len() / 2;
    half > 1 && ((zeros(0) == half && zeros(1) == 0) || (zeros(1) == half && zeros(0) == 0))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{}{byte:02x}", if text.is_empty() { "" } else { " " });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_padding_are_dropped() {
        assert_eq!(text(b"\xef\xbb\xbfqueueId\n"), Ok("queueId\n"));
        assert_eq!(text(b""), Ok(""));
        assert_eq!(text(b"a\r\nb\r\n\x1a"), Ok("a\r\nb"));
        assert_eq!(text(b"a\nb\n\x1a\r\n\0\0\0"), Ok("a\nb"));
        assert_eq!(text(b"a\x1ab\n"), Ok("a\x1ab\n"));
        assert_eq!(text(b"\0\0\0"), Ok(""));
    }

    #[test]
    fn first_bytes_name_a_foreign_file_form() {
        let table: [(&[u8], &str); 6] = [
            (
                b"\x1f\x8b\x08\0",
                "the file is compressed with gzip: it begins with the bytes 1f 8b; unpack it first",
            ),
            (b"\xff\xfeq\0u\0", "the file is UTF-16 text: it begins with the bytes ff fe; save it as UTF-8"),
            (b"\xff\xfe\0\0q\0\0\0", "the file is UTF-32 text: it begins with the bytes ff fe 00 00; save"),
            (
                b"q\0u\0e\0",
                "the file is UTF-16 text without a byte-order mark: it begins with the bytes 71 00 75 00;",
            ),
            (
                b"PK\x03\x04x",
                "the file is an Excel workbook (.xlsx) or another ZIP archive: it begins with the bytes",
            ),
            (
                b"queueId\nq\xe9\n",
                "line 2 is not UTF-8 text: it holds the byte e9; save it as UTF-8 (in Excel",
            ),
        ];
        for (bytes, problem) in table {
            let met = text(bytes).unwrap_err().to_string();
            assert!(met.starts_with(problem), "{met}");
        }
    }
}
