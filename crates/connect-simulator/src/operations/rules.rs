//! The rules that the operations go by beside the directory.

use crate::error::ApiError;
use crate::{Switches, UnknownAddress};

/// The rules that the operations follow beside the directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) switches: Switches,
    pub(crate) limit: usize,
}

impl Rules {
    /// How an address that the instance does not have is reported. It is not named: whoever narrows a refused
    /// call down to the addresses at fault cannot come to rely on a message that AWS does not promise.
    pub(super) fn unknown_address(&self) -> ApiError {
        let message = "an email address does not exist in the instance";
        match self.switches.unknown_address {
            UnknownAddress::InvalidParameter => ApiError::invalid_parameter(message),
            UnknownAddress::ResourceNotFound => ApiError::not_found(message),
        }
    }
}
