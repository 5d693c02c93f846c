//! Writes pairs as a CSV file that can be read again as a file of requests.

use csv::Writer;
use queue_email_associator::requests::Field;
use request_file::written;

use crate::cells::Cells;

/// Without a byte-order mark, Excel does not read the file as UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A CSV file that is written row by row.
pub(super) struct Rows {
    writer: Writer<Vec<u8>>,
}

impl Rows {
    /// Returns a file with some columns before and after the columns of a pair.
    pub(super) fn new(first: &[&str], last: &[&str]) -> Self {
        let mut writer = Writer::from_writer(BYTE_ORDER_MARK.to_vec());
        let pair =
            [Field::InstanceId, Field::QueueId, Field::QueueName, Field::EmailAddressId, Field::EmailAddress];
        let pair = pair.map(Field::name);
        // Writing to memory cannot fail.
        let _ = writer.write_record(first.iter().chain(&pair).chain(last));
        Rows { writer }
    }

    /// Adds a row. The first cells are written unchanged.
    pub(super) fn push(&mut self, first: &[&str], cells: &Cells, last: &[&str]) {
        let Cells { instance_id, queue_id, queue_name, email_address_id, email_address } = cells;
        let pair = [&**instance_id, queue_id, queue_name, email_address_id, email_address];
        let first = first.iter().map(|cell| (*cell).to_owned());
        let _ = self.writer.write_record(first.chain(pair.iter().chain(last).map(|cell| written(cell))));
    }

    /// Returns the bytes of the file.
    pub(super) fn finish(self) -> Vec<u8> {
        self.writer.into_inner().unwrap_or_default()
    }
}
