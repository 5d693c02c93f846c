//! The entries of valid requests, and what stays valid if a part is invalid. `tests/schema` lists invalid requests.

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

/// `tests/schema` shows this for the fields of requests and entries.
#[test]
fn null_in_batch_input_counts_as_absent() {
    let short = r#"{"instanceId":null,"queueId":"q","emailAddressId":"e"}"#;
    assert_eq!(read_in(short, Some("env"), "null").0, ["env/q: e"]);
    assert_eq!(read_in(short, Some("env"), r#"{"instanceId":null,"dryRun":null}"#).0, ["env/q: e"]);
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
fn entry_with_another_account_is_invalid_alone() {
    let other_account = ARN.replace("111122223333", "444455556666");
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
    // An entry may specify another instance than its request if the parts of the entry agree.
    let request = r#"{"instanceId":"i","associations":[
        {"instanceId":"j","queueId":"ARN/j/queue/q","emailAddressId":"e"}]}"#;
    assert_eq!(read(request), (vec!["j/q: e".to_owned()], vec![]));
}

#[test]
fn valid_parts_are_read_despite_invalid_ones() {
    let (entries, invalid) = read(
        r#"{"instanceId":"i","associations":[
            {"queueId":"q","emailAddressIds":["e",7,"","a b","f"]},
            {"queueId":"q"},
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
            "associations[2].dryRun",
            "associations[3]",
        ]
    );
}

#[test]
fn invalid_entry_is_one_failure() {
    let (_, invalid) = read(r#"{"associations":[{"queueId":"q","emailAddressIds":["a b","e",7]}]}"#);
    assert_eq!(invalid.len(), 1);
    assert_eq!(invalid[0].0, "associations[0].instanceId");
}

#[test]
fn invalid_request_field_fails_the_whole_request() {
    for field in [r#""dryRun":"true""#, r#""dryrun":true"#, r#""instanceId":7"#, r#""queueId":"q""#] {
        let request = format!(r#"{{{field},"associations":[{{"queueId":"q","emailAddressId":"e"}}]}}"#);
        let (entries, invalid) = read_in(&request, Some("i"), "{}");
        assert_eq!((entries.len(), invalid.len()), (0, 1), "{request}");
    }
}
