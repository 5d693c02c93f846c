//! A session: a file of pairs, its settings, and the service that its calls go to.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use connect_simulator::Server;
use queue_email_associator::answer::InvocationError;
use queue_email_associator::pairs::Pairs;
use queue_email_associator::payload::Envelope;
use queue_email_associator::sdk::{self, LazyClient};
use queue_email_associator::settings::Settings;

use crate::aws::{self, Access};
use crate::configuration;
use crate::file_args::FileArgs;
use crate::input::Input;
use crate::outcome::{Backend, Exit, View, invalid_payload, terminal_width, usage_error};
use crate::simulation::{self, InitialQueues};

/// Everything that a command needs before its first call.
pub(crate) struct Session {
    pub(crate) input: Input,
    pub(crate) pairs: Pairs,
    pub(crate) settings: Settings,
    pub(crate) connect: LazyClient<aws_sdk_connect::Client>,
    /// Stops when it is dropped.
    simulator: Option<Server>,
}

impl Session {
    /// Reads the file and the settings, and makes sure that Connect can be called. An error was printed.
    pub(crate) async fn open(args: &FileArgs, queues: InitialQueues) -> Result<Self, Exit> {
        let input = Input::read(args.path(), args.format).map_err(usage_error)?;
        let access = match args.aws {
            true => Some(Access::load(args.region.as_deref()).await.map_err(usage_error)?),
            false => None,
        };
        let region = match &access {
            Some(access) => Some(&*access.region),
            // A simulation is in the Region of the file's ARNs, unless AWS_REGION is set.
            None if std::env::var_os("AWS_REGION").is_none_or(|region| region.is_empty()) => input.region(),
            None => None,
        };
        let variable = |name: &str| std::env::var(name).ok();
        let mut settings = configuration::settings(args, region, variable).map_err(usage_error)?;
        let (_, pairs) =
            read(&input.payload, &settings).map_err(|error| invalid_payload(&error, args.json))?;
        let (connect, simulator) = match &access {
            Some(access) => {
                let connect = access.connect_client(settings.calls.call_timeout);
                aws::reach_connect(connect.clone(), &pairs).await.map_err(usage_error)?;
                (connect, None)
            }
            None => {
                let simulator =
                    simulation::start(&pairs, queues, &settings, !args.fast).map_err(|error| {
                        usage_error(format!("the simulator cannot listen on 127.0.0.1: {error}"))
                    })?;
                settings.connect_endpoint = Some(simulator.endpoint());
                let http = simulation::http_client();
                (sdk::connect_client(&settings, simulation::credentials(), http), Some(simulator))
            }
        };
        Ok(Session { input, pairs, settings, connect, simulator })
    }

    /// Returns how to print the result of a command with these arguments.
    pub(crate) fn view(&self, args: &FileArgs) -> View<'_> {
        View {
            json: args.json,
            backend: if self.simulator.is_some() { Backend::Simulation } else { Backend::Aws },
            allowance: self.settings.allowance,
            lines: self.input.records.as_ref().map(|records| &*records.lines),
            width: terminal_width(),
        }
    }

    pub(crate) fn nothing_was_valid(&self) -> bool {
        self.pairs.mentions.is_empty() && !self.pairs.invalid.is_empty()
    }
}

/// Reads the envelope and the pairs of a payload, without any call.
pub(crate) fn read<'p>(
    payload: &'p [u8],
    settings: &Settings,
) -> Result<(Envelope<'p>, Pairs), InvocationError> {
    let invalid = InvocationError::InvalidRequest;
    let envelope = Envelope::read(payload).map_err(invalid)?;
    let pairs = Pairs::read(&envelope, settings.context()).map_err(|error| invalid(error.to_string()))?;
    Ok((envelope, pairs))
}

/// Returns an identifier of this run. `ClientToken`s derive from it if no message requests the pairs. Each run has its
/// own, so that a pair that was removed since an earlier run is associated again.
pub(crate) fn request_id() -> String {
    format!("associate-emails-{:016x}", RandomState::new().build_hasher().finish())
}
