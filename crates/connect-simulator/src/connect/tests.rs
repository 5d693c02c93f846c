//! Tests the simulated service without sockets, at chosen times.

use serde_json::{Value, json};

use super::*;
use crate::{Operation, Switches};

/// Returns instance `i` with queue `q` (default address `d`), queue `bare` without a default address, and addresses
/// `a0` to `a59`.
fn fixture() -> Fixture {
    let fixture = Fixture::new().with_queue_default("i", "q", "d").with_queue("i", "bare", "Bare");
    (0..60).fold(fixture, |fixture, number| {
        fixture.with_address("i", format!("a{number}"), format!("{number}@brand.example"))
    })
}

fn service(switches: Switches) -> Connect {
    Connect::new(Options { fixture: fixture(), switches, ..Options::default() })
}

fn associate(queue: &str, ids: &[String], token: Option<&str>) -> Request<Bytes> {
    let config: Vec<Value> = ids.iter().map(|id| json!({ "EmailAddressId": id })).collect();
    let mut body = json!({ "EmailAddressesConfig": config });
    if let Some(token) = token {
        body["ClientToken"] = json!(token);
    }
    post(&format!("/queues/i/{queue}/associate-email-addresses"), &body)
}

fn post(uri: &str, body: &Value) -> Request<Bytes> {
    Request::post(uri).body(Bytes::from(body.to_string())).unwrap()
}

fn numbered(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("a{number}")).collect()
}

/// Returns the status of an answer, with its error code if it has one.
fn outcome(connect: &Connect, request: Request<Bytes>) -> (u16, String) {
    let response = connect.answer(request, Instant::now()).response.unwrap();
    let code = response.headers().get("x-amzn-errortype").map_or("", |code| code.to_str().unwrap());
    (response.status().as_u16(), code.to_owned())
}

fn ok() -> (u16, String) {
    (200, String::new())
}

