//! The questions to sources and their answers, shared by `app` and `backend`.
//!
//! Each question is one row of the table in `asks!`. Macros generate the enums, the storage, the refresh intervals, the titles,
//! the set of questions asked on every screen, and the handler calls of a source.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::Timestamp;

use super::alert::AlertSnapshot;
use super::capacity::CapacitySnapshot;
use super::change::ChangeSnapshot;
use super::dashboard::variable::{VariableQuery, VariableValues};
use super::dashboard::{Dashboard, DashboardList, DataSource, PanelQuery};
use super::detection::{OnsetQuery, OnsetSnapshot};
use super::evaluation::{EvaluatedQuery, EvaluationKey, Exemplar, LabelList, LabelSearch};
use super::fingerprint::Fingerprint;
use super::firing::FiringSnapshot;
use super::frame::PanelFrames;
use super::incident::{IncidentDetail, IncidentLog, IncidentSnapshot};
use super::labels::{Labels, Text};
use super::log::{LogComparison, LogHistogram, LogLines, LogPage, LogQuery, LogSplit};
use super::metric::MetricCatalog;
use super::oncall::OnCallSnapshot;
use super::rule::RuleSnapshot;
use super::runbook::{RunbookQuery, RunbookSearch};
use super::series::{Matrix, TimeGrid};
use super::service::{ServiceDetail, ServiceSnapshot, ServiceTrends};
use super::silence::Silence;
use super::slo::SloSnapshot;
use super::source::{ProbeReport, SourceError, SourceId};
use super::trace::{TraceId, TraceSearch, TraceSnapshot};
use super::warning::Warning;
use super::why::{WhyAnalysis, WhyQuery};
pub(crate) use table::asks;
use terms::{FOLLOW_INTERVAL, FREQUENT_INTERVAL};
pub use terms::{HEARTBEAT, Merges, Moment, QueryRange, Refresh, SeriesKey, TimeUse, Weight};

/// Chooses the first expression for questions that are asked on every screen, the second for the others.
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
        /// A question without its moment.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Query {
            $($(#[$doc])* $Kind $({
                $($(#[$key_doc])* $key: $Key,)?
                $($(#[$field_doc])* $field: $Field),*
            })?,)*
        }

        /// The kinds of [`Query`] in the order of the table; sources list the kinds that they support.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum AskKind {
            $($(#[$doc])* $Kind,)*
        }

        /// The subject of a question: its kind and key, without its moment and its parameters.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Topic {
            $($(#[$doc])* $Kind $($(($Key))?)?,)*
        }

        /// The answer to a question.
        #[derive(Debug, Clone)]
        pub enum Answer {
            /// Unchanged since the answer with the digest in [`Question::known`].
            Unchanged,
            $($(#[$doc])* $Kind($Answer),)*
        }

        impl AskKind {
            pub const ALL: [Self; [$(Self::$Kind),*].len()] = [$(Self::$Kind),*];

            /// The title for users.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$Kind => $title,)*
                }
            }

            /// Whether a question of this kind has a key, such as a service, an expression, an alert or an incident. A kind
            /// without a key has one question per source.
            pub const fn has_key(self) -> bool {
                let keys: &[&str] = match self {
                    $(Self::$Kind => &[$($(stringify!($key))?)?],)*
                };
                !keys.is_empty()
            }

            /// The question, if it is asked on every screen.
            pub const fn vital(self) -> Option<Query> {
                match self {
                    $(Self::$Kind => if_vital!($asked, Some(Query::$Kind), None),)*
                }
            }

            /// Whether it is asked on every screen.
            pub const fn is_vital(self) -> bool {
                match self {
                    $(Self::$Kind => if_vital!($asked, true, false),)*
                }
            }

            /// The priority where a source allows few requests.
            pub const fn weight(self) -> Weight {
                match self {
                    $(Self::$Kind => Weight::$weight,)*
                }
            }

            /// How the question depends on the displayed time range.
            pub const fn time(self) -> TimeUse {
                match self {
                    $(Self::$Kind => TimeUse::$time,)*
                }
            }

            /// The parts of the merged state that an answer updates.
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

            /// The subject of this question.
            pub fn topic(&self) -> Topic {
                match self {
                    $(Self::$Kind $({ $($key,)? .. })? => Topic::$Kind $($(({
                        let key: &$Key = $key;
                        key.clone()
                    }))?)?,)*
                }
            }

            /// How often it is asked if its answers are cheap.
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
    /// Whether it is about what a user writes: an error says something about the text, not about the source, and is shown beside
    /// the text.
    pub const fn is_of_user(self) -> bool {
        matches!(self, Self::Evaluation | Self::Labels | Self::Exemplars | Self::Metrics)
    }

    /// The kinds that are asked on every screen, because counts and source states depend on them.
    pub fn all_vital() -> &'static [Self] {
        static VITAL: LazyLock<Vec<AskKind>> =
            LazyLock::new(|| AskKind::ALL.into_iter().filter(|kind| kind.is_vital()).collect());
        &VITAL
    }

    /// The moment that a question of this kind is about while `shown` is displayed.
    pub const fn moment(self, shown: Moment) -> Moment {
        match self.time() {
            TimeUse::Now | TimeUse::Since => Moment::Now,
            TimeUse::Moment | TimeUse::Range => shown,
        }
    }
}

/// A question with its moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ask {
    pub query: Query,
    /// The moment that it is about.
    pub at: Moment,
}

impl Ask {
    pub const fn kind(&self) -> AskKind {
        self.query.kind()
    }

    /// The subject of the question.
    pub fn topic(&self) -> Topic {
        self.query.topic()
    }
}

impl Query {
    /// This question about the given moment.
    pub const fn at(self, at: Moment) -> Ask {
        Ask { query: self, at }
    }

    /// This question about now.
    pub const fn now(self) -> Ask {
        self.at(Moment::Now)
    }
}

/// A question to one source in one context.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// Increases with each change of the context, to recognise late answers of the previous one.
    pub context: u64,
    pub source: SourceId,
    pub ask: Ask,
    /// The digest of the stored answer; the source can then reply with [`Answer::Unchanged`].
    pub known: Option<u64>,
}

/// An answer with its warnings and costs.
#[derive(Debug, Clone)]
pub struct Reply {
    pub answer: Answer,
    /// Warnings about missing parts and other limitations, each once.
    pub warnings: Vec<Warning>,
    /// A digest to recognise the same answer, if the source supports that.
    pub digest: Option<u64>,
    /// The size of the response bodies in bytes, uncompressed.
    pub bytes_in: u64,
    pub requests: u32,
}

impl Reply {
    /// An answer without requests.
    pub fn free(answer: Answer) -> Self {
        Self { answer, warnings: Vec::new(), digest: None, bytes_in: 0, requests: 0 }
    }
}

/// The result of a [`Question`].
pub type Answered = Result<Reply, SourceError>;

mod table;
mod terms;
#[cfg(test)]
mod tests;
