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
    assert_eq!(settings.redelivery, Some(WaitBounds { initial: seconds(30), max: seconds(900) }));
    assert_eq!(settings.metrics_namespace, "QueueEmailAssociations");
    assert_eq!(settings.log_level, LevelFilter::INFO);
    assert_eq!((settings.connect_endpoint, settings.sqs_endpoint), (None, None));
}

#[test]
fn empty_variable_counts_as_not_set() {
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
fn values_are_read() {
    let settings = read(&[
        ("AWS_REGION", "eu-central-1"),
        ("CONNECT_INSTANCE_ID", "arn:aws:connect:eu-central-1:111122223333:instance/i-1"),
        ("CONNECT_WORKERS", "4"),
        ("CONNECT_REQUESTS_PER_SECOND", "10"),
        ("AWS_LAMBDA_LOG_LEVEL", "FATAL"),
        ("RUST_LOG", "nonsense that the first variable hides"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL_CONNECT", "http://127.0.0.1:2"),
    ])
    .unwrap();
    assert_eq!(settings.instance.as_deref(), Some("i-1"));
    assert_eq!(settings.allowance, Allowance { rate: 10.0, burst: 5.0, workers: 4 });
    assert_eq!(settings.log_level, LevelFilter::ERROR);
    assert_eq!(settings.connect_endpoint.as_deref(), Some("http://127.0.0.1:2"));
    assert_eq!(settings.sqs_endpoint.as_deref(), Some("http://127.0.0.1:1"));
}

#[test]
fn allowed_instances_are_read() {
    let read = |value: &str| {
        let settings = read(&[("CONNECT_INSTANCE_IDS", value), ("AWS_REGION", "eu-central-1")]).unwrap();
        settings.allowed_instances.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let arn = "arn:aws:connect:eu-central-1:111122223333:instance/i-2";
    assert_eq!(read(""), [""; 0]);
    assert_eq!(read(" , "), [""; 0]);
    assert_eq!(read("i-1"), ["i-1"]);
    assert_eq!(read(&format!(" i-1,,{arn} ,\n")), ["i-1", "i-2"]);
}
