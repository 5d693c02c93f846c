//! The command line of `dead-letters`.

use clap::Args;

use super::dead_letter::DeadLetter;

const DETAILS: &str = r"The command receives the dead letters, shows them and makes them visible again. It removes nothing, but the dead
letters are hidden from other consumers while it runs. --error, --reference and --queue-id select dead letters that
match all of these options. You can repeat each option; one of its values must match.

Examples:
  # Show the dead letters, and what to do about them.
  associate-emails dead-letters --queue-url $URL

  # After creating the missing queue, redrive the dead letters whose names were not found.
  associate-emails dead-letters --queue-url $URL --error NameNotFound --redrive --to $SOURCE_QUEUE_URL

  # Delete the dead letters of one request, without confirmation.
  associate-emails dead-letters --queue-url $URL --reference import-17 --delete --yes

  # Print each dead letter as a line of JSON.
  associate-emails dead-letters --queue-url $URL --json

The credentials need sqs:ReceiveMessage, sqs:ChangeMessageVisibility and sqs:GetQueueAttributes for the queue, and
sqs:DeleteMessage to move or delete dead letters. To move them they also need sqs:SendMessage and
sqs:GetQueueAttributes for the other queue.

Exit codes:
  0    everything is done, or the action was not confirmed
  1    some dead letters could not be moved or deleted; they are still in the queue
  2    an option is invalid, or the queue could not be read
  3    the dead letters could not be written to standard output; nothing was moved
  129, 130, 143  ended by SIGHUP, SIGINT or SIGTERM; dead letters that were not moved are still in the queue";

/// Show the dead letters, and redrive or delete selected ones
#[derive(Debug, Args)]
#[command(after_long_help = DETAILS)]
pub(crate) struct DeadLetters {
    /// The dead-letter queue
    #[arg(long, value_name = "URL", value_parser = standard_queue)]
    pub(super) queue_url: String,

    /// The Region; by default the one in the queue's URL [variable: AWS_REGION]
    #[arg(long, value_name = "REGION")]
    pub(super) region: Option<String>,

    /// Select dead letters with this error
    #[arg(long, value_name = "ERROR")]
    pub(super) error: Vec<String>,

    /// Select dead letters with this reference
    #[arg(long, value_name = "REFERENCE")]
    pub(super) reference: Vec<String>,

    /// Select dead letters that contain this queue identifier
    #[arg(long, value_name = "ID")]
    pub(super) queue_id: Vec<String>,

    /// Move the selected dead letters to another queue: send each, then delete it here
    #[arg(long, requires = "to", conflicts_with = "delete")]
    redrive: bool,

    /// The queue to move dead letters to, usually the source queue
    #[arg(long, value_name = "URL", requires = "redrive", value_parser = standard_queue)]
    pub(super) to: Option<String>,

    /// Delete the selected dead letters permanently
    #[arg(long)]
    pub(super) delete: bool,

    /// Move or delete without confirmation
    #[arg(long, short)]
    pub(super) yes: bool,

    /// Print each selected dead letter as a line of JSON instead of a table
    #[arg(long)]
    pub(super) json: bool,

    /// Show no progress
    #[arg(long, short)]
    pub(super) quiet: bool,
}

impl DeadLetters {
    /// Returns whether the options select a dead letter. An option that is not used selects all.
    pub(super) fn select(&self, letter: &DeadLetter) -> bool {
        contains_any(&self.error, letter.reasons.iter().map(|reason| &reason.error))
            && contains_any(&self.reference, &letter.references)
            && contains_any(&self.queue_id, &letter.queue_ids)
    }
}

fn contains_any<'l>(wanted: &[String], values: impl IntoIterator<Item = &'l String>) -> bool {
    wanted.is_empty() || values.into_iter().any(|value| wanted.contains(value))
}

/// Rejects FIFO queues. A dead letter that was received hides the later ones of its message group, so the command could
/// not read them all.
fn standard_queue(url: &str) -> Result<String, String> {
    match url {
        _ if !url.starts_with("https://") && !url.starts_with("http://") => {
            Err("expected the URL of an SQS queue, https://…".to_owned())
        }
        _ if url.ends_with(".fifo") => {
            Err("expected the URL of a standard queue, not of a FIFO queue".to_owned())
        }
        _ => Ok(url.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::dead_letter::Reason;
    use super::*;
    use crate::args::{self, Command};

    #[test]
    fn dead_letter_must_match_each_option() {
        let letter = DeadLetter {
            reasons: ["QueueFull", "NameNotFound"].map(|error| Reason::new(error, "why")).into(),
            references: ["r1".to_owned()].into(),
            queue_ids: ["q1".to_owned(), "q2".to_owned()].into(),
            ..DeadLetter::default()
        };
        let table: [(&[&str], bool); 7] = [
            (&[], true),
            (&["--error=NameNotFound"], true),
            (&["--error=Other", "--error=QueueFull", "--reference=r1", "--queue-id=q2"], true),
            (&["--error=Other"], false),
            (&["--error=QueueFull", "--reference=r2"], false),
            (&["--reference=r1", "--queue-id=q"], false),
            (&["--reference=R1"], false),
        ];
        for (options, selected) in table {
            let words =
                [&["associate-emails", "dead-letters", "--queue-url=https://queue"], options].concat();
            let Some(Command::DeadLetters(args)) = args::Args::try_parse_from(words).unwrap().command else {
                panic!("{options:?}");
            };
            assert_eq!(args.select(&letter), selected, "{options:?}");
        }
    }
}
