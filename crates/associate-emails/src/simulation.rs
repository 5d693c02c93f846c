//! Simulates Amazon Connect inside this process, with exactly the queues and addresses in a payload.

use std::collections::{HashMap, HashSet};
use std::io;

use connect_simulator::{Connect, Fixture, Options, Quota, Server};
use queue_email_associator::pairs::{Pairs, RequestedQueue};
use queue_email_associator::requests::Named;
use queue_email_associator::sdk::{CertificateAuthorities, HttpOptions};
use queue_email_associator::settings::Settings;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_connect::config::SharedHttpClient;

/// A running simulator. Dropping it stops it.
pub(crate) struct Simulation {
    connect: Connect,
    server: Server,
}

impl Simulation {
    /// Starts a simulator on a free port of this machine.
    ///
    /// # Errors
    /// No port can be bound.
    pub(crate) fn start(pairs: &Pairs, settings: &Settings, quota: Quota) -> io::Result<Self> {
        let options = Options {
            fixture: fixture(pairs),
            quota,
            limit: settings.queue_additional_limit,
            ..Options::default()
        };
        let connect = Connect::new(options);
        Ok(Simulation { server: Server::start(connect.clone())?, connect })
    }

    /// Puts the addresses of the pairs on their queues, as a run would.
    pub(crate) fn associate(&self, pairs: &Pairs) {
        self.connect.edit(|fixture| {
            let ids = ids_of_names(fixture);
            for pair in &pairs.pairs {
                let RequestedQueue { instance, queue } = &pairs.queues[pair.queue()];
                let id_of = |kind, name: &str| ids.get(&(kind, instance.to_string(), name.to_owned()));
                let queue = match queue {
                    Named::Id(id) => Some(id.to_string()),
                    Named::Name(name) => id_of(Kind::Queue, name).cloned(),
                };
                let address = match pair.address() {
                    Named::Id(id) => Some(id.to_string()),
                    Named::Name(address) => id_of(Kind::EmailAddress, &address.to_lowercase()).cloned(),
                };
                if let (Some(queue), Some(address)) = (queue, address) {
                    let on_queue = &mut fixture.instance(&**instance).queue(&queue).email_address_ids;
                    if !on_queue.contains(&address) {
                        on_queue.push(address);
                    }
                }
            }
        });
    }

    /// Returns its URL.
    pub(crate) fn endpoint(&self) -> String {
        self.server.endpoint()
    }
}

/// Returns the simulated quota. By default it equals the pace, because the pace is set to the real quota.
pub(crate) fn quota(settings: &Settings, fast: bool, simulated_rate: Option<f64>) -> Quota {
    if fast {
        Quota::default()
    } else {
        Quota::per_second(simulated_rate.unwrap_or(settings.allowance.rate), settings.allowance.burst)
    }
}

/// Returns fixed credentials, because the simulator does not check signatures. The machine's own credentials are not
/// used, so they cannot leak.
pub(crate) fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("simulation", "simulation", None, None, "simulation"))
}

/// The kind of thing that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Queue,
    EmailAddress,
}

/// The identifier of each name, by kind and instance. Addresses are in lower case.
fn ids_of_names(fixture: &Fixture) -> HashMap<(Kind, String, String), String> {
    let mut ids = HashMap::new();
    for (instance_id, instance) in &fixture.instances {
        for (id, queue) in &instance.queues {
            let name = queue.name.as_ref().unwrap_or(id).clone();
            ids.insert((Kind::Queue, instance_id.clone(), name), id.clone());
        }
        for (id, address) in &instance.email_addresses {
            ids.insert((Kind::EmailAddress, instance_id.clone(), address.to_lowercase()), id.clone());
        }
    }
    ids
}

/// Returns the HTTP client of a simulation. The simulator is in this process, so it needs neither a proxy nor TLS.
pub(crate) fn http_client() -> SharedHttpClient {
    let options =
        HttpOptions { authorities: CertificateAuthorities::Only(Vec::new()), ..HttpOptions::default() };
    options.direct_client()
}

