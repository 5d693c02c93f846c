//! A stand-in for Lambda's runtime API (Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes").

use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

use crate::clock::now;
use crate::http;

/// Far off, in milliseconds since 1970: no invocation is to end by time.
const DEADLINE: &str = "4102444800000";

/// A request of the function, waiting for its answer.
pub(crate) struct Request {
    /// When it had arrived.
    pub(crate) at: Instant,
    target: String,
    stream: TcpStream,
}

impl Request {
    /// Whether the function asks for an event, rather than giving an answer to one.
    pub(crate) fn is_poll(&self) -> bool {
        self.target == "GET /2018-06-01/runtime/invocation/next"
    }

    /// Gives the function an event.
    pub(crate) fn give_event(mut self, event: &str) -> io::Result<()> {
        let headers = format!(
            "Lambda-Runtime-Aws-Request-Id: benchmark\r\nLambda-Runtime-Deadline-Ms: {DEADLINE}\r\n\
             Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:111122223333:function:benchmark\r\n"
        );
        http::answer(&mut self.stream, "200 OK", &headers, event)
    }

    /// Takes the function's answer.
    pub(crate) fn accept(mut self) -> io::Result<()> {
        http::answer(&mut self.stream, "202 Accepted", "", "{}")
    }
}

/// The stand-in.
pub(crate) struct RuntimeApi {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The function's request.
    pub(crate) requests: Receiver<Request>,
}

impl RuntimeApi {
    /// Starts listening on a free port of 127.0.0.1. The threads end with the process.
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (sender, requests) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                // A broken connection means that the function has ended.
                thread::spawn(move || serve(&stream, &sender).ok());
            }
        });
        Ok(RuntimeApi { address, requests })
    }
}

fn serve(stream: &TcpStream, requests: &Sender<Request>) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(target) = http::read_request(&mut reader)? {
        let request = Request { at: now(), target, stream: stream.try_clone()? };
        if requests.send(request).is_err() {
            break;
        }
    }
    Ok(())
}
