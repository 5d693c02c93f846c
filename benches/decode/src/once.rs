//! Measures the cost of running one task once.

use std::alloc::System;
use std::error::Error;
use std::io::Read;

use queue_email_associator::associate::Plan;
use queue_email_associator::pairs::Pairs;
use queue_email_associator::payload::Envelope;
use queue_email_associator::requests::{ArnScope, Context, InstanceId};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

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
        Task::Plan => plan(&payload, &scope)?,
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

/// Reads, checks and plans a payload. Returns the number of pairs and of calls.
fn plan(payload: &[u8], scope: &ArnScope) -> Result<(usize, usize), Box<dyn Error>> {
    let envelope = Envelope::read(payload)?;
    let instance = InstanceId::parse("11111111-2222-3333-4444-555555555555", scope)?;
    let pairs = Pairs::read(&envelope, Context::new(scope, Some(&instance)))
        .map_err(|invalid| invalid.message.to_string())?;
    if let Some((_, invalid)) = pairs.invalid.first() {
        return Err(invalid.message.to_string().into());
    }
    let (_, added) = Plan::of_identifiers(&pairs);
    Ok((pairs.mentions.len(), added.iter().map(Vec::len).sum()))
}
