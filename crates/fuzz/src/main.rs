//! Sends hostile payloads to the function for a given time, and stops at the first one that breaks it.
//!
//! | module | task |
//! | --- | --- |
//! | `payloads`, `mutate`, `hostile` | make payloads from `events/` and from scratch, and change them |
//! | `shapes` | makes payloads that are large in one respect |
//! | `run`, `world` | run a payload in a world with faults, from the crate `testbed`, and measure its cost |
//! | `requested`, `ledger` | read the pairs of a payload independently, and check that each is accounted for |
//! | `json` | the JSON documents of all of these |

mod hostile;
mod json;
mod ledger;
mod mutate;
mod payloads;
mod requested;
mod run;
mod shapes;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use fastrand::Rng;
use tokio::time::Instant;

use json::Json;
use run::{Cost, Input, run, watch_log};

/// A large payload takes as long as many small ones. Each shape runs once, the largest ones last.
const EXECUTIONS_PER_SHAPE: usize = 40;

/// Sends hostile payloads to the function, and checks that none causes a panic or a hang, uses memory without bound, alters
/// a request's URI, or loses a pair.
///
/// Stops with status 1 at the first input that breaks the function. The input is in target/fuzz/current.case.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// How long to run
    #[arg(default_value_t = 60)]
    seconds: u64,

    /// Seed for choosing the inputs
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// Run only these files
    #[arg(long, value_name = "FILE", num_args = 1..)]
    replay: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let ended = if args.replay.is_empty() { fuzz(args.seconds, args.seed) } else { replay(&args.replay) };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("fuzz: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn fuzz(seconds: u64, seed: u64) -> Result<(), String> {
    let file = Path::new("target/fuzz/current.case");
    let (samples, mut rng) = (samples()?, Rng::with_seed(seed));
    let mut shapes = shapes::all(&mut rng);
    let (start, mut executions, mut bytes, mut most) = (Instant::now(), 0, 0, Cost::default());
    watch_log();
    while start.elapsed() < Duration::from_secs(seconds) {
        let shape = if executions % EXECUTIONS_PER_SHAPE == 0 { shapes.pop() } else { None };
        let payload = shape.map_or_else(|| payload(&samples, &mut rng), |shape| shape().into_bytes());
        let input = Input { world: rng.u64(..), payload };
        // A crash of this process leaves the input that caused it.
        input.write(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let cost = run(&input).map_err(|fault| format!("{fault}\nafter {executions} executions"))?;
        executions += 1;
        bytes += input.payload.len();
        most = Cost { time: most.time.max(cost.time), memory: most.memory.max(cost.memory) };
    }
    println!(
        "{executions} executions in {seconds} s with seed {seed}, {} MB of payloads; at most {:?} of processor time and \
         {} MiB of memory each; nothing broken",
        bytes / 1_000_000,
        most.time,
        most.memory >> 20
    );
    Ok(())
}

/// Runs kept inputs.
fn replay(files: &[PathBuf]) -> Result<(), String> {
    watch_log();
    for file in files {
        let ran = Input::read(file).and_then(|input| run(&input));
        let cost = ran.map_err(|fault| format!("{}: {fault}", file.display()))?;
        println!("{}: nothing broken, {:?}, {} KiB", file.display(), cost.time, cost.memory >> 10);
    }
    Ok(())
}

/// Returns the payloads in `events/`.
fn samples() -> Result<Vec<Json>, String> {
    let files = std::fs::read_dir("events").map_err(|error| format!("events: {error}"))?;
    let mut files: Vec<PathBuf> = files.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    Ok(files.iter().filter_map(|file| Json::parse(&std::fs::read_to_string(file).ok()?)).collect())
}

fn payload(samples: &[Json], rng: &mut Rng) -> Vec<u8> {
    let mut json = match rng.u8(0..4) {
        0 => samples[rng.usize(0..samples.len())].clone(),
        _ => payloads::payload(rng),
    };
    while rng.u8(0..3) == 0 {
        mutate::mutate(&mut json, rng);
    }
    let mut bytes = json.to_string().into_bytes();
    if rng.u8(0..12) == 0 {
        mutate::mutate_bytes(&mut bytes, rng);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each of these inputs once broke the function.
    #[test]
    fn found_inputs_pass() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("found");
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty());
        replay(&files).unwrap();
    }
}
