//! `ClientToken`: what makes a call idempotent.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The token of a call: the same message redelivered gives the same token for the same chunk, and a later message
/// that asks for the same thing does not.
///
/// `askers` are the identifiers of what asked for the addresses. 64 hexadecimal characters; the API takes 500
/// (API reference, AssociateQueueEmailAddresses, ClientToken).
pub fn client_token<'a>(
    instance: &str,
    queue: &str,
    addresses: impl IntoIterator<Item = &'a str>,
    askers: impl IntoIterator<Item = &'a str>,
) -> String {
    let mut hash = Sha256::new();
    // Each part goes in with its length, so that no two lists of parts run together alike.
    let mut part = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    part(instance);
    part(queue);
    addresses.into_iter().for_each(&mut part);
    part("");
    askers.into_iter().for_each(&mut part);
    hash.finalize().iter().fold(String::with_capacity(64), |mut token, byte| {
        // Writing to a string cannot fail.
        let _ = write!(token, "{byte:02x}");
        token
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_depends_on_everything_and_on_nothing_else() {
        let token = |queue, addresses: &[&'static str], askers: &[&'static str]| {
            client_token("i", queue, addresses.iter().copied(), askers.iter().copied())
        };
        let base = token("q", &["a", "b"], &["m1"]);
        assert_eq!(base.len(), 64);
        assert_eq!(base, token("q", &["a", "b"], &["m1"]));
        for other in [
            token("p", &["a", "b"], &["m1"]),
            token("q", &["a"], &["b", "m1"]),
            token("q", &["ab"], &["m1"]),
            token("q", &["a", "b"], &["m2"]),
            token("q", &["a", "b"], &["m1", "m2"]),
        ] {
            assert_ne!(base, other);
        }
    }
}
