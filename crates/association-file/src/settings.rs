//! Reads the settings from the function's environment.

use queue_email_associator::settings::{Settings, SettingsError};
use tracing::level_filters::LevelFilter;

use crate::requests::RequestContext;

/// All settings of the function.
#[derive(Debug, Clone)]
pub struct FileSettings {
    /// `AWS_REGION` (which Lambda sets), and `CONNECT_INSTANCE_ID`, the instance of requests without one. If it is set,
    /// rows that contain this instance and rows without an instance share their calls.
    pub context: RequestContext,
    /// `AWS_LAMBDA_LOG_LEVEL`, or else `RUST_LOG`. The default is info.
    pub log_level: LevelFilter,
    /// `AWS_ENDPOINT_URL_S3`, or else `AWS_ENDPOINT_URL`: another endpoint for S3.
    pub(crate) s3_endpoint: Option<String>,
}

impl FileSettings {
    /// Reads the settings with a function that returns variables by name. Returns the error of the first invalid one.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let settings = Settings::read(&lookup)?;
        Ok(FileSettings {
            context: RequestContext { scope: settings.scope, instance: settings.instance },
            log_level: settings.log_level,
            s3_endpoint: Settings::endpoint(&lookup, "AWS_ENDPOINT_URL_S3")?,
        })
    }

    /// Reads the settings from the environment of the process.
    pub fn from_env() -> Result<Self, SettingsError> {
        FileSettings::read(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }
}
