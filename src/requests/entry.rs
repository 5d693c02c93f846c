//! One entry: a queue, and the email addresses that it should get.

use crate::payload::Json;

use super::email_address::email_address;
use super::fields::{Elements, Fields, non_empty_text};
use super::identifier::{self, Arn};
use super::{Context, EmailAddressId, Field, Identifier, InstanceId, Invalid, Named, Path, QueueId};

pub(super) type InstanceIdentifier<'a> = Identifier<'a, identifier::Instance>;
type Queue<'a> = Named<QueueId<&'a str>, &'a str>;
type Address<'a> = Named<EmailAddressId<&'a str>, &'a str>;

/// A valid entry of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The instance.
    pub instance: InstanceId<&'a str>,
    /// The queue.
    pub queue: Queue<'a>,
    /// The addresses, each with the path that its failure reports. For `emailAddressId` and `emailAddress` it is the
    /// entry's path. For a list it is the element's path. If the field holds a single element without a list, it is the
    /// field's path.
    pub addresses: Vec<(Path, Address<'a>)>,
}

/// The reason why an entry has no pairs.
#[derive(Debug)]
pub(super) enum EntryError {
    /// The entry as a whole is invalid.
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
    /// Reads an entry. Invalid elements of its list are added to `invalid`, and the entry has the valid ones.
    ///
    /// # Errors
    /// Returns [`EntryError`] if the entry has no pairs.
    pub(super) fn read(
        fields: &Fields<'a>,
        request_instance: Option<InstanceIdentifier<'a>>,
        context: &Context<'a>,
        invalid: &mut Vec<Invalid>,
    ) -> Result<Self, EntryError> {
        let path = fields.path();
        let own_instance: Option<InstanceIdentifier<'_>> =
            fields.identifier(Field::InstanceId, context.home)?;
        let (queue, queue_arn) = queue(fields, context)?;
        let mut instance = Instance::written(own_instance, request_instance);
        if let Some(arn) = own_instance.and_then(|own| own.arn) {
            instance.same_account(arn).map_err(|reason| Invalid::field(path, Field::InstanceId, reason))?;
        }
        if let Some(arn) = queue_arn {
            instance.agree(arn).map_err(|reason| Invalid::field(path, Field::QueueId, reason))?;
        }
        let addresses = addresses(fields, context, &mut instance, invalid)?;
        let instance = instance
            .id
            .or(context.defaults.instance)
            .or(context.instance)
            .ok_or_else(|| {
                Invalid::field(
                    path,
                    Field::InstanceId,
                    "is missing; it is looked for in the entry, in an ARN of the entry, in the request, in BatchInput \
                     and in CONNECT_INSTANCE_ID",
                )
            })?;
        if !context.allows(&instance) {
            let reason = format!("\"{instance}\" is not allowed; expected one of CONNECT_INSTANCE_IDS");
            return Err(Invalid::field(path, Field::InstanceId, reason).into());
        }
        Ok(Entry { instance, queue, addresses })
    }
}

/// The instance that the parts of an entry have named so far, and the account that they agree on.
struct Instance<'a> {
    id: Option<InstanceId<&'a str>>,
    account: Option<&'a str>,
}

impl<'a> Instance<'a> {
    /// Begins with the `instanceId` of the entry, or with the request's if the entry has none.
    fn written(own: Option<InstanceIdentifier<'a>>, request: Option<InstanceIdentifier<'a>>) -> Self {
        let account = request.and_then(|r| r.arn).or(own.and_then(|o| o.arn)).map(|arn| arn.account);
        Instance { id: own.or(request).map(|instance| instance.id), account }
    }

