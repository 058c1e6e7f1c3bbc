//! How the overview looks.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::doubt::doubts;
use crate::app::frame;
use crate::app::look::Cx;
use crate::app::number::{UNKNOWN, ago, latency, or_dash, percent, rate};
use crate::app::screens::{overview, services};
use crate::app::state::State;
use crate::app::theme::Role;
use crate::app::widgets::bar::panel;
use crate::app::widgets::spark::Spark;
use crate::app::widgets::text::{self, Run};
use crate::model::alert::{AlertState, Severity};
use crate::model::ask::AskKind;
use crate::model::health::{Health, Reason};
use crate::model::service::{Service, Signals};
use crate::model::world::Watchdog;

/// Cells that a tile wants at least.
const TILE: u16 = 44;
/// From this width on the alerts stand beside the services, else below.
const SIDE_BY_SIDE: u16 = 100;

/// The panels of services, of alerts, and of what is broken.
struct Panels {
    services: Rect,
    alerts: Rect,
    summary: Rect,
}

fn panels(body: Rect) -> Panels {
    let summary_height = if body.height >= 20 { 6 } else { 0 };
    if body.width >= SIDE_BY_SIDE {
        let right = (body.width * 2 / 5).min(70);
        let left = Rect { width: body.width - right, ..body };
        let side = Rect { x: left.right(), width: right, ..body };
        Panels {
            services: left,
            summary: Rect { height: summary_height, ..side },
            alerts: Rect { y: side.y + summary_height, height: side.height - summary_height, ..side },
        }
    } else {
        let alerts = (body.height / 3).max(3).min(body.height);
        let services = Rect { height: body.height - alerts, ..body };
        Panels {
            services,
            summary: Rect { height: 0, ..body },
            alerts: Rect { y: services.bottom(), height: alerts, ..body },
        }
    }
}

/// The room inside a panel, as [`panel`] leaves it.
fn inside(area: Rect) -> Rect {
    if area.height < 2 || area.width < 2 {
        area
    } else if area.height < 5 || area.width < 10 {
        Rect { y: area.y + 1, height: area.height - 1, ..area }
    } else {
        Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
    }
}

/// How many tiles stand side by side.
pub(super) fn columns(body: Rect) -> usize {
    usize::from((inside(panels(body).services).width / TILE).max(1))
}

/// Where the rows of a panel's list stand, and how many tiles stand side by side there.
pub fn list_area(body: Rect, of: usize) -> (Rect, usize) {
    let panels = panels(body);
    if of == overview::ALERTS { (inside(panels.alerts), 1) } else { (inside(panels.services), columns(body)) }
}

/// Draws the overview.
pub fn render(state: &State, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = state.cx(now);
    let panels = panels(area);
    tiles(state, &cx, panels.services, buf);
    if panels.summary.height > 0 {
        summary(state, &cx, panels.summary, buf);
    }
    alerts(state, &cx, panels.alerts, buf);
}

fn tiles(state: &State, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let list = &state.overview.services;
    let focused = state.panel == overview::SERVICES;
    let all = state.world.services().len();
    let mut title = vec!["Services".to_owned()];
    if all > 0 {
        title.push(services::count(list.rows().len(), all));
    }
    for health in [Health::Down, Health::Burning, Health::Degraded, Health::Unknown] {
        let count = state.world.services().iter().filter(|service| service.health == health).count();
        if count > 0 {
            title.push(format!(" {count} {}", health.word()));
        }
    }
    if !state.overview.found.text().is_empty() {
        title.push(format!(" filter: {}", state.overview.found.text()));
    }
    let doubts = doubts(state, &[AskKind::Services, AskKind::Trends], cx.now);
    if let Some(doubt) = doubts.first() {
        title.push(format!(" {} {}", cx.symbol(Role::Stale), doubt.sentence(cx.now)));
    }
    let title = title.join(" ");
    let inner = panel(cx, &title, focused, area, buf);
    if list.rows().is_empty() {
        let text = services::empty(state, state.overview.found.text());
        text::put(buf, inner.x, inner.y, inner.width, &text, cx.style(Role::Muted));
        return;
    }
    let columns = usize::from((inner.width / TILE).max(1));
    let width = inner.width / u16::try_from(columns).unwrap_or(1);
    let stale: Vec<_> = doubts.iter().map(|doubt| &doubt.source).collect();
    for (place, (index, name)) in list.shown(usize::from(inner.height) * columns).enumerate() {
        let Some(service) = state.world.service(name) else { continue };
        let (line, column) = (place / columns, place % columns);
        let offset = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let tile = Rect { x: inner.x + offset(column) * width, y: inner.y + offset(line), width, height: 1 };
        tile_row(state, cx, service, tile, buf);
        if service.sources.iter().any(|id| stale.contains(&id)) {
            buf.set_style(tile, cx.style(Role::Stale));
        }
        if index == list.index() && focused {
            text::put(buf, tile.x, tile.y, 1, cx.symbol(Role::Selected), cx.style(Role::Selected));
            buf.set_style(Rect { width: width.saturating_sub(1), ..tile }, cx.style(Role::Selected));
        }
    }
}

