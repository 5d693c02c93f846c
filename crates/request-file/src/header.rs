//! The header of a table, which shows the field of each column.

use queue_email_associator::requests::{Field, FieldMatch};

/// Number of non-blank rows in which to look for the header.
pub(crate) const SEARCHED_ROWS: usize = 10;

/// The fields that a column can contain. Other request fields are options or are not text.
const COLUMNS: [Field; 6] = [
    Field::InstanceId,
    Field::QueueId,
    Field::QueueName,
    Field::EmailAddressId,
    Field::EmailAddress,
    Field::Reference,
];

pub(crate) const QUEUE: [Field; 2] = [Field::QueueId, Field::QueueName];
pub(crate) const ADDRESS: [Field; 2] = [Field::EmailAddressId, Field::EmailAddress];

pub(crate) const EXPECTED: &str = "expected queueId or queueName, emailAddressId or emailAddress, and optionally \
                                   instanceId and reference";

/// The field of each column in order, or `None` for a column that is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) columns: Vec<Option<Field>>,
    /// The line or row of the header.
    pub(crate) number: u64,
}

impl Header {
    /// Whether a row is a header: it has a column for the queue and one for the email address.
    pub(crate) fn is_header<'c>(cells: impl IntoIterator<Item = &'c str>) -> bool {
        let fields: Vec<Option<Field>> = cells.into_iter().map(field).collect();
        has_any(&fields, &QUEUE) && has_any(&fields, &ADDRESS)
    }

    /// Reads the names of the columns. `unit` is the word `line` or `row`, for messages. Returns a one-line message if a
    /// field cannot be a column, or if two columns have the same field.
    pub(crate) fn read<'c>(
        names: impl IntoIterator<Item = &'c str>,
        number: u64,
        unit: &str,
    ) -> Result<Self, String> {
        let mut columns = Vec::new();
        for (column, name) in (1..).zip(names) {
            let field = field(name);
            let wrong =
                |what: &str| Err(format!("{unit} {number}, column {column}: {:?} {what}", name.trim()));
            match field {
                Some(Field::DryRun | Field::CheckQueues) => {
                    return wrong(&format!(
                        "is an option, and a file contains only pairs; {INSTEAD_OF_OPTION}"
                    ));
                }
                Some(field) if !COLUMNS.contains(&field) => {
                    return wrong(&format!("cannot be a column: {EXPECTED}"));
                }
                Some(field) if columns.contains(&Some(field)) => {
                    return wrong(&format!(
                        "is a second column for {field}: expected one; rename or delete it"
                    ));
                }
                _ => columns.push(field),
            }
        }
        Ok(Header { columns, number })
    }

    /// Whether another header has the same fields in the same columns.
    pub(crate) fn has_same_fields_as(&self, other: &Header) -> bool {
        fn used(columns: &[Option<Field>]) -> &[Option<Field>] {
            let used = columns.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
            &columns[..used]
        }
        used(&self.columns) == used(&other.columns)
    }

    /// Returns the names of the fields among these that have a column, joined by a conjunction.
    pub(crate) fn names_present(&self, fields: &[Field], conjunction: &str) -> String {
        let present = fields.iter().filter(|field| has_any(&self.columns, &[**field]));
        present.map(|field| field.name()).collect::<Vec<_>>().join(&format!(" {conjunction} "))
    }
}

/// What to do instead of an option in a file.
pub(crate) const INSTEAD_OF_OPTION: &str =
    "to try the file without changes, put it under check/ or use --dry-run";

/// Describes the rows in which no header was found.
pub(crate) fn missing_header_message(rows: &[(u64, Vec<String>)], unit: &str) -> String {
    for (number, cells) in rows {
        let fields: Vec<Option<Field>> = cells.iter().map(|cell| field(cell)).collect();
        let lacks = match (has_any(&fields, &QUEUE), has_any(&fields, &ADDRESS)) {
            (false, true) => "queue",
            (true, false) => "email address",
            _ => continue,
        };
        return format!(
            "{unit} {number}: no column for the {lacks} in the header ({}): {EXPECTED}",
            preview(cells)
        );
    }
    let first = rows.first().map(|(_, cells)| preview(cells)).unwrap_or_default();
    let hint = if rows.iter().flat_map(|(_, cells)| cells).any(|cell| looks_like_data(cell)) {
        "; the file seems to start with a pair: add a row with the names of the columns before it, for example \
         queueId,emailAddressId"
    } else {
        ""
    };
    format!("no header in the first {SEARCHED_ROWS} rows (the first is {first}): {EXPECTED}{hint}")
}

/// Returns the field that a column's name refers to.
fn field(name: &str) -> Option<Field> {
    match Field::of(name.trim()) {
        FieldMatch::Exact(field) | FieldMatch::Similar(field) => Some(field),
        FieldMatch::None => None,
    }
}

fn has_any(columns: &[Option<Field>], fields: &[Field]) -> bool {
    columns.iter().flatten().any(|field| fields.contains(field))
}

/// Whether a cell looks like an email address, an ARN, or a UUID, which is the identifier of a queue or an address.
fn looks_like_data(cell: &str) -> bool {
    let cell = cell.trim();
    let is_uuid = || cell.len() == 36 && cell.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    cell.contains('@') || cell.starts_with("arn:") || is_uuid()
}

/// Returns the first cells of a row.
fn preview(cells: &[String]) -> String {
    const MAX_CELLS: usize = 8;
    const MAX_CHARACTERS: usize = 40;
    let cell = |cell: &String| format!("{:?}", cell.chars().take(MAX_CHARACTERS).collect::<String>());
    let mut preview: Vec<String> = cells.iter().take(MAX_CELLS).map(cell).collect();
    if cells.len() > MAX_CELLS {
        preview.push("…".to_owned());
    }
    preview.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_names_ignore_case_spaces_and_punctuation() {
        let table = [
            ([" queueName ", "note", "\u{a0}emailAddress", "", ""], Field::QueueName, Field::EmailAddress),
            (["Queue Name", "", "E-Mail-Address", "", ""], Field::QueueName, Field::EmailAddress),
            (["queue_id", "Email", "EMAIL ADDRESS ID", "", ""], Field::QueueId, Field::EmailAddressId),
            (
                ["\u{feff}\"queueId\"", "row", "emailAddressId", "error", ""],
                Field::QueueId,
                Field::EmailAddressId,
            ),
        ];
        for (names, queue, address) in table {
            assert!(Header::is_header(names), "{names:?}");
            let header = Header::read(names, 1, "line").unwrap();
            assert_eq!(header.columns, [Some(queue), None, Some(address), None, None], "{names:?}");
        }
        assert!(!Header::is_header(["queueId", "Email"]));
    }
}
