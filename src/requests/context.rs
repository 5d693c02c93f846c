//! The values that apply if a request does not set its own.

use crate::payload::{Json, MAX_IDENTIFIER, check_length};

use super::field::Fields;
use super::{ArnScope, Base, Field, InstanceId, Invalid, Path};

/// Maximum number of parts in one invocation. A part is a mention of a pair, or an invalid piece of a request. The maximum
/// bounds the memory of the invocation.
pub(crate) const MAX_PARTS: usize = 100_000;

/// The values that a request is read with.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The partition and Region of every accepted ARN.
    pub scope: &'a ArnScope,
    /// `CONNECT_INSTANCE_ID`, the last place where the function looks for an instance.
    pub instance: Option<InstanceId<&'a str>>,
    /// `CONNECT_INSTANCE_IDS`, the only instances that may be called. Empty if any may be called.
    pub allowed_instances: &'a [InstanceId],
    /// The defaults of the Distributed Map batch that contains the request.
    pub defaults: Defaults<'a>,
    /// Maximum number of parts (see `MAX_PARTS`).
    pub max_parts: usize,
}

impl<'a> Context<'a> {
    /// Creates a context without defaults, for any instance and at most `MAX_PARTS`.
    pub fn new(scope: &'a ArnScope, instance: Option<&'a InstanceId>) -> Self {
        Context {
            scope,
            instance: instance.map(InstanceId::borrowed),
            allowed_instances: &[],
            defaults: Defaults::default(),
            max_parts: MAX_PARTS,
        }
    }

    pub(super) fn allows(&self, instance: &str) -> bool {
        self.allowed_instances.is_empty()
            || self.allowed_instances.iter().any(|allowed| **allowed == *instance)
    }
}

/// Defaults for the requests of a Distributed Map batch, from its `BatchInput`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Defaults<'a> {
    /// The instance of requests that do not specify one.
    pub instance: Option<InstanceId<&'a str>>,
    /// The reference of requests that have none.
    pub reference: Option<&'a str>,
    /// `dryRun` of requests that do not set it.
    pub dry_run: Option<bool>,
    /// `checkQueues` of requests that do not set it.
    pub check_queues: Option<bool>,
    /// The other options of requests that do not set them.
    pub options: Options,
}

/// What a request wants done. If two requests contain the same pair, the greater intent applies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Intent {
    /// `dryRun`: validate the pair, look it up and group it, without any other call.
    Plan,
    /// `dryRun` with `checkQueues`: also read the queue's list and the directory of addresses.
    Check,
    /// Associate the pair.
    #[default]
    Associate,
}

impl Intent {
    /// Whether the function must not change anything.
    pub fn is_dry(self) -> bool {
        self != Intent::Associate
    }
}

/// The options of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// `dryRun` and `checkQueues`. By default pairs are associated.
    pub intent: Intent,
    /// A direct invocation ends as `PermanentFailure` if a pair failed permanently. Default false.
    pub(crate) fail_on_permanent: bool,
    /// A direct invocation ends as `RetryableFailure` if a pair may succeed later. With false, its report has a
    /// continuation as `remaining` instead. Default true.
    pub(crate) fail_on_retryable: bool,
    /// The request is a continuation. An earlier message requested its pairs, so their queues and addresses have had time
    /// to appear. Default false.
    pub continued: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            intent: Intent::default(),
            fail_on_permanent: false,
            fail_on_retryable: true,
            continued: false,
        }
    }
}

impl Options {
    /// Reads the options of a request. A missing option has its default. Rejects `checkQueues` without `dryRun`, because
    /// that would be a live run that the caller meant as a check.
    pub(super) fn read(fields: &Fields<'_>, defaults: &Defaults<'_>) -> Result<Self, Invalid> {
        let dry_run = fields.flag(Field::DryRun)?.or(defaults.dry_run).unwrap_or(false);
        let check_queues = fields.flag(Field::CheckQueues)?.or(defaults.check_queues).unwrap_or(false);
        let intent = match (dry_run, check_queues) {
            (false, false) => Intent::Associate,
            (true, false) => Intent::Plan,
            (true, true) => Intent::Check,
            (false, true) => {
                let reason = "requires \"dryRun\": true";
                return Err(Invalid::field(fields.path, Field::CheckQueues, reason));
            }
        };
        Ok(Options { intent, ..Options::handling(fields, defaults.options)? })
    }

    /// Reads the options other than the intent.
    fn handling(fields: &Fields<'_>, defaults: Options) -> Result<Self, Invalid> {
        let Options { intent, fail_on_permanent, fail_on_retryable, continued } = defaults;
        Ok(Options {
            intent,
            fail_on_permanent: fields.flag(Field::FailOnPermanent)?.unwrap_or(fail_on_permanent),
            fail_on_retryable: fields.flag(Field::FailOnRetryable)?.unwrap_or(fail_on_retryable),
            continued: fields.flag(Field::Continued)?.unwrap_or(continued),
        })
    }
}

impl<'a> Defaults<'a> {
    /// Reads `BatchInput`. Its unknown fields belong to the state machine and are ignored. `null` counts as absent.
    ///
    /// # Errors
    /// Rejects the first invalid field, because no item can be read without the defaults. Also rejects the fields of an
    /// item, which cannot have defaults.
    pub fn read(batch_input: &'a Json<'a>, scope: &ArnScope) -> Result<Self, Invalid> {
        if *batch_input == Json::Null {
            return Ok(Defaults::default());
        }
        let fields = Fields::of(batch_input, Path::of(Base::BatchInput))?;
        if let Some(field) = fields.find(Field::requests_pairs) {
            let reason = "is not allowed in BatchInput; move it into an item";
            return Err(Invalid::field(fields.path, field, reason));
        }
        let instance = fields.identifier(Field::InstanceId, scope)?.map(|instance| instance.id);
        let reference = reference(&fields)?;
        Ok(Defaults {
            instance,
            reference,
            dry_run: fields.flag(Field::DryRun)?,
            check_queues: fields.flag(Field::CheckQueues)?,
            options: Options::handling(&fields, Options::default())?,
        })
    }
}

/// The caller's own name for a request.
pub(super) fn reference<'a>(fields: &Fields<'a>) -> Result<Option<&'a str>, Invalid> {
    let Some(text) = fields.text(Field::Reference)? else { return Ok(None) };
    check_length(text, MAX_IDENTIFIER)
        .map_err(|reason| Invalid::field(fields.path, Field::Reference, reason))?;
    Ok(Some(text))
}
