//! Measures the cost of running one task once.

use std::alloc::System;
use std::error::Error;
use std::io::Read;

use queue_email_associator::requests::ArnScope;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

use crate::work;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The task to run with a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Task {
    /// Nothing: the cost of reading the payload
    Nothing,
    /// All the work of the function before its first call
    Plan,
}

/// Runs a task with a payload from standard input, and prints its cost.
pub(crate) fn run(task: Task) -> Result<(), Box<dyn Error>> {
    let idle = peak_memory()?;
    // Reserve room for the largest payload at once. The system commits only the memory that is filled.
    let mut payload = Vec::with_capacity(8_000_000);
    std::io::stdin().lock().read_to_end(&mut payload)?;
    let scope = ArnScope::new("eu-central-1");
    let region = Region::new(ALLOCATOR);
    let (pairs, calls) = match task {
        Task::Nothing => (0, 0),
        Task::Plan => work::plan(&payload, &scope)?,
    };
    let allocated = region.change();
    let counts = serde_json::json!({
        "payload": payload.len(),
        "pairs": pairs,
        "calls": calls,
        "allocations": allocated.allocations + allocated.reallocations,
        "memoryOverIdle": peak_memory()? - idle,
    });
    println!("{counts}");
    Ok(())
}

/// Returns the peak of resident memory so far, in bytes.
fn peak_memory() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: Option<u64> = peak.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok());
    Ok(kib.ok_or("/proc/self/status has no VmHWM")? * 1024)
}
