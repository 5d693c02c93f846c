//! Requests that are read: the valid entries, the invalid parts and their paths.

use super::*;
use crate::requests::Intent;
use crate::requests::{ArnScope, Defaults, Named};

const ARN: &str = "arn:aws:connect:eu-central-1:111122223333:instance";

/// The entries of a request in short notation, and its invalid parts.
fn read(request: &str) -> (Vec<String>, Vec<(String, String)>) {
    read_in(request, None, "{}")
}

fn read_in(
    request: &str,
    environment: Option<&str>,
    batch_input: &str,
) -> (Vec<String>, Vec<(String, String)>) {
    let scope = ArnScope::new("eu-central-1");
    let batch_input = Json::parse(batch_input).unwrap();
    let defaults = Defaults::read(&batch_input, &scope).unwrap();
    let request = request.replace("ARN", ARN);
    let json = Json::parse(&request).unwrap();
    let context = Context { instance: environment.map(Into::into), defaults, ..Context::new(&scope, None) };
    let request = Request::read(&json, Base::Root, &context);
    let entry = |entry: &Entry<'_>| {
        let queue = match entry.queue {
            Named::Id(id) => id.to_string(),
            Named::Name(name) => format!("name {name}"),
        };
        let addresses: Vec<&str> =
            entry.addresses.iter().map(|(_, address)| address.as_ref().text()).collect();
        format!("{}/{queue}: {}", entry.instance, addresses.join(" "))
    };
    let invalid = request
        .invalid
        .iter()
        .map(|invalid| (invalid.path_text().unwrap_or_default(), invalid.message.to_string()))
        .collect();
    (request.entries.iter().map(entry).collect(), invalid)
}

