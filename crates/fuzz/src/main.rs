//! Throws hostile payloads at the function, for as long as it is told to, and keeps what breaks it.
//!
//! One process makes and runs the inputs, another watches it: so a stack overflow, an abort and a hang are found
//! like everything else. Every input is written to a file before it is run.
//!
//! | module | what it does |
//! | --- | --- |
//! | `tree`, `hostile`, `mutate`, `requests`, `shapes` | make payloads: out of `events/`, and from nothing |
//! | `targets` | run a payload against the envelope, a body, or the whole handler |
//! | `asked`, `ledger` | say independently what a payload asks for, and whether all of it is accounted for |
//! | `world`, `sqs` | what the handler calls: the simulator, and a stand-in for SQS, in memory |
//! | `worker`, `watch` | the two processes |

mod args;
mod asked;
mod case;
mod cost;
mod hostile;
mod ledger;
mod mutate;
mod requests;
mod shapes;
mod sqs;
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
