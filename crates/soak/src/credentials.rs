//! The endpoint that a process gets its credentials from. They expire within seconds, and at times there are none.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use fastrand::Rng;
use http::Request;
use serde_json::json;

use queue_email_associator::clock::epoch_millis;

use crate::http_server::{Handler, answer};

/// The lifetime of credentials, in seconds.
const LIFETIME: u64 = 25;

pub(crate) struct Credentials {
    rng: Arc<Mutex<Rng>>,
}

impl Credentials {
    pub(crate) fn new(seed: u64) -> Self {
        Credentials { rng: Arc::new(Mutex::new(Rng::with_seed(seed))) }
    }

    pub(crate) fn handler(self) -> Handler {
        Arc::new(move |_: Request<Bytes>| {
            let draw = self.rng.lock().unwrap_or_else(PoisonError::into_inner).u8(0..10);
            Box::pin(async move {
                match draw {
                    0 => Some(answer(500, &"{}")),
                    1 => None,
                    _ => Some(answer(
                        200,
                        &json!({
                            "AccessKeyId": "AKIAEXAMPLE",
                            "SecretAccessKey": "example",
                            "Token": "example",
                            "Expiration": rfc3339(epoch_millis() / 1_000 + LIFETIME),
                        }),
                    )),
                }
            })
        })
    }
}

/// A moment in seconds since 1970, as text. The days are counted as in the proleptic Gregorian calendar.
fn rfc3339(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (mut year, mut day) = (1970, days);
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", day + 1)
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn moments_are_written_as_dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(seconds), text);
        }
    }
}
