//! JSON lines: one association request a line.

use queue_email_associator::payload::Json;

use crate::{Record, Unusable, json_problem};

/// The records of a file of JSON lines: each line one JSON document; blank lines are none.
///
/// # Errors
/// The first line that is not JSON: half a file is no basis for calls.
pub fn json_lines(text: &str) -> Result<Vec<Record>, Unusable> {
    let lines = (1u64..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(line, json)| match Json::parse(json) {
            Ok(_) => Ok(Record { line, json: json.to_owned() }),
            Err(error) => Err(Unusable(format!(
                "line {line}, column {}: not valid JSON: {}; one association request a line is accepted",
                error.column(),
                json_problem(&error)
            ))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_record_with_its_number() {
        let records = json_lines("{\"queueId\": \"q1\"}\r\n\r\n  \n[1]\n").unwrap();
        let expected = [(1, r#"{"queueId": "q1"}"#), (4, "[1]")];
        assert_eq!(records, expected.map(|(line, json)| Record { line, json: json.to_owned() }));
    }

    #[test]
    fn a_line_that_is_not_json_is_named() {
        for (text, problem) in [
            ("{}\n{\"queueId\": q}\n", "line 2, column 13: not valid JSON: expected value"),
            ("{\n}\n", "line 1, column 1: not valid JSON: the document ends too early"),
            ("{} {}\n", "line 1, column 4: not valid JSON: trailing characters"),
        ] {
            let expected = format!("{problem}; one association request a line is accepted");
            assert_eq!(json_lines(text).unwrap_err().to_string(), expected);
        }
    }
}
