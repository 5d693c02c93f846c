//! Implements `ListQueueEmailAddresses`, which lists the default address first, then the others in the order of
//! association.

use serde_json::{Value, json};

use super::page::Page;
use super::{Rules, check};
use crate::directory::Directory;
use crate::error::ApiError;
use crate::operation::Reply;
use crate::wire::{Call, REGION, arn};

/// Maximum and default length of a page (API reference, `ListQueueEmailAddresses`: `MaxResults` 1 to 100).
const MAX_PAGE: usize = 100;

pub(super) fn perform(call: &Call, directory: &mut Directory, rules: &Rules) -> Reply {
    let (instance_id, queue_id) = call.queue_path();
    check::instance(instance_id)?;
    check::queue(queue_id)?;
    let max_results = match call.query("maxResults") {
        None => None,
        Some(text) => Some(text.parse::<i64>().map_err(|_| {
            ApiError::invalid_parameter(format!("maxResults is not a whole number; expected 1 to {MAX_PAGE}"))
        })?),
    };
    let page = Page::new(call.query("nextToken"), max_results, MAX_PAGE, MAX_PAGE)?;
    if rules.switches.auto_create {
        directory.create(instance_id, Some(queue_id), &[]);
    }
    let queue = directory.instance(instance_id)?.find_queue(queue_id)?;
    let mut items = Vec::with_capacity(queue.email_address_ids.len() + 1);
    items.extend(queue.default_email_address_id.iter().map(|id| (id, true)));
    items.extend(queue.email_address_ids.iter().map(|id| (id, false)));
    let mut body = page.of("EmailAddressMetadataList", &items, |(id, default)| {
        json!({ "Id": id, "Arn": arn(instance_id, "email-address", id), "IsDefaultOutboundEmail": default })
    });
    body.insert("LastModifiedRegion".to_owned(), json!(REGION));
    Ok(Some(Value::Object(body)))
}
