//! An HTTP client that is made ready in the background.
//!
//! Reading and checking the system's certificates is most of the work of starting up: on some systems hundreds of
//! files. The SDK does it when a client is made. Here a thread does it, while the process goes on to ask for its first
//! event. What it reads is kept by the HTTP client's library for the whole process.

use std::thread;

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;

/// Gives the client at once, and makes it ready beside.
pub(super) fn in_background(client: SharedHttpClient) -> SharedHttpClient {
    let ready = client.clone();
    let prepare = move || {
        // This is how the client is told to load certificates; it looks at neither argument.
        let components = RuntimeComponentsBuilder::new("preparation");
        if let Err(error) = ready.validate_base_client_config(&components, &ConfigBag::base()) {
            tracing::warn!("the HTTP client could not be made ready: {error}");
        }
    };
    // Where no thread can be had, the first call does it.
    let _ = thread::Builder::new().name("certificates".to_owned()).spawn(prepare);
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
