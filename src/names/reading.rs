//! Reading: reads a directory page by page.

use crate::connect::{Class, Directory as Kind, Entry, Page, Pages, Refused, SearchCall};
use crate::failure::{Failure, Retry};

use super::directory::{Directory, Which};

/// A directory that has not been read to its end.
#[derive(Debug)]
pub(super) struct Reading {
    which: Which,
    pages: Pages,
    directory: Directory,
    /// Names found so far count as found, although a later page may hold the same name again.
    pub(super) goes_ahead: bool,
    /// An earlier invocation began the reading, so its next token may be stale.
    pub(super) continued: bool,
}

impl Reading {
    pub(super) fn new(which: Which) -> Self {
        let directory = Directory::new(which.1);
        Reading { which, pages: Pages::default(), directory, goes_ahead: false, continued: false }
    }

    /// Continues the reading in another invocation. Names found so far go ahead, because a long directory may not end
    /// in one invocation.
    pub(super) fn resumed(self) -> Self {
        Reading { goes_ahead: true, continued: true, ..self }
    }

    pub(super) fn call(&self) -> SearchCall {
        let (instance, directory) = self.which.clone();
        SearchCall { instance, directory, next_token: self.pages.next_token().map(str::to_owned) }
    }

    pub(super) fn is_at_first_page(&self) -> bool {
        self.pages.next_token().is_none()
    }

    /// Adds a page, and returns whether it was the last one.
    pub(super) fn add(&mut self, page: Page<Entry>) -> Result<bool, Refused> {
        self.continued = false;
        for entry in page.items {
            self.directory.add(&entry.name, &entry.id);
        }
        self.pages.turn(self.which.1.operation(), page.next_token)
    }

    /// The entries read so far.
    pub(super) fn so_far(&self) -> &Directory {
        &self.directory
    }

    pub(super) fn into_directory(self) -> Directory {
        self.directory
    }
}

/// Creates the failure of names whose directory cannot be read. It has the error code of the refusal. The API may
/// refuse a later page because of its token, so that refusal is retryable.
pub(super) fn unreadable(kind: Kind, refused: &Refused, is_first_page: bool) -> Failure {
    let refusal = &refused.refusal;
    let advice = match (refusal.class, kind) {
        (Class::Denied, Kind::Queues) => {
            "; the function's role needs connect:SearchQueues and connect:DescribeQueue"
        }
        (Class::Denied, Kind::EmailAddresses) => {
            "; the function's role needs connect:SearchEmailAddresses and connect:DescribeEmailAddress"
        }
        _ => "",
    };
    let message = format!(
        "names cannot be looked up, because {} was refused: {}{advice}",
        kind.operation(),
        refusal.message
    );
    if refused.out_of_time {
        return Failure::deadline_exceeded_after_refusal(message);
    }
    let retry = match refusal.class {
        Class::Throttled | Class::Unavailable | Class::Limit | Class::Credentials => Retry::MayPass,
        Class::NotFound | Class::Content if !is_first_page => Retry::MayPass,
        Class::NotFound => Retry::FirstDelivery,
        Class::Content | Class::Denied => Retry::Never,
    };
    Failure::ours(refusal.code.clone(), message, retry)
}

/// The failure of names in a directory whose pages never end.
pub(super) fn endless(refused: &Refused) -> Failure {
    let refusal = &refused.refusal;
    Failure::ours(
        refusal.code.clone(),
        format!("names cannot be looked up: {}", refusal.message),
        Retry::MayPass,
    )
}
