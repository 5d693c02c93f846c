//! Lists the pairs that were already on their queues, as entries of a request.

use serde_json::Value;

use crate::associate::Outcome;
use crate::outcomes::Outcomes;
use crate::pairs::Pairs;
use crate::writer::pair_entries;

/// The pairs that the function found on their queues, under the caller's names. `None` if there are none.
pub(super) fn already_associated(pairs: &Pairs, outcomes: &Outcomes) -> Option<Value> {
    let found = outcomes.by_pair.indexed();
    let found = found.filter(|(_, outcome)| matches!(outcome, Outcome::AlreadyAssociated));
    let entries = pair_entries(found.map(|(pair, _)| pair), pairs, None);
    if entries.is_empty() {
        return None;
    }
    // Serializing entries cannot fail.
    serde_json::to_value(entries).ok()
}
