//! Draws the overview.

use super::panels::{ListPanel, panels_of};
use super::{ALERTS, Overview, SERVICES, lists};
use crate::app::number::{UNKNOWN, latency, or_unknown, percent, rate};
use crate::app::prelude::*;
use crate::app::staleness::{none, watchdog};
use crate::app::subjects::service;
use crate::app::widgets::bar::panel;
use crate::app::widgets::spark::Sparkline;
use crate::model::alert::Severity;
use crate::model::health::Health;
use crate::model::reason::Reason;
use crate::model::service::{Service, Signals};
use crate::model::signal::Signal;
use crate::model::world::Watchdog;

/// Cells of the signals of a service.
const SIGNALS: u16 = 30;
/// Cells of the sparkline in a tile of one line.
const SHAPE: u16 = 8;

/// Cells of the names in tiles of this width: enough for the longest name, if that leaves room for the signals.
fn name_width(screen: &Overview, tile: u16) -> u16 {
    screen.widest.cells().clamp(8, (tile * 2 / 5).max(8)).min(tile.saturating_sub(3))
}

pub(super) fn render(screen: &Overview, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let panels = panels_of(screen, area);
    tiles(screen, cx, panels.services, buf);
    if panels.summary.height > 0 {
        summary(cx, panels.summary, buf);
    }
    if panels.incidents.height > 0 {
        lists::incidents(screen, cx, panels.incidents, buf);
    }
    if panels.slos.height > 0 {
        lists::slos(screen, cx, panels.slos, buf);
    }
    alerts(screen, cx, panels.alerts, buf);
}

fn tiles(screen: &Overview, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let list = &screen.services;
    let all = cx.world.services().len();
    let shown = if all > 0 { format!(" {}", count(list.rows().len(), all)) } else { String::new() };
    let mut title = vec![format!("Services{shown}")];
    for health in [Health::Down, Health::Critical, Health::Degraded, Health::Unknown] {
        let count = cx.world.services().iter().filter(|service| service.health == health).count();
        if count > 0 {
            title.push(format!("{count} {}", health.word()));
        }
    }
    if let Some(end) = cx.shared.range.end {
        title.push(format!("as of {}", moment(end, cx.now, cx.zone)));
    }
    if !screen.found.text().is_empty() {
        title.push(format!("filter: {}", screen.found.text()));
    }
    let panel = ListPanel { panel: SERVICES, list, title, kinds: &[AskKind::Services, AskKind::Trends] };
    let inner = panel.render(screen, cx, area, buf, |name, tile, buf, stale_sources| {
        let Some(service) = cx.world.service(name) else { return false };
        draw_tile(screen, cx, service, tile, buf);
        stale_sources.iter().any(|doubt| service.chart_sources.contains(&doubt.source))
    });
    if list.rows().is_empty() {
        text::say(cx, 0, &service::empty(cx.shared, &screen.found), Role::Muted, inner, buf);
    }
}

/// Draws a service: symbol, name and the reasons of its health (if it is healthy and the tile has one line: its signals), and a
/// sparkline at the right. Tiles of two lines have signals and sparkline in the second line.
fn draw_tile(screen: &Overview, cx: &ScreenCx<'_>, service: &Service, tile: Rect, buf: &mut Buffer) {
    let role = Role::of_health(service.health);
    let is_well = service.health == Health::Healthy;
    let name_role = if is_well { Role::Text } else { role };
    let name = name_width(screen, tile.width);
    let names = Rect { x: tile.x + 3, width: name, height: 1, ..tile };
    text::put(buf, tile.x + 1, tile.y, 1, cx.symbol(role), cx.style(role));
    text::runs(cx, &screen.found.highlighted(&service.name, name_role), names, buf);
    let beside = Rect { x: names.right() + 2, width: tile.width.saturating_sub(name + 6), ..names };
    if tile.height > 1 {
        if !is_well {
            text::runs(cx, &[StyledRun::new(service::why(service, cx.now), role)], beside, buf);
        }
        let below = Rect { y: tile.y + 1, width: tile.width.saturating_sub(4), ..names };
        let signals = SIGNALS.min(below.width);
        text::put(buf, below.x, below.y, signals, &signals_of(service, signals), cx.style(Role::Muted));
        let taken = signals + 3;
        if below.width > taken + SHAPE {
            let place = Rect { x: below.x + taken, width: below.width - taken, ..below };
            draw_shape(cx, service, place, buf);
        }
        return;
    }
    let shape = if beside.width > SIGNALS { SHAPE } else { 0 };
    let words = Rect { width: beside.width.saturating_sub(if shape > 0 { shape + 2 } else { 0 }), ..beside };
    if is_well {
        text::say(cx, 0, &signals_of(service, words.width), Role::Muted, words, buf);
    } else {
        text::runs(cx, &[StyledRun::new(service::why(service, cx.now), role)], words, buf);
    }
    if shape > 0 {
        draw_shape(cx, service, Rect { x: beside.right() - shape, width: shape, ..beside }, buf);
    }
}

