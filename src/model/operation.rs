//! Operations: what can be done to one object of one source. Generated from the table in `operation/table.rs`.

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

/// A reference to an object of a source: a person, a policy, a priority or a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityRef {
    pub id: Text,
    pub name: Text,
}

/// A silence before it is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceDraft {
    /// The matchers; an alert must match all of them.
    pub matchers: Vec<Matcher>,
    /// The start; `None`: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// The end. Start and end are by this machine's clock.
    pub ends_at: Timestamp,
    pub created_by: Text,
    /// The comment of the silence: the reason for it.
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

/// The static properties of an operation: its row of the table.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the operation")]
pub struct OperationSpec {
    pub kind: OperationKind,
    /// The name in the configuration and on the command line: `add-responder`.
    pub name: &'static str,
    /// The verb in the imperative: `Request a responder`.
    pub verb: &'static str,
    /// The verb with -ing: `requesting a responder`.
    pub doing: &'static str,
    /// The past participle: `responder requested`.
    pub done: &'static str,
    /// A template that follows `done`, before the target's name: ` to {to}`.
    pub done_to: &'static str,
    /// A template for the details column of lists of past actions.
    pub detail: &'static str,
    pub target: TargetKind,
    /// The parameters, in the order of the fields.
    pub params: &'static [Param],
    /// A template for the title of the confirmation dialog.
    pub title: &'static str,
    /// A template for the title of the form.
    pub form: &'static str,
    /// The item in the menu of incidents; empty: no item of its own.
    pub menu: &'static str,
    /// The verb on the command line, unless its arguments do not follow the common pattern.
    pub cli: CliVerb,
    /// The consequence, if it is the same for all targets.
    pub consequence: &'static str,
    /// Whether it cannot be undone, or pages somebody.
    pub is_serious: bool,
    /// The resulting status of an incident.
    pub leads_to: Option<IncidentStatus>,
    /// Whether it applies to open incidents only.
    pub is_for_open: bool,
    /// Whether it only adds something, so that it is possible while another operation is in progress.
    pub is_addition: bool,
    /// Whether its consequences depend on who is on call.
    pub needs_on_call: bool,
    pub confirm: ConfirmBy,
    /// The verb that undoes it.
    pub undo: Option<&'static str>,
    /// An earlier name, which is still accepted.
    pub earlier: &'static [&'static str],
}

impl OperationSpec {
    /// The defaults of a row.
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
        is_serious: false,
        leads_to: None,
        is_for_open: true,
        is_addition: false,
        needs_on_call: true,
        confirm: ConfirmBy::Enter,
        undo: None,
        earlier: &[],
    };
}

/// The kind of target of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// An existing incident.
    Incident,
    /// A service, for which an incident is opened.
    Service,
    /// An on-call schedule.
    Schedule,
    /// Alerts, for which a silence is created.
    Alerts,
    /// An existing silence.
    Silence,
}

impl TargetKind {
    /// The singular noun for the number of targets in the dialog.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Incident | Self::Service => "incident",
            Self::Schedule => "shift",
            Self::Alerts | Self::Silence => "silence",
        }
    }
}

/// The key that confirms an operation on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmBy {
    /// Enter or `y`.
    Enter,
    /// Only `y`: it cannot be undone, or pages somebody.
    Letter,
    /// Only `y` if many alerts would be silenced.
    LetterIfMany,
}

/// A verb of the command line.
#[derive(Debug)]
pub struct CliVerb {
    /// The name, such as `ack`; empty: its arguments do not follow the common pattern.
    pub name: &'static str,
    /// The description in the help.
    pub about: &'static str,
    /// The usage line, if the generated one is not clear enough.
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
        /// An operation with its parameters.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Operation {
            $($(#[doc = $doc])* $(#[serde(alias = $earlier)])? $Kind $({ $($(#[$meta])* $field: $Field),* })?,)*
        }

        /// The kinds of [`Operation`], as sources support them and contexts deny them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum OperationKind {
            $($(#[doc = $doc])* $(#[serde(alias = $earlier)])? $Kind,)*
        }

        impl OperationKind {
            pub const ALL: &[Self] = &[$(Self::$Kind,)*];

            /// The properties of this kind.
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

            /// The operation with these parameters; `None` if one is missing.
            pub fn with(self, arguments: &Arguments) -> Option<Operation> {
                match self {
                    $(Self::$Kind => {
                        Some(Operation::$Kind $({ $($field: arguments.get(stringify!($field))?),* })?)
                    })*
                }
            }

            /// An operation of this kind with placeholder values, to test whether the kind is possible at all.
            pub fn trial(self) -> Operation {
                match self {
                    $(Self::$Kind => Operation::$Kind $({ $($field: Parameter::blank()),* })?,)*
                }
            }
        }

        impl Operation {
            pub const fn kind(&self) -> OperationKind {
                match self {
                    $(Self::$Kind $({ $($field: _),* })? => OperationKind::$Kind,)*
                }
            }

            /// The values of the parameters, in the order of the row.
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
    /// The name in the configuration and on the command line.
    pub const fn name(self) -> &'static str {
        self.spec().name
    }

    /// The verb in the imperative: `Acknowledge`.
    pub const fn verb(self) -> &'static str {
        self.spec().verb
    }

    /// The past participle: `acknowledged`.
    pub const fn done(self) -> &'static str {
        self.spec().done
    }

    pub const fn target(self) -> TargetKind {
        self.spec().target
    }
}

impl Operation {
    /// The silence that the operation creates, if it creates one.
    pub const fn draft(&self) -> Option<&SilenceDraft> {
        if let Self::Silence { draft } | Self::Edit { draft, .. } = self { Some(draft) } else { None }
    }

    /// Each parameter with its value.
    pub fn given(&self) -> impl Iterator<Item = (&'static Param, Argument)> {
        self.kind().spec().params.iter().zip(self.arguments())
    }

    /// Fills a template with the parameters; `other` supplies names that are not parameters.
    pub fn fill(&self, template: &str, other: impl Fn(&str) -> String) -> String {
        fill(template, |name| {
            let value = self.given().find(|(param, _)| param.name == name);
            value.map_or_else(|| other(name), |(_, value)| value.words())
        })
    }
}

/// Fills a template: replaces each name in braces.
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
