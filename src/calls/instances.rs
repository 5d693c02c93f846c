//! Instances: whether the instance of a group exists at all.
//!
//! With a wrong `instanceId` every queue is missing, and each queue would cost two calls. So when the API did not find
//! two groups of an instance and found none, one SearchQueues call checks the instance. That call names nothing but the
//! instance.

use std::collections::{HashMap, VecDeque};

use crate::connect::{Class, Directory, Refusal, SearchCall};
use crate::failure::{Blame, Failure, Retry};
use crate::requests::InstanceId;

use super::group::QueueVerdict;

/// Number of groups that the API must not find before the instance is in doubt.
const NOT_FOUND_TO_DOUBT: u32 = 2;

/// The state of each instance.
#[derive(Debug, Default)]
pub(super) struct Instances {
    known: HashMap<InstanceId, Instance>,
    to_check: VecDeque<InstanceId>,
}

#[derive(Debug)]
enum Instance {
    /// The API found none of the instance's queues so far. The number counts the queues that it did not find.
    NotFound(u32),
    /// A SearchQueues call checks whether the instance exists.
    Checking,
    /// The instance exists, or the check failed. Every group of the instance is called.
    Called,
    /// SearchQueues did not find the instance either.
    Missing(Failure),
}

impl Instances {
    /// Notes whether the API found a queue. `has_uncalled` tells whether the instance has groups without a
    /// call so far.
    pub(super) fn note(
        &mut self,
        instance: &InstanceId,
        verdict: QueueVerdict,
        has_uncalled: impl FnOnce() -> bool,
    ) {
        let known = self.known.entry(instance.clone()).or_insert(Instance::NotFound(0));
        match (&mut *known, verdict) {
            (_, QueueVerdict::Found) => *known = Instance::Called,
            (Instance::NotFound(count), QueueVerdict::NotFound) => {
                *count += 1;
                if *count >= NOT_FOUND_TO_DOUBT && has_uncalled() {
                    *known = Instance::Checking;
                    self.to_check.push_back(instance.clone());
                }
            }
            (Instance::Checking | Instance::Called | Instance::Missing(_), QueueVerdict::NotFound) => {}
        }
    }

    /// The next call that checks whether an instance exists.
    pub(super) fn next_check(&mut self) -> Option<SearchCall> {
        let instance = self.to_check.pop_front()?;
        Some(SearchCall { instance, directory: Directory::Queues, next_token: None })
    }

    /// Notes the end of the check. `refusal` is `None` if the instance exists or if there was no time for the call.
    pub(super) fn answered(&mut self, call: &SearchCall, refusal: Option<&Refusal>) {
        let Some(known @ Instance::Checking) = self.known.get_mut(&call.instance) else { return };
        *known = match refusal {
            Some(refusal) if refusal.class == Class::NotFound => Instance::Missing(missing(refusal)),
            _ => Instance::Called,
        };
    }

    /// The failure of every group of an instance that does not exist.
    pub(super) fn missing(&self, instance: &InstanceId) -> Option<&Failure> {
        match self.known.get(instance)? {
            Instance::Missing(failure) => Some(failure),
            Instance::NotFound(_) | Instance::Checking | Instance::Called => None,
        }
    }
}

fn missing(refusal: &Refusal) -> Failure {
    let message = format!("{}; check the instanceId: SearchQueues does not find it either", refusal.message);
    // The API may not find a new instance yet.
    Failure { blame: Blame::Queue, ..Failure::ours(refusal.code.clone(), message, Retry::FirstDelivery) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(class: Class) -> Refusal {
        Refusal { class, code: "E".to_owned(), message: "no".to_owned(), retry_after: None }
    }

    /// An instance with so many groups that the API did not find.
    fn not_found(groups: u32, has_uncalled: bool) -> (Instances, InstanceId) {
        let (mut instances, instance) = (Instances::default(), InstanceId::from("i"));
        (0..groups).for_each(|_| instances.note(&instance, QueueVerdict::NotFound, || has_uncalled));
        (instances, instance)
    }

    #[test]
    fn two_missing_queues_check_the_instance_once() {
        assert_eq!(not_found(1, true).0.next_check(), None);
        let (mut instances, instance) = not_found(5, true);
        let call = instances.next_check().unwrap();
        assert_eq!((&call.instance, call.directory, &call.next_token), (&instance, Directory::Queues, &None));
        assert_eq!(instances.next_check(), None);
        assert_eq!(not_found(2, false).0.next_check(), None, "nothing is left that the answer would spare");
    }

    #[test]
    fn instance_with_a_queue_is_never_checked() {
        let (mut instances, instance) = not_found(1, true);
        instances.note(&instance, QueueVerdict::Found, || true);
        instances.note(&instance, QueueVerdict::NotFound, || true);
        assert_eq!(instances.next_check(), None);
    }

    #[test]
    fn only_a_not_found_instance_is_missing() {
        for (answer, is_missing) in [
            (None, false),
            (Some(Class::NotFound), true),
            (Some(Class::Content), false),
            (Some(Class::Denied), false),
            (Some(Class::Unavailable), false),
        ] {
            let (mut instances, instance) = not_found(2, true);
            let call = instances.next_check().unwrap();
            instances.answered(&call, answer.map(refusal).as_ref());
            let retry = instances.missing(&instance).map(|failure| failure.retry);
            assert_eq!(retry, is_missing.then_some(Retry::FirstDelivery), "{answer:?}");
        }
    }

    #[test]
    fn found_queue_proves_the_instance() {
        let (mut instances, instance) = not_found(2, true);
        let call = instances.next_check().unwrap();
        instances.note(&instance, QueueVerdict::Found, || true);
        instances.answered(&call, Some(&refusal(Class::NotFound)));
        assert_eq!(instances.missing(&instance), None);
    }
}
