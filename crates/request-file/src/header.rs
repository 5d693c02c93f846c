//! The header of a table, which shows the field of each column.

use queue_email_associator::requests::{Field, Name};

/// Number of rows, without blank ones, among which a header is searched.
pub(crate) const SEARCHED_ROWS: usize = 10;

/// The fields that a column can contain. The other fields of a request are not text, or are options.
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

/// The fields of a file's columns, in their order. An unknown column has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) columns: Vec<Option<Field>>,
    /// The line or row of the header.
    pub(crate) number: u64,
}

impl Header {
    /// Whether cells are a header: one of them is the name of a queue's field, and one of an email address's field.
    pub(crate) fn is_header<'c>(cells: impl IntoIterator<Item = &'c str>) -> bool {
        let fields: Vec<Option<Field>> = cells.into_iter().map(field).collect();
        has(&fields, &QUEUE) && has(&fields, &ADDRESS)
    }

    /// Reads the names of the columns. `place` is the line or row in words, for messages.
    ///
    /// # Errors
    /// One line: a field that cannot be a column, or two columns for one field.
    pub(crate) fn read<'c>(
        names: impl IntoIterator<Item = &'c str>,
        number: u64,
        place: &str,
    ) -> Result<Self, String> {
        let mut columns = Vec::new();
        for (column, name) in (1..).zip(names) {
            let field = field(name);
            let wrong = |what: &str| Err(format!("{place}, column {column}: {:?} {what}", name.trim()));
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
    pub(crate) fn is_repeated_by(&self, other: &Header) -> bool {
        fn used(columns: &[Option<Field>]) -> &[Option<Field>] {
            let used = columns.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
            &columns[..used]
        }
        used(&self.columns) == used(&other.columns)
    }

    /// Whether a column contains one of these fields.
    pub(crate) fn has(&self, fields: &[Field]) -> bool {
        has(&self.columns, fields)
    }

    /// Returns the names of the fields among these that have a column.
    pub(crate) fn named(&self, fields: &[Field], word: &str) -> String {
        let present = fields.iter().filter(|field| self.has(&[**field]));
        present.map(|field| field.name()).collect::<Vec<_>>().join(&format!(" {word} "))
    }
}

/// What to do instead of an option in a file.
pub(crate) const INSTEAD_OF_OPTION: &str =
    "to try the file without changes, put it under check/ or use --dry-run";

/// Describes the rows in which no header was found.
pub(crate) fn missing(rows: &[(u64, Vec<String>)], unit: &str) -> String {
    for (number, cells) in rows {
        let fields: Vec<Option<Field>> = cells.iter().map(|cell| field(cell)).collect();
        let lacks = match (has(&fields, &QUEUE), has(&fields, &ADDRESS)) {
            (false, true) => "queue",
            (true, false) => "email address",
            _ => continue,
        };
        return format!(
            "{unit} {number}: no column for the {lacks} in the header ({}): {EXPECTED}",
            shown(cells)
        );
    }
    let first = rows.first().map(|(_, cells)| shown(cells)).unwrap_or_default();
    let hint = if rows.iter().flat_map(|(_, cells)| cells).any(|cell| is_data(cell)) {
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
        Name::Known(field) | Name::Nearly(field) => Some(field),
        Name::Unknown => None,
    }
}

fn has(columns: &[Option<Field>], fields: &[Field]) -> bool {
    columns.iter().flatten().any(|field| fields.contains(field))
}

/// Whether a cell looks like an email address, an ARN, or the identifier of a queue or an email address, a UUID.
fn is_data(cell: &str) -> bool {
    let cell = cell.trim();
    let is_uuid = || cell.len() == 36 && cell.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    cell.contains('@') || cell.starts_with("arn:") || is_uuid()
}

/// Returns the first cells of a row.
fn shown(cells: &[String]) -> String {
    const SHOWN: usize = 8;
    const SHOWN_CHARACTERS: usize = 40;
    let cell = |cell: &String| format!("{:?}", cell.chars().take(SHOWN_CHARACTERS).collect::<String>());
    let mut shown: Vec<String> = cells.iter().take(SHOWN).map(cell).collect();
    if cells.len() > SHOWN {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(names: &[&str]) -> String {
        Header::read(names.iter().copied(), 1, "line 1").unwrap_err()
    }

    #[test]
    fn columns_are_known_by_their_folded_names() {
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
            let header = Header::read(names, 1, "line 1").unwrap();
            assert_eq!(header.columns, [Some(queue), None, Some(address), None, None], "{names:?}");
        }
        assert!(!Header::is_header(["queueId", "Email"]));
    }

    #[test]
    fn header_with_a_wrong_column_is_rejected() {
        for (names, problem) in [
            (
                &["queueId", "emailAddressId", "Queue ID"][..],
                "line 1, column 3: \"Queue ID\" is a second column for queueId: expected one; rename or delete it"
                    .to_owned(),
            ),
            (
                &["queueId", "emailAddressId", "emailAddressIds"],
                format!("line 1, column 3: \"emailAddressIds\" cannot be a column: {EXPECTED}"),
            ),
            (
                &["queueId", "emailAddressId", "dry_run"],
                format!(
                    "line 1, column 3: \"dry_run\" is an option, and a file contains only pairs; {INSTEAD_OF_OPTION}"
                ),
            ),
        ] {
            assert_eq!(rejected(names), problem);
        }
    }

    #[test]
    fn missing_header_says_what_is_expected() {
        let row = |cells: &[&str]| (1, cells.iter().map(|cell| (*cell).to_owned()).collect());
        let hint = "; the file seems to start with a pair: add a row with the names of the columns before it, for \
                    example queueId,emailAddressId";
        let none = "no header in the first 10 rows (the first is";
        for (cells, problem) in [
            (&["name", "mail"][..], format!("{none} \"name\", \"mail\"): {EXPECTED}")),
            (
                &["queueId", "mail"],
                format!(
                    "line 1: no column for the email address in the header (\"queueId\", \"mail\"): {EXPECTED}"
                ),
            ),
            (
                &["emailAddress"],
                format!("line 1: no column for the queue in the header (\"emailAddress\"): {EXPECTED}"),
            ),
            (
                &["Billing", "a@brand.example"],
                format!("{none} \"Billing\", \"a@brand.example\"): {EXPECTED}{hint}"),
            ),
        ] {
            assert_eq!(missing(&[row(cells)], "line"), problem);
        }
    }

    #[test]
    fn repeated_header_has_the_same_fields_in_the_same_columns() {
        let read = |names: &[&str]| Header::read(names.iter().copied(), 1, "line 1").unwrap();
        let first = read(&["queueId", "emailAddressId", "note"]);
        assert!(first.is_repeated_by(&read(&["\u{feff}Queue Id", "emailAddressId"])));
        assert!(!first.is_repeated_by(&read(&["emailAddressId", "queueId", "note"])));
    }
}
