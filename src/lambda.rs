//! Runs the function under the Lambda runtime.
//!
//! The runtime parses each payload before the handler gets it. If it cannot parse a payload, its error mentions a Rust type.
//! So a layer passes the bytes around the runtime's deserialiser.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use lambda_runtime::tower::Service;
use lambda_runtime::tower::layer::layer_fn;
use lambda_runtime::{Error, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use tracing::Instrument;

use crate::answer::{Answer, InvocationError};
use crate::clock::instant_of;
use crate::invocation::{Function, Invocation};

/// Maximum timeout of a Lambda function: 900 seconds (Lambda Developer Guide, "Configure Lambda function timeout").
const LONGEST_INVOCATION: Duration = Duration::from_secs(900);

tokio::task_local! {
    /// The payload of the invocation that the runtime passes to the handler.
    static PAYLOAD: Bytes;
}

/// Serves invocations until the process ends.
///
/// # Errors
/// Returns an error if the runtime's API cannot be reached.
pub async fn serve(function: Arc<Function>) -> Result<(), Error> {
    let handler = service_fn(move |event: LambdaEvent<()>| {
        // The layer sets the payload only for the duration of this call, so the future would read it too late.
        let payload = PAYLOAD.get();
        let function = function.clone();
        async move { handle(&function, &payload, &event.context).await }
    });
    Runtime::new(handler).layer(layer_fn(|inner| RawPayloadService { inner })).run_concurrent().await
}

/// Waits until Lambda tells the process to stop.
///
/// Lambda sends SIGTERM in the shutdown phase only if the function has an extension. Otherwise it sends SIGKILL alone
/// (Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle"). The function registers no
/// extension for the signal, because it has nothing to finish: the process has no state that must outlive it, each log line
/// is written at once, and a batch without a response is redelivered.
pub async fn stop_requested() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        Err(error) => {
            tracing::warn!("the process cannot wait for SIGTERM: {error}");
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

/// The end of an invocation, from the deadline that the runtime reports.
///
/// `cargo lambda watch` reports the same deadline for every invocation, ten minutes after the start of 1970. A deadline
/// that early is a duration, counted from now.
fn end_of(deadline: SystemTime) -> Instant {
    match deadline.duration_since(UNIX_EPOCH) {
        Ok(time) if time <= LONGEST_INVOCATION => Instant::now() + time,
        _ => instant_of(deadline),
    }
}

/// Takes the payload from an invocation before the runtime's deserialiser, which gets `null` instead.
#[derive(Clone)]
struct RawPayloadService<S> {
    inner: S,
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
    async fn deadline_near_1970_is_a_duration() {
        let ten_minutes = Duration::from_secs(600);
        assert_eq!(end_of(UNIX_EPOCH + ten_minutes), Instant::now() + ten_minutes);
    }

    #[tokio::test(start_paused = true)]
    async fn past_deadline_leaves_no_time() {
        for seconds in [0, 901, 1_700_000_000] {
            assert_eq!(end_of(UNIX_EPOCH + Duration::from_secs(seconds)), Instant::now(), "{seconds}");
        }
    }
}
