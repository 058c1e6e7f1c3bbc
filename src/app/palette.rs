//! The command palette: finds any command, screen, context, service, SLO, alert, incident or policy by fuzzy name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::commands::{Command, KeyMap, Scope};
use super::fuzzy::ranked;
use super::identity::{DashboardKey, DashboardTarget, IncidentKey, PolicyKey, SloKey};
use super::key::{Code, Key, NamedKey};
use super::line_editor::LineEditor;
use super::list::wrapped;
use super::menu::{ListedChoices, MenuChoice, MenuOutcome, PaletteEntry};
use super::place::{Place, Tab};
use super::subjects::slo::left_text;
use crate::model::guard::Guard;
use crate::model::labels::Text;
use crate::model::trace::TraceId;
use crate::model::world::World;

const MAX_RESULTS: usize = 50;

#[derive(Debug)]
pub struct Palette {
    /// What is chosen from.
    pub title: String,
    pub line: LineEditor,
    entries: Vec<PaletteEntry>,
    /// The trace whose id was typed or pasted, if the text is one.
    trace: Option<PaletteEntry>,
    /// The indexes of the results among `entries`, the best match first.
    found: Vec<usize>,
    pub at: usize,
}

impl Palette {
    /// A palette of everything that can be found now.
    pub fn new(world: &World, keys: &KeyMap, contexts: &[Text], scopes: &[Scope], guard: &Guard) -> Self {
        let mut entries = Vec::new();
        let mut add = |kind, name: String, hint: String, target| {
            entries.push(PaletteEntry { kind, name, hint, target });
        };
        for tab in Tab::ALL {
            add("screen", tab.title().to_owned(), tab.key().to_owned(), MenuChoice::Go(tab.place()));
        }
        for command in Command::all() {
            let may = guard.read_only.is_none() || !command.scope().writes();
            let works = command.scope() == Scope::Global || scopes.contains(&command.scope());
            if works && may && !matches!(command, Command::Go(_)) {
                let keys: Vec<String> = keys.of(command).iter().map(ToString::to_string).collect();
                let name = format!("{}: {}", command.name(), command.help());
                add("command", name, keys.join(" "), MenuChoice::Run(command));
            }
        }
        for service in world.services() {
            let (name, place) = (service.name.to_string(), Place::Service(service.name.clone()));
            add("service", name, service.health.word().to_owned(), MenuChoice::Go(place));
        }
        let are_shared = world.sources().filter(|(_, cache)| cache.slos().value().is_some()).count() > 1;
        for status in world.slos() {
            let source = if are_shared { format!(" {}", status.source) } else { String::new() };
            let hint = format!("{} {}", status.state().word(), left_text(status));
            let place = Place::Slo(SloKey::of(status));
            add("SLO", format!("{}{source}", status.slo.id), hint, MenuChoice::Go(place));
        }
        // thousands of pods may have the same alert: one entry per alert name and service, for the worst of them
        let mut alerts = BTreeMap::new();
        for alert in world.alerts() {
            let service = world.service_of(&alert.labels).map_or("", |name| name);
            let rank = |alert: &crate::model::alert::Alert| (alert.state, alert.severity, alert.starts_at);
            let kept = alerts.entry((alert.name(), service)).or_insert(alert);
            if rank(alert) < rank(kept) {
                *kept = alert;
            }
        }
        for ((name, service), alert) in alerts {
            let hint = format!("{} {}", alert.state, alert.severity.word());
            let place = Place::Alert(alert.fingerprint);
            add("alert", format!("{name} {service}"), hint, MenuChoice::Go(place));
        }
        for known in world.incidents() {
            let incident = &known.incident;
            let name = format!("#{} {}", incident.number, incident.subject());
            let place = Place::Incident(IncidentKey::of(known));
            add("incident", name, incident.status.word().to_owned(), MenuChoice::Go(place));
        }
        for (source, snapshot) in world.on_call() {
            for policy in &snapshot.policies {
                let place = Place::Policy(PolicyKey { source: source.clone(), id: policy.named.id.clone() });
                add("policy", policy.named.name.to_string(), source.to_string(), MenuChoice::Go(place));
            }
        }
        for item in super::subjects::dashboard::listed(world) {
            let folder = item.entry.folder.as_deref().unwrap_or_default().to_owned();
            let key = DashboardKey { source: item.source, uid: item.entry.uid.clone() };
            let place = Place::Dashboard(Arc::new(DashboardTarget::of(key)));
            add("board", item.entry.title.to_string(), folder, MenuChoice::Go(place));
        }
        for context in contexts {
            add("context", context.to_string(), String::new(), MenuChoice::Context(context.clone()));
        }
        Self::choosing(ListedChoices { title: "Command palette".to_owned(), entries })
    }

