//! Computes the `ClientToken`, which makes a call idempotent.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::operation::QueueCall;

impl QueueCall {
    /// The `ClientToken` of the call. A redelivered message has the same token for the same chunk. A later message that
    /// requests the same pairs has another one.
    ///
    /// The token has 64 hexadecimal characters. The API accepts up to 500 (API reference, AssociateQueueEmailAddresses,
    /// ClientToken).
    pub(super) fn client_token(&self) -> String {
        let mut hash = Sha256::new();
        // The hash includes the length of each part, so that two different lists of parts never have the same bytes.
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        part(&self.instance);
        part(&self.queue);
        self.addresses.iter().for_each(|address| part(address));
        part("");
        self.sources.iter().for_each(|source| part(source));
        hash.finalize().iter().fold(String::with_capacity(64), |mut token, byte| {
            // Writing to a string cannot fail.
            let _ = write!(token, "{byte:02x}");
            token
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_depends_on_instance_queue_addresses_and_sources() {
        let token = |queue: &str, addresses: &[&str], sources: &[&str]| {
            let call = QueueCall {
                instance: "i".into(),
                queue: queue.into(),
                addresses: addresses.iter().map(|id| (*id).into()).collect(),
                sources: sources.iter().map(|source| (*source).into()).collect(),
            };
            call.client_token()
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
