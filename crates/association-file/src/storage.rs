//! Reads and writes whole objects in S3.

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Region, SharedHttpClient};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use std::error::Error;
use std::time::Duration;

use crate::error::FileError;
use crate::settings::FileSettings;
use crate::text::one_line;

/// Timeout for connecting. S3 is in the function's own Region.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Returns an S3 client with the SDK's standard retries. The function shares no S3 quota with other callers, so its
/// requests are not paced. A second attempt is safe, because S3 writes an object completely or not at all.
pub fn client(
    settings: &FileSettings,
    credentials: SharedCredentialsProvider,
    http: SharedHttpClient,
) -> Client {
    let mut config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(settings.context.scope.region().to_owned()))
        .credentials_provider(credentials)
        .http_client(http)
        .retry_config(RetryConfig::standard())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build())
        // A local implementation of S3 has no host name per bucket.
        .force_path_style(settings.s3_endpoint.is_some());
    config.set_endpoint_url(settings.s3_endpoint.clone());
    Client::from_conf(config.build())
}

/// Reads and writes objects. Needs `s3:GetObject` and `s3:PutObject`.
#[derive(Debug)]
pub(crate) struct Storage {
    client: Client,
}

/// The reason why an object cannot be read. It is displayed as one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    /// The object is missing or too large, so a retry cannot help.
    #[error("{0}")]
    Unusable(String),
    /// S3 rejected the request, or could not be reached.
    #[error("{0}")]
    Failed(String),
}

impl From<ReadError> for FileError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unusable(text) => FileError::InvalidFile(text),
            ReadError::Failed(text) => FileError::StorageFailure(text),
        }
    }
}

impl Storage {
    pub(crate) fn new(client: Client) -> Self {
        Storage { client }
    }

    /// Reads an object of at most `limit` bytes. With an ETag, reads only that version.
    ///
    /// # Errors
    /// [`ReadError`]. If the caller is not allowed to list the bucket, S3 also returns `AccessDenied` for a missing
    /// object (Amazon S3 API reference, "GetObject": permissions).
    pub(crate) async fn read(
        &self,
        bucket: &str,
        key: &str,
        limit: usize,
        etag: Option<&str>,
    ) -> Result<Vec<u8>, ReadError> {
        // An event contains the ETag without its quotes.
        let version = etag.map(|etag| format!("\"{}\"", etag.trim_matches('"')));
        let response = self.client.get_object().bucket(bucket).key(key).set_if_match(version).send().await;
        let mut object = response.map_err(|error| {
            if let (Some("PreconditionFailed"), Some(etag)) = (error.code(), etag) {
                return ReadError::Unusable(format!(
                    "s3://{bucket}/{key} was replaced after this execution was started: expected the version with the \
                     ETag {etag:?}; another execution reads the new version"
                ));
            }
            let missing = matches!(error.code(), Some("NoSuchKey" | "NoSuchBucket"));
            let text = format!("s3://{bucket}/{key} cannot be read: {}", describe(&error));
            if missing { ReadError::Unusable(text) } else { ReadError::Failed(text) }
        })?;
        let too_large = |size: &dyn std::fmt::Display| {
            ReadError::Unusable(format!(
                "s3://{bucket}/{key} has {size} bytes; the limit is {} MiB",
                limit >> 20
            ))
        };
        let size = object.content_length().and_then(|size| usize::try_from(size).ok());
        if let Some(size) = size.filter(|size| *size > limit) {
            return Err(too_large(&size));
        }
        let mut bytes = Vec::with_capacity(size.unwrap_or_default());
        loop {
            match object.body.try_next().await {
                Ok(None) => return Ok(bytes),
                Ok(Some(part)) => bytes.extend_from_slice(&part),
                Err(error) => {
                    let reason = one_line(&DisplayErrorContext(&error).to_string());
                    return Err(ReadError::Failed(format!(
                        "s3://{bucket}/{key} could not be read completely: {reason}"
                    )));
                }
            }
            if bytes.len() > limit {
                return Err(too_large(&format_args!("more than {limit}")));
            }
        }
    }

    pub(crate) async fn write(
        &self,
        bucket: &str,
        key: &str,
        content_type: &str,
        bytes: Vec<u8>,
    ) -> Result<(), FileError> {
        let put = self.client.put_object().bucket(bucket).key(key).content_type(content_type);
        put.body(ByteStream::from(bytes)).send().await.map(drop).map_err(|error| {
            FileError::StorageFailure(format!("s3://{bucket}/{key} cannot be written: {}", describe(&error)))
        })
    }
}

/// Returns the error from S3, or the reason why no request reached it, on one line.
fn describe<E: ProvideErrorMetadata + Error + 'static, R: std::fmt::Debug>(error: &SdkError<E, R>) -> String {
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => one_line(&format!("{code}: {message}")),
        (Some(code), None) => code.to_owned(),
        (None, _) => one_line(&DisplayErrorContext(error).to_string()),
    }
}
