//! Runs the function in the Lambda runtime.

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::Value;
use tracing::Instrument;

use crate::function::FileFunction;

/// Serves invocations until the process ends. Fails if the runtime's API cannot be reached.
pub async fn serve(function: &FileFunction) -> Result<(), Error> {
    let handler = service_fn(|event: LambdaEvent<Value>| async move {
        let span = tracing::error_span!(
            "invocation",
            requestId = event.context.request_id,
            traceId = event.context.xray_trace_id.as_deref()
        );
        function.invoke(&event.payload).instrument(span).await
    });
    Runtime::new(handler).run().await
}
