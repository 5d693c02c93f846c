//! Reads a JSON document: one association request, or an array of them.

use std::fmt;

use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use crate::line_numbers::{LineCounter, with_line_feeds};
use crate::{MAX_PAIRS, Record, UnreadableFile, json_problem, too_many};

/// Reads the records of a document. Fails if it is not JSON, continues after its first value, has lone carriage returns
/// among line feeds, or has too many elements.
pub(crate) fn read(text: &str) -> Result<Vec<Record>, UnreadableFile> {
    let text = &*with_line_feeds(text)?;
    let (values, unit) = if text.trim_start().starts_with('[') {
        (elements(text)?, "element")
    } else {
        (vec![document(text)?], "document")
    };
    let mut lines = LineCounter::new(text, 1);
    let record = |value: &RawValue| {
        // Every value is a part of the text.
        let offset = value.get().as_ptr().addr() - text.as_ptr().addr();
        Record::of_json(lines.line_at(offset), value.get(), unit)
    };
    Ok(values.into_iter().map(record).collect())
}

fn document(text: &str) -> Result<&RawValue, UnreadableFile> {
    serde_json::from_str(text).map_err(|error| invalid(text, &error))
}

fn elements(text: &str) -> Result<Vec<&RawValue>, UnreadableFile> {
    let mut deserializer = Deserializer::from_str(text);
    let elements = deserializer.deserialize_seq(ElementsVisitor).and_then(|elements| {
        deserializer.end()?;
        Ok(elements)
    });
    elements.map_err(|error| if error.is_data() { too_many() } else { invalid(text, &error) })
}

fn invalid(text: &str, error: &serde_json::Error) -> UnreadableFile {
    let mut documents = Deserializer::from_str(text).into_iter::<&RawValue>();
    let several = text.trim_start().starts_with('{')
        && documents.next().is_some_and(|first| first.is_ok())
        && documents.next().is_some_and(|second| second.is_ok_and(|second| second.get().starts_with('{')));
    if several {
        return UnreadableFile(
            "the file contains JSON Lines: expected one JSON document; rename the file so that it ends in .jsonl".to_owned(),
        );
    }
    UnreadableFile(format!(
        "line {}, column {}: not valid JSON ({}): expected an association request, or an array of them",
        error.line(),
        error.column(),
        json_problem(error)
    ))
}

/// Reads the elements of an array. Too many elements are the only error in its data.
struct ElementsVisitor;

impl<'de> Visitor<'de> for ElementsVisitor {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = array.next_element::<&RawValue>()? {
            if elements.len() == MAX_PAIRS {
                return Err(A::Error::custom("too many"));
            }
            elements.push(element);
        }
        Ok(elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, String)> {
        let records = super::read(text).unwrap().into_iter();
        records.map(|record| (record.line, record.problem.unwrap_or(record.json))).collect()
    }

    fn rejected(text: &str) -> String {
        super::read(text).unwrap_err().to_string()
    }

    #[test]
    fn elements_of_an_array_are_records_with_their_lines() {
        let text = "[\n  {\n    \"queueId\": \"q\"\n  },\n  7, {\"dryRun\": true},\n\n  {}\n]\n";
        let [first, seven, option, last] = &*read(text) else { panic!("four records") };
        assert_eq!(first, &(2, "{\n    \"queueId\": \"q\"\n  }".to_owned()));
        assert_eq!(
            seven,
            &(5, "the element is a number: expected an association request, an object".to_owned())
        );
        assert!(option.0 == 5 && option.1.starts_with("dryRun is an option"), "{option:?}");
        assert_eq!(last, &(7, "{}".to_owned()));
    }

    #[test]
    fn document_is_one_record() {
        assert_eq!(read("\n{\"queueId\":\"q\"}\n"), [(2, "{\"queueId\":\"q\"}".to_owned())]);
        assert!(super::read("[]").unwrap().is_empty());
    }

    #[test]
    fn reading_stops_after_the_maximum() {
        let text = format!("[{}1]", "1,".repeat(MAX_PAIRS));
        assert_eq!(rejected(&text), too_many().to_string());
    }
}
