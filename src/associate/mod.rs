//! Associates pairs in one loop around the API, which looks names up, groups pairs, makes calls and finds the
//! addresses that cause a rejection.
//!
//! ```text
//!            +------------------------------------------------------+
//!            |                      scheduler                       |
//! pairs ---> |  names --found--> plan --chunks--> group --outcomes-> | ---> plan, outcomes
//!            |    ^  \__________________________________/ |         |
//!            |    |            doubtful names             |         |
//!            +----+-------^-------------------------------+---------+
//!                 |       | response                 step |
//!                 |       +------------ run --------------+
//!                 page                   |
//!                                    Amazon Connect
//! ```
//!
//! A *directory* is an instance's list of queues or addresses, which is read page by page to resolve names. A *chunk* is
//! the addresses of one call, at most 50. A *step* is the next call that a state machine needs. A name is *doubtful* if
//! its directory may be outdated.
//!
//! State machines without clocks or sockets decide on the next call: a `group` for each queue, and a reading for each
//! directory of `names`. The `scheduler` has all of them and the `plan`, which grows while names are found. `run` takes
//! a step from the scheduler, makes the call, and returns the step with the response. Only `run` waits. It makes the most
//! urgent call first (`agenda`, `urgency`), takes a turn from the `pace`, checks the `deadline`, and retries a call if
//! that may help.

mod agenda;
mod credentials;
mod deadline;
mod group;
mod instances;
mod names;
mod outcome;
pub mod pace;
mod pause;
mod plan;
mod process_limits;
mod run;
mod scheduler;
mod step;
mod token;
mod urgency;

use tokio::time::Instant;

use crate::index::{GroupIndex, IndexList};

use self::scheduler::Scheduler;

pub(crate) use credentials::Credentials;
pub use deadline::Deadline;
pub(crate) use group::{GroupLimits, Narrowing, unavailable, undecided};
pub(crate) use names::DirectoryCache;
pub use names::Resolutions;
pub(crate) use outcome::{GroupOutcomes, Outcome};
pub use plan::Plan;
pub(crate) use plan::{DistinctPair, Group, Place};
pub use process_limits::ProcessLimits;
pub use run::{CallLimits, Observer};
pub(crate) use run::{Caller, Tally};
pub(crate) use scheduler::SchedulerInput;
pub(crate) use token::client_token;
pub use urgency::CHUNK;

/// Makes all calls that the pairs need. Returns the final plan, the outcomes of its groups, and the number of calls.
pub(crate) async fn associate(
    caller: &Caller<'_>,
    input: SchedulerInput<'_>,
) -> (Plan, IndexList<GroupIndex, GroupOutcomes>, Tally) {
    let mut scheduler = Scheduler::new(input, Instant::now());
    let mut tally = caller.run(&mut scheduler).await;
    // An invocation reads a directory again at most once, so a third run has nothing to do.
    if scheduler.look_up_doubtful(Instant::now()) {
        tally += caller.run(&mut scheduler).await;
    }
    let (plan, by_group) = scheduler.finish();
    (plan, by_group, tally)
}
