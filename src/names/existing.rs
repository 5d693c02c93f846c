//! Existing: looks for the identifier of an email address in its instance's directory, for dry runs with `checkQueues`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::time::Instant;

use crate::connect::Directory as Kind;
use crate::failure::{Failure, Retry};
use crate::pairs::Pairs;
use crate::requests::{EmailAddressId, InstanceId, Intent, Named};

use super::directory::Directory;
use super::lookup::Names;

impl Names<'_> {
    /// Begins to read the address directories that checks need. A directory is read if the process does not keep it. It
    /// is also read if an identifier is missing from it, because the identifier may be new.
    pub(super) fn open_checked(&mut self, now: Instant) {
        for (instance, ids) in checked_ids(self.pairs) {
            let number = self.open((instance, Kind::EmailAddresses), now);
            let known = &self.directories[number];
            let has_all = |directory: &Arc<Directory>| ids.iter().all(|id| directory.has_id(id));
            if !known.directory.as_ref().is_some_and(has_all) {
                self.begin_reading(number, now);
            }
        }
    }

    /// Whether no reading of an instance's address directory is under way in this invocation.
    pub(crate) fn knows_addresses(&self, instance: &InstanceId) -> bool {
        let number = self.indices.get(&(instance.clone(), Kind::EmailAddresses));
        number.is_none_or(|number| self.directories[*number].reading.is_none())
    }

    /// Checks that an instance has an email address.
    ///
    /// # Errors
    /// `EmailAddressNotFound`, or the failure that kept the directory from being read.
    pub fn existing(&self, instance: &InstanceId, id: &EmailAddressId) -> Result<(), Arc<Failure>> {
        let number = self.indices.get(&(instance.clone(), Kind::EmailAddresses));
        let Some(known) = number.map(|number| &self.directories[*number]) else {
            return Err(self.unread().clone());
        };
        match (&known.directory, &known.failure) {
            (Some(directory), _) if directory.has_id(id) => Ok(()),
            (_, Some(failure)) => Err(failure.clone()),
            (Some(_), None) => Err(Arc::new(not_found(instance))),
            (None, None) => Err(self.unread().clone()),
        }
    }
}

/// The address identifiers to check, by instance. An address that is named by name is looked up anyway.
fn checked_ids(pairs: &Pairs) -> HashMap<InstanceId, HashSet<&str>> {
    let mut ids: HashMap<InstanceId, HashSet<&str>> = HashMap::new();
    for mention in pairs
        .mentions
        .iter()
        .filter(|mention| pairs.requests[mention.request].options.intent == Intent::Check)
    {
        let pair = &pairs.pairs[mention.pair];
        let of_instance = ids.entry(pairs.queues[pair.queue()].instance.clone()).or_default();
        if let Named::Id(id) = pair.address() {
            of_instance.insert(id);
        }
    }
    ids
}

fn not_found(instance: &InstanceId) -> Failure {
    let message = format!(
        "instance {instance} has no email address with this identifier; create it first, or check the instanceId"
    );
    Failure::ours("EmailAddressNotFound", message, Retry::FirstDelivery)
}
