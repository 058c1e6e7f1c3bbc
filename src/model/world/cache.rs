//! What one source last said, by the moment that it was about: one place for each answer, which takes what comes back for the
//! question.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::alert::AlertBoard;
use crate::model::ask::{Answer, Ask, AskKind, Moment, Query, Question, SeriesKey, Topic, asks};
use crate::model::fingerprint::Fingerprint;
use crate::model::firing::FiringBoard;
use crate::model::incident::{IncidentBoard, IncidentDetail, IncidentLog};
use crate::model::labels::Text;
use crate::model::oncall::OnCallBoard;
use crate::model::remote::{AnswerState, Remote};
use crate::model::rule::RuleBoard;
use crate::model::runbook::{RunbookQuery, RunbookSearch};
use crate::model::series::Matrix;
use crate::model::service::{ServiceBoard, ServiceDetail, ServiceTrends};
use crate::model::silence::Silence;
use crate::model::slo::SloBoard;
use crate::model::source::{ErrorKind, ProbeReport, SourceError};
use crate::model::warning::Warning;

use super::churn::ServiceChurn;

/// How many answers about one thing are kept of each kind, besides those that the screen wants.
pub(super) const OTHERS_KEPT: usize = 12;
/// Of how many moments of the past answers are kept, besides the one that is shown.
pub(super) const MOMENTS_KEPT: usize = 4;

/// The answers to one kind of question, of one moment.
trait StoredAnswer<K> {
    const EMPTY: Self;
    type Value;

    fn find(&self, key: &K) -> Option<&Remote<Self::Value>>;
    /// The place of the answer about this, made if need be.
    fn place(&mut self, key: &K) -> &mut Remote<Self::Value>;
    fn states(&self) -> impl Iterator<Item = AnswerState<'_>>;
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

    fn states(&self) -> impl Iterator<Item = AnswerState<'_>> {
        std::iter::once(self.state())
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

    fn states(&self) -> impl Iterator<Item = AnswerState<'_>> {
        self.values().map(Remote::state)
    }
}

/// Of what is not wanted keeps only what was answered last.
fn forget<K: Ord + Clone, T>(all: &mut BTreeMap<K, Remote<T>>, is_wanted: impl Fn(&K) -> bool) {
    if all.len() <= OTHERS_KEPT {
        return;
    }
    let others = all.iter().filter(|(key, _)| !is_wanted(key));
    let mut others: Vec<_> = others.map(|(key, remote)| (remote.at(), key.clone())).collect();
    others.sort_by(|one, other| other.cmp(one));
    for (_, key) in others.into_iter().skip(OTHERS_KEPT) {
        all.remove(&key);
    }
}

/// The type of a slot: by key where the question has one.
macro_rules! slot {
    ([] $Answer:ty) => { Remote<$Answer> };
    ([$Key:ty] $Answer:ty) => { BTreeMap<$Key, Remote<$Answer>> };
}

/// The key of a slot in an expression.
macro_rules! key {
    () => {
        &()
    };
    ($key:expr) => {
        $key
    };
}

