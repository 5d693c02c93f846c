//! Full queues: the room that the queue's list shows, and when the group reads the list again.

use super::*;

/// Another process takes the room that the list showed, with some of the same addresses.
#[test]
fn full_queue_counts_addresses_of_another_process() {
    let group = group(4);
    let mut progress = begin(&group, GroupLimits { additional_addresses: 4, max_attempts: 1 });
    refuse(&mut progress, Class::Limit);
    list(&mut progress, &group, ["b", "c"]);
    refuse(&mut progress, Class::Limit);
    refuse(&mut progress, Class::Limit);
    list(&mut progress, &group, ["a1", "a3", "b", "c"]);
    assert_eq!(next_members(&mut progress), None);
    let failures = failures(progress);
    let full = failures[0].clone().unwrap();
    assert_eq!((&*full.0, full.1), ("QueueFull", Retry::Never));
    assert!(
        full.2
            .starts_with("the queue held 4 of 4 addresses beside its default one: 0 were added and 2 do not")
    );
    assert_eq!([&failures[1], &failures[2], &failures[3]], [&None, &Some(full), &None]);
}

/// Somebody removes an address from the queue while the group finds out how many fit.
#[test]
fn freed_room_is_used() {
    let group = group(3);
    let mut progress = begin(&group, GroupLimits { additional_addresses: 9, max_attempts: 1 });
    refuse(&mut progress, Class::Limit);
    list(&mut progress, &group, ["b", "c"]);
    refuse(&mut progress, Class::Limit);
    list(&mut progress, &group, ["b"]);
    associate(&mut progress, 0..1);
    associate(&mut progress, 1..3);
    assert_eq!(next_members(&mut progress), None);
}

/// Names may be found after the list was read. The addresses behind them may be on the queue, and somebody may have
/// removed others from it.
#[test]
fn joined_addresses_are_looked_for_before_the_queue_is_full() {
    for (ids, associated_last) in [(&["a0", "a1", "a3", "b"][..], 2..2), (&["a0", "a1", "a3"], 2..3)] {
        let (first, all) = (group(3), group(5));
        let mut progress = begin(&first, GroupLimits { additional_addresses: 4, ..LIMITS });
        refuse(&mut progress, Class::Limit);
        list(&mut progress, &first, ["a3", "b"]);
        progress.grow(&all);
        progress.join(&[PlannedChunk { addresses: (3..5).map(AddressIndex::new).collect(), urgency: 1 }]);
        associate(&mut progress, 0..2);
        let listing = next_listing(&mut progress);
        assert_eq!(progress.listed(listing, page(ids), &all, all_exist), None);
        if !associated_last.is_empty() {
            associate(&mut progress, associated_last.clone());
        }
        // The list is newer than the new addresses, so the group does not read it again.
        assert_eq!(next_members(&mut progress), None);
        assert_eq!(progress.outcomes[AddressIndex::new(3)], Some(Outcome::AlreadyAssociated));
        let failed: Vec<bool> = failures(progress).iter().map(Option::is_some).collect();
        assert_eq!(failed, [false, false, associated_last.is_empty(), false, true]);
    }
}

/// Addresses join the group after the queue is full. The group does not call the API only to be refused.
#[test]
fn addresses_that_join_a_full_queue_cost_one_list() {
    let (first, all) = (group(2), group(4));
    let mut progress = begin(&first, GroupLimits { additional_addresses: 1, ..LIMITS });
    refuse(&mut progress, Class::Limit);
    list(&mut progress, &first, ["b"]);
    assert_eq!(next_members(&mut progress), None);
    progress.grow(&all);
    progress.join(&[PlannedChunk { addresses: (2..4).map(AddressIndex::new).collect(), urgency: 1 }]);
    list(&mut progress, &all, ["a3"]);
    assert_eq!(next_members(&mut progress), None);
    let failed: Vec<bool> = failures(progress).iter().map(Option::is_some).collect();
    assert_eq!(failed, [true, true, true, false]);
}

/// The group has to read the list for a refused address anyway, so that list also shows the room for the others.
#[test]
fn list_for_an_unconfirmed_address_shows_freed_room() {
    let group = group(4);
    let unconfirmed = || {
        let mut progress = begin(&group, GroupLimits { additional_addresses: 3, ..LIMITS });
        refuse(&mut progress, Class::Limit);
        list(&mut progress, &group, ["b"]);
        refuse(&mut progress, Class::Content);
        refuse(&mut progress, Class::Content);
        associate(&mut progress, 1..2);
        associate(&mut progress, 2..3);
        let listing = next_listing(&mut progress);
        (progress, listing)
    };
    let (mut progress, listing) = unconfirmed();
    assert_eq!(progress.listed(listing, page(&["a1", "a2"]), &group, all_exist), None);
    associate(&mut progress, 3..4);
    assert_eq!(next_members(&mut progress), None);

    // If the list cannot be read, the one that was read because of the refusal decides.
    for class in [Class::Unavailable, Class::Denied] {
        let (mut progress, listing) = unconfirmed();
        assert_eq!(progress.not_listed(listing, &refused(class)), None);
        let (error, retry, message) = failures(progress)[3].clone().unwrap();
        assert_eq!((&*error, retry), ("QueueFull", Retry::Never));
        let start = "the queue held 1 of 3 addresses beside its default one: 2 were added and 1 do not fit";
        assert!(message.starts_with(start), "{message}");
    }
}

/// The group reads the list at the first refusal for lack of room, which may come after it has added addresses.
#[test]
fn addresses_added_by_the_group_are_not_counted_as_held() {
    let group = group(3);
    let mut progress = begin(&group, GroupLimits { additional_addresses: 3, ..LIMITS });
    refuse(&mut progress, Class::Content);
    list(&mut progress, &group, ["b", "c"]);
    associate(&mut progress, 0..1);
    refuse(&mut progress, Class::Limit);
    list(&mut progress, &group, ["a0", "b", "c"]);
    assert_eq!(next_members(&mut progress), None);
    let (_, _, message) = failures(progress)[2].clone().unwrap();
    let start = "the queue held 2 of 3 addresses beside its default one: 1 were added and 2 do not fit";
    assert!(message.starts_with(start), "{message}");
}
