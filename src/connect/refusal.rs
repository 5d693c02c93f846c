//! Refusals: why a call did not succeed, classified by what is to be done about it.

use std::error::Error;
use std::time::Duration;

use aws_sdk_connect::config::http::HttpResponse;
use aws_sdk_connect::error::{ProvideErrorMetadata, SdkError};

use super::operation::Operation;

/// Why a call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is to be done about it.
    pub class: Class,
    /// The API's error code, or a word of ours where the API gave none.
    pub code: String,
    /// The API's message, or ours.
    pub message: String,
    /// How long the server asks to wait (`x-amz-retry-after`, milliseconds).
    pub retry_after: Option<Duration>,
}

/// A call that failed for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The last refusal.
    pub refusal: Refusal,
    /// The call would have been made again, but there was no time left.
    pub out_of_time: bool,
    /// An earlier attempt may have been carried out although its answer was lost.
    pub maybe_done: bool,
}

impl Refused {
    /// The pages of a list that do not come to an end, for this reason.
    pub fn endless(operation: Operation, reason: &str) -> Self {
        let message = format!("the pages of {operation} do not end: {reason}");
        let refusal = Refusal::ours(Class::Unavailable, "EndlessPages", message);
        Refused { refusal, out_of_time: false, maybe_done: false }
    }
}

/// What is to be done about a call that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Too many calls: slow down, and retry with backoff.
    Throttled,
    /// A fault of the service or of the way to it: retry with backoff. The call may have been carried out.
    Unavailable,
    /// A full queue, or a limit that may pass: the queue's list decides.
    Limit,
    /// A resource named in the call was not found.
    NotFound,
    /// Something else about the content of the call.
    Content,
    /// No permission.
    Denied,
    /// The credentials, or the configuration of the client: another process may have better ones.
    Credentials,
}

impl Class {
    /// Whether the call is made again, with backoff.
    pub fn is_retried(self) -> bool {
        matches!(self, Class::Throttled | Class::Unavailable)
    }

    /// Whether something that the call named is at fault.
    pub fn blames_content(self) -> bool {
        matches!(self, Class::NotFound | Class::Content)
    }

    /// The class of an answer. The error code decides before the status.
    ///
    /// Codes: API reference, AssociateQueueEmailAddresses and "Common Error Types"; `TooManyRequestsException` is
    /// what the front end of Connect answers and is in no model.
    pub fn of(code: Option<&str>, status: u16) -> Self {
        match code.unwrap_or_default() {
            "ThrottlingException" | "TooManyRequestsException" => Class::Throttled,
            "LimitExceededException" => Class::Limit,
            "AccessDeniedException" => Class::Denied,
            "ResourceNotFoundException" => Class::NotFound,
            "InvalidParameterException" | "InvalidRequestException" => Class::Content,
            "InternalServiceException" => Class::Unavailable,
            "UnrecognizedClientException" | "InvalidSignatureException" | "RequestExpired" => {
                Class::Credentials
            }
            code if code.starts_with("ExpiredToken") || code.starts_with("IncompleteSignature") => {
                Class::Credentials
            }
            _ => match status {
                429 => Class::Throttled,
                401 | 403 => Class::Credentials,
                408 => Class::Unavailable,
                400..=499 => Class::Content,
                _ => Class::Unavailable,
            },
        }
    }
}

impl Refusal {
    /// The attempt's time is up.
    pub fn timed_out(after: Duration) -> Self {
        Refusal::ours(
            Class::Unavailable,
            "CallTimeout",
            format!("the API did not answer within {} ms", after.as_millis()),
        )
    }