#[test]
fn every_form_is_read() {
    for (request, entries) in [
        (r#"{"instanceId":"i","queueId":"q","emailAddressId":"e"}"#, vec!["i/q: e"]),
        (
            r#"{"instanceId":"i","queueId":"q","queueName":"","emailAddressId":"e","dryRun":""}"#,
            vec!["i/q: e"],
        ),
        (
            r#"{"instanceId":"i","queueName":"Q 1","emailAddresses":["a@x.example","b@x.example"]}"#,
            vec!["i/name Q 1: a@x.example b@x.example"],
        ),
        (
            r#"{"instanceId":"i","note":{"any":1},"associations":[
                {"queueId":"q","emailAddressId":"e"},
                {"queueId":"q","emailAddressIds":["e","f"],"comment":"x"},
                {"instanceId":"j","queueName":"Q","emailAddress":"a@x.example"}]}"#,
            vec!["i/q: e", "i/q: e f", "j/name Q: a@x.example"],
        ),
        (
            r#"{"associations":[{"queueId":"ARN/i/queue/q","emailAddressId":"ARN/i/email-address/e"}]}"#,
            vec!["i/q: e"],
        ),
        // A single element without its list, as JSONata writes it.
        (r#"{"instanceId":"i","queueId":"q","emailAddressIds":"e"}"#, vec!["i/q: e"]),
        (r#"{"instanceId":"i","queueId":"q","emailAddresses":"a@x.example"}"#, vec!["i/q: a@x.example"]),
        (
            r#"{"instanceId":"i","associations":{"queueId":"q","emailAddressIds":["e","f"]}}"#,
            vec!["i/q: e f"],
        ),
        (r#"{"instanceId":"i","associations":{"queueId":"q","emailAddressIds":"e"}}"#, vec!["i/q: e"]),
    ] {
        assert_eq!(read(request), (entries.into_iter().map(str::to_owned).collect(), vec![]), "{request}");
    }
}

#[test]
fn null_counts_as_absent() {
    for request in [
        r#"{"instanceId":"i","queueId":"q","queueName":null,"emailAddressId":"e","emailAddressIds":null,
            "emailAddress":null,"emailAddresses":null,"dryRun":null,"checkQueues":null,"failOnPermanent":null,
            "failOnRetryable":null,"associations":null}"#,
        r#"{"instanceId":"i","queueId":null,"queueName":null,"dryRun":null,"associations":[
            {"instanceId":null,"queueId":"q","queueName":null,"dryRun":null,"associations":null,"emailAddressId":null,
             "emailAddressIds":["e"]}]}"#,
        r#"{"instanceId":null,"associations":[{"instanceId":"i","queueId":"q","emailAddressId":"e"}]}"#,
    ] {
        assert_eq!(read(request), (vec!["i/q: e".to_owned()], vec![]), "{request}");
    }
    // `null` counts as absent. The request is in the short form, and the instance comes from the next place.
    let (_, invalid) = read(r#"{"instanceId":"i","associations":null}"#);
    assert_eq!(invalid[0].0, "associations");
    let short = r#"{"instanceId":null,"queueId":"q","emailAddressId":"e"}"#;
    assert_eq!(read_in(short, Some("env"), "null").0, ["env/q: e"]);
    assert_eq!(read_in(short, Some("env"), r#"{"instanceId":null,"dryRun":null}"#).0, ["env/q: e"]);
    // `null` is invalid as an element, and under a name that is nearly known. A field is given twice even if one value
    // is `null`.
    for (request, path) in [
        (r#"{"instanceId":"i","queueId":"q","emailAddressIds":[null]}"#, "emailAddressIds[0]"),
        (r#"{"instanceId":"i","associations":[null]}"#, "associations[0]"),
        (r#"{"instanceId":"i","queueId":"q","emailAddressId":"e","dryrun":null}"#, "dryrun"),
        (r#"{"instanceId":"i","queueId":"q","emailAddressId":"e","dryRun":true,"dryRun":null}"#, "dryRun"),
    ] {
        assert_eq!(read(request).1[0].0, path, "{request}");
    }
}

#[test]
fn single_elements_have_paths_without_an_index() {
    for (request, path) in [
        (r#"{"instanceId":"i","queueId":"q","emailAddressIds":"a b"}"#, "emailAddressIds"),
        (r#"{"instanceId":"i","queueId":"q","emailAddresses":"nobody"}"#, "emailAddresses"),
        (
            r#"{"instanceId":"i","associations":{"queueId":"q q","emailAddressId":"e"}}"#,
            "associations.queueId",
        ),
        (
            r#"{"instanceId":"i","associations":{"queueId":"q","emailAddressIds":"a b"}}"#,
            "associations.emailAddressIds",
        ),
        (
            r#"{"instanceId":"i","associations":{"queueId":"q","emailAddressIds":["e",7]}}"#,
            "associations.emailAddressIds[1]",
        ),
        (
            r#"{"instanceId":"i","associations":[{"queueId":"q","emailAddressIds":""}]}"#,
            "associations[0].emailAddressIds",
        ),
        (r#"{"instanceId":"i","associations":{"queueId":"q"}}"#, "associations.emailAddressId"),
    ] {
        let (_, invalid) = read(request);
        assert_eq!((invalid.len(), invalid[0].0.as_str()), (1, path), "{request}");
    }
    let scope = ArnScope::new("eu-central-1");
    let json = Json::parse(r#"{"associations":{"queueId":"q","emailAddressIds":"e"}}"#).unwrap();
    let context = Context { instance: Some("i".into()), ..Context::new(&scope, None) };
    let request = Request::read(&json, Base::Root, &context);
    assert_eq!(request.entries[0].addresses[0].0.to_string(), "associations.emailAddressIds");
}

#[test]
fn batch_input_has_no_fields_of_an_item() {
    for (batch_input, field) in [
        (r#"{"queueId":"q"}"#, Some("BatchInput.queueId")),
        (r#"{"associations":[]}"#, Some("BatchInput.associations")),
        (r#"{"emailAddressIds":["e"]}"#, Some("BatchInput.emailAddressIds")),
        (r#"{"queueId":null,"note":1,"reference":"r"}"#, None),
    ] {
        let json = Json::parse(batch_input).unwrap();
        let error = Defaults::read(&json, &ArnScope::new("eu-central-1")).err();
        let path = error.map(|invalid| invalid.path_text().unwrap());
        assert_eq!(path.as_deref(), field, "{batch_input}");
    }
}

#[test]
fn check_queues_needs_a_dry_run() {
    let options = |request: &str, batch_input: &str| {
        let scope = ArnScope::new("eu-central-1");
        let batch_input = Json::parse(batch_input).unwrap();
        let defaults = Defaults::read(&batch_input, &scope).unwrap();
        let json = Json::parse(request).unwrap();
        let context = Context { instance: Some("i".into()), defaults, ..Context::new(&scope, None) };
        let request = Request::read(&json, Base::Root, &context);
        match request.invalid.first() {
            None => Ok(request.options.intent),
            Some(invalid) => Err(invalid.path_text().unwrap_or_default()),
        }
    };
    let pair = r#""queueId":"q","emailAddressId":"e""#;
    let refused = Err("checkQueues".to_owned());
    for (fields, batch_input, expected) in [
        (r#""dryRun":true,"checkQueues":true,"#, "{}", Ok(Intent::Check)),
        (r#""dryRun":true,"#, "{}", Ok(Intent::Plan)),
        (r#""checkQueues":false,"#, "{}", Ok(Intent::Associate)),
        (r#""checkQueues":true,"#, "{}", refused.clone()),
        (r#""dryRun":false,"checkQueues":true,"#, "{}", refused.clone()),
        (r#""checkQueues":"yes","dryRun":true,"#, "{}", refused.clone()),
        (r#""checkQueues":true,"#, r#"{"dryRun":true}"#, Ok(Intent::Check)),
        (r#""dryRun":true,"#, r#"{"checkQueues":true}"#, Ok(Intent::Check)),
        (r#""dryRun":false,"#, r#"{"dryRun":true,"checkQueues":true}"#, refused),
        (
            r#""dryRun":false,"checkQueues":false,"#,
            r#"{"dryRun":true,"checkQueues":true}"#,
            Ok(Intent::Associate),
        ),
    ] {
        assert_eq!(options(&format!("{{{fields}{pair}}}"), batch_input), expected, "{fields} {batch_input}");
        let long = format!(r#"{{{fields}"associations":[{{{pair}}}]}}"#);
        assert_eq!(options(&long, batch_input), expected, "{fields} {batch_input}");
    }
}

#[test]
fn innermost_instance_comes_first() {
    let batch = r#"{"instanceId":"batch"}"#;
    for (entry, request, environment, batch_input, instance) in [
        (r#""instanceId":"entry","queueId":"q""#, r#""instanceId":"request","#, Some("env"), batch, "entry"),
        (r#""queueId":"ARN/arn/queue/q""#, "", Some("env"), batch, "arn"),
        (r#""queueId":"q""#, r#""instanceId":"request","#, Some("env"), batch, "request"),
        (r#""queueId":"q""#, "", Some("env"), batch, "batch"),
        (r#""queueId":"q""#, "", Some("env"), "{}", "env"),
    ] {
        let request = format!(r#"{{{request}"associations":[{{{entry},"emailAddressId":"e"}}]}}"#);
        let (entries, invalid) = read_in(&request, environment, batch_input);
        assert_eq!((entries, invalid), (vec![format!("{instance}/q: e")], vec![]), "{request}");
    }
    let (_, invalid) = read(r#"{"queueId":"q","emailAddressId":"e"}"#);
    assert_eq!(invalid[0].0, "instanceId");
    assert!(invalid[0].1.contains("CONNECT_INSTANCE_ID"));
}

#[test]
fn disagreeing_arns_are_invalid() {
    let other_account = ARN.replace("111122223333", "444455556666");
    for (request, path) in [
        (r#"{"instanceId":"i","queueId":"ARN/j/queue/q","emailAddressId":"e"}"#.to_owned(), "queueId"),
        (
            r#"{"instanceId":"i","associations":[{"queueId":"ARN/j/queue/q","emailAddressId":"e"}]}"#
                .to_owned(),
            "associations[0].queueId",
        ),
        (
            r#"{"queueId":"ARN/i/queue/q","emailAddressId":"ARN/j/email-address/e"}"#.to_owned(),
            "emailAddressId",
        ),
        (
            format!(r#"{{"instanceId":"ARN/i","queueId":"{other_account}/i/queue/q","emailAddressId":"e"}}"#),
            "queueId",
        ),
        (
            format!(
                r#"{{"queueId":"ARN/i/queue/q","emailAddressIds":["{other_account}/i/email-address/e"]}}"#
            ),
            "emailAddressIds[0]",
        ),
        (
            r#"{"instanceId":"i","queueId":"ARN/i/email-address/e","emailAddressId":"e"}"#.to_owned(),
            "queueId",
        ),
    ] {
        let (_, invalid) = read(&request);
        assert_eq!(invalid.len(), 1, "{request}");
        assert_eq!(invalid[0].0, path, "{request}");
    }
    // Entries belong to the account of the earlier ARNs in their request.
    let request = format!(
        r#"{{"associations":[{{"queueId":"ARN/i/queue/q","emailAddressId":"a"}},
            {{"queueId":"{other_account}/i/queue/q","emailAddressId":"b"}},
            {{"queueId":"ARN/i/queue/q","emailAddressId":"c"}}]}}"#
    );
    let (pairs, invalid) = read(&request);
    assert_eq!(pairs, ["i/q: a", "i/q: c"]);
    assert_eq!((invalid.len(), invalid[0].0.as_str()), (1, "associations[1].queueId"));
    // A rejected ARN does not count for the ARNs after it.
    let request = format!(
        r#"{{"instanceId":"i","queueId":"q","emailAddressIds":
            ["{other_account}/j/email-address/a","ARN/i/email-address/b","ARN/i/email-address/c"]}}"#
    );
    let (pairs, invalid) = read(&request);
    assert_eq!(pairs, ["i/q: b c"]);
    assert_eq!(invalid.len(), 1);
    // An entry may name another instance than its request if the parts of the entry agree.
    let request = r#"{"instanceId":"i","associations":[
        {"instanceId":"j","queueId":"ARN/j/queue/q","emailAddressId":"e"}]}"#;
    assert_eq!(read(request), (vec!["j/q: e".to_owned()], vec![]));
}

#[test]
fn invalid_parts_are_named_and_valid_parts_go_on() {
    let (entries, invalid) = read(
        r#"{"instanceId":"i","associations":[
            {"queueId":"q","emailAddressIds":["e",7,"","a b","f"]},
            {"queueId":"q"},
            {"queueId":"q","queueName":"Q","emailAddressId":"e"},
            {"queueId":"q","emailAddressId":"e","emailAddress":"a@x.example"},
            {"queueId":"q","emailAddressIds":[]},
            {"queueId":"q","emailAddressIds":7},
            {"queueId":null,"emailAddressId":"e"},
            {"queue_id":"q","emailAddressId":"e"},
            {"queueId":"q","queueId":"p","emailAddressId":"e"},
            {"queueId":"q","emailAddressId":"e","dryRun":true},
            5,
            {"queueId":"q","emailAddressId":"g"}]}"#,
    );
    assert_eq!(entries, ["i/q: e f", "i/q: g"]);
    let paths: Vec<&str> = invalid.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "associations[0].emailAddressIds[1]",
            "associations[0].emailAddressIds[2]",
            "associations[0].emailAddressIds[3]",
            "associations[1].emailAddressId",
            "associations[2].queueName",
            "associations[3].emailAddress",
            "associations[4].emailAddressIds",
            "associations[5].emailAddressIds",
            "associations[6].queueId",
            "associations[7].queue_id",
            "associations[8].queueId",
            "associations[9].dryRun",
            "associations[10]",
        ]
    );
    assert_eq!(invalid[0].1, "an emailAddressIds element must be a string, not a number");
    assert_eq!(invalid[7].1, "emailAddressIds must be an array of strings or a string, not a number");
    assert_eq!(invalid[6].1, "emailAddressIds must not be empty");
    assert_eq!(invalid[12].1, "associations[10] must be an object, not a number");
}

#[test]
fn invalid_entry_is_one_failure() {
    let (_, invalid) = read(r#"{"associations":[{"queueId":"q","emailAddressIds":["a b","e",7]}]}"#);
    assert_eq!(invalid.len(), 1);
    assert_eq!(invalid[0].0, "associations[0].instanceId");
}

#[test]
fn invalid_request_field_fails_the_whole_request() {
    let pair = r#""associations":[{"queueId":"q","emailAddressId":"e"}]"#;
    for (field, path, message) in [
        (r#""dryRun":"true","#, "dryRun", "dryRun must be true or false, not a string"),
        (r#""dryRun":"","#, "dryRun", "dryRun must be true or false, not a string"),
        (r#""failOnPermanent":1,"#, "failOnPermanent", "failOnPermanent must be true or false, not a number"),
        (
            r#""failOnRetryable":[],"#,
            "failOnRetryable",
            "failOnRetryable must be true or false, not an array",
        ),
        (r#""dryrun":true,"#, "dryrun", r#"unknown field "dryrun"; did you mean "dryRun"?"#),
        (r#""instanceId":7,"#, "instanceId", "instanceId must be a string, not a number"),
        (r#""instanceId":"","#, "instanceId", "instanceId must not be empty"),
        (
            r#""queueId":"q","#,
            "queueId",
            "queueId is not allowed next to associations; move it into an entry",
        ),
    ] {
        let (entries, invalid) = read_in(&format!("{{{field}{pair}}}"), Some("i"), "{}");
        assert_eq!(entries, [""; 0]);
        assert_eq!(invalid, [(path.to_owned(), message.to_owned())], "{field}");
    }
    for (request, path) in [
        ("{}", "associations"),
        (r#"{"associations":[]}"#, "associations"),
        (r#"{"associations":{}}"#, "associations.queueId"),
        (r#"{"associations":"x"}"#, "associations"),
        (r#"{"instanceId":"i"}"#, "associations"),
        ("[]", ""),
        ("5", ""),
    ] {
        let (entries, invalid) = read(request);
        assert_eq!((entries.len(), invalid.len()), (0, 1), "{request}");
        assert_eq!(invalid[0].0, path, "{request}");
    }
}
