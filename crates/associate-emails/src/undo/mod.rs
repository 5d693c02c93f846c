//! The command `undo`: removes the pairs of a file from their queues, after showing a plan and asking for confirmation.
//!
//! | module | content |
//! | --- | --- |
//! | `args` | the command line |
//! | `keep` | the file of the pairs that stay |
//! | `text` | the plan and the outcome as a person reads them |

mod args;
mod keep;
mod text;

use queue_email_associator::pairs::Pairs;
use queue_email_associator::removal::{Removal, RemovalReport, RemovalRun, Remover};
use tokio::time::Instant;

pub(crate) use args::UndoArgs;
use text::View;

use crate::confirmation::{can_ask, confirmed};
use crate::outcome::{self, Exit, print, print_error, terminal_width, usage_error};
use crate::printable::printable_json;
use crate::progress::Progress;
use crate::session::{self, Session, request_id};
use crate::signals::{Signal, Signals};
use crate::workload::{Workload, count};

/// Shows the plan, and removes the pairs if the person agrees.
pub(crate) async fn run(args: &UndoArgs, signals: &Signals) -> Exit {
    let asks = !args.yes && !args.dry_run;
    if asks && !can_ask() {
        return usage_error(
            "undo needs a confirmation, and standard input is not a terminal; pass --yes to remove the addresses, or \
             --dry-run to see the plan",
        );
    }
    let kept = match args.keep.as_deref().map(keep::read).transpose() {
        Ok(kept) => kept.flatten(),
        Err(error) => return usage_error(&error),
    };
    let session = match Session::open(&args.common).await {
        Ok(session) => session,
        Err(error) => return error.print(args.common.json),
    };
    if let Err(error) = reject_dry_runs(&session.pairs) {
        return usage_error(error);
    }
    if let Some(simulation) = &session.simulation {
        simulation.associate(&session.pairs);
    }
    let undo = Undo {
        args,
        session: &session,
        view: View {
            backend: session.backend(),
            allowance: session.settings.allowance,
            lines: session.input.records.as_ref().map(|records| &*records.lines),
            width: terminal_width(),
        },
        remover: Remover::new(session.settings.clone(), session.connect.clone()),
        id: request_id(),
    };
    undo.run(kept.as_deref(), asks, signals).await.unwrap_or_else(|exit| exit)
}

/// A dry run associated nothing, so its pairs may have been on their queues for a long time.
fn reject_dry_runs(pairs: &Pairs) -> Result<(), &'static str> {
    match pairs.requests.iter().any(|request| request.options.intent.is_dry()) {
        true => Err("the file has a request with \"dryRun\": true, which associated nothing; remove that \
                     request"),
        false => Ok(()),
    }
}

/// One run of the command.
struct Undo<'a> {
    args: &'a UndoArgs,
    session: &'a Session,
    view: View<'a>,
    remover: Remover,
    id: String,
}

impl Undo<'_> {
    /// # Errors
    /// The exit code, if the command ends early.
    async fn run(&self, kept: Option<&[u8]>, asks: bool, signals: &Signals) -> Result<Exit, Exit> {
        let started = Instant::now();
        let mut removal = self.plan(kept, signals).await?;
        let left = self.args.common.time().saturating_sub(started.elapsed());
        let report = self.report(&removal);
        let planned = report.counts.planned;
        if self.args.dry_run || planned == 0 {
            return Ok(self.show(&report));
        }
        if asks || !(self.args.common.quiet || self.args.common.json) {
            text::plan(&report, self.view).lines().for_each(print_error);
        }
        let queues = report.queues.iter().filter(|row| row.counts.planned > 0).count();
        if asks {
            let question = format!("Remove {} from {}?", addresses(planned), count(queues, "queue"));
            if !confirmed(&question).map_err(|error| usage_error(&error))? {
                print_error("Nothing was removed.");
                return Ok(Exit::Done);
            }
        }
        let workload = Workload { pairs: planned, queues, calls: text::calls(&report) };
        let progress = self.progress(workload);
        let mut stop = signals.stop();
        tokio::select! {
            () = self.remover.remove(&mut removal, self.bounds(left, &progress)) => {}
            signal = stop.requested() => {
                progress.end();
                return Err(self.interrupted(signal, progress.pairs()));
            }
        }
        progress.end();
        Ok(self.show(&self.report(&removal)))
    }

    /// Reads the queues. `kept` is the payload of the pairs that stay.
    async fn plan(&self, kept: Option<&[u8]>, signals: &Signals) -> Result<Removal<'_>, Exit> {
        let Session { input, settings, pairs, .. } = self.session;
        let json = self.args.common.json;
        let refused = |error| outcome::rejected(&error, json);
        let (envelope, read) = session::read(&input.payload, settings).map_err(refused)?;
        let kept = kept.map(|payload| session::read(payload, settings)).transpose().map_err(refused)?;
        let queues = pairs.queues.len();
        let progress = self.progress(Workload { pairs: 0, queues, calls: queues });
        let bounds = self.bounds(self.args.common.time(), &progress);
        let planned = async {
            let mut removal = self.remover.plan(envelope, read, bounds).await;
            if let Some((envelope, pairs)) = kept {
                let kept = self.remover.keep(&mut removal, &envelope, pairs, bounds).await;
                kept.map_err(|error| {
                    usage_error(&format!("the pairs to keep cannot be identified: {error}"))
                })?;
            }
            Ok(removal)
        };
        let mut stop = signals.stop();
        let planned = tokio::select! {
            planned = planned => planned,
            signal = stop.requested() => Err(self.interrupted(signal, 0)),
        };
        progress.end();
        planned
    }

    fn progress(&self, workload: Workload) -> Progress {
        Progress::start(workload, self.view.allowance, self.args.common.quiet)
    }

    fn bounds<'b>(&'b self, time: std::time::Duration, progress: &'b Progress) -> RemovalRun<'b> {
        RemovalRun { id: &self.id, ends: Instant::now() + time, observer: progress }
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
        let nothing_valid = self.session.pairs.mentions.is_empty() && !self.session.pairs.invalid.is_empty();
        let exit = match report.counts.failed {
            0 => Exit::Done,
            _ if nothing_valid => Exit::UsageError,
            _ => Exit::Failed,
        };
        outcome::advise_on_credentials(&report.failures, self.view.backend);
        let caveat = text::caveat(self.view.backend, self.args.dry_run);
        if self.args.common.json {
            // Serializing a report cannot fail.
            let exit =
                print(&printable_json(&serde_json::to_string_pretty(report).unwrap_or_default()), exit);
            caveat.into_iter().for_each(print_error);
            return exit;
        }
        let text = match self.args.dry_run {
            true => text::plan(report, self.view),
            false => text::outcome(report, self.view),
        };
        print(format!("{text}\n{}", caveat.unwrap_or_default()).trim_end(), exit)
    }

    fn interrupted(&self, signal: Signal, removed: usize) -> Exit {
        print_error(&format!(
            "associate-emails: interrupted; {} removed by then, and calls under way may have been carried out; it is safe \
             to run the same command again",
            match removed {
                1 => "1 address was".to_owned(),
                _ => format!("{removed} addresses were"),
            }
        ));
        text::caveat(self.view.backend, false).into_iter().for_each(print_error);
        Exit::Interrupted(signal)
    }
}

fn addresses(number: usize) -> String {
    match number {
        1 => "1 address".to_owned(),
        _ => format!("{number} addresses"),
    }
}
