//! The panels of an incident's page: one table with what each is called, where it stands, what Enter opens and how it is drawn.
//! What has no panel at a size is a section of the text there.

use super::panel::{Cockpit, CockpitPanel};
use super::{OpenIncident, budget, causes, changes, charts, logs, people, runbook, similar};
use crate::app::prelude::*;
use crate::app::refusal;
use crate::app::widgets::bar::panel;

type Write = fn(&Cockpit<'_>, u16) -> PageContent;
type Draw = fn(&Cockpit<'_>, Rect, &mut Buffer);

/// How a panel is drawn.
#[derive(Clone, Copy)]
enum PanelContent {
    /// It is the text of the page, or a list in it.
    OfPage,
    /// Charts with borders of their own.
    Charts(Draw),
    /// Lines of this width.
    Lines(Write),
    /// Lines, and a chart below them if there is room.
    LinesAndChart(Write, Draw),
}

/// A column of panels and the share of its rows, at one size.
type PanelPlace = Option<(usize, u16)>;

pub(super) struct PanelSpec {
    pub(super) panel: CockpitPanel,
    title: fn(&Cockpit<'_>) -> String,
    /// The answers whose age the title tells if they are stale.
    uses: &'static [AskKind],
    /// Where it stands in a large terminal, in three columns.
    pub(super) wide: PanelPlace,
    /// Where it stands in a terminal of usual size, in two columns.
    pub(super) usual: PanelPlace,
    /// What Enter opens, for the footer.
    pub(super) opens: &'static str,
    pub(super) place: fn(&OpenIncident, &Shared) -> Option<Place>,
    content: PanelContent,
}

/// The least rows of a chart below lines.
const CHART_BELOW: u16 = 6;

const OF_PAGE: PanelSpec = PanelSpec {
    panel: CockpitPanel::Page,
    title: |_| String::new(),
    uses: &[],
    wide: None,
    usual: None,
    opens: "service",
    place: OpenIncident::service_place,
    content: PanelContent::OfPage,
};

pub(super) const PANELS: [PanelSpec; 12] = [
    OF_PAGE,
    PanelSpec { panel: CockpitPanel::Alerts, opens: "alert", place: OpenIncident::alert_place, ..OF_PAGE },
    PanelSpec {
        panel: CockpitPanel::Chart,
        wide: Some((0, 15)),
        usual: Some((0, 16)),
        content: PanelContent::Charts(charts::draw_main),
        ..OF_PAGE
    },
    PanelSpec {
        panel: CockpitPanel::Signals,
        wide: Some((0, 8)),
        content: PanelContent::Charts(charts::draw_others),
        ..OF_PAGE
    },
    PanelSpec {
        panel: CockpitPanel::Why,
        title: |_| "Why".to_owned(),
        uses: &[AskKind::Why],
        wide: Some((1, 12)),
        usual: Some((1, 9)),
        opens: "causes",
        place: |screen, _| screen.why.clone().map(Place::Why),
        content: PanelContent::Lines(causes::likely),
    },
    PanelSpec {
        panel: CockpitPanel::Changes,
        title: |_| "Changed in the hour before".to_owned(),
        uses: &[AskKind::Changes],
        wide: Some((1, 9)),
        usual: Some((1, 7)),
        opens: "timeline",
        place: |_, _| Some(Place::Timeline),
        content: PanelContent::Lines(changes::beside),
    },
    PanelSpec {
        panel: CockpitPanel::Logs,
        title: logs::title,
        uses: &[AskKind::LogPatterns],
        wide: Some((0, 11)),
        usual: Some((0, 8)),
        opens: "log lines",
        place: |screen, shared| screen.logs_place(shared),
        content: PanelContent::Lines(logs::patterns),
    },
    PanelSpec {
        panel: CockpitPanel::People,
        title: |_| "People and escalation".to_owned(),
        uses: &[AskKind::OnCall],
        wide: Some((2, 10)),
        opens: "policy",
        place: people::place,
        content: PanelContent::Lines(people::levels),
        ..OF_PAGE
    },
    PanelSpec {
        panel: CockpitPanel::Slo,
        title: |_| "SLOs".to_owned(),
        uses: &[AskKind::Slos],
        wide: Some((2, 13)),
        opens: "SLO",
        place: budget::place,
        content: PanelContent::LinesAndChart(budget::slos, budget::burn_down),
        ..OF_PAGE
    },
    PanelSpec {
        panel: CockpitPanel::Dependencies,
        title: |_| "Dependencies".to_owned(),
        uses: &[AskKind::Why],
        wide: Some((2, 5)),
        opens: "dependency",
        place: causes::dependency_place,
        content: PanelContent::Lines(causes::dependencies),
        ..OF_PAGE
    },
    PanelSpec {
        panel: CockpitPanel::Similar,
        title: |_| "Similar earlier incidents".to_owned(),
        uses: &[AskKind::Incident],
        wide: Some((2, 6)),
        opens: "incident",
        place: similar::place,
        content: PanelContent::Lines(similar::earlier_ones),
        ..OF_PAGE
    },
    PanelSpec {
        panel: CockpitPanel::Runbook,
        title: runbook::title,
        wide: Some((1, 13)),
        usual: Some((1, 8)),
        opens: "read all",
        place: |screen, _| screen.runbook.clone().map(Place::Runbook),
        content: PanelContent::Lines(runbook::beginning),
        ..OF_PAGE
    },
];

/// The row of a panel in the table.
pub(super) fn spec(of: CockpitPanel) -> Option<&'static PanelSpec> {
    PANELS.get(of.index())
}

/// Whether a panel is a part of the text where it has no place of its own.
pub(super) fn is_section(of: CockpitPanel) -> bool {
    lines(of).is_some()
}

fn lines(of: CockpitPanel) -> Option<Write> {
    match spec(of)?.content {
        PanelContent::Lines(lines) | PanelContent::LinesAndChart(lines, _) => Some(lines),
        PanelContent::OfPage | PanelContent::Charts(_) => None,
    }
}

impl Cockpit<'_> {
    /// The title of a panel, with the age of what is stale in it.
    fn title(&self, spec: &PanelSpec) -> String {
        let stale = stale_sources(self.cx.shared, spec.uses, self.cx.now);
        let stale = stale.iter().find(|stale| !stale.is_partial && stale.age.is_some());
        let words =
            stale.and_then(|stale| Some(format!("{} {} old", stale.source, duration::short(stale.age?))));
        refusal::titled(self.cx, (spec.title)(self), words)
    }

    /// Draws a panel in its place.
    pub(super) fn draw(&self, of: CockpitPanel, area: Rect, buf: &mut Buffer) {
        let Some(spec) = spec(of) else { return };
        let (lines, chart) = match spec.content {
            PanelContent::OfPage => return,
            PanelContent::Charts(draw) => return draw(self, area, buf),
            PanelContent::Lines(lines) => (lines, None),
            PanelContent::LinesAndChart(lines, chart) => (lines, Some(chart)),
        };
        let inner = panel(self.cx, &self.title(spec), self.screen.panel() == of, area, buf);
        let page = lines(self, inner.width);
        let rows = u16::try_from(page.lines.len()).unwrap_or(u16::MAX).min(inner.height);
        let below = Rect { y: inner.y + rows, height: inner.height - rows, ..inner };
        let chart = chart.filter(|_| below.height >= CHART_BELOW);
        page.render(self.cx, 0, if chart.is_some() { Rect { height: rows, ..inner } } else { inner }, buf);
        if let Some(chart) = chart {
            chart(self, below, buf);
        }
    }

    /// Writes what has no panel at this size into the text.
    pub(super) fn write(&self, of: CockpitPanel, page: &mut PageContent) {
        let (Some(spec), Some(lines)) = (spec(of), lines(of)) else { return };
        page.section(self.cx, of.index(), &self.title(spec));
        page.lines.extend(lines(self, page.width).lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_panels_in_their_order() {
        for (index, spec) in PANELS.iter().enumerate() {
            assert_eq!((spec.panel.index(), CockpitPanel::at(index)), (index, spec.panel));
        }
        assert_eq!(CockpitPanel::at(99), CockpitPanel::Page);
    }
}