/// Creates every queue and address of the pairs. A queue or address given by name gets an unused identifier.
fn fixture(pairs: &Pairs) -> Fixture {
    let mut fixture = Fixture::new();
    let mut names = Names::default();
    for queue in &pairs.queues {
        if let Named::Id(id) = &queue.queue {
            fixture.instance(&*queue.instance).queue(id);
            names.queues.insert((queue.instance.to_string(), id.to_string()));
        }
    }
    for pair in &pairs.pairs {
        let instance = &pairs.queues[pair.queue()].instance;
        if let Named::Id(id) = pair.address() {
            let address = format!("{id}@simulation.example");
            names.addresses.insert((instance.to_string(), address.to_lowercase()));
            fixture.instance(&**instance).email_addresses.insert(id.to_string(), address);
        }
    }
    for queue in &pairs.queues {
        if let Named::Name(name) = &queue.queue
            && names.queues.insert((queue.instance.to_string(), name.to_string()))
        {
            let instance = fixture.instance(&*queue.instance);
            let id = unused("simulated-queue", instance.queues.len(), |id| instance.queues.contains_key(id));
            instance.queue(&id).name = Some(name.to_string());
        }
    }
    for pair in &pairs.pairs {
        let instance = &pairs.queues[pair.queue()].instance;
        if let Named::Name(address) = pair.address()
            && names.addresses.insert((instance.to_string(), address.to_lowercase()))
        {
            let addresses = &mut fixture.instance(&**instance).email_addresses;
            let id = unused("simulated-address", addresses.len(), |id| addresses.contains_key(id));
            addresses.insert(id, address.to_string());
        }
    }
    fixture
}

/// Existing names. A second queue of the same name would make the name ambiguous. A queue that is given only by
/// its identifier has the identifier as its name.
#[derive(Default)]
struct Names {
    queues: HashSet<(String, String)>,
    addresses: HashSet<(String, String)>,
}

fn unused(word: &str, from: usize, is_used: impl Fn(&str) -> bool) -> String {
    let mut number = from + 1;
    loop {
        let id = format!("{word}-{number}");
        if !is_used(&id) {
            return id;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use queue_email_associator::payload::Envelope;
    use queue_email_associator::requests::{ArnScope, Context, InstanceId};

    use super::*;

    fn fixture_of(payload: &str) -> Fixture {
        let (envelope, scope) = (Envelope::read(payload.as_bytes()).unwrap(), ArnScope::new("us-east-1"));
        let instance = InstanceId::parse("i", &scope).unwrap();
        fixture(&Pairs::read(&envelope, Context::new(&scope, Some(&instance))).unwrap())
    }

    #[test]
    fn simulation_has_each_named_thing_once() {
        let fixture = fixture_of(
            r#"{"associations": [
                {"queueId": "q1", "emailAddressIds": ["e1", "simulated-address-3"]},
                {"queueName": "Billing", "emailAddresses": ["Help@brand.example", "help@Brand.example"]},
                {"queueName": "Billing", "emailAddressId": "e1"},
                {"queueName": "q1", "emailAddress": "e1@simulation.example"},
                {"instanceId": "j", "queueName": "Billing", "emailAddress": "help@brand.example"}
            ]}"#,
        );
        let i = &fixture.instances["i"];
        let queues: Vec<(&str, Option<&str>)> =
            i.queues.iter().map(|(id, queue)| (id.as_str(), queue.name.as_deref())).collect();
        assert_eq!(queues, [("q1", None), ("simulated-queue-2", Some("Billing"))]);
        let addresses: Vec<(&str, &str)> =
            i.email_addresses.iter().map(|(id, address)| (id.as_str(), address.as_str())).collect();
        assert_eq!(
            addresses,
            [
                ("e1", "e1@simulation.example"),
                ("simulated-address-3", "simulated-address-3@simulation.example"),
                ("simulated-address-4", "Help@brand.example"),
            ]
        );
        let j = &fixture.instances["j"];
        assert_eq!((j.queues.len(), j.email_addresses.len()), (1, 1));
    }

    #[test]
    fn quota_defaults_to_the_pace() {
        let settings = Settings::read(|_| None).unwrap();
        assert_eq!(quota(&settings, false, None), Quota::per_second(2.0, 5.0));
        assert_eq!(quota(&settings, false, Some(1.0)), Quota::per_second(1.0, 5.0));
        assert_eq!(quota(&settings, true, None), Quota::default());
    }
}
