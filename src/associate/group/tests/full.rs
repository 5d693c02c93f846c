//! Tests full queues: the room that the queue's list shows, and when the group reads the list again.

use super::*;

/// Another client removes an address from the queue while the group finds out how many fit.
#[test]
fn freed_room_is_used() {
    let group = group(3);
    let mut tested = start(&group, GroupLimits { additional_addresses: 9, max_attempts: 1 });
    reject(&mut tested, Class::Limit);
    list(&mut tested, ["b", "c"]);
    reject(&mut tested, Class::Limit);
    list(&mut tested, ["b"]);
    associate(&mut tested, 0..1);
    associate(&mut tested, 1..3);
    assert_eq!(next_members(&mut tested), None);
}

/// Names may be found after the list was read. Their addresses may be on the queue, and another process may have
/// removed others from it.
#[test]
fn joined_addresses_are_looked_for_before_the_queue_is_full() {
    for (ids, associated_last) in [(&["a0", "a1", "a3", "b"][..], 2..2), (&["a0", "a1", "a3"], 2..3)] {
        let (first, all) = (group(3), group(5));
        let mut tested = start(&first, GroupLimits { additional_addresses: 4, ..LIMITS });
        reject(&mut tested, Class::Limit);
        list(&mut tested, ["a3", "b"]);
        tested.group = &all;
        join(&mut tested.progress, &all, 3..5);
        associate(&mut tested, 0..2);
        let listing = next_listing(&mut tested);
        assert_eq!(tested.list(listing, page(ids)), None);
        if !associated_last.is_empty() {
            associate(&mut tested, associated_last.clone());
        }
        // The list is newer than the new addresses, so the group does not read it again.
        assert_eq!(next_members(&mut tested), None);
        assert_eq!(tested.progress.outcome(AddressIndex::new(3)), Some(&Outcome::AlreadyAssociated));
        let failed: Vec<bool> = failures(tested).iter().map(Option::is_some).collect();
        assert_eq!(failed, [false, false, associated_last.is_empty(), false, true]);
    }
}

/// Addresses join the group after the queue is full. The group makes no call that the API would reject.
#[test]
fn addresses_that_join_a_full_queue_cost_one_list() {
    let (first, all) = (group(2), group(4));
    let mut tested = start(&first, GroupLimits { additional_addresses: 1, ..LIMITS });
    reject(&mut tested, Class::Limit);
    list(&mut tested, ["b"]);
    assert_eq!(next_members(&mut tested), None);
    tested.group = &all;
    join(&mut tested.progress, &all, 2..4);
    list(&mut tested, ["a3"]);
    assert_eq!(next_members(&mut tested), None);
    let failed: Vec<bool> = failures(tested).iter().map(Option::is_some).collect();
    assert_eq!(failed, [true, true, true, false]);
}

/// The group reads the list for a rejected address anyway, so that list also shows the room for the others.
#[test]
fn list_for_an_unconfirmed_address_shows_freed_room() {
    let group = group(4);
    let unconfirmed = || {
        let mut tested = start(&group, GroupLimits { additional_addresses: 3, ..LIMITS });
        reject(&mut tested, Class::Limit);
        list(&mut tested, ["b"]);
        reject(&mut tested, Class::Content);
        reject(&mut tested, Class::Content);
        associate(&mut tested, 1..2);
        associate(&mut tested, 2..3);
        let listing = next_listing(&mut tested);
        (tested, listing)
    };
    let (mut tested, listing) = unconfirmed();
    assert_eq!(tested.list(listing, page(&["a1", "a2"])), None);
    associate(&mut tested, 3..4);
    assert_eq!(next_members(&mut tested), None);

    // If the list cannot be read, the list that was read because of the rejection decides.
    for class in [Class::Unavailable, Class::Denied] {
        let (mut tested, listing) = unconfirmed();
        assert_eq!(tested.not_listed(listing, class), None);
        let (error, retry, message) = failures(tested)[3].clone().unwrap();
        assert_eq!((&*error, retry), ("QueueFull", Retry::Never));
        let start = "queue is full: added 2 of 3 addresses to the 1 that it had (limit 3,";
        assert!(message.starts_with(start), "{message}");
    }
}
