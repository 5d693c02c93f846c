//! Reading directories, page by page.

use std::sync::Arc;

use crate::connect::{Class, Directory as Kind, Entry, Operation, Page, Refused, SearchCall};
use crate::failure::{Failure, Retry};

use super::directory::{Directory, Which};

/// The reading of several directories, which are numbered from 0.
#[derive(Debug, Default)]
pub struct Reading {
    directories: Vec<Unfinished>,
}

#[derive(Debug)]
struct Unfinished {
    which: Which,
    next_token: Option<String>,
    directory: Directory,
    end: Option<Result<(), Arc<Failure>>>,
}

impl Reading {
    pub(super) fn new(which: impl IntoIterator<Item = Which>) -> Self {
        let unfinished =
            |which| Unfinished { which, next_token: None, directory: Directory::default(), end: None };
        Reading { directories: which.into_iter().map(unfinished).collect() }
    }

    /// How many directories are read.
    pub fn directories(&self) -> usize {
        self.directories.len()
    }

    /// The operation that reads the next page of a directory, if there is one.
    pub fn next(&self, directory: usize) -> Option<Operation> {
        let Unfinished { which, end, .. } = &self.directories[directory];
        end.is_none().then(|| which.1.operation())
    }

    /// The call that reads the next page of a directory.
    pub fn call(&self, directory: usize) -> SearchCall {
        let Unfinished { which: (instance, kind), next_token, .. } = &self.directories[directory];
        SearchCall { instance: instance.clone(), directory: *kind, next_token: next_token.clone() }
    }

    /// A page of a directory was read.
    pub fn found(&mut self, directory: usize, page: Page<Entry>) {
        let reading = &mut self.directories[directory];
        for entry in page.items {
            reading.directory.add(reading.which.1, &entry.name, &entry.id);
        }
        reading.next_token = page.next_token;
        if reading.next_token.is_none() {
            reading.end = Some(Ok(()));
        }
    }

    /// A directory cannot be read.
    pub fn refused(&mut self, directory: usize, refused: &Refused) {
        let reading = &mut self.directories[directory];
        reading.end = Some(Err(Arc::new(unreadable(reading.which.1, refused))));
    }

    /// There is no time left to read a directory.
    pub fn expire(&mut self, directory: usize, reason: &str) {
        self.directories[directory].end = Some(Err(Arc::new(Failure::deadline_exceeded(reason))));
    }

    /// Each directory, or why it could not be read.
    pub(super) fn into_directories(
        self,
    ) -> impl Iterator<Item = (Which, Result<Arc<Directory>, Arc<Failure>>)> {
        self.directories.into_iter().map(|reading| {
            let unread = || Err(Arc::new(Failure::deadline_exceeded("the directory was not read")));
            (reading.which, reading.end.unwrap_or_else(unread).map(|()| Arc::new(reading.directory)))
        })
    }
}

/// Why names could not be looked up: the error is the directory's own.
fn unreadable(kind: Kind, refused: &Refused) -> Failure {
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
    let message =
        format!("names cannot be looked up, {} was refused: {}{advice}", kind.operation(), refusal.message);
    if refused.out_of_time {
        return Failure::deadline_exceeded_after_refusal(message);
    }
    let retry = match refusal.class {
        Class::Throttled | Class::Unavailable | Class::Limit | Class::Credentials => Retry::MayPass,
        Class::NotFound => Retry::FirstDelivery,
        Class::Content | Class::Denied => Retry::Never,
    };
    Failure::ours(refusal.code.clone(), message, retry)
}
