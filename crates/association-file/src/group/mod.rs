//! Grouping: the requests of a file, in any order, as few requests that each fill one call.
//!
//! A map's batches are cut by size alone, so rows of one queue that are far apart would come to as many calls. Here
//! they become lines of one queue and at most 50 addresses: the sum over queues of ceil(addresses / 50) lines.
//! Identifiers and addresses of a queue make lines of their own, since a request names either; so do dry runs.

mod invalid;
mod line;

use queue_email_associator::pairs::Named;
use queue_email_associator::plan::CHUNK;

use crate::asked::{Asked, Context};
use crate::error::FileError;
use crate::file::{self, MAX_ASKED};
use line::Line;

/// The longest line, in bytes. A batch of the map holds 12,000, and has some bytes of its own.
pub const MAX_LINE_BYTES: usize = 11_000;

/// A file, grouped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// Association requests, one a line.
    pub lines: String,
    /// Lines.
    pub requests: usize,
    /// Records of the file.
    pub rows: usize,
    /// Different associations asked for, and everything invalid.
    pub pairs: usize,
    /// How often an association was asked for again.
    pub repeated: usize,
    /// Different queues, as they are named.
    pub queues: usize,
}

/// Groups a file; `key` says by its ending what it holds.
///
/// Every different association stands in exactly one line, queues in the order in which the file first names them and
/// addresses in its order; then what is invalid, as it stands in the file.
///
/// # Errors
/// [`FileError::InvalidFile`]: it cannot be read, it asks for more than [`MAX_ASKED`], or one record is too long.
pub fn group(key: &str, bytes: &[u8], context: &Context) -> Result<Grouping, FileError> {
    let records = file::records(key, bytes)?;
    let items = file::requests(key, &records)?;
    let asked = Asked::of_items(items, context)
        .map_err(|problem| FileError::InvalidFile(format!("{key}: {problem}")))?;
    let in_all = asked.distinct() + asked.repeated();
    if in_all > MAX_ASKED {
        return Err(FileError::InvalidFile(format!(
            "{key}: asks for {in_all} associations; at most {MAX_ASKED} are accepted in one file"
        )));
    }
    let row = |request: usize| records.get(request).map_or(0, |record| record.line);
    let mut lines = Lines { key, text: String::new(), count: 0 };
    write_valid(&asked, row, &mut lines)?;
    invalid::write(&asked, row, &mut lines)?;
    Ok(Grouping {
        lines: lines.text,
        requests: lines.count,
        rows: records.len(),
        pairs: asked.distinct(),
        repeated: asked.repeated(),
        queues: asked.pairs.queues.len(),
    })
}

/// The lines that are written.
struct Lines<'a> {
    key: &'a str,
    text: String,
    count: usize,
}

impl Lines<'_> {
    fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        self.count += 1;
    }

    fn too_long(&self, row: u64, what: &str) -> FileError {
        FileError::InvalidFile(format!(
            "{}: line {row} makes a request of more than {MAX_LINE_BYTES} bytes, {what}",
            self.key
        ))
    }
}

/// Lines of one kind for one queue: the pairs, by their number.
#[derive(Default)]
struct OfQueue {
    kinds: [Vec<usize>; 4],
}

impl OfQueue {
    /// The pairs of a kind: named by identifier or by address, live or dry.
    fn of(&mut self, by_id: bool, dry_run: bool) -> &mut Vec<usize> {
        &mut self.kinds[usize::from(!by_id) + 2 * usize::from(dry_run)]
    }
}

fn write_valid(
    asked: &Asked<'_>,
    row: impl Fn(usize) -> u64,
    lines: &mut Lines<'_>,
) -> Result<(), FileError> {
    let pairs = &asked.pairs;
    let mut queues: Vec<OfQueue> = pairs.queues.iter().map(|_| OfQueue::default()).collect();
    let dry_runs = asked.dry_runs();
    for (number, (pair, dry_run)) in pairs.pairs.iter().zip(&dry_runs).enumerate() {
        queues[pair.queue()].of(matches!(pair.address(), Named::Id(_)), *dry_run).push(number);
    }
    // Items are numbered as records are, and so are their requests.
    let rows: Vec<u64> = asked.first_asks().iter().map(|ask| row(ask.request())).collect();
    for (queue, of_queue) in pairs.queues.iter().zip(&queues) {
        for chunk in of_queue.kinds.iter().flat_map(|kind| kind.chunks(CHUNK)) {
            let line = Line::new(queue, chunk, &pairs.pairs, &rows, dry_runs[chunk[0]]);
            line.write(lines)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