/// Symbol, name, the signal that is wrong in words, and its shape.
fn tile_row(state: &State, cx: &Cx<'_>, service: &Service, tile: Rect, buf: &mut Buffer) {
    let role = Role::of_health(service.health);
    let name = (tile.width * 2 / 5).clamp(8, 24).min(tile.width.saturating_sub(3));
    let spark = if tile.width >= 34 { 8 } else { 0 };
    let words = tile.width.saturating_sub(name + spark + 5);
    text::put(buf, tile.x + 1, tile.y, 1, cx.symbol(role), cx.style(role));
    let is_well = service.health == Health::Healthy;
    let shown = text::fit(&service.name, name, cx.charset);
    text::put(buf, tile.x + 3, tile.y, name, &shown, cx.style(if is_well { Role::Text } else { role }));
    let said = if is_well { calm(service, words) } else { services::why(service) };
    let said = text::fit(&said, words, cx.charset);
    text::put(
        buf,
        tile.x + 4 + name,
        tile.y,
        words,
        &said,
        cx.style(if is_well { Role::Muted } else { role }),
    );
    if spark > 0 {
        let [requests, errors, p95] = services::trends(state, service);
        let (values, max, role) = match service.reasons.first() {
            Some(Reason::Slow(_)) => (&p95, None, Role::Series3),
            Some(Reason::Errors(_) | Reason::Firing { .. }) => {
                (&errors, Some(errors.iter().copied().fold(0.1, f64::max)), Role::Series2)
            }
            _ => (&requests, services::calm_max(&requests), Role::Series1),
        };
        let place = Rect { x: tile.right().saturating_sub(spark + 1), width: spark, ..tile };
        Spark { values, max, role }.render(cx, place, buf);
    }
}

/// What is said of a service that is well: as many of its signals as fit whole.
fn calm(service: &Service, width: u16) -> String {
    let signals = &service.signals;
    if *signals == Signals::default() {
        return format!("{}/{} targets up", service.targets.up, service.targets.total);
    }
    let all = [
        or_dash(signals.request_rate, rate),
        format!("{} err", or_dash(signals.error_ratio, percent)),
        format!("p95 {}", or_dash(signals.p95, latency)),
    ];
    let mut said = String::new();
    for part in all {
        let longer = if said.is_empty() { part } else { format!("{said}  {part}") };
        if text::width(&longer) > width {
            break;
        }
        said = longer;
    }
    said
}

/// Alerts by severity and state, and whether the monitoring itself is alive.
fn summary(state: &State, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let inner = panel(cx, "State", false, area, buf);
    let tally = state.world.tally();
    let known = is_known(state);
    // what nobody has counted is not zero
    let number = |count: usize| if known { count.to_string() } else { UNKNOWN.to_owned() };
    let mut loud = vec![Run::new("firing   ", Role::Muted)];
    for severity in Severity::ALL {
        let (count, role) = (tally.firing(severity), Role::of_severity(severity));
        if count > 0 || severity != Severity::None {
            let words = format!("{} {} {}  ", cx.symbol(role), number(count), severity.word());
            loud.push(Run::new(words, if count > 0 { role } else { Role::Muted }));
        }
    }
    let mut quiet = vec![Run::new("quiet    ", Role::Muted)];
    for wanted in [AlertState::Pending, AlertState::Silenced, AlertState::Inhibited, AlertState::Resolved] {
        quiet.push(Run::new(format!("{} {}  ", number(tally.in_state(wanted)), wanted.word()), Role::Text));
    }
    let lines = [loud, quiet, watchdogs(state, cx), sources(state, cx)];
    for (y, line) in (inner.top()..inner.bottom()).zip(lines) {
        text::runs(cx, &line, Rect { y, height: 1, ..inner }, buf);
    }
}

