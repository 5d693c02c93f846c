//! JSON lines: one association request a line.

use queue_email_associator::payload::Json;
use serde_json::Value;

use crate::line_ends::with_line_feeds;
use crate::{Record, Unusable, json_problem};

/// The records of a file of JSON lines. Each line is one JSON document. Blank lines do not count. A line that holds
/// something other than an object is a record with a problem.
///
/// # Errors
/// A line is not JSON, or lone carriage returns stand among line feeds. Half a file is no basis for calls.
pub fn json_lines(text: &str) -> Result<Vec<Record>, Unusable> {
    let lines = with_line_feeds(text)?;
    let lines = (1u64..).zip(lines.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(line, json)| match Json::parse(json) {
            Ok(Json::Object(_)) => Ok(Record { line, json: json.to_owned(), problem: None }),
            Ok(other) => Ok(Record {
                line,
                json: json.to_owned(),
                problem: Some(format!(
                    "the line is {}; one association request, an object, is expected",
                    other.kind()
                )),
            }),
            Err(error) => Err(Unusable(match other_form(text) {
                Some(form) => form.to_owned(),
                None => format!(
                    "line {line}, column {}: not valid JSON: {}; one association request a line is accepted",
                    error.column(),
                    json_problem(&error)
                ),
            })),
        })
        .collect()
}

/// The form of a text that is JSON, but not one document a line.
fn other_form(text: &str) -> Option<&'static str> {
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let first = documents.next()?.ok()?;
    // All of the text must be JSON. Otherwise the error names the number of the broken line.
    documents.all(|document| document.is_ok()).then_some(match first {
        Value::Array(_) => {
            "the file is one JSON array over several lines; JSON lines are accepted, one association request a line \
             (jq -c '.[]' FILE writes an array so)"
        }
        _ => {
            "the file is JSON over several lines; JSON lines are accepted, one association request a line (jq -c . \
             FILE writes them so)"
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, String, Option<String>)> {
        json_lines(text)
            .unwrap()
            .into_iter()
            .map(|record| (record.line, record.json, record.problem))
            .collect()
    }

    #[test]
    fn each_line_is_a_record_with_its_number() {
        let text = "{\"queueId\": \"q1\"}\r\n\r\n  \n{}\n";
        for text in [text.to_owned(), text.replace("\r\n", "\r").replace('\n', "\r")] {
            let lines: Vec<(u64, String, _)> = read(&text);
            let expected = [(1, r#"{"queueId": "q1"}"#), (4, "{}")];
            assert_eq!(lines, expected.map(|(line, json)| (line, json.to_owned(), None)));
        }
    }

    #[test]
    fn line_without_an_object_fails_alone() {
        let problem =
            |what| Some(format!("the line is {what}; one association request, an object, is expected"));
        let expected = [
            (1, "{}".to_owned(), None),
            (2, "[]".to_owned(), problem("a list")),
            (3, "7".to_owned(), problem("a number")),
        ];
        assert_eq!(read("{}\n[]\n7\n"), expected);
    }

    #[test]
    fn line_without_json_is_named() {
        for (text, problem) in [
            ("{}\n{\"queueId\": q}\n", "line 2, column 13: not valid JSON: expected value"),
            ("{}\n{\n", "line 2, column 1: not valid JSON: the document ends too early"),
        ] {
            let expected = format!("{problem}; one association request a line is accepted");
            assert_eq!(json_lines(text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn json_over_several_lines_is_named() {
        for (text, problem) in [
            (
                "{\n  \"queueId\": \"q\"\n}\n{\n}\n",
                "the file is JSON over several lines; JSON lines are accepted",
            ),
            ("{} {}\n", "the file is JSON over several lines"),
            ("[\n  {},\n  {}\n]\n", "the file is one JSON array over several lines; JSON lines are accepted"),
        ] {
            let met = json_lines(text).unwrap_err().to_string();
            assert!(met.starts_with(problem), "{met}");
        }
    }
}
