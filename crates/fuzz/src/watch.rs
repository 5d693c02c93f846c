//! Watches the worker, to find the faults that the worker cannot report: a crash and a hang.

use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, SystemTime};

use crate::args::Args;
use crate::case::{Case, current, rerun};

/// Time after which an input counts as a hang. It is far above the limit on the processor time of the largest input, so
/// that a busy machine does not cause a false report.
const HANG: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_millis(200);

/// Runs a worker and watches it.
///
/// # Errors
/// Returns the fault of the input that broke the function. If the worker could not report the fault, this process keeps
/// the input.
pub(crate) fn watch(args: &Args) -> Result<(), String> {
    std::fs::create_dir_all(&args.keep).map_err(|error| format!("{}: {error}", args.keep.display()))?;
    println!(
        "fuzzing for {} s, seed {}; inputs are kept in {}",
        args.seconds,
        args.seed,
        args.keep.display()
    );
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut worker = Command::new(this)
        .arg("--unwatched")
        .args(std::env::args_os().skip(1))
        .spawn()
        .map_err(|error| format!("the worker cannot be started: {error}"))?;
    let mut last = (None, Duration::ZERO);
    loop {
        if let Some(status) = worker.try_wait().map_err(|error| error.to_string())? {
            return ended(status, &args.keep);
        }
        std::thread::sleep(LOOK);
        let written = written(&args.keep);
        last = if written == last.0 { (written, last.1 + LOOK) } else { (written, Duration::ZERO) };
        if last.1 > HANG {
            stop(&mut worker);
            return Err(broken("the input does not come to an end", &args.keep));
        }
    }
}

fn written(keep: &Path) -> Option<SystemTime> {
    std::fs::metadata(current(keep)).and_then(|file| file.modified()).ok()
}

fn stop(worker: &mut Child) {
    // The worker may have exited in the meantime.
    let _ = worker.kill();
    let _ = worker.wait();
}

fn ended(status: ExitStatus, keep: &Path) -> Result<(), String> {
    match status.code() {
        Some(0) => Ok(()),
        // The worker has printed the fault.
        Some(1) => Err("an input has broken something (see above)".to_owned()),
        _ => Err(broken(&format!("the input ends the process ({status})"), keep)),
    }
}

fn broken(what: &str, keep: &Path) -> String {
    let kept = Case::read(&current(keep)).and_then(|case| case.keep(keep));
    format!("{what}; to run it again:\n  {}", kept.map_or_else(|error| error, |file| rerun(&file)))
}
