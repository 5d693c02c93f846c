//! The command line of `dead-letters`.

use clap::Args;

const DETAILS: &str = r"The command receives the dead letters, shows them and makes them visible again. It removes nothing, but it hides the
dead letters from others while it runs. A dead letter is chosen if it has one of the given errors, one of the given
references and one of the given queues. Each of these options may be given several times.

Examples:
  # Show the dead letters, and what to do about them.
  associate-emails dead-letters --queue-url $URL

  # Once the missing queue exists, send back the dead letters whose names were not found.
  associate-emails dead-letters --queue-url $URL --error NameNotFound --redrive --to $SOURCE_QUEUE_URL

  # Delete the dead letters of one request without a question.
  associate-emails dead-letters --queue-url $URL --reference import-17 --delete --yes

  # Print each dead letter as a line of JSON.
  associate-emails dead-letters --queue-url $URL --json

The credentials need sqs:ReceiveMessage, sqs:ChangeMessageVisibility and sqs:GetQueueAttributes for the queue. To move
dead letters they also need sqs:DeleteMessage there, and sqs:SendMessage and sqs:GetQueueAttributes for the other queue.

Exit codes:
  0    everything is done, or the answer to the question was not yes
  1    some dead letters could not be moved or deleted; they are where they were
  2    an option could not be used, or the queue could not be read
  3    the dead letters could not be written to standard output; nothing was moved
  130  interrupted; the moved dead letters stay moved, the others are where they were";

/// Shows the dead letters, and redrives or deletes chosen ones.
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

    /// Choose dead letters with this error
    #[arg(long, value_name = "ERROR")]
    pub(super) error: Vec<String>,

    /// Choose dead letters with this reference
    #[arg(long, value_name = "REFERENCE")]
    pub(super) reference: Vec<String>,

    /// Choose dead letters that name this queue, by identifier
    #[arg(long, value_name = "ID")]
    pub(super) queue_id: Vec<String>,

    /// Move the chosen dead letters to another queue: send each, then delete it here
    #[arg(long, requires = "to", conflicts_with = "delete")]
    redrive: bool,

    /// The queue that dead letters are moved to, usually the source queue
    #[arg(long, value_name = "URL", requires = "redrive", value_parser = standard_queue)]
    pub(super) to: Option<String>,

    /// Delete the chosen dead letters for good
    #[arg(long)]
    pub(super) delete: bool,

    /// Do not ask before dead letters are moved or deleted
    #[arg(long, short)]
    pub(super) yes: bool,

    /// Print each chosen dead letter as a line of JSON instead of a table
    #[arg(long)]
    pub(super) json: bool,

    /// Show no progress
    #[arg(long, short)]
    pub(super) quiet: bool,
}

/// A dead letter in a FIFO queue hides those behind it, so that not all can be read.
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
