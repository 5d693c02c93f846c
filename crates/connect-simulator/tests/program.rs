//! Tests the program: its output, its control endpoints, and how it stops.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connect-simulator"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running program, which is stopped with the test, and the rest of its output.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl Running {
    fn start(args: &[&str]) -> Self {
        let mut child = program().args(["--listen", "127.0.0.1:0"]).args(args).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://").unwrap().to_owned();
        Self { child, stdout, address }
    }

    /// Returns the status line and the body of the response.
    fn ask(&self, method: &str, path: &str, body: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn program_answers_logs_identifiers_and_ends_on_a_signal() {
    let mut running = Running::start(&["--auto-create", "--log-calls"]);
    let body =
        r#"{"EmailAddressesConfig": [{"EmailAddressId": "a"}, {"EmailAddressId": "x@brand.example"}]}"#;
    let (status, _) = running.ask("POST", "/queues/i/q/associate-email-addresses", body);
    assert_eq!(status, "HTTP/1.1 200 OK");
    let (_, associations) = running.ask("GET", "/_simulator/associations", "");
    assert_eq!(associations, r#"{"i":{"q":["a","x@brand.example"]}}"#);

    let mut line = String::new();
    running.stdout.read_line(&mut line).unwrap();
    assert!(line.contains(r#""emailAddressIds":["a","(an email address)"]"#), "{line}");
    let (_, calls) = running.ask("GET", "/_simulator/calls", "");
    assert!(calls.contains(r#""operation":"AssociateQueueEmailAddresses""#), "{calls}");
    assert!(!calls.contains('@'), "{calls}");

    let oversized = " ".repeat((1 << 20) + 1);
    let (status, _) = running.ask("POST", "/search-queues", &oversized);
    assert_eq!(status, "HTTP/1.1 413 Payload Too Large");

    let pid = running.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(running.child.wait().unwrap().success());
}

#[test]
fn unusable_options_are_one_line_and_exit_2() {
    let cases: [(&[&str], &str); 3] = [
        (
            &["--fixture", "/nonexistent.json"],
            "connect-simulator: --fixture /nonexistent.json: cannot be read: No such file or directory (os error 2)\n",
        ),
        (
            &["--rate", "-1"],
            "connect-simulator: --rate and --burst: rate -1: a number of requests a second, 0 or more, is accepted\n",
        ),
        (
            &["--throttle-error", "x"],
            "connect-simulator: invalid value 'x' for '--throttle-error <ANSWER>' \
             [possible values: too-many-requests, throttling] (see --help)\n",
        ),
    ];
    for (args, message) in cases {
        let output = program().args(args).output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), message);
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn taken_listen_address_is_named() {
    let running = Running::start(&[]);
    let output = program().args(["--listen", &running.address]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    let beginning = format!("connect-simulator: --listen {}: Address already in use", running.address);
    assert!(message.starts_with(&beginning), "{message}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn help_names_every_switch_and_an_example() {
    let output = program().arg("--help").output().unwrap();
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    for expected in
        ["--associated-again", "- refuse:", "- forty-nine:", "Examples:", "--fault '{", "/_simulator/"]
    {
        assert!(help.contains(expected), "{expected} is missing in:\n{help}");
    }
}
