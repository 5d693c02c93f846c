//! Reads the function's settings from options and the environment. Options take precedence.

use std::time::Duration;

use queue_email_associator::settings::Settings;

use crate::file_args::FileArgs;

/// A rate and a burst that no machine reaches, at the limit of the settings.
const UNLIMITED: &str = "1000000";

/// The variables that this program reads. The function's other variables do not apply, because this program sends no
/// messages, writes no log, and has no deadline from a caller.
const USED: [&str; 11] = [
    "AWS_REGION",
    "BACKOFF_INITIAL_MS",
    "BACKOFF_MAX_MS",
    "CALL_TIMEOUT_MS",
    "CONNECT_BURST",
    "CONNECT_INSTANCE_ID",
    "CONNECT_REQUESTS_PER_SECOND",
    "CONNECT_WORKERS",
    "MAX_ATTEMPTS",
    "MAX_CONCURRENT_CALLS",
    "QUEUE_ADDITIONAL_LIMIT",
];

/// Further variables for calls to AWS. A simulation has its own endpoint.
const USED_WITH_AWS: [&str; 2] = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CONNECT"];

/// Reads the settings. `region` is the Region of the profile or the file, if `AWS_REGION` does not apply.
/// An error has the function's text, with the option in place of the variable if the option is wrong.
pub(crate) fn settings(
    args: &FileArgs,
    region: Option<&str>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Settings, String> {
    let fast = args.fast.then_some(UNLIMITED);
    let options = [
        ("CONNECT_INSTANCE_ID", "--instance", args.instance.as_deref()),
        ("AWS_REGION", "--region", args.region.as_deref().or(region)),
        ("CONNECT_REQUESTS_PER_SECOND", "--rate", args.rate.as_deref().or(fast)),
        ("CONNECT_BURST", "--burst", args.burst.as_deref().or(fast)),
    ];
    let option = |name: &str| {
        let found = options.iter().find(|(variable, ..)| *variable == name);
        found.and_then(|(_, option, value)| Some((*option, (*value)?)))
    };
    let is_used = |name: &str| USED.contains(&name) || (args.aws && USED_WITH_AWS.contains(&name));
    let lookup = |name: &str| match option(name) {
        Some((_, value)) => Some(value.to_owned()),
        None => is_used(name).then(|| environment(name)).flatten(),
    };
    let settings = Settings::read(lookup).map_err(|mut error| {
        if let Some((option, _)) = option(error.variable) {
            error.variable = option;
        }
        error.to_string()
    })?;
    // This process has no deadline, so it needs no margin. The messages in a file were delivered to another consumer, so
    // this process does not change their visibility. A file has its own limit of pairs.
    Ok(Settings { deadline_margin: Duration::ZERO, redelivery: None, max_parts: usize::MAX, ..settings })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::args::Args;

    use super::*;

    fn read(args: &[&str], environment: &[(&str, &str)]) -> Result<Settings, String> {
        let args = Args::try_parse_from([&["associate-emails", "-"], args].concat()).unwrap().run.common;
        settings(&args, None, |name| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn options_take_precedence_over_the_environment() {
        let environment =
            [("CONNECT_INSTANCE_ID", "env"), ("CONNECT_BURST", "9"), ("AWS_REGION", "eu-central-1")];
        let settings = read(&["--instance", "i", "--rate", "7.5"], &environment).unwrap();
        assert_eq!(settings.instance.as_deref(), Some("i"));
        assert_eq!((settings.allowance.rate, settings.allowance.burst), (7.5, 9.0));
        assert_eq!(settings.scope.region(), "eu-central-1");
        let settings = read(&["--region", "us-west-2"], &environment).unwrap();
        assert_eq!(settings.instance.as_deref(), Some("env"));
        assert_eq!(settings.scope.region(), "us-west-2");
    }

    #[test]
    fn variables_of_other_programs_are_not_read() {
        let others = [
            ("RUST_LOG", "warn,hyper=info"),
            ("AWS_LAMBDA_LOG_LEVEL", "loud"),
            ("METRICS_NAMESPACE", ":"),
            ("DEADLINE_MARGIN_MS", "soon"),
            ("FAILURES_QUEUE_URL", "queue.fifo"),
            ("CONTINUATION_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/111122223333/queue"),
            ("AWS_ENDPOINT_URL", "localhost"),
            ("AWS_ENDPOINT_URL_SQS", "localhost"),
            ("AWS_ENDPOINT_URL_CONNECT", "localhost"),
        ];
        let settings = read(&[], &others).unwrap();
        assert_eq!((settings.failures_queue, settings.continuation_queue), (None, None));
        assert_eq!(settings.redelivery, None);
        let error = read(&["--aws"], &others).unwrap_err();
        assert!(error.starts_with(r#"invalid AWS_ENDPOINT_URL_CONNECT "localhost""#), "{error}");
    }

    #[test]
    fn fast_run_has_no_pace() {
        assert!(read(&["--fast"], &[]).unwrap().allowance.rate > 100_000.0);
    }
}
