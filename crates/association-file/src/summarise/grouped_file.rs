//! Reads the objects that grouping wrote for a file.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;

use queue_email_associator::index::{IndexList, PairIndex};
use queue_email_associator::pairs::Pairs;

use crate::error::FileError;
use crate::file;
use crate::invalid::InvalidRecord;
use crate::original::OriginalRows;
use crate::requests::{RequestContext, Requests};
use crate::step::FileCounts;

/// A grouped file. It is empty if grouping failed, because no calls were made then.
#[derive(Debug, Default)]
pub(crate) struct GroupedFile {
    pub(super) pairs: Pairs,
    /// For each pair, the line of the file that requests it first.
    pub(super) rows: IndexList<PairIndex, Option<u64>>,
    /// For each line of the file, its reference, if it has one.
    pub(super) references: HashMap<u64, Arc<str>>,
    pub(crate) invalid: Vec<InvalidRecord>,
    pub(super) table: Option<OriginalRows>,
    pub(super) counts: FileCounts,
}

impl GroupedFile {
    /// Reads the requests, the invalid records and the rows of a table.
    pub(crate) fn read(
        requests: &[u8],
        invalid: &[u8],
        table: Option<Vec<u8>>,
        counts: FileCounts,
        context: &RequestContext,
    ) -> Result<Self, FileError> {
        let lines = str::from_utf8(requests).map_err(|error| unreadable(&error))?;
        let requests = Requests::of_items(file::requests(lines.lines())?, context)
            .map_err(|problem| unreadable(&problem))?;
        let invalid = invalid.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        Ok(GroupedFile {
            rows: requests.first_mentions().iter().map(|mention| requests.row(mention.path)).collect(),
            references: requests.references(),
            pairs: requests.pairs,
            invalid: invalid
                .map(serde_json::from_slice)
                .collect::<Result<_, _>>()
                .map_err(|error| unreadable(&error))?,
            table: table.map(OriginalRows::new),
            counts,
        })
    }
}

fn unreadable(error: &dyn Display) -> FileError {
    FileError::InvalidFile(format!("what grouping stored cannot be read: {error}"))
}
