//! The systems that burnwatch asks, one module for each kind: wire types, client, mapping to the model's words.
//!
//! The only room with a socket. Everything textual that comes in passes `model::text` here.
#![warn(missing_docs)]

pub mod alertmanager;
#[cfg(test)]
pub(crate) mod double;
pub(crate) mod http;

use std::future::Future;
use std::pin::Pin;

use crate::model::ask::{Answered, Ask};
use crate::model::source::SourceInfo;

/// An answer on its way; dropping it gives the question up.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Answered> + Send + 'a>>;

/// A system that can be asked.
pub trait Source: Send + Sync {
    /// Name, kind, address and the questions it can be asked.
    fn info(&self) -> &SourceInfo;

    /// Puts the question. `known` is the digest of the answer that the asker has: if the answer is still the same, the
    /// source may say so instead. Safe to drop half-way; time-outs, retries and caps are the caller's.
    fn answer<'a>(&'a self, ask: &'a Ask, known: Option<u64>) -> Answering<'a>;
}
