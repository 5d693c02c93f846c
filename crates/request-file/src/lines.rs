//! Reads JSON Lines: one association request per line.

use serde::de::IgnoredAny;

use crate::line_ends::with_line_feeds;
use crate::{Record, UnreadableFile, push};

/// Reads the records of a text of JSON Lines. Blank lines do not count.
///
/// # Errors
/// The text is JSON, but not one document per line; no line is JSON; lone carriage returns among line feeds; or too many
/// lines.
pub(crate) fn read(text: &str) -> Result<Vec<Record>, UnreadableFile> {
    let text = with_line_feeds(text)?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let mut records = Vec::new();
    let mut first_broken = None;
    let mut any_document = false;
    for (line, json) in lines {
        if serde_json::from_str::<IgnoredAny>(json).is_ok() {
            any_document = true;
        } else if first_broken.is_none() {
            if let Some(form) = other_form(&text) {
                return Err(UnreadableFile(form.to_owned()));
            }
            first_broken = Some(records.len());
        }
        push(&mut records, Record::of_json(line, json, "line"))?;
    }
    let broken = first_broken.and_then(|first| records.get(first)).filter(|_| !any_document);
    match broken.and_then(|record| Some((record.line, record.problem.as_ref()?))) {
        Some((line, problem)) => Err(UnreadableFile(format!("line {line}: {problem}"))),
        None => Ok(records),
    }
}

/// Returns the form of a text that is JSON, but with documents over several lines.
fn other_form(text: &str) -> Option<&'static str> {
    // All of the text must be JSON. Otherwise a line of it is broken.
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    if !documents.all(|document| document.is_ok()) {
        return None;
    }
    Some(if text.trim_start().starts_with('[') {
        "the file is one JSON array over several lines: expected JSON Lines, one association request per line; name the \
         file .json"
    } else {
        "the file is JSON over several lines: expected JSON Lines, one association request per line; jq -c . FILE writes \
         them"
    })
}

#[cfg(test)]
mod tests {
    fn read(text: &str) -> Vec<(u64, Option<String>)> {
        super::read(text).unwrap().into_iter().map(|record| (record.line, record.problem)).collect()
    }

    #[test]
    fn each_line_is_a_record_with_its_number() {
        let text = "{\"queueId\": \"q1\"}\r\n\r\n  \n{}\n";
        for text in [text.to_owned(), text.replace("\r\n", "\r").replace('\n', "\r")] {
            let lines: Vec<_> =
                super::read(&text).unwrap().into_iter().map(|record| (record.line, record.json)).collect();
            assert_eq!(lines, [(1, "{\"queueId\": \"q1\"}".to_owned()), (4, "{}".to_owned())]);
        }
    }

    #[test]
    fn invalid_line_fails_alone() {
        let text = "{}\n[]\n{\"queueId\": q}\n{\n{\"note\": \"Team \\ud83c\"}\n{}\n";
        let option = |name| format!("{name} is an option, and a file contains only pairs; to try the file");
        let text = format!(
            "{text}{{\"dryRun\":true}}\n{{\"checkQueues\":true}}\n{{\"dryRun\":false,\"checkQueues\":null}}\n"
        );
        let expected = [
            (1, None),
            (2, Some("the line is an array: expected an association request, an object".to_owned())),
            (3, Some("the line is not valid JSON: expected value (column 13)".to_owned())),
            (4, Some("the line is not valid JSON: the document ends too early (column 1)".to_owned())),
            (5, Some("the line is not valid JSON: ".to_owned())),
            (6, None),
            (7, Some(option("dryRun"))),
            (8, Some(option("checkQueues"))),
            (9, None),
        ];
        for (met, expected) in read(&text).into_iter().zip(expected) {
            let start = expected.1.unwrap_or_default();
            let problem = met.1.unwrap_or_default();
            assert!(met.0 == expected.0 && problem.starts_with(&start), "{} {problem}", met.0);
            assert_eq!(problem.is_empty(), start.is_empty());
        }
    }

    #[test]
    fn text_of_another_form_is_rejected() {
        for (text, problem) in [
            (
                "{\n  \"queueId\": \"q\"\n}\n{\n}\n",
                "the file is JSON over several lines: expected JSON Lines",
            ),
            ("{} {}\n", "the file is JSON over several lines"),
            ("[\n  {},\n  {}\n]\n", "the file is one JSON array over several lines: expected JSON Lines"),
            (
                "queueId,emailAddressId\nq,e\n",
                "line 1: the line is not valid JSON: expected value (column 1)",
            ),
        ] {
            let met = super::read(text).unwrap_err().to_string();
            assert!(met.starts_with(problem), "{met}");
        }
    }
}
