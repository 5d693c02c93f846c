//! Tests the simulator over a socket with the real AWS SDK.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use aws_credential_types::Credentials;
use aws_sdk_connect::Client;
use aws_sdk_connect::config::retry::RetryConfig;
use aws_sdk_connect::config::{BehaviorVersion, Region};
use aws_sdk_connect::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_connect::operation::RequestId;
use aws_sdk_connect::operation::associate_queue_email_addresses::AssociateQueueEmailAddressesError;
use aws_sdk_connect::types::EmailAddressConfig;
use connect_simulator::{Connect, Effect, Fault, Fixture, Operation, Server};

const INSTANCE: &str = "11111111-2222-3333-4444-555555555555";

type AssociateError = SdkError<AssociateQueueEmailAddressesError>;

/// A service on a socket, and a client without retries.
struct Simulator {
    connect: Connect,
    client: Client,
    _server: Server,
}

impl Simulator {
    fn start(fixture: Fixture) -> Self {
        let connect = Connect::new(fixture);
        let server = Server::start(connect.clone()).unwrap();
        let config = aws_sdk_connect::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(server.endpoint())
            .retry_config(RetryConfig::disabled())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        Self { connect, client: Client::from_conf(config), _server: server }
    }

    async fn associate(&self, queue: &str, ids: &[&str]) -> Result<(), AssociateError> {
        let config =
            ids.iter().map(|id| EmailAddressConfig::builder().email_address_id(*id).build().unwrap());
        let call = self.client.associate_queue_email_addresses().instance_id(INSTANCE).queue_id(queue);
        call.set_email_addresses_config(Some(config.collect())).send().await.map(|_| ())
    }
}

/// Returns a fixture with queue `q` (default address `d`) and the addresses `a0` to `a9`.
fn fixture() -> Fixture {
    let fixture = Fixture::new().with_queue(INSTANCE, "q", "Billing").with_queue_default(INSTANCE, "q", "d");
    (0..10).fold(fixture, |fixture, number| {
        fixture.with_address(INSTANCE, format!("a{number}"), format!("Sales{number}@brand.example"))
    })
}

#[tokio::test]
async fn addresses_are_associated_listed_page_by_page_and_disassociated() {
    let simulator = Simulator::start(fixture());
    simulator.associate("q", &["a3", "a1", "a2"]).await.unwrap();
    assert_eq!(simulator.connect.associated(INSTANCE, "q"), ["a3", "a1", "a2"]);

    let list = || simulator.client.list_queue_email_addresses().instance_id(INSTANCE).queue_id("q");
    let mut pages = vec![list().max_results(2).send().await.unwrap()];
    while let Some(token) = pages.last().and_then(|page| page.next_token()).map(str::to_owned) {
        pages.push(list().max_results(2).next_token(token).send().await.unwrap());
    }
    let listed: Vec<_> = pages.iter().flat_map(|page| page.email_address_metadata_list()).collect();
    let ids: Vec<_> = listed.iter().map(|summary| summary.id().unwrap()).collect();
    assert_eq!((pages.len(), ids), (2, vec!["d", "a3", "a1", "a2"]));
    let defaults: Vec<_> = listed.iter().map(|summary| summary.is_default_outbound_email()).collect();
    assert_eq!(defaults, [true, false, false, false]);
    let arn = format!("arn:aws:connect:us-east-1:111122223333:instance/{INSTANCE}/email-address/a3");
    assert_eq!(listed[1].arn(), Some(arn.as_str()));
    assert!(pages[0].request_id().is_some());

    let disassociate = simulator.client.disassociate_queue_email_addresses();
    let disassociate = disassociate.instance_id(INSTANCE).queue_id("q").email_addresses_id("a1");
    disassociate.send().await.unwrap();
    assert_eq!(simulator.connect.associated(INSTANCE, "q"), ["a3", "a2"]);

    let calls = simulator.connect.calls();
    let operations: Vec<_> = calls.iter().map(|call| call.operation).collect();
    let expected = [
        Operation::AssociateQueueEmailAddresses,
        Operation::ListQueueEmailAddresses,
        Operation::ListQueueEmailAddresses,
        Operation::DisassociateQueueEmailAddresses,
    ];
    assert_eq!(operations, expected);
    assert_eq!(calls[0].addresses, ["a3", "a1", "a2"]);
    assert!(calls[0].client_token.is_some(), "the SDK fills it in");
}

#[tokio::test]
async fn identifiers_with_special_characters_arrive_unchanged() {
    let simulator = Simulator::start(fixture().with_queue(INSTANCE, "q/ü +%", "Odd"));
    simulator.associate("q/ü +%", &["a0"]).await.unwrap();
    assert_eq!(simulator.connect.associated(INSTANCE, "q/ü +%"), ["a0"]);
}

#[tokio::test]
async fn rejections_are_modelled_errors() {
    let simulator = Simulator::start(fixture().with_limit(INSTANCE, "q", 1));
    let missing = simulator.associate("unknown", &["a0"]).await.unwrap_err().into_service_error();
    assert!(missing.is_resource_not_found_exception());
    assert_eq!(missing.message(), Some("the queue does not exist in the instance"));
    let invalid = simulator.associate("q", &["unknown"]).await.unwrap_err().into_service_error();
    assert!(invalid.is_invalid_parameter_exception());
    let empty = simulator.associate("q", &[]).await.unwrap_err().into_service_error();
    assert!(empty.is_invalid_parameter_exception());
    let full = simulator.associate("q", &["a0", "a1"]).await.unwrap_err().into_service_error();
    assert!(full.is_limit_exceeded_exception());
    assert!(full.meta().request_id().is_some());
}

#[tokio::test]
async fn broken_connections_are_errors_of_the_client() {
    let simulator = Simulator::start(fixture());
    let once = |effect| Fault::new(effect).times(1);

    simulator.connect.inject(once(Effect::Reset));
    let reset = simulator.associate("q", &["a0"]).await.unwrap_err();
    assert!(matches!(reset, SdkError::DispatchFailure(_)), "{reset:?}");
    assert!(simulator.connect.associated(INSTANCE, "q").is_empty());

    simulator.connect.inject(once(Effect::ResetAfter));
    let reset = simulator.associate("q", &["a0"]).await.unwrap_err();
    assert!(matches!(reset, SdkError::DispatchFailure(_)), "{reset:?}");
    assert_eq!(simulator.connect.associated(INSTANCE, "q"), ["a0"]);

    simulator.connect.inject(once(Effect::CutOff));
    let cut_off = simulator.associate("q", &["a1"]).await.unwrap_err();
    // The headers arrived, but the body did not.
    assert!(matches!(cut_off, SdkError::ResponseError(_)), "{cut_off:?}");
    assert_eq!(simulator.connect.associated(INSTANCE, "q"), ["a0"]);

    // The client continues with a new connection.
    simulator.associate("q", &["a1"]).await.unwrap();
    let statuses: Vec<_> = simulator.connect.calls().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [None, None, None, Some(200)]);
}

#[tokio::test]
async fn dropped_server_stops_listening() {
    let Simulator { client, _server: server, .. } = Simulator::start(fixture());
    drop(server);
    // The task stops when it is next polled.
    tokio::task::yield_now().await;
    let error = client.search_queues().instance_id(INSTANCE).send().await.unwrap_err();
    assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
}
