//! The simulator's state: the instances with all their queues and addresses, and the client tokens of earlier calls.

use std::collections::HashMap;

use crate::error::ApiError;
use crate::fixture::{InstanceFixture, QueueFixture, generated_address};
use crate::{Fixture, Operation};

/// The state that the operations read and change.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(crate) content: Fixture,
    /// The addresses of each call that succeeded with a token, which is valid only within its operation and queue.
    tokens: HashMap<TokenKey, Vec<String>>,
}

/// An operation, an instance, a queue and a token.
pub(crate) type TokenKey = (Operation, String, String, String);

impl Directory {
    /// Creates the instance, the queue and the addresses if they do not exist.
    pub(crate) fn create(&mut self, instance: &str, queue: Option<&str>, addresses: &[String]) {
        let instance = self.content.instance(instance);
        if let Some(queue) = queue {
            instance.queue(queue);
        }
        for id in addresses {
            instance.email_addresses.entry(id.clone()).or_insert_with(|| generated_address(id));
        }
    }

    /// Deletes an address, and removes it from every queue of its instance.
    pub(crate) fn remove_address(&mut self, instance: &str, id: &str) {
        let Some(instance) = self.content.instances.get_mut(instance) else { return };
        instance.email_addresses.remove(id);
        for queue in instance.queues.values_mut() {
            queue.email_address_ids.retain(|associated| associated != id);
            if queue.default_email_address_id.as_deref() == Some(id) {
                queue.default_email_address_id = None;
            }
        }
    }

    pub(crate) fn instance(&mut self, id: &str) -> Result<&mut InstanceFixture, ApiError> {
        self.content.instances.get_mut(id).ok_or_else(|| ApiError::not_found("the instance does not exist"))
    }

    /// Returns whether the token was used before with the same addresses. Using it with other addresses is an
    /// `InvalidRequestException`.
    pub(crate) fn is_repeated(&self, key: &TokenKey, addresses: &[String]) -> Result<bool, ApiError> {
        match self.tokens.get(key) {
            None => Ok(false),
            Some(seen) if seen == addresses => Ok(true),
            Some(_) => Err(ApiError::invalid_request("ClientToken was used with other email addresses")),
        }
    }

    /// Stores the token of a call that succeeded.
    pub(crate) fn store_token(&mut self, key: TokenKey, addresses: Vec<String>) {
        self.tokens.insert(key, addresses);
    }
}

impl InstanceFixture {
    pub(crate) fn find_queue(&mut self, id: &str) -> Result<&mut QueueFixture, ApiError> {
        self.queues.get_mut(id).ok_or_else(|| ApiError::not_found("the queue does not exist in the instance"))
    }
}

impl QueueFixture {
    /// Returns whether the address is on the queue, either as the default address or as another one.
    pub(crate) fn contains(&self, id: &String) -> bool {
        self.default_email_address_id.as_ref() == Some(id) || self.email_address_ids.contains(id)
    }
}
