//! Requests: reads the requests of a source and checks them field by field.
//!
//! An invalid part is a value with its JSON path, so the valid parts beside it go on. An invalid element of a list
//! fails alone. An invalid entry fails with all of its addresses. An invalid field of a request fails the whole
//! request.

mod arn;
mod at_sign;
mod beside;
mod body;
mod context;
mod email_address;
mod entry;
mod excerpt;
mod field;
mod fields;
mod folded;
mod identifier;
mod instead;
mod invalid;
pub(crate) mod invisible;
mod named;
mod path;
mod request;

pub use arn::Home;
pub(crate) use at_sign::find_at_sign;
pub(crate) use beside::no_fields_beside;
pub(crate) use body::innermost;
pub use body::with_request;
pub use context::{Context, Defaults, Intent, MAX_PARTS, Options};
pub use entry::Entry;
pub(crate) use excerpt::Excerpt;
pub use excerpt::List;
pub use field::{Field, Name};
pub(crate) use folded::is_nearly;
pub use identifier::{EmailAddressId, Id, Identifier, InstanceId, QueueId};
pub use invalid::Invalid;
pub use named::Named;
pub use path::{Base, Path};
pub use request::Request;
