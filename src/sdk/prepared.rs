//! Prepared: prepares the client for calls in the background.
//!
//! Most of the work of a cold start is to read and check the system's certificates, which are hundreds of files on some
//! systems. The SDK does this when a client is made. Here a thread makes the client as soon as the process only waits
//! for its first event. The HTTP library keeps the certificates for the whole process.

use std::thread;
use std::time::Duration;

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;
use tokio::time::sleep;

/// After this time the first poll is on its way. An earlier thread would compete with the poll for the processor. If
/// the first event comes sooner, its first call makes the client itself.
const UNTIL_POLLED: Duration = Duration::from_millis(2);

/// The client for SDK clients. An SDK client that gets it does not read the certificates again.
pub(super) fn for_sdk_clients(client: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(Prepared(client))
}

/// Prepares an HTTP client when the process waits for its first event. Then runs `then`, which may use the client. Call
/// it within a Tokio runtime.
pub(super) fn in_background(client: SharedHttpClient, then: impl FnOnce() + Send + 'static) {
    let prepare = move || {
        // The validation loads the certificates. It ignores both arguments.
        let components = RuntimeComponentsBuilder::new("preparation");
        if let Err(error) = client.validate_base_client_config(&components, &ConfigBag::base()) {
            tracing::warn!("the HTTP client could not be made ready: {error}");
        }
        then();
    };
    tokio::spawn(async move {
        sleep(UNTIL_POLLED).await;
        // If the system cannot start a thread, the first call makes the client.
        let _ = thread::Builder::new().name("preparation".to_owned()).spawn(prepare);
    });
}

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

    /// A client that tells which thread prepares it.
    #[derive(Debug, Clone)]
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

    fn connect(http: SharedHttpClient) -> crate::deferred::Deferred<aws_sdk_connect::Client> {
        let settings = Settings::read(|_| None).unwrap();
        let credentials = SharedCredentialsProvider::new(Credentials::from_keys("a", "b", None));
        connect_client(&settings, credentials, http)
    }

    #[tokio::test(start_paused = true)]
    async fn own_thread_prepares_once() {
        let (sender, threads) = channel();
        let http = SharedHttpClient::new(Slow(sender));
        let client = connect(for_sdk_clients(http.clone()));
        let (made, is_made) = channel();
        in_background(http, move || {
            client.get();
            made.send(thread::current().id()).unwrap();
        });
        sleep(UNTIL_POLLED * 2).await;
        // The channels close when the thread ends, because the clients are dropped.
        let threads: Vec<ThreadId> = threads.iter().collect();
        assert_eq!(threads, is_made.iter().collect::<Vec<_>>());
        assert_eq!(threads.len(), 1);
        assert_ne!(threads[0], thread::current().id());
    }

    #[tokio::test]
    async fn making_a_client_prepares_nothing() {
        let (sender, threads) = channel();
        let client = connect(for_sdk_clients(SharedHttpClient::new(Slow(sender))));
        client.get();
        assert!(threads.try_recv().is_err());
    }
}
