//! Parameters of operations: how their values are chosen, typed, given on the command line and shown.

/// How a parameter is chosen or worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// A person who can be given incidents.
    Person,
    /// Some of the others.
    People,
    /// An escalation policy.
    Policy,
    /// A level of an incident's policy.
    Level,
    /// A length of time.
    Length,
    /// One of the account's priorities, or none.
    Priority,
    /// Another open incident.
    Incident,
    /// High or low.
    Urgency,
    /// Words, with the most characters that they may have.
    Text(usize),
    /// The end of a shift that is taken over.
    TurnEnd,
    /// The new end of a silence: by how much it is extended.
    Extension,
    /// A whole silence.
    Silence,
    /// Known from elsewhere.
    Derived,
}

impl ParamKind {
    /// Whether it is chosen from a menu.
    pub const fn is_chosen(self) -> bool {
        match self {
            Self::Urgency | Self::Text(_) | Self::Silence | Self::Derived => false,
            Self::Person
            | Self::People
            | Self::Policy
            | Self::Level
            | Self::Length
            | Self::Priority
            | Self::Incident
            | Self::TurnEnd
            | Self::Extension => true,
        }
    }

    /// Whether it is typed in a form.
    pub const fn is_typed(self) -> bool {
        matches!(self, Self::Text(_) | Self::Urgency)
    }
}

/// A parameter of an operation.
#[derive(Debug)]
pub struct Param {
    /// The name of the field.
    pub name: &'static str,
    /// How it is chosen.
    pub kind: ParamKind,
    /// The title of the menu in which it is chosen.
    pub prompt: &'static str,
    /// How forms and confirmations call it; empty: they do not show it.
    pub label: &'static str,
    /// Template of what stands in the form at first.
    pub default: &'static str,
    /// Whether it may be left out.
    pub is_optional: bool,
    /// Its flag on the command line, without dashes; `message` has `-m`, too. Empty: a positional argument, or none.
    pub flag: &'static str,
    /// How the help of the command line calls its value; empty: it cannot be given there.
    pub value: &'static str,
    /// What that help says of it.
    pub help: &'static str,
}

impl Param {
    pub(super) const fn of(kind: ParamKind) -> Self {
        let (name, prompt, label, default) = ("", "", "", "");
        Self { name, kind, prompt, label, default, is_optional: false, flag: "", value: "", help: "" }
    }

    pub(super) const fn text(label: &'static str, most: usize) -> Self {
        Self::of(ParamKind::Text(most)).label(label)
    }

    pub(super) const fn prompt(self, prompt: &'static str) -> Self {
        Self { prompt, ..self }
    }

    pub(super) const fn label(self, label: &'static str) -> Self {
        Self { label, ..self }
    }

    pub(super) const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    pub(super) const fn optional(self) -> Self {
        Self { is_optional: true, ..self }
    }

    pub(super) const fn flag(self, flag: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { flag, value, help, ..self }
    }

    pub(super) const fn positional(self, value: &'static str, help: &'static str) -> Self {
        Self { value, help, ..self }
    }
}
