//! The settings of the selected profile that the SDK does not read itself.

use std::collections::HashSet;

use aws_config::profile::{self, Profile, ProfileSet};
use aws_types::os_shim_internal::{Env, Fs};

/// Returns the profile that the environment selects. Like the AWS CLI, prefers `AWS_DEFAULT_PROFILE`, which the SDK does
/// not read.
pub(super) fn selected() -> Option<String> {
    let variable = |name| std::env::var(name).ok().filter(|profile| !profile.is_empty());
    variable("AWS_DEFAULT_PROFILE").or_else(|| variable("AWS_PROFILE"))
}

/// The profiles in the configuration and credentials files.
pub(super) struct Profiles(Option<ProfileSet>);

impl Profiles {
    /// Reads the files. If that is impossible, there are no profiles, and the SDK reports why.
    pub(super) async fn load() -> Self {
        let selected = selected().map(Into::into);
        Profiles(profile::load(&Fs::real(), &Env::real(), &Default::default(), selected).await.ok())
    }

    /// Returns a setting of the selected profile, and a description of its origin for messages.
    pub(super) fn setting(&self, key: &str) -> Option<(String, &str)> {
        let profiles = self.0.as_ref()?;
        let value = profiles.get(key).filter(|value| !value.is_empty())?;
        Some((format!("{key} of the profile {:?}", profiles.selected_profile()), value))
    }

    /// Returns why credentials of the selected profile cannot be loaded here although the AWS CLI can load them.
    pub(super) fn unsupported(&self) -> Option<String> {
        let profiles = self.0.as_ref()?;
        let selected = profiles.selected_profile();
        let reason = sources(profiles).find_map(|profile| {
            let name = profile.name();
            if profile.get("role_arn").is_some() && profile.get("mfa_serial").is_some() {
                Some(format!(
                    "the profile {name:?} needs an MFA code (mfa_serial), which this tool cannot request"
                ))
            } else if profile.get("login_session").is_some() {
                Some(format!(
                    "the profile {name:?} is signed in with \"aws login\", which this tool cannot read"
                ))
            } else {
                None
            }
        })?;
        Some(format!(
            "{reason}; let the AWS CLI provide the credentials: run \
             eval \"$(aws configure export-credentials --profile {selected} --format env)\" first"
        ))
    }
}

/// Returns the selected profile, and the profiles that provide the credentials for its role.
fn sources(profiles: &ProfileSet) -> impl Iterator<Item = &Profile> {
    let mut seen = HashSet::new();
    std::iter::successors(profiles.get_profile(profiles.selected_profile()), |profile| {
        profiles.get_profile(profile.get("source_profile")?)
    })
    // A profile can be its own source.
    .take_while(move |profile| seen.insert(profile.name().to_owned()))
}
