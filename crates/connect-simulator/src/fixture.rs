//! Instances, their queues and email addresses, and the associations between them.
//!
//! A [`Fixture`] is the content of a JSON file, a value that tests build, and the simulator's state while it runs.
//! Merging a fixture into a running simulator therefore needs no conversion.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// Instances by identifier. As JSON, every field is optional:
///
/// ```json
/// {
///   "instances": {
///     "instance-1": {
///       "emailAddresses": { "address-1": "billing@brand.example", "address-2": "help@brand.example" },
///       "queues": {
///         "queue-1": {
///           "name": "Billing",
///           "defaultEmailAddressId": "address-1",
///           "emailAddressIds": ["address-2"],
///           "limit": 49
///         }
///       }
///     }
///   }
/// }
/// ```
///
/// An address that a queue refers to exists in its instance, even if it is not listed there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Fixture {
    /// The instances, by identifier (1 to 100 characters).
    pub instances: BTreeMap<String, InstanceFixture>,
}

/// One Amazon Connect instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct InstanceFixture {
    /// The queues, by identifier.
    pub queues: BTreeMap<String, QueueFixture>,
    /// The email addresses, by identifier (1 to 500 characters).
    pub email_addresses: BTreeMap<String, String>,
    /// Identifiers of queues and email addresses that exist, but that the searches do not return: new ones, and the
    /// queues of agents.
    pub unlisted: BTreeSet<String>,
}

/// One queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct QueueFixture {
    /// The name. A queue without a name uses its identifier.
    pub name: Option<String>,
    /// The identifier of the default outbound email address, if the queue has one.
    pub default_email_address_id: Option<String>,
    /// Number of addresses that fit in addition to the default address, if it differs from
    /// [`Options::limit`](crate::Options::limit).
    pub limit: Option<usize>,
    /// The identifiers of the associated addresses in the order of association, without the default address.
    pub email_address_ids: Vec<String>,
}

impl Fixture {
    /// Returns an empty fixture.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a queue, or renames an existing queue.
    #[must_use]
    pub fn with_queue(mut self, instance: &str, queue: &str, name: impl Into<String>) -> Self {
        self.instance(instance).queue(queue).name = Some(name.into());
        self
    }

    /// Sets the default outbound address of a queue.
    #[must_use]
    pub fn with_queue_default(mut self, instance: &str, queue: &str, address_id: impl Into<String>) -> Self {
        let instance = self.instance(instance);
        instance.queue(queue).default_email_address_id = Some(address_id.into());
        instance.complete(queue);
        self
    }

    /// Adds an email address to an instance, for example `billing@brand.example`.
    #[must_use]
    pub fn with_address(
        mut self,
        instance: &str,
        address_id: impl Into<String>,
        address: impl Into<String>,
    ) -> Self {
        self.instance(instance).email_addresses.insert(address_id.into(), address.into());
        self
    }

    /// Associates an address with a queue, after the addresses that the queue already has.
    #[must_use]
    pub fn with_association(mut self, instance: &str, queue: &str, address_id: impl Into<String>) -> Self {
        let instance = self.instance(instance);
        instance.queue(queue).email_address_ids.push(address_id.into());
        instance.complete(queue);
        self
    }

    /// Sets the number of addresses that fit on a queue in addition to its default address.
    #[must_use]
    pub fn with_limit(mut self, instance: &str, queue: &str, limit: usize) -> Self {
        self.instance(instance).queue(queue).limit = Some(limit);
        self
    }

    /// Returns the instance with this identifier, and creates it if it is missing.
    pub fn instance(&mut self, instance: &str) -> &mut InstanceFixture {
        self.instances.entry(instance.to_owned()).or_default()
    }

    /// Merges another fixture into this one. If both have a queue or an address, the one from `other` replaces the one
    /// here. Associations are added to the existing associations.
    pub(crate) fn merge(&mut self, other: Fixture) {
        for (id, other) in other.instances {
            let instance = self.instance(&id);
            instance.email_addresses.extend(other.email_addresses);
            instance.unlisted.extend(other.unlisted);
            for (id, other) in other.queues {
                let queue = instance.queue(&id);
                queue.name = other.name.or(queue.name.take());
                queue.default_email_address_id =
                    other.default_email_address_id.or(queue.default_email_address_id.take());
                queue.limit = other.limit.or(queue.limit);
                queue.email_address_ids.extend(other.email_address_ids);
                instance.complete(&id);
            }
        }
    }
}

impl InstanceFixture {
    /// Returns the queue with this identifier, and creates it if it is missing.
    pub fn queue(&mut self, queue: &str) -> &mut QueueFixture {
        self.queues.entry(queue.to_owned()).or_default()
    }

    /// Makes a queue consistent with its instance: its addresses exist, no address is associated twice, and the default
    /// address is not listed among the others.
    fn complete(&mut self, queue: &str) {
        let Some(queue) = self.queues.get_mut(queue) else { return };
        let mut distinct: Vec<String> = Vec::with_capacity(queue.email_address_ids.len());
        for id in queue.email_address_ids.drain(..) {
            if queue.default_email_address_id.as_ref() != Some(&id) && !distinct.contains(&id) {
                distinct.push(id);
            }
        }
        queue.email_address_ids = distinct;
        for id in queue.email_address_ids.iter().chain(&queue.default_email_address_id) {
            if !self.email_addresses.contains_key(id) {
                self.email_addresses.insert(id.clone(), generated_address(id));
            }
        }
    }
}

/// Returns an address for an identifier that was given without one.
pub(crate) fn generated_address(id: &str) -> String {
    format!("{id}@simulator.example")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_adds_and_renames() {
        let mut fixture = Fixture::new()
            .with_queue("i", "q", "Old")
            .with_limit("i", "q", 5)
            .with_queue_default("i", "q", "a1")
            .with_association("i", "q", "a2");
        fixture.merge(
            Fixture::new()
                .with_queue("i", "q", "New")
                .with_association("i", "q", "a1")
                .with_association("i", "q", "a3"),
        );
        let queue = &fixture.instances["i"].queues["q"];
        assert_eq!(queue.name.as_deref(), Some("New"));
        assert_eq!(queue.limit, Some(5));
        assert_eq!(queue.email_address_ids, ["a2", "a3"], "a1 is the default, and stays so");
    }
}
