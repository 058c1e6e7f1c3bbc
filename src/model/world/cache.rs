//! The last answers of one source, by the moment that they describe: one slot for each question, which stores the answer to
//! it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::alert::AlertSnapshot;
use crate::model::ask::{Answer, Ask, AskKind, Moment, Query, Question, SeriesKey, Topic, asks};
use crate::model::capacity::CapacitySnapshot;
use crate::model::change::ChangeSnapshot;
use crate::model::dashboard::variable::{VariableQuery, VariableValues};
use crate::model::dashboard::{Dashboard, DashboardList, DataSource, PanelQuery};
use crate::model::detection::{OnsetQuery, OnsetSnapshot};
use crate::model::evaluation::{EvaluatedQuery, EvaluationKey, Exemplar, LabelList, LabelSearch};
use crate::model::fingerprint::Fingerprint;
use crate::model::firing::FiringSnapshot;
use crate::model::frame::PanelFrames;
use crate::model::incident::{IncidentDetail, IncidentLog, IncidentSnapshot};
use crate::model::labels::Text;
use crate::model::log::{LogComparison, LogHistogram, LogLines, LogQuery};
use crate::model::metric::MetricCatalog;
use crate::model::oncall::OnCallSnapshot;
use crate::model::remote::{AnswerState, Remote};
use crate::model::rule::RuleSnapshot;
use crate::model::runbook::{RunbookQuery, RunbookSearch};
use crate::model::series::Matrix;
use crate::model::service::{ServiceDetail, ServiceSnapshot, ServiceTrends};
use crate::model::silence::Silence;
use crate::model::slo::SloSnapshot;
use crate::model::source::{ErrorKind, ProbeReport, SourceError};
use crate::model::trace::{TraceId, TraceSearch, TraceSnapshot};
use crate::model::warning::Warning;
use crate::model::why::{WhyAnalysis, WhyQuery};

use super::churn::ServiceChurn;

/// How many answers of each kind with a key (such as one per chart) are kept in addition to those that the screen needs.
pub(super) const OTHERS_KEPT: usize = 12;
/// For how many past moments answers are kept, in addition to the displayed one.
pub(super) const MOMENTS_KEPT: usize = 4;

/// The slot for the answers to one kind of question, at one moment.
trait StoredAnswer<K> {
    /// The slot before any question was sent.
    const EMPTY: Self;
    type Value;

    fn find(&self, key: &K) -> Option<&Remote<Self::Value>>;
    /// The answer for this key, inserted if missing.
    fn place(&mut self, key: &K) -> &mut Remote<Self::Value>;
    /// The states of all answers in the slot.
    fn states(&self) -> impl Iterator<Item = &AnswerState>;
}

impl<T> StoredAnswer<()> for Remote<T> {
    const EMPTY: Self = Self::NOT_ASKED;
    type Value = T;

    fn find(&self, (): &()) -> Option<&Self> {
        Some(self)
    }

    fn place(&mut self, (): &()) -> &mut Self {
        self
    }

    fn states(&self) -> impl Iterator<Item = &AnswerState> {
        std::iter::once(&**self)
    }
}

impl<K: Ord + Clone, T> StoredAnswer<K> for BTreeMap<K, Remote<T>> {
    const EMPTY: Self = Self::new();
    type Value = T;

    fn find(&self, key: &K) -> Option<&Remote<T>> {
        self.get(key)
    }

    fn place(&mut self, key: &K) -> &mut Remote<T> {
        self.entry(key.clone()).or_default()
    }

    fn states(&self) -> impl Iterator<Item = &AnswerState> {
        self.values().map(|remote| &**remote)
    }
}

/// Removes all answers except the wanted ones and the [`OTHERS_KEPT`] most recent of the others.
fn forget<K: Ord + Clone, T>(all: &mut BTreeMap<K, Remote<T>>, is_wanted: impl Fn(&K) -> bool) {
    if all.len() <= OTHERS_KEPT {
        return;
    }
    let others = all.iter().filter(|(key, _)| !is_wanted(key));
    let mut others: Vec<_> = others.map(|(key, remote)| (remote.at, key.clone())).collect();
    others.sort_by(|one, other| other.cmp(one));
    for (_, key) in others.into_iter().skip(OTHERS_KEPT) {
        all.remove(&key);
    }
}

