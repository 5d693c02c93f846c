//! Implements `SearchEmailAddresses` and `SearchQueues`, in the order of the identifiers.
//!
//! The only search criterion is the type STANDARD of queues, which all listed queues have.

use serde::Deserialize;
use serde_json::{Value, json};

use super::page::Page;
use super::{Rules, check};
use crate::directory::Directory;
use crate::error::ApiError;
use crate::operation::Reply;
use crate::wire::{Call, arn};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SearchBody {
    instance_id: String,
    next_token: Option<String>,
    max_results: Option<i64>,
    search_criteria: Option<Value>,
}

/// Returns a page, of 1 to 100, of the addresses of an instance.
pub(super) fn email_addresses(call: &Call, directory: &mut Directory, rules: &Rules) -> Reply {
    let (body, page) = read(call, 100, &json!({}))?;
    if rules.switches.auto_create {
        directory.create(&body.instance_id, None, &[]);
    }
    let instance = directory.instance(&body.instance_id)?;
    let listed: Vec<(&String, &String)> =
        instance.email_addresses.iter().filter(|(id, _)| !instance.unlisted.contains(*id)).collect();
    Ok(Some(response(&page, "EmailAddresses", &listed, |(id, address)| {
        json!({
            "EmailAddressId": id,
            "EmailAddressArn": arn(&body.instance_id, "email-address", id),
            "EmailAddress": address,
        })
    })))
}

/// Returns a page, of 1 to 500, of the queues of an instance.
pub(super) fn queues(call: &Call, directory: &mut Directory, rules: &Rules) -> Reply {
    let (body, page) = read(call, 500, &json!({ "QueueTypeCondition": "STANDARD" }))?;
    if rules.switches.auto_create {
        directory.create(&body.instance_id, None, &[]);
    }
    let instance = directory.instance(&body.instance_id)?;
    let listed: Vec<(&String, &String)> = instance
        .queues
        .iter()
        .filter(|(id, _)| !instance.unlisted.contains(*id))
        .map(|(id, queue)| (id, queue.name.as_ref().unwrap_or(id)))
        .collect();
    Ok(Some(response(&page, "Queues", &listed, |(id, name)| {
        json!({
            "QueueId": id,
            "QueueArn": arn(&body.instance_id, "queue", id),
            "Name": name,
            "Status": "ENABLED",
        })
    })))
}

/// Reads the parameters that both searches share, and rejects search criteria other than `criteria`. The default length of
/// a page is 100.
fn read(call: &Call, longest: usize, criteria: &Value) -> Result<(SearchBody, Page), ApiError> {
    let body: SearchBody = call.body()?;
    check::instance(&body.instance_id)?;
    if body.search_criteria.as_ref().is_some_and(|requested| requested != criteria) {
        let message = format!("the simulator supports no SearchCriteria except {criteria}");
        return Err(ApiError::invalid_parameter(message));
    }
    let page = Page::new(body.next_token.as_deref(), body.max_results, longest, 100)?;
    Ok((body, page))
}

fn response<T>(page: &Page, member: &str, listed: &[T], write: impl Fn(&T) -> Value) -> Value {
    let mut body = page.of(member, listed, write);
    body.insert("ApproximateTotalCount".to_owned(), json!(listed.len()));
    Value::Object(body)
}
