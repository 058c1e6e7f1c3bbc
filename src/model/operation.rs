//! Operations: what can be done to one object of one source, generated from their table.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::incident::{IncidentStatus, PagerRef, Person, Urgency};
use super::labels::Text;
use super::matcher::Matcher;
use argument::Parameter;
pub use argument::{Argument, Arguments};
pub use param::{Param, ParamKind};
pub(crate) use table::operations;

mod argument;
mod param;
mod table;

/// Something named by its id, as far as an action needs it: a person, a policy, a priority, a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityRef {
    /// What the source calls it.
    pub id: Text,
    /// What people call it.
    pub name: Text,
}

/// A silence that is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceDraft {
    /// All must match.
    pub matchers: Vec<Matcher>,
    /// When it begins; without it, at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// When it ends. Both are by the clock here.
    pub ends_at: Timestamp,
    /// Who makes it.
    pub created_by: Text,
    /// The comment: why.
    pub comment: Text,
}

impl From<&PagerRef> for EntityRef {
    fn from(named: &PagerRef) -> Self {
        Self { id: Text::clone(&named.id), name: Text::clone(&named.name) }
    }
}

impl From<&Person> for EntityRef {
    fn from(person: &Person) -> Self {
        Self { id: Text::clone(&person.id), name: Text::clone(&person.name) }
    }
}

/// All that is known of an operation besides its parameters' values.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the operation")]
pub struct OperationSpec {
    /// The kind.
    pub kind: OperationKind,
    /// As configuration and command line call it: `add-responder`.
    pub name: &'static str,
    /// What one does: `Request a responder`.
    pub verb: &'static str,
    /// What is being done: `requesting a responder`.
    pub doing: &'static str,
    /// What was done: `responder requested`.
    pub done: &'static str,
    /// Template of what follows `done`, before the object's name: ` to {to}`.
    pub done_to: &'static str,
    /// Template of what lists of what was done say besides the verb.
    pub detail: &'static str,
    /// To what it is done.
    pub target: TargetKind,
    /// Its parameters, in the order of its fields.
    pub params: &'static [Param],
    /// Template of the heading of its confirmation.
    pub title: &'static str,
    /// Template of the heading of the form for its texts.
    pub form: &'static str,
    /// How the menu of incidents calls it; empty: not there, or below another one.
    pub menu: &'static str,
    /// Its verb on the command line, unless its arguments are of a shape of their own.
    pub cli: CliVerb,
    /// What follows from it, where that depends on nothing.
    pub consequence: &'static str,
    /// Whether that cannot be taken back, or wakes somebody.
    pub is_grave: bool,
    /// The state that it brings an incident to.
    pub leads_to: Option<IncidentStatus>,
    /// Whether it makes no sense for an incident that is resolved.
    pub is_for_open: bool,
    /// Whether it adds something, and so can be done while something else is on its way.
    pub is_addition: bool,
    /// Whether who is on call matters for it.
    pub needs_on_call: bool,
    /// What confirms it.
    pub confirm: ConfirmBy,
    /// The verb that takes it back, if there is one.
    pub undo: Option<&'static str>,
    /// An earlier name of it.
    pub earlier: &'static [&'static str],
}

impl OperationSpec {
    /// What most operations are like.
    const USUAL: Self = Self {
        kind: OperationKind::Acknowledge,
        name: "",
        verb: "",
        doing: "",
        done: "",
        done_to: "",
        detail: "",
        target: TargetKind::Incident,
        params: &[],
        title: "",
        form: "",
        menu: "",
        cli: CliVerb::of("", ""),
        consequence: "",
        is_grave: false,
        leads_to: None,
        is_for_open: true,
        is_addition: false,
        needs_on_call: true,
        confirm: ConfirmBy::Enter,
        undo: None,
        earlier: &[],
    };
}

/// To what something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// An incident that is there.
    Incident,
    /// A service, about which an incident is opened.
    Service,
    /// A schedule of who is on call.
    Schedule,
    /// Alerts, for which a silence is made.
    Alerts,
    /// A silence that is there.
    Silence,
}

impl TargetKind {
    /// What is counted when it is confirmed: `incidents`, without the `s` for one.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Incident | Self::Service => "incident",
            Self::Schedule => "shift",
            Self::Alerts | Self::Silence => "silence",
        }
    }
}

/// What confirms an operation on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmBy {
    /// Enter or `y`.
    Enter,
    /// Only `y`: it cannot be taken back, or wakes people.
    Letter,
    /// Only `y` where many alerts would be hidden.
    LetterIfMany,
}

/// A verb of the command line.
#[derive(Debug)]
pub struct CliVerb {
    /// `ack`; empty: its arguments are of a shape of their own.
    pub name: &'static str,
    /// What it does, for its help.
    pub about: &'static str,
    /// How it is used, where that is not said well enough by its arguments.
    pub usage: Option<&'static str>,
}

impl CliVerb {
    const fn of(name: &'static str, about: &'static str) -> Self {
        Self { name, about, usage: None }
    }
}

