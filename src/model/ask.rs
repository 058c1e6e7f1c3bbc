//! The questions that can be put to a source, and the answers: where `app` and `backend` meet.
//!
//! All that is known of a question stands in one row of the table `asks!`. Enumerations, storage, freshness, titles, what is
//! asked on every screen and the calls of a source are generated from it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::alert::AlertBoard;
use super::fingerprint::Fingerprint;
use super::firing::FiringBoard;
use super::incident::{IncidentBoard, IncidentDetail, IncidentLog};
use super::labels::{Labels, Text};
use super::oncall::OnCallBoard;
use super::rule::RuleBoard;
use super::runbook::{RunbookQuery, RunbookSearch};
use super::series::Matrix;
use super::service::{ServiceBoard, ServiceDetail, ServiceTrends};
use super::silence::Silence;
use super::slo::SloBoard;
use super::source::{ProbeReport, SourceError, SourceId};
use super::warning::Warning;
pub(crate) use table::asks;
use terms::FREQUENT_INTERVAL;
pub use terms::{HEARTBEAT, Merges, Moment, QueryRange, Refresh, SeriesKey, TimeUse, Weight};

/// The first for what is asked on every screen, the second for all else.
macro_rules! if_vital {
    (Always, $vital:expr, $other:expr) => {
        $vital
    };
    (OnScreen, $vital:expr, $other:expr) => {
        $other
    };
}

