//! The command line of `undo`.

use std::path::PathBuf;

use crate::file_args::FileArgs;

const DETAILS: &str = r"The command reads the list of each queue and shows a plan: the addresses to remove, those that are not on their queue,
those that are the queue's default address, which is never removed, and those that are unknown. Then it requests
confirmation. It removes up to 50 addresses per call, and only addresses in the file.

FILE is associated.csv of an execution, or any file that the tool reads. A run also counts an address as associated if it
was on its queue before, unless the run read the queue's list. To keep such addresses, save a plan before the run:

  associate-emails plan --aws --json pairs.csv > before.json
  associate-emails --aws pairs.csv
  associate-emails undo --aws --keep before.json pairs.csv

The credentials need connect:ListQueueEmailAddresses and connect:DisassociateQueueEmailAddresses on the instance and its
queues, and for names connect:SearchQueues and connect:SearchEmailAddresses. The Lambda function removes nothing.

Exit codes:
  0    everything is done or planned, or the removal was not confirmed
  1    something failed; the table of failures shows each reason
  2    the file, an option or a setting is invalid, nothing in the file was valid, or AWS could not be called
  3    the result could not be written to standard output; removed addresses stay removed
  129, 130, 143  ended by SIGHUP, SIGINT or SIGTERM; it is safe to run the command again";

/// Remove the pairs of a file from their queues, after a plan and a confirmation
#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct UndoArgs {
    #[command(flatten)]
    pub(super) common: FileArgs,

    /// Show the plan; remove nothing
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Keep the pairs of this file on their queues: a file of pairs such as already-associated.csv, or the JSON output of
    /// a plan (its alreadyAssociatedPairs)
    #[arg(long, value_name = "FILE")]
    pub(super) keep: Option<PathBuf>,

    /// Remove without confirmation
    #[arg(long, short)]
    pub(super) yes: bool,
}
