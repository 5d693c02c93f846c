//! The command line of `undo`.

use std::path::PathBuf;

use crate::args::FileArgs;

const DETAILS: &str = r"The command reads the list of each queue and shows a plan: the addresses to remove, those that are not on their queue,
those that are the queue's default address, which is never removed, and those that are unknown. Then it asks. It removes
up to 50 addresses per call, and only those that the file contains.

FILE is associated.csv of an execution, or any file that the tool reads. A run counts an address that was on its queue
before as associated too, unless it read the queue's list. To keep such addresses, save a plan before the run:

  associate-emails plan --aws --json pairs.csv > before.json
  associate-emails --aws pairs.csv
  associate-emails undo --aws --keep before.json pairs.csv

The credentials need connect:ListQueueEmailAddresses and connect:DisassociateQueueEmailAddresses on the instance and its
queues, and for names connect:SearchQueues and connect:SearchEmailAddresses. The Lambda function removes nothing.

Exit codes:
  0    everything is done or planned, or the answer to the question was not yes
  1    something failed; the table of failures gives each reason
  2    the file, an option or a setting could not be used, nothing in the file was valid, or AWS could not be called
  3    the outcome could not be written to standard output; removed addresses stay removed
  130  interrupted (Ctrl-C); it is safe to run the same command again (129: SIGHUP, 143: SIGTERM)";

/// Remove the pairs of a file from their queues, after a plan and a question
#[allow(
    clippy::doc_markdown,
    reason = "the comments are the text of --help, where backticks would be shown as they are"
)]
#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct UndoArgs {
    #[command(flatten)]
    pub(super) common: FileArgs,

    /// Show the plan; remove nothing
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Keep the pairs of this file on their queues: a file of pairs such as already-associated.csv, or the JSON output of
    /// a plan, whose alreadyAssociatedPairs are kept
    #[arg(long, value_name = "FILE")]
    pub(super) keep: Option<PathBuf>,

    /// Do not ask before addresses are removed
    #[arg(long, short)]
    pub(super) yes: bool,
}