/// Draws the sparkline of the signal that is bad, else of the request rate.
fn draw_shape(cx: &ScreenCx<'_>, service: &Service, place: Rect, buf: &mut Buffer) {
    let [requests, errors, p95] = service::trends(cx.shared, service);
    let (values, max, role) = match service.reasons.first() {
        Some(Reason::Slow(_)) => (&p95, None, Role::Series3),
        Some(Reason::Errors(_) | Reason::Firing { .. }) => {
            (&errors, Some(errors.iter().copied().fold(0.1, f64::max)), Role::Series2)
        }
        Some(
            Reason::TargetsDown { .. }
            | Reason::ServersDown(_)
            | Reason::Signal { .. }
            | Reason::Saturated { .. }
            | Reason::FillsUp { .. }
            | Reason::Ends { .. }
            | Reason::NoData { .. }
            | Reason::NeverHadData
            | Reason::NotKnown { .. }
            | Reason::Last { .. },
        )
        | None => (&requests, service::sparkline_max(&requests), Role::Series1),
    };
    Sparkline { values, max, role }.render(cx, place, buf);
}

/// The signals of a service, aligned in all tiles: as many as fit without a cut.
fn signals_of(service: &Service, width: u16) -> String {
    let signals = &service.signals;
    let lacks = |signal| service.unknown.contains(signal);
    let has_none =
        [Signal::Requests, Signal::Errors, Signal::Latency].into_iter().all(|signal| !lacks(signal));
    if *signals == Signals::default() && has_none {
        return service.up().map_or_else(String::new, |up| format!("{up} targets up"));
    }
    let all = [
        format!("{:>7}", or_unknown(signals.request_rate, lacks(Signal::Requests), rate)),
        format!("{:>6} err", or_unknown(signals.error_ratio, lacks(Signal::Errors), percent)),
        format!("p95 {:>5}", or_unknown(signals.p95, lacks(Signal::Latency), latency)),
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

/// Draws the alert counts by severity and state, the watchdog and the sources.
fn summary(cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let inner = panel(cx, "Status", false, area, buf);
    let totals = cx.world.totals();
    let known = is_known(cx.shared);
    // a count is unknown, not zero, until a source has answered
    let number = |count: usize| if known { count.to_string() } else { UNKNOWN.to_owned() };
    let mut loud = vec![StyledRun::new("firing   ", Role::Muted)];
    for severity in Severity::ALL {
        let (count, role) = (totals.firing(severity), Role::of_severity(severity));
        if count > 0 || severity != Severity::None {
            let words = format!("{} {} {}  ", cx.symbol(role), number(count), severity.word());
            loud.push(StyledRun::new(words, if count > 0 { role } else { Role::Muted }));
        }
    }
    let mut quiet = vec![StyledRun::new("other    ", Role::Muted)];
    for wanted in [AlertState::Pending, AlertState::Silenced, AlertState::Inhibited, AlertState::Resolved] {
        quiet.push(StyledRun::new(
            format!("{} {}  ", number(totals.in_state(wanted)), wanted.word()),
            Role::Text,
        ));
    }
    let lines = [loud, quiet, watchdogs(cx), sources(cx)];
    text::lines(cx, lines, inner, buf);
}

/// How many sources have answered, or the error of the first stale one.
fn sources(cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
    if let Some(doubt) = stale_sources(cx.shared, &AskKind::ALL, cx.now).first() {
        let words = format!("{} {}", cx.symbol(Role::Stale), doubt.sentence(cx.now));
        return vec![StyledRun::new(words, Role::Stale)];
    }
    let all = cx.shared.sources.len();
    let has_answered = |id| cx.world.cache(id).is_some_and(|cache| cache.probe().at.is_some());
    let fresh = cx.shared.sources.iter().filter(|source| has_answered(&source.id)).count();
    let words =
        if fresh == all { "all up to date".to_owned() } else { format!("{fresh} of {all} have answered") };
    vec![StyledRun::new("sources  ", Role::Muted), StyledRun::new(words, Role::Text)]
}

/// The dead man's switch alerts (watchdog) of all alert sources: the worst state.
fn watchdogs(cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
    let sources = cx.shared.sources.iter().filter(|source| source.answers.contains(&AskKind::Alerts));
    let all: Vec<_> = sources.map(|source| watchdog(cx.shared, source, cx.now)).collect();
    let (text, role) = if all.contains(&Watchdog::Absent) {
        ("absent: alerting may be broken", Role::Trouble)
    } else if all.is_empty() || all.contains(&Watchdog::Unknown) {
        ("unknown", Role::Muted)
    } else {
        ("present", Role::Healthy)
    };
    vec![
        StyledRun::new("watchdog ", Role::Muted),
        StyledRun::new(format!("{} {text}", cx.symbol(role)), role),
    ]
}

/// Whether any alert source has answered, so that an empty list means no alerts.
fn is_known(shared: &Shared) -> bool {
    let mut cache = shared.sources.iter().filter_map(|source| shared.world.cache(&source.id));
    cache.any(|cache| cache.alerts().value().is_some() || cache.rules().value().is_some())
}

fn alerts(screen: &Overview, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let list = &screen.alerts;
    let (is_known, kinds) = (is_known(cx.shared), &[AskKind::Alerts]);
    let count = if is_known { list.rows().len().to_string() } else { String::new() };
    let moment = if cx.shared.range.end.is_some() { " (now)" } else { "" };
    let title = vec![format!("Firing and pending {count}{moment}")];
    let panel = ListPanel { panel: ALERTS, list, title, kinds };
    let inner = panel.render(screen, cx, area, buf, |fingerprint, cell, buf, _| {
        if let Some(alert) = cx.world.alert(*fingerprint) {
            draw_alert(screen, cx, alert, cell, buf);
        }
        false
    });
    if list.rows().is_empty() && inner.height > 0 {
        let (text, role) = if is_known {
            none(cx.shared, kinds, "pending or firing alerts", cx.now)
        } else {
            ("Not loaded yet.".to_owned(), Role::Muted)
        };
        text::say(cx, 1, &text, role, inner, buf);
    }
}

/// Draws one alert: name, service, age; the summary behind them, or below in rows of two lines.
fn draw_alert(screen: &Overview, cx: &ScreenCx<'_>, alert: &Alert, cell: Rect, buf: &mut Buffer) {
    let role = Role::of_alert(alert);
    let service = cx.world.service_of(&alert.labels).map_or("", |name| name);
    let age = ago(alert.starts_at, cx.now);
    let summary = alert.summary().map_or("", |summary| summary);
    let line = Rect { height: 1, ..cell };
    let mut runs = vec![StyledRun::new(format!(" {} ", cx.symbol(role)), role)];
    runs.extend(screen.found.highlighted(alert.name(), role));
    runs.push(StyledRun::new(format!("  {service}"), Role::Text));
    if cell.height == 1 && !summary.is_empty() {
        runs.push(StyledRun::new(format!("  {summary}"), Role::Muted));
    }
    text::runs(cx, &runs, Rect { width: line.width.saturating_sub(text::width(&age) + 2), ..line }, buf);
    text::right(buf, line.x, line.y, line.width, &age, cx.style(Role::Muted));
    if cell.height > 1 {
        let below = Rect { x: cell.x + 3, y: cell.y + 1, width: cell.width.saturating_sub(4), height: 1 };
        text::runs(cx, &[StyledRun::new(summary, Role::Muted)], below, buf);
    }
}
