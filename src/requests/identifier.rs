//! Types for identifiers whose text was checked.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::resource::{EmailAddress, Instance, Queue};

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

    /// Borrows the text.
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
