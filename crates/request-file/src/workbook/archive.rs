//! The entries of a ZIP archive (PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 4.3).
//!
//! A workbook is a small archive in memory, and everything that it declares may be wrong. Reading the few fields that are
//! needed keeps each of them checked where it is used.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::bufread::DeflateDecoder;

/// Maximum number of entries. The largest workbooks have a few hundred.
const MAX_ENTRIES: usize = 10_000;

const END: &[u8] = b"PK\x05\x06";
const ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL_HEADER: &[u8] = b"PK\x03\x04";

/// Lengths of these records without the parts of variable length.
const END_LENGTH: usize = 22;
const ENTRY_LENGTH: usize = 46;
const LOCAL_HEADER_LENGTH: usize = 30;

/// Maximum length of the comment after the end record.
const MAX_COMMENT: usize = 65_535;

/// An archive, by its central directory.
#[derive(Debug)]
pub(super) struct Archive<'b> {
    bytes: &'b [u8],
    entries: BTreeMap<String, ArchiveEntry>,
}

#[derive(Debug, Clone, Copy)]
struct ArchiveEntry {
    is_encrypted: bool,
    method: u16,
    checksum: u32,
    packed_size: u64,
    size: u64,
    offset: u64,
}

pub(super) struct PackedContent<'b> {
    pub(super) unpacked: Box<dyn Read + 'b>,
    /// The size that the directory declares, in bytes.
    pub(super) size: u64,
    /// CRC-32 of the unpacked content.
    pub(super) checksum: u32,
}

impl<'b> Archive<'b> {
    /// Reads the central directory. Returns a phrase if it is missing, damaged, or has too many entries or one name
    /// twice.
    pub(super) fn open(bytes: &'b [u8]) -> Result<Self, String> {
        let end = end_record(bytes).ok_or("the directory of its archive is missing")?;
        let count = usize::from(number_16(end, 10).unwrap_or_default());
        if count > MAX_ENTRIES {
            return Err(format!("it has more than {MAX_ENTRIES} parts"));
        }
        let damaged = || "the directory of its archive is damaged".to_owned();
        let start = number_32(end, 16).and_then(|offset| usize::try_from(offset).ok()).ok_or_else(damaged)?;
        let mut rest = bytes.get(start..).ok_or_else(damaged)?;
        let mut entries = BTreeMap::new();
        for _ in 0..count {
            let (name, entry, length) = entry(rest).ok_or_else(damaged)?;
            rest = &rest[length..];
            if entries.insert(name, entry).is_some() {
                return Err("it has two parts with one name".to_owned());
            }
        }
        Ok(Archive { bytes, entries })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Starts to unpack an entry. Returns a phrase if it is missing, encrypted, outside the archive, or packed in another
    /// way than spreadsheets do.
    pub(super) fn content(&self, name: &str) -> Result<PackedContent<'b>, &'static str> {
        let entry = self.entries.get(name).ok_or("it is missing")?;
        if entry.is_encrypted {
            return Err("it is encrypted");
        }
        let packed = self.packed(entry).ok_or("it is outside the archive")?;
        let unpacked: Box<dyn Read + 'b> = match entry.method {
            0 => Box::new(packed),
            8 => Box::new(DeflateDecoder::new(packed)),
            _ => return Err("it is packed in an unknown way"),
        };
        Ok(PackedContent { unpacked, size: entry.size, checksum: entry.checksum })
    }

    fn packed(&self, entry: &ArchiveEntry) -> Option<&'b [u8]> {
        let header = self.bytes.get(usize::try_from(entry.offset).ok()?..)?;
        let lengths = usize::from(number_16(header, 26)?) + usize::from(number_16(header, 28)?);
        let packed =
            header.strip_prefix(LOCAL_HEADER)?.get(LOCAL_HEADER_LENGTH - LOCAL_HEADER.len() + lengths..)?;
        packed.get(..usize::try_from(entry.packed_size).ok()?)
    }
}

/// Returns the last record of the archive, which a comment may follow.
fn end_record(bytes: &[u8]) -> Option<&[u8]> {
    let last = bytes.len().checked_sub(END_LENGTH)?;
    (last.saturating_sub(MAX_COMMENT)..=last).rev().find_map(|start| {
        let record = &bytes[start..];
        let is_end = record.starts_with(END)
            && number_16(record, 20).is_some_and(|comment| record.len() == END_LENGTH + usize::from(comment));
        is_end.then_some(record)
    })
}

/// Reads the entry at the start of the bytes, with its name and its length in the directory.
fn entry(bytes: &[u8]) -> Option<(String, ArchiveEntry, usize)> {
    bytes.strip_prefix(ENTRY)?;
    let length = |at| number_16(bytes, at).map(usize::from);
    let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
    let end = ENTRY_LENGTH + name + extra + comment;
    let name_bytes = bytes.get(ENTRY_LENGTH..ENTRY_LENGTH + name)?;
    let mut large =
        large_numbers(bytes.get(ENTRY_LENGTH + name..ENTRY_LENGTH + name + extra)?).chunks_exact(8);
    // A number that does not fit is in the extra field, where these numbers have this order.
    let mut number = |at| match number_32(bytes, at)? {
        u32::MAX => large.next()?.try_into().ok().map(u64::from_le_bytes),
        small => Some(u64::from(small)),
    };
    let size = number(24)?;
    let packed_size = number(20)?;
    let offset = number(42)?;
    let entry = ArchiveEntry {
        is_encrypted: number_16(bytes, 8)? & 1 == 1,
        method: number_16(bytes, 10)?,
        checksum: number_32(bytes, 16)?,
        packed_size,
        size,
        offset,
    };
    bytes.get(..end)?;
    Some((String::from_utf8_lossy(name_bytes).into_owned(), entry, end))
}

/// Returns the 64-bit numbers of an entry's extra field (4.5.3).
fn large_numbers(mut extra: &[u8]) -> &[u8] {
    while let (Some(kind), Some(length)) = (number_16(extra, 0), number_16(extra, 2)) {
        let Some(content) = extra.get(4..4 + usize::from(length)) else { break };
        if kind == 1 {
            return content;
        }
        extra = &extra[4 + content.len()..];
    }
    &[]
}

fn number_16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn number_32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}
