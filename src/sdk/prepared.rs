//! An HTTP client that is made ready in the background.
//!
//! Reading and checking the system's certificates is most of the work of starting up: on some systems hundreds of
//! files. The SDK does it when a client is made. Here a thread does it, which begins when the process has nothing else
//! to do but to wait for its first event. What it reads is kept by the HTTP client's library for the whole process.

use std::thread;

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;

/// Gives the client at once, and makes it ready when the Tokio runtime that this is called in first has to wait.
pub(super) fn in_background(client: SharedHttpClient) -> SharedHttpClient {
    let ready = client.clone();
    let prepare = move || {
        // This is how the client is told to load certificates; it looks at neither argument.
        let components = RuntimeComponentsBuilder::new("preparation");
        if let Err(error) = ready.validate_base_client_config(&components, &ConfigBag::base()) {
            tracing::warn!("the HTTP client could not be made ready: {error}");
        }
    };
    tokio::spawn(async move {
        // Where no thread can be had, the first call does it.
        let _ = thread::Builder::new().name("certificates".to_owned()).spawn(prepare);
    });
    SharedHttpClient::new(Prepared(client))
}

/// A client whose making ready is no part of making an SDK client.
#[derive(Debug)]
struct Prepared(SharedHttpClient);

impl HttpClient for Prepared {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::thread::ThreadId;

    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_smithy_runtime_api::box_error::BoxError;

    use crate::sdk::connect_client;
    use crate::settings::Settings;

    use super::*;

    /// Tells which thread makes it ready.
    #[derive(Debug)]
    struct Slow(Sender<ThreadId>);

    impl HttpClient for Slow {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            panic!("nothing is called")
        }

        fn validate_base_client_config(
            &self,
            _: &RuntimeComponentsBuilder,
            _: &ConfigBag,
        ) -> Result<(), BoxError> {
            Ok(self.0.send(thread::current().id())?)
        }
    }

    #[tokio::test]
    async fn it_is_made_ready_once_and_not_by_who_makes_sdk_clients() {
        let (sender, threads) = channel();
        let http = in_background(SharedHttpClient::new(Slow(sender)));
        let settings = Settings::read(|_| None).unwrap();
        let credentials = SharedCredentialsProvider::new(Credentials::from_keys("a", "b", None));
        let client = connect_client(&settings, credentials, http);
        drop(client);
        tokio::task::yield_now().await;
        // The channel ends with the thread, since the client is gone.
        let threads: Vec<ThreadId> = threads.iter().collect();
        assert_eq!(threads.len(), 1);
        assert_ne!(threads[0], thread::current().id());
    }
}
