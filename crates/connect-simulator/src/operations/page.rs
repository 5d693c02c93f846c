//! Splits a list into pages, and reads and writes their tokens.

use serde_json::{Map, Value, json};

use super::check;
use crate::error::ApiError;

/// The page that a call requests.
pub(super) struct Page {
    from: usize,
    length: usize,
}

/// Prefix of each token, so that a client notices that it must not rely on a number.
const TOKEN_PREFIX: &str = "after-";

impl Page {
    /// Reads the requested page. Fails if the length is outside 1 to `longest`, or if the token does not have the form of
    /// the simulator's tokens.
    pub(super) fn new(
        token: Option<&str>,
        max_results: Option<i64>,
        longest: usize,
        default: usize,
    ) -> Result<Self, ApiError> {
        let length = match max_results {
            None => default,
            Some(requested) => check::max_results(requested, longest)?,
        };
        let from = match token {
            None => 0,
            Some(token) => token
                .strip_prefix(TOKEN_PREFIX)
                .and_then(|from| from.parse().ok())
                .ok_or_else(|| ApiError::invalid_parameter("NextToken is not from an earlier response"))?,
        };
        Ok(Self { from, length })
    }

    /// Returns the body of the response: under `member` the page of `items`, each written by `write`, and a token if
    /// there are more items. Writes only the items of this page, because otherwise each page would write the whole
    /// directory.
    pub(super) fn of<T>(&self, member: &str, items: &[T], write: impl Fn(&T) -> Value) -> Map<String, Value> {
        let total = items.len();
        let page: Vec<Value> = items.iter().skip(self.from).take(self.length).map(write).collect();
        let end = self.from.saturating_add(page.len());
        let mut body = Map::new();
        body.insert(member.to_owned(), Value::Array(page));
        if end < total {
            body.insert("NextToken".to_owned(), json!(format!("{TOKEN_PREFIX}{end}")));
        }
        body
    }
}
