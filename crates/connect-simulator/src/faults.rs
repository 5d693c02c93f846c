//! Injects faults into calls: errors, delays and broken connections.
//!
//! Faults apply before the quota and the operation. A call with a fault uses no quota and changes nothing, unless the
//! documentation of the effect says otherwise. If several faults match, the first one with uses left applies.

use std::time::Duration;

use fastrand::Rng;
use serde::{Deserialize, Deserializer};

use crate::Operation;
use crate::wire::Call;

/// A fault, and the calls that it affects. As JSON, every field except `effect` is optional.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Matches only calls of this operation.
    pub operation: Option<Operation>,
    /// Matches only calls with this queue in their path.
    pub queue: Option<String>,
    /// Matches only calls with this address, given by its identifier.
    pub address: Option<String>,
    /// Number of calls that the fault affects. `None` means unlimited.
    pub times: Option<u32>,
    /// Share, 0 to 1, of the matching calls. They are chosen at random, from [`Options::seed`](crate::Options::seed).
    pub share: Option<f64>,
    /// Effect on the affected calls.
    pub effect: Effect,
}

/// The effect of a fault on a call.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Effect {
    /// Responds with an error.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error code, such as `InternalServiceException`.
        code: String,
        /// The message.
        message: String,
    },
    /// Closes the connection without a response. Does not carry out the call.
    Reset,
    /// Carries out the call, which uses quota, and closes the connection without a response.
    ResetAfter,
    /// Carries out the call, which uses quota, and delays the response by this time. In JSON, the time is in
    /// milliseconds.
    #[serde(rename = "delayMillis", deserialize_with = "from_millis")]
    Delay(Duration),
    /// Never responds.
    Hang,
    /// Sends the headers and the first half of a body, then closes the connection.
    CutOff,
    /// Responds with status 200 and a body that is not JSON, as some proxies do. Does not carry out the call.
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
        Self::error(500, "InternalServiceException")
    }
}

fn from_millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

impl Effect {
    /// Returns an error response with a status and a code.
    pub fn error(status: u16, code: &str) -> Self {
        Self::Error { status, code: code.to_owned(), message: "an injected error".to_owned() }
    }
}

impl Fault {
    /// Returns a fault that affects every call.
    pub fn new(effect: Effect) -> Self {
        Self { effect, ..Self::default() }
    }

    /// Limits the fault to calls of an operation.
    #[must_use]
    pub fn on(self, operation: Operation) -> Self {
        Self { operation: Some(operation), ..self }
    }

    /// Limits the fault to a number of calls.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
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
    pub(crate) active: Vec<Fault>,
    rng: Rng,
}

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>, seed: u64) -> Self {
        Self { active: faults, rng: Rng::with_seed(seed) }
    }

    /// Returns the effect of the first fault that matches the call, and uses that fault once.
    pub(crate) fn apply(&mut self, call: &Call) -> Option<Effect> {
        let rng = &mut self.rng;
        let fault = self
            .active
            .iter_mut()
            .find(|fault| fault.matches(call) && fault.share.is_none_or(|share| rng.f64() < share))?;
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
        assert_eq!(faults.apply(&call("q1", "a1")), Some(Effect::Reset));
        assert_eq!(faults.apply(&call("q1", "a1")), Some(Effect::Hang));
        assert_eq!(faults.apply(&call("q2", "a1")), Some(Effect::Hang));
        assert_eq!(faults.apply(&call("q1", "a2")), None);
        faults.active.clear();
        assert_eq!(faults.apply(&call("q1", "a1")), None);
    }

    #[test]
    fn fault_with_a_share_affects_about_that_share_of_calls() {
        let fault = Fault { share: Some(0.25), times: Some(1000), ..Fault::new(Effect::Reset) };
        let mut faults = Faults::new(vec![fault], 3);
        let affected = (0..1000).filter(|_| faults.apply(&call("q", "a")).is_some()).count();
        assert!((200..300).contains(&affected), "{affected} of 1000");
        assert_eq!(faults.active[0].times, Some(1000 - u32::try_from(affected).unwrap()));
    }

    #[test]
    fn effects_are_read_from_json() {
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
        }
    }
}
