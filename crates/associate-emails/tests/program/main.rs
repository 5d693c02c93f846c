//! Tests the program as users run it: input files, tables or JSON as output, and exit codes.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

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
use std::process::{Child, Command, Output, Stdio};

use connect_simulator::{Connect, Server};

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

/// Returns the program with an empty environment.
fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_associate-emails"));
    command.env_clear().args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Returns the program with `--aws`, credentials and another endpoint of Connect.
fn on_aws(args: &[&str], endpoint: &str) -> Command {
    let mut command = program(args);
    command
        .args(["--aws", "--region", "eu-central-1"])
        .env("AWS_ENDPOINT_URL_CONNECT", endpoint)
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("BACKOFF_INITIAL_MS", "1")
        .env("BACKOFF_MAX_MS", "2");
    command
}

/// Writes a file in a folder of the current test, and returns its path.
fn file(name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let test = std::thread::current().name().unwrap().replace("::", "-");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), content).unwrap();
    folder.join(name)
}

fn finish(command: &mut Command) -> Ran {
    command.output().unwrap().into()
}

/// Runs the program on a file with the given name and content, at a high rate.
fn run(args: &[&str], name: &str, content: &str) -> Ran {
    finish(program(args).args(["--rate", "1000", "--burst", "100"]).arg(file(name, content)))
}

/// Runs the program on standard input.
fn run_on_stdin(args: &[&str], content: &str) -> Ran {
    let mut child = program(args).arg("-").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(content.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

/// Runs the program with `--aws` on a simulator, at a high rate.
async fn run_on(connect: &Connect, args: &[&str], name: &str, content: &str) -> Ran {
    let server = Server::start(connect.clone()).unwrap();
    let mut command = on_aws(args, &server.endpoint());
    command.args(["--rate", "1000", "--burst", "100"]).arg(file(name, content));
    tokio::task::spawn_blocking(move || finish(&mut command)).await.unwrap()
}

fn send_signal(signal: &str, child: &Child) {
    let kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
}
