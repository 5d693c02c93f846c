//! Measures what it costs to read, check and plan large batches, beside parsing their JSON alone.
//!
//! Without arguments it prints a table of times and memory. `once` does the work a single time and says how much was
//! allocated; it is what `scripts/count-costs` counts the instructions of.

mod payload;
mod report;
mod shapes;
mod work;

use std::alloc::System;
use std::process::ExitCode;

use clap::Parser;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::shapes::Shape;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[derive(Parser)]
#[command(about)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Writes a payload to standard output
    Payload {
        /// Its shape
        shape: Shape,
    },
    /// Reads a payload from standard input, and does one thing with it
    Once {
        /// What to do with it
        task: Task,
    },
}

/// What is done with a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Task {
    /// Nothing: what reading it costs
    Nothing,
    /// What the function does with it before its first call
    Plan,
}

fn main() -> ExitCode {
    let done = match Args::parse().command {
        None => report::table(),
        Some(Command::Payload { shape }) => payload::write(shape),
        Some(Command::Once { task }) => report::once(task),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("decode-benchmark: {failure}");
            ExitCode::FAILURE
        }
    }
}
