//! The function under the Lambda runtime.
//!
//! The runtime would parse each payload before the handler sees it, and answer with the name of a Rust type where it
//! cannot. So a layer takes the bytes out on their way in and hands them around the runtime's deserialiser.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use lambda_runtime::tower::{Layer, Service};
use lambda_runtime::{Error, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use tracing::Instrument;

use crate::answer::{Answer, InvocationError};
use crate::clock::instant_of;
use crate::invocation::{Function, Invocation};

/// Lambda Developer Guide, "Configure Lambda function timeout": at most 900 seconds.
const LONGEST_INVOCATION: Duration = Duration::from_secs(900);

tokio::task_local! {
    /// The bytes of the invocation whose handler is being called.
    static PAYLOAD: Bytes;
}

/// Serves invocations until the process ends.
///
/// # Errors
/// Where the runtime's API cannot be reached.
pub async fn serve(function: Arc<Function>) -> Result<(), Error> {
    let handler = service_fn(move |event: LambdaEvent<()>| {
        // Read here and not in the future: the layer has set it for the duration of this call.
        let payload = PAYLOAD.get();
        let function = function.clone();
        async move { handle(&function, &payload, &event.context).await }
    });
    Runtime::new(handler).layer(RawPayload).run_concurrent().await
}

/// Waits until the process is told to stop.
///
/// Lambda sends SIGTERM in the shutdown phase where the function has an extension, and nothing before SIGKILL where it
/// has none (Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle"). There is nothing to
/// be finished: the process keeps no state that must outlive it, each log line is written whole when it is made, and a
/// batch that has not been answered comes again. So no extension is registered for the sake of the signal.
pub async fn told_to_stop() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        Err(error) => {
            tracing::warn!("SIGTERM cannot be waited for: {error}");
            std::future::pending::<()>().await;
        }
    }
}

async fn handle(
    function: &Function,
    payload: &[u8],
    context: &lambda_runtime::Context,
) -> Result<Answer, InvocationError> {
    let span = tracing::error_span!(
        "invocation",
        requestId = context.request_id,
        traceId = context.xray_trace_id.as_deref()
    );
    let invocation = Invocation {
        request_id: &context.request_id,
        ends: end_of(context.deadline()),
        intent: None,
        observer: None,
    };
    function.invoke(payload, invocation).instrument(span).await
}

/// The end of an invocation whose deadline the runtime gives as a moment.
///
/// `cargo lambda watch` gives every invocation the same one, ten minutes after the beginning of 1970: from there it is
/// no moment but the time that the invocation has.
fn end_of(deadline: SystemTime) -> Instant {
    match deadline.duration_since(UNIX_EPOCH) {
        Ok(time) if time <= LONGEST_INVOCATION => Instant::now() + time,
        _ => instant_of(deadline),
    }
}

/// Takes the payload out of an invocation before the runtime's deserialiser, which gets `null` instead.
struct RawPayload;

#[derive(Clone)]
struct RawPayloadService<S> {
    inner: S,
}

impl<S> Layer<S> for RawPayload {
    type Service = RawPayloadService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RawPayloadService { inner }
    }
}

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for RawPayloadService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> Self::Future {
        let payload = std::mem::replace(&mut invocation.body, Bytes::from_static(b"null"));
        PAYLOAD.sync_scope(payload, || self.inner.call(invocation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_at_the_beginning_of_1970_is_the_time_that_the_invocation_has() {
        let ten_minutes = Duration::from_secs(600);
        assert_eq!(end_of(UNIX_EPOCH + ten_minutes), Instant::now() + ten_minutes);
    }

    #[tokio::test(start_paused = true)]
    async fn any_other_deadline_that_is_past_leaves_no_time() {
        for seconds in [0, 901, 1_700_000_000] {
            assert_eq!(end_of(UNIX_EPOCH + Duration::from_secs(seconds)), Instant::now(), "{seconds}");
        }
    }
}
