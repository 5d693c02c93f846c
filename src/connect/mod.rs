//! The Amazon Connect API: the calls that the function makes, their replies, and why a call is refused.
//!
//! Everything here is about one attempt of one call. When a call is made, and whether it is made again, is decided in
//! [`calls`](crate::calls).

mod client;
mod operation;
mod pages;
mod refusal;

pub use client::Connect;
pub use operation::{AssociateCall, Directory, Entry, ListCall, ListedAddress, Operation, Page, SearchCall};
pub use pages::Pages;
pub use refusal::{Class, Refusal, Refused};
