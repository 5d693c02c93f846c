//! Reads JSON Lines: one association request per line.

use serde::de::IgnoredAny;

use crate::line_numbers::with_line_feeds;
use crate::{Record, UnreadableFile, push};

/// Reads the records of a text of JSON Lines. Blank lines do not count. Fails if the text is JSON, but not one document per
/// line, if no line is JSON, with lone carriage returns among line feeds, or with too many lines.
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
            if let Some(problem) = multiline_json(&text) {
                return Err(UnreadableFile(problem.to_owned()));
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

/// Describes a text that is JSON, but with documents over several lines.
fn multiline_json(text: &str) -> Option<&'static str> {
    // All of the text must be JSON. Otherwise a line of it is broken.
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    if !documents.all(|document| document.is_ok()) {
        return None;
    }
    Some(if text.trim_start().starts_with('[') {
        "the file is one JSON array over several lines: expected JSON Lines, one association request per line; rename \
         the file so that it ends in .json"
    } else {
        "the file is JSON over several lines: expected JSON Lines, one association request per line; to convert \
         it, run jq -c . FILE"
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
    fn invalid_line_does_not_affect_other_lines() {
        let text = "{}\n[]\n{\"queueId\": q}\n{\n{\"note\": \"Team \\ud83c\"}\n{\"dryRun\":false,\"checkQueues\":null}\n";
        let expected = [
            (1, ""),
            (2, "the line is an array: expected an association request, an object"),
            (3, "not valid JSON at column 13 (expected value)"),
            (4, "not valid JSON at column 1 (unexpected end)"),
            (5, "not valid JSON at column "),
            (6, ""),
        ];
        for ((line, problem), (expected_line, start)) in read(text).into_iter().zip(expected) {
            let problem = problem.unwrap_or_default();
            assert!(line == expected_line && problem.starts_with(start), "{line} {problem}");
            assert_eq!(problem.is_empty(), start.is_empty());
        }
    }
}
