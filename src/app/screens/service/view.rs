//! How one service looks.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::alerts;
use crate::app::doubt::doubts;
use crate::app::due::Topic;
use crate::app::frame;
use crate::app::look::Cx;
use crate::app::number::{ago, latency, or_dash, percent, rate};
use crate::app::screens::services;
use crate::app::state::State;
use crate::app::theme::Role;
use crate::app::widgets::bar::panel;
use crate::app::widgets::chart::{Chart, Line, Mark};
use crate::app::widgets::heat::{Bucket, Heat};
use crate::app::widgets::text::{self, Run};
use crate::app::widgets::unit::Unit;
use crate::model::ask::AskKind;
use crate::model::duration;
use crate::model::labels::Text;
use crate::model::remote::Freshness;
use crate::model::series::{self, Matrix};
use crate::model::service::{Detail, Service};
use crate::model::source::SourceId;

/// The charts, in the order in which Tab goes through them where not all have room.
const CHARTS: [&str; 5] = ["Requests", "Errors", "Latency", "Saturation", "Latency by bucket"];
/// Rows that a chart wants at least, with its frame.
const CHART_HEIGHT: u16 = 7;
/// Cells that a chart wants at least, with its frame.
const CHART_WIDTH: u16 = 38;

/// How many panels Tab goes through.
pub const fn panels() -> usize {
    CHARTS.len()
}

/// Draws the service.
pub fn render(state: &State, name: &Text, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = state.cx(now);
    let Some(service) = state.world.service(name) else {
        let words = format!("{name}: no source knows this service (any more). Esc goes back.");
        text::put(buf, area.x + 1, area.y, area.width.saturating_sub(1), &words, cx.style(Role::Unknown));
        return;
    };
    let used = [AskKind::Services, AskKind::Alerts];
    let room = frame::heading(&cx, &title(&cx, service), &frame::doubt_runs(state, &used, now), area, buf);
    text::runs(&cx, &numbers(service), Rect { height: 1.min(room.height), ..room }, buf);
    let room = frame::below_heading(room);
    let wanted = u16::try_from(1 + service.alerts.len() + service.targets.down.len()).unwrap_or(u16::MAX);
    let list = if room.height > 12 { wanted.clamp(2, room.height / 4) } else { 0 };
    let charts = Rect { height: room.height - list, ..room };
    draw_charts(state, &cx, service, charts, buf);
    draw_list(state, &cx, service, Rect { y: charts.bottom(), height: list, ..room }, buf);
}

/// "checkout is burning for 3m: 21% of requests fail", and what describes it.
fn title(cx: &Cx<'_>, service: &Service) -> Vec<Run<'static>> {
    let role = Role::of_health(service.health);
    let why = services::why(service);
    let mut runs = vec![
        Run::new(format!(" {} {} ", cx.symbol(role), service.name), role),
        Run::new(format!("is {} for {}", service.health.word(), ago(service.since, cx.now)), role),
    ];
    if !why.is_empty() {
        runs.push(Run::new(format!(": {why}"), role));
    }
    let labels: Vec<String> = service.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    runs.push(Run::new(format!("  {}", labels.join(" ")), Role::Muted));
    runs
}

/// The signals of now in one line.
fn numbers(service: &Service) -> Vec<Run<'static>> {
    let signals = &service.signals;
    let all = [
        ("requests", or_dash(signals.request_rate, rate)),
        ("errors", or_dash(signals.error_ratio, percent)),
        ("p50", or_dash(signals.p50, latency)),
        ("p95", or_dash(signals.p95, latency)),
        ("p99", or_dash(signals.p99, latency)),
        ("Apdex", or_dash(signals.apdex, |apdex| format!("{apdex:.2}"))),
        ("saturation", or_dash(signals.saturation, percent)),
        ("targets", format!("{}/{} up", service.targets.up, service.targets.total)),
    ];
    let mut runs = vec![Run::new(" ", Role::Text)];
    for (name, value) in all {
        runs.push(Run::new(format!("{name} "), Role::Muted));
        runs.push(Run::new(format!("{value}  "), Role::Text));
    }
    runs
}

