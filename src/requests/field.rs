//! The known fields of a request, and names that only look like a known field.

use std::fmt;

use super::folded::Folded;

/// A known field of an association request. Other members are ignored, unless their name is nearly a known one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// `instanceId`, of a request or an entry
    InstanceId,
    /// `dryRun`, of a request
    DryRun,
    /// `checkQueues`, of a request
    CheckQueues,
    /// `failOnPermanent`, of a request
    FailOnPermanent,
    /// `failOnRetryable`, of a request
    FailOnRetryable,
    /// `reference`, of a request
    Reference,
    /// `continued`, of a request
    Continued,
    /// `associations`, of a request
    Associations,
    /// `queueId`, of an entry
    QueueId,
    /// `queueName`, of an entry
    QueueName,
    /// `emailAddressId`, of an entry
    EmailAddressId,
    /// `emailAddressIds`, of an entry
    EmailAddressIds,
    /// `emailAddress`, of an entry
    EmailAddress,
    /// `emailAddresses`, of an entry
    EmailAddresses,
}

impl Field {
    /// Every known field.
    pub const ALL: [Field; 14] = [
        Field::InstanceId,
        Field::DryRun,
        Field::CheckQueues,
        Field::FailOnPermanent,
        Field::FailOnRetryable,
        Field::Reference,
        Field::Continued,
        Field::Associations,
        Field::QueueId,
        Field::QueueName,
        Field::EmailAddressId,
        Field::EmailAddressIds,
        Field::EmailAddress,
        Field::EmailAddresses,
    ];

    /// The field's name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Field::InstanceId => "instanceId",
            Field::DryRun => "dryRun",
            Field::CheckQueues => "checkQueues",
            Field::FailOnPermanent => "failOnPermanent",
            Field::FailOnRetryable => "failOnRetryable",
            Field::Reference => "reference",
            Field::Continued => "continued",
            Field::Associations => "associations",
            Field::QueueId => "queueId",
            Field::QueueName => "queueName",
            Field::EmailAddressId => "emailAddressId",
            Field::EmailAddressIds => "emailAddressIds",
            Field::EmailAddress => "emailAddress",
            Field::EmailAddresses => "emailAddresses",
        }
    }

    /// Whether the field names a queue or email addresses, and so belongs to an entry (or the short form).
    pub(crate) fn names_a_pair(self) -> bool {
        !matches!(
            self,
            Field::InstanceId
                | Field::DryRun
                | Field::CheckQueues
                | Field::FailOnPermanent
                | Field::FailOnRetryable
                | Field::Reference
                | Field::Continued
                | Field::Associations
        )
    }

    /// The field of an entry with that name, if there is one.
    pub fn of_entry(name: &str) -> Option<Field> {
        Field::ALL
            .into_iter()
            .find(|field| field.name() == name && (field.names_a_pair() || *field == Field::InstanceId))
    }

    /// Reads the name of a member, or of a column of a CSV file.
    ///
    /// Most members of an event or a notification begin like no field, so their names are not folded. A name beyond
    /// ASCII may fold to anything.
    pub fn of(name: &str) -> Name {
        if !BEGINNINGS.contains(&beginning(name)) && name.is_ascii() {
            return Name::Unknown;
        }
        if let Some(field) = Field::ALL.into_iter().find(|field| field.name() == name) {
            return Name::Known(field);
        }
        let folded = Folded::of(name);
        match Field::ALL.into_iter().find(|field| folded.is(field.name())) {
            Some(field) => Name::Nearly(field),
            None => Name::Unknown,
        }
    }
}

/// The first two letters of each field.
const BEGINNINGS: [[u8; 2]; Field::ALL.len()] = {
    let mut beginnings = [[0; 2]; Field::ALL.len()];
    let mut index = 0;
    while index < beginnings.len() {
        let name = Field::ALL[index].name().as_bytes();
        beginnings[index] = [name[0], name[1]];
        index += 1;
    }
    beginnings
};

/// The first two letters or digits of a name, in lower case.
fn beginning(name: &str) -> [u8; 2] {
    if let [first, second, ..] = name.as_bytes()
        && first.is_ascii_alphanumeric()
        && second.is_ascii_alphanumeric()
    {
        return [first.to_ascii_lowercase(), second.to_ascii_lowercase()];
    }
    let mut letters = name.bytes().filter(u8::is_ascii_alphanumeric);
    [letters.next(), letters.next()].map(|letter| letter.unwrap_or_default().to_ascii_lowercase())
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The meaning of a member's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// A known field.
    Known(Field),
    /// A person would read the name as this field, but it is spelled differently (see `folded.rs`).
    Nearly(Field),
    /// A member of the caller's own.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_known_by_its_name() {
        for field in Field::ALL {
            assert_eq!(Field::of(field.name()), Name::Known(field));
        }
    }

    #[test]
    fn near_names_are_not_unknown() {
        let table = [
            ("dryRun", Name::Known(Field::DryRun)),
            ("dryrun", Name::Nearly(Field::DryRun)),
            ("Dry-Run", Name::Nearly(Field::DryRun)),
            ("\u{feff}instanceId", Name::Nearly(Field::InstanceId)),
            ("Email_Address_IDs", Name::Nearly(Field::EmailAddressIds)),
            ("d-r-y-run", Name::Nearly(Field::DryRun)),
            ("__DRYRUN", Name::Nearly(Field::DryRun)),
            ("queue", Name::Unknown),
            ("d", Name::Unknown),
            ("", Name::Unknown),
            ("failOnRetryables", Name::Unknown),
            ("queueIdentifier", Name::Unknown),
        ];
        for (name, expected) in table {
            assert_eq!(Field::of(name), expected, "{name:?}");
        }
    }
}
