//! Stops an invocation whose credentials no longer work.

use crate::connect::{Class, Rejection};

/// Rejections of the credentials in a row after which the invocation makes no more calls. A single one may be an
/// accident.
const REJECTIONS_TO_STOP: u32 = 2;

/// Whether the API accepts the credentials of an invocation.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    rejections_in_a_row: u32,
    stopped_by: Option<Rejection>,
}

impl Credentials {
    /// Records the end of an attempt. An attempt without a response shows nothing about the credentials.
    pub(super) fn attempt_ended(&mut self, result: Result<(), &Rejection>) {
        match result {
            Err(rejection) if rejection.class == Class::Credentials => {
                self.rejections_in_a_row += 1;
                if self.rejections_in_a_row >= REJECTIONS_TO_STOP {
                    self.stopped_by.get_or_insert_with(|| rejection.clone());
                }
            }
            Err(rejection) if !rejection.is_response() => {}
            Ok(()) | Err(_) => self.rejections_in_a_row = 0,
        }
    }

    /// The rejection with which all remaining pairs fail, or `None` while calls are made.
    pub(crate) fn stopped_by(&self) -> Option<&Rejection> {
        self.stopped_by.as_ref()
    }
}
