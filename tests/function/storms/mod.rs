//! With random requests, faults and changes by other clients, no pair is lost, invented or late, every message ends,
//! and every reported reason is true.

mod bounds;
mod change;
mod delivery;
mod history;
mod message;
mod neighbour;
mod report;
mod scene;
mod weather;

use proptest::prelude::*;

use crate::common::on_a_paused_clock;

use self::bounds::count_calls;
use self::delivery::deliver;
use self::neighbour::{compare, neighbour};
use self::report::check_report;
use self::scene::scene;

/// The number of cases of each property: `STORM_CASES`, or a number that is small enough for every test run.
fn config() -> ProptestConfig {
    let cases = std::env::var("STORM_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: cases.unwrap_or(30), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_message_ends_and_every_reason_is_true(scene in scene(true)) {
        on_a_paused_clock(deliver(&scene));
    }

    #[test]
    fn report_adds_up(scene in scene(true)) {
        on_a_paused_clock(check_report(&scene));
    }

    #[test]
    fn calls_keep_to_their_bounds(scene in scene(false)) {
        on_a_paused_clock(count_calls(&scene));
    }

    #[test]
    fn message_never_affects_another_message(
        scene in scene(true),
        neighbour in neighbour(),
        position in 0_usize..14,
    ) {
        on_a_paused_clock(compare(&scene, &neighbour, position));
    }
}
