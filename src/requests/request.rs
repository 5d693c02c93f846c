//! One association request: its fields, its entries, and what is invalid in it.

use crate::payload::Json;

use super::fields::Fields;
use super::invalid::MAX_INVALID;
use super::{Base, Entry, Field, Home, Identifier, Invalid, Kind, Path};

/// What a request is read against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The partition and Region that every ARN must be of.
    pub home: &'a Home,
    /// `CONNECT_INSTANCE_ID`, the last place where an instance is looked for.
    pub instance: Option<&'a str>,
    /// The defaults of the batch that the request is an item of.
    pub defaults: Defaults<'a>,
}

/// Defaults for the requests of a Distributed Map batch, from its `BatchInput`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Defaults<'a> {
    /// The instance of requests that name none.
    pub instance: Option<&'a str>,
    /// What holds where a request does not say.
    pub options: Options,
}

/// The fields of a request that say how it is to be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Check, look up and group only; no association call. Default false.
    pub dry_run: bool,
    /// A direct invocation ends as `PermanentFailure` if a pair failed for good. Default false.
    pub fail_on_permanent: bool,
    /// A direct invocation ends as `RetryableFailure` if a pair may succeed later, instead of giving what is left
    /// as `remaining`. Default true.
    pub fail_on_retryable: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { dry_run: false, fail_on_permanent: false, fail_on_retryable: true }
    }
}

impl Options {
    fn read(fields: &Fields<'_>, defaults: Options) -> Result<Self, Invalid> {
        Ok(Options {
            dry_run: fields.flag(Field::DryRun)?.unwrap_or(defaults.dry_run),
            fail_on_permanent: fields.flag(Field::FailOnPermanent)?.unwrap_or(defaults.fail_on_permanent),
            fail_on_retryable: fields.flag(Field::FailOnRetryable)?.unwrap_or(defaults.fail_on_retryable),
        })
    }
}

impl<'a> Defaults<'a> {
    /// Reads `BatchInput`. What it holds beside the fields of a request is the state machine's own.
    ///
    /// # Errors
    /// The first thing invalid in it: no item can be judged without it.
    pub fn read(batch_input: &'a Json<'a>, home: &Home) -> Result<Self, Invalid> {
        let fields = Fields::of(batch_input, Path::of(Base::BatchInput))?;
        let instance = instance(&fields, home)?.map(|instance| instance.id);
        Ok(Defaults { instance, options: Options::read(&fields, Options::default())? })
    }
}

/// A request, taken apart into what is valid and what is not.
#[derive(Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// How it is to be handled.
    pub options: Options,
    /// Its valid entries, in order; an entry whose every address is invalid has none left.
    pub entries: Vec<Entry<'a>>,
    /// Everything invalid in it.
    pub invalid: Vec<Invalid>,
}

impl<'a> Request<'a> {
    /// Reads a request.
    pub fn read(json: &'a Json<'a>, base: Base, context: &Context<'a>) -> Self {
        let mut request =
            Request { options: context.defaults.options, entries: Vec::new(), invalid: Vec::new() };
        if let Err(invalid) = request.fill(json, Path::of(base), context) {
            request.entries.clear();
            request.invalid = vec![invalid];
        }
        request
    }

    /// `Err` is what makes the request as a whole invalid.
    fn fill(&mut self, json: &'a Json<'a>, path: Path, context: &Context<'a>) -> Result<(), Invalid> {
        let fields = Fields::of(json, path)?;
        if fields.get(Field::Associations).is_none() {
            return self.fill_short_form(&fields.without_empty_text(), context);
        }
        self.options = Options::read(&fields, context.defaults.options)?;
        let instance = instance(&fields, context.home)?;
        let entries = fields.list(Field::Associations)?.unwrap_or_default();
        if let Some(stray) = fields.find(Field::names_a_pair) {
            return Err(Invalid::field(
                path,
                stray,
                "stands beside associations; it belongs into an entry of it",
            ));
        }
        self.entries.reserve(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let before = self.invalid.len();
            let entry = Fields::of(entry, path.entry(index)).and_then(|fields| {
                let misplaced = fields.find(|field| !field.names_a_pair() && field != Field::InstanceId);
                match misplaced {
                    Some(field) => Err(Invalid::field(
                        fields.path(),
                        field,
                        "stands in an entry; it belongs to the request as a whole",
                    )),
                    None => Entry::read(&fields, instance, context, &mut self.invalid),
                }
            });
            if entry.is_err() {
                // The entry is one failure, its elements none beside it.
                self.invalid.truncate(before);
            }
            match entry {
                Ok(entry) => self.entries.push(entry),
                Err(invalid) => self.invalid.push(invalid),
            }
            if self.invalid.len() > MAX_INVALID {
                let reason = format!(
                    "holds more than {MAX_INVALID} invalid entries and elements; none of it was done"
                );
                return Err(Invalid::field(path, Field::Associations, reason));
            }
        }
        Ok(())
    }

    /// The short form: the request is its own single entry.
    fn fill_short_form(&mut self, fields: &Fields<'a>, context: &Context<'a>) -> Result<(), Invalid> {
        self.options = Options::read(fields, context.defaults.options)?;
        if fields.find(Field::names_a_pair).is_none() {
            let reason = "is missing, and so is the short form of one entry (queueId and emailAddressId)";
            return Err(Invalid::field(fields.path(), Field::Associations, reason));
        }
        let entry = Entry::read(fields, None, context, &mut self.invalid)?;
        self.entries.push(entry);
        Ok(())
    }
}

fn instance<'a>(fields: &Fields<'a>, home: &Home) -> Result<Option<Identifier<'a>>, Invalid> {
    let Some(text) = fields.text(Field::InstanceId)? else { return Ok(None) };
    Identifier::parse(text, Kind::Instance, home)
        .map(Some)
        .map_err(|reason| Invalid::field(fields.path(), Field::InstanceId, reason))
}

#[cfg(test)]
mod tests;
