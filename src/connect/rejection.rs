//! Classifies the reasons why a call did not succeed, by the right reaction.

use std::error::Error;
use std::time::Duration;

use aws_sdk_connect::config::http::HttpResponse;
use aws_sdk_connect::error::{ProvideErrorMetadata, SdkError};

use super::operation::Operation;

/// The code of an attempt that took too long.
const CALL_TIMEOUT: &str = "CallTimeout";
/// The code of an attempt whose connection failed.
const CONNECTION_FAILED: &str = "ConnectionFailed";

/// Why a call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The class decides the reaction.
    pub class: Class,
    /// The API's error code, or one of the function's own if the API returned none.
    pub code: String,
    /// The API's message, or one of the function's own.
    pub message: String,
    /// The wait that the server requests (`x-amz-retry-after`, milliseconds).
    pub retry_after: Option<Duration>,
}

/// A call that failed and is not retried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RejectedCall {
    /// The last rejection.
    pub rejection: Rejection,
    /// Whether the call would have been retried if there had been time.
    pub(crate) out_of_time: bool,
}

impl RejectedCall {
    /// The rejection of a listing whose pages do not end. `pages` is what the API returned instead.
    pub(crate) fn endless(operation: Operation, pages: &str) -> Self {
        let message = format!("{operation} returned {pages}");
        let rejection = Rejection::ours(Class::Unavailable, "EndlessPages", message);
        RejectedCall { rejection, out_of_time: false }
    }
}

/// The kind of a rejection, by the right reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The call was throttled. Slow down, and retry with backoff.
    Throttled,
    /// The service or the network failed. Retry with backoff. Connect may have carried out the call.
    Unavailable,
    /// The queue is full, or a limit applies that may pass. The queue's list decides.
    Limit,
    /// The API did not find a resource of the call.
    NotFound,
    /// The API rejected the content of the call for another reason.
    Content,
    /// The function has no permission.
    Denied,
    /// The credentials or the client's configuration are wrong. Another process may have better ones.
    Credentials,
}

impl Class {
    /// Whether to retry the call with backoff.
    pub fn is_retried(self) -> bool {
        matches!(self, Class::Throttled | Class::Unavailable)
    }

    /// Whether the content of the call is at fault.
    pub fn blames_content(self) -> bool {
        matches!(self, Class::NotFound | Class::Content)
    }

    /// Classifies an error response. The error code takes precedence over the status.
    ///
    /// The codes are in the API reference, AssociateQueueEmailAddresses and "Common Error Types". The SDK does not model
    /// `TooManyRequestsException`, but the front end of Connect returns it.
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

impl Rejection {
    /// Whether the API responded to the attempt. A timeout or a broken connection is not a response.
    pub(crate) fn is_response(&self) -> bool {
        !matches!(self.code.as_str(), CALL_TIMEOUT | CONNECTION_FAILED)
    }

    /// The attempt took longer than `after`.
    pub fn timed_out(after: Duration) -> Self {
        Rejection::ours(
            Class::Unavailable,
            CALL_TIMEOUT,
            format!("the API did not respond within {} ms", after.as_millis()),
        )
    }

    fn ours(class: Class, code: &str, message: impl Into<String>) -> Self {
        Rejection { class, code: code.to_owned(), message: message.into(), retry_after: None }
    }
}

/// Classifies an error of the SDK.
impl<E: ProvideErrorMetadata + Error + 'static> From<SdkError<E, HttpResponse>> for Rejection {
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        match &error {
            _ if is_about_credentials(&error) => Rejection::ours(
                Class::Credentials,
                "CredentialsNotLoaded",
                with_sources("credentials cannot be loaded", &error),
            ),
            SdkError::ConstructionFailure(_) => Rejection::ours(
                Class::Credentials,
                "CallNotBuilt",
                with_sources("the call could not be built", &error),
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
                    _ => format!("the API responded with status {status} and no message"),
                };
                Rejection { class, code, message, retry_after: retry_after(response) }
            }
            SdkError::ResponseError(context) => {
                let status = context.raw().status().as_u16();
                // Below status 400 the call succeeded, and only its response is unreadable.
                let class = if status < 400 { Class::Unavailable } else { Class::of(None, status) };
                let message = format!("the API's response (status {status}) cannot be read");
                let retry_after = retry_after(context.raw());
                Rejection { retry_after, ..Rejection::ours(class, "UnreadableAnswer", message) }
            }
            SdkError::TimeoutError(_) => {
                Rejection::ours(Class::Unavailable, CALL_TIMEOUT, "the API did not respond in time")
            }
            _ => Rejection::ours(
                Class::Unavailable,
                CONNECTION_FAILED,
                with_sources("the API was not reached", &error),
            ),
        }
    }
}

fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let millis = response.headers().get("x-amz-retry-after")?.trim().parse().ok()?;
    Some(Duration::from_millis(millis))
}

fn is_about_credentials(error: &(dyn Error + 'static)) -> bool {
    sources(error).any(|source| source.is::<aws_credential_types::provider::error::CredentialsError>())
}

/// The SDK's own text says only "dispatch failure". The useful cause is at the end of the chain.
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
    fn code_decides_before_status() {
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
