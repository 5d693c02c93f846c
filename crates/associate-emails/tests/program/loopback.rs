//! A small HTTP server on this machine, for endpoints that the simulator does not have.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

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

    /// Returns the operation of a request to an AWS service with a JSON protocol.
    pub(crate) fn operation(&self) -> &str {
        self.header("x-amz-target").and_then(|target| target.split('.').next_back()).unwrap_or_default()
    }
}

/// The response to a request.
pub(crate) enum Response {
    /// Status 200 with the given JSON.
    Json(String),
    /// The given status, with a body.
    Status(u16, String),
    /// No response. The connection stays open.
    Hang,
}

/// A server that runs until the test's process ends.
pub(crate) struct Loopback {
    pub(crate) url: String,
    requests: Receiver<Request>,
}

impl Loopback {
    /// Starts a server without TLS.
    pub(crate) fn start(answer: impl Fn(&Request) -> Response + Clone + Send + 'static) -> Self {
        Loopback::listen("http", answer, |stream| stream)
    }

    /// Starts a server with a certificate of the authority in `tls/authority.pem`.
    pub(crate) fn start_tls(answer: impl Fn(&Request) -> Response + Clone + Send + 'static) -> Self {
        let certificate = CertificateDer::from(include_bytes!("tls/server.der").as_slice());
        let key = PrivatePkcs8KeyDer::from(include_bytes!("tls/server-key.der").as_slice()).into();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let config = Arc::new(config);
        Loopback::listen("https", answer, move |stream| {
            StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream)
        })
    }

    fn listen<Stream: Read + Write>(
        scheme: &str,
        answer: impl Fn(&Request) -> Response + Clone + Send + 'static,
        wrap: impl Fn(TcpStream) -> Stream + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let (sender, requests) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, sender, wrap) = (answer.clone(), sender.clone(), wrap.clone());
                thread::spawn(move || {
                    let mut stream = BufReader::new(wrap(stream));
                    while let Some(request) = read(&mut stream) {
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
                        // The EC2 metadata service sends the second header with its token.
                        let head = format!(
                            "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n\
                             x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"
                        );
                        let _ = write!(stream.get_mut(), "{head}content-length: {length}\r\n\r\n{body}");
                    }
                });
            }
        });
        Loopback { url, requests }
    }

    /// Waits for the next request. Fails if none arrives within a minute.
    pub(crate) fn next(&self) -> Request {
        self.requests.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    /// Returns the requests so far, without waiting.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
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
