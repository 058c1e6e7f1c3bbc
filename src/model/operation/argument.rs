//! The values of parameters, for all operations.

use std::time::Duration;

use jiff::Timestamp;

use super::{EntityRef, SilenceDraft};
use crate::model::duration;
use crate::model::incident::Urgency;
use crate::model::labels::Text;

/// A type that a field of an operation can have.
pub(super) trait Parameter: Into<Argument> {
    /// The value, if it has this type.
    fn of(argument: &Argument) -> Option<Self>;

    /// A placeholder value.
    fn blank() -> Self;
}

macro_rules! arguments {
    ($($(#[doc = $doc:literal])* $Kind:ident($Type:ty) = $blank:expr;)*) => {
        /// The value of a parameter.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Argument {
            $($(#[doc = $doc])* $Kind($Type),)*
        }

        $(
            impl From<$Type> for Argument {
                fn from(value: $Type) -> Self {
                    Self::$Kind(value)
                }
            }

            impl Parameter for $Type {
                fn of(argument: &Argument) -> Option<Self> {
                    if let Argument::$Kind(value) = argument { Some(value.clone()) } else { None }
                }

                fn blank() -> Self {
                    $blank
                }
            }
        )*
    };
}

arguments! {
    /// A person, a policy or an incident.
    Entity(EntityRef) = EntityRef { id: "".into(), name: "".into() };
    /// An optional reference.
    Choice(Option<EntityRef>) = None;
    /// Several people.
    Entities(Vec<EntityRef>) = Vec::new();
    /// The number of a level.
    Level(u32) = 1;
    /// A duration.
    Length(Duration) = Duration::from_secs(60);
    /// A text.
    Words(Text) = "".into();
    /// An urgency.
    Urgency(Urgency) = Urgency::Low;
    /// A time.
    Moment(Timestamp) = Timestamp::UNIX_EPOCH;
    /// An optional time.
    KnownMoment(Option<Timestamp>) = None;
    /// A silence.
    Draft(SilenceDraft) = SilenceDraft {
        matchers: Vec::new(),
        starts_at: None,
        ends_at: Timestamp::UNIX_EPOCH,
        created_by: "".into(),
        comment: "".into(),
    };
}

impl Argument {
    /// The value as text for a sentence; times in UTC.
    pub fn words(&self) -> String {
        match self {
            Self::Entity(entity) => entity.name.to_string(),
            Self::Choice(choice) => {
                choice.as_ref().map_or_else(|| "none".to_owned(), |entity| entity.name.to_string())
            }
            Self::Entities(all) => all.iter().map(|entity| &*entity.name).collect::<Vec<_>>().join(", "),
            Self::Level(level) => level.to_string(),
            Self::Length(length) => duration::short(*length),
            Self::Words(words) => words.to_string(),
            Self::Urgency(urgency) => urgency.word().to_owned(),
            Self::Moment(at) => at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            Self::KnownMoment(at) => at.map(|at| Self::Moment(at).words()).unwrap_or_default(),
            Self::Draft(draft) => draft.comment.to_string(),
        }
    }
}

/// Values by the names of their parameters; parameters may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arguments(Vec<(&'static str, Argument)>);

impl Arguments {
    /// Adds a value, or replaces an earlier one of the same name.
    #[must_use]
    pub fn and(mut self, name: &'static str, value: impl Into<Argument>) -> Self {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value.into()));
        self
    }

    /// The value of a parameter; `None` if it is missing or has another type.
    pub(super) fn get<T: Parameter>(&self, name: &str) -> Option<T> {
        self.find(name).and_then(T::of)
    }

    /// The value of a parameter; `None` if it is missing.
    pub fn find(&self, name: &str) -> Option<&Argument> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

impl FromIterator<(&'static str, Argument)> for Arguments {
    fn from_iter<I: IntoIterator<Item = (&'static str, Argument)>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}
