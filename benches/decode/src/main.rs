//! Measures what it costs to read, check and plan large batches, beside parsing their JSON alone.
//!
//! Without arguments it prints a table of times and memory. `once` does the work a single time and says how much was
//! allocated; `scripts/check/costs` counts the instructions of it.

mod failure;
mod once;
mod payload;
mod shapes;
mod table;
mod work;

use std::process::ExitCode;

use clap::Parser;

use crate::once::Task;
use crate::shapes::Shape;

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
        /// The task to do with it
        task: Task,
    },
}

fn main() -> ExitCode {
    let done = match Args::parse().command {
        None => table::print(),
        Some(Command::Payload { shape }) => payload::write(shape),
        Some(Command::Once { task }) => once::run(task),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("decode-benchmark: {failure}");
            ExitCode::FAILURE
        }
    }
}
