//! Rows: a CSV file of pairs that can be read again as a file of requests.

use csv::Writer;
use queue_email_associator::requests::Field;
use request_file::written;

use crate::cells::Cells;

/// A CSV file that grows by a row at a time. It begins with a byte-order mark, without which Excel takes UTF-8 for
/// another encoding.
pub(super) struct Rows {
    writer: Writer<Vec<u8>>,
    has_references: bool,
}

impl Rows {
    /// A file with the columns of a pair, the line of the file, and more columns behind it.
    pub(super) fn begin(more: &[&str], has_references: bool) -> Self {
        let mut writer = Writer::from_writer("\u{feff}".as_bytes().to_vec());
        let columns = [
            Field::InstanceId.name(),
            Field::QueueId.name(),
            Field::QueueName.name(),
            Field::EmailAddressId.name(),
            Field::EmailAddress.name(),
            "row",
        ];
        let reference = has_references.then_some(Field::Reference.name());
        // Writing to memory cannot fail.
        let _ = writer.write_record(columns.iter().chain(more).copied().chain(reference));
        Rows { writer, has_references }
    }

    /// Adds a row.
    ///
    /// Line ends in a cell become spaces: no name of a queue or address has one, and reading takes it for a quote that
    /// was not closed.
    pub(super) fn push(&mut self, cells: &Cells, row: Option<u64>, more: &[&str], reference: Option<&str>) {
        let row = row.map(|row| row.to_string()).unwrap_or_default();
        let cells = [
            &*cells.instance_id,
            &cells.queue_id,
            &cells.queue_name,
            &cells.email_address_id,
            &cells.email_address,
            &row,
        ];
        let reference = self.has_references.then(|| reference.unwrap_or_default());
        let cells = cells.iter().chain(more).copied().chain(reference);
        let _ = self.writer.write_record(cells.map(written));
    }

    /// The bytes of the file.
    pub(super) fn finish(self) -> Vec<u8> {
        self.writer.into_inner().unwrap_or_default()
    }
}
