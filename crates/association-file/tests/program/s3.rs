//! Implements the part of S3 that the function uses: GetObject, with `If-Match`, and PutObject, with path-style URLs.
//! It can reject a number of requests first. The ETag of an object is its length.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Bytes>,
    requests: Vec<String>,
    rejections: VecDeque<(u16, &'static str)>,
}

/// A server that stops when it is dropped.
pub(crate) struct S3 {
    pub(crate) endpoint: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl S3 {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| respond(request, state.clone()));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        S3 { endpoint, state, task }
    }

    pub(crate) fn put(&self, path: &str, bytes: impl Into<Bytes>) {
        self.state.lock().unwrap().objects.insert(path.to_owned(), bytes.into());
    }

    pub(crate) fn text(&self, path: &str) -> String {
        let state = self.state.lock().unwrap();
        let bytes = state.objects.get(path).unwrap_or_else(|| panic!("there is no {path}"));
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    /// Returns the paths of all objects.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.state.lock().unwrap().objects.keys().cloned().collect()
    }

    /// Returns the requests so far, as `GET bucket/key`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }

    /// Rejects the given number of next requests.
    pub(crate) fn reject(&self, times: usize, status: u16, code: &'static str) {
        self.state.lock().unwrap().rejections.extend(std::iter::repeat_n((status, code), times));
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn respond(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = percent_decode_str(request.uri().path()).decode_utf8().unwrap();
    let path = path.trim_start_matches('/').to_owned();
    let method = request.method().clone();
    let version = request.headers().get("if-match").map(|version| version.to_str().unwrap().to_owned());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let mut state = state.lock().unwrap();
    state.requests.push(format!("{method} {path}"));
    if let Some((status, code)) = state.rejections.pop_front() {
        return Ok(error(StatusCode::from_u16(status).unwrap(), code));
    }
    Ok(match (method, state.objects.get(&path)) {
        (Method::GET, Some(object))
            if version.is_some_and(|version| version != format!("\"{}\"", object.len())) =>
        {
            error(StatusCode::PRECONDITION_FAILED, "PreconditionFailed")
        }
        (Method::GET, Some(object)) => Response::new(Full::new(object.clone())),
        (Method::GET, None) => error(StatusCode::NOT_FOUND, "NoSuchKey"),
        (Method::PUT, _) => {
            state.objects.insert(path, body);
            Response::new(Full::default())
        }
        _ => error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    })
}

fn error(status: StatusCode, code: &str) -> Response<Full<Bytes>> {
    let message = if code == "NoSuchKey" { "The specified key does not exist." } else { "Access Denied" };
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    Response::builder().status(status).body(Full::from(body)).unwrap()
}
