//! The parts of a workbook, unpacked within limits.

use std::cell::Cell;
use std::io::{BufReader, ErrorKind, Read};

use flate2::Crc;

use super::archive::{Archive, PackedContent};
use super::xml::Xml;
use crate::UnreadableFile;

/// Maximum number of bytes to which the parts of a workbook that are read may unpack: 256 MiB.
pub(super) const MAX_UNPACKED_BYTES: u64 = 256 << 20;

pub(super) struct Package<'b> {
    archive: Archive<'b>,
    /// Number of bytes that may still be unpacked.
    left: Cell<u64>,
}

/// One part of a package, as it is unpacked.
pub(super) type PartReader<'p> = Xml<BufReader<UnpackedPart<'p>>>;

impl<'b> Package<'b> {
    /// Opens an archive. `limit` is the maximum number of bytes to which its parts may unpack.
    pub(super) fn open(bytes: &'b [u8], limit: u64) -> Result<Self, UnreadableFile> {
        if !bytes.starts_with(b"PK") {
            // Text and old workbooks have better explanations.
            crate::text(bytes)?;
            return Err(UnreadableFile(
                "the file is text, not a workbook: expected a ZIP archive with sheets; if it is CSV, rename it so that it ends in .csv".to_owned(),
            ));
        }
        let archive = Archive::open(bytes).map_err(|problem| damaged("the file", &problem))?;
        Ok(Package { archive, left: Cell::new(limit) })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.archive.has(name)
    }

    /// Starts to read a part. Fails if it is missing, encrypted, or larger than what is left of the limit.
    pub(super) fn part(&self, name: &str) -> Result<PartReader<'_>, UnreadableFile> {
        let content = self.archive.content(name).map_err(|problem| damaged(name, &problem))?;
        if content.size > self.left.get() {
            return Err(too_large());
        }
        // The declared size may be wrong, so the bytes are counted too.
        let unpacked = UnpackedPart { content, read: Crc::new(), left: &self.left };
        Ok(Xml::new(BufReader::new(unpacked), name))
    }
}

/// A part that is unpacked. Reading fails when it is larger than the limit, and at its end if its checksum is wrong.
pub(super) struct UnpackedPart<'p> {
    content: PackedContent<'p>,
    read: Crc,
    left: &'p Cell<u64>,
}

impl Read for UnpackedPart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.content.unpacked.read(buffer)?;
        let left = self.left.get().checked_sub(read as u64).ok_or(ErrorKind::FileTooLarge)?;
        self.left.set(left);
        self.read.update(&buffer[..read]);
        if read == 0 && !buffer.is_empty() && self.read.sum() != self.content.checksum {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(read)
    }
}

/// Describes a workbook that unpacks to more than the limit.
pub(super) fn too_large() -> UnreadableFile {
    UnreadableFile(format!(
        "the workbook is larger than {MAX_UNPACKED_BYTES} bytes when it is unpacked: expected at most that; save its list \
         of pairs as a new workbook or as CSV"
    ))
}

/// Describes a workbook whose part cannot be read.
pub(super) fn damaged(part: &str, problem: &dyn std::fmt::Display) -> UnreadableFile {
    const SHOWN: usize = 100;
    let part: String = part.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    UnreadableFile(format!(
        "the workbook is damaged or has a password ({part}: {problem}): expected a workbook that opens without a \
         password; open it in a spreadsheet and save it again"
    ))
}
