//! Choosing values: a menu of the variables, a list of values that is searched by typing, a line for text boxes.

use super::{Key, LineEditor, ListedChoices, Menu, MenuChoice, OpenDashboard, VariableChoice};
use crate::app::key::{Code, NamedKey};
use crate::app::menu::PaletteEntry;
use crate::app::prelude::*;
use crate::app::subjects::dashboard::variables::{OptionStatus, ShownVariable};
use crate::model::dashboard::variable::{ALL, VariableKind};

impl OpenDashboard {
    /// The variables that can be chosen.
    pub(super) fn variables_menu(&self, shared: &Shared, _now: Timestamp) -> Option<Menu> {
        let shown = self.variables.all.iter().filter(|one| one.is_shown());
        let item = |one: &ShownVariable| {
            let name = format!("{}: {}", one.label(), one.words());
            let choice = match unavailable(one) {
                Some(why) => MenuChoice::Cannot(why.into()),
                None if matches!(one.definition.kind, VariableKind::TextBox) => {
                    VariableChoice::Type(one.definition.name.clone()).into()
                }
                None => VariableChoice::Open(one.definition.name.clone()).into(),
            };
            (name, choice)
        };
        let items: Vec<_> = shown.map(item).collect();
        let none = || vec![("This dashboard has no variables".to_owned(), MenuChoice::Cannot("none".into()))];
        self.dashboard(shared)?;
        Some(Menu::new("Variables", if items.is_empty() { none() } else { items }, 0))
    }

    /// Chooses values; gives the list of values to choose from next.
    pub(super) fn choose_value(
        &mut self,
        shared: &mut Shared,
        choice: VariableChoice,
        now: Timestamp,
    ) -> Option<ListedChoices> {
        match choice {
            VariableChoice::Open(name) => self.variables.named(&name).map(values_of),
            VariableChoice::Type(name) => {
                let text = self.variables.named(&name).map(ShownVariable::words).unwrap_or_default();
                self.editing = Some((name, LineEditor::of(&text)));
                None
            }
            VariableChoice::Set(name, values) => {
                self.chosen.insert(name, values);
                self.values_changed(shared, now);
                None
            }
            VariableChoice::Toggle(name, value) => {
                let toggled = toggled(self.variables.named(&name)?, &value);
                self.chosen.insert(name.clone(), toggled);
                self.values_changed(shared, now);
                self.variables.named(&name).map(values_of)
            }
        }
    }

    /// Everything that depends on the values is found again.
    fn values_changed(&mut self, shared: &Shared, now: Timestamp) {
        self.is_dirty = true;
        // names of series may hold variables
        self.pictures.clear();
        self.arrange(shared, false, now);
    }

    /// A key for the line of a text box.
    pub(super) fn type_value(&mut self, shared: &Shared, key: Key, now: Timestamp) {
        let Some((name, mut line)) = self.editing.take() else { return };
        match key.code {
            Code::Named(NamedKey::Esc) => {}
            Code::Named(NamedKey::Enter) => {
                self.chosen.insert(name, vec![line.text().into()]);
                self.values_changed(shared, now);
            }
            Code::Named(_) | Code::Char(_) => {
                line.take(key);
                self.editing = Some((name, line));
            }
        }
    }
}

/// Why nothing can be chosen.
fn unavailable(one: &ShownVariable) -> Option<String> {
    match (&one.status, &one.definition.kind) {
        (_, VariableKind::TextBox) => None,
        (_, VariableKind::AdHoc { .. }) => Some("filters are as the dashboard has them".to_owned()),
        (_, VariableKind::Other { kind }) => Some(format!("a variable of kind {kind} keeps its value")),
        (OptionStatus::Loading, _) => Some("loading".to_owned()),
        (OptionStatus::Missing(why), _) => Some(why.clone()),
        (OptionStatus::Known, _) if one.options.is_empty() => Some("there are no values".to_owned()),
        (OptionStatus::Known, _) => None,
    }
}

/// The values of a variable, to be searched by typing; chosen ones are marked.
fn values_of(one: &ShownVariable) -> ListedChoices {
    let name = &one.definition.name;
    let is_multi = one.definition.is_multi;
    let entry = |text: &str, is_chosen: bool, choice: VariableChoice| PaletteEntry {
        kind: if is_chosen { "chosen" } else { "" },
        name: text.to_owned(),
        hint: String::new(),
        target: choice.into(),
    };
    let all = one
        .definition
        .includes_all
        .then(|| entry("All", one.state.is_all, VariableChoice::Set(name.clone(), vec![ALL.into()])));
    let option = |(text, value): &(Text, Text)| {
        let is_chosen = !one.state.is_all && one.state.chosen.iter().any(|(_, chosen)| chosen == value);
        let choice = if is_multi {
            VariableChoice::Toggle(name.clone(), value.clone())
        } else {
            VariableChoice::Set(name.clone(), vec![value.clone()])
        };
        entry(text, is_chosen, choice)
    };
    let options = one.options.iter().filter(|(_, value)| **value != *ALL).map(option);
    let more = if one.total > one.options.len() {
        format!(" ({} of {} values)", one.options.len(), one.total)
    } else {
        String::new()
    };
    let how = if is_multi { ", Enter adds or removes, Esc closes" } else { "" };
    ListedChoices {
        title: format!("{}{more}: type to search{how}", one.label()),
        entries: all.into_iter().chain(options).collect(),
    }
}

/// The chosen values with one more or one less.
fn toggled(one: &ShownVariable, value: &Text) -> Vec<Text> {
    let before = if one.state.is_all { &[][..] } else { &one.state.chosen[..] };
    let mut values: Vec<Text> = before.iter().map(|(_, value)| value.clone()).collect();
    match values.iter().position(|known| known == value) {
        Some(at) => {
            values.remove(at);
        }
        None => values.push(value.clone()),
    }
    if values.is_empty() {
        vec![if one.definition.includes_all { ALL.into() } else { value.clone() }]
    } else {
        values
    }
}
