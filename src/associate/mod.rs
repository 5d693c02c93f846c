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
//! State machines without clocks or sockets decide on the next call: a `group` for each queue, and the state of each
//! directory of `names`. The `scheduler` has all of them and the `plan`, which grows while names are found. `run` takes
//! a step from the scheduler, makes the call, and hands the step back with the response. Only `run` waits. It makes the
//! calls of small requests first (`agenda`, `order`), takes a slot from the `pace`, and retries a call if that may help
//! before the `deadline` (`calls`).

mod agenda;
mod calls;
mod deadline;
mod group;
mod instances;
mod names;
mod order;
mod outcome;
pub mod pace;
mod plan;
mod process_limits;
mod run;
mod scheduler;
mod step;

use tokio::time::Instant;

use self::run::CallLoop;
use self::scheduler::Scheduler;

pub(crate) use calls::{CallContext, CallCounts, CallRecord, RetryState};
pub use calls::{CallLimits, Observer};
pub(crate) use deadline::Deadline;
pub(crate) use group::{GroupLimits, Narrowing, OnQueue, unavailable, undecided};
pub(crate) use names::DirectoryCache;
pub use order::CHUNK;
pub(crate) use outcome::{Outcome, Outcomes};
pub use plan::Plan;
pub(crate) use plan::{DistinctPair, Group};
pub(crate) use process_limits::ProcessLimits;
pub(crate) use scheduler::SchedulerInput;

/// Makes all calls that the pairs need. Returns the final plan, the outcomes of the pairs, and the number of calls.
pub(crate) async fn associate(
    context: &CallContext<'_>,
    input: SchedulerInput<'_>,
) -> (Plan, Outcomes, CallCounts) {
    let mut calls = CallLoop::new(context, Scheduler::new(input, Instant::now()));
    calls.run().await;
    // An invocation reads a directory again at most once, so a third run has nothing to do.
    if calls.scheduler.look_up_doubtful(Instant::now()) {
        calls.run().await;
    }
    let counts = calls.record.counts;
    let (plan, outcomes) = calls.scheduler.finish();
    (plan, outcomes, counts)
}
