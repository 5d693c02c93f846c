//! Reads the requests of a source and checks them field by field.
//!
//! An invalid part is a value with its JSON path, so the valid parts of its request are processed. An invalid element of an
//! array fails alone. An invalid entry fails with all of its addresses. An invalid field of a request fails the whole
//! request.

mod arn;
mod at_sign;
mod body;
mod context;
mod email_address;
mod entry;
mod excerpt;
mod field;
mod identifier;
mod invalid;
mod invisible;
mod mistakes;
mod named;
mod path;
mod request;

pub use arn::{ArnScope, Identifier};
pub(crate) use at_sign::find_at_sign;
pub(crate) use body::innermost;
pub use body::with_request;
pub(crate) use context::MAX_PARTS;
pub use context::{Context, Defaults, Intent, Options};
pub use entry::{Entry, NO_INSTANCE};
pub(crate) use excerpt::Excerpt;
pub use excerpt::List;
pub use field::{Field, FieldMatch};
pub use identifier::{EmailAddressId, Id, InstanceId, QueueId};
pub use invalid::Invalid;
pub(crate) use invalid::located;
pub use invisible::is_invisible;
pub(crate) use mistakes::{is_similar, no_misplaced_fields};
pub use named::Named;
pub use path::{Base, Path};
pub use request::Request;
pub(crate) use request::too_many_parts;