    fn same_account(&mut self, arn: Arn<'a>) -> Result<(), &'static str> {
        if *self.account.get_or_insert(arn.account) == arn.account {
            Ok(())
        } else {
            Err(
                "is an ARN of another account than the request names; all of a request must be of one account",
            )
        }
    }

    /// Refuses an ARN of another instance or account. A refused ARN does not count for the ARNs after it.
    fn agree(&mut self, arn: Arn<'a>) -> Result<(), &'static str> {
        if self.id.is_some_and(|id| id != arn.instance) {
            return Err(
                "is an ARN of another instance than the entry or its request names; all of an entry must be of one instance",
            );
        }
        self.same_account(arn)?;
        self.id = Some(arn.instance);
        Ok(())
    }
}

/// The longest accepted name of a queue, in characters. Amazon Connect accepts 127 (API reference, CreateQueue). Each
/// failure repeats the name of its queue, so a long name beside many short addresses would take memory in their
/// product.
const MAX_NAME: usize = 500;

fn short_enough(name: &str) -> Result<&str, String> {
    match name.chars().count() {
        ..=MAX_NAME => Ok(name),
        length => Err(format!("is {length} characters long; at most {MAX_NAME} are accepted")),
    }
}

fn queue<'a>(fields: &Fields<'a>, context: &Context<'a>) -> Result<(Queue<'a>, Option<Arn<'a>>), Invalid> {
    const CHOICE: &str = "a queue is named by exactly one of queueId, queueName";
    let path = fields.path();
    if fields.get(Field::QueueId).is_some() && fields.get(Field::QueueName).is_some() {
        let reason = format_args!("stands beside queueId; {CHOICE}");
        return Err(Invalid::field(path, Field::QueueName, reason));
    }
    if let Some(queue) = fields.identifier(Field::QueueId, context.home)? {
        return Ok((Named::Id(queue.id), queue.arn));
    }
    match fields.text(Field::QueueName)?.map(short_enough) {
        Some(Ok(name)) => Ok((Named::Name(name), None)),
        Some(Err(reason)) => Err(Invalid::field(path, Field::QueueName, reason)),
        None => Err(Invalid::field(path, Field::QueueId, format_args!("is missing; {CHOICE}"))),
    }
}

fn addresses<'a>(
    fields: &Fields<'a>,
    context: &Context<'a>,
    instance: &mut Instance<'a>,
    invalid: &mut Vec<Invalid>,
) -> Result<Vec<(Path, Address<'a>)>, EntryError> {
    const FORMS: [Field; 4] =
        [Field::EmailAddressId, Field::EmailAddressIds, Field::EmailAddress, Field::EmailAddresses];
    const CHOICE: &str = "addresses are named by exactly one of emailAddressId, emailAddressIds, emailAddress, \
                          emailAddresses";
    let path = fields.path();
    let mut given = FORMS.into_iter().filter(|field| fields.get(*field).is_some());
    let Some(field) = given.next() else {
        return Err(Invalid::field(path, Field::EmailAddressId, format_args!("is missing; {CHOICE}")).into());
    };
    if let Some(second) = given.next() {
        return Err(Invalid::field(path, second, format_args!("stands beside {field}; {CHOICE}")).into());
    }
    let mut read = |text: &'a str| -> Result<Address<'a>, String> {
        if matches!(field, Field::EmailAddress | Field::EmailAddresses) {
            return email_address(text).map(Named::Name);
        }
        let address = Identifier::parse(text, context.home)?;
        if let Some(arn) = address.arn {
            instance.agree(arn)?;
        }
        Ok(Named::Id(address.id))
    };
    if matches!(field, Field::EmailAddressId | Field::EmailAddress) {
        let text = fields.text(field)?.unwrap_or_default();
        let address = read(text).map_err(|reason| Invalid::field(path, field, reason))?;
        return Ok(vec![(path, address)]);
    }
    let is_text = |element: &Json<'_>| matches!(element, Json::String(_));
    let list = match fields.elements(field, is_text, "a string or a list of strings")? {
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
                let mut element = Invalid::new(path, format!("{field} has an element that {reason}"));
                // The elements of a large list often share one reason, which then takes memory once.
                if let Some(last) = invalid.last().filter(|last| last.message == element.message) {
                    element.message = last.message.clone();
                }
                invalid.push(element);
            }
        }
    }
    Ok(addresses)
}
