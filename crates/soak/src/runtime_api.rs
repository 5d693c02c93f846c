//! Lambda's runtime API for one process (Lambda Developer Guide, "Using the Lambda runtime API").

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use http_body_util::Full;
use queue_email_associator::clock::epoch_millis;
use tokio::sync::{Mutex, mpsc};

use crate::http_server::{self, answer};

/// An invocation that waits for its process.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    pub(crate) payload: String,
    /// How long it may take, in milliseconds from when it is fetched.
    pub(crate) millis: u64,
}

/// An event of a process.
#[derive(Debug)]
pub(crate) enum Said {
    /// It has fetched an invocation.
    Fetched,
    /// Its answer to the invocation of that identifier.
    Answer(String, Bytes),
    /// The invocation of that identifier, or initialisation, has ended in an error.
    Error { of: String, body: String },
}

/// The API's two sides.
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    pub(crate) invocations: mpsc::Sender<Invocation>,
    pub(crate) said: mpsc::Receiver<Said>,
}

impl RuntimeApi {
    pub(crate) async fn start() -> std::io::Result<Self> {
        let (invocations, waiting) = mpsc::channel::<Invocation>(1);
        let (say, said) = mpsc::channel(16);
        let waiting = Arc::new(Mutex::new(waiting));
        let handler = Arc::new(move |request: Request<Bytes>| -> http_server::Reply {
            let (waiting, say) = (waiting.clone(), say.clone());
            Box::pin(async move { handle(request, &waiting, &say).await })
        });
        Ok(RuntimeApi { address: http_server::start(handler).await?, invocations, said })
    }
}

async fn handle(
    request: Request<Bytes>,
    waiting: &Mutex<mpsc::Receiver<Invocation>>,
    say: &mpsc::Sender<Said>,
) -> Option<Response<Full<Bytes>>> {
    let path: Vec<String> = request.uri().path().split('/').map(str::to_owned).collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let body = request.body().clone();
    match (request.method(), path.as_slice()) {
        (&Method::GET, [_, _, "runtime", "invocation", "next"]) => {
            let invocation = waiting.lock().await.recv().await?;
            say.send(Said::Fetched).await.ok()?;
            let mut response = answer(200, &invocation.payload);
            let headers = response.headers_mut();
            headers
                .insert("lambda-runtime-aws-request-id", HeaderValue::from_str(&invocation.request_id).ok()?);
            headers
                .insert("lambda-runtime-deadline-ms", HeaderValue::from(epoch_millis() + invocation.millis));
            let arn = "arn:aws:lambda:eu-central-1:111122223333:function:soak";
            headers.insert("lambda-runtime-invoked-function-arn", HeaderValue::from_static(arn));
            Some(response)
        }
        (&Method::POST, [_, _, "runtime", "invocation", id, "response"]) => {
            say.send(Said::Answer((*id).to_owned(), body)).await.ok()?;
            Some(answer(202, &"{}"))
        }
        (&Method::POST, [_, _, "runtime", "invocation", id, "error"]) => {
            let body = String::from_utf8_lossy(&body).into_owned();
            say.send(Said::Error { of: (*id).to_owned(), body }).await.ok()?;
            Some(answer(202, &"{}"))
        }
        (&Method::POST, [_, _, "runtime", "init", "error"]) => {
            let body = String::from_utf8_lossy(&body).into_owned();
            say.send(Said::Error { of: "initialisation".to_owned(), body }).await.ok()?;
            Some(answer(202, &"{}"))
        }
        _ => Some(answer(404, &"{}")),
    }
}
