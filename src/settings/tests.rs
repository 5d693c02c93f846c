use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
    Settings::read(|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
    .map_err(|error| error.to_string())
}

#[test]
fn defaults_are_those_of_the_contract() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings.instance, None);
    assert_eq!(settings.allowance, Allowance { rate: 2.0, burst: 5.0, workers: 1 });
    assert_eq!(settings.max_concurrent_calls, 8);
    assert_eq!(settings.calls.backoff.initial, Duration::from_millis(200));
    assert_eq!(settings.calls.backoff.max, Duration::from_secs(20));
    assert_eq!(settings.calls.max_attempts, 10);
    assert_eq!(settings.calls.call_timeout, Duration::from_secs(5));
    assert_eq!(settings.deadline_margin, Duration::from_secs(1));
    assert_eq!(settings.queue_additional_limit, 49);
    assert_eq!((settings.failures_queue, settings.continuation_queue), (None, None));
    let seconds = Duration::from_secs;
    assert_eq!(settings.redelivery, Some(Delays { initial: seconds(30), max: seconds(900) }));
    assert_eq!(settings.metrics_namespace, "QueueEmailAssociations");
    assert_eq!(settings.log_level, LevelFilter::INFO);
    assert_eq!((settings.connect_endpoint, settings.sqs_endpoint), (None, None));
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    for variable in [
        "CONNECT_INSTANCE_ID",
        "CONNECT_REQUESTS_PER_SECOND",
        "MAX_ATTEMPTS",
        "FAILURES_QUEUE_URL",
        "METRICS_NAMESPACE",
        "AWS_LAMBDA_LOG_LEVEL",
        "AWS_ENDPOINT_URL_CONNECT",
    ] {
        assert!(read(&[(variable, "")]).is_ok(), "{variable}");
    }
    let settings = read(&[("AWS_LAMBDA_LOG_LEVEL", ""), ("RUST_LOG", "debug")]).unwrap();
    assert_eq!(settings.log_level, LevelFilter::DEBUG);
}

#[test]
fn workers_take_nothing_of_the_quota() {
    let settings = read(&[("CONNECT_WORKERS", "4"), ("CONNECT_REQUESTS_PER_SECOND", "10")]).unwrap();
    assert_eq!(settings.allowance, Allowance { rate: 10.0, burst: 5.0, workers: 4 });
}