    /// Classifies what the SDK reports.
    pub fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            _ if is_about_credentials(error) => Refusal::ours(
                Class::Credentials,
                "CredentialsNotLoaded",
                with_sources("credentials cannot be loaded", error),
            ),
            SdkError::ConstructionFailure(_) => Refusal::ours(
                Class::Credentials,
                "CallNotBuilt",
                with_sources("the call could not be built", error),
            ),
            SdkError::ServiceError(context) => {
                let (error, response) = (context.err(), context.raw());
                let status = response.status().as_u16();
                let class = Class::of(error.code(), status);
                let code = match (error.code(), status) {
                    (Some(code), _) => code.to_owned(),
                    (None, 429) => "TooManyRequestsException".to_owned(),
                    (None, status) => format!("Http{status}"),
                };
                let message = match error.message() {
                    Some(message) if !message.is_empty() => message.to_owned(),
                    _ => format!("the API answered with status {status} and no message"),
                };
                Refusal { class, code, message, retry_after: retry_after(response) }
            }
            SdkError::ResponseError(context) => {
                let status = context.raw().status().as_u16();
                // Below 400 the call succeeded and its answer is what cannot be read.
                let class = if status < 400 { Class::Unavailable } else { Class::of(None, status) };
                let message = format!("the API's answer (status {status}) cannot be read");
                let retry_after = retry_after(context.raw());
                Refusal { retry_after, ..Refusal::ours(class, "UnreadableAnswer", message) }
            }
            SdkError::TimeoutError(_) => {
                Refusal::ours(Class::Unavailable, "CallTimeout", "the API did not answer in time")
            }
            _ => Refusal::ours(
                Class::Unavailable,
                "ConnectionFailed",
                with_sources("the API was not reached", error),
            ),
        }
    }

    fn ours(class: Class, code: &str, message: impl Into<String>) -> Self {
        Refusal { class, code: code.to_owned(), message: message.into(), retry_after: None }
    }
}

fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let millis = response.headers().get("x-amz-retry-after")?.trim().parse().ok()?;
    Some(Duration::from_millis(millis))
}

fn is_about_credentials(error: &(dyn Error + 'static)) -> bool {
    sources(error).any(|source| source.is::<aws_credential_types::provider::error::CredentialsError>())
}

/// The SDK's own words say only "dispatch failure"; what a person can act on stands at the end of the chain.
fn with_sources(text: &str, error: &(dyn Error + 'static)) -> String {
    match sources(error).last() {
        Some(cause) => format!("{text}: {cause}"),
        None => text.to_owned(),
    }
}

fn sources<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    fn source<'e>(error: &&'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
        (*error).source()
    }
    std::iter::successors(error.source(), source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_before_the_status() {
        let table = [
            (Some("ThrottlingException"), 429, Class::Throttled),
            (Some("ThrottlingException"), 400, Class::Throttled),
            (Some("TooManyRequestsException"), 429, Class::Throttled),
            (Some("SomethingNewException"), 429, Class::Throttled),
            (None, 429, Class::Throttled),
            (Some("LimitExceededException"), 429, Class::Limit),
            (Some("LimitExceededException"), 400, Class::Limit),
            (Some("InternalServiceException"), 500, Class::Unavailable),
            (Some("InternalServiceException"), 400, Class::Unavailable),
            (None, 500, Class::Unavailable),
            (Some("ServiceUnavailable"), 503, Class::Unavailable),
            (None, 408, Class::Unavailable),
            (None, 302, Class::Unavailable),
            (Some("ResourceNotFoundException"), 404, Class::NotFound),
            (Some("InvalidParameterException"), 400, Class::Content),
            (Some("InvalidRequestException"), 400, Class::Content),
            (Some("SomethingNewException"), 404, Class::Content),
            (None, 413, Class::Content),
            (Some("AccessDeniedException"), 403, Class::Denied),
            (Some("AccessDeniedException"), 400, Class::Denied),
            (Some("ExpiredTokenException"), 403, Class::Credentials),
            (Some("ExpiredToken"), 400, Class::Credentials),
            (Some("UnrecognizedClientException"), 400, Class::Credentials),
            (Some("InvalidSignatureException"), 400, Class::Credentials),
            (Some("IncompleteSignatureException"), 400, Class::Credentials),
            (Some("RequestExpired"), 400, Class::Credentials),
            (None, 401, Class::Credentials),
            (Some("MissingAuthenticationTokenException"), 403, Class::Credentials),
        ];
        for (code, status, class) in table {
            assert_eq!(Class::of(code, status), class, "{code:?} {status}");
        }
    }
}
