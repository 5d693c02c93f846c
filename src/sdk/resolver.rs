//! Name resolution with a time limit.

use std::net::IpAddr;
use std::time::Duration;

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use tokio::net::lookup_host;
use tokio::time::timeout;

/// Time limit of a name resolution. The C library alone waits up to 30 s for DNS servers that do not respond
/// (resolv.conf(5): two attempts of 5 s for each of three servers).
const LIMIT: Duration = Duration::from_secs(3);

/// The system's resolver with a time limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver;

/// The resolver did not respond in time.
#[derive(Debug, thiserror::Error)]
#[error("the name {name:?} was not resolved within {} s", LIMIT.as_secs())]
pub(super) struct UnresolvedName {
    name: String,
}

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            match timeout(LIMIT, lookup_host((name, 0))).await {
                Ok(Ok(addresses)) => Ok(addresses.map(|address| address.ip()).collect::<Vec<IpAddr>>()),
                Ok(Err(error)) => Err(ResolveDnsError::new(error)),
                Err(_) => Err(ResolveDnsError::new(UnresolvedName { name: name.to_owned() })),
            }
        })
    }
}
