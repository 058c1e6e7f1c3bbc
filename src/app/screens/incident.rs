//! The page of one incident: who has it and when it escalates, the chart of what fails, why, what changed, the runbook, the SLO,
//! alerts, timeline, similar past incidents. What decides never scrolls; in a small terminal it is a few brief lines.

use jiff::SignedDuration;

use crate::app::chart_control::ChartedTime;
use crate::app::detection;
use crate::app::explore_choice::ChartQuery;
use crate::app::identity::{WhySubject, WhyTarget};
use crate::app::layout as app_layout;
use crate::app::log_subject::LogSubject;
use crate::app::page::scroll_to;
use crate::app::prelude::*;
use crate::app::subjects::incident::remote;
use crate::app::subjects::runbook::RunbookText;
use crate::app::subjects::service::charts as service_charts;
use crate::app::subjects::slo::queries::spending_wants;
use crate::app::subjects::{self, change, why};
use crate::model::ask::Moment;
use crate::model::incident::IncidentAlert;
use crate::model::remote::Freshness;
use crate::model::series::TimeGrid;
use crate::model::why::Cause;
use layout::{CockpitLayout, layout};
use panel::Cockpit;
pub use panel::CockpitPanel;

mod brief;
mod budget;
mod causes;
mod changes;
mod charts;
mod escalation;
mod head;
mod layout;
mod logs;
mod page;
mod panel;
mod panels;
mod people;
mod runbook;
mod similar;

/// The panel of alerts; panel 0 is the text.
pub const ALERTS: usize = CockpitPanel::Alerts.index();

/// Below this width the next step is on the second line.
const NARROW: u16 = 100;
/// The charts of an incident that is over begin this long before it and end this long after it.
const CHART_MARGIN: SignedDuration = SignedDuration::from_mins(30);

/// An alert of an incident.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum IncidentAlertRow {
    /// An alert that the paging system reports, by its id there.
    Reported(Text),
    /// A monitored alert that belongs to the incident by its labels, but is not reported by the paging system.
    Linked(Fingerprint),
}

#[derive(Debug, Default)]
pub struct OpenIncident {
    pub(super) subject: Option<IncidentKey>,
    alerts: List<IncidentAlertRow>,
    /// The question about its causes, and the ranked answer.
    why: Option<WhyTarget>,
    causes: Vec<Cause>,
    /// Its logs; `None` if nothing tells which ones are its.
    logs: Option<Arc<LogSubject>>,
    /// The most fitting runbook, and its text for the panel.
    runbook: Option<Arc<RunbookQuery>>,
    runbook_text: RunbookText,
    scroll_position: ScrollPosition,
}

/// The alert with this id that the paging system reports for the incident.
fn reported<'a>(shared: &'a Shared, view: &IncidentView, id: &str) -> Option<&'a IncidentAlert> {
    shared.world.incident_detail(view)?.alerts.iter().find(|alert| *alert.id == *id)
}

impl OpenIncident {
    /// The focused panel.
    fn panel(&self) -> CockpitPanel {
        CockpitPanel::at(self.scroll_position.panel)
    }

    fn parts(&self, body: Rect) -> CockpitLayout {
        layout(body, self.panel())
    }

    fn incident<'a>(&self, shared: &'a Shared) -> Option<&'a IncidentView> {
        self.subject.as_ref()?.incident(&shared.world)
    }

    /// What Enter opens, for the footer.
    fn opens(&self) -> &'static str {
        panels::spec(self.panel()).map_or("", |spec| spec.opens)
    }

    fn service_place(&self, shared: &Shared) -> Option<Place> {
        let name = self.incident(shared)?.service.as_ref()?;
        shared.world.service(name).map(|one| Place::Service(one.name.clone()))
    }

    fn alert_place(&self, shared: &Shared) -> Option<Place> {
        self.current(shared).map(Place::Alert)
    }

    /// The monitored alert under the cursor.
    fn current(&self, shared: &Shared) -> Option<Fingerprint> {
        match self.alerts.current()? {
            IncidentAlertRow::Reported(id) => {
                shared.world.alert_of(reported(shared, self.incident(shared)?, id)?)
            }
            IncidentAlertRow::Linked(fingerprint) => Some(*fingerprint),
        }
    }
}

