//! Sends malformed payloads to the function for a given time, and keeps the payloads that break it.
//!
//! One process makes and runs the inputs, and another process watches it. The fuzzer therefore finds a stack overflow,
//! an abort or a hang like every other fault. The first process writes every input to a file before it runs the input.
//!
//! | module | task |
//! | --- | --- |
//! | `tree`, `hostile`, `mutate`, `requests`, `shapes` | make payloads, from `events/` or from scratch |
//! | `targets` | run a payload against the envelope, a body, or the whole handler |
//! | `requested`, `ledger` | read the pairs of a payload independently, and check that each is accounted for |
//! | `world` | sets up the handler's settings, faults and services, with the crate `testbed` |
//! | `worker`, `watch` | run the two processes |

mod args;
mod case;
mod cost;
mod hostile;
mod ledger;
mod mutate;
mod requested;
mod requests;
mod shapes;
mod targets;
mod tree;
mod watch;
mod worker;
mod world;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Role};

fn main() -> ExitCode {
    let args = Args::parse();
    let ended = match args.role() {
        Role::Watch => watch::watch(&args),
        Role::Work => worker::work(&args),
        Role::Replay(files) => worker::replay(files),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("fuzz: {reason}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests;
