//! Types for identifiers whose text was checked.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Serialize, Serializer};

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

/// A checked identifier: letters, digits, `-`, `_` and `.` only, never `.` or `..`. It cannot alter the path of a URI.
///
/// A request is read with borrowed text. The rest of the pipeline shares the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<Of, Text = Arc<str>> {
    pub(super) text: Text,
    of: PhantomData<Of>,
}

/// The identifier of an instance.
pub type InstanceId<Text = Arc<str>> = Id<Instance, Text>;
/// The identifier of a queue.
pub type QueueId<Text = Arc<str>> = Id<Queue, Text>;
/// The identifier of an email address.
pub type EmailAddressId<Text = Arc<str>> = Id<EmailAddress, Text>;

impl<Of, Text> Id<Of, Text> {
    pub(super) fn checked(text: Text) -> Self {
        Id { text, of: PhantomData }
    }
}

impl<Of> Id<Of> {
    /// An identifier that Amazon Connect itself listed.
    pub(crate) fn listed(text: Arc<str>) -> Self {
        Id::checked(text)
    }

    pub(crate) fn borrowed(&self) -> Id<Of, &str> {
        Id::checked(&self.text)
    }
}

impl<Of> From<&Id<Of>> for Arc<str> {
    fn from(id: &Id<Of>) -> Self {
        id.text.clone()
    }
}

impl<Of> Id<Of, &str> {
    /// Copies the text, to share it.
    pub fn shared(self) -> Id<Of> {
        Id::checked(self.text.into())
    }
}

impl InstanceId {
    /// Represents an instance that is not known. It has no text, so no caller can specify it.
    pub fn unknown() -> Self {
        Id::checked("".into())
    }
}

impl<Of, Text: AsRef<str>> Deref for Id<Of, Text> {
    type Target = str;

    fn deref(&self) -> &str {
        self.text.as_ref()
    }
}

impl<Of> Borrow<str> for Id<Of> {
    fn borrow(&self) -> &str {
        self
    }
}

impl<Of, Text: AsRef<str>> AsRef<str> for Id<Of, Text> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl<Of, Text: AsRef<str>> fmt::Display for Id<Of, Text> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl<Of, Text: AsRef<str>> Serialize for Id<Of, Text> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// Tests write identifiers as literals.
#[cfg(test)]
impl<'a, Of, Text: From<&'a str>> From<&'a str> for Id<Of, Text> {
    fn from(text: &'a str) -> Self {
        Id::checked(text.into())
    }
}
