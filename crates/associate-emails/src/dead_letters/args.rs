//! The command line of `dead-letters`.

use clap::Args;

const DETAILS: &str = r"Letters are received, shown and made visible again: looking takes nothing away, but hides a letter from
others while it lasts. A letter is chosen if it has one of the errors, one of the references and one of the
queues that are given; one option may be given several times.

Examples:
  # What lies there, and what to do about it.
  associate-emails dead-letters --queue-url $URL

  # Once the queue is there: send back what failed because its name was not found.
  associate-emails dead-letters --queue-url $URL --error NameNotFound --redrive --to $SOURCE_QUEUE_URL

  # Take away what came of one request, without being asked.
  associate-emails dead-letters --queue-url $URL --reference import-17 --delete --yes

  # Each letter as a line of JSON.
  associate-emails dead-letters --queue-url $URL --json

The credentials need sqs:ReceiveMessage, sqs:ChangeMessageVisibility and sqs:GetQueueAttributes for the queue; to move
also sqs:DeleteMessage there and sqs:SendMessage and sqs:GetQueueAttributes for the other queue.

Exit codes:
  0    everything is done, or nobody said yes
  1    some letters could not be moved or deleted; they are where they were
  2    an option could not be used, or the queue could not be read
  3    the letters could not be written to standard output; nothing was moved
  130  interrupted; what was moved is moved, everything else is where it was";

/// Shows what lies in the dead-letter queue, and redrives or deletes chosen letters.
#[allow(
    clippy::doc_markdown,
    reason = "the comments are the text of --help, where backticks stand in the way"
)]
#[derive(Debug, Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct DeadLetters {
    /// The dead-letter queue
    #[arg(long, value_name = "URL", value_parser = standard_queue)]
    pub(super) queue_url: String,

    /// The Region; by default that in the queue's URL [variable: AWS_REGION]
    #[arg(long, value_name = "REGION")]
    pub(super) region: Option<String>,

    /// Choose letters with this error
    #[arg(long, value_name = "ERROR")]
    pub(super) error: Vec<String>,

    /// Choose letters with this reference
    #[arg(long, value_name = "REFERENCE")]
    pub(super) reference: Vec<String>,

    /// Choose letters that name this queue, by identifier
    #[arg(long, value_name = "ID")]
    pub(super) queue_id: Vec<String>,

    /// Move the chosen letters to another queue: send each, then delete it here
    #[arg(long, requires = "to", conflicts_with = "delete")]
    redrive: bool,

    /// The queue that letters are moved to, usually the source queue
    #[arg(long, value_name = "URL", requires = "redrive", value_parser = standard_queue)]
    pub(super) to: Option<String>,

    /// Delete the chosen letters for good
    #[arg(long)]
    pub(super) delete: bool,

    /// Do not ask before letters are moved or deleted
    #[arg(long, short)]
    pub(super) yes: bool,

    /// Print each chosen letter as a line of JSON instead of a table
    #[arg(long)]
    pub(super) json: bool,

    /// Show no progress
    #[arg(long, short)]
    pub(super) quiet: bool,
}

/// A letter in a FIFO queue hides those behind it, so that not all can be read.
fn standard_queue(url: &str) -> Result<String, String> {
    match url {
        _ if !url.starts_with("https://") && !url.starts_with("http://") => {
            Err("the URL of an SQS queue is accepted, https://…".to_owned())
        }
        _ if url.ends_with(".fifo") => {
            Err("the URL of a standard queue is accepted; this one is FIFO".to_owned())
        }
        _ => Ok(url.to_owned()),
    }
}
