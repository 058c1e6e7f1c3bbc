//! The ids of traces and spans.

use std::fmt;

/// The id of a trace: a 128-bit number, never zero. Sources write it with or without leading zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(u128);

/// The id of a span within its trace: a 64-bit number, never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(u64);

impl TraceId {
    pub fn new(number: u128) -> Option<Self> {
        (number != 0).then_some(Self(number))
    }

    /// Reads an id as people copy it: hexadecimal digits in either case with or without leading zeros, also as a UUID, or a whole
    /// `traceparent` header (W3C Trace Context: `00-ID-SPAN-01`).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let parts: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let digits = match (lengths.as_slice(), parts.as_slice()) {
            ([2, 32, 16, 2], [_, id, ..]) => (*id).to_owned(),
            ([8, 4, 4, 4, 12], _) => parts.concat(),
            _ => text.to_owned(),
        };
        Self::new(hexadecimal(&digits, 32)?)
    }

    /// Reads the 16 bytes of an id, the highest first; fewer bytes are the lowest ones.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        Self::new(number(bytes, 16)?)
    }
}

impl SpanId {
    pub fn new(number: u64) -> Option<Self> {
        (number != 0).then_some(Self(number))
    }

    /// Reads hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        Self::new(u64::try_from(hexadecimal(text.trim(), 16)?).ok()?)
    }

    /// Reads the 8 bytes of an id, the highest first; fewer bytes are the lowest ones.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        Self::new(u64::try_from(number(bytes, 8)?).ok()?)
    }
}

/// The number of at most `most` hexadecimal digits.
fn hexadecimal(digits: &str, most: usize) -> Option<u128> {
    let is_valid =
        (1..=most).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_valid { u128::from_str_radix(digits, 16).ok() } else { None }
}

/// The number of at most `most` bytes.
fn number(bytes: &[u8], most: usize) -> Option<u128> {
    let is_valid = (1..=most).contains(&bytes.len());
    is_valid.then(|| bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte)))
}

/// 32 hexadecimal digits, as the W3C Trace Context writes an id.
impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// 16 hexadecimal digits.
impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
