//! Response bodies: read in chunks, decompressed by the HTTP client, limited in size, and decoded from JSON.

use std::error::Error as StdError;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use reqwest::Response;
use serde::Deserialize;

use super::allowance::Allowance;
use super::failure::{causes, cut};
use super::redactor::Redactor;
use crate::model::source::{ErrorKind, SourceError, SourceId};

/// The maximum length of a decoder's message for display.
const REASON: usize = 160;

/// A body above this size is large, in bytes.
const LARGE: usize = 256 * 1024;

/// A complete response body.
pub(crate) struct Body {
    pub(super) source: SourceId,
    pub(super) redactor: Arc<Redactor>,
    /// Decompressed.
    pub(crate) bytes: Vec<u8>,
    /// The `Date` header: the server's clock.
    pub(crate) date: Option<Timestamp>,
    /// The rate limit, if the server reports one.
    pub(crate) allowance: Option<Allowance>,
}

impl Body {
    /// The size in bytes, decompressed.
    pub(crate) fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// A hash to recognise an unchanged body.
    pub(crate) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.bytes);
        hasher.finish()
    }

    /// A message from the body, with secrets removed.
    pub(crate) fn words(&self, message: &str) -> String {
        self.redactor.words(message)
    }

    /// Decodes the body as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Garbled`] with a description of the body.
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

/// The reason why a body was not read to its end.
pub(super) enum Stopped {
    /// The decompressed body is larger than the limit.
    TooLarge,
    /// Decompression failed.
    Broken,
    /// The connection failed.
    Lost(reqwest::Error),
}

/// Reads a body in chunks up to a limit.
pub(super) struct BodyReader {
    /// The decompressed bytes so far.
    pub(super) bytes: Vec<u8>,
    /// The rest of the limit, in bytes.
    left: u64,
}

impl BodyReader {
    pub(super) fn new(limit: u64) -> Self {
        Self { bytes: Vec::new(), left: limit }
    }

    /// Reads the next chunk; `false` at the end. After an error, the bytes read so far are still available.
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

    /// Once a body is large, reserves memory for the largest body that may still come. Memory that is not written to costs
    /// nothing, and one block of that size is returned to the system when it is dropped; growing in steps would fragment the
    /// heap.
    fn reserve_rest(&mut self, length: usize) {
        let is_full = self.bytes.len() + length > self.bytes.capacity();
        if is_full && self.bytes.len() > LARGE {
            let most = usize::try_from(self.left).unwrap_or(0).saturating_add(length);
            // if so much memory is not available, the buffer grows in steps
            self.bytes.try_reserve_exact(most).ok();
        }
    }
}

/// The error for a body that cannot be decompressed.
pub(super) fn broken() -> ErrorKind {
    ErrorKind::Garbled { reason: "the compressed answer is corrupt or cut off".into() }
}

/// Whether a decoder failed: reqwest wraps a decoder's I/O error directly, but a connection error has an error of hyper in
/// between.
fn is_of_decoder(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| {
        cause.is::<reqwest::Error>() && cause.source().is_some_and(<dyn StdError>::is::<io::Error>)
    })
}
