//! A file of failed rows that is uploaded again unchanged requests no pair that the first file did not request.

use std::collections::BTreeSet;

use super::*;

/// Returns the pairs that a file sends to the Map.
fn requested(key: &str, text: &str) -> Option<(BTreeSet<String>, GroupedFile)> {
    group(key, text.as_bytes(), &context()).ok()?;
    let (items, file) = grouped_as(key, text);
    let pairs = items.iter().flat_map(|item| {
        let queue =
            [&item["instanceId"], &item["queueId"], &item["queueName"]].map(Value::to_string).join(" ");
        let lists = [&item["emailAddressIds"], &item["emailAddresses"]];
        let addresses = lists.into_iter().filter_map(Value::as_array).flatten();
        addresses.map(|address| format!("{queue} {address}")).collect::<Vec<_>>()
    });
    Some((pairs.collect(), file))
}

/// Checks the file of failed rows when every pair fails.
fn check(key: &str, text: &str) -> Result<(), TestCaseError> {
    let Some((first, file)) = requested(key, text) else { return Ok(()) };
    let written = failed_csv(&outcome(&file, &[]));
    let Some((again, _)) = requested("failed.csv", &written) else {
        return Err(TestCaseError::fail(format!("{text:?} leads to an unusable file: {written:?}")));
    };
    prop_assert!(again.is_subset(&first), "{:?} leads to {:?}", text, written);
    // All of them failed, so all of them are requested again. A table cannot contain every name of a JSON text: a name with
    // a line end or with a quote that is not closed fails again.
    if !text.contains("\\n") && !text.contains("\\\"") {
        prop_assert_eq!(&again, &first, "{:?} leads to {:?}", text, written);
    }
    Ok(())
}

/// A cell that may contain quotes, formulas, separators and blanks.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[qe][12]",
        1 => Just(String::new()),
        2 => "[ '\"=+;|,\t“”a@.x\\\\/␤-]{0,6}",
        1 => "[\"'“]?[a-c]@x[.]example[\"'”.]?",
    ]
}

fn table() -> impl Strategy<Value = String> {
    let header = prop::sample::select(vec![
        vec!["queueId", "emailAddressId"],
        vec!["emailAddress", "queueName"],
        vec!["note", "Queue Name", "reference", "email address", "error"],
        vec!["queueId", "queueName", "emailAddressId", "emailAddress", "instanceId"],
        vec!["row", "error", "message", "retryable", "queueId", "emailAddressId"],
    ]);
    let rows = prop::collection::vec(prop::collection::vec(cell(), 0..7), 0..8);
    let separator = prop::sample::select(vec![b',', b';', b'\t', b'|']);
    (header, rows, separator, any::<bool>()).prop_map(|(header, rows, separator, quoted)| {
        if quoted {
            let mut writer =
                csv::WriterBuilder::new().flexible(true).delimiter(separator).from_writer(Vec::new());
            writer.write_record(&header).unwrap();
            rows.iter().filter(|row| !row.is_empty()).for_each(|row| writer.write_record(row).unwrap());
            return String::from_utf8(writer.into_inner().unwrap()).unwrap();
        }
        let separator = char::from(separator).to_string();
        let rows = rows.iter().map(|row| row.join(&separator));
        std::iter::once(header.join(&separator)).chain(rows).map(|line| line + "\n").collect()
    })
}

/// A line of JSON that may contain an option, a wrong type, or a name that a table cannot represent.
fn json_line() -> impl Strategy<Value = String> {
    let name = || {
        prop_oneof![
            3 => "[qe][12]".prop_map(Value::from),
            2 => "[ '\"=+;|,“”a\n@x.-]{0,5}".prop_map(Value::from),
            1 => Just(json!(7)),
            1 => Just(json!(["e1", " e2", "a b", 7, "=e3"])),
        ]
    };
    let field = prop::sample::select(vec![
        "queueId",
        "queueName",
        "emailAddressId",
        "emailAddressIds",
        "emailAddress",
        "emailAddresses",
        "instanceId",
        "reference",
        "queue_id",
    ]);
    let option = prop_oneof![
        4 => Just(json!({})),
        1 => Just(json!({ "dryRun": true })),
        1 => Just(json!({ "dry run": true })),
    ];
    let entry = || prop::collection::vec((field.clone(), name()), 0..4);
    (prop::bool::ANY, entry(), entry(), option).prop_map(|(is_short, entry, other, option)| {
        let object = |fields: Vec<(&str, Value)>| -> serde_json::Map<String, Value> {
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        };
        let mut request = option.as_object().unwrap().clone();
        if is_short {
            request.extend(object(entry));
        } else {
            request.insert("associations".to_owned(), json!([object(entry), object(other)]));
        }
        Value::from(request).to_string()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn failed_table_requests_the_same_pairs(text in table()) {
        check("f.csv", &text)?;
    }

    #[test]
    fn failed_json_requests_the_same_pairs(lines in prop::collection::vec(json_line(), 1..6)) {
        check("f.jsonl", &lines.join("\n"))?;
        check("f.json", &format!("[{}]", lines.join(",\n")))?;
    }
}
