//! Changes that other clients make while the messages of a scene are delivered.

use connect_simulator::{Fixture, InstanceFixture};
use proptest::prelude::*;

use crate::world::INSTANCE;

use super::scene::{ADDRESSES, EXISTING_ADDRESSES, EXISTING_QUEUES, QUEUES, address_name, queue_name};

#[derive(Debug, Clone, Copy)]
pub enum Change {
    Associate(usize, usize),
    Disassociate(usize, usize),
    RemoveAddress(usize),
    /// Recreates the address under another identifier.
    RecreateAddress(usize),
    CreateAddress(usize),
    CreateQueue(usize),
    DeleteQueue(usize),
    /// Creates another queue with the same name.
    AddTwin(usize),
    RemoveTwin(usize),
}

pub fn change() -> impl Strategy<Value = Change> {
    let pair = || (0..EXISTING_QUEUES, 0..EXISTING_ADDRESSES);
    prop_oneof![
        4 => pair().prop_map(|(queue, address)| Change::Associate(queue, address)),
        2 => pair().prop_map(|(queue, address)| Change::Disassociate(queue, address)),
        1 => (0..ADDRESSES).prop_map(Change::RemoveAddress),
        3 => (0..ADDRESSES).prop_map(Change::RecreateAddress),
        1 => (0..ADDRESSES).prop_map(Change::CreateAddress),
        1 => (0..QUEUES).prop_map(Change::CreateQueue),
        1 => (0..QUEUES).prop_map(Change::DeleteQueue),
        1 => (0..EXISTING_QUEUES).prop_map(Change::AddTwin),
        2 => (0..EXISTING_QUEUES).prop_map(Change::RemoveTwin),
    ]
}

impl Change {
    pub fn apply(self, content: &mut Fixture) {
        let instance = content.instance(INSTANCE);
        let id = |address: usize| format!("e{address}");
        let remove = |instance: &mut InstanceFixture, address: usize| {
            for id in [format!("e{address}"), format!("n{address}")] {
                instance.email_addresses.remove(&id);
                for queue in instance.queues.values_mut() {
                    queue.email_address_ids.retain(|other| *other != id);
                    queue.default_email_address_id.take_if(|default| *default == id);
                }
            }
        };
        match self {
            Change::Associate(queue, address) => {
                let exists = instance.email_addresses.contains_key(&id(address));
                if let (true, Some(queue)) = (exists, instance.queues.get_mut(&format!("q{queue}"))) {
                    let has_room = queue.email_address_ids.len() < queue.limit.unwrap_or(49);
                    let is_default = queue.default_email_address_id.as_deref() == Some(&*id(address));
                    if has_room && !is_default && !queue.email_address_ids.contains(&id(address)) {
                        queue.email_address_ids.push(id(address));
                    }
                }
            }
            Change::Disassociate(queue, address) => {
                if let Some(queue) = instance.queues.get_mut(&format!("q{queue}")) {
                    queue.email_address_ids.retain(|other| *other != id(address));
                }
            }
            Change::RemoveAddress(address) => remove(instance, address),
            Change::RecreateAddress(address) => {
                remove(instance, address);
                instance.email_addresses.insert(format!("n{address}"), address_name(address));
            }
            Change::CreateAddress(address) => {
                if !instance.email_addresses.contains_key(&format!("n{address}")) {
                    instance.email_addresses.insert(id(address), address_name(address));
                }
            }
            Change::CreateQueue(queue) => instance.queue(&format!("q{queue}")).name = Some(queue_name(queue)),
            Change::DeleteQueue(queue) => drop(instance.queues.remove(&format!("q{queue}"))),
            Change::AddTwin(queue) => instance.queue(&format!("t{queue}")).name = Some(queue_name(queue)),
            Change::RemoveTwin(queue) => drop(instance.queues.remove(&format!("t{queue}"))),
        }
    }
}
