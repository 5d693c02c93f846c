//! Prints the times and the memory of every shape as a table.

use std::hint::black_box;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use queue_email_associator::requests::ArnScope;
use serde_json::Value;

use crate::failure::Failure;
use crate::shapes::Shape;
use crate::{payload, work};

const ROUNDS: usize = 31;

/// Prints the table of all shapes.
pub(crate) fn print() -> Result<(), Failure> {
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

/// Returns the median times of parsing alone and of planning, measured alternately, and the number of pairs.
fn times(payload: &[u8]) -> Result<(Duration, Duration, usize), Failure> {
    let scope = ArnScope::new("eu-central-1");
    let (mut parsing, mut planning, mut pairs) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let begun = now();
        let value: Value = serde_json::from_slice(black_box(payload))?;
        drop(black_box(value));
        parsing.push(begun.elapsed());
        let begun = now();
        (pairs, _) = black_box(work::plan(black_box(payload), &scope)?);
        planning.push(begun.elapsed());
    }
    parsing.sort_unstable();
    planning.sort_unstable();
    Ok((parsing[ROUNDS / 2], planning[ROUNDS / 2], pairs))
}

/// Returns how far the peak memory of a separate process exceeds that of an idle one, in bytes.
fn memory_over_idle(payload: &[u8]) -> Result<u64, Failure> {
    let mut process = Command::new(std::env::current_exe()?)
        .args(["once", "plan"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    // Taking the handle closes it, so that the process sees the end of its input.
    process.stdin.take().ok_or(Failure::Output("no standard input"))?.write_all(payload)?;
    let output = process.wait_with_output()?.stdout;
    let counts: Value = serde_json::from_slice(&output)?;
    counts["memoryOverIdle"].as_u64().ok_or(Failure::Output("the process did not say what it took"))
}

#[allow(clippy::disallowed_methods, reason = "a benchmark measures real time, and in one place")]
fn now() -> Instant {
    Instant::now()
}
