//! Implements `SearchEmailAddresses` and `SearchQueues`, which return what satisfies nested conditions, in the order of
//! the identifiers.

use serde::Deserialize;
use serde_json::{Value, json};

use super::page::Page;
use super::{Rules, check};
use crate::QueueType;
use crate::directory::Directory;
use crate::error::ApiError;
use crate::operation::Reply;
use crate::wire::{Call, email_address_arn, queue_arn};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    instance_id: String,
    next_token: Option<String>,
    max_results: Option<i64>,
    search_criteria: Option<Criteria>,
}

/// A node of a search's condition. All its parts must be satisfied. A node without parts is always satisfied.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Criteria {
    #[serde(default)]
    or_conditions: Vec<Criteria>,
    #[serde(default)]
    and_conditions: Vec<Criteria>,
    string_condition: Option<StringCondition>,
    queue_type_condition: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StringCondition {
    field_name: String,
    value: String,
    comparison_type: ComparisonType,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ComparisonType {
    StartsWith,
    Contains,
    Exact,
}

/// A field that a condition may refer to, and its value in the current item.
type Fields<'a> = [(&'static str, &'a str)];

/// Returns a page, of 1 to 100, of the addresses of an instance whose `emailAddress` satisfies the criteria.
pub(super) fn email_addresses(call: &Call, directory: &mut Directory, rules: &Rules) -> Reply {
    let (body, page) = read(call, 100)?;
    check_criteria(body.search_criteria.as_ref(), &["emailAddress"], false)?;
    if rules.switches.auto_create {
        directory.create(&body.instance_id, None, &[]);
    }
    let instance = directory.instance(&body.instance_id)?;
    let found: Vec<(&String, &String)> = instance
        .email_addresses
        .iter()
        .filter(|(id, _)| !instance.unlisted.contains(*id))
        .filter(|(_, address)| satisfied(body.search_criteria.as_ref(), &[("emailAddress", address)]))
        .collect();
    Ok(Some(answer(&page, "EmailAddresses", &found, |(id, address)| {
        json!({
            "EmailAddressId": id,
            "EmailAddressArn": email_address_arn(&body.instance_id, id),
            "EmailAddress": address,
        })
    })))
}

/// Returns a page, of 1 to 500, of the standard queues of an instance whose `name`, `description` or `resourceID`
/// satisfies the criteria. Queues have no description here.
pub(super) fn queues(call: &Call, directory: &mut Directory, rules: &Rules) -> Reply {
    let (body, page) = read(call, 500)?;
    check_criteria(body.search_criteria.as_ref(), &["name", "description", "resourceID"], true)?;
    if rules.switches.auto_create {
        directory.create(&body.instance_id, None, &[]);
    }
    let instance = directory.instance(&body.instance_id)?;
    let found: Vec<(&String, &String)> = instance
        .queues
        .iter()
        .filter(|(id, _)| !instance.unlisted.contains(*id))
        .filter(|(_, queue)| queue.queue_type.unwrap_or_default() == QueueType::Standard)
        .map(|(id, queue)| (id, queue.name.as_ref().unwrap_or(id)))
        .filter(|(id, name)| {
            let fields = [("name", name.as_str()), ("description", ""), ("resourceID", id.as_str())];
            satisfied(body.search_criteria.as_ref(), &fields)
        })
        .collect();
    Ok(Some(answer(&page, "Queues", &found, |(id, name)| {
        json!({
            "QueueId": id,
            "QueueArn": queue_arn(&body.instance_id, id),
            "Name": name,
            "Status": "ENABLED",
        })
    })))
}

/// Reads the parameters that both searches share. The default length of a page is 100.
fn read(call: &Call, longest: usize) -> Result<(Body, Page), ApiError> {
    let body: Body = call.body()?;
    check::instance(&body.instance_id)?;
    let page = Page::new(body.next_token.as_deref(), body.max_results, longest, 100)?;
    Ok((body, page))
}

fn answer<T>(page: &Page, member: &str, found: &[T], write: impl Fn(&T) -> Value) -> Value {
    let mut body = page.of(member, found, write);
    body.insert("ApproximateTotalCount".to_owned(), json!(found.len()));
    Value::Object(body)
}

/// Rejects unknown fields and queue types, even if there is nothing to search.
fn check_criteria(criteria: Option<&Criteria>, fields: &[&str], of_queues: bool) -> Result<(), ApiError> {
    let Some(criteria) = criteria else { return Ok(()) };
    if let Some(condition) = &criteria.string_condition
        && !fields.contains(&condition.field_name.as_str())
    {
        let accepted = fields.join(", ");
        return Err(ApiError::invalid_parameter(format!("FieldName is unknown: {accepted} is accepted")));
    }
    if of_queues && criteria.queue_type_condition.as_ref().is_some_and(|queue_type| queue_type != "STANDARD")
    {
        return Err(ApiError::invalid_parameter("QueueTypeCondition is unknown: STANDARD is accepted"));
    }
    criteria
        .or_conditions
        .iter()
        .chain(&criteria.and_conditions)
        .try_for_each(|inner| check_criteria(Some(inner), fields, of_queues))
}

fn satisfied(criteria: Option<&Criteria>, fields: &Fields<'_>) -> bool {
    let Some(criteria) = criteria else { return true };
    let each = |inner: &Criteria| satisfied(Some(inner), fields);
    criteria.string_condition.as_ref().is_none_or(|condition| condition.satisfied(fields))
        && criteria.and_conditions.iter().all(each)
        && (criteria.or_conditions.is_empty() || criteria.or_conditions.iter().any(each))
}

impl StringCondition {
    /// Compares without regard to case, as the service's search does.
    fn satisfied(&self, fields: &Fields<'_>) -> bool {
        let sought = self.value.to_lowercase();
        fields.iter().filter(|(name, _)| *name == self.field_name).any(|(_, value)| {
            let value = value.to_lowercase();
            match self.comparison_type {
                ComparisonType::StartsWith => value.starts_with(&sought),
                ComparisonType::Contains => value.contains(&sought),
                ComparisonType::Exact => value == sought,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn criteria(json: Value) -> Criteria {
        serde_json::from_value(json).unwrap()
    }

    fn named(comparison: &str, value: &str) -> Value {
        json!({ "StringCondition": { "FieldName": "name", "Value": value, "ComparisonType": comparison } })
    }

    #[test]
    fn conditions_nest() {
        let cases = [
            (json!({}), true),
            (named("EXACT", "billing EU"), true),
            (named("EXACT", "billing"), false),
            (named("STARTS_WITH", "BILL"), true),
            (named("CONTAINS", "ing e"), true),
            (named("CONTAINS", "us"), false),
            (json!({ "OrConditions": [named("CONTAINS", "us"), named("CONTAINS", "eu")] }), true),
            (json!({ "OrConditions": [named("CONTAINS", "us")] }), false),
            (json!({ "AndConditions": [named("CONTAINS", "us"), named("CONTAINS", "eu")] }), false),
            (json!({ "AndConditions": [{ "OrConditions": [named("CONTAINS", "eu")] }] }), true),
        ];
        for (index, (condition, expected)) in cases.into_iter().enumerate() {
            let condition = criteria(condition);
            assert_eq!(satisfied(Some(&condition), &[("name", "Billing EU")]), expected, "case {index}");
        }
    }

    #[test]
    fn unknown_fields_are_refused_however_deep() {
        let deep = json!({ "AndConditions": [{ "OrConditions": [named("EXACT", "x")] }] });
        assert!(check_criteria(Some(&criteria(deep.clone())), &["name"], true).is_ok());
        assert!(check_criteria(Some(&criteria(deep)), &["emailAddress"], false).is_err());
        let agent = criteria(json!({ "QueueTypeCondition": "AGENT" }));
        assert!(check_criteria(Some(&agent), &["name"], true).is_err());
    }
}
