//! What the preview shows of a service, an SLO, an alert or an incident.

use crate::app::number::{latency, or_unknown, percent, rate};
use crate::app::prelude::*;
use crate::app::subjects::change::ChangeCoverage;
use crate::app::subjects::incident::words as incidents;
use crate::app::subjects::slo::words as slos;
use crate::app::subjects::{change, incident, on_call, runbook, service};
use crate::app::widgets::chart::{Chart, ChartLine, ChartMark};
use crate::app::widgets::unit::ValueUnit;
use crate::model::series::TimeGrid;
use crate::model::service::Service;
use crate::model::signal::Signal;
use crate::model::slo::BASIS;

/// Rows of the chart.
const CHART_HEIGHT: u16 = 9;
/// The least rows of a preview with a chart.
const MIN_HEIGHT_WITH_CHART: u16 = 16;
/// The labels that name who is responsible, the most usual first.
const OWNER_LABELS: [&str; 3] = ["team", "owner", "squad"];
/// The most alerts and SLOs that are listed.
const MAX_LISTED: usize = 5;

/// The preview of one item.
pub(super) struct PreviewContent {
    pub(super) title: String,
    /// State, reason and owner, above the chart.
    head: fn(&ScreenCx<'_>, &Place, &mut PageContent),
    place: Place,
    /// The service whose signal the chart shows, and when its trouble began.
    service: Option<Text>,
    began: Option<(Timestamp, Role)>,
    /// What else is known, below the chart.
    tail: fn(&ScreenCx<'_>, &Place, &mut PageContent),
}

/// The preview of an item; `None` if no source lists it any more, or if this kind of place has no preview.
pub(super) fn of(cx: &ScreenCx<'_>, place: &Place) -> Option<PreviewContent> {
    let content = |title, service, began, head, tail| PreviewContent {
        title,
        head,
        place: place.clone(),
        service,
        began,
        tail,
    };
    match place {
        Place::Service(name) => {
            cx.world.service(name)?;
            Some(content(name.to_string(), Some(name.clone()), None, service_head, service_tail))
        }
        Place::Slo(key) => {
            let status = key.status(cx.world)?;
            Some(content(status.slo.id.to_string(), status.slo.service.clone(), None, slo_head, slo_tail))
        }
        Place::Alert(fingerprint) => {
            let alert = cx.world.alert(*fingerprint)?;
            let service = cx.world.service_of(&alert.labels).cloned();
            let began = Some((alert.starts_at, Role::of_alert(alert)));
            Some(content(alert.name().to_owned(), service, began, alert_head, alert_tail))
        }
        Place::Incident(key) => {
            let view = key.incident(cx.world)?;
            let title = format!("#{}", view.incident.number);
            let began = Some((view.incident.created_at, incidents::role(view, cx.now)));
            let service = incident::service(view).cloned();
            Some(content(title, service, began, incident_head, incident_tail))
        }
        Place::Overview
        | Place::Services
        | Place::Slos
        | Place::Alerts
        | Place::Incidents
        | Place::OnCall
        | Place::Timeline
        | Place::Explore
        | Place::Sources
        | Place::Trace(_)
        | Place::Traces(_)
        | Place::Capacity
        | Place::Dashboards
        | Place::Dashboard(_)
        | Place::Resource(_)
        | Place::Silences
        | Place::Messages
        | Place::Policy(_)
        | Place::Why(_)
        | Place::Logs(_)
        | Place::Report(_)
        | Place::Runbook(_) => None,
    }
}

impl PreviewContent {
    /// Draws the head, the chart if there are room and data, and the rest.
    pub(super) fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
        let page = |part: fn(&ScreenCx<'_>, &Place, &mut PageContent)| {
            let mut page = PageContent::new(area.width);
            part(cx, &self.place, &mut page);
            page
        };
        let head = page(self.head);
        let rows = u16::try_from(head.lines.len()).unwrap_or(u16::MAX).min(area.height);
        head.render(cx, 0, Rect { height: rows, ..area }, buf);
        let mut rest = Rect { y: area.y + rows, height: area.height - rows, ..area };
        if area.height >= MIN_HEIGHT_WITH_CHART && rest.height > CHART_HEIGHT {
            let chart = Rect { height: CHART_HEIGHT, ..rest };
            if self.draw_chart(cx, chart, buf) {
                rest = Rect { y: chart.bottom(), height: rest.height - CHART_HEIGHT, ..rest };
            }
        }
        page(self.tail).render(cx, 0, rest, buf);
    }

    /// Draws the signal that is wrong; false if there are no data for it.
    fn draw_chart(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) -> bool {
        let found = self.service.as_ref().and_then(|name| cx.world.service(name));
        let Some((trend, span)) = found.and_then(|service| trend(cx, service)) else { return false };
        let lines = [ChartLine { values: &trend.values, role: trend.role, label: trend.title }];
        let mark = self.began.map(|(at, role)| ChartMark { at, symbol: cx.symbol(role), role });
        let chart = Chart { marks: mark.as_slice(), ..Chart::new(span, &lines, trend.unit) };
        chart.render(cx, area, buf);
        true
    }
}

/// One signal of a service over time.
struct SignalTrend {
    title: &'static str,
    values: Vec<f64>,
    unit: ValueUnit,
    role: Role,
}

/// The latency of a slow service, else the errors, else the requests; from the data of the list's sparklines.
fn trend(cx: &ScreenCx<'_>, of: &Service) -> Option<(SignalTrend, TimeGrid)> {
    let span = |source: &SourceId| Some(cx.world.cache(source)?.trends().value()?.request_rate.span);
    let span = of.chart_sources.iter().filter_map(span).max_by_key(|span| span.end())?;
    let [requests, errors, p95] = service::trends(cx.shared, of);
    let new = |title, values, unit, role| SignalTrend { title, values, unit, role };
    let mut trends = [
        new("p95 latency", p95, ValueUnit::Seconds, Role::Series3),
        new("Errors", errors, ValueUnit::Ratio, Role::Series2),
        new("Requests", requests, ValueUnit::PerSecond, Role::Series1),
    ];
    if !service::is_slow_only(of) {
        // the latency only if there is nothing else
        trends.rotate_left(1);
    }
    let is_known = |trend: &SignalTrend| {
        trend.values.len() == span.count() && trend.values.iter().any(|value| value.is_finite())
    };
    trends.into_iter().find(is_known).map(|trend| (trend, span))
}

fn service_head(cx: &ScreenCx<'_>, place: &Place, page: &mut PageContent) {
    let Place::Service(name) = place else { return };
    let Some(of) = cx.world.service(name) else { return };
    let role = Role::of_health(of.health);
    page.line(vec![StyledRun::new(format!(" {} {}", cx.symbol(role), of.health.word()), role)]);
    for reason in &of.reasons {
        page.paragraph(&reason.words(cx.now), role);
    }
    let signal =
        |signal, value, words: fn(f64) -> String| or_unknown(value, of.unknown.contains(signal), words);
    let signals = &of.signals;
    let numbers = [
        ("requests", signal(Signal::Requests, signals.request_rate, rate)),
        ("errors", signal(Signal::Errors, signals.error_ratio, percent)),
        ("p95", signal(Signal::Latency, signals.p95, latency)),
        ("saturation", signal(Signal::Saturation, signals.saturation, percent)),
    ];
    let numbers = numbers.into_iter().map(|(name, value)| (name, StyledRun::new(value, Role::Text)));
    page.line(text::fitting(numbers, page.width));
    owner_line(cx, Some(name), &of.labels, page);
    change_line(cx, Some(name), None, page);
    let alerts = service::alerts(cx.shared, name);
    let runbooks: Vec<RunbookQuery> = alerts.into_iter().map(|alert| runbook::of_alert(alert)).collect();
    runbook_lines(cx, if runbooks.is_empty() { vec![runbook::of_service(name)] } else { runbooks }, page);
}

fn service_tail(cx: &ScreenCx<'_>, place: &Place, page: &mut PageContent) {
    let Place::Service(name) = place else { return };
    let Some(of) = cx.world.service(name) else { return };
    incidents_of(cx, name, page);
    slos_of(cx, name, page);
    alerts_of(cx, name, page);
    page.title("About");
    for (name, value) in of.labels.iter() {
        page.pair(name, value, Role::Text);
    }
    page.names("sources", of.sources.iter().map(SourceId::as_str), Role::Muted);
}

/// The open incidents of a service, with who has them.
fn incidents_of(cx: &ScreenCx<'_>, service: &str, page: &mut PageContent) {
    for view in cx.world.incidents_of(service).filter(|view| view.incident.is_open()).take(MAX_LISTED) {
        page.line([vec![StyledRun::new(" ", Role::Text)], incidents::line(cx, view)].concat());
    }
}

fn slos_of(cx: &ScreenCx<'_>, service: &str, page: &mut PageContent) {
    let all = cx.world.slos_of(service);
    if !all.is_empty() {
        page.title("SLOs");
    }
    for status in all.into_iter().take(MAX_LISTED) {
        page.line(slos::line(cx, status, &status.slo.id));
    }
}

fn alerts_of(cx: &ScreenCx<'_>, service: &str, page: &mut PageContent) {
    let alerts = service::alerts(cx.shared, service);
    if alerts.is_empty() {
        return;
    }
    page.title(&format!("Alerts {}", alerts.len()));
    for alert in alerts.iter().take(MAX_LISTED) {
        page.line(alert_line(cx, alert));
    }
}

/// An alert in one line: symbol, name, state, age, summary.
fn alert_line(cx: &ScreenCx<'_>, alert: &Alert) -> Vec<StyledRun<'static>> {
    let role = Role::of_alert(alert);
    let summary = alert.summary().map_or("", |summary| summary).to_owned();
    vec![
        StyledRun::new(format!(" {} {}", cx.symbol(role), alert.name()), role),
        StyledRun::new(format!("  {} {}  ", alert.state, ago(alert.starts_at, cx.now)), Role::Muted),
        StyledRun::new(summary, Role::Text),
    ]
}

/// A service with its health and the reasons, if it is known.
fn service_line(cx: &ScreenCx<'_>, service: Option<&Text>, page: &mut PageContent) {
    let Some(name) = service else { return };
    let Some(of) = cx.world.service(name) else { return page.pair("service", name, Role::Text) };
    let role = Role::of_health(of.health);
    let why = service::why(of, cx.now);
    let colon = if why.is_empty() { "" } else { ": " };
    page.pair("service", &format!("{} {name} {}{colon}{why}", cx.symbol(role), of.health.word()), role);
}

/// The addresses of the runbooks; without any, the key that searches for one.
fn runbook_lines(cx: &ScreenCx<'_>, runbooks: Vec<RunbookQuery>, page: &mut PageContent) {
    let all = runbook::once(runbooks);
    let addresses: Vec<&Text> = all.iter().filter_map(|wanted| wanted.url.as_ref()).take(2).collect();
    for address in &addresses {
        page.pair("runbook", address, Role::Accent);
    }
    if addresses.is_empty() && !all.is_empty() {
        page.pair("runbook", &format!("{} searches for it", cx.shared.key(Command::Runbook)), Role::Muted);
    }
}

/// The last change of a service: how long before the trouble began, or how long ago; else why none is known.
fn change_line(cx: &ScreenCx<'_>, service: Option<&Text>, began: Option<Timestamp>, page: &mut PageContent) {
    let Some(service) = service else { return };
    if let Some(last) = change::last(cx.shared, service) {
        let when = match began {
            Some(began) => change::relative(last, began),
            None => format!("{} ago", ago(last.at, cx.now)),
        };
        return page.pair("last change", &format!("{when}: {}", last.sentence()), change::role(last));
    }
    let words = match change::coverage(cx.world, &cx.shared.sources) {
        ChangeCoverage::NoSource => "no source of changes is configured".to_owned(),
        ChangeCoverage::NotLoaded => cx.shared.waiting().to_owned(),
        ChangeCoverage::Failed(why) => format!("unknown: {why}"),
        ChangeCoverage::Since(since) => format!("none since {}", moment(since, cx.now, cx.zone)),
    };
    page.pair("last change", &words, Role::Muted);
}

/// Who is responsible: the team of the labels, and who is on call for the service.
fn owner_line(cx: &ScreenCx<'_>, service: Option<&Text>, labels: &Labels, page: &mut PageContent) {
    let team = OWNER_LABELS.iter().find_map(|name| labels.get(name)).map(ToString::to_string);
    let on_call = service.and_then(|name| on_call::of_service(cx, name));
    let on_call = on_call.map(|(names, policy)| format!("on call {names} ({policy})"));
    let words: Vec<String> = team.into_iter().chain(on_call).collect();
    if !words.is_empty() {
        page.pair("owner", &words.join(", "), Role::Text);
    }
}

fn slo_head(cx: &ScreenCx<'_>, place: &Place, page: &mut PageContent) {
    let Place::Slo(key) = place else { return };
    let Some(status) = key.status(cx.world) else { return };
    let role = Role::of_slo(status.state());
    page.line(vec![StyledRun::new(format!(" {} {}", cx.symbol(role), slos::state(status)), role)]);
    if let Some(worst) = status.worst() {
        let (label, exhausted) = slos::current_exhaustion(status, worst);
        let left = slos::left(Some(worst));
        let burn = slos::burn(&status.slo, worst, BASIS);
        for (name, value) in [("budget", left), ("burn 1h", burn), (label, exhausted)] {
            page.pair(name, &value.text, value.role);
        }
    }
    let notes = slos::joined(slos::notes(status, cx));
    if !notes.is_empty() {
        page.line([vec![StyledRun::new("  ", Role::Text)], notes].concat());
    }
    service_line(cx, status.slo.service.as_ref(), page);
    owner_line(cx, status.slo.service.as_ref(), &status.slo.labels, page);
    change_line(cx, status.slo.service.as_ref(), None, page);
    runbook_lines(cx, runbook::of_slo(cx.shared, status), page);
}

fn slo_tail(cx: &ScreenCx<'_>, place: &Place, page: &mut PageContent) {
    let Place::Slo(key) = place else { return };
    let Some(status) = key.status(cx.world) else { return };
    if let Some(service) = &status.slo.service {
        incidents_of(cx, service, page);
    }
    let firing: Vec<_> = cx
        .world
        .alerts()
        .iter()
        .filter(|alert| status.slo.is_about(&alert.labels))
        .take(MAX_LISTED)
        .collect();
    if !firing.is_empty() {
        page.title("Alerts");
    }
    for alert in firing {
        page.line(alert_line(cx, alert));
    }
    page.title("About");
    page.pair("objective", &format!("{}%", status.slo.objective.percent_text()), Role::Text);
    page.pair("source", status.source.as_str(), Role::Muted);
}

fn alert_head(cx: &ScreenCx<'_>, place: &Place, page: &mut PageContent) {
    let Place::Alert(fingerprint) = place else { return };
    let Some(alert) = cx.world.alert(*fingerprint) else { return };
    let role = Role::of_alert(alert);
    let state = format!(
        " {} {} {} for {}",
        cx.symbol(role),
        alert.state,
        alert.severity.word(),
        ago(alert.starts_at, cx.now)
    );
    page.line(vec![StyledRun::new(state, role)]);
    if let Some(summary) = alert.summary() {
        page.paragraph(summary, Role::Text);
    }
    if let Some(view) = cx.world.incident_of(*fingerprint) {
        page.line([vec![StyledRun::new(" ", Role::Text)], incidents::line(cx, view)].concat());
    }
    let service = cx.world.service_of(&alert.labels);
    service_line(cx, service, page);
    owner_line(cx, service, &alert.labels, page);
    change_line(cx, service, Some(alert.starts_at), page);
    runbook_lines(cx, vec![runbook::of_alert(alert)], page);
}

fn alert_tail(cx: &ScreenCx<'_>, place: &Place, page: &mut PageContent) {
    let Place::Alert(fingerprint) = place else { return };
    let Some(alert) = cx.world.alert(*fingerprint) else { return };
    page.names("sources", alert.sources.iter().map(SourceId::as_str), Role::Muted);
    if let Some(description) =
        alert.annotations.get("description").or_else(|| alert.annotations.get("message"))
    {
        page.paragraph(description, Role::Text);
    }
    page.title("Labels");
    for (name, value) in alert.labels.shown() {
        page.pair(name, value, Role::Text);
    }
}

fn incident_head(cx: &ScreenCx<'_>, place: &Place, page: &mut PageContent) {
    let Place::Incident(key) = place else { return };
    let Some(view) = key.incident(cx.world) else { return };
    let (status, who) = (&view.incident, incidents::who(cx, view));
    let role = incidents::role(view, cx.now);
    page.line(vec![
        StyledRun::new(format!(" {} {}", cx.symbol(role), status.status.word()), role),
        StyledRun::new(format!("  {}  ", incidents::priority_and_urgency(view)), Role::Text),
        who,
    ]);
    page.paragraph(&status.title, Role::Title);
    for next in &status.pending {
        page.paragraph(&incidents::pending(&next.what, next.at, cx.now), Role::Warning);
    }
    let service = incident::service(view);
    service_line(cx, service, page);
    let teams = status.teams.iter().map(|team| &*team.name);
    if status.teams.is_empty() {
        owner_line(cx, service, &Labels::default(), page);
    } else {
        page.names("owner", teams, Role::Text);
    }
    change_line(cx, service, Some(status.created_at), page);
    runbook_lines(cx, runbook::of_incident(cx.shared, view), page);
}

fn incident_tail(cx: &ScreenCx<'_>, place: &Place, page: &mut PageContent) {
    let Place::Incident(key) = place else { return };
    let Some(view) = key.incident(cx.world) else { return };
    if let Some(policy) = &view.incident.escalation_policy {
        page.pair("policy", &policy.name, Role::Text);
    }
    let alerts: Vec<_> = view.alerts.iter().filter_map(|alert| cx.world.alert(*alert)).collect();
    if !alerts.is_empty() {
        page.title(&format!("Alerts {}", alerts.len()));
    }
    for alert in alerts.into_iter().take(MAX_LISTED) {
        page.line(alert_line(cx, alert));
    }
    if let Some(service) = incident::service(view) {
        slos_of(cx, service, page);
    }
    page.names("sources", view.sources.iter().map(SourceId::as_str), Role::Muted);
}
