//! Associates email addresses with Amazon Connect queues in bulk, from events.
//!
//! # Layout
//!
//! One invocation passes through the modules below in this order. The module [`invocation`] calls them. A *source* is one
//! unit of the input: an SQS or SNS record, an EventBridge event, a Distributed Map batch, or a direct request.
//!
//! | module | from | to |
//! | --- | --- | --- |
//! | [`payload`] | bytes | an envelope and its sources |
//! | [`requests`] | the body of a source | requests, their entries, and their invalid parts |
//! | [`pairs`] | requests | distinct pairs, and the sources that request each |
//! | [`associate`] | pairs | groups per queue, and the outcome of each pair: one loop around the API looks names up, makes the calls and narrows failures |
//! | [`settle`] | the outcomes of failed pairs, and the invalid parts | what happens to each source: it is done, its failures are sent on, or it is redelivered |
//! | [`answer`] | the finished run | `batchItemFailures`, the report, or an error |
//!
//! These modules are outside this sequence:
//!
//! | module | content |
//! | --- | --- |
//! | [`settings`] | the configuration from the environment |
//! | [`lambda`], [`log`] | the Lambda runtime; the log and the metrics |
//! | [`sdk`], [`connect`], `sqs` | the AWS clients, the API of Amazon Connect, and requests to SQS |
//! | [`failure`] | why a pair was not associated |
//! | [`writer`] | requests as JSON |
//! | [`removal`] | removes pairs for the command-line tool; the function never calls it |
//! | [`clock`], [`index`], `backoff` | reading the clock; typed indices into lists; waits between attempts |
//!
//! The binary uses [`invocation`], [`lambda`], [`log`], [`sdk`] and [`settings`]. The other public modules are for the
//! crates of this workspace, mainly the command-line tool and the file function, and have no stability guarantee.

pub mod answer;
pub mod associate;
mod backoff;
pub mod clock;
pub mod connect;
pub mod failure;
pub mod index;
pub mod invocation;
pub mod lambda;
pub mod log;
pub mod pairs;
pub mod payload;
pub mod removal;
pub mod requests;
pub mod sdk;
pub mod settings;
pub mod settle;
mod sqs;
pub mod writer;
