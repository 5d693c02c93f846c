//! Injects faults into calls: errors, delays and broken connections.
//!
//! A call is checked for faults before quota and behaviour. A call with a fault uses no quota and changes nothing,
//! unless the effect's documentation says otherwise. If several faults match, the first one with uses left applies.

use std::time::Duration;

use http::HeaderValue;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::Operation;
use crate::random::Random;
use crate::wire::Call;

/// A fault, and the calls that it affects. As JSON, every field except `effect` is optional:
///
/// ```
/// # use connect_simulator::{Effect, Fault, Operation};
/// # let fault: Fault = serde_json::from_str(r#"
/// { "operation": "AssociateQueueEmailAddresses", "queue": "queue-1", "times": 2,
///   "effect": { "error": { "status": 500, "code": "InternalServiceException", "message": "try again" } } }
/// # "#).unwrap();
/// # assert_eq!(fault.times, Some(2));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Matches only calls of this operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Matches only calls with this queue in their path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Matches only calls with this address, given by its identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Number of calls that the fault affects. `None` means unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Share, 0 to 1, of the calls that match otherwise. The generator seeded with
    /// [`Options::seed`](crate::Options::seed) chooses them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Effect on the affected calls.
    pub effect: Effect,
}

/// The effect of a fault on a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Effect {
    /// Responds with an error.
    Error {
        /// The HTTP status, 200 to 599.
        status: u16,
        /// The error code, such as `InternalServiceException`.
        code: String,
        /// The message.
        message: String,
    },
    /// Closes the connection without a response.
    Reset,
    /// Carries out the call, which uses quota, and closes the connection without a response.
    ResetAfter,
    /// Carries out the call, which uses quota, and delays the response by this time. In JSON, the time is in
    /// milliseconds.
    #[serde(rename = "delayMillis", serialize_with = "to_millis", deserialize_with = "from_millis")]
    Delay(Duration),
    /// Never responds.
    Hang,
    /// Sends the headers and the first half of a body, then closes the connection.
    CutOff,
    /// Responds with status 200 and a body that is not JSON, as a proxy may do. Does not carry out the call.
    Malformed,
    /// Responds with status 429, and with the time to wait in the header `x-amz-retry-after`.
    RetryAfter {
        /// Time to wait in milliseconds.
        millis: u64,
        /// The error code, such as `TooManyRequestsException`.
        code: String,
    },
}

impl Default for Effect {
    /// Returns the effect of a failure of the service.
    fn default() -> Self {
        Self::Error {
            status: 500,
            code: "InternalServiceException".to_owned(),
            message: "an injected failure".to_owned(),
        }
    }
}

// serde requires this signature.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn to_millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn from_millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

/// A fault that cannot be turned into a response.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum InvalidFault {
    /// The error's status is outside the allowed range.
    #[error("status {0}: 200 to 599 is accepted")]
    Status(u16),
    /// The error's code cannot be sent in a header.
    #[error("code {0:?}: visible ASCII characters are accepted")]
    Code(String),
    /// The share is outside 0 to 1.
    #[error("share {0}: 0 to 1 is accepted")]
    Share(f64),
}

impl Fault {
    /// Returns a fault that affects every call.
    pub fn new(effect: Effect) -> Self {
        Self { effect, ..Self::default() }
    }

    /// Checks that the fault can be turned into a response.
    ///
    /// # Errors
    ///
    /// Fails if the status, code or share is invalid.
    pub fn check(&self) -> Result<(), InvalidFault> {
        if let Some(share) = self.share
            && !(0.0..=1.0).contains(&share)
        {
            return Err(InvalidFault::Share(share));
        }
        match &self.effect {
            Effect::Error { status, .. } if !(200..600).contains(status) => {
                Err(InvalidFault::Status(*status))
            }
            Effect::Error { code, .. } | Effect::RetryAfter { code, .. }
                if HeaderValue::from_str(code).is_err() =>
            {
                Err(InvalidFault::Code(code.clone()))
            }
            _ => Ok(()),
        }
    }

    fn matches(&self, call: &Call) -> bool {
        self.times != Some(0)
            && self.operation.is_none_or(|operation| operation == call.operation)
            && self.queue.as_ref().is_none_or(|queue| call.queue.as_ref() == Some(queue))
            && self.address.as_ref().is_none_or(|address| call.addresses.contains(address))
    }
}

