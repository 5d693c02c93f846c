//! Merges the reasons of dead letters, so that a reason is not repeated for each of 100,000 pairs.
//!
//! Failures that differ only in their address and path are one reason. If a source has many different reasons, the
//! later ones are merged by their error alone. The pairs themselves are always written one by one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::failure::Failure;
use crate::index::{IndexList, QueueIndex, ReasonIndex};
use crate::pairs::Pairs;
use crate::requests::{InstanceId, Named, QueueId};
use crate::writer::json_size;

use super::FailureEntry;

/// Bytes of different reasons that any source may have.
const MIN_BUDGET: usize = 300_000;

/// The reasons of the failures of one source.
pub(super) struct Reasons {
    of_failure: Vec<ReasonIndex>,
    scopes: IndexList<ReasonIndex, Scope>,
}

/// The failures that share a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// They differ only in their address and path.
    Queue,
    /// They only have the same error.
    Error,
}

#[derive(PartialEq, Eq, Hash)]
enum ReasonKey<'f> {
    /// Equal reasons are one allocation.
    Queue {
        failure: *const Failure,
        queue: Option<QueueIndex>,
        by_address: bool,
    },
    Error(&'f str),
}

impl Reasons {
    /// Finds the reasons. As long as they take few bytes compared with `requested_bytes`, the size of a request for all
    /// failed pairs, failures of different queues have different reasons.
    pub(super) fn new(entries: &[&FailureEntry], pairs: &Pairs, requested_bytes: usize) -> Self {
        let budget = MIN_BUDGET.max(3 * requested_bytes);
        let mut reasons =
            Reasons { of_failure: Vec::with_capacity(entries.len()), scopes: IndexList::default() };
        let mut known: HashMap<ReasonKey<'_>, ReasonIndex> = HashMap::new();
        let mut bytes = 0;
        for entry in entries {
            let key = ReasonKey::Queue {
                failure: Arc::as_ptr(&entry.failure),
                queue: entry.pair().map(|pair| pairs.pairs[pair].queue()),
                by_address: matches!(entry.address, Some(Named::Name(_))),
            };
            let (key, scope) = match known.contains_key(&key) || bytes < budget {
                true => (key, Scope::Queue),
                false => (ReasonKey::Error(entry.error()), Scope::Error),
            };
            let reason = *known.entry(key).or_insert_with(|| {
                // A merged reason has longer field names than a single one.
                bytes += json_size(entry) + 50;
                reasons.scopes.push(scope)
            });
            reasons.of_failure.push(reason);
        }
        reasons
    }

    pub(super) fn of(&self, failure: usize) -> ReasonIndex {
        self.of_failure[failure]
    }

    /// Writes each reason of some failures once. `part` has the positions of the failures.
    pub(super) fn merged<'f>(&self, part: &[usize], entries: &[&'f FailureEntry]) -> Vec<MergedReason<'f>> {
        let mut merged: Vec<MergedReason<'f>> = Vec::new();
        let mut known: HashMap<ReasonIndex, usize> = HashMap::new();
        for position in part {
            let (reason, entry) = (self.of_failure[*position], entries[*position]);
            let next = merged.len();
            let index = *known.entry(reason).or_insert(next);
            if index == next {
                merged.push(MergedReason::new(entry, self.scopes[reason]));
            } else {
                merged[index].add(entry);
            }
        }
        merged
    }
}

/// One entry of `failures` in a dead letter.
pub(super) struct MergedReason<'f> {
    first: &'f FailureEntry,
    scope: Scope,
    /// The addresses of all failures. Empty for invalid parts.
    addresses: Vec<&'f str>,
    /// The path of the first failure, then that of the array that contains all of them.
    path: Option<&'f str>,
    failures: usize,
    different: HashSet<*const Failure>,
}

