//! Reads a file of any format as one payload of the function.
//!
//! The records of a file of pairs become the items of a Distributed Map batch. The function checks each of them, and an
//! invalid one does not affect the others. A file that is unusable as a whole fails here, before any call.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::{fs, io};

use queue_email_associator::settle::FailureEntry;
use request_file::{FileFormat, Record};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Deserializer;

#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) payload: Vec<u8>,
    /// The records of a file of pairs. An event or a request has none.
    pub(crate) records: Option<Records>,
}

/// First bytes of a ZIP archive, which a workbook is.
const ZIP: &[u8] = b"PK";

/// Replaces the library's message for a record without an instance, because that message is about the payload.
const NO_INSTANCE: &str = "missing instanceId; use --instance, set CONNECT_INSTANCE_ID, or add the column instanceId to \
                           the file";

/// The records of a file, which are the items of the payload.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// For each item, its line.
    pub(crate) lines: Vec<u64>,
    /// Items that are not requests, with the reasons. The payload has an empty request for each, which fails alone.
    problems: BTreeMap<usize, String>,
}

impl Records {
    /// Replaces messages about the payload by messages about the file.
    pub(crate) fn reword(&self, failures: &mut [FailureEntry]) {
        for failed in failures {
            let item = failed.path.as_deref().and_then(item_of).map(|(item, _)| item);
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

/// Returns the index of the item in a path such as `Items[3].queueId`, and the rest of the path.
pub(crate) fn item_of(path: &str) -> Option<(usize, &str)> {
    let (item, rest) = path.strip_prefix("Items[")?.split_once(']')?;
    Some((item.parse().ok()?, rest.trim_start_matches('.')))
}

impl Input {
    /// Returns the Region of the first Connect ARN in the payload.
    pub(crate) fn region(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.payload).ok()?;
        let (_, after) = text.split_once(":connect:")?;
        after.split_once(':').map(|(region, _)| region).filter(|region| region.len() <= 32)
    }

    pub(crate) fn read(path: Option<&Path>, format: Option<FileFormat>) -> Result<Self, String> {
        let name = path.map_or("standard input".to_owned(), |path| path.display().to_string());
        let bytes = match path {
            Some(path) => fs::read(path),
            None => {
                let mut bytes = Vec::new();
                io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
            }
        };
        let bytes = bytes.map_err(|error| format!("cannot read {name}: {error}"))?;
        let by_name = || FileFormat::of_name(path?.to_str()?);
        Self::parse(&bytes, format.or_else(by_name)).map_err(|problem| format!("{name}: {problem}"))
    }

    /// Reads the content of a file. Without a `format`, the content decides.
    fn parse(bytes: &[u8], format: Option<FileFormat>) -> Result<Self, String> {
        let text = || request_file::text(bytes).map_err(|problem| problem.to_string());
        let format = match format {
            Some(format) => format,
            None if bytes.starts_with(ZIP) => FileFormat::Workbook,
            None => format_of_content(&text()?),
        };
        if format == FileFormat::Json {
            let text = text()?;
            if is_event(&text) {
                return Ok(Input { payload: text.into_owned().into_bytes(), records: None });
            }
        }
        request_file::read(bytes, format)
            .map(|file| Input::batch(file.records))
            .map_err(|problem| problem.to_string())
    }

    /// Creates a Distributed Map batch. A person reads its report, so a retryable failure is a row of the report, and not
    /// an error for a state machine to catch.
    fn batch(records: Vec<Record>) -> Self {
        let mut payload = br#"{"BatchInput":{"failOnRetryable":false},"Items":["#.to_vec();
        let mut items = Records::default();
        for (number, record) in records.into_iter().enumerate() {
            if number > 0 {
                payload.push(b',');
            }
            items.lines.push(record.line);
            match record.problem {
                None => payload.extend_from_slice(record.json.as_bytes()),
                Some(problem) => {
                    payload.extend_from_slice(b"{}");
                    items.problems.insert(number, problem);
                }
            }
        }
        payload.extend_from_slice(b"]}");
        Input { payload, records: Some(items) }
    }
}

/// Returns whether a text is one payload: any JSON value except an array, or an array of SQS records. Any other array is
/// a list of requests, which is read like a file in a bucket.
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

/// JSON starts with a brace or a bracket. JSON Lines start with an object that another object follows.
fn format_of_content(text: &str) -> FileFormat {
    match text.trim_start().as_bytes().first() {
        Some(b'[') => return FileFormat::Json,
        Some(b'{') => {}
        _ => return FileFormat::Delimited,
    }
    let mut documents = Deserializer::from_str(text).into_iter::<IgnoredAny>();
    match (documents.next(), documents.next()) {
        (Some(Ok(_)), Some(_)) => FileFormat::JsonLines,
        _ => FileFormat::Json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides_without_extension() {
        for (text, format) in [
            ("{}", FileFormat::Json),
            (" \n{\n\"a\": 1\n}\n", FileFormat::Json),
            ("[]", FileFormat::Json),
            ("{\"a\": 1}\n{\"a\": 2}\n", FileFormat::JsonLines),
            ("{\"a\": 1}\n{broken", FileFormat::JsonLines),
            ("{broken", FileFormat::Json),
            ("queueId,emailAddressId\nq,e\n", FileFormat::Delimited),
            ("\"queueId\",\"emailAddressId\"\n", FileFormat::Delimited),
        ] {
            assert_eq!(format_of_content(text), format, "{text}");
        }
    }

    #[test]
    fn only_events_are_payloads() {
        let request = r#"{"queueId":"q"}"#;
        let input = Input::parse(format!("[\n{request},\n{request}]").as_bytes(), None).unwrap();
        let payload =
            format!(r#"{{"BatchInput":{{"failOnRetryable":false}},"Items":[{request},{request}]}}"#);
        assert_eq!(String::from_utf8(input.payload).unwrap(), payload);
        assert_eq!(input.records.unwrap().lines, [2, 3]);
        let event = r#"[{"eventSource": "aws:sqs", "messageId": "m", "body": "{}"}]"#;
        let input = Input::parse(format!("\u{feff}{event}").as_bytes(), None).unwrap();
        assert_eq!(String::from_utf8(input.payload).unwrap(), event);
        assert!(input.records.is_none());
    }
}
