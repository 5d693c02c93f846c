//! Reading directories: page by page, each directory a job for the loop that makes the calls.

use std::sync::Arc;

use crate::calls::group::deadline_exceeded;
use crate::calls::work::Want;
use crate::calls::{Call, Class, Refused, Reply, Then, Work};
use crate::failure::{Failure, Retry};

use super::directory::{Directory, Listed, Which};

/// The reading of several directories.
#[derive(Debug)]
pub(super) struct Reading {
    jobs: Vec<Job>,
}

#[derive(Debug)]
struct Job {
    which: Which,
    next_token: Option<String>,
    directory: Directory,
    end: Option<Result<(), Arc<Failure>>>,
}

impl Reading {
    pub(super) fn new(which: impl IntoIterator<Item = Which>) -> Self {
        let job = |which| Job { which, next_token: None, directory: Directory::default(), end: None };
        Reading { jobs: which.into_iter().map(job).collect() }
    }

    /// Each directory, or why it could not be read.
    pub(super) fn into_directories(
        self,
    ) -> impl Iterator<Item = (Which, Result<Arc<Directory>, Arc<Failure>>)> {
        self.jobs.into_iter().map(|job| {
            let end =
                job.end.unwrap_or_else(|| Err(Arc::new(deadline_exceeded("the directory was not read"))));
            (job.which, end.map(|()| Arc::new(job.directory)))
        })
    }
}

impl Work for Reading {
    fn jobs(&self) -> usize {
        self.jobs.len()
    }

    fn wants(&mut self, job: usize) -> Option<Want> {
        let job = &self.jobs[job];
        job.end.is_none().then(|| Want { operation: job.which.1.operation(), urgency: 0 })
    }

    fn call(&mut self, job: usize) -> Option<Call> {
        let job = &self.jobs[job];
        let (instance, next_token) = (job.which.0.clone(), job.next_token.clone());
        Some(match job.which.1 {
            Listed::Queues => Call::SearchQueues { instance, next_token },
            Listed::EmailAddresses => Call::SearchEmailAddresses { instance, next_token },
        })
    }

    fn record(&mut self, job: usize, answer: Result<Reply, Refused>) -> Then {
        let job = &mut self.jobs[job];
        match answer {
            Ok(Reply::Found(page)) => {
                for entry in page.items {
                    job.directory.add(job.which.1, &entry.name, &entry.id);
                }
                job.next_token = page.next_token;
                if job.next_token.is_none() {
                    job.end = Some(Ok(()));
                }
            }
            Ok(Reply::Associated | Reply::Listed(_)) => {}
            Err(refused) => job.end = Some(Err(Arc::new(unreadable(job.which.1, &refused)))),
        }
        Then::GoOn
    }

    fn expire(&mut self, job: usize, reason: &str) {
        self.jobs[job].end = Some(Err(Arc::new(deadline_exceeded(reason))));
    }
}

/// Why names could not be looked up: the error is the directory's own.
fn unreadable(listed: Listed, refused: &Refused) -> Failure {
    let refusal = &refused.refusal;
    let advice = match (refusal.class, listed) {
        (Class::Denied, Listed::Queues) => {
            "; the function's role needs connect:SearchQueues and connect:DescribeQueue"
        }
        (Class::Denied, Listed::EmailAddresses) => {
            "; the function's role needs connect:SearchEmailAddresses and connect:DescribeEmailAddress"
        }
        _ => "",
    };
    let message =
        format!("names cannot be looked up, {} was refused: {}{advice}", listed.operation(), refusal.message);
    if refused.out_of_time {
        return deadline_exceeded(&message);
    }
    let retry = match refusal.class {
        Class::Throttled | Class::Unavailable | Class::Limit | Class::Credentials => Retry::MayPass,
        Class::NotFound => Retry::FirstDelivery,
        Class::Content | Class::Denied => Retry::Never,
    };
    Failure::ours(refusal.code.clone(), message, retry)
}