/// The active faults. `times` is decremented in place.
#[derive(Debug)]
pub(crate) struct Faults {
    faults: Vec<Fault>,
    random: Random,
}

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>, seed: u64) -> Self {
        Self { faults, random: Random::new(seed) }
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.faults.clear();
    }

    /// Returns the effect of the first fault that matches the call, and uses that fault once.
    pub(crate) fn meet(&mut self, call: &Call) -> Option<Effect> {
        let random = &mut self.random;
        let fault = self
            .faults
            .iter_mut()
            .find(|fault| fault.matches(call) && fault.share.is_none_or(|share| random.fraction() < share))?;
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        Some(fault.effect.clone())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

    use super::*;

    fn call(queue: &str, address: &str) -> Call {
        let uri = format!("/queues/i/{queue}/associate-email-addresses");
        let body = format!(r#"{{"EmailAddressesConfig": [{{"EmailAddressId": "{address}"}}]}}"#);
        Call::parse(Request::post(uri).body(Bytes::from(body)).unwrap()).unwrap()
    }

    #[test]
    fn first_matching_fault_with_times_left_applies() {
        let mut faults = Faults::new(
            vec![
                Fault { operation: Some(Operation::SearchQueues), ..Fault::new(Effect::CutOff) },
                Fault { queue: Some("q1".to_owned()), times: Some(1), ..Fault::new(Effect::Reset) },
                Fault { address: Some("a1".to_owned()), ..Fault::new(Effect::Hang) },
            ],
            1,
        );
        assert_eq!(faults.meet(&call("q1", "a1")), Some(Effect::Reset));
        assert_eq!(faults.meet(&call("q1", "a1")), Some(Effect::Hang));
        assert_eq!(faults.meet(&call("q2", "a1")), Some(Effect::Hang));
        assert_eq!(faults.meet(&call("q1", "a2")), None);
        faults.clear();
        assert_eq!(faults.meet(&call("q1", "a1")), None);
    }

    #[test]
    fn share_of_calls_meets_a_fault() {
        let fault = Fault { share: Some(0.25), times: Some(1000), ..Fault::new(Effect::Reset) };
        let mut faults = Faults::new(vec![fault], 3);
        let met = (0..1000).filter(|_| faults.meet(&call("q", "a")).is_some()).count();
        assert!((200..300).contains(&met), "{met} of 1000");
        assert_eq!(faults.faults[0].times, Some(1000 - u32::try_from(met).unwrap()));
    }

    #[test]
    fn every_effect_has_a_form_in_json() {
        let error = Effect::Error { status: 503, code: "X".to_owned(), message: "m".to_owned() };
        let cases = [
            (r#"{"effect":{"error":{"status":503,"code":"X","message":"m"}}}"#, error),
            (r#"{"effect":"reset"}"#, Effect::Reset),
            (r#"{"effect":"resetAfter"}"#, Effect::ResetAfter),
            (r#"{"effect":{"delayMillis":250}}"#, Effect::Delay(Duration::from_millis(250))),
            (r#"{"effect":"hang"}"#, Effect::Hang),
            (r#"{"effect":"cutOff"}"#, Effect::CutOff),
            (r#"{"effect":"malformed"}"#, Effect::Malformed),
            (
                r#"{"effect":{"retryAfter":{"millis":10,"code":"X"}}}"#,
                Effect::RetryAfter { millis: 10, code: "X".to_owned() },
            ),
        ];
        for (json, effect) in cases {
            let fault: Fault = serde_json::from_str(json).unwrap();
            assert_eq!(fault, Fault::new(effect));
            assert_eq!(serde_json::to_string(&fault).unwrap(), json);
        }
    }

    #[test]
    fn faults_without_an_answer_are_refused() {
        let error = |status, code: &str| {
            Fault::new(Effect::Error { status, code: code.to_owned(), message: String::new() })
        };
        let cases = [
            (error(500, "X"), None),
            (error(100, "X"), Some("status 100: 200 to 599 is accepted")),
            (error(500, "a\nb"), Some("code \"a\\nb\": visible ASCII characters are accepted")),
            (Fault { share: Some(1.5), ..Fault::default() }, Some("share 1.5: 0 to 1 is accepted")),
        ];
        for (fault, message) in cases {
            assert_eq!(fault.check().err().map(|error| error.to_string()).as_deref(), message);
        }
    }
}