fn draw_charts(state: &State, cx: &Cx<'_>, service: &Service, area: Rect, buf: &mut Buffer) {
    let details = details(state, service);
    let columns = (area.width / CHART_WIDTH).clamp(1, if area.width >= 150 { 3 } else { 2 });
    let rows = (area.height / CHART_HEIGHT).max(1);
    let fitting = usize::from(columns * rows).min(CHARTS.len());
    // the chosen chart is always among those that fit
    let first = state.panel.min(CHARTS.len() - fitting);
    let rows = u16::try_from(fitting.div_ceil(usize::from(columns))).unwrap_or(1).max(1);
    for (place, index) in (0_u16..).zip(first..first + fitting) {
        let (row, column) = (place / columns, place % columns);
        // the last chart of an unfinished row takes the rest of it
        let is_last = index + 1 == first + fitting;
        let wide = if is_last { columns - column } else { 1 };
        let edge = |i: u16, of: u16, length: u16| length * i / of;
        let (left, right) = (edge(column, columns, area.width), edge(column + wide, columns, area.width));
        let (top, bottom) = (edge(row, rows, area.height), edge(row + 1, rows, area.height));
        let tile = Rect { x: area.x + left, y: area.y + top, width: right - left, height: bottom - top };
        draw_chart(state, cx, service, &details, index, tile, buf);
    }
}

/// What each source says of the service over time.
fn details<'a>(state: &'a State, service: &'a Service) -> Vec<(&'a SourceId, &'a Detail)> {
    let held = service.speakers.iter().filter_map(|id| Some((id, state.world.held(id)?)));
    held.filter_map(|(id, held)| Some((id, held.details.get(&service.name)?.value()?))).collect()
}

fn draw_chart(
    state: &State,
    cx: &Cx<'_>,
    service: &Service,
    details: &[(&SourceId, &Detail)],
    index: usize,
    area: Rect,
    buf: &mut Buffer,
) {
    let name = CHARTS.get(index).copied().unwrap_or_default();
    let range = state.range.words(cx.now);
    let title = match trouble(state, service, cx.now) {
        Some(trouble) => format!("{name}, {range}  {} {trouble}", cx.symbol(Role::Stale)),
        None => format!("{name}, {range}"),
    };
    let inner = panel(cx, &title, index == state.panel, area, buf);
    let Some((_, first)) = details.first() else {
        let words = if service.sources.is_empty() { "no source has its history" } else { "asking..." };
        text::put(buf, inner.x + 1, inner.y, inner.width.saturating_sub(1), words, cx.style(Role::Muted));
        return;
    };
    let (part, unit): (fn(&Detail) -> &Matrix, Unit) = match index {
        0 => (|d| &d.request_rate, Unit::PerSecond),
        1 => (|d| &d.error_ratio, Unit::Ratio),
        2 => (|d| &d.latency, Unit::Seconds),
        3 => (|d| &d.saturation, Unit::Ratio),
        _ => {
            let widest = details.iter().map(|(_, detail)| &detail.buckets).max_by_key(|m| m.lines.len());
            heat(cx, widest.unwrap_or(&first.buckets), inner, buf);
            return;
        }
    };
    let named = lines(details, part, index == 2);
    let lines: Vec<Line<'_>> = named
        .iter()
        .enumerate()
        .map(|(i, (label, values))| Line { values, role: Role::of_line(i), label })
        .collect();
    let alerts = alerts(state, &service.name);
    let fired: Vec<_> = alerts.iter().filter(|a| a.is_firing()).map(|a| (a.starts_at, cx.now)).collect();
    let mark = |role: Role, at| Mark { at, symbol: cx.symbol(role), role };
    let marks: Vec<Mark<'_>> = alerts.iter().map(|a| mark(Role::of_alert(a), a.starts_at)).collect();
    let thresholds = &state.judgement.thresholds;
    let threshold = match index {
        1 => Some((thresholds.error_ratio_burning, "burning")),
        2 => Some((thresholds.p95_degraded, "p95 limit")),
        3 => Some((thresholds.saturation_degraded, "limit")),
        _ => None,
    };
    let chart =
        Chart { threshold, shade: &fired, marks: &marks, ..Chart::new(part(first).span, &lines, unit) };
    chart.render(cx, inner, buf);
}

