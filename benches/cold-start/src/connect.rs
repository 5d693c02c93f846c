//! A stand-in for Connect that notes when the first byte of each request arrives.

use std::io::{self, BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

use crate::clock::now;
use crate::http;

/// How Connect is spoken to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// In the clear. The first byte of the request counts, and each request is answered.
    Http,
    /// The first byte of the handshake counts. It is not answered, and the connection breaks.
    Https,
}

impl Scheme {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

/// The stand-in.
pub(crate) struct Connect {
    /// Where it listens, as a URL.
    pub(crate) url: String,
    /// When each request arrived.
    pub(crate) arrivals: Receiver<Instant>,
}

impl Connect {
    /// Starts listening on a free port of 127.0.0.1. The threads end with the process.
    pub(crate) fn start(scheme: Scheme) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("{}://{}", scheme.name(), listener.local_addr()?);
        let (sender, arrivals) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                // A broken connection means that the function has ended.
                thread::spawn(move || serve(stream, scheme, &sender).ok());
            }
        });
        Ok(Connect { url, arrivals })
    }
}

fn serve(mut stream: TcpStream, scheme: Scheme, arrivals: &Sender<Instant>) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    while !reader.fill_buf()?.is_empty() {
        if arrivals.send(now()).is_err() || scheme == Scheme::Https {
            break;
        }
        http::read_request(&mut reader)?;
        http::answer(&mut stream, "200 OK", "", "{}")?;
    }
    Ok(())
}
