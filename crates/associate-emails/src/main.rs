//! `associate-emails` associates email addresses with queues from a file, with the library of the Lambda function.
//!
//! An error that is a `String` is one line for the user: what is wrong, and what to do.

mod args;
mod aws;
mod configuration;
mod confirmation;
mod dead_letters;
mod file_args;
mod input;
mod outcome;
mod printable;
mod progress;
mod run;
mod session;
mod signals;
mod simulation;
mod tables;
mod undo;
mod workload;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Builder;

use crate::args::{Args, Command};
use crate::outcome::{Exit, usage_error};
use crate::signals::Signals;

fn main() -> ExitCode {
    // The worker handles signals, because this thread may wait for standard input.
    let exit = match Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => {
            let exit = runtime.block_on(async {
                match Signals::listen() {
                    Ok(signals) => run_command(&signals).await,
                    Err(error) => usage_error(format!("cannot handle signals: {error}")),
                }
            });
            // Dropping the runtime would wait for threads, and one may still resolve a name for half a minute.
            runtime.shutdown_background();
            exit
        }
        Err(error) => usage_error(format!("cannot start a thread: {error}")),
    };
    ExitCode::from(exit.code())
}

/// Runs the command that the command line requests.
async fn run_command(signals: &Signals) -> Exit {
    let exit = match Args::try_parse() {
        Ok(Args { command: Some(Command::DeadLetters(args)), .. }) => {
            dead_letters::run(&args, signals).await.map_err(usage_error)
        }
        Ok(Args { command: Some(Command::Plan(args)), .. }) => run::run(&args.checking(), signals).await,
        Ok(Args { command: Some(Command::Undo(args)), .. }) => undo::run(&args, signals).await,
        Ok(Args { run: args, command: None }) => run::run(&args, signals).await,
        // The help and the version are not errors.
        Err(error) if !error.use_stderr() => Ok(outcome::print(error.to_string().trim_end(), Exit::Done)),
        Err(error) => Err(usage_error(args::explain(&error, std::env::args().skip(1)))),
    };
    exit.unwrap_or_else(|ended_early| ended_early)
}
