//! Tests the program as users run it: input files, tables or JSON as output, and exit codes.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod aws;
mod cases;
mod environment;
mod formats;
#[path = "../../../../tests/golden/mod.rs"]
mod golden;
mod loopback;
mod messages;
mod outcomes;
mod plan;
mod signals;
mod undo;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A finished run of the program.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn last_line(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// Returns the number of table rows that contain all of the given texts.
    fn rows(&self, cells: &[&str]) -> usize {
        self.stdout.lines().filter(|line| cells.iter().all(|cell| line.contains(cell))).count()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Returns the program with an empty environment and without a limit on its calls per second.
fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_associate-emails"));
    command.env_clear().args(args);
    command
}

/// Runs the program on a file with the given name and content. Each test uses its own names.
fn run(args: &[&str], name: &str, content: &str) -> Ran {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, content).unwrap();
    program(args).args(["--rate", "1000", "--burst", "100"]).arg(file).output().unwrap().into()
}

/// Runs the program on standard input.
fn run_on_stdin(args: &[&str], content: &str) -> Ran {
    let mut command = program(args);
    command.arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(content.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}
