//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use std::{fs, io};

use clap::Parser;
use connect_simulator::{
    ADDITIONAL_ADDRESSES, AssociatedAgain, DisassociatedAgain, Effect, Fault, Fixture, FullWithoutDefault,
    InvalidQuota, Options, Quota, Switches, ThrottleError, UnknownAddress,
};
use thiserror::Error;

const EXAMPLES: &str = r#"Examples:
  # Everything that a call names exists; the default quota of Amazon Connect; calls on stdout.
  connect-simulator --auto-create --rate 2 --burst 5 --log-calls

  # Queues and addresses from a file; the first two calls for queue-1 find their connection closed.
  connect-simulator --fixture fixture.json \
    --fault '{"queue": "queue-1", "times": 2, "effect": "reset"}'

  # Then, for any AWS SDK or the AWS CLI (any credentials do):
  export AWS_ENDPOINT_URL_CONNECT=http://127.0.0.1:8787

Fixture file (every field but the identifiers can be left out):
  {"instances": {"INSTANCE": {
    "emailAddresses": {"ADDRESS": "billing@brand.example"}, "unlisted": [],
    "queues": {"QUEUE": {"name": "Billing", "type": "STANDARD", "defaultEmailAddressId": "ADDRESS",
                         "emailAddressIds": [], "limit": 49}}}}}

Fault (every field but effect can be left out):
  {"operation": NAME, "queue": ID, "address": ID, "times": NUMBER, "share": 0 to 1, "effect": EFFECT}
  EFFECT is one of "reset", "resetAfter", "hang", "cutOff", "malformed", {"delayMillis": NUMBER},
  {"error": {"status": NUMBER, "code": TEXT, "message": TEXT}},
  {"retryAfter": {"millis": NUMBER, "code": TEXT}}

Control endpoints: GET and DELETE /_simulator/calls, GET /_simulator/associations, POST and DELETE
/_simulator/faults, POST /_simulator/fixture, PUT /_simulator/quota."#;

/// A local simulator of the part of the Amazon Connect API that manages the email addresses of queues.
///
/// Prints "listening on http://ADDRESS:PORT" when it is ready. Stops on SIGINT or SIGTERM.
#[derive(Debug, Parser)]
#[command(version, after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Address to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address, default_value = "127.0.0.1:8787")]
    pub(crate) listen: SocketAddr,

    /// JSON file with the instances, queues, addresses and associations that exist
    #[arg(long, value_name = "FILE")]
    fixture: Option<PathBuf>,

    /// Requests per second that each operation accepts; unlimited by default. With 0, each operation accepts only the
    /// burst
    #[arg(long, value_name = "NUMBER", value_parser = number, allow_negative_numbers = true)]
    rate: Option<f64>,

    /// Requests that each operation accepts at once; used only with --rate
    #[arg(long, value_name = "NUMBER", value_parser = number, default_value_t = 5.0, allow_negative_numbers = true)]
    burst: f64,

    /// Delay of each response, in milliseconds
    #[arg(long, value_name = "NUMBER", value_parser = whole::<u64>, default_value_t = 0, allow_negative_numbers = true)]
    latency_ms: u64,

    /// Addresses that fit on a queue in addition to its default address
    #[arg(long, value_name = "NUMBER", value_parser = whole::<usize>, default_value_t = ADDITIONAL_ADDRESSES, allow_negative_numbers = true)]
    limit: usize,

    /// Response to a call that associates an address that is already on the queue
    #[arg(long, value_enum, value_name = "ANSWER", default_value_t)]
    associated_again: AssociatedAgain,

    /// Response to a call that removes an address that is not on the queue
    #[arg(long, value_enum, value_name = "ANSWER", default_value_t)]
    disassociated_again: DisassociatedAgain,

    /// Error for an address that the instance does not have
    #[arg(long, value_enum, value_name = "ANSWER", default_value_t)]
    unknown_address: UnknownAddress,

    /// Addresses that fit on a queue without a default address
    #[arg(long, value_enum, value_name = "ANSWER", default_value_t)]
    full_without_default: FullWithoutDefault,

    /// Error for a call above the rate
    #[arg(long, value_enum, value_name = "ANSWER", default_value_t)]
    throttle_error: ThrottleError,

    /// Share of calls, 0 to 1, that fail with status 500
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    fail_share: Option<f64>,

    /// Fault, as JSON. Repeatable; the first fault that matches a call applies
    #[arg(long = "fault", value_name = "JSON", value_parser = fault)]
    faults: Vec<Fault>,

    /// Seed for choosing the calls that fail
    #[arg(long, value_name = "NUMBER", value_parser = whole::<u64>, default_value_t = 1, allow_negative_numbers = true)]
    seed: u64,

    /// Create every instance, queue and address that a call refers to
    #[arg(long)]
    auto_create: bool,

    /// Print a line of JSON for every call, with identifiers but without email addresses
    #[arg(long)]
    pub(crate) log_calls: bool,
}

