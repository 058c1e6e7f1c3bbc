//! A menu: choose one of several orders, groupings, ranges, themes, contexts, links, runbooks or actions.

use std::time::Duration;

use super::commands::Command;
use super::explore_choice::ExploreChoice;
use super::intent::Intent;
use super::key::{Code, Key, NamedKey};
use super::list::{Grouping, wrapped};
use super::place::Place;
use crate::model::labels::Text;

/// What an item does when it is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MenuChoice {
    /// Sort the current list by this column.
    Sort(usize),
    /// Group the rows of the current list like this.
    Group(Grouping),
    Range(Duration),
    /// Use the theme with this index.
    Theme(usize),
    Context(Text),
    Link(Text),
    Go(Place),
    Run(Command),
    /// Do this in Explore.
    Explore(Box<ExploreChoice>),
    /// Choose a value of a dashboard's variable.
    Variable(Box<VariableChoice>),
    /// Start this action on what was selected when the menu was opened.
    Intent(Box<Intent>),
    /// Nothing: the action is not available, for this reason.
    Cannot(Text),
}

/// What an item of the menu of variables does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableChoice {
    /// List the values of the variable with this name.
    Open(Text),
    /// Type a text for it.
    Type(Text),
    /// Choose these values.
    Set(Text, Vec<Text>),
    /// Add or remove a value.
    Toggle(Text, Text),
}

/// One entry that can be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaletteEntry {
    /// The type: "command", "screen", "service", "SLO", "alert", "incident", "policy", "board" for a dashboard, "context", "trace".
    pub kind: &'static str,
    /// The text that is searched.
    pub name: String,
    /// The text at the right: the keys of a command, the health of a service.
    pub hint: String,
    pub target: MenuChoice,
}

/// Entries to choose from by typing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedChoices {
    /// What is chosen from.
    pub title: String,
    pub entries: Vec<PaletteEntry>,
}

impl From<VariableChoice> for MenuChoice {
    fn from(choice: VariableChoice) -> Self {
        Self::Variable(Box::new(choice))
    }
}

impl From<Intent> for MenuChoice {
    fn from(intent: Intent) -> Self {
        Self::Intent(Box::new(intent))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    pub title: String,
    /// The items: label and effect.
    pub items: Vec<(String, MenuChoice)>,
    /// The index of the item under the cursor.
    pub at: usize,
    opened_at: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MenuOutcome {
    Open,
    Closed,
    Chosen(MenuChoice),
}

impl Menu {
    /// A menu with the cursor on the current setting.
    pub fn new(title: impl Into<String>, items: Vec<(String, MenuChoice)>, at: usize) -> Self {
        Self { title: title.into(), items, at, opened_at: at }
    }

    /// Handles a key: arrows and `jk` move, a digit or Enter chooses, Esc and `q` close.
    pub fn take(&mut self, key: Key) -> MenuOutcome {
        let last = self.items.len().saturating_sub(1);
        match key.code {
            Code::Named(NamedKey::Up) | Code::Char('k') => self.at = wrapped(self.at, -1, self.items.len()),
            Code::Named(NamedKey::Down | NamedKey::Tab) | Code::Char('j') => {
                self.at = wrapped(self.at, 1, self.items.len());
            }
            Code::Named(NamedKey::Home | NamedKey::PageUp) | Code::Char('g') => self.at = 0,
            Code::Named(NamedKey::End | NamedKey::PageDown) | Code::Char('G') => self.at = last,
            Code::Named(NamedKey::Enter) => return self.choose(self.at),
            Code::Named(NamedKey::Esc | NamedKey::Backspace) | Code::Char('q') => return MenuOutcome::Closed,
            Code::Char(c) if c.is_ascii_digit() && c != '0' => {
                let index = c.to_digit(10).map_or(0, |digit| digit as usize - 1);
                return self.choose(index);
            }
            Code::Named(_) | Code::Char(_) => {}
        }
        MenuOutcome::Open
    }

    pub fn choose(&self, index: usize) -> MenuOutcome {
        self.items.get(index).map_or(MenuOutcome::Open, |(_, choice)| MenuOutcome::Chosen(choice.clone()))
    }

    pub fn current(&self) -> Option<&MenuChoice> {
        self.items.get(self.at).map(|(_, choice)| choice)
    }

    /// The item that the cursor was on when the menu was opened: the setting before any preview.
    pub fn before(&self) -> Option<&MenuChoice> {
        self.items.get(self.opened_at).map(|(_, choice)| choice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_goes_round_and_digits_choose() {
        let items = (0..3).map(|i| (i.to_string(), MenuChoice::Theme(i))).collect();
        let mut menu = Menu::new("Theme", items, 0);
        assert_eq!(menu.take(Key::char('k')), MenuOutcome::Open);
        assert_eq!(menu.take(Key::named(NamedKey::Enter)), MenuOutcome::Chosen(MenuChoice::Theme(2)));
        assert_eq!(
            (menu.current(), menu.before()),
            (Some(&MenuChoice::Theme(2)), Some(&MenuChoice::Theme(0)))
        );
        assert_eq!(menu.take(Key::char('2')), MenuOutcome::Chosen(MenuChoice::Theme(1)));
        assert_eq!(menu.take(Key::char('9')), MenuOutcome::Open);
        assert_eq!(menu.take(Key::named(NamedKey::Esc)), MenuOutcome::Closed);
    }
}
