//! A line of the Map's input, which is a request in short form for one queue.

use queue_email_associator::index::{IndexList, PairIndex};
use queue_email_associator::pairs::{Pair, RequestedQueue};
use queue_email_associator::writer::PairsEntry;
use serde::Serialize;

/// Maximum length of a line in bytes. A batch of the Map has at most 12,000 bytes, and its own fields need some of them.
pub(super) const MAX_LINE_BYTES: usize = 11_000;

/// A request for one queue. The function ignores `rows` and `references`, because a request has one reference.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line<'a> {
    #[serde(flatten)]
    entry: PairsEntry<'a>,
    /// For each address, the line of the file that requests it first.
    rows: Vec<u64>,
    /// The reference of all addresses, if it is the same for all. The function logs it with each of its pairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    /// The reference of each address, if they differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<Option<&'a str>>,
}

impl<'a> Line<'a> {
    /// Returns a line with some pairs of a queue, all given by identifier or all given by address.
    pub(super) fn new(
        queue: &'a RequestedQueue,
        numbers: &[PairIndex],
        pairs: &'a IndexList<PairIndex, Pair>,
        rows: &IndexList<PairIndex, (u64, Option<&'a str>)>,
    ) -> Self {
        let entry = PairsEntry::new(queue, numbers.iter().map(|number| &pairs[*number]));
        let (rows, mut references): (_, Vec<Option<&str>>) =
            numbers.iter().map(|number| rows[*number]).unzip();
        let reference = references.first().copied().flatten();
        if references.iter().any(|other| *other != reference) {
            return Line { entry, rows, reference: None, references };
        }
        references.clear();
        Line { entry, rows, reference, references }
    }

    /// Writes the line. Writes two halves if the line would be too long, because identifiers may have 500 characters. A
    /// single pair always fits, even if its names are written as escapes.
    pub(super) fn write(self, lines: &mut String) {
        // Writing a line to memory cannot fail.
        let text = serde_json::to_string(&self).unwrap_or_default();
        if text.len() <= MAX_LINE_BYTES || self.rows.len() < 2 {
            lines.push_str(&text);
            lines.push('\n');
            return;
        }
        let (first, second) = self.halves();
        first.write(lines);
        second.write(lines);
    }

    fn halves(mut self) -> (Self, Self) {
        let half = self.rows.len() / 2;
        let mut second = self.entry.clone();
        second.addresses = self.entry.addresses.split_off(half);
        let references = self.references.split_off(half.min(self.references.len()));
        let second = Line { entry: second, rows: self.rows.split_off(half), references, ..self };
        (self, second)
    }
}
