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
use crate::invalid::{InvalidRecord, MAX_INVALID_BYTES};
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
    /// All invalid records, one per line, in the order of the file.
    pub(crate) invalid: String,
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
/// [`FileError::InvalidFile`] if the file cannot be read, if it requests more than [`MAX_PAIRS`], or if its invalid records
/// take more than [`MAX_INVALID_BYTES`].
pub(crate) fn group(key: &str, bytes: &[u8], context: &RequestContext) -> Result<Grouping, FileError> {
    let file = file::read(key, bytes)?;
    let valid: Vec<&Record> = file.records.iter().filter(|record| record.problem.is_none()).collect();
    let items = file::requests(valid.iter().map(|record| &*record.json))?;
    let requests = Requests::of_items(items, context)
        .map_err(|problem| FileError::InvalidFile(format!("{key}: {problem}")))?;
    let counts = FileCounts {
        rows: file.records.len(),
        pairs: requests.distinct() + file.records.len() - valid.len(),
        repeated: requests.repeated(),
        queues: requests.pairs.queues.len(),
    };
    let requested = counts.pairs + counts.repeated;
    if requested > MAX_PAIRS {
        return Err(FileError::InvalidFile(format!(
            "{key}: the file has {requested} pairs; the limit is {MAX_PAIRS}; split the file"
        )));
    }
    let invalid = invalid_records(key, &file.records, &requests)?;
    let lines = lines(&requests, &valid);
    let requests = lines.matches('\n').count();
    Ok(Grouping { lines, requests, invalid, table: OriginalRows::write(&file), counts })
}

/// Writes the invalid records of a file. They are not collected first, because each may have a long text.
///
/// # Errors
/// [`FileError::InvalidFile`] if they take more than [`MAX_INVALID_BYTES`].
fn invalid_records(key: &str, records: &[Record], requests: &Requests<'_>) -> Result<String, FileError> {
    let mut lines = String::new();
    let mut push = |invalid: InvalidRecord| {
        // Writing a record to memory cannot fail.
        lines += &serde_json::to_string(&invalid).unwrap_or_default();
        lines.push('\n');
        if lines.len() <= MAX_INVALID_BYTES {
            return Ok(());
        }
        let InvalidRecord { row, message, .. } = invalid;
        Err(FileError::InvalidFile(format!(
            "{key}: the invalid parts and their reasons take more than {} MiB; correct the file, for example line {row}: \
             {message}",
            MAX_INVALID_BYTES >> 20
        )))
    };
    let mut parts = requests.pairs.invalid.iter().peekable();
    // A valid record has the same number as its item, and as the request of the item.
    let mut number = 0;
    for record in records {
        if let Some(problem) = &record.problem {
            push(InvalidRecord::of_record(record, problem))?;
            continue;
        }
        while let Some((_, part)) = parts.next_if(|(request, _)| request.get() == number) {
            if let Some(json) = requests.request(number) {
                push(InvalidRecord::new(record, &part.message, json, part.path()))?;
            }
        }
        number += 1;
    }
    Ok(lines)
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
