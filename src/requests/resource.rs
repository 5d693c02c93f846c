//! The kinds of resources that a request identifies.

/// A kind of resource, with the rules for its identifiers.
pub trait Resource: Clone {
    /// Maximum length, in characters. The API reference, AssociateQueueEmailAddresses, specifies the maximum for
    /// `InstanceId` and `EmailAddressId`, but not for `QueueId`.
    const MAX_LENGTH: usize;
    /// The segment before the identifier in an ARN, after the instance's.
    const SEGMENT: Option<&'static str>;
    /// The form of an ARN.
    const ARN_FORM: &'static str;
    /// A character that suggests that the text belongs in another field, and the hint for this case.
    const HINT: Option<(char, &'static str)>;
}

/// An instance of Amazon Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Instance {}

/// A queue of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Queue {}

/// An email address of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EmailAddress {}

impl Resource for Instance {
    const MAX_LENGTH: usize = 100;
    const SEGMENT: Option<&'static str> = None;
    const ARN_FORM: &'static str = "arn:<partition>:connect:<region>:<account>:instance/<id>";
    const HINT: Option<(char, &'static str)> = None;
}

impl Resource for Queue {
    const MAX_LENGTH: usize = 500;
    const SEGMENT: Option<&'static str> = Some("queue");
    const ARN_FORM: &'static str = "arn:<partition>:connect:<region>:<account>:instance/<id>/queue/<id>";
    const HINT: Option<(char, &'static str)> = Some((' ', "; to specify a queue by its name, use queueName"));
}

impl Resource for EmailAddress {
    const MAX_LENGTH: usize = 500;
    const SEGMENT: Option<&'static str> = Some("email-address");
    const ARN_FORM: &'static str =
        "arn:<partition>:connect:<region>:<account>:instance/<id>/email-address/<id>";
    const HINT: Option<(char, &'static str)> =
        Some(('@', "; to specify an address itself, use emailAddress"));
}
