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
        (("MAX_ATTEMPTS", "0"), r#"MAX_ATTEMPTS is "0": accepted is a whole number from 1 to 1000"#),
        (
            ("CONNECT_REQUESTS_PER_SECOND", "two"),
            r#"CONNECT_REQUESTS_PER_SECOND is "two": accepted is a decimal number from 0.001 to 1000000, such as 2 or 0.5"#,
        ),
        (
            ("CONNECT_REQUESTS_PER_SECOND", "NaN"),
            r#"CONNECT_REQUESTS_PER_SECOND is "NaN": accepted is a decimal number from 0.001 to 1000000, such as 2 or 0.5"#,
        ),
        (
            ("CONNECT_BURST", "-1"),
            r#"CONNECT_BURST is "-1": accepted is a decimal number from 0.001 to 1000000, such as 2 or 0.5"#,
        ),
        (
            ("BACKOFF_INITIAL_MS", "30000"),
            r#"BACKOFF_INITIAL_MS is "30000": accepted is at most BACKOFF_MAX_MS, which is 20000"#,
        ),
        (
            ("REDELIVERY_MAX_SECONDS", "43201"),
            r#"REDELIVERY_MAX_SECONDS is "43201": accepted is a whole number from 1 to 43200"#,
        ),
        (
            ("REDELIVERY_INITIAL_SECONDS", "901"),
            r#"REDELIVERY_INITIAL_SECONDS is "901": accepted is at most REDELIVERY_MAX_SECONDS, which is 900"#,
        ),
        (
            ("CONNECT_INSTANCE_ID", "my instance"),
            r#"CONNECT_INSTANCE_ID is "my instance": it has ' ' at position 3; accepted are letters, digits, '-', '_', '.' or an ARN"#,
        ),
        (
            ("FAILURES_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/1/q.fifo"),
            r#"FAILURES_QUEUE_URL is "https://sqs.us-east-1.amazonaws.com/1/q.fifo": accepted is the URL of a standard SQS queue; this one is FIFO"#,
        ),
        (
            ("CONTINUATION_QUEUE_URL", "queue"),
            r#"CONTINUATION_QUEUE_URL is "queue": accepted is a URL that begins with https:// or http://"#,
        ),
        (
            ("METRICS_NAMESPACE", " "),
            r#"METRICS_NAMESPACE is " ": accepted is 1 to 255 letters, digits, spaces and . - _ / # :, not blank and not beginning with a colon"#,
        ),
        (
            ("METRICS_NAMESPACE", ":x"),
            r#"METRICS_NAMESPACE is ":x": accepted is 1 to 255 letters, digits, spaces and . - _ / # :, not blank and not beginning with a colon"#,
        ),
        (
            ("AWS_LAMBDA_LOG_LEVEL", "loud"),
            r#"AWS_LAMBDA_LOG_LEVEL is "loud": accepted is one of trace, debug, info, warn, error, fatal"#,
        ),
        (
            ("RUST_LOG", "x=1"),
            r#"RUST_LOG is "x=1": accepted is one of trace, debug, info, warn, error, fatal"#,
        ),
    ];
    for (variable, message) in table {
        assert_eq!(read(&[variable]).unwrap_err(), message);
    }
}
