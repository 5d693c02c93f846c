//! One line: a request in short form, for one queue.

use queue_email_associator::pairs::{Named, Pair, RequestedQueue};
use serde::Serialize;

use super::{Lines, MAX_LINE_BYTES};
use crate::asked::DEFAULT_INSTANCE;

/// A request for one queue. The function passes over `rows`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_address_ids: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_addresses: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    /// For each address the line of the file that first asks for it.
    rows: Vec<u64>,
}

impl<'a> Line<'a> {
    /// A line of some pairs of a queue, given by their numbers; all named by identifier, or all by address.
    pub(super) fn new(
        queue: &'a RequestedQueue,
        numbers: &[usize],
        pairs: &'a [Pair],
        rows: &[u64],
        dry_run: bool,
    ) -> Self {
        let (mut ids, mut addresses) = (Vec::new(), Vec::new());
        for number in numbers {
            match pairs[*number].address() {
                Named::Id(id) => ids.push(&**id),
                Named::Name(address) => addresses.push(&**address),
            }
        }
        let (queue_id, queue_name) = match &queue.queue {
            Named::Id(id) => (Some(&**id), None),
            Named::Name(name) => (None, Some(&**name)),
        };
        Line {
            instance_id: Some(&*queue.instance).filter(|instance| *instance != DEFAULT_INSTANCE),
            queue_id,
            queue_name,
            email_address_ids: Some(ids).filter(|ids| !ids.is_empty()),
            email_addresses: Some(addresses).filter(|addresses| !addresses.is_empty()),
            dry_run,
            rows: numbers.iter().map(|number| rows[*number]).collect(),
        }
    }

    /// Writes the line, in halves where it would be too long: identifiers may have 500 characters. One pair alone always
    /// fits, with its names written as escapes too.
    pub(super) fn write(self, lines: &mut Lines) {
        // Nothing in a line can fail to be written.
        let text = serde_json::to_string(&self).unwrap_or_default();
        if text.len() <= MAX_LINE_BYTES || self.rows.len() < 2 {
            lines.push(&text);
            return;
        }
        let (first, second) = self.halves();
        first.write(lines);
        second.write(lines);
    }

    fn halves(mut self) -> (Self, Self) {
        let half = self.rows.len() / 2;
        let second = Line {
            email_address_ids: self.email_address_ids.as_mut().map(|ids| ids.split_off(half)),
            email_addresses: self.email_addresses.as_mut().map(|addresses| addresses.split_off(half)),
            rows: self.rows.split_off(half),
            ..self
        };
        (self, second)
    }
}
