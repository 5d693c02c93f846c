//! Measures how the function behaves at the API's quota, side by side with the AWS SDK's own retry modes.
//!
//! Each contestant does the same work on a simulator of its own, over HTTP with the real SDK. The figures
//! come from the simulator's record of the calls, never from a clock around a contestant.

mod contestants;
mod document;
mod measure;
mod plot;
mod scenarios;
mod setup;
mod table;
mod world;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use thiserror::Error;

use crate::contestants::Contestant;
use crate::measure::{Figures, Summary};
use crate::scenarios::Scenario;
use crate::setup::Setup;
use crate::table::Section;
use crate::world::WorldError;

/// Runs of a contestant of which more than one would only take long.
const RUNS_UNGROUPED: u32 = 1;

const EXAMPLES: &str = "Examples:
  # All of it, as tables: about twenty minutes.
  cargo run -p quota-benchmark

  # The same, into the document and its plots.
  cargo run -p quota-benchmark -- --out docs/benchmarks

  # One scenario, for the function alone, once.
  cargo run -p quota-benchmark -- --scenario dip --contestant function --runs 1

The exit code is 1 if the function misses a target, and 2 if nothing could be measured.";

/// Measures how the function behaves at the API's quota, side by side with the AWS SDK's own retry modes.
#[derive(Debug, Parser)]
#[command(version, after_long_help = EXAMPLES)]
struct Args {
    /// Only this scenario; can be given more than once
    #[arg(long, value_enum, value_name = "NAME")]
    scenario: Vec<Scenario>,

    /// Only this contestant; can be given more than once
    #[arg(long, value_enum, value_name = "NAME")]
    contestant: Vec<Contestant>,

    /// How often each contestant runs; the contestant without grouping runs once
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,

    /// How many seconds of AWS's time pass in one of ours
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=50))]
    scale: u32,

    /// How many queues get five addresses each
    #[arg(long, value_name = "NUMBER", default_value_t = 300, value_parser = clap::value_parser!(u32).range(20..=100_000))]
    queues: u32,

    /// Write a plot of each scenario here, and, after a whole benchmark, the table into quota.md
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Why there is no result.
#[derive(Debug, Error)]
enum BenchmarkError {
    #[error(transparent)]
    World(#[from] WorldError),
    #[error("{path}: {error}")]
    Write { path: PathBuf, error: io::Error },
}

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    match benchmark(&Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(io::stderr(), "quota-benchmark: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs what is asked for, and tells whether the function kept its targets.
async fn benchmark(args: &Args) -> Result<bool, BenchmarkError> {
    let setup = Setup { scale: f64::from(args.scale), queues: args.queues as usize };
    let (scenarios, contestants) = (chosen(&args.scenario), chosen(&args.contestant));
    let mut sections = Vec::new();
    for scenario in &scenarios {
        let summaries = measure(setup, *scenario, &contestants, args.runs).await?;
        let section = Section { scenario: *scenario, summaries };
        say(&table::section(&section, setup));
        sections.push(section);
    }
    if let Some(folder) = &args.out {
        for section in &sections {
            let path = folder.join(format!("quota-{}.svg", section.scenario.name()));
            write(&path, &plot::plot(section, setup))?;
        }
        if scenarios.len() == Scenario::value_variants().len()
            && contestants.len() == Contestant::value_variants().len()
        {
            let path = folder.join("quota.md");
            let before = std::fs::read_to_string(&path).unwrap_or_default();
            write(&path, &document::update(&before, &document::generated(&sections, setup, args.runs)))?;
        }
    }
    Ok(sections.iter().all(table::keeps_targets))
}

/// The chosen values in their declared order, or all values if none was chosen.
fn chosen<T: ValueEnum + Copy + PartialEq>(asked: &[T]) -> Vec<T> {
    T::value_variants().iter().copied().filter(|one| asked.is_empty() || asked.contains(one)).collect()
}

/// Lets the contestants run in turn, and again, so that what the machine does beside it falls on all alike.
async fn measure(
    setup: Setup,
    scenario: Scenario,
    contestants: &[Contestant],
    runs: u32,
) -> Result<Vec<(Contestant, Summary)>, BenchmarkError> {
    let mut figures: Vec<Vec<Figures>> = contestants.iter().map(|_| Vec::new()).collect();
    for run in 0..runs {
        for (contestant, figures) in contestants.iter().zip(&mut figures) {
            if *contestant == Contestant::Ungrouped && run >= RUNS_UNGROUPED {
                continue;
            }
            let record = world::run(setup, scenario, *contestant, run).await?;
            let run_figures = Figures::of(&record, setup, scenario.limit(setup));
            let line = table::progress(scenario, *contestant, run, &run_figures);
            let _ = writeln!(io::stderr(), "{line}");
            figures.push(run_figures);
        }
    }
    let summaries = contestants.iter().zip(&figures);
    Ok(summaries.filter_map(|(contestant, figures)| Some((*contestant, Summary::of(figures)?))).collect())
}

fn write(path: &Path, text: &str) -> Result<(), BenchmarkError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| BenchmarkError::Write { path: path.to_owned(), error })
}

/// Prints a text. A reader that has gone away is no reason to stop measuring.
fn say(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn no_choice_is_everything() {
        assert_eq!(chosen::<Scenario>(&[]).len(), 12);
        assert_eq!(chosen(&[Scenario::Dip, Scenario::Half]), [Scenario::Half, Scenario::Dip]);
    }
}
