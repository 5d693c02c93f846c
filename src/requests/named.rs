//! A queue or an email address, by its identifier or by its name.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::Field;
use super::identifier::{EmailAddressId, Id, QueueId};

/// A queue or an email address as the caller specified it. Identifiers and names are separate name spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Named<Id, Name = Arc<str>> {
    /// By its identifier.
    Id(Id),
    /// By a queue's name or by the address itself.
    Name(Name),
}

impl<Id, Name> Named<Id, Name> {
    /// Borrows the identifier or the name.
    pub fn as_ref(&self) -> Named<&Id, &Name> {
        match self {
            Named::Id(id) => Named::Id(id),
            Named::Name(name) => Named::Name(name),
        }
    }

    /// The identifier, if the caller specified it.
    pub fn id(&self) -> Option<&Id> {
        match self {
            Named::Id(id) => Some(id),
            Named::Name(_) => None,
        }
    }

    /// The name, if the caller specified it.
    pub fn name(&self) -> Option<&Name> {
        match self {
            Named::Id(_) => None,
            Named::Name(name) => Some(name),
        }
    }
}

impl<Id: Clone, Name: Clone> Named<&Id, &Name> {
    /// Clones the identifier or the name.
    pub fn cloned(self) -> Named<Id, Name> {
        match self {
            Named::Id(id) => Named::Id(id.clone()),
            Named::Name(name) => Named::Name(name.clone()),
        }
    }
}

impl<'a, Id: AsRef<str>, Name: AsRef<str>> Named<&'a Id, &'a Name> {
    /// Borrows the text.
    pub fn as_str(self) -> Named<&'a str, &'a str> {
        match self {
            Named::Id(id) => Named::Id(id.as_ref()),
            Named::Name(name) => Named::Name(name.as_ref()),
        }
    }

    /// The text, whichever it is.
    pub fn text(self) -> &'a str {
        let (Named::Id(text) | Named::Name(text)) = self.as_str();
        text
    }
}

impl<Of> Named<Id<Of, &str>, &str> {
    pub(crate) fn shared(self) -> Named<Id<Of>> {
        match self {
            Named::Id(id) => Named::Id(id.shared()),
            Named::Name(name) => Named::Name(name.into()),
        }
    }
}

/// A queue is written under the name of the field that specified it.
impl Serialize for Named<QueueId> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let field = if self.id().is_some() { Field::QueueId } else { Field::QueueName };
        serializer.collect_map([(field.name(), self.as_ref().text())])
    }
}

/// An email address is written under the name of the field that specified it.
impl Serialize for Named<EmailAddressId> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let field = if self.id().is_some() { Field::EmailAddressId } else { Field::EmailAddress };
        serializer.collect_map([(field.name(), self.as_ref().text())])
    }
}