macro_rules! generate {
    ($(
        $(#[doc = $doc:literal])*
        $Kind:ident $name:literal $($earlier:literal)? $({
            $($(#[$meta:meta])* $field:ident : $Field:ty = $param:expr),*
        })? => $target:ident { $($key:ident : $value:expr),* }
    )*) => {
        /// What is done, with its parameters.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Operation {
            $($(#[doc = $doc])* $(#[serde(alias = $earlier)])? $Kind $({ $($(#[$meta])* $field: $Field),* })?,)*
        }

        /// The kinds of [`Operation`]: what a source can do, what a context forbids.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum OperationKind {
            $($(#[doc = $doc])* $(#[serde(alias = $earlier)])? $Kind,)*
        }

        impl OperationKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$Kind,)*];

            /// All that is known of it.
            pub const fn spec(self) -> &'static OperationSpec {
                match self {
                    $(Self::$Kind => const { &OperationSpec {
                        kind: Self::$Kind,
                        name: $name,
                        target: TargetKind::$target,
                        params: &[$($(Param { name: stringify!($field), ..$param }),*)?],
                        earlier: &[$($earlier)?],
                        $($key: $value,)*
                        ..OperationSpec::USUAL
                    } },)*
                }
            }

            /// The operation with these values; `None` while one of them is missing.
            pub fn with(self, arguments: &Arguments) -> Option<Operation> {
                match self {
                    $(Self::$Kind => {
                        Some(Operation::$Kind $({ $($field: arguments.get(stringify!($field))?),* })?)
                    })*
                }
            }

            /// An operation of this kind whose values mean nothing: to find out whether any could be done.
            pub fn trial(self) -> Operation {
                match self {
                    $(Self::$Kind => Operation::$Kind $({ $($field: Parameter::blank()),* })?,)*
                }
            }
        }

        impl Operation {
            /// Which kind it is.
            pub const fn kind(&self) -> OperationKind {
                match self {
                    $(Self::$Kind $({ $($field: _),* })? => OperationKind::$Kind,)*
                }
            }

            /// The values of its parameters, in the order of its row.
            pub fn arguments(&self) -> Vec<Argument> {
                match self {
                    $(Self::$Kind $({ $($field),* })? => vec![$($(Argument::from($field.clone())),*)?],)*
                }
            }
        }
    };
}

operations!(generate);

impl OperationKind {
    /// As configuration and command line call it.
    pub const fn name(self) -> &'static str {
        self.spec().name
    }

    /// What one does: `Acknowledge`.
    pub const fn verb(self) -> &'static str {
        self.spec().verb
    }

    /// What was done: `acknowledged`.
    pub const fn done(self) -> &'static str {
        self.spec().done
    }

    /// To what it is done.
    pub const fn target(self) -> TargetKind {
        self.spec().target
    }
}

impl Operation {
    /// The silence that it makes, if it makes one.
    pub const fn draft(&self) -> Option<&SilenceDraft> {
        if let Self::Silence { draft } | Self::Edit { draft, .. } = self { Some(draft) } else { None }
    }

    /// Each parameter with its value.
    pub fn given(&self) -> impl Iterator<Item = (&'static Param, Argument)> {
        self.kind().spec().params.iter().zip(self.arguments())
    }

    /// A template with the names of the values put in; `other` knows what is no parameter.
    pub fn fill(&self, template: &str, other: impl Fn(&str) -> String) -> String {
        fill(template, |name| {
            let value = self.given().find(|(param, _)| param.name == name);
            value.map_or_else(|| other(name), |(_, value)| value.words())
        })
    }
}

/// A template with a value for each name in braces.
pub fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
    {
        filled.push_str(before);
        filled.push_str(&value(name));
        rest = after;
    }
    filled + rest
}

/// A duration as whole seconds.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_configuration_and_of_the_journal() {
        for kind in OperationKind::ALL {
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("{:?}", kind.name()));
            let written = serde_json::to_value(kind.trial()).unwrap();
            let name = written.as_str().or_else(|| written.as_object()?.keys().next().map(String::as_str));
            assert_eq!(name.unwrap().replace('_', "-"), kind.name());
            for earlier in kind.spec().earlier {
                assert_eq!(serde_json::from_str::<OperationKind>(&format!("{earlier:?}")).unwrap(), *kind);
            }
        }
    }

    #[test]
    fn an_operation_is_made_of_its_values_again() {
        for kind in OperationKind::ALL {
            let operation = kind.trial();
            let given = operation.given().map(|(param, value)| (param.name, value));
            assert_eq!(kind.with(&given.collect()), Some(operation));
            let is_bare = kind.spec().params.is_empty();
            assert_eq!(kind.with(&Arguments::default()).is_some(), is_bare, "{kind:?}");
        }
    }

    #[test]
    fn templates_name_what_there_is() {
        for spec in OperationKind::ALL.iter().map(|kind| kind.spec()) {
            let defaults = spec.params.iter().map(|param| param.default);
            for template in [spec.title, spec.form, spec.done_to, spec.detail].into_iter().chain(defaults) {
                fill(template, |name| {
                    let is_known = ["things", "target", "left"].contains(&name);
                    assert!(is_known || spec.params.iter().any(|param| param.name == name), "{template}");
                    String::new()
                });
            }
            let is_typed = spec.params.iter().any(|param| param.kind.is_typed());
            assert_eq!(is_typed, !spec.form.is_empty(), "{}: a form has a heading", spec.name);
        }
        let snooze = Operation::Snooze { rest: Duration::from_secs(3600) };
        let title = snooze.fill(snooze.kind().spec().title, |name| format!("<{name}>"));
        assert_eq!(title, "Snooze <things> for 1h");
    }
}
