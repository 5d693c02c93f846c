//! Groups the requests of a file into as few requests as possible. Each of them needs at most one call.
//!
//! A Map splits its input into batches only by size, so rows of one queue that are far apart would each need a call.
//! Grouping turns them into lines of one queue and at most 50 addresses. A file has the sum over its queues of
//! ceil(addresses / 50) lines. Identifiers and addresses of a queue are on separate lines, because a request contains
//! only one of these kinds.

mod line;

use queue_email_associator::associate::CHUNK;
use queue_email_associator::index::{Index, IndexList, PairIndex, QueueIndex};
use queue_email_associator::requests::Field;
use request_file::{MAX_PAIRS, Record};

use crate::error::FileError;
use crate::file;
use crate::invalid::InvalidRecord;
use crate::original::OriginalRows;
use crate::requests::{RequestContext, Requests, text_of};
use crate::step::FileCounts;
use line::Line;

/// A grouped file.
#[derive(Debug)]
pub(crate) struct Grouping {
    /// Association requests, one per line.
    pub(crate) lines: String,
    /// Number of lines.
    pub(crate) requests: usize,
    /// All invalid records, in the order of the file.
    pub(crate) invalid: Vec<InvalidRecord>,
    /// The rows of a table, as the object that stores them.
    pub(crate) table: Option<Vec<u8>>,
    pub(crate) counts: FileCounts,
}

/// Groups a file. The extension of `key` determines the file's format.
///
/// Every distinct pair is on exactly one line. Queues keep the order of their first appearance in the file, and
/// addresses keep the file's order.
///
/// # Errors
/// [`FileError::InvalidFile`] if the file cannot be read, or if it requests more than [`MAX_PAIRS`].
pub(crate) fn group(key: &str, bytes: &[u8], context: &RequestContext) -> Result<Grouping, FileError> {
    let file = file::read(key, bytes)?;
    let of_record = |record: &Record| Some(InvalidRecord::of_record(record, record.problem.as_deref()?));
    let mut invalid: Vec<InvalidRecord> = file.records.iter().filter_map(of_record).collect();
    let valid: Vec<&Record> = file.records.iter().filter(|record| record.problem.is_none()).collect();
    let items = file::requests(valid.iter().map(|record| &*record.json))?;
    let requests = Requests::of_items(items, context)
        .map_err(|problem| FileError::InvalidFile(format!("{key}: {problem}")))?;
    let counts = FileCounts {
        rows: file.records.len(),
        pairs: requests.distinct() + invalid.len(),
        repeated: requests.repeated(),
        queues: requests.pairs.queues.len(),
    };
    let requested = counts.pairs + counts.repeated;
    if requested > MAX_PAIRS {
        return Err(FileError::InvalidFile(format!(
            "{key}: the file has {requested} pairs; the limit is {MAX_PAIRS}; split the file"
        )));
    }
    for (request, part) in &requests.pairs.invalid {
        // Items have the same numbers as records, and so do their requests.
        if let Some((record, json)) = valid.get(request.get()).zip(requests.request(request.get())) {
            invalid.push(InvalidRecord::new(record, &part.message, json, part.path()));
        }
    }
    invalid.sort_by_key(|record| record.row);
    let lines = lines(&requests, &valid);
    let requests = lines.matches('\n').count();
    Ok(Grouping { lines, requests, invalid, table: OriginalRows::write(&file), counts })
}

/// Returns the lines of all valid pairs.
fn lines(requests: &Requests<'_>, records: &[&Record]) -> String {
    let pairs = &requests.pairs;
    let mut by_id: IndexList<QueueIndex, Vec<PairIndex>> = vec![Vec::new(); pairs.queues.len()].into();
    let mut by_address = by_id.clone();
    for (number, pair) in pairs.pairs.indexed() {
        let kind = if pair.address().id().is_some() { &mut by_id } else { &mut by_address };
        kind[pair.queue()].push(number);
    }
    let mentions = requests.first_mentions();
    let rows: IndexList<PairIndex, _> = mentions
        .iter()
        .map(|mention| {
            let request = mention.request.get();
            let reference = requests.request(request).and_then(|json| text_of(json, Field::Reference.name()));
            (records.get(request).map_or(0, |record| record.line), reference)
        })
        .collect();
    let mut lines = String::new();
    for (number, queue) in pairs.queues.indexed() {
        for chunk in by_id[number].chunks(CHUNK).chain(by_address[number].chunks(CHUNK)) {
            Line::new(queue, chunk, &pairs.pairs, &rows).write(&mut lines);
        }
    }
    lines
}

#[cfg(test)]
mod tests;
