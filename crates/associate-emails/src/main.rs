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
mod simulation;
mod tables;
mod workload;

use std::process::ExitCode;

use clap::Parser;
use connect_simulator::one_line;

use crate::args::{Args, Command};
use crate::outcome::Exit;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let exit = match Args::try_parse() {
        Ok(Args { command: Some(Command::DeadLetters(args)), .. }) => {
            dead_letters::run(&args).await.unwrap_or_else(|unusable| outcome::unusable(&unusable))
        }
        Ok(Args { command: Some(Command::Plan(args)), .. }) => {
            run::run(&args.checking()).await.unwrap_or_else(|unusable| outcome::unusable(&unusable))
        }
        Ok(Args { run: args, command: None }) => {
            run::run(&args).await.unwrap_or_else(|unusable| outcome::unusable(&unusable))
        }
        // Help and version are answers to a request, not errors.
        Err(error) if !error.use_stderr() => outcome::written(error.to_string().trim_end(), Exit::Done),
        Err(error) => outcome::unusable(&one_line(&error)),
    };
    ExitCode::from(exit as u8)
}
