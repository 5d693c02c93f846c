//! Settings from the function's environment.

use queue_email_associator::settings::{Settings, SettingsError};
use tracing::level_filters::LevelFilter;

use crate::Context;

/// Everything that can be configured.
#[derive(Debug, Clone)]
pub struct FileSettings {
    /// `AWS_REGION` (which Lambda sets), and `CONNECT_INSTANCE_ID`, the instance of requests that name none: with it,
    /// rows that name it and rows that name none share their calls.
    pub context: Context,
    /// `AWS_LAMBDA_LOG_LEVEL`, else `RUST_LOG` (info).
    pub log_level: LevelFilter,
    /// `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`: another endpoint for S3.
    pub s3_endpoint: Option<String>,
}

impl FileSettings {
    /// Reads the settings through a look-up of variables by name.
    ///
    /// # Errors
    /// The first variable whose value cannot be used.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let settings = Settings::read(&lookup)?;
        Ok(FileSettings {
            context: Context { scope: settings.scope, instance: settings.instance },
            log_level: settings.log_level,
            s3_endpoint: Settings::endpoint(&lookup, "AWS_ENDPOINT_URL_S3")?,
        })
    }

    /// Reads the settings from the environment of the process.
    ///
    /// # Errors
    /// As [`FileSettings::read`].
    pub fn from_env() -> Result<Self, SettingsError> {
        FileSettings::read(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }
}