impl SubjectScreen for OpenIncident {
    type Subject = IncidentKey;
    const TAB: Option<Tab> = Some(Tab::Incidents);

    fn title(key: &IncidentKey, shared: &Shared) -> String {
        match key.incident(&shared.world) {
            Some(known) => format!("#{}", known.incident.number),
            None => "incident no longer listed".to_owned(),
        }
    }
}

impl Screen for OpenIncident {
    offers! { self [Time, Charts, AnyAction, IncidentActions]:
        Acknowledge, Note, Silence, Escalate, Resolve, Why, Logs, Runbook, Act, Open self.opens(), NextPanel "panel", Links, Copy,
        Back
    }

    fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
        let Some(known) = self.incident(cx.shared) else {
            let words = "This incident is no longer listed by its source. Press Esc to go back.";
            text::say(cx, 1, words, Role::Unknown, area, buf);
            return;
        };
        let mut right = app_layout::staleness_runs(cx.shared, &USED, cx.now);
        if right.is_empty() {
            right = failure(cx, known);
        }
        // in a narrow terminal the first line has no room for the next step: it begins the second one
        let is_narrow = area.width < NARROW;
        if right.is_empty() && !is_narrow {
            right = escalation::next_step(cx, known).into_iter().collect();
        }
        let parts = self.parts(area);
        let [first, second] = parts.head;
        app_layout::heading(cx, &head::title(cx, known), &right, first, buf);
        text::runs(cx, &head::who_and_what(cx, known, is_narrow), second, buf);
        let cockpit = Cockpit { screen: self, cx, view: known };
        for (panel, area) in &parts.panels {
            cockpit.draw(*panel, *area, buf);
        }
        if let Some(brief) = parts.brief {
            brief::draw(&cockpit, brief, buf);
        }
        page::page(&cockpit, &parts).render(cx, self.scroll_position.scroll, parts.text, buf);
    }

    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        let Some(key) = &self.subject else { return Vec::new() };
        let mut wants = subjects::incident::wants(shared, key);
        let Some(view) = key.incident(&shared.world) else { return wants };
        wants.extend(detection::wants_of_one(shared, view));
        let service = view.service.as_ref();
        if let (Some(name), Some(time)) = (service, charted(self, shared, now)) {
            let whole = (time, window(shared, view, now).1);
            wants.extend(service_charts::wants_over(shared, name, whole, now));
        }
        wants.extend(self.why.iter().flat_map(|target| why::wants(shared, target, now)));
        let since = age(view.incident.created_at, now).saturating_add(Duration::from_secs(3600));
        wants.extend(change::wants_since(shared, since, now));
        wants.extend(self.logs.iter().flat_map(|logs| logs::wants(shared, logs, &view.incident, now)));
        wants.extend(self.runbook.iter().filter_map(|wanted| subjects::runbook::wants(shared, wanted)));
        if self.parts(app_layout::areas(shared.size).body).has(CockpitPanel::Slo) {
            let slos = service.map_or_else(Vec::new, |name| shared.world.slos_of(name));
            let slos = slos.into_iter().take(budget::MAX_SLOS);
            wants.extend(slos.flat_map(|status| spending_wants(shared, &SloKey::of(status), now)));
        }
        wants
    }

    /// The alerts of the incident: those that the paging system reports, then the other ones that belong to it.
    fn reorder(&mut self, shared: &Shared, _is_typing: bool) {
        let Some(known) = self.incident(shared) else {
            self.alerts = List::default();
            self.scroll_position.panel = 0;
            return;
        };
        let detail = shared.world.incident_detail(known);
        let reported = detail.map_or(&[][..], |detail| &detail.alerts);
        let found: Vec<Fingerprint> =
            reported.iter().filter_map(|alert| shared.world.alert_of(alert)).collect();
        let others = known.alerts.iter().filter(|alert| !found.contains(alert)).copied();
        let reported = reported.iter().map(|alert| IncidentAlertRow::Reported(alert.id.clone()));
        let rows: Vec<IncidentAlertRow> = reported.chain(others.map(IncidentAlertRow::Linked)).collect();
        let runbooks = subjects::runbook::of_incident(shared, known);
        self.runbook = subjects::runbook::once(runbooks).into_iter().next();
        self.logs = subjects::logs::of_incident(shared, known).map(Arc::new);
        self.alerts.set_rows(rows);
        self.leave_empty_panel();
    }

    fn lay_out(&mut self, shared: &Shared, _is_news: bool, now: Timestamp) {
        let Some(key) = self.subject.clone() else { return };
        // an analysis belongs to one beginning: the question stays the same while the incident is open
        self.why = why::target(&shared.world, WhySubject::Incident(key), now);
        let analysis = self.why.as_ref().and_then(|target| why::found(&shared.world, target).analysis);
        self.causes = match (&self.why, analysis) {
            (Some(target), Some(analysis)) => why::ranked(&shared.world, target, analysis),
            (_, None) | (None, _) => Vec::new(),
        };
        let parts = self.parts(app_layout::areas(shared.size).body);
        let its = |(panel, _): &&(CockpitPanel, Rect)| *panel == CockpitPanel::Runbook;
        let width = parts.panels.iter().find(its).map(|(_, area)| area.width);
        if width.is_none() {
            // the text of the page has only its address
            self.runbook_text = RunbookText::default();
        }
        if let (Some(wanted), Some(width)) = (&self.runbook, width) {
            self.runbook_text.lay_out(shared, wanted, width.saturating_sub(3));
        }
    }

    fn leave(&mut self) {
        (self.why, self.causes, self.runbook_text) = (None, Vec::new(), RunbookText::default());
    }

    fn to_top(&mut self) {
        self.alerts.to_top();
    }

    keeps_scroll_position!();

    lists_panels! {
        12;
        things {}
        others { ALERTS => alerts, }
    }

    fn wheel_panel(&self) -> usize {
        0
    }

    fn has_panel(&self, _shared: &Shared, body: Rect, panel: usize) -> bool {
        match CockpitPanel::at(panel) {
            CockpitPanel::Page => true,
            CockpitPanel::Alerts => !self.alerts.is_empty(),
            CockpitPanel::Signals => false,
            panel => panels::is_section(panel) || self.parts(body).has(panel),
        }
    }

    fn panel_at(&self, _shared: &Shared, body: Rect, cell: (u16, u16)) -> Option<usize> {
        let parts = self.parts(body);
        let found = parts.panels.iter().find(|(_, area)| area.contains(cell.into()));
        found
            .map(|(panel, _)| *panel)
            .filter(|panel| *panel != CockpitPanel::Signals)
            .map(CockpitPanel::index)
    }

    /// Scrolls to the section or the list that was just focused.
    fn show_panel(&mut self, shared: &Shared, area: Rect) {
        let ScrollPosition { panel, scroll } = self.scroll_position;
        let Some(page) = self.page(shared, area.width) else { return };
        let scroll = match (page.section_line(panel), self.panel()) {
            (Some(line), _) => u16::try_from(line).unwrap_or(u16::MAX).min(page.last_scroll(area.height)),
            (None, CockpitPanel::Alerts) => {
                let line = page.line_of(panel, self.alerts.index());
                line.map_or(scroll, |line| scroll_to(line, scroll, area.height))
            }
            (None, _) => scroll,
        };
        self.scroll_position.scroll = scroll;
    }

    fn grid(&self, _shared: &Shared, body: Rect) -> Grid {
        Grid::list(self.parts(body).text)
    }

    fn charted(&self, shared: &Shared, now: Timestamp) -> Option<ChartedTime> {
        charted(self, shared, now)
    }

    fn page(&self, shared: &Shared, _width: u16) -> Option<PageContent> {
        let parts = self.parts(app_layout::areas(shared.size).body);
        // the number of lines does not depend on the time, but for a handoff or two
        let laid_out = self.incident(shared).map(|view| {
            let cx = &shared.cx(view.incident.created_at);
            page::page(&Cockpit { screen: self, cx, view }, &parts)
        });
        Some(laid_out.unwrap_or_default())
    }

    /// Opens what the focused panel is about.
    fn open(&mut self, shared: &Shared) -> Opened {
        panels::spec(self.panel()).and_then(|spec| (spec.place)(self, shared)).into()
    }

    fn shown_logs(&self, _shared: &Shared) -> Option<LogSubject> {
        self.logs.as_deref().cloned()
    }

    fn chart_queries(&self, shared: &Shared, now: Timestamp) -> Vec<ChartQuery> {
        let view = self.incident(shared);
        let name = view.and_then(|view| Some((view, view.service.as_ref()?)));
        name.map_or_else(Vec::new, |(view, name)| {
            service_charts::queries(shared, name, window(shared, view, now).1)
        })
    }

    fn selection(&self, _shared: &Shared) -> Selection {
        Selection::Incidents(self.subject.iter().cloned().collect())
    }

    fn alerts_to_silence(&self, shared: &Shared) -> Option<Vec<Fingerprint>> {
        (self.scroll_position.panel == ALERTS).then(|| self.current(shared).into_iter().collect())
    }

    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String> {
        let known = self.incident(shared)?;
        if self.scroll_position.panel != ALERTS {
            return Some(subjects::incident::said(known));
        }
        match self.alerts.current()? {
            IncidentAlertRow::Reported(id) => {
                let alert = reported(shared, known, id)?;
                let labels = (!alert.labels.is_empty()).then(|| alert.labels.to_string());
                Some(labels.unwrap_or_else(|| alert.summary.to_string()))
            }
            IncidentAlertRow::Linked(fingerprint) => fingerprint.copied(shared, now),
        }
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        self.subject.as_ref().map_or_else(Vec::new, |key| key.links(shared))
    }

    fn runbooks(&self, shared: &Shared) -> Vec<RunbookQuery> {
        match (self.current(shared).filter(|_| self.scroll_position.panel == ALERTS), &self.subject) {
            (Some(alert), _) => alert.runbooks(shared),
            (None, Some(key)) => key.runbooks(shared),
            (None, None) => Vec::new(),
        }
    }

    fn moment(&self, shared: &Shared) -> Option<Timestamp> {
        self.incident(shared).map(|known| known.incident.created_at)
    }
}

