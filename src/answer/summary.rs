//! The summary of an error: one line that a person can read.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write;

use crate::failures::{Failed, Failures};

use super::Counts;

/// How many reasons are written out.
const REASONS: usize = 3;

/// Says how many of how many failed, and the first reasons.
pub(super) fn summary(failures: &Failures, counts: &Counts) -> String {
    let mut reasons: Vec<(&Failed, usize)> = Vec::new();
    // Each invalid entry may have a reason of its own, and a payload a million of them.
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    for failed in failures.as_slice() {
        let next = reasons.len();
        match known.entry((&failed.error, &failed.message)) {
            Entry::Occupied(reason) => reasons[*reason.get()].1 += 1,
            Entry::Vacant(reason) => {
                reason.insert(next);
                reasons.push((failed, 1));
            }
        }
    }
    let mut line = format!("{} of {} failed", counts.failed, counts.distinct);
    for (number, (failed, count)) in reasons.iter().take(REASONS).enumerate() {
        let separator = if number == 0 { ": " } else { "; " };
        // Writing to a string cannot fail.
        let _ = write!(line, "{separator}{}", failed.error);
        if *count > 1 {
            let _ = write!(line, " ({count} times)");
        }
        if let (Some(path), 1) = (&failed.path, count) {
            let _ = write!(line, " at {path}");
        }
        let _ = write!(line, ": {}", failed.message);
    }
    let _ = match reasons.len().saturating_sub(REASONS) {
        0 => Ok(()),
        1 => write!(line, "; and 1 other reason"),
        others => write!(line, "; and {others} other reasons"),
    };
    // The API's messages and the names of members are others' words.
    line.replace(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'), " ")
}
