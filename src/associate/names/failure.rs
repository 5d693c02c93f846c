//! The failures of pairs whose names cannot be resolved.
//!
//! No message contains the name itself, because messages are logged and a name may be an email address.

use std::fmt;

use crate::connect::{Class, DirectoryKind, RejectedCall};
use crate::failure::{Blame, Failure, Retry};
use crate::requests::InstanceId;

use super::directory::{Directory, DirectoryKey};

/// The instance that was searched, for messages. A name may be right in another Region.
#[derive(Debug, Clone, Copy)]
pub(super) struct SearchScope<'a> {
    instance: &'a InstanceId,
    kind: DirectoryKind,
    region: &'a str,
}

impl fmt::Display for SearchScope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "instance {} in {}", self.instance, self.region)
    }
}

impl<'a> SearchScope<'a> {
    pub(super) fn new(key: &'a DirectoryKey, region: &'a str) -> Self {
        SearchScope { instance: &key.instance, kind: key.kind, region }
    }

    pub(super) fn name_not_found(self, name: &str, directory: &Directory) -> Failure {
        let message = match (self.kind, directory.find_similar(name)) {
            (DirectoryKind::Queues, Some((id, differences))) => format!(
                "no standard queue of {self} has exactly this name; the name of queue {id} differs only in \
                 {differences}; use that name, or replace queueName with queueId"
            ),
            (DirectoryKind::EmailAddresses, Some((id, differences))) => format!(
                "{self} does not have this email address; email address {id} differs only in {differences}; use that \
                 form, or replace emailAddress with emailAddressId"
            ),
            (DirectoryKind::Queues, None) => format!(
                "no standard queue of {self} has exactly this name; create the queue, or correct queueName or instanceId"
            ),
            (DirectoryKind::EmailAddresses, None) => format!(
                "{self} does not have this email address; create it, or correct emailAddress or instanceId"
            ),
        };
        Failure::ours("NameNotFound", message, Retry::FirstDelivery)
    }

    pub(super) fn name_ambiguous(self, count: usize) -> Failure {
        let message = match self.kind {
            DirectoryKind::Queues => {
                format!("{count} standard queues of {self} have this name; replace queueName with queueId")
            }
            DirectoryKind::EmailAddresses => format!(
                "{count} email addresses of {self} match this one; replace emailAddress with emailAddressId"
            ),
        };
        Failure::ours("NameAmbiguous", message, Retry::Never)
    }

    /// The failure of a checked identifier that the directory of addresses does not have.
    pub(super) fn address_not_found(self) -> Failure {
        let message = format!(
            "{self} does not have an email address with this identifier; create it, or correct emailAddressId or \
             instanceId"
        );
        Failure {
            blame: Blame::Address,
            ..Failure::ours("EmailAddressNotFound", message, Retry::FirstDelivery)
        }
    }

    /// The failure of names whose directory cannot be read, with the error code of the rejection. The API may reject a
    /// later page because of its token, so that rejection is retryable.
    pub(super) fn unreadable(self, rejected: &RejectedCall, is_first_page: bool) -> Failure {
        let rejection = &rejected.rejection;
        let advice = match (rejection.class, self.kind) {
            (Class::Denied, DirectoryKind::Queues) => {
                "; the function's role needs connect:SearchQueues and connect:DescribeQueue"
            }
            (Class::Denied, DirectoryKind::EmailAddresses) => {
                "; the function's role needs connect:SearchEmailAddresses and connect:DescribeEmailAddress"
            }
            _ => "",
        };
        let operation = self.kind.operation();
        let message = format!(
            "names cannot be looked up in {self}: {operation} was rejected: {}{advice}",
            rejection.message
        );
        if rejected.out_of_time {
            return Failure::deadline_exceeded_after_rejection(message);
        }
        let retry = match rejection.class {
            Class::Throttled | Class::Unavailable | Class::Limit | Class::Credentials => Retry::MayPass,
            Class::NotFound | Class::Content if !is_first_page => Retry::MayPass,
            Class::NotFound => Retry::FirstDelivery,
            Class::Content | Class::Denied => Retry::Never,
        };
        Failure::ours(rejection.code.clone(), message, retry)
    }

    /// The failure of names in a directory whose pages never end.
    pub(super) fn endless(self, rejected: &RejectedCall) -> Failure {
        let message = format!("names cannot be looked up in {self}: {}", rejected.rejection.message);
        Failure::ours(rejected.rejection.code.clone(), message, Retry::MayPass)
    }

    /// The failure of names whose directory was not read completely in time.
    pub(super) fn unfinished(self, pages_read: usize, reason: &str) -> Failure {
        Failure::deadline_exceeded(format!(
            "names cannot be looked up in {self}: there was not enough time to read all pages of {} ({pages_read} were \
             read): {reason}",
            self.kind.operation()
        ))
    }
}
