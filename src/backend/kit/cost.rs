//! The cost of an answer, and the digest that recognises an unchanged answer.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::http::Body;
use crate::model::ask::{Answer, Reply};

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) bytes_in: u64,
    pub(crate) requests: u32,
}

impl Cost {
    /// The cost of a refused request.
    pub(crate) const REFUSED: Self = Self { bytes_in: 0, requests: 1 };

    /// The cost of one request with this answer.
    pub(crate) fn of(body: &Body) -> Self {
        Self { bytes_in: body.size(), requests: 1 }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.bytes_in += other.bytes_in;
        self.requests += other.requests;
    }

    /// A reply with this cost.
    pub(crate) fn reply(self, answer: Answer) -> Reply {
        Reply { bytes_in: self.bytes_in, requests: self.requests, ..Reply::free(answer) }
    }

    /// The same, but without the answer if its digest equals `known`: then the answer is unchanged.
    pub(crate) fn reply_if_new(self, answer: Answer, digest: u64, known: Option<u64>) -> Reply {
        let answer = if known == Some(digest) { Answer::Unchanged } else { answer };
        Reply { digest: Some(digest), ..self.reply(answer) }
    }
}

pub(crate) fn digest(answer: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    answer.hash(&mut hasher);
    hasher.finish()
}