impl<'f> MergedReason<'f> {
    fn new(first: &'f FailureEntry, scope: Scope) -> Self {
        let mut merged = MergedReason {
            first,
            scope,
            addresses: Vec::new(),
            path: first.path.as_deref(),
            failures: 0,
            different: HashSet::new(),
        };
        merged.add(first);
        merged
    }

    fn add(&mut self, entry: &'f FailureEntry) {
        self.addresses.extend(entry.address.as_ref().map(|address| address.as_ref().text()));
        if self.failures > 0 {
            self.path = common_array(self.path, entry.path.as_deref());
        }
        self.failures += 1;
        self.different.insert(Arc::as_ptr(&entry.failure));
    }
}

/// The path of the array that contains both paths: that of their addresses, or else that of their entries.
fn common_array<'p>(one: Option<&'p str>, other: Option<&'p str>) -> Option<&'p str> {
    let (one, other) = (one?, other?);
    // A path of an array itself is one of an earlier merge.
    let arrays = |path: &'p str| {
        [
            Some(path),
            path.rsplit_once('[').map(|(array, _)| array),
            path.split_once('[').map(|(array, _)| array),
        ]
    };
    let of_other = arrays(other);
    arrays(one).into_iter().flatten().find(|array| !array.ends_with(']') && of_other.contains(&Some(array)))
}

impl Serialize for MergedReason<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.failures == 1 {
            return self.first.serialize(serializer);
        }
        let first = self.first;
        let of_queue = self.scope == Scope::Queue;
        let addresses = Some(&*self.addresses).filter(|addresses| of_queue && !addresses.is_empty());
        let by_address = matches!(first.address, Some(Named::Name(_)));
        let message = match self.different.len() - 1 {
            0 => first.message().to_owned(),
            1 => format!("{} (and 1 other reason)", first.message()),
            others => format!("{} (and {others} other reasons)", first.message()),
        };
        WrittenReason {
            instance_id: first.instance_id.as_ref().filter(|_| of_queue),
            queue: first.queue.as_ref().filter(|_| of_queue),
            email_address_ids: addresses.filter(|_| !by_address),
            email_addresses: addresses.filter(|_| by_address),
            error: first.error(),
            message,
            retryable: first.retryable,
            path: self.path,
            message_id: first.message_id.as_deref(),
            reference: &first.reference,
        }
        .serialize(serializer)
    }
}

/// The fields of a merged reason, in the order of [`FailureEntry`].
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenReason<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<&'r InstanceId>,
    #[serde(flatten)]
    queue: Option<&'r Named<QueueId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_address_ids: Option<&'r [&'r str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_addresses: Option<&'r [&'r str]>,
    error: &'r str,
    message: String,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'r str>,
    reference: &'r str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_array_contains_both_paths() {
        let table = [
            (
                "associations[0].emailAddressIds[1]",
                "associations[0].emailAddressIds[7]",
                Some("associations[0].emailAddressIds"),
            ),
            (
                "associations[0].emailAddressIds",
                "associations[0].emailAddressIds[7]",
                Some("associations[0].emailAddressIds"),
            ),
            (
                "associations[0].emailAddressIds[1]",
                "associations[1].emailAddressIds[1]",
                Some("associations"),
            ),
            ("associations[0].emailAddressIds", "associations[1]", Some("associations")),
            ("associations", "associations[1].emailAddressIds[1]", Some("associations")),
            ("associations[0]", "associations[1]", Some("associations")),
            ("associations[0].queueId", "associations[1].queueId", Some("associations")),
            ("emailAddresses[0]", "emailAddresses[1]", Some("emailAddresses")),
            (
                "associations.emailAddresses[0]",
                "associations.emailAddresses[1]",
                Some("associations.emailAddresses"),
            ),
            ("queueId", "instanceId", None),
        ];
        for (one, other, array) in table {
            assert_eq!(common_array(Some(one), Some(other)), array, "{one} and {other}");
        }
        assert_eq!(common_array(None, Some("associations[0]")), None);
    }
}