/// The kinds of answers that the screen uses, besides the incident's details.
const USED: [AskKind; 1] = [AskKind::Incidents];

/// A warning if the details of the incident are stale or could not be loaded.
fn failure(cx: &ScreenCx<'_>, view: &IncidentView) -> Vec<StyledRun<'static>> {
    let incident = &view.incident;
    let Some(remote) = remote(cx.shared, view) else { return Vec::new() };
    let topic = Topic::Incident(incident.id.clone());
    let words = match cx.shared.scheduler.freshness(&incident.source, &topic, remote, cx.now) {
        Freshness::NotAsked | Freshness::Loading | Freshness::Fresh => return Vec::new(),
        Freshness::Failed => remote.failure().map_or_else(|| "no answer".to_owned(), ToString::to_string),
        Freshness::Stale(age) => format!("details {} old", duration::short(age)),
    };
    vec![StyledRun::new(format!("{} {words}", cx.symbol(Role::Stale)), Role::Stale)]
}

/// The time of the charts: the range of the screen if the incident began in it, else from before the incident to after it.
fn window(shared: &Shared, view: &IncidentView, now: Timestamp) -> (TimeGrid, Moment) {
    let live = shared.range.span(now, service_charts::POINTS, shared.interval);
    let incident = &view.incident;
    let is_recent = incident.resolved_at.is_none() && incident.created_at >= live.start();
    if shared.range.end.is_some() || is_recent {
        return (live, shared.range.moment());
    }
    let start = incident.created_at.checked_sub(CHART_MARGIN).unwrap_or(incident.created_at);
    let end = incident.resolved_at.and_then(|at| at.checked_add(CHART_MARGIN).ok()).unwrap_or(now).min(now);
    let moment = if end < now { Moment::At(end) } else { Moment::Now };
    (TimeGrid::ending(end, age(start, end), service_charts::POINTS, shared.interval), moment)
}

/// The time of the charts, and when the trouble began: the first change of the service in the hour before, else the incident.
fn charted(screen: &OpenIncident, shared: &Shared, now: Timestamp) -> Option<ChartedTime> {
    let view = screen.incident(shared)?;
    let grid = window(shared, view, now).0;
    let own = change::beside(&shared.world, view.service.as_deref(), view.incident.created_at);
    let own = own.into_iter().filter(|one| view.service.as_ref().is_some_and(|service| one.is_of(service)));
    let event = own.map(|one| one.at).chain([view.incident.created_at]).filter(|at| *at > grid.start()).min();
    Some(ChartedTime { grid, event })
}
