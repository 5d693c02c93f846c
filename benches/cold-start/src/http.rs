//! As much of HTTP/1.1 as a stand-in for the runtime API and for Connect needs.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// Reads one request to its end.
///
/// Gives its method and path, or nothing where the connection was closed instead.
pub(crate) fn read_request(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let target = line.rsplit_once(' ').map_or("", |(target, _)| target).to_owned();
    let (mut length, mut chunked) = (0, false);
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        match header.split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().unwrap_or(0),
            Some(("transfer-encoding", value)) => chunked = value.trim() == "chunked",
            _ => {}
        }
    }
    if chunked {
        skip_chunks(stream)?;
    } else {
        skip(stream, length)?;
    }
    Ok(Some(target))
}

fn skip_chunks(stream: &mut BufReader<TcpStream>) -> io::Result<()> {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim_end(), 16).map_err(io::Error::other)?;
        // Each chunk ends with a line break of its own.
        skip(stream, size + 2)?;
        if size == 0 {
            return Ok(());
        }
    }
}

fn skip(stream: &mut BufReader<TcpStream>, bytes: u64) -> io::Result<()> {
    io::copy(&mut stream.take(bytes), &mut io::sink()).map(|_| ())
}

/// Writes an answer with a JSON body and keeps the connection open.
pub(crate) fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(answer.as_bytes())
}
