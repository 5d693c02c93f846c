//! Reads the function's settings from options and the environment, as the function does. Options take precedence.

use std::time::Duration;

use queue_email_associator::settings::Settings;

use crate::args::FileArgs;

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

/// A value that takes precedence over a variable: an option, or the Region of the profile or the file.
struct Override<'a> {
    variable: &'static str,
    option: &'static str,
    value: &'a str,
}

/// A Region from the environment, the profile or the file, and not from an option.
pub(crate) struct FoundRegion<'a> {
    pub(crate) region: &'a str,
    /// Where the Region was found, for messages.
    pub(crate) place: &'static str,
}

/// Reads the settings. `region` is the Region of the calls, if it is known.
///
/// # Errors
/// One line, as in the function, after the option if an option is wrong.
pub(crate) fn settings(
    args: &FileArgs,
    region: Option<&FoundRegion<'_>>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Settings, String> {
    let fast = args.fast.then_some(UNLIMITED);
    let overrides: Vec<Override<'_>> = [
        ("CONNECT_INSTANCE_ID", "--instance", args.instance.as_deref()),
        of_region(args, region),
        ("CONNECT_REQUESTS_PER_SECOND", "--rate", args.rate.as_deref().or(fast)),
        ("CONNECT_BURST", "--burst", args.burst.as_deref().or(fast)),
    ]
    .into_iter()
    .filter_map(|(variable, option, value)| Some(Override { variable, option, value: value? }))
    .collect();
    let is_used = |name: &str| USED.contains(&name) || (args.aws && USED_WITH_AWS.contains(&name));
    let lookup = |name: &str| match overrides.iter().find(|given| given.variable == name) {
        Some(given) => Some(given.value.to_owned()),
        None => is_used(name).then(|| environment(name)).flatten(),
    };
    let settings = Settings::read(lookup).map_err(|error| {
        match overrides.iter().find(|given| given.variable == error.variable) {
            Some(given) => format!("{}: {error}", given.option),
            None => error.to_string(),
        }
    })?;
    // This process has no deadline, so it needs no margin. The messages in a file were delivered to another consumer, so
    // this process does not change their visibility. A file has its own limit of pairs.
    Ok(Settings { deadline_margin: Duration::ZERO, redelivery: None, max_parts: usize::MAX, ..settings })
}

/// Returns the variable of the Region, where its value was found, and the value.
fn of_region<'a>(
    args: &'a FileArgs,
    found: Option<&FoundRegion<'a>>,
) -> (&'static str, &'static str, Option<&'a str>) {
    match (args.region.as_deref(), found) {
        (None, Some(found)) => ("AWS_REGION", found.place, Some(found.region)),
        (given, _) => ("AWS_REGION", "--region", given),
    }
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
    fn options_come_before_the_environment() {
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
    fn nothing_is_sent_on() {
        let url = "https://sqs.us-east-1.amazonaws.com/111122223333/queue";
        let settings = read(&[], &[("FAILURES_QUEUE_URL", url), ("CONTINUATION_QUEUE_URL", url)]).unwrap();
        assert_eq!((settings.failures_queue, settings.continuation_queue), (None, None));
        assert_eq!(settings.redelivery, None);
    }

    #[test]
    fn variables_of_other_programs_are_not_read() {
        let others = [
            ("RUST_LOG", "warn,hyper=info"),
            ("AWS_LAMBDA_LOG_LEVEL", "loud"),
            ("METRICS_NAMESPACE", ":"),
            ("DEADLINE_MARGIN_MS", "soon"),
            ("FAILURES_QUEUE_URL", "queue.fifo"),
            ("AWS_ENDPOINT_URL", "localhost"),
            ("AWS_ENDPOINT_URL_SQS", "localhost"),
            ("AWS_ENDPOINT_URL_CONNECT", "localhost"),
        ];
        read(&[], &others).unwrap();
        let wrong = read(&["--aws"], &others).unwrap_err();
        assert!(wrong.starts_with(r#"invalid AWS_ENDPOINT_URL_CONNECT "localhost""#), "{wrong}");
    }

    #[test]
    fn wrong_value_names_its_option() {
        let expected = "expected a number from 0.001 to 1000000";
        assert_eq!(
            read(&["--rate", "-1"], &[]).unwrap_err(),
            format!(r#"--rate: invalid CONNECT_REQUESTS_PER_SECOND "-1": {expected}"#)
        );
        assert_eq!(
            read(&[], &[("CONNECT_BURST", "many")]).unwrap_err(),
            format!(r#"invalid CONNECT_BURST "many": {expected}"#)
        );
    }

    #[test]
    fn wrong_region_names_only_a_given_option() {
        let found = FoundRegion { region: "eu-west-1", place: "the profile" };
        let args = |args: &[&str]| {
            Args::try_parse_from([&["associate-emails", "-"], args].concat()).unwrap().run.common
        };
        let (none, one) = (args(&[]), args(&["--region", "us-west-2"]));
        assert_eq!(of_region(&none, Some(&found)), ("AWS_REGION", "the profile", Some("eu-west-1")));
        assert_eq!(of_region(&one, Some(&found)), ("AWS_REGION", "--region", Some("us-west-2")));
        assert_eq!(of_region(&none, None), ("AWS_REGION", "--region", None));
    }

    #[test]
    fn fast_is_without_a_pace() {
        assert!(read(&["--fast"], &[]).unwrap().allowance.rate > 100_000.0);
    }
}
