//! The command `undo`: removes the pairs of a file from their queues, after showing a plan and asking for confirmation.

mod args;
mod keep;
mod text;

use queue_email_associator::removal::{Removal, RemovalReport, RemovalRun, Remover};
use tokio::time::Instant;

pub(crate) use args::UndoArgs;

use crate::confirmation::{can_ask, confirmed};
use crate::outcome::{self, Exit, View, usage_error};
use crate::printable::{print_error, printable_json};
use crate::progress::CallProgress;
use crate::session::{self, Session, request_id};
use crate::signals::{Signal, Signals, Stop};
use crate::simulation::InitialQueues;
use crate::workload::{Workload, count};

/// Shows the plan, and removes the pairs after confirmation. An error is the exit code of a command that ends early.
pub(crate) async fn run(args: &UndoArgs, signals: &Signals) -> Result<Exit, Exit> {
    let needs_confirmation = !args.yes && !args.dry_run;
    if needs_confirmation && !can_ask() {
        return Err(usage_error(
            "undo asks for confirmation, but standard input is not a terminal; use --yes to remove the addresses, or \
             --dry-run to see the plan",
        ));
    }
    let kept = args.keep.as_deref().map(keep::read).transpose().map_err(usage_error)?.flatten();
    let session = Session::open(&args.common, InitialQueues::WithPairs).await?;
    // Its pairs were on their queues before, or never.
    if session.pairs.requests.iter().any(|request| request.options.intent.is_dry()) {
        return Err(usage_error(
            "the file has a request with \"dryRun\": true, which associated nothing; remove that request",
        ));
    }
    let undo = Undo {
        args,
        session: &session,
        view: session.view(&args.common),
        remover: Remover::new(session.settings.clone(), session.connect.clone()),
        id: request_id(),
    };
    undo.run(kept.as_deref(), needs_confirmation, signals).await
}

struct Undo<'a> {
    args: &'a UndoArgs,
    session: &'a Session,
    view: View<'a>,
    remover: Remover,
    id: String,
}

impl Undo<'_> {
    async fn run(
        &self,
        kept: Option<&[u8]>,
        needs_confirmation: bool,
        signals: &Signals,
    ) -> Result<Exit, Exit> {
        let ends = Instant::now() + self.args.common.time_limit();
        // Except during the question, the first signal does not end the process before the result is printed.
        let mut stop = signals.stop();
        let mut removal = self.plan(kept, &mut stop, ends).await?;
        let time_left = ends.saturating_duration_since(Instant::now());
        let report = self.report(&removal);
        let planned = report.counts.planned;
        if self.args.dry_run || planned == 0 {
            return Ok(self.show(&report));
        }
        if needs_confirmation || !(self.args.common.quiet || self.args.common.json) {
            text::plan(&report, self.view).lines().for_each(print_error);
        }
        let queues = report.queues.iter().filter(|row| row.counts.planned > 0).count();
        drop(stop);
        if needs_confirmation {
            let question = format!("Remove {} from {}?", count(planned, "address"), count(queues, "queue"));
            if !confirmed(&question).map_err(usage_error)? {
                print_error("Nothing was removed.");
                return Ok(Exit::Done);
            }
        }
        let progress = self.progress(Workload { pairs: planned, queues, calls: text::calls(&report) });
        let bounds = self.bounds(&progress, Instant::now() + time_left);
        let mut stop = signals.stop();
        let removed = progress.wait(self.remover.remove(&mut removal, bounds), &mut stop).await;
        removed.map_err(|signal| self.interrupted(signal, progress.pairs()))?;
        Ok(self.show(&self.report(&removal)))
    }

    /// Reads the queues. `kept` is the payload of the pairs that stay.
    async fn plan(&self, kept: Option<&[u8]>, stop: &mut Stop, ends: Instant) -> Result<Removal<'_>, Exit> {
        let Session { input, settings, pairs, .. } = self.session;
        let print = |error| outcome::invalid_payload(&error, self.args.common.json);
        let (envelope, file_pairs) = session::read(&input.payload, settings).map_err(print)?;
        let kept = kept.map(|payload| session::read(payload, settings)).transpose().map_err(print)?;
        let queues = pairs.queues.len();
        let progress = self.progress(Workload { pairs: 0, queues, calls: queues });
        let bounds = self.bounds(&progress, ends);
        let plan = async {
            let mut removal = self.remover.plan(envelope, file_pairs, bounds).await;
            if let Some((envelope, pairs)) = kept {
                let result = self.remover.keep(&mut removal, &envelope, pairs, bounds).await;
                result.map_err(|error| usage_error(format!("--keep: cannot identify a pair: {error}")))?;
            }
            Ok(removal)
        };
        progress.wait(plan, stop).await.unwrap_or_else(|signal| Err(self.interrupted(signal, 0)))
    }

    fn progress(&self, workload: Workload) -> CallProgress {
        CallProgress::start(workload, self.view.allowance, self.args.common.quiet)
    }

    fn bounds<'b>(&'b self, progress: &'b CallProgress, ends: Instant) -> RemovalRun<'b> {
        RemovalRun { id: &self.id, ends, observer: progress }
    }

    fn report(&self, removal: &Removal<'_>) -> RemovalReport {
        let mut report = removal.report();
        if let Some(records) = &self.session.input.records {
            records.reword(&mut report.failures);
        }
        report
    }

    /// Prints the plan of a dry run or the outcome of a removal.
    fn show(&self, report: &RemovalReport) -> Exit {
        let exit = outcome::exit_for(report.counts.failed, self.session.nothing_was_valid());
        // Serializing a report cannot fail.
        let json = || printable_json(&serde_json::to_string_pretty(report).unwrap_or_default());
        let text = || match self.args.dry_run {
            true => text::plan(report, self.view),
            false => text::outcome(report, self.view),
        };
        let note = text::closing_note(self.view.backend, self.args.dry_run);
        outcome::print_result(self.view, &report.failures, json, text, note, exit)
    }

    fn interrupted(&self, signal: Signal, removed: usize) -> Exit {
        outcome::print_interrupted(signal, removed, "removed", text::closing_note(self.view.backend, false))
    }
}
