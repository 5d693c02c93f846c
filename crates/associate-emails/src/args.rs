//! The command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use queue_email_associator::requests::Intent;

use crate::dead_letters::DeadLetters;
use crate::input::Format;
use crate::undo::UndoArgs;

const DETAILS: &str = r#"Files:
  json        an event as AWS delivers it (SQS batch, EventBridge Pipes batch, EventBridge event, SNS,
              Distributed Map batch) or an association request
  json-lines  one association request a line
  csv         one pair a line, under a header with queueId or queueName, emailAddressId or emailAddress,
              and perhaps instanceId; other columns are ignored, an empty cell counts as absent

Examples:
  # Check a file, group its pairs and count the calls. Makes no call.
  associate-emails --dry-run pairs.csv

  # Show what the file would change. Reads the queues and the directory of addresses, and changes nothing.
  AWS_PROFILE=contact-centre associate-emails plan --aws --region eu-central-1 pairs.csv

  # Run the file on a simulated Amazon Connect, which contains exactly the queues and addresses in the file.
  associate-emails --instance 11111111-2222-3333-4444-555555555555 pairs.csv

  # Run a large file as fast as this machine can.
  associate-emails --fast pairs.csv

  # Associate the pairs in Amazon Connect, with the credentials of a profile.
  AWS_PROFILE=contact-centre associate-emails --aws --region eu-central-1 pairs.csv

  # Remove its pairs from their queues again. Shows a plan, and asks first.
  AWS_PROFILE=contact-centre associate-emails undo --aws --region eu-central-1 pairs.csv

  # Print the response of the Lambda function to an event.
  associate-emails --json event.json

  # Show the dead letters and their errors.
  associate-emails dead-letters --queue-url https://sqs.eu-central-1.amazonaws.com/111122223333/dead-letters

Settings: the tool reads these environment variables of the function. Options take precedence.
  CONNECT_INSTANCE_ID, CONNECT_REQUESTS_PER_SECOND, CONNECT_BURST, CONNECT_WORKERS, MAX_CONCURRENT_CALLS,
  MAX_ATTEMPTS, BACKOFF_INITIAL_MS, BACKOFF_MAX_MS, CALL_TIMEOUT_MS, QUEUE_ADDITIONAL_LIMIT, AWS_REGION
With --aws it also reads the variables and profiles of the AWS CLI for credentials, Region, endpoint, proxy and CA
certificates. The tool shows failures and sends nothing to a queue.

Exit codes:
  0    everything is done, or planned
  1    something failed; the table of failures gives each reason
  2    the file, an option or a setting is invalid, nothing in the file was valid, or AWS could not be called
  3    the result could not be written to standard output; associated pairs stay associated
  129, 130, 143  ended by SIGHUP, SIGINT or SIGTERM; it is safe to run the same file again"#;

/// Associate email addresses with Amazon Connect queues, from a file
///
/// Runs the library of the Lambda function on your machine. Without --aws, the calls go to a simulated Amazon Connect
/// inside this process.
#[allow(
    clippy::doc_markdown,
    reason = "the comments are the text of --help, which shows backticks as they are"
)]
#[derive(Debug, Parser)]
#[command(version, after_long_help = DETAILS, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// The options of a run.
#[allow(
    clippy::doc_markdown,
    reason = "the comments are the text of --help, which shows backticks as they are"
)]
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) common: FileArgs,

    /// Check the file, look up its names and count the calls, without associating anything
    #[arg(long)]
    dry_run: bool,

    /// With --dry-run: also read the queues' lists and the directory of addresses, and show what would change
    #[arg(long, requires = "dry_run")]
    check_queues: bool,

    /// In a plan, also list the addresses on the queues that are not in the file
    #[arg(long)]
    pub(crate) unrequested: bool,
}

/// The options of every command that reads a file of pairs.
#[allow(
    clippy::doc_markdown,
    reason = "the comments are the text of --help, where backticks would be shown as they are"
)]
#[derive(Debug, clap::Args)]
pub(crate) struct FileArgs {
    /// The file; - reads standard input
    #[arg(value_name = "FILE", required = true)]
    file: Option<PathBuf>,

    /// The file's form; by default its extension (.json, .jsonl, .ndjson, .csv) decides, else its content
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) format: Option<Format>,

    /// The instance of pairs without one, as an identifier or an ARN [variable: CONNECT_INSTANCE_ID]
    #[arg(long, value_name = "ID")]
    pub(crate) instance: Option<String>,

    /// Call Amazon Connect, with credentials and Region as the AWS CLI finds them
    #[arg(long)]
    pub(crate) aws: bool,

    /// The Region of Amazon Connect and of every ARN in the file [variable: AWS_REGION]; a simulation uses the Region
    /// of the file's first ARN by default
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// Calls per second [variable: CONNECT_REQUESTS_PER_SECOND; default: 2]
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub(crate) rate: Option<String>,

    /// Calls that may start at once [variable: CONNECT_BURST; default: 5]
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub(crate) burst: Option<String>,

    /// Simulate without a quota and without a pace, to try a large file
    #[arg(long, conflicts_with_all = ["aws", "rate", "burst", "simulated_rate"])]
    pub(crate) fast: bool,

    /// The quota of the simulation in calls per second; by default the same as --rate
    #[arg(long, value_name = "NUMBER", value_parser = above_zero, allow_negative_numbers = true, conflicts_with = "aws")]
    pub(crate) simulated_rate: Option<f64>,

    /// Stop calling after this time; unfinished pairs then fail as DeadlineExceeded [default: 86400]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    time_limit: Option<u32>,

    /// Print the response as JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,

    /// Show no progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// The commands other than running a file.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what a file would change: short for --dry-run --check-queues
    Plan(RunArgs),
    /// Remove the pairs of a file from their queues, after a plan and a question
    Undo(UndoArgs),
    /// Show the dead letters, and redrive or delete selected ones
    DeadLetters(DeadLetters),
}

