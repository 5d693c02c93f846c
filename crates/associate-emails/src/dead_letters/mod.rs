//! The command `dead-letters`: shows the messages of the dead-letter queue with their errors, and redrives or deletes
//! them.
//!
//! | module | does |
//! | --- | --- |
//! | `args` | the command line |
//! | `queue` | an SQS queue: receive, make visible, send, delete |
//! | `dead_letter` | a message of the queue, with the reasons why it is there |
//! | `selection` | the conditions that choose dead letters |
//! | `reading` | a pass over the queue that removes nothing |
//! | `moving` | a pass that moves or deletes the chosen dead letters |
//! | `advice`, `table` | the text that a person sees |
//!
//! A dead letter is moved as a whole message. The program sends it to the other queue, and only then deletes it from
//! this one. A failure between the two steps leaves the dead letter in both queues, never in none.

mod advice;
mod args;
mod dead_letter;
mod moving;
mod queue;
mod reading;
mod selection;
mod table;

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};

use queue_email_associator::clock::epoch_millis;
use queue_email_associator::settings::Settings;

pub(crate) use args::DeadLetters;
use dead_letter::DeadLetter;
use moving::{Fate, Moved};
use queue::Queue;
use reading::Reading;
use selection::Selection;

use crate::aws::Access;
use crate::outcome::{Exit, complain, terminal_width, written};
use crate::signals::Signals;
use crate::workload::count;

/// Shows the dead letters. Moves or deletes the chosen ones if the person asks for that.
///
/// # Errors
/// One line: the reason why nothing could be begun.
pub(crate) async fn run(args: &DeadLetters, signals: &Signals) -> Result<Exit, String> {
    let region = args.region.as_deref().or_else(|| queue::region_of(&args.queue_url));
    let access = Access::load(region).await?;
    let variable = |name: &str| std::env::var(name).ok();
    Settings::endpoint(variable, "AWS_ENDPOINT_URL_SQS").map_err(|error| error.to_string())?;
    let client = queue::client(&access);
    let source = Queue::new(client.clone(), &args.queue_url);
    let expected = source.messages().await?;
    let fate = match &args.to {
        Some(url) => {
            let target = Queue::new(client, url);
            target.messages().await?;
            Some(Fate::Moved(target))
        }
        None => args.delete.then_some(Fate::Deleted),
    };
    let selection = Selection::of(args);
    let letters = match reading::read(&source, expected, args.quiet, signals).await? {
        Reading::Complete(letters) => letters,
        Reading::Interrupted(signal) => {
            complain("associate-emails: interrupted; every dead letter is where it was");
            return Ok(Exit::Interrupted(signal));
        }
    };
    let in_all = letters.len();
    let chosen: Vec<DeadLetter> = letters.into_iter().filter(|letter| selection.chooses(letter)).collect();
    let shown = if args.json {
        table::json_lines(&chosen)
    } else {
        table::table(&chosen, in_all, epoch_millis(), terminal_width())
    };
    let exit = written(shown.trim_end(), Exit::Done);
    match fate {
        Some(fate) if exit == Exit::Done && !chosen.is_empty() => {
            dispose(args, &source, &fate, &chosen, in_all - chosen.len(), signals).await
        }
        _ => Ok(exit),
    }
}

/// Moves or deletes the chosen dead letters, after a person has agreed.
async fn dispose(
    args: &DeadLetters,
    source: &Queue,
    fate: &Fate,
    chosen: &[DeadLetter],
    others: usize,
    signals: &Signals,
) -> Result<Exit, String> {
    let letters = count(chosen.len(), "dead letter");
    let question = match fate {
        Fate::Moved(target) => format!("Move {letters} to {}?", target.url()),
        Fate::Deleted => format!("Delete {letters} for good?"),
    };
    if !args.yes && !confirmed(&question)? {
        complain("Nothing was changed.");
        return Ok(Exit::Done);
    }
    let ids: HashSet<&str> = chosen.iter().map(|letter| &*letter.id).collect();
    let Moved { done, left, first_problem, interrupted } =
        moving::carry_out(source, fate, &ids, others, args.quiet, signals).await;
    let done_to = match fate {
        Fate::Moved(_) => "moved",
        Fate::Deleted => "deleted",
    };
    complain(&format!("{} {done_to}, {left} left where they were", count(done, "dead letter")));
    if let Some(problem) = &first_problem {
        complain(&format!("associate-emails: {problem}"));
    }
    Ok(match (interrupted, left) {
        (Some(signal), _) => Exit::Interrupted(signal),
        (None, 0) => Exit::Done,
        (None, _) => Exit::Failed,
    })
}

/// Asks the person on the terminal.
fn confirmed(question: &str) -> Result<bool, String> {
    if !io::stdin().is_terminal() {
        return Err(format!("{question} Nobody can be asked here: give --yes"));
    }
    let mut stderr = io::stderr();
    let _ = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|error| format!("the answer cannot be read: {error}"))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
