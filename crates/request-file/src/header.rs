//! The header of a CSV file, which tells the field of each column.

use ::csv::StringRecord;
use queue_email_associator::requests::{Field, Name};

/// The fields that a column can hold. The other fields of a request are not text.
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

pub(crate) const ACCEPTED: &str =
    "accepted are queueId or queueName, emailAddressId or emailAddress, and perhaps instanceId and reference";

/// The separators that spreadsheets and databases use instead of commas.
const SEPARATORS: [(char, &str); 3] = [(';', "semicolons"), ('\t', "tabs"), ('|', "vertical bars")];

/// The fields of a file's columns, in their order. A column of the caller's own has none.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) columns: Vec<Option<Field>>,
}

impl Header {
    /// Reads the names of the columns, without outer white space.
    ///
    /// # Errors
    /// One line: a name that is nearly that of a field, a field twice, or no column for a queue or an email address.
    pub(crate) fn read(names: &StringRecord, line: u64) -> Result<Self, String> {
        let first = names.get(0).unwrap_or_default().trim();
        if first.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep=")) {
            let met = names.iter().collect::<Vec<_>>().join(",");
            return Err(format!(
                "line {line}: {:?} tells a spreadsheet how cells are separated and is no header; take this line out, \
                 and separate cells by commas",
                met.trim()
            ));
        }
        let mut columns = Vec::with_capacity(names.len());
        for (number, name) in (1..).zip(names) {
            let name = name.trim();
            let wrong = |what: &str| Err(format!("line {line}, column {number}: {name:?} {what}"));
            let field = match Field::of(name) {
                Name::Unknown => None,
                Name::Nearly(field) => return wrong(&format!("is no known column; {field} was meant")),
                Name::Known(field) => Some(field),
            };
            match field {
                Some(field) if !COLUMNS.contains(&field) => {
                    return wrong(&format!("is no column of a CSV file; {ACCEPTED}"));
                }
                Some(_) if columns.contains(&field) => return wrong("is there twice; once is accepted"),
                _ => columns.push(field),
            }
        }
        let header = Header { columns };
        let missing = match (header.has(&QUEUE), header.has(&ADDRESS)) {
            (true, true) => return Ok(header),
            (false, true) => "no column names a queue",
            (true, false) => "no column names an email address",
            (false, false) => "no column is a known one",
        };
        let hint = hint(names, header.columns.iter().all(Option::is_none)).unwrap_or_default();
        Err(format!("line {line}: {missing} in the header ({}); {ACCEPTED}{hint}", shown(names)))
    }

    /// Whether a column holds one of these fields.
    pub(crate) fn has(&self, fields: &[Field]) -> bool {
        self.columns.iter().flatten().any(|field| fields.contains(field))
    }

    /// The fields among these that a column holds, in words.
    pub(crate) fn named(&self, fields: &[Field]) -> String {
        let held = fields.iter().filter(|field| self.has(&[**field]));
        held.map(|field| field.name()).collect::<Vec<_>>().join(" and ")
    }
}

/// The probable fault of a header.
fn hint(names: &StringRecord, none_known: bool) -> Option<String> {
    let is_field = |name: &str| !matches!(Field::of(name.trim().trim_matches('"')), Name::Unknown);
    for (separator, word) in SEPARATORS {
        let mut parts = names.iter().flat_map(|name| name.split(separator));
        if names.iter().any(|name| name.contains(separator)) && parts.any(is_field) {
            return Some(format!(
                "; the cells are separated by {word}: separate them by commas (in Excel: Save As, \"CSV UTF-8 (Comma \
                 delimited)\")"
            ));
        }
    }
    let is_data = |cell: &str| cell.contains('@') || cell.starts_with("arn:") || is_identifier(cell.trim());
    (none_known && names.iter().any(is_data)).then(|| {
        "; the file seems to begin with a row: put a line with the names of the columns before it, such as \
         queueId,emailAddressId"
            .to_owned()
    })
}

/// Whether a cell looks like the identifier of an instance, a queue or an email address, a UUID.
fn is_identifier(cell: &str) -> bool {
    cell.len() == 36 && cell.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// The names of a header, cut to the length of a line.
fn shown(names: &StringRecord) -> String {
    const SHOWN: usize = 8;
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("{name:?}")).collect();
    if names.len() > SHOWN {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: u64, names: &[&str]) -> String {
        Header::read(&StringRecord::from(names.to_vec()), line).unwrap_err()
    }

    #[test]
    fn columns_are_known_by_their_names() {
        let names = StringRecord::from(vec![" queueName ", "note", "\u{a0}emailAddress", "", ""]);
        let header = Header::read(&names, 1).unwrap();
        assert_eq!(header.columns, [Some(Field::QueueName), None, Some(Field::EmailAddress), None, None]);
        assert_eq!(header.named(&QUEUE), "queueName");
    }

    #[test]
    fn header_without_pairs_says_what_is_accepted() {
        let table: [(&[&str], String); 5] = [
            (
                &["name", "mail"],
                format!(r#"line 1: no column is a known one in the header ("name", "mail"); {ACCEPTED}"#),
            ),
            (
                &["queueId", "mail"],
                format!(
                    r#"line 1: no column names an email address in the header ("queueId", "mail"); {ACCEPTED}"#
                ),
            ),
            (
                &["emailAddress"],
                format!(r#"line 1: no column names a queue in the header ("emailAddress"); {ACCEPTED}"#),
            ),
            (
                &["note", "queue_id", "emailAddressId"],
                r#"line 1, column 2: "queue_id" is no known column; queueId was meant"#.to_owned(),
            ),
            (
                &["queueId", "emailAddressIds"],
                format!(r#"line 1, column 2: "emailAddressIds" is no column of a CSV file; {ACCEPTED}"#),
            ),
        ];
        for (names, problem) in table {
            assert_eq!(refused(1, names), problem);
        }
        let twice = refused(2, &["queueId", "emailAddressId", "queueId"]);
        assert_eq!(twice, r#"line 2, column 3: "queueId" is there twice; once is accepted"#);
    }

    #[test]
    fn another_separator_and_a_missing_header_are_named() {
        let semicolons = "; the cells are separated by semicolons: separate them by commas";
        let header =
            "; the file seems to begin with a row: put a line with the names of the columns before it";
        for (names, hint) in [
            (&["queueId;emailAddressId"][..], semicolons),
            (&["queueName\temailAddress\tnote"], "; the cells are separated by tabs"),
            (&["\"queueName\"|emailAddress"], "; the cells are separated by vertical bars"),
            (&["queueId;note", " \"a\";emailAddressId"], semicolons),
            (&["Billing", "billing@brand.example"], header),
            (&["22222222-0000-4000-8000-000000000001", "x"], header),
        ] {
            let message = refused(1, names);
            assert!(message.contains(hint), "{message}");
        }
        assert!(!refused(1, &["Queue|Name", "mail"]).contains("separated by"));
    }

    #[test]
    fn separator_line_for_spreadsheets_is_named() {
        for names in [&["sep=;"][..], &["sep=", ""], &["SEP=|"]] {
            let message = refused(1, names);
            assert!(message.ends_with("take this line out, and separate cells by commas"), "{message}");
        }
    }
}
