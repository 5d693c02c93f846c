//! Sends answers over sockets, with their delays, and closes connections where a fault requires it.

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::{future, io};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet, yield_now};
use tokio::time::{Instant, sleep};

use crate::{Connect, control, wire};

/// Maximum size of a request body in bytes. A call of 50 addresses with identifiers of 500 characters is far smaller.
const LARGEST_BODY: usize = 1 << 20;

/// Serves `connect`, and the control endpoints under `/_simulator/`, until `shutdown` is ready. Then closes open
/// connections. Fails if a connection cannot be accepted.
pub async fn run(
    listener: TcpListener,
    connect: Connect,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let start = Instant::now();
    let mut shutdown = pin!(shutdown);
    // Dropping the set closes the connections.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(serve(stream, connect.clone(), start));
            }
        }
    }
}

/// A running server on a free port of the loopback interface. It stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Binds 127.0.0.1 and serves `connect` on the current Tokio runtime.
    /// Fails if no port can be bound, or if it is called outside a Tokio runtime.
    pub fn start(connect: Connect) -> io::Result<Self> {
        let runtime = tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        Ok(Self { address, task: runtime.spawn(run(listener, connect, future::pending())) })
    }

    /// Returns its URL, for example `http://127.0.0.1:40123`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The body of a response, which an error can cut off.
type AnswerBody = UnsyncBoxBody<Bytes, io::Error>;

/// Serves one connection. Ignores errors, because the client or an injected fault causes them.
async fn serve(stream: TcpStream, connect: Connect, start: Instant) {
    // Small responses must not wait for each other.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| handle(request, &connect, start));
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Responds to one request. An error closes its connection without a response.
async fn handle(
    request: Request<Incoming>,
    connect: &Connect,
    start: Instant,
) -> io::Result<Response<AnswerBody>> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let message = format!(r#"{{"message":"the body has more than {LARGEST_BODY} bytes"}}"#);
            return Ok(complete(wire::with_body(StatusCode::PAYLOAD_TOO_LARGE, message)));
        }
        Err(error) => return Err(io::Error::other(error)),
    };
    let request = Request::from_parts(parts, body);
    if let Some(endpoint) = request.uri().path().strip_prefix(control::PREFIX) {
        return Ok(complete(control::answer(endpoint, &request, connect, start)));
    }
    let answer = connect.answer(request, Instant::now());
    if !answer.delay.is_zero() {
        sleep(answer.delay).await;
    }
    if answer.hang {
        future::pending::<Infallible>().await;
    }
    match answer.response {
        None => Err(io::Error::new(io::ErrorKind::ConnectionReset, "closed without an answer")),
        Some(response) if answer.cut_off => Ok(response.map(first_half)),
        Some(response) => Ok(complete(response)),
    }
}

fn complete(response: Response<Bytes>) -> Response<AnswerBody> {
    response.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync())
}

/// Returns the first half of a body, followed by an error, which closes the connection.
fn first_half(mut body: Bytes) -> AnswerBody {
    body.truncate(body.len() / 2);
    let data = stream::once(future::ready(Ok(Frame::data(body))));
    let error = stream::once(async {
        // The connection sends the data while it waits.
        yield_now().await;
        Err(io::Error::other("cut off"))
    });
    StreamBody::new(data.chain(error)).boxed_unsync()
}
