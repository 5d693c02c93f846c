//! Reads the settings of the Lambda function, sets up S3, and starts the library.

use std::process::ExitCode;

use association_file::function::FileFunction;
use association_file::settings::FileSettings;
use association_file::{lambda, storage};
use queue_email_associator::{log, sdk};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = match FileSettings::from_env() {
        Ok(settings) => settings,
        Err(error) => {
            log::start(tracing::level_filters::LevelFilter::INFO);
            tracing::error!("the function cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    log::start(settings.log_level);
    let http = sdk::http_client();
    let credentials = sdk::lambda_credentials();
    let client = storage::client(&settings, credentials, http);
    match lambda::serve(&FileFunction::new(client, settings.context)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the Lambda runtime ended: {error}");
            ExitCode::FAILURE
        }
    }
}
