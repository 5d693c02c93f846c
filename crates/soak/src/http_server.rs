//! A small HTTP server on a free port of the loopback interface, for the stand-ins.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// The answer. Without one, the server closes the connection.
pub(crate) type Reply = Pin<Box<dyn Future<Output = Option<Response<Full<Bytes>>>> + Send>>;
pub(crate) type Handler = Arc<dyn Fn(Request<Bytes>) -> Reply + Send + Sync>;

/// Serves until the process ends.
pub(crate) async fn start(handler: Handler) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let handler = handler.clone();
            tokio::spawn(async move {
                let service = service_fn(|request: Request<Incoming>| {
                    let handler = handler.clone();
                    async move {
                        let (parts, body) = request.into_parts();
                        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
                        let closed = || io::Error::other("closed without an answer");
                        handler(Request::from_parts(parts, body)).await.ok_or_else(closed)
                    }
                });
                // The client decides how a connection ends.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Ok(address)
}

/// An answer of JSON.
pub(crate) fn answer(status: u16, body: &impl ToString) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    let json = http::HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}
