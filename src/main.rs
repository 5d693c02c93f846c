//! The Lambda function: reads its settings, creates the state that invocations share, and starts the library.

use std::process::ExitCode;
use std::sync::Arc;

use queue_email_associator::invocation::Function;
use queue_email_associator::settings::Settings;
use queue_email_associator::{lambda, log, sdk};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = match Settings::from_env() {
        Ok(settings) => settings,
        Err(error) => {
            log::start(tracing::level_filters::LevelFilter::INFO);
            tracing::error!("the function cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    log::start(settings.log_level);
    let (connect, sqs) = sdk::lambda_clients(&settings);
    let result = tokio::select! {
        result = lambda::serve(Arc::new(Function::new(settings, connect, sqs))) => result,
        () = lambda::stop_requested() => {
            tracing::info!("SIGTERM: the process exits; messages without a response will be redelivered");
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the Lambda runtime ended: {error}");
            ExitCode::FAILURE
        }
    }
}
