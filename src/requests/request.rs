//! One association request: its fields, its entries, and its invalid parts.

use crate::payload::Json;

use super::context::reference;
use super::entry::{EntryError, InstanceIdentifier};
use super::excerpt::Excerpts;
use super::field::{Elements, Fields};
use super::mistakes::hint_for_object;
use super::{Base, Context, Defaults, Entry, Field, Invalid, Options, Path};

/// A request, split into its valid and its invalid parts.
#[derive(Debug)]
pub struct Request<'a> {
    /// The request's options.
    pub options: Options,
    /// The caller's own name for the request, if there is one.
    pub reference: Option<&'a str>,
    /// The valid entries, in order. If every address of an entry is invalid, the entry has no addresses.
    pub entries: Vec<Entry<'a>>,
    /// The invalid parts.
    pub invalid: Vec<Invalid>,
}

impl<'a> Request<'a> {
    /// Reads a request. Its invalid parts are in `invalid`, so reading never fails.
    pub fn read(json: &'a Json<'a>, base: Base, context: &Context<'a>) -> Self {
        let Defaults { options, reference, .. } = context.defaults;
        let mut request = Request { options, reference, entries: Vec::new(), invalid: Vec::new() };
        if let Err(invalid) = request.fill(json, Path::of(base), context) {
            request.entries.clear();
            request.invalid = vec![invalid];
        }
        // Nearly every request is valid and needs no excerpts.
        if !request.invalid.is_empty() {
            let mut excerpts = Excerpts::new(json);
            request.invalid.iter_mut().for_each(|invalid| invalid.excerpt = excerpts.at(invalid.path()));
        }
        request
    }

    /// Creates a request whose JSON cannot be parsed. `reason` is the parser's.
    pub(crate) fn malformed(base: Base, context: &Context<'a>, reason: &str) -> Self {
        let Defaults { options, reference, .. } = context.defaults;
        let path = Path::of(base);
        let invalid = Invalid::new(path, format!("{path} is not valid JSON: {reason}"));
        Request { options, reference, entries: Vec::new(), invalid: vec![invalid] }
    }

    /// Returns the reason why the request as a whole is invalid.
    fn fill(&mut self, json: &'a Json<'a>, path: Path, context: &Context<'a>) -> Result<(), Invalid> {
        let fields = Fields::of(json, path)?;
        if fields.get(Field::Associations).is_none() {
            let fields = fields.without_empty_text();
            if fields.find(Field::specifies_pair).is_none() {
                return Err(no_pairs_error(json, path));
            }
            return self.fill_short_form(&fields, context);
        }
        self.reference = reference(&fields)?.or(self.reference);
        self.options = Options::read(&fields, &context.defaults)?;
        let instance = fields.identifier(Field::InstanceId, context.scope)?;
        let is_entry = |element: &Json<'_>| matches!(element, Json::Object(_));
        let (entries, is_single) =
            match fields.elements(Field::Associations, is_entry, "an array of objects or an object")? {
                Some(Elements::List(list)) => (list, false),
                Some(Elements::Single(entry)) => (std::slice::from_ref(entry), true),
                None => (&[][..], false),
            };
        if let Some(stray) = fields.find(Field::specifies_pair) {
            let reason = "cannot be combined with associations; move it into an entry";
            return Err(Invalid::field(path, stray, reason));
        }
        let mut parts = 0;
        let mut account = instance.and_then(|instance| instance.arn).map(|arn| arn.account);
        for (index, entry) in entries.iter().enumerate() {
            let before = self.invalid.len();
            let path_of_entry = if is_single { path.only_entry() } else { path.entry(index) };
            match self.read_entry(entry, path_of_entry, instance, &mut account, context) {
                Ok(entry) => {
                    parts += entry.addresses.len() + self.invalid.len() - before;
                    self.entries.push(entry);
                }
                Err(EntryError::Invalid(invalid)) => {
                    // An invalid entry is one failure, so its elements are not failures in addition to it.
                    self.invalid.truncate(before);
                    self.invalid.push(invalid);
                    parts += 1;
                }
                Err(EntryError::TooManyParts) => parts = usize::MAX,
            }
            if parts > context.max_parts {
                return Err(Invalid::new(path, too_many_parts("request", context.max_parts)));
            }
        }
        Ok(())
    }

    fn read_entry(
        &mut self,
        entry: &'a Json<'a>,
        path: Path,
        instance: Option<InstanceIdentifier<'a>>,
        account: &mut Option<&'a str>,
        context: &Context<'a>,
    ) -> Result<Entry<'a>, EntryError> {
        let fields = Fields::of(entry, path)?;
        match fields.find(|field| !field.specifies_pair() && field != Field::InstanceId) {
            Some(field) => {
                let reason = "applies to the whole request; move it to the top level";
                Err(Invalid::field(path, field, reason).into())
            }
            None => Entry::read(&fields, instance, account, context, &mut self.invalid),
        }
    }

    /// The short form: the request is its own single entry.
    fn fill_short_form(&mut self, fields: &Fields<'a>, context: &Context<'a>) -> Result<(), Invalid> {
        self.reference = reference(fields)?.or(self.reference);
        self.options = Options::read(fields, &context.defaults)?;
        match Entry::read(fields, None, &mut None, context, &mut self.invalid) {
            Ok(entry) => {
                self.entries.push(entry);
                Ok(())
            }
            Err(EntryError::Invalid(invalid)) => Err(invalid),
            Err(EntryError::TooManyParts) => {
                Err(Invalid::new(fields.path, too_many_parts("request", context.max_parts)))
            }
        }
    }

    /// Number of parts (see [`MAX_PARTS`](super::MAX_PARTS)).
    pub(crate) fn parts(&self) -> usize {
        self.invalid.len() + self.entries.iter().map(|entry| entry.addresses.len()).sum::<usize>()
    }
}

/// The reason why a request or payload with too many parts is invalid.
pub(crate) fn too_many_parts(what: &str, max_parts: usize) -> String {
    let digits = max_parts.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    let max_parts = groups.join(",");
    format!(
        "the {what} contains more than {max_parts} pairs (invalid entries count too); split it into smaller {what}s"
    )
}

fn no_pairs_error(json: &Json<'_>, path: Path) -> Invalid {
    let hint = match json {
        Json::Object(members) => hint_for_object(members),
        _ => None,
    };
    match hint {
        Some(hint) => Invalid::new(path, hint),
        None => {
            let message = "the request is empty; expected associations, or a queue (queueId or queueName) and email addresses \
                           (emailAddressId, emailAddressIds, emailAddress or emailAddresses)";
            Invalid::new(path.field(Field::Associations), message)
        }
    }
}

#[cfg(test)]
mod tests;
