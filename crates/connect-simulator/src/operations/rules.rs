//! The configured rules of the operations.

use crate::error::ApiError;
use crate::{Switches, UnknownAddress};

/// The configured rules of the operations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) switches: Switches,
    pub(crate) limit: usize,
}

impl Rules {
    /// Returns the error for an address that the instance does not have. The message does not contain the address, so
    /// that a client that narrows a rejected call cannot depend on a message that AWS does not guarantee.
    pub(super) fn unknown_address(&self) -> ApiError {
        let message = "an email address does not exist in the instance";
        match self.switches.unknown_address {
            UnknownAddress::InvalidParameter => ApiError::invalid_parameter(message),
            UnknownAddress::ResourceNotFound => ApiError::not_found(message),
        }
    }
}