/// Options that are well-formed but invalid.
#[derive(Debug, Error)]
pub(crate) enum InvalidOption {
    #[error("--fixture {}: cannot be read: {source}", path.display())]
    UnreadableFixture { path: PathBuf, source: io::Error },
    #[error("--fixture {}: {source}; see --help for what is accepted", path.display())]
    InvalidFixture { path: PathBuf, source: serde_json::Error },
    #[error("--rate and --burst: {0}")]
    Quota(#[from] InvalidQuota),
}

impl Args {
    /// Returns the options that start a simulator. Faults from `--fault` come before the one from `--fail-share`.
    pub(crate) fn options(&self) -> Result<Options, InvalidOption> {
        let quota = Quota { rate: self.rate, burst: self.burst };
        quota.check()?;
        let mut faults = self.faults.clone();
        if let Some(share) = self.fail_share {
            faults.push(Fault { share: Some(share), ..Fault::new(Effect::default()) });
        }
        Ok(Options {
            fixture: self.read_fixture()?,
            switches: Switches {
                associated_again: self.associated_again,
                disassociated_again: self.disassociated_again,
                unknown_address: self.unknown_address,
                full_without_default: self.full_without_default,
                throttle_error: self.throttle_error,
                auto_create: self.auto_create,
            },
            quota,
            limit: self.limit,
            latency: Duration::from_millis(self.latency_ms),
            seed: self.seed,
            faults,
        })
    }

    fn read_fixture(&self) -> Result<Fixture, InvalidOption> {
        let Some(path) = &self.fixture else { return Ok(Fixture::default()) };
        let text = fs::read(path)
            .map_err(|source| InvalidOption::UnreadableFixture { path: path.clone(), source })?;
        serde_json::from_slice(&text)
            .map_err(|source| InvalidOption::InvalidFixture { path: path.clone(), source })
    }
}

fn fault(json: &str) -> Result<Fault, String> {
    let fault: Fault = serde_json::from_str(json).map_err(|error| error.to_string())?;
    fault.check().map_err(|error| error.to_string())?;
    Ok(fault)
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "a number from 0 to 1 is accepted".to_owned())?;
    Fault { share: Some(share), ..Fault::default() }.check().map_err(|error| error.to_string())?;
    Ok(share)
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "an IP address and a port are accepted, such as 127.0.0.1:8787".to_owned())
}

/// Parses a number of any sign and size. `Quota` checks its range.
fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "a number is accepted, such as 2 or 0.5".to_owned())
}

fn whole<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| "a whole number, 0 or more, is accepted, such as 20".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use connect_simulator::one_line;

    use super::*;

    fn parse(args: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from([&["connect-simulator"], args].concat())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn options_are_read() {
        let fault = r#"{"queue": "q", "times": 2, "effect": "reset"}"#;
        let args = parse(&[
            "--rate",
            "2",
            "--limit",
            "3",
            "--latency-ms",
            "20",
            "--associated-again",
            "refuse",
            "--disassociated-again",
            "refuse",
            "--unknown-address",
            "resource-not-found",
            "--full-without-default",
            "fifty",
            "--throttle-error",
            "throttling",
            "--fail-share",
            "0.1",
            "--fault",
            fault,
            "--auto-create",
        ]);
        let options = args.unwrap().options().unwrap();
        assert_eq!(options.quota, Quota::per_second(2.0, 5.0));
        assert_eq!((options.limit, options.latency), (3, Duration::from_millis(20)));
        let switches = Switches {
            associated_again: AssociatedAgain::Refuse,
            disassociated_again: DisassociatedAgain::Refuse,
            unknown_address: UnknownAddress::ResourceNotFound,
            full_without_default: FullWithoutDefault::Fifty,
            throttle_error: ThrottleError::Throttling,
            auto_create: true,
        };
        assert_eq!(options.switches, switches);
        let shared = Fault { share: Some(0.1), ..Fault::default() };
        let given = Fault { queue: Some("q".to_owned()), times: Some(2), ..Fault::new(Effect::Reset) };
        assert_eq!(options.faults, [given, shared]);
    }

    #[test]
    fn wrong_options_are_one_line_with_the_accepted_values() {
        let whole = "a whole number, 0 or more, is accepted, such as 20 (see --help)";
        let cases: [(&[&str], &str); 9] = [
            (
                &["--associated-again", "perhaps"],
                "invalid value 'perhaps' for '--associated-again <ANSWER>' [possible values: accept, refuse] (see --help)",
            ),
            (
                &["--fail-share", "2"],
                "invalid value '2' for '--fail-share <SHARE>': share 2: 0 to 1 is accepted (see --help)",
            ),
            (
                &["--fault", "{}"],
                "invalid value '{}' for '--fault <JSON>': missing field `effect` at line 1 column 2 (see --help)",
            ),
            (
                &["--listen", "foo"],
                "invalid value 'foo' for '--listen <ADDRESS:PORT>': an IP address and a port are accepted, such as 127.0.0.1:8787 (see --help)",
            ),
            (
                &["--rate", "x"],
                "invalid value 'x' for '--rate <NUMBER>': a number is accepted, such as 2 or 0.5 (see --help)",
            ),
            (&["--limit", "x"], &format!("invalid value 'x' for '--limit <NUMBER>': {whole}")),
            (&["--latency-ms", "-1"], &format!("invalid value '-1' for '--latency-ms <NUMBER>': {whole}")),
            (&["--seed", "-1"], &format!("invalid value '-1' for '--seed <NUMBER>': {whole}")),
            (&["--nonsense"], "unexpected argument '--nonsense' found (see --help)"),
        ];
        for (args, message) in cases {
            assert_eq!(one_line(&parse(args).unwrap_err()), message);
        }
        let burst = parse(&["--rate", "2", "--burst", "0"]).unwrap().options().unwrap_err();
        let message = "--rate and --burst: burst 0: a number of requests, 1 or more, is accepted";
        assert_eq!(burst.to_string(), message);
        let nothing_after_the_burst = parse(&["--rate", "0"]).unwrap().options().unwrap();
        assert_eq!(nothing_after_the_burst.quota, Quota::per_second(0.0, 5.0));
    }
}