impl RunArgs {
    /// Returns the same options with `--dry-run --check-queues`.
    pub(crate) fn checking(self) -> Self {
        RunArgs { dry_run: true, check_queues: true, ..self }
    }

    /// Returns the intent that the options set for every request in the file.
    pub(crate) fn intent(&self) -> Option<Intent> {
        match (self.dry_run, self.check_queues) {
            (false, _) => None,
            (true, false) => Some(Intent::Plan),
            (true, true) => Some(Intent::Check),
        }
    }
}

impl FileArgs {
    /// The file, or `-` for standard input.
    pub(crate) fn file(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new("-"))
    }

    /// Returns the time limit of the calls: `--time-limit`, or else a day.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs(self.time_limit.unwrap_or(86_400).into())
    }
}

/// Explains in one line why a command line cannot be used. `words` are its words after the program's name.
pub(crate) fn explain(error: &clap::Error, words: impl Iterator<Item = String>) -> String {
    let command = Args::command();
    let is_command = |word: &String| command.get_subcommands().any(|known| known.get_name() == word);
    let mut words = words.peekable();
    // Clap takes a command after an option for the file, and then rejects the next word.
    let late = if words.peek().is_some_and(is_command) { None } else { words.find(is_command) };
    match late {
        Some(late) => {
            format!("{late:?} must come before all options: associate-emails {late} [OPTIONS] (see --help)")
        }
        None => one_line(error),
    }
}

/// Writes clap's message on one line, without the usage, which `--help` shows.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let paragraphs = text.split("\n\n").filter(|paragraph| !paragraph.trim_start().starts_with("Usage:"));
    let lines = paragraphs.flat_map(str::lines).map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("tip: to pass"));
    let joined: Vec<&str> = lines.map(|line| line.strip_prefix("error: ").unwrap_or(line)).collect();
    joined.join(" ").replace("For more information, try '--help'.", "(see --help)")
}

fn above_zero(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "expected a number above 0".to_owned())?;
    if number.is_finite() && number > 0.0 { Ok(number) } else { Err("expected a number above 0".to_owned()) }
}

fn seconds(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(seconds) if seconds > 0 => Ok(seconds),
        _ => Err("expected a whole number of seconds from 1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, String> {
        let words = args.iter().map(|word| (*word).to_owned());
        Args::try_parse_from([&["associate-emails"], args].concat()).map_err(|error| explain(&error, words))
    }

    #[test]
    fn command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn time_limit_is_a_day_by_default() {
        assert_eq!(parse(&["-"]).unwrap().run.common.time(), Duration::from_secs(86_400));
        assert_eq!(parse(&["-", "--time-limit", "7"]).unwrap().run.common.time(), Duration::from_secs(7));
    }

    #[test]
    fn wrong_options_are_one_line() {
        let seconds = "expected a whole number of seconds from 1 (see --help)";
        let table: [(&[&str], &str); 11] = [
            (&[], "the following required arguments were not provided: <FILE> (see --help)"),
            (&["-", "--nonsense"], "unexpected argument '--nonsense' found (see --help)"),
            (
                &["-", "--simulated-rate", "0"],
                "invalid value '0' for '--simulated-rate <NUMBER>': expected a number above 0 (see --help)",
            ),
            (
                &["-", "--simulated-rate", "-1"],
                "invalid value '-1' for '--simulated-rate <NUMBER>': expected a number above 0 (see --help)",
            ),
            (
                &["-", "--time-limit", "x"],
                &format!("invalid value 'x' for '--time-limit <SECONDS>': {seconds}"),
            ),
            (
                &["-", "--time-limit", "0"],
                &format!("invalid value '0' for '--time-limit <SECONDS>': {seconds}"),
            ),
            (
                &["-", "--time-limit", "-1"],
                &format!("invalid value '-1' for '--time-limit <SECONDS>': {seconds}"),
            ),
            (
                &["-", "--format", "xml"],
                "invalid value 'xml' for '--format <FORM>' [possible values: json, json-lines, csv, workbook] (see --help)",
            ),
            (
                &["--instance", "i", "plan", "pairs.csv"],
                "\"plan\" must come before all options: associate-emails plan [OPTIONS] (see --help)",
            ),
            (
                &["--quiet", "dead-letters", "--queue-url", "https://x"],
                "\"dead-letters\" must come before all options: associate-emails dead-letters [OPTIONS] (see --help)",
            ),
            (&["-", "--fast", "--aws"], "the argument '--fast' cannot be used with '--aws' (see --help)"),
        ];
        for (args, message) in table {
            assert_eq!(parse(args).unwrap_err(), message);
        }
    }
}
