//! Makes inputs and runs them.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use queue_email_associator::log::{Lines, start_to};
use tokio::time::Instant;
use tracing::level_filters::LevelFilter;

use crate::args::Args;
use crate::case::{Case, Target, current, rerun};
use crate::cost::Cost;
use crate::tree::Tree;
use crate::{mutate, requests, shapes, targets};

/// Stack size of the thread that runs the inputs: a quarter of the main thread's stack in Lambda.
const STACK: usize = 2 << 20;

/// Maximum size and number of the payloads that are kept for mutation because they reached something new.
const KEPT_BYTES: usize = 50_000;
const KEPT: usize = 2_000;

/// Makes inputs and runs them until the time is up.
///
/// # Errors
/// Returns the fault of the first input that broke the function. A file keeps that input.
pub(crate) fn work(args: &Args) -> Result<(), String> {
    let seeds = seeds(&args.events)?;
    let (seed, keep) = (args.seed, args.keep.clone());
    let time = Duration::from_secs(args.seconds);
    on_a_small_stack(move || {
        let log = Log::start();
        let mut worker =
            Worker { rng: Rng::with_seed(seed), pool: seeds, keep, log, coverage: Coverage::default() };
        let begun = Instant::now();
        while begun.elapsed() < time {
            worker.step()?;
        }
        print!("{}", worker.coverage.summary(begun.elapsed()));
        Ok(())
    })
}

/// Runs kept inputs.
///
/// # Errors
/// Returns the fault of the first input that broke the function.
pub(crate) fn replay(files: &[PathBuf]) -> Result<(), String> {
    let files = files.to_vec();
    on_a_small_stack(move || {
        let log = Log::start();
        for file in files {
            let (features, cost) =
                log.run(&Case::read(&file)?).map_err(|broken| format!("{}: {broken}", file.display()))?;
            println!(
                "{}: nothing broken, {:?}, {} KiB; {features:?}",
                file.display(),
                cost.time,
                cost.memory >> 10
            );
        }
        Ok(())
    })
}

pub(crate) fn on_a_small_stack(
    run: impl FnOnce() -> Result<(), String> + Send + 'static,
) -> Result<(), String> {
    let thread =
        std::thread::Builder::new().stack_size(STACK).spawn(run).map_err(|error| error.to_string())?;
    thread.join().unwrap_or_else(|_| Err("the runner itself has panicked".to_owned()))
}

/// Reads the sample payloads as documents.
fn seeds(folder: &Path) -> Result<Vec<Tree>, String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        files.push(entry.map_err(unreadable)?.path());
    }
    files.sort();
    let samples = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json"));
    let seeds: Vec<Tree> =
        samples.filter_map(|file| Tree::parse(&std::fs::read_to_string(file).ok()?)).collect();
    if seeds.is_empty() {
        Err(format!("{}: there is no sample payload", folder.display()))
    } else {
        Ok(seeds)
    }
}

struct Worker {
    rng: Rng,
    pool: Vec<Tree>,
    keep: PathBuf,
    log: Log,
    coverage: Coverage,
}

impl Worker {
    /// Returns one input.
    fn step(&mut self) -> Result<(), String> {
        let rng = &mut self.rng;
        let target = [Target::Envelope, Target::Body, Target::Handler, Target::Handler][rng.usize(0..4)];
        let shape = (rng.u8(0..100) == 0).then(|| shapes::payload(rng));
        let tree = match (&shape, target) {
            (Some(_), _) => None,
            (None, Target::Body) if rng.bool() => Some(Tree::Raw(requests::body(rng))),
            (None, _) if rng.bool() => Some(requests::payload(rng)),
            (None, _) => rng.choice(&self.pool).cloned(),
        };
        let tree = tree.map(|mut tree| {
            if rng.u8(0..4) > 0 {
                mutate::mutate(&mut tree, &self.pool, rng);
            }
            tree
        });
        let mut payload = match (&shape, &tree) {
            (Some((_, text)), _) => text.clone().into_bytes(),
            (None, tree) => tree.as_ref().map(Tree::write).unwrap_or_default().into_bytes(),
        };
        if rng.u8(0..12) == 0 {
            mutate::mutate_bytes(&mut payload, rng);
        }
        let case = Case { target, world: rng.u64(..), payload };
        case.write(&current(&self.keep))?;
        let (features, cost) = self.log.run(&case).map_err(|broken| {
            let kept = case.keep(&self.keep).map_or_else(|error| error, |file| rerun(&file));
            format!("{broken}\nafter {} executions; to run it again:\n  {kept}", self.coverage.executions())
        })?;
        let new =
            self.coverage.note(target, &features, cost, case.payload.len(), shape.map(|(name, _)| name));
        if let (true, Some(tree)) = (new, tree)
            && case.payload.len() < KEPT_BYTES
            && self.pool.len() < KEPT
        {
            self.pool.push(tree);
        }
        Ok(())
    }
}

