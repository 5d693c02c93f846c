//! The Amazon Connect API: the calls that the function makes, their responses and the rejections.
//!
//! This module covers one attempt of one call. The module [`associate`](crate::associate) decides when to make a call and
//! whether to retry it.

mod client;
mod operation;
mod pages;
mod rejection;
mod token;

pub use client::Connect;
pub(crate) use operation::QueueCall;
pub use operation::{DirectoryEntry, DirectoryKind, ListCall, ListedAddress, Operation, Page, SearchCall};
pub(crate) use pages::Pages;
pub(crate) use rejection::RejectedCall;
pub use rejection::{Class, Rejection};
