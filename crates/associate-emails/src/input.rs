//! Reads a file of any form as one payload of the function.
//!
//! The records of a file of pairs become the items of a Distributed Map batch. The function checks each of them, and an
//! invalid one does not affect the others. A file that cannot be used as a whole fails here, before any call.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::{fs, io};

use clap::ValueEnum;
use queue_email_associator::settle::FailureEntry;
use request_file::{FileFormat, Record};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Deserializer;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// An event, an association request, or an array of requests
    Json,
    /// One association request per line
    JsonLines,
    /// One pair per row, under a header
    Csv,
    /// A workbook (.xlsx or .ods) with one pair per row
    Workbook,
}

/// A file, read.
#[derive(Debug)]
pub(crate) struct Input {
    /// The payload that invokes the function.
    pub(crate) payload: Vec<u8>,
    /// The places of the payload's items in the file. An event or a request has none.
    pub(crate) records: Option<Records>,
}

/// First bytes of a ZIP archive, which a workbook is.
const ZIP: &[u8] = b"PK";

/// Replaces the library's message for a record without an instance, because that message is about the payload.
const NO_INSTANCE: &str = "no instance is named: give --instance, set CONNECT_INSTANCE_ID, or name it in the file as \
                           instanceId";

/// The places of a payload's items in the file that they come from.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// For each item, its line.
    pub(crate) lines: Vec<u64>,
    /// Items that are not requests, with the reasons. The payload has an empty request for each, which fails alone.
    problems: BTreeMap<usize, String>,
}

impl Records {
    /// Replaces the library's message for a failure by the file's, because the library knows no columns.
    pub(crate) fn reword(&self, failures: &mut [FailureEntry]) {
        for failed in failures {
            let item = failed.path.as_deref().and_then(item_of);
            let is_instance = failed.path.as_deref().is_some_and(|path| path.ends_with("].instanceId"));
            if is_instance && *failed.message() == *queue_email_associator::requests::NO_INSTANCE {
                failed.reword(NO_INSTANCE);
            }
            if let Some((item, problem)) = item.and_then(|item| Some((item, self.problems.get(&item)?))) {
                failed.path = Some(format!("Items[{item}]").into());
                failed.reword(problem.as_str());
            }
        }
    }
}

/// The number of the item that a path leads into, as in `Items[3].queueId`.
pub(crate) fn item_of(path: &str) -> Option<usize> {
    path.strip_prefix("Items[")?.split_once(']')?.0.parse().ok()
}

/// A file that cannot be used. Displays as one line: the value found, its place, and the accepted values.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// It could not be read.
    #[error("{name}: cannot be read: {source}")]
    Unreadable { name: String, source: io::Error },
    /// The file was read, but its content is wrong.
    #[error("{name}: {problem}")]
    Unusable { name: String, problem: String },
}

impl Input {
    /// The Region of the first Connect ARN in the payload.
    pub(crate) fn region(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.payload).ok()?;
        let (_, behind) = text.split_once(":connect:")?;
        behind.split_once(':').map(|(region, _)| region).filter(|region| region.len() <= 32)
    }

    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    /// The file as a whole cannot be used.
    pub(crate) fn read(file: &Path, format: Option<Format>) -> Result<Self, InputError> {
        let standard_input = file == Path::new("-");
        let name = if standard_input { "standard input".to_owned() } else { file.display().to_string() };
        let bytes = if standard_input {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        } else {
            fs::read(file)
        };
        match bytes {
            Err(source) => Err(InputError::Unreadable { name, source }),
            Ok(bytes) => Self::parse(&bytes, format.or_else(|| Format::of_extension(file)))
                .map_err(|problem| InputError::Unusable { name, problem }),
        }
    }

    /// Reads the content of a file. Without a `format`, the content decides.
    fn parse(bytes: &[u8], format: Option<Format>) -> Result<Self, String> {
        let text = || request_file::text(bytes).map_err(|problem| problem.to_string());
        let format = match format {
            Some(format) => format,
            None if bytes.starts_with(ZIP) => Format::Workbook,
            None => Format::of_content(&text()?),
        };
        let form = match format {
            Format::Workbook => FileFormat::Workbook,
            Format::Csv => FileFormat::Delimited,
            Format::JsonLines => FileFormat::JsonLines,
            Format::Json => {
                let text = text()?;
                if is_event(&text) {
                    return Ok(Input { payload: text.into_owned().into_bytes(), records: None });
                }
                FileFormat::Json
            }
        };
        request_file::read(bytes, form)
            .map(|file| Input::batch(file.records))
            .map_err(|problem| problem.to_string())
    }

    /// Records as a Distributed Map batch. A person reads the outcome here. So a retryable failure is a row of the
    /// report, and not an error for a state machine to catch.
    fn batch(records: Vec<Record>) -> Self {
        let mut payload = br#"{"BatchInput":{"failOnRetryable":false},"Items":["#.to_vec();
        let mut places = Records::default();
        for (number, record) in records.into_iter().enumerate() {
            if number > 0 {
                payload.push(b',');
            }
            places.lines.push(record.line);
            match record.problem {
                None => payload.extend_from_slice(record.json.as_bytes()),
                Some(problem) => {
                    payload.extend_from_slice(b"{}");
                    places.problems.insert(number, problem);
                }
            }
        }
        payload.extend_from_slice(b"]}");
        Input { payload, records: Some(places) }
    }
}