macro_rules! questions {
    ($(
        $(#[$doc:meta])*
        $Kind:ident $({
            $($(#[$key_doc:meta])* $key:ident : $Key:ty)? ;
            $($(#[$field_doc:meta])* $field:ident : $Field:ty),*
        })? => $place:ident : $Answer:ty {
            title: $title:literal, asked: $asked:ident, refresh: $refresh:expr, weight: $weight:ident, time: $time:ident,
            joins: $join:ident $(($($argument:expr),*))?, merges: $merges:ident
        }
    )*) => {
        /// What is asked, whatever the moment.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Query {
            $($(#[$doc])* $Kind $({
                $($(#[$key_doc])* $key: $Key,)?
                $($(#[$field_doc])* $field: $Field),*
            })?,)*
        }

        /// The kinds of [`Query`], the weightiest first; for saying what a source can answer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum AskKind {
            $($(#[$doc])* $Kind,)*
        }

        /// What a question is about, apart from its moment and from which part of the answer is asked for.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Topic {
            $($(#[$doc])* $Kind $($(($Key))?)?,)*
        }

        /// An answer in the model's words.
        #[derive(Debug, Clone)]
        pub enum Answer {
            /// The same as the one with the digest that was `known`.
            Unchanged,
            $($(#[$doc])* $Kind($Answer),)*
        }

        impl AskKind {
            pub const ALL: [Self; [$(Self::$Kind),*].len()] = [$(Self::$Kind),*];

            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$Kind => $title,)*
                }
            }

            /// Whether its questions are each about one thing: a service, an expression, an alert, an incident. Of the others
            /// there is one for each source.
            pub const fn has_key(self) -> bool {
                let keys: &[&str] = match self {
                    $(Self::$Kind => &[$($(stringify!($key))?)?],)*
                };
                !keys.is_empty()
            }

            /// The question itself, if it is asked whatever is on the screen.
            pub const fn vital(self) -> Option<Query> {
                match self {
                    $(Self::$Kind => if_vital!($asked, Some(Query::$Kind), None),)*
                }
            }

            /// Whether it is asked whatever is on the screen.
            pub const fn is_vital(self) -> bool {
                match self {
                    $(Self::$Kind => if_vital!($asked, true, false),)*
                }
            }

            /// What goes first where a source has little room.
            pub const fn weight(self) -> Weight {
                match self {
                    $(Self::$Kind => Weight::$weight,)*
                }
            }

            /// What the time range of the screen changes in it.
            pub const fn time(self) -> TimeUse {
                match self {
                    $(Self::$Kind => TimeUse::$time,)*
                }
            }

            /// What of the world is worked out anew after an answer.
            pub const fn merges(self) -> Merges {
                match self {
                    $(Self::$Kind => Merges::$merges,)*
                }
            }
        }

        impl Query {
            pub const fn kind(&self) -> AskKind {
                match self {
                    $(Self::$Kind { .. } => AskKind::$Kind,)*
                }
            }

            pub fn topic(&self) -> Topic {
                match self {
                    $(Self::$Kind $({ $($key,)? .. })? => Topic::$Kind $($(({
                        let key: &$Key = $key;
                        key.clone()
                    }))?)?,)*
                }
            }

            /// How often it is asked while its answers are cheap.
            #[expect(unused_variables, reason = "a row uses the fields that it needs")]
            pub fn refresh(&self) -> Refresh {
                match self {
                    $(Self::$Kind $({ $($key,)? $($field),* })? => $refresh,)*
                }
            }
        }

        impl Topic {
            pub const fn kind(&self) -> AskKind {
                match self {
                    $(Self::$Kind { .. } => AskKind::$Kind,)*
                }
            }
        }
    };
}

asks!(questions);

impl AskKind {
    /// Those that are asked whatever is on the screen, for counts and states of sources depend on them.
    pub const VITAL: &[Self] = &Self::all_vital::<{ Self::count_vital() }>();

    const fn count_vital() -> usize {
        let (mut left, mut count) = (Self::ALL.as_slice(), 0);
        while let [kind, rest @ ..] = left {
            count += kind.is_vital() as usize;
            left = rest;
        }
        count
    }

    #[expect(clippy::indexing_slicing, reason = "the array has as many places as there are vital kinds")]
    const fn all_vital<const COUNT: usize>() -> [Self; COUNT] {
        let mut vital = [Self::Probe; COUNT];
        let (mut left, mut count) = (Self::ALL.as_slice(), 0);
        while let [kind, rest @ ..] = left {
            if kind.is_vital() {
                vital[count] = *kind;
                count += 1;
            }
            left = rest;
        }
        vital
    }

    /// The moment that it is about on a screen that shows this one.
    pub const fn moment(self, shown: Moment) -> Moment {
        match self.time() {
            TimeUse::Now | TimeUse::Since => Moment::Now,
            TimeUse::Moment | TimeUse::Range => shown,
        }
    }
}

/// A question and the moment that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ask {
    pub query: Query,
    pub at: Moment,
}

impl Ask {
    pub const fn kind(&self) -> AskKind {
        self.query.kind()
    }

    pub fn topic(&self) -> Topic {
        self.query.topic()
    }
}

impl Query {
    pub const fn at(self, at: Moment) -> Ask {
        Ask { query: self, at }
    }

    pub const fn now(self) -> Ask {
        self.at(Moment::Now)
    }
}

/// A question to one source, in one context.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// Counts up with each change of context, so that late answers of the old one are told apart.
    pub context: u64,
    pub source: SourceId,
    pub ask: Ask,
    /// The digest of the answer that is already known; the source may then say [`Answer::Unchanged`].
    pub known: Option<u64>,
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub answer: Answer,
    /// What is missing in it, and what else was said beside it; each once.
    pub warnings: Vec<Warning>,
    /// Recognises the same answer next time, where the source can tell.
    pub digest: Option<u64>,
    /// Bytes of the answers, inflated.
    pub bytes_in: u64,
    pub requests: u32,
}

impl Reply {
    /// An answer that cost nothing, as the demo world's do.
    pub fn free(answer: Answer) -> Self {
        Self { answer, warnings: Vec::new(), digest: None, bytes_in: 0, requests: 0 }
    }
}

pub type Answered = Result<Reply, SourceError>;

mod table;
mod terms;
#[cfg(test)]
mod tests;
