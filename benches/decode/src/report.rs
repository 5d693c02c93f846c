//! What is measured, and how it is shown.

use std::hint::black_box;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use queue_email_associator::requests::Home;
use serde_json::Value;
use stats_alloc::Region;

use crate::shapes::Shape;
use crate::{ALLOCATOR, Task, payload, work};

const ROUNDS: usize = 31;

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the payload is not planned: {0}")]
    Payload(String),
    #[error("{0}")]
    Output(&'static str),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Prints the table of all shapes.
pub(crate) fn table() -> Result<(), Failure> {
    println!(
        "| batch | payload | parsing alone | read, checked and planned | ratio | per pair | memory over idle |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    for shape in Shape::value_variants() {
        let payload = payload::bytes(shape.batch());
        let (parsing, planning, pairs) = times(&payload)?;
        let megabytes = payload.len() as f64 / 1e6;
        println!(
            "| {} | {megabytes:.2} MB | {:.2} ms | {:.2} ms | {:.2} | {:.0} ns | {:.1} x payload |",
            shape.name(),
            parsing.as_secs_f64() * 1e3,
            planning.as_secs_f64() * 1e3,
            planning.as_secs_f64() / parsing.as_secs_f64(),
            planning.as_secs_f64() * 1e9 / pairs as f64,
            memory_over_idle(&payload)? as f64 / payload.len() as f64,
        );
    }
    Ok(())
}

/// The medians of parsing alone and of planning, taken in turns, and the number of pairs.
fn times(payload: &[u8]) -> Result<(Duration, Duration, usize), Failure> {
    let home = Home::new("eu-central-1");
    let (mut parsing, mut planning, mut pairs) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let begun = now();
        let value: Value = serde_json::from_slice(black_box(payload))?;
        drop(black_box(value));
        parsing.push(begun.elapsed());
        let begun = now();
        (pairs, _) = black_box(work::plan(black_box(payload), &home)?);
        planning.push(begun.elapsed());
    }
    parsing.sort_unstable();
    planning.sort_unstable();
    Ok((parsing[ROUNDS / 2], planning[ROUNDS / 2], pairs))
}

/// How much more memory than when idle a process of its own has at most, in bytes.
fn memory_over_idle(payload: &[u8]) -> Result<u64, Failure> {
    let mut process = Command::new(std::env::current_exe()?)
        .args(["once", "plan"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    // Taken, so that it is closed and the process sees its end.
    process.stdin.take().ok_or(Failure::Output("no standard input"))?.write_all(payload)?;
    let output = process.wait_with_output()?.stdout;
    let counts: Value = serde_json::from_slice(&output)?;
    counts["memoryOverIdle"].as_u64().ok_or(Failure::Output("the process did not say what it took"))
}

/// Does a task with a payload from standard input, and prints what it took.
pub(crate) fn once(task: Task) -> Result<(), Failure> {
    let idle = peak_memory()?;
    // With room for the largest at once, of which the system gives no more than is filled.
    let mut payload = Vec::with_capacity(8_000_000);
    std::io::stdin().lock().read_to_end(&mut payload)?;
    let home = Home::new("eu-central-1");
    let region = Region::new(ALLOCATOR);
    let (pairs, calls) = match task {
        Task::Nothing => (0, 0),
        Task::Plan => work::plan(&payload, &home)?,
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

/// The most memory that was resident so far, in bytes.
fn peak_memory() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: Option<u64> = peak.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok());
    Ok(kib.ok_or(Failure::Output("/proc does not say how much memory this process has"))? * 1024)
}

#[allow(clippy::disallowed_methods, reason = "a benchmark measures real time, and in one place")]
fn now() -> Instant {
    Instant::now()
}
