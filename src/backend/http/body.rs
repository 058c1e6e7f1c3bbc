//! Bodies of answers: read chunk by chunk, inflated, limited, and decoded from JSON.

use std::hash::Hasher;
use std::io::Write;
use std::sync::Arc;

use flate2::write::MultiGzDecoder;
use jiff::Timestamp;
use serde::Deserialize;

use super::allowance::Allowance;
use super::mask::Mask;
use crate::model::source::{SourceError, SourceId, Trouble};
use crate::model::text;

/// Longest part of a decoder's message that is shown.
const REASON: usize = 160;

/// From this size on a body is large, in bytes.
const LARGE: usize = 256 * 1024;

/// A whole answer.
pub(crate) struct Body {
    source: SourceId,
    mask: Arc<Mask>,
    /// Inflated.
    pub(crate) bytes: Vec<u8>,
    /// As many as came over the wire.
    pub(crate) wire_bytes: u64,
    /// The server's clock (`Date`).
    pub(crate) date: Option<Timestamp>,
    /// How many more requests it will take, if it says so.
    pub(crate) allowance: Option<Allowance>,
}

impl Body {
    pub(super) fn new(
        source: SourceId,
        mask: Arc<Mask>,
        bytes: Vec<u8>,
        wire_bytes: u64,
        date: Option<Timestamp>,
        allowance: Option<Allowance>,
    ) -> Self {
        Self { source, mask, bytes, wire_bytes, date, allowance }
    }

    /// Recognises the same bytes next time.
    pub(crate) fn digest(&self) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        hasher.write(&self.bytes);
        hasher.finish()
    }

    /// A message in it, without what it was asked with.
    pub(crate) fn words(&self, message: &str) -> String {
        self.mask.words(message)
    }

    /// The JSON in it.
    ///
    /// # Errors
    /// [`Trouble::Garbled`] with what was found in its place.
    pub(crate) fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, SourceError> {
        serde_json::from_slice(&self.bytes).map_err(|error| {
            let first = self.bytes.iter().find(|byte| !byte.is_ascii_whitespace());
            let reason = match first {
                None => "an empty answer where JSON is expected".to_owned(),
                Some(b'<') => "HTML where JSON is expected".to_owned(),
                Some(_) if error.is_eof() => format!("JSON cut off after {} bytes", self.bytes.len()),
                Some(_) => cut(&self.words(&error.to_string()), REASON),
            };
            SourceError::new(self.source.clone(), Trouble::Garbled { reason })
        })
    }
}

/// A foreign text as one short, safe line.
pub(super) fn cut(message: &str, at_most: usize) -> String {
    let safe = text::clean(message);
    let line = safe.trim();
    let mut end = line.len().min(at_most);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    match line.get(..end) {
        Some(kept) if kept.len() < line.len() => format!("{kept}…"),
        _ => line.to_owned(),
    }
}

/// Why no more is taken.
pub(super) enum Stopped {
    /// The limit is reached, on the wire or inflated.
    TooLarge,
    /// What should be gzip is not.
    Broken,
}

/// Where the chunks go.
pub(super) struct Inflow {
    sink: Sink,
    wire_bytes: u64,
    stopped: Option<Stopped>,
}

enum Sink {
    Plain(Limited),
    Gzip(Box<MultiGzDecoder<Limited>>),
}

impl Inflow {
    pub(super) fn new(is_gzip: bool, limit: u64) -> Self {
        let limited = Limited { bytes: Vec::new(), left: limit, is_over: false };
        let sink =
            if is_gzip { Sink::Gzip(Box::new(MultiGzDecoder::new(limited))) } else { Sink::Plain(limited) };
        Self { sink, wire_bytes: 0, stopped: None }
    }

    /// Takes one more chunk; after an error the rest need not be read.
    pub(super) fn take(&mut self, chunk: &[u8]) -> Result<(), ()> {
        self.wire_bytes += chunk.len() as u64;
        let written = match &mut self.sink {
            Sink::Plain(limited) => limited.write_all(chunk),
            Sink::Gzip(decoder) => decoder.write_all(chunk),
        };
        if written.is_err() {
            self.stopped = Some(self.why());
            return Err(());
        }
        Ok(())
    }

    /// Bytes so far, inflated.
    pub(super) fn length(&self) -> u64 {
        self.limited().bytes.len() as u64
    }

    fn limited(&self) -> &Limited {
        match &self.sink {
            Sink::Plain(limited) => limited,
            Sink::Gzip(decoder) => decoder.get_ref(),
        }
    }

    fn why(&self) -> Stopped {
        if self.limited().is_over { Stopped::TooLarge } else { Stopped::Broken }
    }

    /// All bytes, and how many came over the wire.
    pub(super) fn finish(mut self) -> Result<(Vec<u8>, u64), Stopped> {
        if let Sink::Gzip(decoder) = &mut self.sink
            && self.stopped.is_none()
            && decoder.try_finish().is_err()
        {
            self.stopped = Some(self.why());
        }
        match self.stopped.take() {
            Some(stopped) => Err(stopped),
            None => Ok(self.so_far()),
        }
    }

    /// What there is, whole or not.
    pub(super) fn so_far(self) -> (Vec<u8>, u64) {
        let bytes = match self.sink {
            Sink::Plain(limited) => limited.bytes,
            Sink::Gzip(mut decoder) => {
                // brings out what is still held back; a part is better than nothing here
                drop(decoder.try_finish());
                std::mem::take(&mut decoder.get_mut().bytes)
            }
        };
        (bytes, self.wire_bytes)
    }
}

/// A buffer that refuses what goes beyond its limit.
struct Limited {
    bytes: Vec<u8>,
    left: u64,
    is_over: bool,
}

impl Limited {
    /// Asks for room for all that may still come once a body turns out to be large. What is not written to costs nothing,
    /// and a piece of that size goes back to the system when it is dropped; one that grows by and by leaves holes behind, of
    /// which the next body may fill none.
    fn make_room(&mut self, length: usize) {
        let is_full = self.bytes.len() + length > self.bytes.capacity();
        if is_full && self.bytes.len() > LARGE {
            let most = usize::try_from(self.left).unwrap_or(0).saturating_add(length);
            // where that much is not to be had, it grows by and by
            self.bytes.try_reserve_exact(most).ok();
        }
    }
}

impl Write for Limited {
    fn write(&mut self, chunk: &[u8]) -> std::io::Result<usize> {
        let length = chunk.len() as u64;
        if length > self.left {
            self.is_over = true;
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.left -= length;
        self.make_room(chunk.len());
        self.bytes.extend_from_slice(chunk);
        Ok(chunk.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
