//! The page of one incident: responders, next escalation, log, alerts, similar past incidents.

use crate::app::prelude::*;
use crate::app::subjects;
use crate::app::subjects::incident::{remote, words};
use crate::app::subjects::service::charts;
use crate::app::widgets::chart::ChartMark;
use crate::model::incident::{IncidentAlert, IncidentStatus};
use crate::model::remote::Freshness;
use crate::model::service::Service;

mod page;

/// The panel of alerts; panel 0 is the page.
pub const ALERTS: usize = 1;

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
    scroll_position: ScrollPosition,
}

/// The alert with this id that the paging system reports for the incident.
fn reported<'a>(shared: &'a Shared, view: &IncidentView, id: &str) -> Option<&'a IncidentAlert> {
    shared.world.incident_detail(view)?.alerts.iter().find(|alert| *alert.id == *id)
}

impl OpenIncident {
    fn incident<'a>(&self, shared: &'a Shared) -> Option<&'a IncidentView> {
        self.subject.as_ref()?.incident(&shared.world)
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
        Acknowledge, Note, Silence, Escalate, Resolve, Runbook, Act,
        Open if self.scroll_position.panel == ALERTS { "alert" } else { "service" }, NextPanel "alerts",
        CursorBack "values", WholeRange "zoom", Links, Copy, Back
    }

    fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
        let Some(known) = self.incident(cx.shared) else {
            let words = "This incident is no longer listed by its source. Press Esc to go back.";
            text::say(cx, 1, words, Role::Unknown, area, buf);
            return;
        };
        let mut doubt = layout::staleness_runs(cx.shared, &USED, cx.now);
        if doubt.is_empty() {
            doubt = failure(cx, known);
        }
        let rest = layout::heading(cx, &title(cx, known), &doubt, area, buf);
        text::runs(cx, &status_line(cx, known), Rect { height: 1.min(rest.height), ..rest }, buf);
        let Layout { charts, page: below } = self.parts(cx.shared, area);
        if let Some(service) = self.service(cx.shared).filter(|_| charts.height > 0) {
            Self::draw_charts(cx, known, service, charts, buf);
        }
        let page = page::page(self, cx, known, below.width);
        page.render(cx, self.scroll_position.scroll, below, buf);
    }

    /// The details of the incident, and the history of its service if that is shown.
    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        let Some(key) = &self.subject else { return Vec::new() };
        let mut wants = subjects::incident::wants(shared, key);
        let has_charts = self.parts(shared, layout::areas(shared.size).body).charts.height > 0;
        if let Some(service) = self.service(shared).filter(|_| has_charts) {
            wants.extend(charts::wants(shared, &service.name, now));
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
        self.alerts.set_rows(rows);
        self.leave_empty_panel();
    }

    fn to_top(&mut self) {
        self.alerts.to_top();
    }

    keeps_scroll_position!();

    lists_panels! {
        2;
        things {}
        others { ALERTS => alerts, }
    }

    fn wheel_panel(&self) -> usize {
        0
    }

    fn grid(&self, shared: &Shared, body: Rect) -> Grid {
        Grid::list(self.parts(shared, body).page)
    }

    fn page(&self, shared: &Shared, width: u16) -> Option<PageContent> {
        let known = self.incident(shared);
        // the layout does not depend on the time
        let laid_out =
            known.map(|known| page::page(self, &shared.cx(known.incident.created_at), known, width));
        Some(laid_out.unwrap_or_default())
    }

    fn open(&mut self, shared: &Shared) -> Opened {
        if self.scroll_position.panel == ALERTS {
            return self.current(shared).map(Place::Alert).into();
        }
        let service = self.incident(shared).and_then(|known| known.service.as_ref());
        service.and_then(|name| shared.world.service(name)).map(|one| Place::Service(one.name.clone())).into()
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

    /// That of its service's charts. The incident is what began.
    fn charted(&self, shared: &Shared, now: Timestamp) -> Option<ChartedTime> {
        let known = self.incident(shared)?;
        Some(Self::time(shared, known, self.service(shared)?, now))
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

fn title(cx: &Cx<'_>, view: &IncidentView) -> Vec<StyledRun<'static>> {
    let role = words::role(view, cx.now);
    vec![
        StyledRun::new(format!(" {} #{} ", cx.symbol(role), view.incident.number), role),
        StyledRun::new(view.incident.title.to_string(), Role::Title),
    ]
}

/// The status line: status and its age, urgency, assignee, next automatic step; the most important first.
fn status_line(cx: &ScreenCx<'_>, view: &IncidentView) -> Vec<StyledRun<'static>> {
    let incident = &view.incident;
    let role = words::role(view, cx.now);
    let since = match (incident.status, incident.resolved_at) {
        (IncidentStatus::Triggered, _) => incident.created_at,
        (IncidentStatus::Acknowledged, _) => view.acknowledged_at().unwrap_or(incident.changed_at),
        (IncidentStatus::Resolved, at) => at.unwrap_or(incident.changed_at),
    };
    let mut runs =
        vec![StyledRun::new(format!("   {} {} ago  ", incident.status.word(), ago(since, cx.now)), role)];
    if let Some(sending) = words::sending(view, cx) {
        let kind = view.optimistic.map_or("", |optimistic| optimistic.kind.name());
        runs.push(StyledRun::new(format!("{} {kind} {sending}  ", cx.symbol(Role::Sending)), Role::Sending));
    }
    runs.push(StyledRun::new(format!("{}  ", words::priority_and_urgency(view)), Role::Text));
    let who = words::who(cx, view);
    let nobody = if who.role == Role::Down { " assigned" } else { "" };
    runs.push(StyledRun::new(format!("{}{nobody}  ", who.text), who.role));
    if let Some(next) = incident.pending.iter().min_by_key(|pending| pending.at) {
        runs.push(StyledRun::new(
            format!("{}  ", words::pending(&next.what, next.at, cx.now)),
            Role::Warning,
        ));
    }
    runs.push(StyledRun::new(format!("since {}", moment(incident.created_at, cx.now, cx.zone)), Role::Muted));
    runs
}

/// The areas below the heading and the status line.
struct Layout {
    /// Height 0 without room, or if no source has the history of the service.
    charts: Rect,
    page: Rect,
}

/// From this height of the body on there is room for charts.
const TALL: u16 = 26;
/// From this width on two charts are beside each other.
const SIDE_BY_SIDE: u16 = 90;

impl OpenIncident {
    /// The service of the incident, if it is one that a source lists.
    fn service<'a>(&self, shared: &'a Shared) -> Option<&'a Service> {
        shared.world.service(self.incident(shared)?.service.as_ref()?)
    }

    fn parts(&self, shared: &Shared, body: Rect) -> Layout {
        let room = layout::below_heading(layout::below_heading(body));
        let has_history = self.service(shared).is_some_and(|service| !service.chart_sources.is_empty());
        let height = if has_history && body.height >= TALL { (room.height / 3).min(14) } else { 0 };
        let charts = Rect { height, ..room };
        Layout { charts, page: Rect { y: charts.bottom(), height: room.height - height, ..room } }
    }

    /// The time of the charts; the event is the first of what broke and of the incident.
    fn time(shared: &Shared, known: &IncidentView, service: &Service, now: Timestamp) -> ChartedTime {
        let time = charts::time(shared, service, now);
        let created = Some(known.incident.created_at).filter(|at| *at > time.grid.start());
        ChartedTime { event: time.event.into_iter().chain(created).min(), ..time }
    }

    /// Errors and latency of the service, with a mark for the beginning of the incident.
    fn draw_charts(cx: &ScreenCx<'_>, known: &IncidentView, service: &Service, area: Rect, buf: &mut Buffer) {
        let time = Self::time(cx.shared, known, service, cx.now);
        let role = words::role(known, cx.now);
        let mark = ChartMark { at: known.incident.created_at, symbol: cx.charset.pick("▲", "^"), role };
        let left = Rect { width: area.width / 2, ..area };
        let right = Rect { x: left.right(), width: area.width - left.width, ..area };
        let [errors, latency] = charts::WORST;
        let tiles: &[(usize, Rect)] =
            if area.width >= SIDE_BY_SIDE { &[(errors, left), (latency, right)] } else { &[(errors, area)] };
        charts::draw(cx, service, (time, &[mark]), (tiles, None), buf);
    }
}
