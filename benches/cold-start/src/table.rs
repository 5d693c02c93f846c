//! The tables, in Markdown.

use std::fmt::Write;
use std::time::Duration;

use crate::run::Start;

/// Cold starts. The others are measured against the first function.
pub(crate) fn cold_starts<'a>(rows: impl Iterator<Item = (&'a str, &'a Vec<Start>)>) -> String {
    let mut table = "| function | median | times echo | fastest | memory at the first poll | starts |\n\
                     | --- | ---: | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    let mut echo = None;
    for (name, starts) in rows {
        let times = sorted(starts.iter().map(|start| start.time));
        let memory = sorted(starts.iter().map(|start| start.memory));
        let echo = *echo.get_or_insert(median(&times));
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {name} | {} | {:.2} | {} | {:.1} MiB | {} |",
            Millis(median(&times)),
            median(&times).as_secs_f64() / echo.as_secs_f64(),
            Millis(times[0]),
            median(&memory) as f64 / 1024.0,
            starts.len()
        );
    }
    table
}

/// First and later calls.
pub(crate) fn calls<'a>(
    rows: impl Iterator<Item = ((&'a str, &'a str), &'a Vec<(Duration, Duration)>)>,
) -> String {
    let mut table = "| function | Connect by | first call, median | later call, median | starts |\n\
                     | --- | --- | ---: | ---: | ---: |\n"
        .to_owned();
    for ((name, scheme), calls) in rows {
        let first = sorted(calls.iter().map(|(first, _)| *first));
        let later = sorted(calls.iter().map(|(_, later)| *later));
        let (first, later) = (Millis(median(&first)), Millis(median(&later)));
        let _ = writeln!(table, "| {name} | {scheme} | {first} | {later} | {} |", calls.len());
    }
    table
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values
}

/// The middle one of sorted values, of which there is at least one.
fn median<T: Copy>(sorted: &[T]) -> T {
    sorted[sorted.len() / 2]
}

struct Millis(Duration);

impl std::fmt::Display for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ms", self.0.as_secs_f64() * 1e3)
    }
}
