//! Follows a listing from page to page, up to a limit.

use std::collections::HashSet;

use super::operation::Operation;
use super::rejection::RejectedCall;

/// Maximum number of pages of one listing: 50,000 addresses at 100 a page. The largest directory that Connect allows is
/// far smaller.
const MOST: usize = 500;

#[derive(Debug, Default)]
pub(crate) struct Pages {
    read: usize,
    tokens: HashSet<String>,
    next_token: Option<String>,
}

impl Pages {
    /// The start of the next page. The first page has no token.
    pub(crate) fn next_token(&self) -> Option<&str> {
        self.next_token.as_deref()
    }

    /// Records that a page was read. Returns whether it was the last one, or an error if the page refers to an earlier one,
    /// or is the 500th and not the last one.
    pub(crate) fn add(
        &mut self,
        operation: Operation,
        next_token: Option<String>,
    ) -> Result<bool, RejectedCall> {
        self.read += 1;
        self.next_token.clone_from(&next_token);
        let Some(token) = next_token else { return Ok(true) };
        if self.read >= MOST {
            Err(RejectedCall::endless(operation, &format!("more than {MOST} pages")))
        } else if !self.tokens.insert(token) {
            Err(RejectedCall::endless(operation, "the same page token twice"))
        } else {
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(pages: &mut Pages, token: Option<&str>) -> Result<bool, String> {
        let added = pages.add(Operation::SearchQueues, token.map(str::to_owned));
        added.map_err(|rejected| rejected.rejection.message)
    }

    #[test]
    fn repeated_token_ends_the_reading() {
        for tokens in [&["a", "a"][..], &["a", "b", "a"], &["a", "b", "b"]] {
            let mut pages = Pages::default();
            let (last, before) = tokens.split_last().unwrap();
            for token in before {
                assert_eq!(add(&mut pages, Some(token)), Ok(false));
                assert_eq!(pages.next_token(), Some(*token));
            }
            let why = "SearchQueues returned the same page token twice";
            assert_eq!(add(&mut pages, Some(last)), Err(why.to_owned()));
        }
    }

    #[test]
    fn five_hundred_pages_are_read() {
        let mut pages = Pages::default();
        for page in 1..500 {
            assert_eq!(add(&mut pages, Some(&page.to_string())), Ok(false));
        }
        assert_eq!(add(&mut pages, None), Ok(true));
        let mut endless = Pages { read: 499, ..Pages::default() };
        let why = "SearchQueues returned more than 500 pages";
        assert_eq!(add(&mut endless, Some("500")), Err(why.to_owned()));
    }
}
