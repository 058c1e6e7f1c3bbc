//! The page of one incident: who has it and when it escalates, the chart of what fails, why, what changed, the runbook, the SLO,
//! alerts, timeline, similar past incidents. What decides never scrolls; in a small terminal it is a few brief lines.

use crate::app::chart_control::ChartedTime;
use crate::app::detection;
use crate::app::identity::{WhySubject, WhyTarget};
use crate::app::layout as app_layout;
use crate::app::prelude::*;
use crate::app::range;
use crate::app::subjects::incident::remote;
use crate::app::subjects::runbook::RunbookText;
use crate::app::subjects::slo::queries::spending_wants;
use crate::app::subjects::{self, change, runbook, why};
use crate::model::ask::Moment;
use crate::model::incident::IncidentAlert;
use crate::model::remote::Freshness;
use crate::model::series::TimeGrid;
use crate::model::service::ServiceDetail;
use crate::model::why::Cause;
use layout::{CockpitLayout, layout};

mod head;
mod layout;
mod page;
mod panels;

/// The panel of alerts; panel 0 is the text.
pub const ALERTS: usize = 1;
/// The chart of the signal that is wrong, and the panels beside it.
const CHART: usize = 2;
const WHY: usize = 3;
const CHANGES: usize = 4;
const SLO: usize = 5;
const RUNBOOK: usize = 6;
/// The other signals; never focused.
const SIGNALS: usize = 7;

/// Below this width the next step is on the second line.
const NARROW: u16 = 100;
/// Points of the charts.
const POINTS: u16 = 240;
/// The charts of an incident that is over begin this long before it and end this long after it.
const CHART_MARGIN: jiff::SignedDuration = jiff::SignedDuration::from_mins(30);
/// The SLOs whose spent budget is queried.
const MAX_SLOS: usize = 2;

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
    fn parts(&self, body: Rect) -> CockpitLayout {
        layout(body, self.scroll_position.panel)
    }

    fn incident<'a>(&self, shared: &'a Shared) -> Option<&'a IncidentView> {
        self.subject.as_ref()?.incident(&shared.world)
    }

    /// What Enter opens.
    fn opens(&self) -> &'static str {
        match self.scroll_position.panel {
            ALERTS => "alert",
            WHY => "causes",
            CHANGES => "timeline",
            SLO => "SLO",
            RUNBOOK => "read all",
            _ => "service",
        }
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
        Acknowledge, Note, Silence, Escalate, Resolve, Why, Runbook, Act, Open self.opens(), NextPanel "panel", Links, Copy, Back
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
            right = head::next_step(cx, known).into_iter().collect();
        }
        let parts = self.parts(area);
        let [first, second] = parts.head;
        app_layout::heading(cx, &head::title(cx, known), &right, first, buf);
        text::runs(cx, &head::who_and_what(cx, known, is_narrow), second, buf);
        for part in &parts.panels {
            panels::draw(self, cx, known, *part, buf);
        }
        if let Some(brief) = parts.brief {
            panels::draw_brief(self, cx, known, brief, buf);
        }
        let page = page::page(self, cx, known, parts.text.width);
        page.render(cx, self.scroll_position.scroll, parts.text, buf);
    }

    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        let Some(key) = &self.subject else { return Vec::new() };
        let mut wants = subjects::incident::wants(shared, key);
        let Some(view) = key.incident(&shared.world) else { return wants };
        wants.extend(chart_wants(shared, view, now));
        wants.extend(detection::wants_of_one(shared, view));
        wants.extend(self.why.iter().flat_map(|target| why::wants(shared, target, now)));
        let since = age(view.incident.created_at, now).saturating_add(Duration::from_secs(3600));
        wants.extend(change::wants_since(shared, since, now));
        wants.extend(self.runbook.iter().filter_map(|wanted| runbook::wants(shared, wanted)));
        if self.parts(app_layout::areas(shared.size).body).panels.iter().any(|(panel, _)| *panel == SLO) {
            let slos = view.service.as_ref().map_or_else(Vec::new, |name| shared.world.slos_of(name));
            let slos = slos.into_iter().take(MAX_SLOS);
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
        self.runbook = runbook::once(runbook::of_incident(shared, known)).into_iter().next();
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
        let width = parts.panels.iter().find(|(panel, _)| *panel == RUNBOOK).map(|(_, area)| area.width);
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
        7;
        things {}
        others { ALERTS => alerts, }
    }

    fn wheel_panel(&self) -> usize {
        0
    }

    fn has_panel(&self, _shared: &Shared, body: Rect, panel: usize) -> bool {
        match panel {
            0 => true,
            ALERTS => !self.alerts.is_empty(),
            _ => self.parts(body).panels.iter().any(|(shown, _)| *shown == panel),
        }
    }

    fn panel_at(&self, _shared: &Shared, body: Rect, cell: (u16, u16)) -> Option<usize> {
        let parts = self.parts(body);
        let found = parts.panels.iter().find(|(_, area)| area.contains(cell.into()));
        found.map(|(panel, _)| *panel).filter(|panel| *panel != SIGNALS)
    }

    fn grid(&self, _shared: &Shared, body: Rect) -> Grid {
        Grid::list(self.parts(body).text)
    }

    fn charted(&self, shared: &Shared, now: Timestamp) -> Option<ChartedTime> {
        charted(self, shared, now)
    }

    fn page(&self, shared: &Shared, width: u16) -> Option<PageContent> {
        let known = self.incident(shared);
        // the layout does not depend on the time
        let laid_out =
            known.map(|known| page::page(self, &shared.cx(known.incident.created_at), known, width));
        Some(laid_out.unwrap_or_default())
    }

    /// Opens what the focused panel is about.
    fn open(&mut self, shared: &Shared) -> Opened {
        let Some(view) = self.incident(shared) else { return Opened::Nothing };
        let service = || view.service.as_ref().and_then(|name| shared.world.service(name));
        let place = match self.scroll_position.panel {
            ALERTS => self.current(shared).map(Place::Alert),
            WHY => self.why.clone().map(Place::Why),
            CHANGES => Some(Place::Timeline),
            SLO => service()
                .and_then(|one| shared.world.worst_slo_of(&one.name))
                .map(|one| Place::Slo(SloKey::of(one))),
            RUNBOOK => self.runbook.clone().map(Place::Runbook),
            _ => service().map(|one| Place::Service(one.name.clone())),
        };
        place.into()
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
    let live = shared.range.span(now, POINTS, shared.interval);
    let incident = &view.incident;
    let is_recent = incident.resolved_at.is_none() && incident.created_at >= live.start();
    if shared.range.end.is_some() || is_recent {
        return (live, shared.range.moment());
    }
    let start = incident.created_at.checked_sub(CHART_MARGIN).unwrap_or(incident.created_at);
    let end = incident.resolved_at.and_then(|at| at.checked_add(CHART_MARGIN).ok()).unwrap_or(now).min(now);
    let moment = if end < now { Moment::At(end) } else { Moment::Now };
    (TimeGrid::ending(end, age(start, end), POINTS, shared.interval), moment)
}

