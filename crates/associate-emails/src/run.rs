//! Runs the command: loads file and settings, makes the calls, prints the result.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use queue_email_associator::answer::{Answer, InvocationError};
use queue_email_associator::invocation::{Function, Invocation};
use queue_email_associator::pairs::Pairs;
use queue_email_associator::payload::Envelope;
use queue_email_associator::sdk::{self, CertificateAuthorities, HttpOptions};
use queue_email_associator::settings::Settings;
use tokio::time::Instant;

use crate::args::RunArgs;
use crate::aws::{self, Access};
use crate::configuration::{self, FoundRegion};
use crate::input::Input;
use crate::outcome::{self, Backend, Exit, OutputOptions};
use crate::progress::Progress;
use crate::signals::Signals;
use crate::simulation::{self, Simulation};
use crate::workload::Workload;

/// Runs the file, and prints the result.
///
/// # Errors
/// Returns a one-line message if the run cannot start.
pub(crate) async fn run(args: &RunArgs, signals: &Signals) -> Result<Exit, String> {
    let input = Input::read(args.file(), args.format).map_err(|error| error.to_string())?;
    let access = if args.aws { Some(Access::load(args.region.as_deref()).await?) } else { None };
    let found = match &access {
        Some(access) => Some(FoundRegion { region: &access.region, place: "the environment or the profile" }),
        // A simulation is in the Region of the file's ARNs, unless AWS_REGION is set.
        None if std::env::var_os("AWS_REGION").is_none_or(|region| region.is_empty()) => {
            input.region().map(|region| FoundRegion { region, place: "an ARN in the file" })
        }
        None => None,
    };
    let mut settings = configuration::settings(args, found.as_ref(), |name| std::env::var(name).ok())?;
    let pairs = match pairs(&input, &settings) {
        Ok(pairs) => pairs,
        Err(error) => return Ok(outcome::rejected(&error, args.json)),
    };
    // Dropping the simulator stops it, so keep it until the end.
    let simulation = match &access {
        Some(_) => None,
        None => Some(simulate(args, &pairs, &mut settings)?),
    };
    let backend = if simulation.is_some() { Backend::Simulation } else { Backend::Aws };
    let options = OutputOptions {
        json: args.json,
        backend,
        intent: args.intent(),
        unrequested: args.unrequested,
        allowance: settings.allowance,
        lines: input.records.as_ref().map(|records| &*records.lines),
        width: outcome::terminal_width(),
    };
    // The simulator is in this process, so its client needs neither a proxy nor TLS.
    let http =
        HttpOptions { authorities: CertificateAuthorities::Only(Vec::new()), ..HttpOptions::default() };
    let http = http.direct_client();
    let connect = match &access {
        Some(access) => access.connect_client(settings.calls.call_timeout),
        None => sdk::connect_client(&settings, simulation::credentials(), http.clone()),
    };
    if backend == Backend::Aws {
        aws::reach_connect(connect.clone(), &pairs).await?;
    }
    // This client is never called, because `configuration` sets no queue to send to.
    let sqs = sdk::sqs_client(&settings, simulation::credentials(), http);
    Ok(invoke(args, &input, &pairs, options, Function::new(settings, connect, sqs), signals).await)
}

/// Reads the pairs of the payload, before any call.
fn pairs(input: &Input, settings: &Settings) -> Result<Pairs, InvocationError> {
    let invalid = InvocationError::InvalidRequest;
    let envelope = Envelope::read(&input.payload).map_err(|error| invalid(error.to_string()))?;
    Pairs::read(&envelope, settings.context()).map_err(|error| {
        invalid(match error.path_text() {
            Some(path) => format!("{path}: {}", error.message),
            None => error.message.to_string(),
        })
    })
}

/// Starts the simulator, and sets the endpoint to it.
fn simulate(args: &RunArgs, pairs: &Pairs, settings: &mut Settings) -> Result<Simulation, String> {
    let quota = simulation::quota(settings, args.fast, args.simulated_rate);
    let simulation = Simulation::start(pairs, settings, quota)
        .map_err(|error| format!("the simulator cannot listen on 127.0.0.1: {error}"))?;
    settings.connect_endpoint = Some(simulation.endpoint());
    Ok(simulation)
}

/// Returns an identifier of this run. It is part of each `ClientToken`, unless the pairs come from messages. Each run has
/// its own, because with the same token a pair that was removed from its queue since the last run would count as done.
fn request_id() -> String {
    format!("associate-emails-{:016x}", RandomState::new().build_hasher().finish())
}

async fn invoke(
    args: &RunArgs,
    input: &Input,
    pairs: &Pairs,
    options: OutputOptions<'_>,
    function: Function,
    signals: &Signals,
) -> Exit {
    let mut stop = signals.stop();
    let workload = match args.intent() {
        Some(intent) => Workload::of_dry_run(pairs, intent),
        None => Workload::of(pairs),
    };
    let progress = Progress::start(workload, options.allowance, args.quiet);
    let invocation = Invocation {
        request_id: &request_id(),
        ends: Instant::now() + args.time(),
        intent: args.intent(),
        observer: Some(&progress),
    };
    let completed = tokio::select! {
        completed = function.complete(&input.payload, invocation) => completed,
        signal = stop.requested() => {
            progress.end();
            return outcome::interrupted(signal, progress.pairs(), options.backend);
        }
    };
    progress.end();
    match completed {
        Ok(mut completed) => {
            if let Some(records) = &input.records {
                records.reword(&mut completed.report.failures);
                if let Ok(Answer::Report(report)) = &mut completed.answer {
                    records.reword(&mut report.failures);
                }
            }
            let nothing_valid = pairs.mentions.is_empty() && !pairs.invalid.is_empty();
            outcome::completed(&completed, nothing_valid, options)
        }
        Err(error) => outcome::rejected(&error, args.json),
    }
}
