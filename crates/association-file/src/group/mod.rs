//! Groups the requests of a file into as few requests as possible. Each of them needs at most one call.
//!
//! A map splits its input into batches only by size, so rows of one queue that are far apart would each need a call.
//! Grouping turns them into lines of one queue and at most 50 addresses. A file has the sum over its queues of
//! ceil(addresses / 50) lines. Identifiers and addresses of a queue are on separate lines, because a request contains
//! only one of these kinds. Dry runs are on separate lines too.

mod line;
mod lines;

use queue_email_associator::associate::CHUNK;
use queue_email_associator::index::{Index, IndexList, PairIndex, QueueIndex, RequestIndex};
use queue_email_associator::requests::{Field, Invalid};
use request_file::Record;

use crate::error::FileError;
use crate::invalid::InvalidRecord;
use crate::original::OriginalRows;
use crate::requests::{Context, Requests, text_of};
use crate::{MAX_PAIRS, file};
use line::Line;
use lines::Lines;

pub use lines::MAX_LINE_BYTES;

/// A grouped file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// Association requests, one per line.
    pub lines: String,
    /// Number of lines.
    pub requests: usize,
    /// All invalid records, in the order of the file.
    pub invalid: Vec<InvalidRecord>,
    /// The rows of a table, as the object that stores them.
    pub table: Option<Vec<u8>>,
    /// Number of records in the file.
    pub rows: usize,
    /// Number of distinct pairs and invalid records.
    pub pairs: usize,
    /// Number of pairs that repeat an earlier one.
    pub repeated: usize,
    /// Number of distinct queue names and identifiers.
    pub queues: usize,
}

/// Groups a file. The extension of `key` determines the file's format.
///
/// Every distinct pair is on exactly one line. Queues keep the order of their first appearance in the file, and
/// addresses keep the file's order.
///
/// # Errors
/// [`FileError::InvalidFile`] if the file cannot be read, or if it requests more than [`MAX_PAIRS`].
pub fn group(key: &str, bytes: &[u8], context: &Context) -> Result<Grouping, FileError> {
    let file = file::read(key, bytes)?;
    let table = OriginalRows::object(&file);
    let rows = file.records.len();
    let valid: Vec<&Record> = file.records.iter().filter(|record| record.problem.is_none()).collect();
    let of_record = |record: &Record| Some(InvalidRecord::of_record(record, record.problem.as_deref()?));
    let mut invalid: Vec<InvalidRecord> = file.records.iter().filter_map(of_record).collect();
    let items = file::requests(valid.iter().map(|record| &*record.json))?;
    let requests = Requests::of_items(items, context)
        .map_err(|problem| FileError::InvalidFile(format!("{key}: {problem}")))?;
    let distinct = requests.distinct() + invalid.len();
    let in_all = distinct + requests.repeated();
    if in_all > MAX_PAIRS {
        return Err(FileError::InvalidFile(format!(
            "{key}: asks for {in_all} pairs; at most {MAX_PAIRS} are accepted in one file; divide it"
        )));
    }
    let lines = lines(&requests, |request| valid.get(request).map_or(0, |record| record.line));
    invalid.extend(invalid_parts(&requests, &valid));
    invalid.sort_by_key(|record| record.row);
    let (repeated, queues) = (requests.repeated(), requests.pairs.queues.len());
    Ok(Grouping {
        lines: lines.text,
        requests: lines.count,
        invalid,
        table,
        rows,
        pairs: distinct,
        repeated,
        queues,
    })
}

/// Returns all invalid parts of the records' requests.
fn invalid_parts(requests: &Requests<'_>, records: &[&Record]) -> Vec<InvalidRecord> {
    let of = |(request, invalid): &(RequestIndex, Invalid)| {
        let json = requests.request(request.get())?;
        Some(InvalidRecord::new(records.get(request.get())?, &invalid.message, json, invalid.path()))
    };
    requests.pairs.invalid.iter().filter_map(of).collect()
}

/// The pairs of one queue: those given by identifier, and those given by address.
type OfQueue = [Vec<PairIndex>; 2];

/// Returns the lines of all valid pairs.
fn lines(requests: &Requests<'_>, row: impl Fn(usize) -> u64) -> Lines {
    let mut lines = Lines::default();
    let pairs = &requests.pairs;
    let mut queues: IndexList<QueueIndex, OfQueue> =
        pairs.queues.iter().map(|_| OfQueue::default()).collect();
    for (number, pair) in pairs.pairs.indexed() {
        let by_name = pair.address().id().is_none();
        queues[pair.queue()][usize::from(by_name)].push(number);
    }
    // Items have the same numbers as records, and so do their requests.
    let reference = |request| text_of(requests.request(request)?, Field::Reference.name());
    let first_mentions = requests.first_mentions();
    let requests = first_mentions.iter().map(|mention| mention.request.get());
    let rows: IndexList<PairIndex, _> = requests.map(|request| (row(request), reference(request))).collect();
    for (queue, of_queue) in pairs.queues.iter().zip(&queues) {
        for chunk in of_queue.iter().flat_map(|kind| kind.chunks(CHUNK)) {
            Line::new(queue, chunk, &pairs.pairs, &rows).write(&mut lines);
        }
    }
    lines
}

#[cfg(test)]
mod tests;
