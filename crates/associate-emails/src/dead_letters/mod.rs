//! The command `dead-letters`, which shows the messages of the dead-letter queue with their errors, and redrives or
//! deletes them.

mod advice;
mod args;
mod dead_letter;
mod moving;
mod pass;
mod queue;
mod table;

use queue_email_associator::clock::epoch_millis;
use queue_email_associator::settings::Settings;

pub(crate) use args::DeadLetters;
use dead_letter::DeadLetter;
use moving::Action;
use pass::{Pass, Stopped};
use queue::Queue;

use crate::aws::Access;
use crate::outcome::{Exit, print, terminal_width};
use crate::printable::print_error;
use crate::progress::Progress;
use crate::signals::Signals;

/// Shows the dead letters. Moves or deletes the selected ones if the options request it.
pub(crate) async fn run(args: &DeadLetters, signals: &Signals) -> Result<Exit, String> {
    let region = args.region.as_deref().or_else(|| queue::region_of(&args.queue_url));
    let access = Access::load(region).await?;
    let variable = |name: &str| std::env::var(name).ok();
    // The SDK reads the endpoint itself. This check has the better message.
    Settings::endpoint(variable, "AWS_ENDPOINT_URL_SQS").map_err(|error| error.to_string())?;
    // This client has the SDK's own retries.
    let client = aws_sdk_sqs::Client::new(&access.config);
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
    let letters = match read(&source, expected, args.quiet, signals).await {
        Ok(letters) => letters,
        Err(Stopped::Problem(problem)) => return Err(problem),
        Err(Stopped::Signal(signal)) => {
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
            moving::apply(args, &source, &action, &selected, total - selected.len(), signals).await
        }
        _ => Ok(exit),
    }
}

/// Reads every dead letter and removes none.
async fn read(
    queue: &Queue,
    expected: usize,
    quiet: bool,
    signals: &Signals,
) -> Result<Vec<DeadLetter>, Stopped> {
    let progress = Progress::start("dead letters read", expected, quiet);
    let mut pass = Pass::new(queue, expected, signals);
    let mut letters = Vec::new();
    let result = loop {
        match pass.next().await {
            Ok(received) if received.is_empty() => break Ok(letters),
            Ok(received) => letters.extend(received.iter().map(DeadLetter::read)),
            Err(stopped) => break Err(stopped),
        }
        progress.show(letters.len(), expected, "");
    };
    progress.end();
    pass.end().await;
    result
}
