//! A small HTTP server on this machine, for endpoints that the simulator does not have.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// A request: its first line, its headers, and its body.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) line: String,
    headers: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The operation of an AWS service with a JSON protocol.
    pub(crate) fn operation(&self) -> &str {
        self.header("x-amz-target").and_then(|target| target.split('.').next_back()).unwrap_or_default()
    }
}

/// The response to a request.
pub(crate) enum Response {
    /// Status 200 with this JSON.
    Json(String),
    /// Another status, with a body.
    Status(u16, String),
    /// None, ever. The connection stays open.
    Hang,
}

/// A server that lives as long as the test's process.
pub(crate) struct Loopback {
    pub(crate) url: String,
    requests: Receiver<Request>,
}

impl Loopback {
    pub(crate) fn start(answer: impl Fn(&Request) -> Response + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, sender) = (answer.clone(), sender.clone());
                thread::spawn(move || {
                    while let Some(request) = read(&stream) {
                        let response = answer(&request);
                        let _ = sender.send(request);
                        let (status, body) = match response {
                            Response::Json(body) => (200, body),
                            Response::Status(status, body) => (status, body),
                            Response::Hang => loop {
                                thread::park();
                            },
                        };
                        let length = body.len();
                        let head = format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n");
                        let _ = write!(&stream, "{head}content-length: {length}\r\n\r\n{body}");
                    }
                });
            }
        });
        Loopback { url, requests }
    }

    /// The host and port.
    pub(crate) fn authority(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// Waits for the next request, and fails if there is none for a minute.
    pub(crate) fn next(&self) -> Request {
        self.requests.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    /// The requests so far, without waiting.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let mut headers = String::new();
    while !headers.ends_with("\n\r\n") && headers != "\r\n" {
        reader.read_line(&mut headers).ok().filter(|bytes| *bytes > 0)?;
    }
    let mut request = Request { line: line.trim().to_owned(), headers, body: String::new() };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    Some(request)
}
