//! A session: a file of pairs, its settings, and the service that its calls go to.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use queue_email_associator::answer::InvocationError;
use queue_email_associator::pairs::Pairs;
use queue_email_associator::payload::Envelope;
use queue_email_associator::sdk::{self, Deferred};
use queue_email_associator::settings::Settings;

use crate::args::FileArgs;
use crate::aws::{self, Access};
use crate::configuration::{self, FoundRegion};
use crate::input::Input;
use crate::outcome::{self, Backend, Exit};
use crate::simulation::{self, Simulation};

/// Everything that a command needs before its first call.
pub(crate) struct Session {
    pub(crate) input: Input,
    pub(crate) pairs: Pairs,
    pub(crate) settings: Settings,
    pub(crate) connect: Deferred<aws_sdk_connect::Client>,
    /// The simulator must live to the end, because dropping it stops it.
    pub(crate) simulation: Option<Simulation>,
}

/// Why no call can be made.
pub(crate) enum OpenError {
    /// The file, an option, a setting or AWS cannot be used.
    Unusable(String),
    /// Nothing in the file can be read.
    Invalid(InvocationError),
}

impl From<String> for OpenError {
    fn from(message: String) -> Self {
        OpenError::Unusable(message)
    }
}

impl OpenError {
    /// Prints the error.
    pub(crate) fn print(&self, json: bool) -> Exit {
        match self {
            OpenError::Unusable(message) => outcome::usage_error(message),
            OpenError::Invalid(error) => outcome::rejected(error, json),
        }
    }
}

impl Session {
    /// Reads the file and the settings, and makes sure that Connect can be called.
    pub(crate) async fn open(args: &FileArgs) -> Result<Self, OpenError> {
        let input = Input::read(args.file(), args.format).map_err(|error| error.to_string())?;
        let access = if args.aws { Some(Access::load(args.region.as_deref()).await?) } else { None };
        let found = match &access {
            Some(access) => {
                Some(FoundRegion { region: &access.region, place: "the environment or the profile" })
            }
            // A simulation is in the Region of the file's ARNs, unless AWS_REGION is set.
            None if std::env::var_os("AWS_REGION").is_none_or(|region| region.is_empty()) => {
                input.region().map(|region| FoundRegion { region, place: "an ARN in the file" })
            }
            None => None,
        };
        let mut settings = configuration::settings(args, found.as_ref(), |name| std::env::var(name).ok())?;
        let (_, pairs) = read(&input.payload, &settings).map_err(OpenError::Invalid)?;
        let (connect, simulation) = match &access {
            Some(access) => {
                let connect = access.connect_client(settings.calls.call_timeout);
                aws::reach_connect(connect.clone(), &pairs).await?;
                (connect, None)
            }
            None => {
                let simulation = simulate(args, &pairs, &mut settings)?;
                let http = simulation::http_client();
                (sdk::connect_client(&settings, simulation::credentials(), http), Some(simulation))
            }
        };
        Ok(Session { input, pairs, settings, connect, simulation })
    }

    /// The service that the calls go to.
    pub(crate) fn backend(&self) -> Backend {
        if self.simulation.is_some() { Backend::Simulation } else { Backend::Aws }
    }
}

/// Reads the envelope and the pairs of a payload, without any call.
pub(crate) fn read<'p>(
    payload: &'p [u8],
    settings: &Settings,
) -> Result<(Envelope<'p>, Pairs), InvocationError> {
    let invalid = InvocationError::InvalidRequest;
    let envelope = Envelope::read(payload).map_err(|error| invalid(error.to_string()))?;
    let pairs = Pairs::read(&envelope, settings.context()).map_err(|error| invalid(error.to_string()))?;
    Ok((envelope, pairs))
}

/// Starts the simulator, and points the settings to it.
fn simulate(args: &FileArgs, pairs: &Pairs, settings: &mut Settings) -> Result<Simulation, String> {
    let quota = simulation::quota(settings, args.fast, args.simulated_rate);
    let simulation = Simulation::start(pairs, settings, quota)
        .map_err(|error| format!("the simulator cannot listen on 127.0.0.1: {error}"))?;
    settings.connect_endpoint = Some(simulation.endpoint());
    Ok(simulation)
}

/// An identifier of this run. `ClientToken`s derive from it if no message requests the pairs. Each run has its own,
/// because a pair that was removed from its queue since the last run would otherwise seem done already.
pub(crate) fn request_id() -> String {
    format!("associate-emails-{:016x}", RandomState::new().build_hasher().finish())
}
