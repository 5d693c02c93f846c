//! A row that failed, as the summary shows it.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::reason::Reason;
use crate::cells::Cells;

/// One row that failed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FailedRow {
    #[serde(flatten)]
    pub(crate) cells: Cells,
    /// The line of the file, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) row: Option<u64>,
    /// The reference of the line, if the file has a column for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<Arc<str>>,
    /// The invalid part of a file of JSON. A pair that failed has none.
    #[serde(skip)]
    pub(super) request: Option<String>,
    /// The reason for the failure. All rows with the same reason share it.
    #[serde(flatten, serialize_with = "serialize_shared")]
    pub(crate) reason: Arc<Reason>,
}

impl FailedRow {
    pub(super) fn new(cells: Cells, row: Option<u64>, reason: Arc<Reason>) -> Self {
        FailedRow { cells, row, reference: None, request: None, reason }
    }
}

fn serialize_shared<S: Serializer>(reason: &Arc<Reason>, serializer: S) -> Result<S::Ok, S::Error> {
    reason.as_ref().serialize(serializer)
}