/// Whether a text is one payload: any JSON value except an array, or an array of SQS records. Any other array is a list of
/// requests, which is read like a file in a bucket.
fn is_event(text: &str) -> bool {
    #[derive(Deserialize)]
    struct SqsRecord {
        #[serde(rename = "eventSource")]
        _event_source: IgnoredAny,
    }
    match serde_json::from_str::<Vec<SqsRecord>>(text) {
        Ok(records) => !records.is_empty(),
        Err(_) => !text.trim_start().starts_with('[') && serde_json::from_str::<IgnoredAny>(text).is_ok(),
    }
}

impl Format {
    fn of_extension(file: &Path) -> Option<Self> {
        Some(match FileFormat::of_name(file.to_str()?)? {
            FileFormat::Workbook => Format::Workbook,
            FileFormat::Delimited => Format::Csv,
            FileFormat::JsonLines => Format::JsonLines,
            FileFormat::Json => Format::Json,
        })
    }

    /// JSON starts with a brace or a bracket. JSON Lines start with an object that another object follows.
    fn of_content(text: &str) -> Self {
        match text.trim_start().as_bytes().first() {
            Some(b'[') => return Format::Json,
            Some(b'{') => {}
            _ => return Format::Csv,
        }
        let mut documents = Deserializer::from_str(text).into_iter::<IgnoredAny>();
        match (documents.next(), documents.next()) {
            (Some(Ok(_)), Some(_)) => Format::JsonLines,
            _ => Format::Json,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(input: &Input) -> &str {
        std::str::from_utf8(&input.payload).unwrap()
    }

    #[test]
    fn extension_decides_before_content() {
        for (name, format) in [
            ("a.json", Some(Format::Json)),
            ("a.JSONL", Some(Format::JsonLines)),
            ("a.ndjson", Some(Format::JsonLines)),
            ("dir.csv/a.CSV", Some(Format::Csv)),
            ("a.txt", Some(Format::Csv)),
            ("-", None),
        ] {
            assert_eq!(Format::of_extension(Path::new(name)), format, "{name}");
        }
    }

    #[test]
    fn content_decides_without_extension() {
        for (text, format) in [
            ("{}", Format::Json),
            (" \n{\n\"a\": 1\n}\n", Format::Json),
            ("[]", Format::Json),
            ("{\"a\": 1}\n{\"a\": 2}\n", Format::JsonLines),
            ("{\"a\": 1}\n{broken", Format::JsonLines),
            ("{broken", Format::Json),
            ("queueId,emailAddressId\nq,e\n", Format::Csv),
            ("\"queueId\",\"emailAddressId\"\n", Format::Csv),
        ] {
            assert_eq!(Format::of_content(text), format, "{text}");
        }
    }

    #[test]
    fn records_become_the_items_of_a_batch() {
        let input = Input::parse(b"{\"queueId\": \"q\"}\n\n{}\n", None).unwrap();
        assert_eq!(text(&input), r#"{"BatchInput":{"failOnRetryable":false},"Items":[{"queueId": "q"},{}]}"#);
        assert_eq!(input.records.unwrap().lines, [1, 3]);
    }

    #[test]
    fn event_loses_only_its_byte_order_mark() {
        let input = Input::parse(b"\xef\xbb\xbf{\"Records\": []}", None).unwrap();
        assert_eq!(text(&input), r#"{"Records": []}"#);
        assert!(input.records.is_none());
    }

    #[test]
    fn invalid_record_fails_with_its_line() {
        let input = Input::parse(b"queueId,emailAddressId\nq,e\nq,\n", None).unwrap();
        assert!(
            text(&input).ends_with(r#""Items":[{"queueId":"q","emailAddressId":"e"},{}]}"#),
            "{}",
            text(&input)
        );
        let records = input.records.unwrap();
        assert_eq!(
            records.problems[&1],
            "the row has no email address: expected a value in the column emailAddressId"
        );
        assert_eq!(records.problems.len(), 1);
    }

    #[test]
    fn array_of_requests_is_a_list_of_records() {
        let request = r#"{"queueId":"q"}"#;
        let input = Input::parse(format!("[\n{request},\n{request}]").as_bytes(), None).unwrap();
        assert_eq!(
            text(&input),
            format!(r#"{{"BatchInput":{{"failOnRetryable":false}},"Items":[{request},{request}]}}"#)
        );
        assert_eq!(input.records.unwrap().lines, [2, 3]);
        let records = br#"[{"eventSource": "aws:sqs", "messageId": "m", "body": "{}"}]"#;
        assert!(Input::parse(records, None).unwrap().records.is_none());
    }

    #[test]
    fn unusable_files_have_a_reason() {
        let table: [(&[u8], &str); 4] = [
            (b"", "the file is empty"),
            (b"\xef\xbb\xbf\n", "the file is empty"),
            (b"queueId,emailAddressId\n\n,\n", "the file has no pairs: expected at least one"),
            (b"[]", "the file has no pairs: expected at least one"),
        ];
        for (bytes, problem) in table {
            assert_eq!(Input::parse(bytes, None).unwrap_err(), problem);
        }
        let error = Input::read(Path::new("no/such/file.csv"), None).unwrap_err().to_string();
        assert!(error.starts_with("no/such/file.csv: cannot be read: "), "{error}");
    }
}
