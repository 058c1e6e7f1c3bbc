//! What an answer costs, and how the same one is recognised.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::http::Body;
use crate::model::ask::{Answer, Reply};

/// What was spent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) bytes_in: u64,
    pub(crate) requests: u32,
}

impl Cost {
    /// Of a request that was refused.
    pub(crate) const REFUSED: Self = Self { bytes_in: 0, requests: 1 };

    /// Of one request with this answer.
    pub(crate) fn of(body: &Body) -> Self {
        Self { bytes_in: body.size(), requests: 1 }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.bytes_in += other.bytes_in;
        self.requests += other.requests;
    }

    /// An answer for this price.
    pub(crate) fn reply(self, answer: Answer) -> Reply {
        Reply { bytes_in: self.bytes_in, requests: self.requests, ..Reply::free(answer) }
    }

    /// The same where the asker may have the answer already: then it is not told again.
    pub(crate) fn reply_if_new(self, answer: Answer, digest: u64, known: Option<u64>) -> Reply {
        let answer = if known == Some(digest) { Answer::Unchanged } else { answer };
        Reply { digest: Some(digest), ..self.reply(answer) }
    }
}

/// Recognises the same answer next time.
pub(crate) fn digest(answer: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    answer.hash(&mut hasher);
    hasher.finish()
}
