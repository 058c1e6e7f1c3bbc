//! One SLO: how its budget went and will go, how fast it burns, which conditions hold, what ate it, and how it is defined.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::commands::{Command, Scope};
use crate::app::due::Want;
use crate::app::event::Effect;
use crate::app::grid::Grid;
use crate::app::identity::SloKey;
use crate::app::list::{Cursor, List};
use crate::app::page::Page;
use crate::app::place::{Place, Spot, Tab};
use crate::app::screen::{About, Hint, Opened, Screen, keeps_spot};
use crate::app::selection::Selection;
use crate::app::shared::Shared;
use crate::app::subjects::slo::queries;
use crate::app::subjects::{alert, runbook};
use crate::model::duration;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::{Labels, Text};
use crate::model::runbook::Wanted;
use crate::model::slo::{BASIS, Burn, SloStatus, Standing};

mod page;
mod view;

/// The panel of the budget's course. Here and on the next one arrows scroll the page.
pub const BUDGET: usize = 0;
/// The panel of the burn over time.
pub const BURN: usize = 1;
/// The groups; the charts show the one under the cursor.
pub const GROUPS: usize = 2;
/// Alerts of the SLO.
pub const ALERTS: usize = 3;
/// Its queries.
pub const QUERIES: usize = 4;
/// How many panels there are.
pub const PANELS: usize = 5;

/// The burns that are told whatever is chosen.
const BASES: [Duration; 3] = [Duration::from_secs(300), BASIS, Duration::from_secs(6 * 3600)];

/// The SLO that is open.
#[derive(Debug)]
pub struct OpenSlo {
    key: Option<SloKey>,
    groups: List<Labels>,
    alerts: List<Fingerprint>,
    /// Its queries, by their place.
    queries: List<usize>,
    /// The lookback whose burn the forecast goes by.
    basis: Duration,
    spot: Spot,
}

impl Default for OpenSlo {
    fn default() -> Self {
        Self {
            key: None,
            groups: List::default(),
            alerts: List::default(),
            queries: List::default(),
            basis: BASIS,
            spot: Spot::default(),
        }
    }
}

impl OpenSlo {
    fn status<'a>(&self, shared: &'a Shared) -> Option<&'a SloStatus> {
        self.key.as_ref()?.status(&shared.world)
    }

    /// Whether there is something in a panel.
    fn has_rows(&self, panel: usize) -> bool {
        match panel {
            GROUPS => !self.groups.is_empty(),
            ALERTS => !self.alerts.is_empty(),
            QUERIES => !self.queries.is_empty(),
            _ => true,
        }
    }
}

/// The group that the charts show: the one under the cursor, else the worst.
fn shown<'a>(screen: &OpenSlo, status: &'a SloStatus) -> Option<&'a Standing> {
    let chosen = screen.groups.current();
    let chosen = chosen.and_then(|labels| status.groups.iter().find(|group| group.labels == *labels));
    chosen.or_else(|| status.worst())
}

fn following(standing: &Standing, basis: Duration) -> Option<Duration> {
    let present = standing.burn_near(basis)?.lookback;
    let known = || standing.burns.iter().filter(|burn| burn.rate.is_some()).map(|burn| burn.lookback);
    known().filter(|lookback| *lookback > present).min().or_else(|| known().min())
}

/// The burns that tell when the budget is gone, as far as they are measured, the shortest first: the usual ones and the one
/// that the forecast goes by.
fn bases(standing: &Standing, chosen: Duration) -> Vec<&Burn> {
    let usual = BASES.iter().chain([&chosen]).filter_map(|basis| standing.burn_near(*basis));
    let mut burns: Vec<&Burn> = usual.collect();
    burns.sort_by_key(|burn| burn.lookback);
    burns.dedup_by_key(|burn| burn.lookback);
    burns
}

impl About for OpenSlo {
    type Subject = SloKey;

    fn enter(&mut self, key: &SloKey) {
        self.key = Some(key.clone());
    }

    fn title(key: &SloKey, _shared: &Shared) -> String {
        key.id.to_string()
    }

    fn tab(_key: &SloKey) -> Option<Tab> {
        Some(Tab::Slos)
    }
}