/// How many sources answer, or what is wrong with the first that does not.
fn sources(state: &State, cx: &Cx<'_>) -> Vec<Run<'static>> {
    if let Some(doubt) = doubts(state, &frame::VITAL, cx.now).first() {
        let words = format!("{} {}", cx.symbol(Role::Stale), doubt.sentence(cx.now));
        return vec![Run::new(words, Role::Stale)];
    }
    let all = state.sources.len();
    let fresh = state
        .sources
        .iter()
        .filter(|s| state.world.held(&s.id).is_some_and(|h| h.probe.at().is_some()))
        .count();
    let words =
        if fresh == all { "all are fresh".to_owned() } else { format!("{fresh} of {all} have answered") };
    vec![Run::new("sources  ", Role::Muted), Run::new(words, Role::Text)]
}

/// The dead man's switch, over all sources of alerts: the worst of them counts.
fn watchdogs(state: &State, cx: &Cx<'_>) -> Vec<Run<'static>> {
    let sources = state.sources.iter().filter(|source| source.answers.contains(&AskKind::Alerts));
    let all: Vec<_> = sources.map(|source| state.world.watchdog(&source.id)).collect();
    let (text, role) = if all.contains(&Watchdog::Absent) {
        ("absent: monitoring may be dead", Role::Trouble)
    } else if all.is_empty() || all.contains(&Watchdog::Unknown) {
        ("not known yet", Role::Muted)
    } else {
        ("present", Role::Healthy)
    };
    vec![Run::new("watchdog ", Role::Muted), Run::new(format!("{} {text}", cx.symbol(role)), role)]
}

/// Whether any source has told its alerts, so that none means none.
fn is_known(state: &State) -> bool {
    let mut held = state.sources.iter().filter_map(|source| state.world.held(&source.id));
    held.any(|held| held.alerts.value().is_some() || held.rules.value().is_some())
}

fn alerts(state: &State, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let list = &state.overview.alerts;
    let focused = state.panel == overview::ALERTS;
    let count = if is_known(state) { list.rows().len().to_string() } else { String::new() };
    let doubt = doubts(state, &[AskKind::Alerts], cx.now);
    let doubt = doubt.first().map(|doubt| format!("  {} {}", cx.symbol(Role::Stale), doubt.sentence(cx.now)));
    let title = format!("Firing and pending {count}{}", doubt.unwrap_or_default());
    let inner = panel(cx, &title, focused, area, buf);
    let rows = inner;
    for (y, (index, fingerprint)) in (rows.top()..rows.bottom()).zip(list.shown(usize::from(rows.height))) {
        let Some(alert) = state.world.alert(*fingerprint) else { continue };
        let role = Role::of_alert(alert);
        let line = Rect { y, height: 1, ..rows };
        let service = state.world.service_of(&alert.labels).map_or("", |name| name);
        let age = ago(alert.starts_at, cx.now);
        let room = line.width.saturating_sub(text::width(&age) + 2);
        let runs = [
            Run::new(format!(" {} ", cx.symbol(role)), role),
            Run::new(alert.name(), role),
            Run::new(format!("  {service}"), Role::Text),
            Run::new(alert.summary().map(|summary| format!("  {summary}")).unwrap_or_default(), Role::Muted),
        ];
        text::runs(cx, &runs, Rect { width: room, ..line }, buf);
        text::right(buf, line.x, y, line.width, &age, cx.style(Role::Muted));
        if index == list.index() && focused {
            text::put(buf, line.x, y, 1, cx.symbol(Role::Selected), cx.style(Role::Selected));
            buf.set_style(line, cx.style(Role::Selected));
        }
    }
    if list.rows().is_empty() && inner.height > 0 {
        let (text, role) = if is_known(state) {
            ("nothing is pending or firing", Role::Healthy)
        } else {
            ("not known yet", Role::Muted)
        };
        text::put(buf, inner.x + 1, inner.y, inner.width.saturating_sub(1), text, cx.style(role));
    }
}