/// The log of the run, including panic messages. It must not contain an email address.
pub(crate) struct Log {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    address: Option<String>,
    panic: Option<String>,
}

impl Log {
    /// Installs the log. Called once per process.
    pub(crate) fn start() -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let sink = {
            let seen = seen.clone();
            Arc::new(move |line: &str| {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                if line.contains('@') {
                    seen.address.get_or_insert_with(|| line.chars().take(500).collect());
                }
                if line.contains("\"panic: ") {
                    seen.panic = Some(line.trim_end().to_owned());
                }
            })
        };
        start_to(Lines::new(LevelFilter::DEBUG, sink));
        Log { seen }
    }

    /// Runs a case, and catches panics.
    ///
    /// # Errors
    /// Returns the fault that the case showed.
    pub(crate) fn run(&self, case: &Case) -> Result<(targets::Features, Cost), String> {
        let ran = catch_unwind(AssertUnwindSafe(|| targets::run(case)));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = std::mem::take(&mut *seen);
        let ran = ran.unwrap_or_else(|_| Err(seen.panic.unwrap_or_else(|| "it has panicked".to_owned())));
        match (ran, seen.address) {
            (Ok(_), Some(line)) => Err(format!("there is an email address in the log: {line}")),
            (ran, _) => ran.map_err(|broken| format!("{}: {broken}", case.target.name())),
        }
    }
}

/// Statistics of the inputs that ran, and the features that they reached.
#[derive(Default)]
struct Coverage {
    executions: BTreeMap<&'static str, u64>,
    features: BTreeMap<&'static str, BTreeSet<String>>,
    shapes: BTreeSet<&'static str>,
    bytes: u64,
    largest: usize,
    longest: Duration,
    most_memory: usize,
}

impl Coverage {
    /// Records an execution. Returns whether it reached something new.
    fn note(
        &mut self,
        target: Target,
        features: &targets::Features,
        cost: Cost,
        bytes: usize,
        shape: Option<&'static str>,
    ) -> bool {
        *self.executions.entry(target.name()).or_default() += 1;
        self.bytes += bytes as u64;
        self.largest = self.largest.max(bytes);
        self.longest = self.longest.max(cost.time);
        self.most_memory = self.most_memory.max(cost.memory);
        self.shapes.extend(shape);
        let known = self.features.entry(target.name()).or_default();
        let before = known.len();
        known.extend(features.iter().cloned());
        known.len() > before
    }

    fn executions(&self) -> u64 {
        self.executions.values().sum()
    }

    fn summary(&self, took: Duration) -> String {
        let mut text = String::new();
        for (target, features) in &self.features {
            text += &format!("{target}: {} things met\n", features.len());
            for thing in features {
                text += &format!("  {thing}\n");
            }
        }
        for target in Target::ALL {
            let executions = self.executions.get(target.name()).copied().unwrap_or_default();
            text += &format!("{:>8} executions: {}\n", target.name(), executions);
        }
        text += &format!(
            "{} executions in {} s, {} MB of payloads, {} large shapes; at most {} bytes, {:?} of processor time and {} MiB \
             of memory each; nothing broken\n",
            self.executions(),
            took.as_secs(),
            self.bytes / 1_000_000,
            self.shapes.len(),
            self.largest,
            self.longest,
            self.most_memory >> 20,
        );
        text
    }
}