fn heat(cx: &Cx<'_>, matrix: &Matrix, area: Rect, buf: &mut Buffer) {
    let le = |line: &series::Line| line.labels.value("le").parse().unwrap_or(f64::INFINITY);
    let mut buckets: Vec<Bucket<'_>> =
        matrix.lines.iter().map(|line| Bucket { le: le(line), values: &line.values }).collect();
    buckets.sort_by(|a, b| a.le.total_cmp(&b.le));
    Heat { span: matrix.span, buckets: &buckets }.render(cx, area, buf);
}

/// The lines of a chart, each with its name; of several sources with theirs.
fn lines<'a>(
    details: &[(&SourceId, &'a Detail)],
    part: fn(&Detail) -> &Matrix,
    are_quantiles: bool,
) -> Vec<(String, &'a [f64])> {
    let mut named = Vec::new();
    for (id, detail) in details {
        for line in &part(detail).lines {
            let own: Vec<&str> = line.labels.iter().map(|(_, value)| &**value).collect();
            let own = if are_quantiles { quantile_name(&own.join(" ")) } else { own.join(" ") };
            let label = if details.len() > 1 { format!("{id} {own}") } else { own };
            named.push((label.trim().to_owned(), line.values.as_slice()));
        }
    }
    named
}

fn quantile_name(quantile: &str) -> String {
    match quantile.parse::<f64>() {
        Ok(q) => format!("p{}", crate::app::number::plain(q * 100.0)),
        Err(_) => quantile.to_owned(),
    }
}

/// Why the charts are not what they should be, if so.
fn trouble(state: &State, service: &Service, now: Timestamp) -> Option<String> {
    service.speakers.iter().find_map(|id| {
        let remote = state.world.held(id)?.details.get(&service.name)?;
        match state.polls.freshness(id, &Topic::Detail(service.name.clone()), remote, now) {
            Freshness::NotAsked | Freshness::Loading | Freshness::Fresh => None,
            Freshness::Failed => {
                Some(remote.trouble().map_or_else(|| format!("{id} does not answer"), ToString::to_string))
            }
            Freshness::Stale(age) => Some(format!("{id}: {} old", duration::short(age))),
        }
    })
}

/// Its alerts and the targets that do not answer.
fn draw_list(state: &State, cx: &Cx<'_>, service: &Service, area: Rect, buf: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let down = &service.targets.down;
    let alerts = alerts(state, &service.name);
    let title = format!(" Alerts {}, targets down {}", alerts.len(), down.len());
    let in_doubt = !doubts(state, &[AskKind::Alerts], cx.now).is_empty();
    text::put(
        buf,
        area.x,
        area.y,
        area.width,
        &title,
        cx.style(if in_doubt { Role::Stale } else { Role::Title }),
    );
    let mut lines: Vec<Vec<Run<'_>>> = Vec::new();
    for alert in &alerts {
        let role = Role::of_alert(alert);
        lines.push(vec![
            Run::new(format!(" {} {:<30} ", cx.symbol(role), alert.name()), role),
            Run::new(format!("{:<9} {:>6}  ", alert.state.word(), ago(alert.starts_at, cx.now)), Role::Text),
            Run::new(alert.summary().map_or("", |summary| summary), Role::Muted),
        ]);
    }
    for target in down {
        lines.push(vec![
            Run::new(format!(" {} target down  ", cx.symbol(Role::Down)), Role::Down),
            Run::new(format!("{} ({})", target.instance, target.job), Role::Text),
        ]);
    }
    let rows = frame::below_heading(area);
    for (y, line) in (rows.top()..rows.bottom()).zip(&lines) {
        text::runs(cx, line, Rect { y, height: 1, ..rows }, buf);
    }
    let hidden = lines.len().saturating_sub(usize::from(rows.height));
    if hidden > 0 {
        text::right(buf, area.x, area.y, area.width, &format!("+{hidden} more "), cx.style(Role::Muted));
    }
}
