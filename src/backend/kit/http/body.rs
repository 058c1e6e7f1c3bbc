//! Bodies of answers: read chunk by chunk as the client inflates them, limited, and decoded from JSON.

use std::error::Error as StdError;
use std::hash::Hasher;
use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use reqwest::Response;
use serde::Deserialize;

use super::allowance::Allowance;
use super::redactor::Redactor;
use super::trouble::{causes, cut};
use crate::model::source::{ErrorKind, SourceError, SourceId};

/// Longest part of a decoder's message that is shown.
const REASON: usize = 160;

/// From this size on a body is large, in bytes.
const LARGE: usize = 256 * 1024;

/// A whole answer.
pub(crate) struct Body {
    source: SourceId,
    redactor: Arc<Redactor>,
    /// Inflated.
    pub(crate) bytes: Vec<u8>,
    /// The server's clock (`Date`).
    pub(crate) date: Option<Timestamp>,
    /// How many more requests it will take, if it says so.
    pub(crate) allowance: Option<Allowance>,
}

impl Body {
    pub(super) fn new(
        source: SourceId,
        redactor: Arc<Redactor>,
        bytes: Vec<u8>,
        date: Option<Timestamp>,
        allowance: Option<Allowance>,
    ) -> Self {
        Self { source, redactor, bytes, date, allowance }
    }

    /// Bytes, inflated.
    pub(crate) fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Recognises the same bytes next time.
    pub(crate) fn digest(&self) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        hasher.write(&self.bytes);
        hasher.finish()
    }

    /// A message in it, without what it was asked with.
    pub(crate) fn words(&self, message: &str) -> String {
        self.redactor.words(message)
    }

    /// The JSON in it.
    ///
    /// # Errors
    /// [`ErrorKind::Garbled`] with what was found in its place.
    pub(crate) fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, SourceError> {
        serde_json::from_slice(&self.bytes).map_err(|error| {
            let first = self.bytes.iter().find(|byte| !byte.is_ascii_whitespace());
            let reason = match first {
                None => "an empty answer where JSON is expected".to_owned(),
                Some(b'<') => "HTML where JSON is expected".to_owned(),
                Some(_) if error.is_eof() => format!("JSON cut off after {} bytes", self.bytes.len()),
                Some(_) => cut(&self.words(&error.to_string()), REASON),
            };
            SourceError::new(self.source.clone(), ErrorKind::Garbled { reason })
        })
    }
}

/// The comment: why a body is not whole.
pub(super) enum Stopped {
    /// The limit is reached, inflated.
    TooLarge,
    /// What should be gzip is not.
    Broken,
    /// The rest did not come.
    Lost(reqwest::Error),
}

/// A body on its way in.
pub(super) struct BodyReader {
    /// What came so far, inflated.
    pub(super) bytes: Vec<u8>,
    left: u64,
}

impl BodyReader {
    pub(super) fn new(limit: u64) -> Self {
        Self { bytes: Vec::new(), left: limit }
    }

    /// Reads the next chunk; `false` where there is none. After an error what came before is still there.
    pub(super) async fn take(&mut self, response: &mut Response) -> Result<bool, Stopped> {
        let chunk = response
            .chunk()
            .await
            .map_err(|error| if is_of_decoder(&error) { Stopped::Broken } else { Stopped::Lost(error) })?;
        let Some(chunk) = chunk else { return Ok(false) };
        self.left = self.left.checked_sub(chunk.len() as u64).ok_or(Stopped::TooLarge)?;
        self.reserve_rest(chunk.len());
        self.bytes.extend_from_slice(&chunk);
        Ok(true)
    }

    pub(super) async fn take_all(&mut self, response: &mut Response) -> Result<(), Stopped> {
        while self.take(response).await? {}
        Ok(())
    }

    /// Asks for room for all that may still come once a body turns out to be large. What is not written to costs nothing,
    /// and a piece of that size goes back to the system when it is dropped; one that grows by and by leaves holes behind, of
    /// which the next body may fill none.
    fn reserve_rest(&mut self, length: usize) {
        let is_full = self.bytes.len() + length > self.bytes.capacity();
        if is_full && self.bytes.len() > LARGE {
            let most = usize::try_from(self.left).unwrap_or(0).saturating_add(length);
            // where that much is not to be had, it grows by and by
            self.bytes.try_reserve_exact(most).ok();
        }
    }
}

/// What a body comes to that should be gzip and is not.
pub(super) fn broken() -> ErrorKind {
    ErrorKind::Garbled { reason: "its compression is broken or cut off".into() }
}

/// The client wraps the decoder's errors itself; those of a connection have the HTTP library's in between.
fn is_of_decoder(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| {
        cause.is::<reqwest::Error>() && cause.source().is_some_and(<dyn StdError>::is::<io::Error>)
    })
}
