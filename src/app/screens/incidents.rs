//! Incidents: who was woken for what, and who has it; open ones first, the resolved ones folded away.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::columns::names;
use crate::app::commands::{Command, Scope};
use crate::app::grouped::GroupedList;
use crate::app::identity::IncidentKey;
use crate::app::list::Grouping;
use crate::app::look::Cx;
use crate::app::place::Place;
use crate::app::screen::{Badge, Hint, Opened, Screen, lists_rows};
use crate::app::selection::{Handled, Selection};
use crate::app::shared::Shared;
use crate::app::subjects::incident::words::role;
use crate::app::subjects::{incident, runbook};
use crate::app::widgets::text;
use crate::model::ask::AskKind;
use crate::model::labels::Text;
use crate::model::runbook::Wanted;

pub mod columns;
mod view;

/// A row: the head of the incidents that have this in common, or an incident. It is empty for those that have nothing there.
pub type Row = crate::app::grouped::Row<IncidentKey, Text>;

/// The list of incidents.
#[derive(Debug, Default)]
pub struct Incidents {
    /// The rows.
    pub rows: GroupedList<IncidentKey, Text>,
    /// Whether resolved ones are shown, too.
    show_resolved: bool,
    /// How many resolved ones pass the filter but are folded away.
    hidden: usize,
    /// How many are shown, folded groups included.
    passing: usize,
    /// Cells of the longest service and of the longest names of people.
    widest: (u16, u16),
}

impl Screen for Incidents {
    fn scopes(&self) -> &'static [Scope] {
        &[Scope::List, Scope::Groups, Scope::Folds, Scope::Things, Scope::Acts]
    }

    fn hints(&self, _shared: &Shared) -> Vec<Hint> {
        vec![
            (Command::Open, "open"),
            (Command::Acknowledge, "ack"),
            (Command::Escalate, "escalate"),
            (Command::Resolve, "resolve"),
            (Command::Act, "do"),
            (Command::Filter, "filter"),
            (Command::Group, "group"),
            (Command::Fold, "resolved ones"),
        ]
    }

    fn render(&self, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
        view::render(self, shared, now, area, buf);
    }

    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let Shared { world, chronicle, .. } = shared;
        let rows = &mut self.rows;
        let revision = rows.found.revision(world.revision(), chronicle.revision());
        let haystack = || incident::haystack(world.incidents(), chronicle.now());
        let passes = rows.found.select(revision, is_typing, haystack);
        let mut shown = incident::ordered(world.incidents(), passes.as_deref(), rows.order);
        let all = shown.len();
        if !self.show_resolved {
            shown.retain(|known| known.is_shown_open());
        }
        (self.hidden, self.passing) = (all - shown.len(), shown.len());
        self.widest = shown.iter().fold((0, 0), |(services, people), known| {
            let its = incident::service(known).map_or(0, |name| text::width(name));
            let who = known.holders().first().map_or(0, |who| text::width(&who.name));
            (services.max(its), people.max(who))
        });
        let by = rows.grouped_by().unwrap_or_default().to_owned();
        rows.set(&shown, |known| IncidentKey::of(known), |known| incident::value_of(known, &by));
    }

    lists_rows!();

    fn show_hidden(&mut self, is_shown: Option<bool>) {
        self.show_resolved = is_shown.unwrap_or(!self.show_resolved);
    }

    fn orders(&self) -> Vec<&'static str> {
        names(&incident::ORDERS)
    }

    fn groupings(&self, _shared: &Shared) -> Vec<(String, Grouping)> {
        Grouping::by_each(incident::GROUPINGS.map(str::to_owned))
    }

    fn open(&mut self, _shared: &Shared) -> Opened {
        if self.rows.toggle() {
            return Opened::Folded;
        }
        self.rows.current().cloned().map(Place::Incident).into()
    }

    fn selection(&self, _shared: &Shared) -> Selection {
        Selection::Incidents(self.rows.chosen())
    }

    fn unmark(&mut self, handled: &Handled<'_>) {
        match handled {
            Handled::Incident { key, is_last } => self.rows.list.unmark(|row| match row {
                Row::Item(one) => one == *key,
                Row::Group(_) => *is_last,
            }),
            Handled::Alerts(_) | Handled::Silence(_) => {}
        }
    }

    fn copied(&self, shared: &Shared, _now: Timestamp) -> Option<String> {
        self.rows.copied(|key| key.incident(&shared.world).map(incident::said), ToString::to_string)
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        incident::links_of(shared, self.rows.current())
    }

    fn runbooks(&self, shared: &Shared) -> Vec<Wanted> {
        runbook::of_known_incident(shared, self.rows.current())
    }

    fn badge(&self, shared: &Shared, cx: &Cx<'_>) -> Badge {
        let open = shared.world.incidents().iter().filter(|known| known.incident.is_open());
        Badge {
            count: open.clone().count(),
            worst: open.clone().map(|known| role(known, cx.now)).min_by_key(|role| *role as usize),
            newest: open.map(|known| known.incident.created_at).max(),
            has_symbol: false,
        }
    }

    fn baseline(&self) -> Option<AskKind> {
        Some(AskKind::Incidents)
    }
}
