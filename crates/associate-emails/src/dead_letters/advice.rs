//! One-line remedies, keyed by error code. `docs/operations.md` describes them in detail.

use super::dead_letter::{UNDELIVERED, UNKNOWN, USED_UP};

/// Returns what to do about an error before its dead letters are redriven.
pub(super) fn advice(error: &str) -> &'static str {
    match error {
        "InvalidRequest" => "fix the sender, then delete them; redriven unchanged, they fail again",
        "NameNotFound" | "EmailAddressNotFound" => "create it, or fix the name, then redrive",
        "NameAmbiguous" => "delete them, and send the request again with identifiers",
        "ResourceNotFoundException" => "create the queue or address, or fix the identifier, then redrive",
        "QueueFull" => "remove addresses from the queue, or request a higher quota, then redrive",
        "AccessDeniedException" => "allow the function's role the action in the message, then redrive",
        "LimitExceededException" => "allow connect:ListQueueEmailAddresses, then redrive",
        "DeadlineExceeded" | "ThrottlingException" | "TooManyRequestsException" => {
            "redrive; if they fail again, lower RequestsPerSecond"
        }
        "NO_PERMISSIONS" => "allow the rule to send to the queue or invoke the function, then redrive",
        error if error == USED_UP => "search the log for the reference, fix the cause, then redrive",
        error if error == UNDELIVERED => "check the rule and its target, then redrive",
        error if error == UNKNOWN => "read the dead letter (--json)",
        error if error.starts_with("Http5") || TRANSIENT.contains(&error) => "redrive",
        _ => "read the message (--json), fix the cause, then redrive",
    }
}

/// Failures of the service, of the connection, or of the credentials of one process.
const TRANSIENT: [&str; 9] = [
    "InternalServiceException",
    "CallTimeout",
    "ConnectionFailed",
    "UnreadableAnswer",
    "ExpiredTokenException",
    "UnrecognizedClientException",
    "CredentialsNotLoaded",
    "SERVICE_UNAVAILABLE",
    "THROTTLING",
];
