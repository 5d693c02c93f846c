//! Credentials that are loaded once before the first call.

use std::sync::{Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::future::ProvideCredentials as CredentialsFuture;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

/// Returns the loaded credentials once, and then loads new ones. So the program in `credential_process`, which may prompt
/// for a code, runs once.
#[derive(Debug)]
pub(super) struct LoadedCredentials {
    first: Mutex<Option<Credentials>>,
    provider: SharedCredentialsProvider,
}

impl LoadedCredentials {
    pub(super) fn new(first: Credentials, provider: SharedCredentialsProvider) -> Self {
        LoadedCredentials { first: Mutex::new(Some(first)), provider }
    }
}

impl ProvideCredentials for LoadedCredentials {
    fn provide_credentials<'a>(&'a self) -> CredentialsFuture<'a>
    where
        Self: 'a,
    {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        match first {
            Some(first) => CredentialsFuture::ready(Ok(first)),
            None => self.provider.provide_credentials(),
        }
    }
}
