//! The command `dead-letters`, which shows the messages of the dead-letter queue with their errors, and redrives or
//! deletes them.
//!
//! A dead letter is moved as a whole message. The program sends it to the other queue, and only then deletes it from
//! this one. A failure between the two steps leaves the dead letter in both queues, so it is never lost.

mod advice;
mod args;
mod dead_letter;
mod moving;
mod queue;
mod reading;
mod table;

use std::collections::HashSet;

use queue_email_associator::clock::epoch_millis;
use queue_email_associator::settings::Settings;

pub(crate) use args::DeadLetters;
use dead_letter::DeadLetter;
use moving::{Action, MoveResult};
use queue::Queue;
use reading::ReadResult;

use crate::aws::Access;
use crate::confirmation::confirmed;
use crate::outcome::{Exit, print, terminal_width};
use crate::printable::print_error;
use crate::signals::Signals;
use crate::workload::count;

/// Shows the dead letters. Moves or deletes the selected ones if the options request it.
pub(crate) async fn run(args: &DeadLetters, signals: &Signals) -> Result<Exit, String> {
    let region = args.region.as_deref().or_else(|| queue::region_of(&args.queue_url));
    let access = Access::load(region).await?;
    let variable = |name: &str| std::env::var(name).ok();
    // The SDK reads the endpoint itself. This check has the better message.
    Settings::endpoint(variable, "AWS_ENDPOINT_URL_SQS").map_err(|error| error.to_string())?;
    let client = queue::client(&access);
    let source = Queue::new(client.clone(), &args.queue_url);
    let expected = source.messages().await?;
    let action = match &args.to {
        Some(url) => {
            let target = Queue::new(client, url);
            // Fail before anything is moved.
            target.messages().await?;
            Some(Action::Move(target))
        }
        None => args.delete.then_some(Action::Delete),
    };
    let letters = match reading::read(&source, expected, args.quiet, signals).await? {
        ReadResult::Complete(letters) => letters,
        ReadResult::Interrupted(signal) => {
            print_error("associate-emails: interrupted; no dead letter was moved or deleted");
            return Ok(Exit::Interrupted(signal));
        }
    };
    let total = letters.len();
    let selected: Vec<DeadLetter> = letters.into_iter().filter(|letter| args.select(letter)).collect();
    let text = if args.json {
        table::json_lines(&selected)
    } else {
        table::table(&selected, total, epoch_millis(), terminal_width())
    };
    let exit = print(text.trim_end(), Exit::Done);
    match action {
        Some(action) if exit == Exit::Done && !selected.is_empty() => {
            redrive_or_delete(args, &source, &action, &selected, total - selected.len(), signals).await
        }
        _ => Ok(exit),
    }
}

/// Moves or deletes the selected dead letters, after confirmation.
async fn redrive_or_delete(
    args: &DeadLetters,
    source: &Queue,
    action: &Action,
    selected: &[DeadLetter],
    others: usize,
    signals: &Signals,
) -> Result<Exit, String> {
    let letters = count(selected.len(), "dead letter");
    let question = match action {
        Action::Move(target) => format!("Move {letters} to {}?", target.url()),
        Action::Delete => format!("Delete {letters} permanently?"),
    };
    if !args.yes && !confirmed(&question)? {
        print_error("Nothing was changed.");
        return Ok(Exit::Done);
    }
    let ids: HashSet<&str> = selected.iter().map(|letter| &*letter.id).collect();
    let MoveResult { done, left, first_problem, interrupted } =
        moving::apply(source, action, &ids, others, args.quiet, signals).await;
    let verb = match action {
        Action::Move(_) => "moved",
        Action::Delete => "deleted",
    };
    print_error(&format!("{} {verb}, {left} left in the queue", count(done, "dead letter")));
    if let Some(problem) = &first_problem {
        print_error(&format!("associate-emails: {problem}"));
    }
    Ok(match (interrupted, left) {
        (Some(signal), _) => Exit::Interrupted(signal),
        (None, 0) => Exit::Done,
        (None, _) => Exit::Failed,
    })
}
