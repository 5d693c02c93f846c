//! Grouping: the requests of a file, in any order, as few requests that each fill one call.
//!
//! A map cuts its batches by size alone, so rows of one queue that are far apart would each need a call. Grouping turns
//! them into lines of one queue and at most 50 addresses. A file has the sum over its queues of ceil(addresses / 50)
//! lines. Identifiers and addresses of a queue make lines of their own, because a request names either. So do dry runs.

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

/// A file, grouped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// Association requests, one a line.
    pub lines: String,
    /// Lines.
    pub requests: usize,
    /// Everything invalid, in the order of the file.
    pub invalid: Vec<InvalidRecord>,
    /// The rows of a table, as the object that stores them.
    pub table: Option<Vec<u8>>,
    /// Records of the file.
    pub rows: usize,
    /// Distinct pairs, and everything invalid.
    pub pairs: usize,
    /// Number of pairs that repeat an earlier one.
    pub repeated: usize,
    /// Different queues, as they are named.
    pub queues: usize,
}

/// Groups a file. The ending of `key` tells the file's form.
///
/// Every distinct pair stands in exactly one line. Queues keep the order in which the file first names them,
/// and addresses keep the file's order.
///
/// # Errors
/// [`FileError::InvalidFile`] if the file cannot be read, or asks for more than [`MAX_PAIRS`].
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

/// Returns everything invalid in the requests of records.
fn invalid_parts(requests: &Requests<'_>, records: &[&Record]) -> Vec<InvalidRecord> {
    let of = |(request, invalid): &(RequestIndex, Invalid)| {
        let json = requests.request(request.get())?;
        Some(InvalidRecord::new(records.get(request.get())?, &invalid.message, json, invalid.path()))
    };
    requests.pairs.invalid.iter().filter_map(of).collect()
}

/// The pairs of one queue: those given by identifier, and those given by address.
type OfQueue = [Vec<PairIndex>; 2];

/// The lines of all valid pairs.
fn lines(requests: &Requests<'_>, row: impl Fn(usize) -> u64) -> Lines {
    let mut lines = Lines::default();
    let pairs = &requests.pairs;
    let mut queues: IndexList<QueueIndex, OfQueue> =
        pairs.queues.iter().map(|_| OfQueue::default()).collect();
    for (number, pair) in pairs.pairs.indexed() {
        let by_name = pair.address().id().is_none();
        queues[pair.queue()][usize::from(by_name)].push(number);
    }
    // Items are numbered as records are, and so are their requests.
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
