//! Reads one entry: a queue, and the email addresses to associate with it.

use crate::payload::{Json, check_length};

use super::arn::Arn;
use super::email_address::email_address;
use super::field::{Elements, Fields, non_empty_text};
use super::identifier::Instance;
use super::{Context, EmailAddressId, Field, Identifier, InstanceId, Invalid, Named, Path, QueueId};

pub(super) type InstanceIdentifier<'a> = Identifier<'a, Instance>;
type EntryQueue<'a> = Named<QueueId<&'a str>, &'a str>;
type EntryAddress<'a> = Named<EmailAddressId<&'a str>, &'a str>;

/// A valid entry of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The instance.
    pub instance: InstanceId<&'a str>,
    /// The queue.
    pub queue: EntryQueue<'a>,
    /// The addresses, each with the path of its failure. For `emailAddressId` and `emailAddress`, that is the entry's path.
    /// For an array, it is the element's path, or the field's path if the field is a single element.
    pub addresses: Vec<(Path, EntryAddress<'a>)>,
}

/// The message of an entry without an instance. The command-line tool has another one for files.
pub const NO_INSTANCE: &str =
    "no instanceId in the entry, request or BatchInput, and CONNECT_INSTANCE_ID is not set";

/// The reason why an entry has no pairs.
#[derive(Debug)]
pub(super) enum EntryError {
    Invalid(Invalid),
    /// The entry alone has more addresses than [`Context::max_parts`], so its request is invalid.
    TooManyParts,
}

impl From<Invalid> for EntryError {
    fn from(invalid: Invalid) -> Self {
        EntryError::Invalid(invalid)
    }
}

impl<'a> Entry<'a> {
    /// Reads an entry. Invalid elements of its array are added to `invalid`, and the entry has the valid ones. `account` is
    /// that of the earlier ARNs in the request.
    pub(super) fn read(
        fields: &Fields<'a>,
        request_instance: Option<InstanceIdentifier<'a>>,
        account: &mut Option<&'a str>,
        context: &Context<'a>,
        invalid: &mut Vec<Invalid>,
    ) -> Result<Self, EntryError> {
        let path = fields.path;
        let own_instance: Option<InstanceIdentifier<'_>> =
            fields.identifier(Field::InstanceId, context.scope)?;
        let (queue, queue_arn) = queue(fields, context)?;
        let mut owner =
            Owner { instance: own_instance.or(request_instance).map(|i| i.id), account: *account };
        if let Some(arn) = own_instance.and_then(|own| own.arn) {
            owner.same_account(arn).map_err(|reason| Invalid::field(path, Field::InstanceId, reason))?;
        }
        if let Some(arn) = queue_arn {
            owner.agree(arn).map_err(|reason| Invalid::field(path, Field::QueueId, reason))?;
        }
        let addresses = addresses(fields, context, &mut owner, invalid)?;
        let instance = owner
            .instance
            .or(context.defaults.instance)
            .or(context.instance)
            .ok_or_else(|| Invalid::new(path.field(Field::InstanceId), NO_INSTANCE))?;
        if !context.allows(&instance) {
            let reason = format!("\"{instance}\" is not allowed; expected one of CONNECT_INSTANCE_IDS");
            return Err(Invalid::field(path, Field::InstanceId, reason).into());
        }
        *account = owner.account;
        Ok(Entry { instance, queue, addresses })
    }
}

/// The instance that the parts of an entry have specified so far, and the account of the ARNs in its request.
struct Owner<'a> {
    instance: Option<InstanceId<&'a str>>,
    account: Option<&'a str>,
}

