//! The surroundings of the handler: its settings, the simulator with its faults, and SQS. One number determines them
//! all.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use connect_simulator::{Connect, Effect, Fault, Fixture, Options, Quota};
use fastrand::Rng;
use http::Uri;
use queue_email_associator::invocation::Function;
use queue_email_associator::sdk;
use queue_email_associator::settings::Settings;
use tokio::time::Instant;

use crate::hostile::INSTANCE;
use crate::sqs::{CONTINUATION, FAILURES, Sqs};

/// The world of the sample events.
const SAMPLES: &str = include_str!("../../../events/fixture.json");

pub(crate) struct World {
    /// The queues and addresses that exist at first.
    pub(crate) fixture: Fixture,
    pub(crate) connect: Connect,
    pub(crate) sqs: Sqs,
    pub(crate) function: Function,
    pub(crate) time: Duration,
    violations: Violations,
}

/// A fault on the way to the API that must never occur.
type Violations = Arc<Mutex<Option<String>>>;

impl World {
    pub(crate) fn new(number: u64) -> Result<Self, String> {
        let mut rng = Rng::with_seed(number);
        let faults = (0..rng.usize(0..4)).map(|_| fault(&mut rng)).collect();
        let quota = if rng.bool() { Quota::per_second(2.0, 5.0) } else { Quota::default() };
        let sqs = Sqs::new(number, if rng.bool() { 0 } else { 3 });
        let mut variables = vec![];
        if rng.u8(0..4) > 0 {
            variables.push(("FAILURES_QUEUE_URL", FAILURES));
        }
        if rng.bool() {
            variables.push(("CONTINUATION_QUEUE_URL", CONTINUATION));
        }
        if rng.bool() {
            variables.push(("CONNECT_INSTANCE_ID", INSTANCE));
        }
        variables.push(("CONNECT_REQUESTS_PER_SECOND", if rng.bool() { "2" } else { "20" }));
        let time = Duration::from_secs([2, 3, 5, 10, 30][rng.usize(0..5)]);
        World::with(
            Options { fixture: fixture(SAMPLES)?, quota, faults, seed: number, ..Options::default() },
            sqs,
            &variables,
            time,
        )
    }

    /// A world in which everything works, but with the variables of another.
    pub(crate) fn calm(number: u64) -> Result<Self, String> {
        let mut calm = World::new(number)?;
        calm.connect.clear_faults();
        calm.connect.set_quota(Quota::default());
        calm.time = Duration::from_secs(30);
        Ok(calm)
    }

    fn with(options: Options, sqs: Sqs, variables: &[(&str, &str)], time: Duration) -> Result<Self, String> {
        let settings = Settings::read(|name| {
            let own =
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            own.or_else(|| (name == "AWS_REGION").then(|| "eu-central-1".to_owned()))
        })
        .map_err(|error| error.to_string())?;
        let fixture = options.fixture.clone();
        let connect = Connect::new(options);
        let violations = Violations::default();
        let credentials = SharedCredentialsProvider::new(Credentials::for_tests());
        let to_connect =
            SharedHttpConnector::new(ToConnect { connect: connect.clone(), violations: violations.clone() });
        let to_sqs = SharedHttpConnector::new(sqs.clone());
        let function = Function::new(
            settings.clone(),
            sdk::connect_client(
                &settings,
                credentials.clone(),
                http_client_fn(move |_, _| to_connect.clone()),
            ),
            sdk::sqs_client(&settings, credentials, http_client_fn(move |_, _| to_sqs.clone())),
        );
        Ok(World { fixture, connect, sqs, function, time, violations })
    }

    pub(crate) fn violation(&self) -> Option<String> {
        self.violations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .or_else(|| self.sqs.violation())
    }
}

/// The names that exist: the sample events' world, queues `q0` to `q5`, of which two share a name, and addresses `e0`
/// to `e119`.
///
/// # Errors
/// The sample events' world cannot be read. Without it, much of each payload would name nothing that exists.
fn fixture(samples: &str) -> Result<Fixture, String> {
    let mut fixture: Fixture =
        serde_json::from_str(samples).map_err(|error| format!("events/fixture.json: {error}"))?;
    for queue in 0..6 {
        let name = if queue < 4 { format!("Queue {queue}") } else { "Same name".to_owned() };
        fixture = fixture.with_queue(INSTANCE, format!("q{queue}"), name);
    }
    for address in 0..120 {
        let id = format!("e{address}");
        fixture = fixture.with_address(INSTANCE, id.clone(), format!("{id}@brand.example"));
    }
    Ok(fixture.with_association(INSTANCE, "q1", "e3").with_limit(INSTANCE, "q2", 7))
}

