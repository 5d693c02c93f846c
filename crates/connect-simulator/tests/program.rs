//! Tests the program: its options, its control endpoints, and how it stops.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connect-simulator"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running program, which ends with the test.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(args: &[&str]) -> Self {
        let mut child = program().args(["--listen", "127.0.0.1:0"]).args(args).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://").unwrap().to_owned();
        Self { child, address }
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
fn program_serves_operations_and_control_endpoints_until_a_signal() {
    let mut running = Running::start(&["--auto-create"]);
    let body = r#"{"EmailAddressesConfig": [{"EmailAddressId": "a"}]}"#;
    let (status, _) = running.ask("POST", "/queues/i/q/associate-email-addresses", body);
    assert_eq!(status, "HTTP/1.1 200 OK");
    let (_, associations) = running.ask("GET", "/_simulator/associations", "");
    assert_eq!(associations, r#"{"i":{"q":["a"]}}"#);

    let oversized = " ".repeat((1 << 20) + 1);
    let (status, _) = running.ask("POST", "/search-queues", &oversized);
    assert_eq!(status, "HTTP/1.1 413 Payload Too Large");

    let pid = running.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(running.child.wait().unwrap().success());
}

#[test]
fn unusable_fixture_or_address_ends_the_program_with_a_reason() {
    let running = Running::start(&[]);
    for (args, reason, code) in [
        (["--fixture", "/nonexistent.json"], "No such file or directory", 2),
        (["--listen", &running.address], "Address already in use", 1),
    ] {
        let output = program().args(args).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(reason) && message.contains(args[1]), "{message}");
        assert_eq!(output.status.code(), Some(code));
    }
}
