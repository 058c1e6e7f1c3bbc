//! Parameters of operations: how their values are chosen, typed, passed on the command line and shown.

/// How the value of a parameter is chosen or derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// A person who can be assigned.
    Person,
    /// One or more other people, as responders.
    People,
    /// An escalation policy.
    Policy,
    /// A level of an incident's policy.
    Level,
    /// A duration.
    Length,
    /// One of the account's priorities, or none.
    Priority,
    /// Another open incident.
    Incident,
    /// High or low.
    Urgency,
    /// A text, with its maximum length in characters.
    Text(usize),
    /// The end of a shift that is taken.
    TurnEnd,
    /// The new end of a silence, chosen as a duration to add.
    Extension,
    /// A complete silence.
    Silence,
    /// Derived from other data; the user does not choose it.
    Derived,
}

impl ParamKind {
    /// Whether it is chosen from a menu.
    pub const fn is_chosen(self) -> bool {
        !self.is_typed() && !matches!(self, Self::Silence | Self::Derived)
    }

    /// Whether it is typed in a form.
    pub const fn is_typed(self) -> bool {
        matches!(self, Self::Text(_) | Self::Urgency)
    }
}

/// A parameter of an operation.
#[derive(Debug)]
pub struct Param {
    /// The field name.
    pub name: &'static str,
    /// How it is chosen.
    pub kind: ParamKind,
    /// The title of the menu in which it is chosen.
    pub prompt: &'static str,
    /// The label in forms and dialogs; empty: not shown.
    pub label: &'static str,
    /// A template for the initial text in the form.
    pub default: &'static str,
    /// Whether it is optional.
    pub is_optional: bool,
    /// The flag on the command line, without dashes; `message` also has `-m`. Empty: a positional argument, or none.
    pub flag: &'static str,
    /// The placeholder for the value in the help; empty: the command line has no such argument.
    pub value: &'static str,
    /// The description in the help.
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
