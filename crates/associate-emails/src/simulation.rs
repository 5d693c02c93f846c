//! Simulates Amazon Connect inside this process, with exactly the queues and addresses in a payload.

use std::collections::HashMap;
use std::io;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_connect::config::SharedHttpClient;
use connect_simulator::{Connect, Fixture, Options, Quota, Server};
use queue_email_associator::index::{IndexList, QueueIndex};
use queue_email_associator::pairs::{Pairs, RequestedQueue};
use queue_email_associator::requests::Named;
use queue_email_associator::sdk::{CertificateAuthorities, HttpOptions};
use queue_email_associator::settings::Settings;

/// The addresses on the simulated queues at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InitialQueues {
    /// None.
    Empty,
    /// Those of the pairs, as after a run.
    WithPairs,
}

/// Starts a simulator on a free port of this machine. It stops when the result is dropped.
pub(crate) fn start(
    pairs: &Pairs,
    queues: InitialQueues,
    settings: &Settings,
    has_quota: bool,
) -> io::Result<Server> {
    let options = Options {
        fixture: fixture(pairs, queues),
        // The pace is set to the quota of the account.
        quota: if has_quota {
            Quota::per_second(settings.allowance.rate, settings.allowance.burst)
        } else {
            Quota::default()
        },
        limit: settings.queue_additional_limit,
        ..Options::default()
    };
    Server::start(Connect::new(options))
}

/// Returns fixed credentials, because the simulator does not check signatures. The machine's own credentials are not
/// used, so they cannot leak.
pub(crate) fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("simulation", "simulation", None, None, "simulation"))
}

/// Returns the HTTP client of a simulation. The simulator is in this process, so it needs neither a proxy nor TLS.
pub(crate) fn http_client() -> SharedHttpClient {
    let options =
        HttpOptions { authorities: CertificateAuthorities::Only(Vec::new()), ..HttpOptions::default() };
    options.direct_client()
}

/// Creates every queue and address of the pairs, with a new identifier or name if the pair has only the other.
fn fixture(pairs: &Pairs, queues: InitialQueues) -> Fixture {
    let mut fixture = Fixture::new();
    let mut queue_ids = Vec::new();
    for (number, RequestedQueue { instance, queue }) in pairs.queues.iter().enumerate() {
        let (id, name) = match queue {
            Named::Id(id) => (id.to_string(), format!("simulated queue {id}")),
            Named::Name(name) => (format!("simulated-queue-{number}"), name.to_string()),
        };
        fixture.instance(instance).queue(&id).name = Some(name);
        queue_ids.push(id);
    }
    let queue_ids = IndexList::<QueueIndex, String>::from(queue_ids);
    // The same address can be written with different case.
    let mut ids_of_addresses: HashMap<(&str, String), String> = HashMap::new();
    for pair in &pairs.pairs {
        let instance_id: &str = &pairs.queues[pair.queue()].instance;
        let instance = fixture.instance(instance_id);
        let (id, address) = match pair.address() {
            Named::Id(id) => (id.to_string(), format!("{id}@simulation.example")),
            Named::Name(address) => {
                let next = ids_of_addresses.len();
                let id = ids_of_addresses
                    .entry((instance_id, address.to_lowercase()))
                    .or_insert_with(|| format!("simulated-address-{next}"));
                (id.clone(), address.to_string())
            }
        };
        if queues == InitialQueues::WithPairs {
            instance.queue(&queue_ids[pair.queue()]).email_address_ids.push(id.clone());
        }
        instance.email_addresses.entry(id).or_insert(address);
    }
    fixture
}
