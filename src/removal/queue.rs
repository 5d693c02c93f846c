//! Checks the addresses of one queue against its list, and removes them.

use std::sync::Arc;

use crate::associate::{CHUNK, Group, Narrowing, OnQueue, unavailable, undecided};
use crate::connect::{Class, ListCall, Operation, Pages, QueueCall, Rejection};
use crate::failure::{Failure, Retry};
use crate::index::{AddressIndex, IndexList};

use super::retrier::{CallError, Retrier};
use super::{RemovalState, States};

/// Reads the queue's list, and finds out which addresses are to be removed.
pub(super) async fn check(retrier: &Retrier<'_>, group: &Group, states: &mut States) {
    match list(retrier, group).await {
        Ok(on_queue) => leave_out(&on_queue, group, states),
        Err(error) => fail_planned(states, &list_failure(error)),
    }
}

/// Removes the planned addresses that are still on the queue. `run` identifies the run.
pub(super) async fn remove(retrier: &Retrier<'_>, group: &Group, states: &mut States, run: &Arc<str>) {
    check(retrier, group, states).await;
    let planned: Vec<AddressIndex> = planned(states).collect();
    let mut narrowing = Narrowing::default();
    narrowing.add(planned.chunks(CHUNK).map(|chunk| (chunk.to_vec(), 0)));
    // Addresses that the API rejected alone. They stay planned until the list is read again.
    let mut rejected: Vec<(AddressIndex, Rejection)> = Vec::new();
    while let Some(chunk) = narrowing.next(None, |member| states[member] == RemovalState::Planned) {
        let call = QueueCall {
            instance: group.instance.clone(),
            queue: group.queue.clone(),
            addresses: chunk.members.iter().map(|member| group.addresses[*member].id.clone()).collect(),
            sources: vec![run.clone()],
        };
        let attempt = async || retrier.context.connect.disassociate(&call).await;
        let error = match retrier.call(Operation::Disassociate, chunk.members.len(), attempt).await {
            Ok(()) => {
                narrowing.accepted(&chunk);
                set(states, &chunk.members, &RemovalState::Removed);
                continue;
            }
            Err(error) => error,
        };
        match error {
            CallError::Rejected(failed) if failed.rejection.class.blames_content() => {
                if let Err(alone) = narrowing.rejected(chunk) {
                    rejected.push((alone, failed.rejection));
                }
            }
            // Every other chunk would fail in the same way.
            CallError::NoTime => fail_planned(states, &call_failure(&error)),
            CallError::Rejected(ref failed)
                if matches!(failed.rejection.class, Class::Denied | Class::Credentials) =>
            {
                fail_planned(states, &call_failure(&error));
            }
            CallError::Rejected(_) => {
                set(states, &chunk.members, &RemovalState::Failed(Arc::new(call_failure(&error))));
            }
        }
    }
    confirm(retrier, group, states, rejected).await;
}

/// Decides the addresses that the API rejected alone, by a list that is newer than the rejections.
async fn confirm(
    retrier: &Retrier<'_>,
    group: &Group,
    states: &mut States,
    mut rejected: Vec<(AddressIndex, Rejection)>,
) {
    rejected.retain(|(member, _)| states[*member] == RemovalState::Planned);
    if rejected.is_empty() {
        return;
    }
    let unread = match list(retrier, group).await {
        Ok(on_queue) => {
            leave_out(&on_queue, group, states);
            None
        }
        Err(error) => Some(error),
    };
    for (member, rejection) in rejected {
        if states[member] != RemovalState::Planned {
            continue;
        }
        let failure = match &unread {
            None => rejected_failure(&rejection),
            Some(CallError::Rejected(list)) => undecided(&rejection, list),
            Some(CallError::NoTime) => unavailable(&rejection, true),
        };
        states[member] = RemovalState::Failed(Arc::new(failure));
    }
}

async fn list(retrier: &Retrier<'_>, group: &Group) -> Result<OnQueue, CallError> {
    let mut on_queue = OnQueue::default();
    let mut pages = Pages::default();
    loop {
        let call = ListCall {
            instance: group.instance.clone(),
            queue: group.queue.clone(),
            next_token: pages.next_token().map(str::to_owned),
        };
        let page =
            retrier.call(Operation::List, 0, async || retrier.context.connect.list(&call).await).await?;
        on_queue.add(page.items);
        if pages.add(Operation::List, page.next_token).map_err(CallError::Rejected)? {
            return Ok(on_queue);
        }
    }
}

/// Leaves out planned addresses that are not on the queue, and its default address.
fn leave_out(on_queue: &OnQueue, group: &Group, states: &mut States) {
    for (state, address) in states.iter_mut().zip(&group.addresses) {
        if *state == RemovalState::Planned && !on_queue.has_additional(&address.id) {
            let is_default = on_queue.has(&address.id);
            *state = if is_default { RemovalState::Default } else { RemovalState::NotOnQueue };
        }
    }
}

fn planned(states: &IndexList<AddressIndex, RemovalState>) -> impl Iterator<Item = AddressIndex> {
    states.indexed().filter(|(_, state)| **state == RemovalState::Planned).map(|(member, _)| member)
}

fn set(states: &mut States, members: &[AddressIndex], state: &RemovalState) {
    members.iter().for_each(|member| states[*member] = state.clone());
}

fn fail_planned(states: &mut States, failure: &Failure) {
    let failure = Arc::new(failure.clone());
    for state in states.iter_mut().filter(|state| **state == RemovalState::Planned) {
        *state = RemovalState::Failed(failure.clone());
    }
}

/// The failure of the addresses of a queue whose list cannot be read.
fn list_failure(error: CallError) -> Failure {
    match error {
        CallError::NoTime => {
            Failure::deadline_exceeded("the time limit ended before the queue's list could be read")
        }
        CallError::Rejected(rejected) if rejected.out_of_time => unavailable(&rejected.rejection, true),
        CallError::Rejected(rejected) => {
            let Rejection { class, code, message, .. } = rejected.rejection;
            let message = match class {
                Class::NotFound => format!("{message}; check the queue and the instance"),
                Class::Denied => format!(
                    "{message}; the credentials need connect:ListQueueEmailAddresses on the instance and its queues"
                ),
                _ => format!("the queue's list cannot be read: {message}"),
            };
            Failure::ours(code, message, retry(class))
        }
    }
}

/// The failure of addresses whose removal was not rejected for its content.
fn call_failure(error: &CallError) -> Failure {
    match error {
        CallError::NoTime => {
            Failure::deadline_exceeded("the time limit ended before the address could be removed")
        }
        CallError::Rejected(rejected) if rejected.out_of_time => unavailable(&rejected.rejection, true),
        CallError::Rejected(rejected) => rejected_failure(&rejected.rejection),
    }
}

/// The failure of addresses whose removal the API rejected.
fn rejected_failure(rejection: &Rejection) -> Failure {
    let advice = match rejection.class {
        Class::Denied => {
            "; the credentials need connect:DisassociateQueueEmailAddresses on the instance and its queues"
        }
        _ => "",
    };
    Failure::ours(rejection.code.clone(), format!("{}{advice}", rejection.message), retry(rejection.class))
}

/// Whether the same removal may succeed later.
fn retry(class: Class) -> Retry {
    match class {
        Class::Throttled | Class::Unavailable | Class::Credentials | Class::Limit => Retry::MayPass,
        Class::NotFound | Class::Content | Class::Denied => Retry::Never,
    }
}
