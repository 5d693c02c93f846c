//! Runs a file: makes the calls, and prints the result.

use queue_email_associator::answer::Answer;
use queue_email_associator::invocation::{Function, Invocation};
use queue_email_associator::sdk;
use tokio::time::Instant;

use crate::args::RunArgs;
use crate::outcome::{self, Exit};
use crate::progress::CallProgress;
use crate::session::{Session, request_id};
use crate::signals::Signals;
use crate::simulation::{self, InitialQueues};
use crate::workload::Workload;

/// Runs the file, and prints the result. An error is the exit code of a command that ends early.
pub(crate) async fn run(args: &RunArgs, signals: &Signals) -> Result<Exit, Exit> {
    let session = Session::open(&args.common, InitialQueues::Empty).await?;
    let view = session.view(&args.common);
    // This client is never called, because `configuration` sets no queue to send to.
    let sqs = sdk::sqs_client(&session.settings, simulation::credentials(), simulation::http_client());
    let function = Function::new(session.settings.clone(), session.connect.clone(), sqs);
    let workload = match args.intent() {
        Some(intent) => Workload::of_dry_run(&session.pairs, intent),
        None => Workload::of(&session.pairs),
    };
    let progress = CallProgress::start(workload, view.allowance, args.common.quiet);
    let invocation = Invocation {
        request_id: &request_id(),
        ends: Instant::now() + args.common.time_limit(),
        intent: args.intent(),
        observer: Some(&progress),
    };
    // Until the result is printed, the first signal does not end the process.
    let mut stop = signals.stop();
    let completed = progress.wait(function.complete(&session.input.payload, invocation), &mut stop).await;
    let completed = completed.map_err(|signal| {
        let note = outcome::closing_note(view.backend, None);
        outcome::print_interrupted(signal, progress.pairs(), "associated", note)
    })?;
    let mut completed = completed.map_err(|error| outcome::invalid_payload(&error, args.common.json))?;
    if let Some(records) = &session.input.records {
        records.reword(&mut completed.report.failures);
        if let Ok(Answer::Report(report)) = &mut completed.answer {
            records.reword(&mut report.failures);
        }
    }
    Ok(outcome::print_completed(&completed, session.nothing_was_valid(), args, view))
}
