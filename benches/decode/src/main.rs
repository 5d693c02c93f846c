//! Measures the cost of reading, checking and planning large batches, compared with only parsing their JSON.
//!
//! Without arguments, the program prints a table of times and memory. `once` does the work once and prints how much
//! memory was allocated; `scripts/check/costs` counts its instructions.

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
        /// Shape of the batch
        shape: Shape,
    },
    /// Reads a payload from standard input, and runs one task with it
    Once {
        /// Task to run
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
