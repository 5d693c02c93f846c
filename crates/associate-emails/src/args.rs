//! The command line.

use clap::{CommandFactory, Parser, Subcommand};
use queue_email_associator::requests::Intent;

use crate::dead_letters::DeadLetters;
use crate::file_args::FileArgs;
use crate::undo::UndoArgs;

const DETAILS: &str = r#"Files:
  json        an event as AWS delivers it (SQS batch, EventBridge Pipes batch, EventBridge event, SNS,
              Distributed Map batch), an association request, or an array of requests
  json-lines  one association request per line
  csv         one pair per line, under a header with queueId or queueName, emailAddressId or emailAddress,
              and optionally instanceId and reference; other columns are ignored, an empty cell counts as absent
  workbook    the same columns in .xlsx or .ods

Examples:
  # Check a file, group its pairs and count the calls. Makes no call.
  associate-emails --dry-run pairs.csv

  # Show what the file would change. Reads the queues and the directory of addresses, and changes nothing.
  AWS_PROFILE=contact-centre associate-emails plan --aws --region eu-central-1 pairs.csv

  # Run the file on a simulated Amazon Connect, which contains exactly the queues and addresses in the file.
  associate-emails --instance 11111111-2222-3333-4444-555555555555 pairs.csv

  # Run a large file on the simulation, without a quota.
  associate-emails --fast pairs.csv

  # Associate the pairs in Amazon Connect, with the credentials of a profile.
  AWS_PROFILE=contact-centre associate-emails --aws --region eu-central-1 pairs.csv

  # Remove its pairs from their queues again. Shows a plan, and asks for confirmation.
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
  1    something failed; the table of failures shows each reason
  2    the file, an option or a setting is invalid, nothing in the file was valid, or AWS could not be called
  3    the result could not be written to standard output; associated pairs stay associated
  129, 130, 143  ended by SIGHUP, SIGINT or SIGTERM; it is safe to run the command again"#;

/// Associate email addresses with Amazon Connect queues, from a file
///
/// Runs the library of the Lambda function on your machine. Without --aws, the calls go to a simulated Amazon Connect
/// inside this process.
#[derive(Debug, Parser)]
#[command(version, after_long_help = DETAILS)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// The options of a run.
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

    /// In a plan, also list the addresses that are on the queues but not in the file
    #[arg(long)]
    pub(crate) unrequested: bool,
}

/// The commands other than running a file.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what a file would change: short for --dry-run --check-queues
    Plan(RunArgs),
    /// Remove the pairs of a file from their queues, after a plan and a confirmation
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

/// Explains in one line why a command line cannot be used. `words` are its words after the program's name.
pub(crate) fn explain(error: &clap::Error, words: impl Iterator<Item = String>) -> String {
    let command = Args::command();
    let is_command = |word: &String| command.find_subcommand(word).is_some();
    // After an option, clap reads a command as the file, and then rejects the next word.
    match words.enumerate().find(|(_, word)| is_command(word)) {
        Some((1.., late)) => {
            format!("{late:?} must come before all options: associate-emails {late} [OPTIONS] (see --help)")
        }
        _ => one_line(error),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