fn error(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn queue_accepts_49_addresses_and_its_default() {
    let connect = service(Switches::default());
    assert_eq!(outcome(&connect, associate("q", &numbered(0..48), None)), ok());
    assert_eq!(
        outcome(&connect, associate("q", &numbered(48..50), None)),
        error(429, "LimitExceededException")
    );
    assert_eq!(connect.associated("i", "q"), numbered(0..48));
    assert_eq!(outcome(&connect, associate("q", &numbered(48..49), None)), ok());
    // An address that is already on the queue needs no room, even if the queue is full.
    assert_eq!(outcome(&connect, associate("q", &numbered(0..49), None)), ok());
    connect.add(Fixture::new().with_limit("i", "q", 50));
    assert_eq!(outcome(&connect, associate("q", &numbered(49..50), None)), ok());
    assert_eq!(connect.associated("i", "q"), numbered(0..50));
}

#[test]
fn switch_decides_on_existing_associations() {
    for (reject_repeated_associations, answer, associated) in
        [(false, ok(), numbered(0..2)), (true, error(400, "InvalidParameterException"), numbered(0..1))]
    {
        let connect = service(Switches { reject_repeated_associations, ..Switches::default() });
        assert_eq!(outcome(&connect, associate("q", &numbered(0..1), None)), ok());
        assert_eq!(outcome(&connect, associate("q", &numbered(0..2), None)), answer);
        assert_eq!(connect.associated("i", "q"), associated);
        assert_eq!(outcome(&connect, associate("q", &["d".to_owned()], None)), answer, "the default one");
    }
}

#[test]
fn switch_decides_error_of_unknown_address() {
    for (unknown_address_is_not_found, answer) in
        [(false, error(400, "InvalidParameterException")), (true, error(404, "ResourceNotFoundException"))]
    {
        let connect = service(Switches { unknown_address_is_not_found, ..Switches::default() });
        let ids = ["a0".to_owned(), "unknown".to_owned()];
        assert_eq!(outcome(&connect, associate("q", &ids, None)), answer);
        assert!(connect.associated("i", "q").is_empty());
        connect.add(Fixture::new().with_address("i", "unknown", "unknown@brand.example"));
        assert_eq!(outcome(&connect, associate("q", &ids, None)), ok());
        connect.remove_address("i", "unknown");
        assert_eq!(connect.associated("i", "q"), ["a0"]);
    }
}

#[test]
fn repeated_client_token_changes_nothing() {
    let connect = service(Switches { reject_repeated_associations: true, ..Switches::default() });
    assert_eq!(outcome(&connect, associate("q", &numbered(0..2), Some("t"))), ok());
    assert_eq!(outcome(&connect, associate("q", &numbered(0..2), Some("t"))), ok());
    let other = associate("q", &numbered(2..3), Some("t"));
    assert_eq!(outcome(&connect, other), error(400, "InvalidRequestException"));
    // The same token is independent in another queue.
    assert_eq!(outcome(&connect, associate("bare", &numbered(2..3), Some("t"))), ok());
    // A rejected call can be repeated with its token.
    let later = || associate("q", &["later".to_owned()], Some("u"));
    assert_eq!(outcome(&connect, later()), error(400, "InvalidParameterException"));
    connect.add(Fixture::new().with_address("i", "later", "later@brand.example"));
    assert_eq!(outcome(&connect, later()), ok());
}

#[test]
fn unknown_instances_and_queues_are_not_found_unless_created() {
    let unknown = || {
        ["/queues/i/nowhere/associate-email-addresses", "/queues/nowhere/q/associate-email-addresses"]
            .map(|uri| post(uri, &json!({ "EmailAddressesConfig": [{ "EmailAddressId": "new" }] })))
    };
    let strict = service(Switches::default());
    let lenient = service(Switches { auto_create: true, ..Switches::default() });
    for request in unknown() {
        assert_eq!(outcome(&strict, request), error(404, "ResourceNotFoundException"));
    }
    for request in unknown() {
        assert_eq!(outcome(&lenient, request), ok());
    }
    assert_eq!(lenient.associated("nowhere", "q"), ["new"]);
}

#[test]
fn requests_outside_the_model_are_rejected() {
    let associate = "/queues/i/q/associate-email-addresses";
    let long = format!("/queues/{}/q/associate-email-addresses", "i".repeat(101));
    let one = r#"{"EmailAddressesConfig": [{"EmailAddressId": "a0"}]}"#;
    let token = format!(
        r#"{{"EmailAddressesConfig": [{{"EmailAddressId": "a0"}}], "ClientToken": "{}"}}"#,
        "t".repeat(501)
    );
    let cases = [
        ("POST", associate, "{", "InvalidRequestException"),
        ("POST", associate, "", "InvalidRequestException"),
        ("POST", associate, "[]", "InvalidRequestException"),
        ("POST", associate, r#"{"EmailAddressesConfig": ["a0"]}"#, "InvalidRequestException"),
        ("POST", associate, r#"{"EmailAddressesConfig": []}"#, "InvalidParameterException"),
        ("POST", associate, &token, "InvalidParameterException"),
        ("POST", &long, one, "InvalidParameterException"),
        ("POST", "/queues//q/associate-email-addresses", one, "InvalidParameterException"),
        ("POST", "/queues/i//associate-email-addresses", one, "InvalidParameterException"),
        ("GET", "/queues/i/q/email-addresses?maxResults=101", "", "InvalidParameterException"),
        ("GET", "/queues/i/q/email-addresses?maxResults=many", "", "InvalidParameterException"),
        ("GET", "/queues/i/q/email-addresses?nextToken=5", "", "InvalidParameterException"),
        ("POST", "/search-queues", "{}", "InvalidRequestException"),
        ("POST", "/search-queues", r#"{"InstanceId": "i", "MaxResults": 501}"#, "InvalidParameterException"),
        (
            "POST",
            "/search-email-addresses",
            r#"{"InstanceId": "i", "MaxResults": 101}"#,
            "InvalidParameterException",
        ),
        (
            "POST",
            "/search-email-addresses",
            r#"{"InstanceId": "i", "MaxResults": 1.5}"#,
            "InvalidRequestException",
        ),
    ];
    let connect = service(Switches::default());
    for (method, uri, body, code) in cases {
        let request = Request::builder().method(method).uri(uri).body(Bytes::from(body.to_owned())).unwrap();
        assert_eq!(outcome(&connect, request), error(400, code), "{method} {uri} {body}");
    }
    assert!(connect.associated("i", "q").is_empty());
    assert_eq!(connect.calls().len(), 16);

    let unknown = Request::get("/queues").body(Bytes::new()).unwrap();
    assert_eq!(outcome(&connect, unknown), error(404, "UnknownOperationException"));
    assert_eq!(connect.calls().len(), 16, "only operations are recorded");
}

#[test]
fn default_address_cannot_be_removed() {
    let connect = service(Switches::default());
    assert_eq!(outcome(&connect, associate("q", &numbered(0..3), None)), ok());
    let disassociate =
        |ids: &[&str]| post("/queues/i/q/disassociate-email-addresses", &json!({ "EmailAddressesId": ids }));
    assert_eq!(outcome(&connect, disassociate(&["a0", "d"])), error(400, "InvalidParameterException"));
    assert_eq!(outcome(&connect, disassociate(&["a1", "a9"])), ok());
    assert_eq!(connect.associated("i", "q"), ["a0", "a2"]);
}

#[test]
fn switch_decides_on_addresses_that_are_not_on_the_queue() {
    for (reject_repeated_removals, answer, left) in
        [(false, ok(), numbered(0..1)), (true, error(400, "InvalidParameterException"), numbered(0..2))]
    {
        let connect = service(Switches { reject_repeated_removals, ..Switches::default() });
        assert_eq!(outcome(&connect, associate("q", &numbered(0..2), None)), ok());
        let body = json!({ "EmailAddressesId": ["a1", "a9"] });
        assert_eq!(outcome(&connect, post("/queues/i/q/disassociate-email-addresses", &body)), answer);
        assert_eq!(connect.associated("i", "q"), left);
    }
}

#[test]
fn throttled_call_changes_nothing() {
    for (throttle_as_listed, code) in [(false, "TooManyRequestsException"), (true, "ThrottlingException")] {
        let connect = service(Switches { throttle_as_listed, ..Switches::default() });
        connect.set_quota(Quota::per_second(2.0, 1.0));
        let start = Instant::now();
        for (millis, throttled) in [(0, false), (100, true), (500, false)] {
            let request = associate("q", &[format!("a{millis}").replace("00", "")], None);
            connect.answer(request, start + Duration::from_millis(millis));
            let call = connect.calls().pop().unwrap();
            assert_eq!(call.throttled(), throttled, "{millis} ms");
            assert_eq!(call.error.as_deref(), throttled.then_some(code));
        }
        assert_eq!(connect.associated("i", "q"), ["a0", "a5"]);
    }
}

#[test]
fn each_effect_has_its_response() {
    let once = |effect| Fault::new(effect).times(1);
    let answer = |connect: &Connect| connect.answer(associate("q", &numbered(0..1), None), Instant::now());
    let last = |connect: &Connect| {
        let call = connect.calls().pop().unwrap();
        (call.status, call.error, connect.associated("i", "q").len())
    };
    let connect = service(Switches::default());
    // A fault that does not carry out the call uses no quota: the only token remains for the last two effects.
    connect.set_quota(Quota::per_second(0.0, 1.0));

    connect.inject(once(Effect::default()));
    assert!(answer(&connect).response.is_some());
    assert_eq!(last(&connect), (Some(500), Some("InternalServiceException".to_owned()), 0));

    connect.inject(once(Effect::Reset));
    let reset = answer(&connect);
    assert!(reset.response.is_none() && !reset.hang);
    assert_eq!(last(&connect), (None, None, 0));

    connect.inject(once(Effect::Hang));
    assert!(answer(&connect).hang);
    assert_eq!(last(&connect), (None, None, 0));

    connect.inject(once(Effect::CutOff));
    let cut_off = answer(&connect);
    assert!(cut_off.cut_off && !cut_off.response.unwrap().body().is_empty());
    assert_eq!(last(&connect), (None, None, 0));

    connect.inject(once(Effect::Malformed));
    let malformed = answer(&connect).response.unwrap();
    assert!(serde_json::from_slice::<Value>(malformed.body()).is_err());
    assert_eq!(last(&connect), (Some(200), None, 0));

    connect.inject(once(Effect::RetryAfter { millis: 1500, code: "ThrottlingException".to_owned() }));
    assert_eq!(answer(&connect).response.unwrap().headers()["x-amz-retry-after"], "1500");
    assert_eq!(last(&connect), (Some(429), Some("ThrottlingException".to_owned()), 0));

    connect.inject(once(Effect::ResetAfter));
    assert!(answer(&connect).response.is_none());
    assert_eq!(last(&connect), (None, None, 1));

    connect.inject(once(Effect::Delay(Duration::from_secs(3))));
    assert_eq!(answer(&connect).delay, Duration::from_secs(3));
    assert_eq!(last(&connect), (Some(429), Some("TooManyRequestsException".to_owned()), 1));
}

#[test]
fn calls_are_recorded_and_observed() {
    let connect = Connect::new(Options { latency: Duration::from_millis(7), ..Options::default() });
    let seen = Arc::new(Mutex::new(Vec::new()));
    connect.observe({
        let (connect, seen) = (connect.clone(), seen.clone());
        // An observer can use the service.
        move |call| seen.lock().unwrap().push((call.clone(), connect.calls().len()))
    });
    let now = Instant::now();
    let answer = connect.answer(associate("q%2F1", &numbered(0..2), Some("t")), now);
    assert_eq!(answer.delay, Duration::from_millis(7));
    let expected = RecordedCall {
        operation: Operation::AssociateQueueEmailAddresses,
        instance: "i".to_owned(),
        queue: Some("q/1".to_owned()),
        addresses: numbered(0..2),
        client_token: Some("t".to_owned()),
        status: Some(404),
        error: Some("ResourceNotFoundException".to_owned()),
        at: now,
    };
    assert_eq!(*seen.lock().unwrap(), [(expected.clone(), 1)]);
    assert_eq!(connect.calls(), vec![expected]);
    connect.clear_calls();
    assert!(connect.calls().is_empty());
}
