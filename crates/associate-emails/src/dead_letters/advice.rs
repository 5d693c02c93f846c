//! Advice: a few words on each error. `docs/operations.md` says more.

use super::dead_letter::{UNDELIVERED, UNKNOWN, USED_UP};

/// Tells a person in a few words how to mend an error before redriving its dead letters.
pub(super) fn advice(error: &str) -> &'static str {
    match error {
        "InvalidRequest" => "mend the sender and delete them: sent back unchanged, they fail again",
        "NameNotFound" | "EmailAddressNotFound" => "create it, or mend the name, then redrive",
        "NameAmbiguous" => "delete them, and ask again by identifier",
        "ResourceNotFoundException" => "create the queue or address, or mend the identifier, then redrive",
        "QueueFull" => "remove addresses from the queue or have its quota raised, then redrive",
        "AccessDeniedException" => "allow the function's role the action in the message, then redrive",
        "LimitExceededException" => "allow connect:ListQueueEmailAddresses, then redrive",
        "DeadlineExceeded" | "ThrottlingException" | "TooManyRequestsException" => {
            "redrive; if it lasts, lower RequestsPerSecond"
        }
        "NO_PERMISSIONS" => "allow the rule to send to the queue or invoke the function, then redrive",
        error if error == USED_UP => "search the log for the reference; once the cause is gone, redrive",
        error if error == UNDELIVERED => "look at the rule and its target, then redrive",
        error if error == UNKNOWN => "look at the dead letter (--json)",
        error if error.starts_with("Http5") || RETRIED.contains(&error) => "redrive",
        _ => "see the message (--json); once the cause is mended, redrive",
    }
}

/// Faults of the service, of the way to it, or of a process's credentials.
const RETRIED: [&str; 9] = [
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