    /// A palette of these entries only.
    pub fn choosing(ListedChoices { title, entries }: ListedChoices) -> Self {
        let line = LineEditor::default();
        let mut palette = Self { title, line, entries, trace: None, found: Vec::new(), at: 0 };
        palette.search();
        palette
    }

    /// The same text is typed, and the cursor is on the same result, as in another one.
    pub fn continue_from(&mut self, other: (&str, usize)) {
        self.line = LineEditor::of(other.0);
        self.search();
        self.at = other.1.min(self.count().saturating_sub(1));
    }

    /// The results, the best match first.
    pub fn found(&self) -> impl ExactSizeIterator<Item = &PaletteEntry> {
        let found = self.found.iter().filter_map(|index| self.entries.get(*index));
        self.trace.iter().chain(found).collect::<Vec<_>>().into_iter()
    }

    fn count(&self) -> usize {
        self.found.len() + usize::from(self.trace.is_some())
    }

    pub fn take(&mut self, key: Key) -> MenuOutcome {
        match key.code {
            Code::Named(NamedKey::Esc) => return MenuOutcome::Closed,
            Code::Named(NamedKey::Up) => self.at = wrapped(self.at, -1, self.count()),
            Code::Named(NamedKey::Down | NamedKey::Tab) => self.at = wrapped(self.at, 1, self.count()),
            Code::Named(NamedKey::Enter) => return self.choose(self.at),
            Code::Named(_) | Code::Char(_) => {
                if self.line.take(key) {
                    self.search();
                }
            }
        }
        MenuOutcome::Open
    }

    pub fn paste(&mut self, text: &str) {
        self.line.insert(text);
        self.search();
    }

    pub fn choose(&self, index: usize) -> MenuOutcome {
        let entry = self.found().nth(index);
        entry.map_or(MenuOutcome::Open, |entry| MenuOutcome::Chosen(entry.target.clone()))
    }

    fn search(&mut self) {
        self.at = 0;
        self.trace = trace(self.line.text());
        if self.line.text().trim().is_empty() {
            self.found = (0..self.entries.len().min(MAX_RESULTS)).collect();
            return;
        }
        let names = self.entries.iter().map(|entry| &*entry.name);
        self.found = ranked(self.line.text(), names).into_iter().take(MAX_RESULTS).collect();
    }
}

/// The entry of the trace with this id; `None` if the text is none. A short word such as `feed` is not taken for an id.
fn trace(text: &str) -> Option<PaletteEntry> {
    const SHORTEST: usize = 12;
    let id = TraceId::parse(text).filter(|_| text.trim().len() >= SHORTEST)?;
    let target = MenuChoice::Go(Place::Trace(id));
    Some(PaletteEntry { kind: "trace", name: id.to_string(), hint: String::new(), target })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_trace_id_opens_the_trace() {
        let mut palette = Palette::new(&World::default(), &KeyMap::default(), &[], &[], &Guard::default());
        palette.paste("4BF92F3577B34DA6A3CE929D0E0E4736");
        let id = TraceId::parse("4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
        assert_eq!(
            palette.take(Key::named(NamedKey::Enter)),
            MenuOutcome::Chosen(MenuChoice::Go(Place::Trace(id)))
        );
        palette.paste("0");
        assert_eq!(palette.found().len(), 0, "33 digits are no id");
    }

    #[test]
    fn a_short_word_is_no_trace_id() {
        let mut palette = Palette::new(&World::default(), &KeyMap::default(), &[], &[], &Guard::default());
        palette.paste("feed");
        assert!(palette.found().all(|entry| entry.kind != "trace"));
    }

    #[test]
    fn a_few_letters_find_a_command_and_enter_runs_it() {
        let mut palette =
            Palette::new(&World::default(), &KeyMap::default(), &["prod".into()], &[], &Guard::default());
        for c in "theme".chars() {
            palette.take(Key::char(c));
        }
        assert_eq!(
            palette.take(Key::named(NamedKey::Enter)),
            MenuOutcome::Chosen(MenuChoice::Run(Command::Theme))
        );
    }

    #[test]
    fn commands_that_do_not_work_here_are_not_offered() {
        let palette = Palette::new(&World::default(), &KeyMap::default(), &[], &[], &Guard::default());
        assert!(!palette.found().any(|entry| entry.target == MenuChoice::Run(Command::Group)));
    }
}