impl<'a> Owner<'a> {
    fn same_account(&mut self, arn: Arn<'a>) -> Result<(), &'static str> {
        if *self.account.get_or_insert(arn.account) == arn.account {
            Ok(())
        } else {
            Err("is an ARN of another account; all ARNs in a request must belong to the same account")
        }
    }

    /// Rejects an ARN of another instance or account. A rejected ARN does not count for the ARNs after it.
    fn agree(&mut self, arn: Arn<'a>) -> Result<(), &'static str> {
        if self.instance.is_some_and(|instance| instance != arn.instance) {
            return Err(
                "is an ARN of another instance; everything in an entry must belong to the same instance",
            );
        }
        self.same_account(arn)?;
        self.instance = Some(arn.instance);
        Ok(())
    }
}

/// Maximum length of a queue's name, in characters. Amazon Connect accepts 127 (API reference, CreateQueue). Each failure
/// repeats the name of its queue, so a long name with many short addresses would take memory in proportion to their
/// product.
const MAX_NAME: usize = 500;

fn queue<'a>(
    fields: &Fields<'a>,
    context: &Context<'a>,
) -> Result<(EntryQueue<'a>, Option<Arn<'a>>), Invalid> {
    let path = fields.path;
    if fields.get(Field::QueueId).is_some() && fields.get(Field::QueueName).is_some() {
        let reason = "cannot be combined with queueId; use one of them";
        return Err(Invalid::field(path, Field::QueueName, reason));
    }
    if let Some(queue) = fields.identifier(Field::QueueId, context.scope)? {
        return Ok((Named::Id(queue.id), queue.arn));
    }
    let Some(name) = fields.text(Field::QueueName)? else {
        return Err(Invalid::new(path.field(Field::QueueId), "missing queueId or queueName"));
    };
    check_length(name, MAX_NAME).map_err(|reason| Invalid::field(path, Field::QueueName, reason))?;
    Ok((Named::Name(name), None))
}

fn addresses<'a>(
    fields: &Fields<'a>,
    context: &Context<'a>,
    owner: &mut Owner<'a>,
    invalid: &mut Vec<Invalid>,
) -> Result<Vec<(Path, EntryAddress<'a>)>, EntryError> {
    const FORMS: [Field; 4] =
        [Field::EmailAddressId, Field::EmailAddressIds, Field::EmailAddress, Field::EmailAddresses];
    let path = fields.path;
    let mut present = FORMS.into_iter().filter(|field| fields.get(*field).is_some());
    let Some(field) = present.next() else {
        let message = "missing emailAddressId, emailAddressIds, emailAddress or emailAddresses";
        return Err(Invalid::new(path.field(Field::EmailAddressId), message).into());
    };
    if let Some(second) = present.next() {
        let reason = format!("cannot be combined with {field}; use one of them");
        return Err(Invalid::field(path, second, reason).into());
    }
    let mut read = |text: &'a str| -> Result<EntryAddress<'a>, String> {
        if matches!(field, Field::EmailAddress | Field::EmailAddresses) {
            return email_address(text).map(Named::Name);
        }
        let address = Identifier::parse(text, context.scope)?;
        if let Some(arn) = address.arn {
            owner.agree(arn)?;
        }
        Ok(Named::Id(address.id))
    };
    if matches!(field, Field::EmailAddressId | Field::EmailAddress) {
        let text = fields.text(field)?.unwrap_or_default();
        let address = read(text).map_err(|reason| Invalid::field(path, field, reason))?;
        return Ok(vec![(path, address)]);
    }
    let is_text = |element: &Json<'_>| matches!(element, Json::String(_));
    let list = match fields.elements(field, is_text, "an array of strings or a string")? {
        Some(Elements::List(list)) => list,
        Some(Elements::Single(element)) => {
            let address = non_empty_text(element)
                .and_then(read)
                .map_err(|reason| Invalid::field(path, field, reason))?;
            return Ok(vec![(path.field(field), address)]);
        }
        None => &[],
    };
    if list.len() > context.max_parts {
        return Err(EntryError::TooManyParts);
    }
    let mut addresses = Vec::with_capacity(list.len());
    for (index, element) in list.iter().enumerate() {
        let path = path.field(field).element(index);
        match non_empty_text(element).and_then(&mut read) {
            Ok(address) => addresses.push((path, address)),
            Err(reason) => {
                let mut element = Invalid::new(path, format!("an {field} element {reason}"));
                // The elements of a large array often share one reason, which then takes memory once.
                if let Some(last) = invalid.last().filter(|last| last.message == element.message) {
                    element.message = last.message.clone();
                }
                invalid.push(element);
            }
        }
    }
    Ok(addresses)
}