/// Puts an answer where older ones are.
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
            // without an older one the tail is all there is
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
        /// Everything that one source last said of one moment.
        #[derive(Debug)]
        pub struct AnswerSet {
            $($(#[$doc])* pub $place: slot!([$($($Key)?)?] $Answer),)*
        }

        impl AnswerSet {
            const EMPTY: Self = Self { $($place: StoredAnswer::EMPTY),* };

            /// How every answer stands, also those about one thing, each with its kind.
            fn states(&self) -> impl Iterator<Item = (AskKind, AnswerState<'_>)> {
                std::iter::empty()
                    $(.chain(self.$place.states().map(|state| (AskKind::$Kind, state))))*
            }

            /// How the answer about this stands; `None` if it was never asked.
            pub fn state(&self, topic: &Topic) -> Option<AnswerState<'_>> {
                match topic {
                    $(Topic::$Kind $($(($key))?)? => self.$place.find(key!($($($key)?)?)).map(Remote::state),)*
                }
            }

            fn place(&mut self, topic: &Topic) -> &mut dyn StorageKey {
                match topic {
                    $(Topic::$Kind $($(($key))?)? => self.$place.place(key!($($($key)?)?)),)*
                }
            }

            /// Takes an answer; one to another question is no answer.
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

            /// Keeps what is wanted, and of the rest what was answered last.
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

#[derive(Debug, Default)]
pub struct AnswerCache {
    answers: BTreeMap<Moment, AnswerSet>,
    shown: Moment,
    /// Which of its services came and went lately.
    pub(super) lost: ServiceChurn,
}

/// What becomes of the place of an answer, whatever is kept there.
pub(super) trait StorageKey {
    fn asked(&mut self);
    fn warned(&mut self, warnings: Vec<Warning>);
    fn confirmed(&mut self, now: Timestamp);
    fn failed(&mut self, error: SourceError);
}

impl<T> StorageKey for Remote<T> {
    fn asked(&mut self) {
        self.asked();
    }

    fn warned(&mut self, warnings: Vec<Warning>) {
        self.warned(warnings);
    }

    fn confirmed(&mut self, now: Timestamp) {
        self.confirmed(now);
    }

    fn failed(&mut self, error: SourceError) {
        self.failed(error);
    }
}

impl AnswerCache {
    pub fn at(&self, moment: Moment) -> &AnswerSet {
        self.answers.get(&moment).unwrap_or(&EMPTY)
    }

    /// What it said of the moment that is shown, or of now where that is all it can tell.
    fn of(&self, kind: AskKind) -> &AnswerSet {
        self.at(kind.moment(self.shown))
    }

    pub(super) fn at_mut(&mut self, moment: Moment) -> &mut AnswerSet {
        self.answers.entry(moment).or_insert(AnswerSet::EMPTY)
    }

    /// How every answer stands that is shown, also those about one thing, each with its kind.
    pub fn answers(&self) -> impl Iterator<Item = (AskKind, AnswerState<'_>)> {
        let shown = self.at(self.shown).states().filter(|(kind, _)| kind.moment(self.shown) == self.shown);
        let is_past = self.shown != Moment::Now;
        let now = self.at(Moment::Now).states();
        shown.chain(now.filter(move |(kind, _)| is_past && kind.moment(self.shown) == Moment::Now))
    }

    /// How the answer to a kind of question of which there is one for each source stands; `None` for the other kinds.
    pub fn board(&self, kind: AskKind) -> Option<AnswerState<'_>> {
        if kind.has_key() {
            return None;
        }
        self.of(kind).states().find(|(other, _)| *other == kind).map(|(_, state)| state)
    }

    /// How the answer to a question stands; `None` if it was never asked.
    pub fn answer_to(&self, ask: &Ask) -> Option<AnswerState<'_>> {
        self.at(ask.at).state(&ask.topic())
    }

    /// What was said beside the answers of these kinds, each once.
    pub fn warnings(&self, kinds: &[AskKind]) -> Vec<&Warning> {
        let mut all: Vec<&Warning> = Vec::new();
        let asked = self.answers().filter(|(kind, _)| kinds.contains(kind));
        for warning in asked.flat_map(|(_, state)| state.warnings) {
            if !all.contains(&warning) {
                all.push(warning);
            }
        }
        all
    }

    pub(super) fn show(&mut self, moment: Moment) {
        self.shown = moment;
    }

    pub(super) fn place(&mut self, ask: &Ask) -> &mut dyn StorageKey {
        self.at_mut(ask.at).place(&ask.topic())
    }

    /// Takes what came back for a question; a failure leaves the last good value where it is.
    pub(super) fn take(
        &mut self,
        question: &Question,
        answer: Result<Answer, SourceError>,
        digest: Option<u64>,
        now: Timestamp,
    ) {
        let ask = &question.ask;
        if let (Moment::Now, Ok(Answer::Services(board))) = (ask.at, &answer)
            && ask.query == Query::Services
        {
            let before = self.answers.get(&Moment::Now).and_then(|answers| answers.services.value());
            self.lost.follow(before.map(|board| board.readings.as_slice()), &board.readings, now);
        }
        let wrong = |trouble| SourceError::new(question.source.clone(), trouble);
        let taken = answer
            .and_then(|answer| self.at_mut(ask.at).take(&ask.query, answer, digest, now).map_err(wrong));
        if let Err(error) = taken {
            self.place(ask).failed(error);
        }
    }

    /// Keeps what is wanted and what is shown, and of the rest what was answered last.
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
