//! The summary of an error: one line that a person can read.

use std::collections::HashMap;
use std::fmt::Write;

use crate::requests::located;
use crate::settle::{FailureEntry, Failures};

use super::Counts;

/// Number of reasons that the summary spells out.
const REASONS: usize = 3;

/// Writes the number of failures and the first reasons.
pub(super) fn summary(failures: &Failures, counts: &Counts) -> String {
    let mut reasons: Vec<(&FailureEntry, usize)> = Vec::new();
    // A payload may have 100,000 invalid parts, each with its own reason. A map keeps the search fast.
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    for failed in failures.as_slice() {
        let position = *known.entry((failed.error(), failed.message())).or_insert(reasons.len());
        match reasons.get_mut(position) {
            Some((_, count)) => *count += 1,
            None => reasons.push((failed, 1)),
        }
    }
    let mut line = format!("{} of {} failed", counts.failed, counts.distinct);
    for (number, (failed, count)) in reasons.iter().take(REASONS).enumerate() {
        let separator = if number == 0 { ": " } else { "; " };
        let (error, message, path) = (failed.error(), failed.message(), failed.path.as_deref());
        // Writing to a string cannot fail.
        let _ = match (error, path, count) {
            ("InvalidRequest", Some(path), 1) => write!(line, "{separator}{}", located(path, message)),
            ("InvalidRequest", None, 1) => write!(line, "{separator}{message}"),
            ("InvalidRequest", ..) => write!(line, "{separator}{message} ({count} times)"),
            (error, Some(path), 1) => write!(line, "{separator}{error} at {path}: {message}"),
            (error, None, 1) => write!(line, "{separator}{error}: {message}"),
            (error, ..) => write!(line, "{separator}{error} ({count} times): {message}"),
        };
    }
    let _ = match reasons.len().saturating_sub(REASONS) {
        0 => Ok(()),
        1 => write!(line, "; and 1 other reason"),
        others => write!(line, "; and {others} other reasons"),
    };
    // API messages and member names come from outside and may contain control characters.
    line.replace(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'), " ")
}
