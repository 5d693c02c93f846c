//! Stops an invocation whose credentials no longer work.

use crate::connect::Rejection;

/// Rejections of the credentials in a row after which the invocation makes no more calls. A single one may be an
/// accident.
const REJECTIONS_TO_STOP: u32 = 2;

/// Whether the API accepts the credentials of an invocation.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    rejections_in_a_row: u32,
    stopped: Option<Rejection>,
}

impl Credentials {
    /// Records that the API responded to a call, whose credentials it accepted.
    pub(crate) fn accepted(&mut self) {
        self.rejections_in_a_row = 0;
    }

    /// Records that the credentials of a call were rejected or could not be loaded.
    pub(crate) fn rejected(&mut self, rejection: &Rejection) {
        self.rejections_in_a_row += 1;
        if self.rejections_in_a_row >= REJECTIONS_TO_STOP && self.stopped.is_none() {
            self.stopped = Some(rejection.clone());
        }
    }

    /// The rejection with which all remaining pairs fail, or `None` while calls are made.
    pub(crate) fn stopped_by(&self) -> Option<&Rejection> {
        self.stopped.as_ref()
    }
}
