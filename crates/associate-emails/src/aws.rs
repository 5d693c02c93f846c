//! AWS: credentials and Region as a person's machine has them.

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_connect::config::SharedHttpClient;

/// What calls to AWS are made with.
pub(crate) struct Access {
    /// The Region that is called.
    pub(crate) region: String,
    /// The credentials, loaded when the first call needs them.
    pub(crate) credentials: SharedCredentialsProvider,
}

impl Access {
    /// Finds Region and credentials where the AWS CLI finds them: environment, profile, single sign-on, a program,
    /// the machine's role.
    ///
    /// # Errors
    /// One line that says what was not found, and how to give it.
    pub(crate) async fn load(region: Option<String>, http: SharedHttpClient) -> Result<Self, String> {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http);
        if let Some(region) = region {
            loader = loader.region(Region::new(region));
        }
        let config = loader.load().await;
        let region = config.region().map(ToString::to_string).filter(|region| !region.is_empty());
        let region = region.ok_or(
            "no Region was found; give --region, or set AWS_REGION, or a region in the profile that AWS_PROFILE names",
        )?;
        let credentials = config.credentials_provider().ok_or("no source of credentials is set up")?;
        Ok(Access { region, credentials })
    }
}