/// The type of a slot: a map if the question has a key.
macro_rules! slot {
    ([] $Answer:ty) => { Remote<$Answer> };
    ([$Key:ty] $Answer:ty) => { BTreeMap<$Key, Remote<$Answer>> };
}

/// The key of a slot as an expression, `()` if the question has none.
macro_rules! key {
    () => {
        &()
    };
    ($key:expr) => {
        $key
    };
}

/// Stores an answer: replaces the older one or extends it.
macro_rules! join {
    (replace $remote:ident $answer:ident $digest:ident $now:ident) => {
        $remote.arrived($answer, $digest, $now)
    };
    (extend $remote:ident $answer:ident $digest:ident $now:ident $($argument:expr),*) => {
        match $remote.value_mut() {
            Some(older) => {
                older.extend($answer, $($argument),*);
                $remote.confirmed($now);
            }
            // without an older answer, the new part is the whole answer
            None => $remote.arrived($answer, None, $now),
        }
    };
}

macro_rules! storage {
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
        /// The last answers of one source about one moment.
        #[derive(Debug)]
        pub struct AnswerSet {
            $($(#[$doc])* pub $place: slot!([$($($Key)?)?] $Answer),)*
        }

        impl AnswerSet {
            /// No answers.
            const EMPTY: Self = Self { $($place: StoredAnswer::EMPTY),* };

            /// The states of all answers, each with its kind of question.
            fn states(&self) -> impl Iterator<Item = (AskKind, &AnswerState)> {
                std::iter::empty()
                    $(.chain(self.$place.states().map(|state| (AskKind::$Kind, state))))*
            }

            /// The state of the answer to a question; `None` if it was never sent.
            pub fn state(&self, topic: &Topic) -> Option<&AnswerState> {
                match topic {
                    $(Topic::$Kind $($(($key))?)? => self.$place.find(key!($($($key)?)?)).map(|remote| &**remote),)*
                }
            }

            /// The slot for the answer to a question.
            fn place(&mut self, topic: &Topic) -> &mut AnswerState {
                match topic {
                    $(Topic::$Kind $($(($key))?)? => self.$place.place(key!($($($key)?)?)),)*
                }
            }

            /// Stores an answer. An answer of another kind than the question is an error.
            #[expect(unused_variables, reason = "a row uses the fields that it needs")]
            fn take(&mut self, query: &Query, answer: Answer, digest: Option<u64>, now: Timestamp) -> Result<(), ErrorKind> {
                match (query, answer) {
                    $((Query::$Kind $({ $($key,)? $($field),* })?, Answer::$Kind(answer)) => {
                        let remote = self.$place.place(key!($($($key)?)?));
                        join!($join remote answer digest now $($($argument),*)?);
                    })*
                    (query, Answer::Unchanged) => self.place(&query.topic()).confirmed(now),
                    (query, _) => {
                        let reason = format!("another answer than to {}", query.kind().word());
                        return Err(ErrorKind::Garbled { reason });
                    }
                }
                Ok(())
            }

            /// Keeps the wanted answers, and the most recent of the others.
            fn forget(&mut self, is_wanted: impl Fn(&Topic) -> bool) {
                $($($(forget(&mut self.$place, |$key: &$Key| is_wanted(&Topic::$Kind($key.clone())));)?)?)*
            }
        }

        impl AnswerCache {
            $(
                $(#[$doc])*
                pub fn $place(&self) -> &slot!([$($($Key)?)?] $Answer) {
                    &self.of(AskKind::$Kind).$place
                }
            )*
        }
    };
}

asks!(storage);

static EMPTY: AnswerSet = AnswerSet::EMPTY;

/// The last answers of one source.
#[derive(Debug, Default)]
pub struct AnswerCache {
    answers: BTreeMap<Moment, AnswerSet>,
    /// The displayed moment.
    shown: Moment,
    /// Which services of the source appeared and disappeared recently.
    pub(super) lost: ServiceChurn,
}

impl AnswerCache {
    /// The answers about this moment.
    pub fn at(&self, moment: Moment) -> &AnswerSet {
        self.answers.get(&moment).unwrap_or(&EMPTY)
    }

    /// Whether the source answers this kind of question, and its health check, without errors.
    pub(super) fn is_current(&self, kind: AskKind) -> bool {
        [kind, AskKind::Probe]
            .into_iter()
            .all(|kind| self.snapshot(kind).is_none_or(|s| s.failure().is_none()))
    }

    /// The answers about the displayed moment; about now for kinds of questions without history.
    fn of(&self, kind: AskKind) -> &AnswerSet {
        self.at(kind.moment(self.shown))
    }

    pub(super) fn at_mut(&mut self, moment: Moment) -> &mut AnswerSet {
        self.answers.entry(moment).or_insert(AnswerSet::EMPTY)
    }

    /// The states of all displayed answers, each with its kind of question.
    pub fn answers(&self) -> impl Iterator<Item = (AskKind, &AnswerState)> {
        let shown = self.at(self.shown).states().filter(|(kind, _)| kind.moment(self.shown) == self.shown);
        let is_past = self.shown != Moment::Now;
        let now = self.at(Moment::Now).states();
        shown.chain(now.filter(move |(kind, _)| is_past && kind.moment(self.shown) == Moment::Now))
    }

    /// The state of the answer to a kind of question without a key; `None` for kinds with a key.
    pub fn snapshot(&self, kind: AskKind) -> Option<&AnswerState> {
        if kind.has_key() {
            return None;
        }
        self.of(kind).states().find(|(other, _)| *other == kind).map(|(_, state)| state)
    }

    /// The state of the answer to a question; `None` if it was never sent.
    pub fn answer_to(&self, ask: &Ask) -> Option<&AnswerState> {
        self.at(ask.at).state(&ask.topic())
    }

    /// The warnings that came with the answers of these kinds, each once.
    pub fn warnings(&self, kinds: &[AskKind]) -> Vec<&Warning> {
        let mut all: Vec<&Warning> = Vec::new();
        let asked = self.answers().filter(|(kind, _)| kinds.contains(kind));
        for warning in asked.flat_map(|(_, state)| &state.warnings) {
            if !all.contains(&warning) {
                all.push(warning);
            }
        }
        all
    }

    /// Sets the displayed moment.
    pub(super) fn show(&mut self, moment: Moment) {
        self.shown = moment;
    }

    /// The slot for the answer to a question.
    pub(super) fn place(&mut self, ask: &Ask) -> &mut AnswerState {
        self.at_mut(ask.at).place(&ask.topic())
    }

    /// Stores the answer to a question; a failure keeps the last good value.
    pub(super) fn take(
        &mut self,
        question: &Question,
        answer: Result<Answer, SourceError>,
        digest: Option<u64>,
        now: Timestamp,
    ) {
        let ask = &question.ask;
        if let (Moment::Now, Ok(Answer::Services(snapshot))) = (ask.at, &answer)
            && ask.query == Query::Services
        {
            let before = self.answers.get(&Moment::Now).and_then(|answers| answers.services.value());
            self.lost.follow(before.map(|snapshot| snapshot.readings.as_slice()), &snapshot.readings, now);
        }
        let wrong = |failure| SourceError::new(question.source.clone(), failure);
        let taken = answer
            .and_then(|answer| self.at_mut(ask.at).take(&ask.query, answer, digest, now).map_err(wrong));
        if let Err(error) = taken {
            self.place(ask).failed(error);
        }
    }

    /// Keeps the wanted and the displayed answers, and the most recent of the others.
    pub(super) fn forget(&mut self, is_wanted: impl Fn(Moment, &Topic) -> bool) {
        for (moment, answers) in &mut self.answers {
            answers.forget(|topic| is_wanted(*moment, topic));
        }
        if self.answers.len() <= MOMENTS_KEPT {
            return;
        }
        let past = self
            .answers
            .iter()
            .filter(|(moment, _)| !matches!(moment, Moment::Now) && **moment != self.shown);
        let mut past: Vec<_> = past
            .map(|(moment, answers)| (answers.states().filter_map(|(_, state)| state.at).max(), *moment))
            .collect();
        past.sort_unstable_by(|one, other| other.cmp(one));
        for (_, moment) in past.into_iter().skip(MOMENTS_KEPT) {
            self.answers.remove(&moment);
        }
    }
}
