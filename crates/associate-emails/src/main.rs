//! `associate-emails`: a file of requested associations, carried out by the library of the Lambda function.
//!
//! | module | does |
//! | --- | --- |
//! | `args` | the command line |
//! | `input` | a file of any accepted form, as one payload of the function |
//! | `configuration` | the function's settings, with the command line's options before the environment |
//! | `simulation`, `aws` | the Connect that is called: one inside this process, or the real one |
//! | `workload` | the number of calls that a payload needs, and their time |
//! | `progress` | the lines on standard error while calls are made |
//! | `tables`, `outcome` | the text on standard output at the end, and the exit code |
//! | `run` | the walk through them |
//! | `signals` | the signals that end the program |
//! | `printable` | text from outside, made fit for a terminal |
//! | `dead_letters` | the command `dead-letters` |

mod args;
mod aws;
mod configuration;
mod dead_letters;
mod input;
mod outcome;
mod printable;
mod progress;
mod run;
mod signals;
mod simulation;
mod tables;
mod workload;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::{Builder, Runtime};

use crate::args::{Args, Command};
use crate::outcome::Exit;
use crate::signals::Signals;

fn main() -> ExitCode {
    let exit = match start() {
        Ok((signals, runtime)) => {
            let exit = runtime.block_on(run_command(&signals));
            // Dropping the runtime would wait for threads, and one may still resolve a name for half a minute.
            runtime.shutdown_background();
            exit
        }
        Err(error) => outcome::unusable(&format!("the system refuses a thread or a signal handler: {error}")),
    };
    ExitCode::from(exit.code())
}

fn start() -> io::Result<(Signals, Runtime)> {
    Ok((Signals::listen()?, Builder::new_current_thread().enable_all().build()?))
}

/// Runs the command that the command line requests.
async fn run_command(signals: &Signals) -> Exit {
    let exit = match Args::try_parse() {
        Ok(Args { command: Some(Command::DeadLetters(args)), .. }) => dead_letters::run(&args, signals).await,
        Ok(Args { command: Some(Command::Plan(args)), .. }) => run::run(&args.checking(), signals).await,
        Ok(Args { run: args, command: None }) => run::run(&args, signals).await,
        // Help and version are answers to a request, not errors.
        Err(error) if !error.use_stderr() => Ok(outcome::written(error.to_string().trim_end(), Exit::Done)),
        Err(error) => Err(args::explain(&error, std::env::args().skip(1))),
    };
    exit.unwrap_or_else(|unusable| outcome::unusable(&unusable))
}