#[test]
fn values_are_read() {
    let settings = read(&[
        ("AWS_REGION", "eu-central-1"),
        ("CONNECT_INSTANCE_ID", "arn:aws:connect:eu-central-1:111122223333:instance/i-1"),
        ("AWS_LAMBDA_LOG_LEVEL", "FATAL"),
        ("RUST_LOG", "nonsense that the first variable hides"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL_CONNECT", "http://127.0.0.1:2"),
    ])
    .unwrap();
    assert_eq!(settings.instance.as_deref(), Some("i-1"));
    assert_eq!(settings.log_level, LevelFilter::ERROR);
    assert_eq!(settings.connect_endpoint.as_deref(), Some("http://127.0.0.1:2"));
    assert_eq!(settings.sqs_endpoint.as_deref(), Some("http://127.0.0.1:1"));
}

#[test]
fn unusable_value_names_variable_value_and_accepted_values() {
    let table = [
        (("MAX_ATTEMPTS", "0"), r#"invalid MAX_ATTEMPTS "0": expected a whole number from 1 to 1000"#),
        (
            ("CONNECT_REQUESTS_PER_SECOND", "two"),
            r#"invalid CONNECT_REQUESTS_PER_SECOND "two": expected a number from 0.001 to 1000000"#,
        ),
        (
            ("CONNECT_REQUESTS_PER_SECOND", "NaN"),
            r#"invalid CONNECT_REQUESTS_PER_SECOND "NaN": expected a number from 0.001 to 1000000"#,
        ),
        (("CONNECT_BURST", "-1"), r#"invalid CONNECT_BURST "-1": expected a number from 0.001 to 1000000"#),
        (
            ("BACKOFF_INITIAL_MS", "30000"),
            r#"invalid BACKOFF_INITIAL_MS "30000": expected at most BACKOFF_MAX_MS (20000)"#,
        ),
        (
            ("REDELIVERY_MAX_SECONDS", "43201"),
            r#"invalid REDELIVERY_MAX_SECONDS "43201": expected a whole number from 1 to 43200"#,
        ),
        (
            ("REDELIVERY_INITIAL_SECONDS", "901"),
            r#"invalid REDELIVERY_INITIAL_SECONDS "901": expected at most REDELIVERY_MAX_SECONDS (900)"#,
        ),
        (
            ("CONNECT_INSTANCE_ID", "my instance"),
            r#"invalid CONNECT_INSTANCE_ID "my instance": it has ' ' at position 3; expected an identifier (letters, digits, '-', '_', '.') or an ARN"#,
        ),
        (
            ("FAILURES_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/1/q.fifo"),
            r#"invalid FAILURES_QUEUE_URL "https://sqs.us-east-1.amazonaws.com/1/q.fifo": expected the URL of a standard SQS queue, not of a FIFO queue"#,
        ),
        (
            ("CONTINUATION_QUEUE_URL", "queue"),
            r#"invalid CONTINUATION_QUEUE_URL "queue": expected a URL that starts with https:// or http://"#,
        ),
        (
            ("METRICS_NAMESPACE", " "),
            r#"invalid METRICS_NAMESPACE " ": expected 1 to 255 letters, digits, spaces and . - _ / # :, not blank and not starting with a colon"#,
        ),
        (
            ("METRICS_NAMESPACE", ":x"),
            r#"invalid METRICS_NAMESPACE ":x": expected 1 to 255 letters, digits, spaces and . - _ / # :, not blank and not starting with a colon"#,
        ),
        (
            ("AWS_LAMBDA_LOG_LEVEL", "loud"),
            r#"invalid AWS_LAMBDA_LOG_LEVEL "loud": expected trace, debug, info, warn, error or fatal"#,
        ),
        (("RUST_LOG", "x=1"), r#"invalid RUST_LOG "x=1": expected trace, debug, info, warn, error or fatal"#),
    ];
    for (variable, message) in table {
        assert_eq!(read(&[variable]).unwrap_err(), message);
    }
}

#[test]
fn allowed_instances_are_read() {
    let read = |value: &str| {
        let settings = read(&[("CONNECT_INSTANCE_IDS", value), ("AWS_REGION", "eu-central-1")])?;
        Ok(settings.allowed_instances.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let arn = "arn:aws:connect:eu-central-1:111122223333:instance/i-2";
    assert_eq!(read(""), Ok(vec![]));
    assert_eq!(read(" , "), Ok(vec![]));
    assert_eq!(read("i-1"), Ok(vec!["i-1".to_owned()]));
    assert_eq!(read(&format!(" i-1,,{arn} ,\n")), Ok(vec!["i-1".to_owned(), "i-2".to_owned()]));
    let wrong: String = read("i-1,my instance").unwrap_err();
    assert!(
        wrong.starts_with(r#"invalid CONNECT_INSTANCE_IDS "i-1,my instance": "my instance" has ' '"#),
        "{wrong}"
    );
    assert!(read(&arn.replace("eu-central", "us-east")).is_err());
}

#[test]
fn default_instance_must_be_allowed() {
    let read = |allowed| read(&[("CONNECT_INSTANCE_ID", "i-1"), ("CONNECT_INSTANCE_IDS", allowed)]);
    assert!(read("i-2, i-1").is_ok());
    assert_eq!(
        read("i-2").unwrap_err(),
        r#"invalid CONNECT_INSTANCE_ID "i-1": expected one of CONNECT_INSTANCE_IDS"#
    );
}
