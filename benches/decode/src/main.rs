//! Measures the cost of reading, checking and planning large batches. `scripts/check/costs` counts its instructions.

mod once;
mod payload;

use std::error::Error;

use clap::Parser;

use crate::once::Task;
use crate::payload::Shape;

#[derive(Parser)]
#[command(about)]
enum Command {
    /// Writes a payload to standard output
    Payload {
        /// Shape of the batch
        shape: Shape,
    },
    /// Reads a payload from standard input, runs one task with it, and prints how much memory was allocated
    Once {
        /// Task to run
        task: Task,
    },
}

fn main() -> Result<(), Box<dyn Error>> {
    match Command::parse() {
        Command::Payload { shape } => payload::write(shape),
        Command::Once { task } => once::run(task),
    }
}