fn fault(rng: &mut Rng) -> Fault {
    let error = |status, code: &str| Effect::Error {
        status,
        code: code.to_owned(),
        message: "hidden@brand.example is no reason".to_owned(),
    };
    let effect = match rng.u8(0..14) {
        0 => error(500, "InternalServiceException"),
        1 => error(503, "ServiceUnavailable"),
        2 => error(429, "TooManyRequestsException"),
        3 => error(429, "LimitExceededException"),
        4 => error(403, "AccessDeniedException"),
        5 => error(403, "ExpiredTokenException"),
        6 => error(404, "ResourceNotFoundException"),
        7 => error(400, "InvalidParameterException"),
        8 => Effect::Reset,
        9 => Effect::ResetAfter,
        10 => Effect::Malformed,
        11 => Effect::CutOff,
        12 => Effect::Delay(Duration::from_secs(rng.u64(0..8))),
        _ => Effect::Hang,
    };
    Fault { times: Some(rng.u32(1..30)), share: Some(0.3), ..Fault::new(effect) }
}

/// Answers requests where they are made, after a look at where they go.
#[derive(Clone)]
struct ToConnect {
    connect: Connect,
    violations: Violations,
}

impl std::fmt::Debug for ToConnect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ToConnect")
    }
}

impl ToConnect {
    fn look_at(&self, uri: &str) {
        if !is_expected(uri) {
            let mut violation = self.violations.lock().unwrap_or_else(PoisonError::into_inner);
            violation.get_or_insert_with(|| format!("a request went to {uri}"));
        }
    }
}

/// Whether a URI is one of an operation, with nothing in its path that means something to a URI.
fn is_expected(uri: &str) -> bool {
    let Ok(uri) = uri.parse::<Uri>() else { return false };
    if uri.scheme_str() != Some("https")
        || uri.authority().map(|a| a.as_str()) != Some("connect.eu-central-1.amazonaws.com")
    {
        return false;
    }
    let plain = |segment: &str| {
        (1..=500).contains(&segment.len())
            && segment != "."
            && segment != ".."
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    let segments: Vec<&str> = uri.path().split('/').collect();
    match segments.as_slice() {
        ["", "queues", instance, queue, "associate-email-addresses"] => {
            plain(instance) && plain(queue) && uri.query().is_none()
        }
        ["", "queues", instance, queue, "email-addresses"] => plain(instance) && plain(queue),
        ["", "search-queues" | "search-email-addresses"] => uri.query().is_none(),
        _ => false,
    }
}

impl HttpConnector for ToConnect {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let to = self.clone();
        to.look_at(request.uri());
        HttpConnectorFuture::new(async move {
            let other = |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::other(error, None);
            let request = request.try_into_http1x().map_err(|error| other(error.into()))?;
            let request = request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
            let answer = to.connect.answer(request, Instant::now());
            tokio::time::sleep(answer.delay).await;
            if answer.hang {
                std::future::pending::<()>().await;
            }
            match answer.response.filter(|_| !answer.cut_off) {
                Some(response) => {
                    let response = response.map(|body| SdkBody::from(body.to_vec()));
                    HttpResponse::try_from(response).map_err(|error| other(error.into()))
                }
                None => Err(ConnectorError::io("the connection was closed".into())),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{INSTANCE, SAMPLES, fixture, is_expected};

    #[test]
    fn world_needs_the_samples() {
        let queues = |samples| fixture(samples).unwrap().instances[INSTANCE].queues.len();
        assert!(queues(SAMPLES) > queues("{}"));
        let error = fixture(r#"{"instance": {}}"#).unwrap_err();
        assert!(error.starts_with("events/fixture.json: unknown field `instance`"), "{error}");
    }

    #[test]
    fn only_plain_paths_are_expected() {
        let host = "https://connect.eu-central-1.amazonaws.com";
        assert!(is_expected(&format!("{host}/queues/i/q/associate-email-addresses")));
        for other in [
            format!("{host}/queues/i/../associate-email-addresses"),
            format!("{host}/queues/i/q%2fx/associate-email-addresses"),
            format!("{host}/queues/i//associate-email-addresses"),
            format!("{host}/queues/i/q/associate-email-addresses?x"),
            format!("{host}/queues/i/q/disassociate-email-addresses"),
            "https://elsewhere.example/search-queues".to_owned(),
        ] {
            assert!(!is_expected(&other), "{other}");
        }
    }
}