impl Screen for OpenSlo {
    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Time, Scope::Slo, Scope::Things, Scope::Acts]
    }

    fn hints(&self, _shared: &Shared) -> Vec<Hint> {
        vec![
            (Command::Open, if self.spot.panel == ALERTS { "alert" } else { "service" }),
            (Command::NextPanel, "panel"),
            (Command::Basis, "forecast"),
            (Command::Range, "range"),
            (Command::Copy, "copy"),
            (Command::Back, "back"),
        ]
    }

    fn render(&self, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
        if let Some(key) = &self.key {
            view::render(self, shared, key, now, area, buf);
        }
    }

    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        self.key.as_ref().map_or_else(Vec::new, |key| queries::wants(shared, key, now))
    }

    fn reorder(&mut self, shared: &Shared, _is_typing: bool) {
        let Some(status) = self.status(shared) else {
            (self.groups, self.alerts, self.queries) = (List::default(), List::default(), List::default());
            return;
        };
        let is_split = status.groups.len() > 1;
        let groups = status.groups.iter().filter(|_| is_split).map(|group| group.labels.clone()).collect();
        let mut alerts: Vec<_> =
            status.alerts.iter().filter_map(|alert| shared.world.alert(*alert)).collect();
        alerts.sort_by_key(|one| alert::badness(one));
        self.groups.set_rows(groups);
        self.alerts.set_rows(alerts.into_iter().map(|alert| alert.fingerprint).collect());
        self.queries.set_rows((0..queries::queries(status, status.at).len()).collect());
        if !self.has_rows(self.spot.panel) {
            self.spot.panel = BUDGET;
        }
    }

    fn to_top(&mut self) {
        self.groups.to_top();
        self.alerts.to_top();
        self.queries.to_top();
    }

    keeps_spot!();

    fn panels(&self) -> usize {
        PANELS
    }

    fn has_panel(&self, _shared: &Shared, _body: Rect, panel: usize) -> bool {
        self.has_rows(panel)
    }

    fn has_panels_side_by_side(&self) -> bool {
        true
    }

    fn panel_at(&self, _shared: &Shared, body: Rect, cell: (u16, u16)) -> Option<usize> {
        view::chart_at(self, body, cell)
    }

    fn wheel_panel(&self) -> usize {
        if self.spot.panel > BURN { BUDGET } else { self.spot.panel }
    }

    fn list(&self) -> Option<&dyn Cursor> {
        match self.spot.panel {
            GROUPS => Some(&self.groups),
            ALERTS => Some(&self.alerts),
            QUERIES => Some(&self.queries),
            _ => None,
        }
    }

    fn list_mut(&mut self) -> Option<&mut dyn Cursor> {
        match self.spot.panel {
            GROUPS => Some(&mut self.groups),
            ALERTS => Some(&mut self.alerts),
            QUERIES => Some(&mut self.queries),
            _ => None,
        }
    }

    fn grid(&self, _shared: &Shared, body: Rect) -> Grid {
        Grid::list(view::text_area(self, body))
    }

    fn page(&self, shared: &Shared, width: u16) -> Option<Page> {
        // how many lines there are does not depend on the moment
        let status = self.status(shared);
        let laid_out = status.map(|status| page::page(self, shared, &shared.cx(status.at), status, width));
        Some(laid_out.unwrap_or_default())
    }

    /// The alert under the cursor, else its service.
    fn open(&mut self, shared: &Shared) -> Opened {
        if self.spot.panel == ALERTS {
            return self.alerts.current().copied().map(Place::Alert).into();
        }
        let service = self.status(shared).and_then(|status| status.service.as_ref());
        service.and_then(|name| shared.world.service(name)).map(|one| Place::Service(one.name.clone())).into()
    }

    fn selection(&self, shared: &Shared) -> Selection {
        Selection::of_slos(&shared.world, &self.key)
    }

    /// The query or the alert under the cursor, else the name.
    fn copied(&self, shared: &Shared, _now: Timestamp) -> Option<String> {
        match self.spot.panel {
            QUERIES => {
                let (at, status) = (*self.queries.current()?, self.status(shared)?);
                queries::queries(status, status.at).into_iter().nth(at).map(|(_, query)| query)
            }
            ALERTS => alert::labels_of(&shared.world, *self.alerts.current()?),
            _ => Some(self.key.as_ref()?.id.to_string()),
        }
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        alert::links(shared, self.alerts.current().copied())
    }

    fn runbooks(&self, shared: &Shared) -> Vec<Wanted> {
        match self.spot.panel {
            ALERTS => runbook::of_known_alert(shared, self.alerts.current().copied()),
            _ => runbook::of_known_slo(shared, self.key.as_ref()),
        }
    }

    /// Lets the forecast go by the next longer lookback that is measured, after the longest by the shortest.
    fn run(&mut self, shared: &mut Shared, command: Command, now: Timestamp) -> Option<Vec<Effect>> {
        if command != Command::Basis {
            return None;
        }
        let standing = self.status(shared).and_then(|status| self::shown(self, status));
        let said = match standing.and_then(|standing| following(standing, self.basis)) {
            Some(basis) => {
                self.basis = basis;
                format!("The forecast goes by the burn over {}", duration::short(basis))
            }
            None => "No burn of this SLO is measured".to_owned(),
        };
        shared.messages.note(said, now);
        Some(Vec::new())
    }
}

#[cfg(test)]
mod tests;