/// The queries of the charts, to each source that has the service.
fn chart_wants(shared: &Shared, view: &IncidentView, now: Timestamp) -> Vec<Want> {
    let Some(service) = view.service.as_ref().and_then(|name| shared.world.service(name)) else {
        return Vec::new();
    };
    let (window, moment) = window(shared, view, now);
    let asked = shared.answering(AskKind::Detail).filter(|source| service.chart_sources.contains(&source.id));
    let want = |source: &SourceId| {
        let cache = shared.world.cache(source);
        let detail = cache.and_then(|cache| cache.at(moment).details.get(&service.name)?.whole());
        let time_range = range::time_range(window, detail.map(|detail| detail.request_rate.span));
        want::at(shared, source, Query::Detail { service: service.name.clone(), time_range }, moment)
    };
    asked.map(|source| want(&source.id)).collect()
}

/// The history of the service, from the first source that has it for the time of the charts.
fn detail<'a>(shared: &'a Shared, view: &IncidentView, now: Timestamp) -> Option<&'a ServiceDetail> {
    let service = view.service.as_ref().and_then(|name| shared.world.service(name))?;
    let (window, moment) = window(shared, view, now);
    let cache = service.chart_sources.iter().filter_map(|id| shared.world.cache(id));
    let mut details = cache.filter_map(|cache| cache.at(moment).details.get(&service.name)?.value());
    details.find(|detail| detail.request_rate.span.step() == window.step())
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
