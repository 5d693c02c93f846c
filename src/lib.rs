//! Associates email addresses with Amazon Connect queues in bulk, from events.
//!
//! # Layout
//!
//! One invocation passes through the modules below in this order. The module [`invocation`] calls them. A *source* is one
//! message, event or item of the payload. A *listed* message stands in `batchItemFailures`, so that SQS redelivers it.
//!
//! | module | from | to |
//! | --- | --- | --- |
//! | [`payload`] | bytes | an envelope and its sources |
//! | [`requests`] | the body of a source | requests, their entries, and their invalid parts |
//! | [`pairs`] | requests | distinct pairs, and the sources that ask for each |
//! | [`names`] | names of queues and addresses | their identifiers; calls for other pairs do not wait for them |
//! | [`plan`] | pairs | groups per queue, cut into chunks of at most 50 |
//! | [`calls`] | the plan | calls to Connect: order, pace, retries, deadline, and finding the addresses at fault |
//! | [`outcomes`] | the answers of the API | the outcome of each pair |
//! | [`settle`] | the outcomes of failed pairs, and the invalid parts | what becomes of each source: done, sent on, or redelivered |
//! | [`answer`] | the finished run | `batchItemFailures`, the report, or an error |
//!
//! These modules stand beside the pipeline: [`settings`] (the environment), [`sdk`] (the AWS clients), [`connect`] (the
//! API of Amazon Connect), [`sqs`] (requests to SQS for [`settle`]), [`deferred`] (a client
//! made when it is needed), [`lambda`] (the runtime), [`log`], [`failure`] (why a pair was not associated), [`writer`]
//! (requests as JSON), [`clock`] and [`index`] (positions in lists).

pub mod answer;
pub mod calls;
pub mod clock;
pub mod connect;
pub mod deferred;
pub mod failure;
pub mod index;
pub mod invocation;
pub mod lambda;
pub mod log;
pub mod names;
pub mod outcomes;
pub mod pairs;
pub mod payload;
pub mod plan;
pub mod requests;
pub mod sdk;
pub mod settings;
pub mod settle;
pub mod sqs;
pub mod writer;
