//! Unresolved names: the failures of names that lead to no identifier, or to more than one.
//!
//! No message holds the name itself, because messages are logged and a name may be an email address.

use crate::connect::Directory as Kind;
use crate::failure::{Failure, Retry};
use crate::requests::InstanceId;

use super::directory::Directory;

pub(super) fn not_found(
    kind: Kind,
    instance: &InstanceId,
    name: &str,
    directory: Option<&Directory>,
) -> Failure {
    let message = match (kind, directory.and_then(|directory| directory.find_similar(name))) {
        (Kind::Queues, Some((id, differs))) => format!(
            "no standard queue of instance {instance} has exactly this name: the name of queue {id} differs from it in \
             {differs}; write the name as it is there, or name the queue by queueId"
        ),
        (Kind::EmailAddresses, Some((id, differs))) => format!(
            "instance {instance} has no such email address: email address {id} differs from it in {differs}; write it \
             as it is there, or name the address by emailAddressId"
        ),
        (Kind::Queues, None) => format!(
            "no standard queue of instance {instance} has exactly this name; create it first, or check the instanceId"
        ),
        (Kind::EmailAddresses, None) => {
            format!("instance {instance} has no such email address; create it first, or check the instanceId")
        }
    };
    Failure::ours("NameNotFound", message, Retry::FirstDelivery)
}

pub(super) fn ambiguous(kind: Kind, instance: &InstanceId, count: usize) -> Failure {
    let message = match kind {
        Kind::Queues => {
            format!("{count} queues of instance {instance} have this name; name the queue by queueId")
        }
        Kind::EmailAddresses => {
            format!(
                "{count} email addresses of instance {instance} match this one; name the address by emailAddressId"
            )
        }
    };
    Failure::ours("NameAmbiguous", message, Retry::Never)
}
