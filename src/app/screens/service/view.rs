//! How one service looks.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{hosts, list};
use crate::app::doubt::doubts;
use crate::app::layout;
use crate::app::look::Cx;
use crate::app::number::{UNKNOWN, ago, latency, moment, or_unknown, percent, rate};
use crate::app::refusal;
use crate::app::screens::service::OpenService;
use crate::app::shared::Shared;
use crate::app::subjects::incident::words as incidents;
use crate::app::subjects::service;
use crate::app::subjects::slo::words;
use crate::app::theme::Role;
use crate::app::widgets::bar::panel;
use crate::app::widgets::chart::{Chart, Line, Mark};
use crate::app::widgets::heat::{Bucket, Heat};
use crate::app::widgets::text::{self, Run};
use crate::app::widgets::unit::Unit;
use crate::model::ask::{AskKind, Topic};
use crate::model::duration;
use crate::model::host::Saturated;
use crate::model::labels::Text;
use crate::model::remote::Freshness;
use crate::model::series::Matrix;
use crate::model::service::{Detail, Service};
use crate::model::signal::Signal;
use crate::model::source::{SourceId, Trouble};

/// The charts, in the order in which Tab goes through them where not all have room.
const CHARTS: [&str; super::SLOS] = ["Requests", "Errors", "Latency", "Saturation", "Latency by bucket"];
/// What each of them tells; Apdex is read from the same buckets as the last one.
const CHART_SIGNALS: [Signal; super::SLOS] =
    [Signal::Requests, Signal::Errors, Signal::Latency, Signal::Saturation, Signal::Apdex];
/// Rows that a chart wants at least, with its frame.
const CHART_HEIGHT: u16 = 7;
/// From this width on its SLOs stand beside its alerts.
const BESIDE: u16 = 130;
/// Cells that a chart wants at least, with its frame.
const CHART_WIDTH: u16 = 38;

/// Draws the service.
pub(super) fn render(
    screen: &OpenService,
    shared: &Shared,
    name: &Text,
    now: Timestamp,
    area: Rect,
    buf: &mut Buffer,
) {
    let cx = shared.cx(now);
    let Some(service) = shared.world.service(name) else {
        let words = format!("{name}: no source knows this service (any more). Esc goes back.");
        text::put(buf, area.x + 1, area.y, area.width.saturating_sub(1), &words, cx.style(Role::Unknown));
        return;
    };
    let used = [AskKind::Services, AskKind::Alerts];
    let parts = parts(screen, service, area);
    layout::heading(&cx, &title(&cx, service, shared), &layout::doubt_runs(shared, &used, now), area, buf);
    text::runs(&cx, &numbers(service, parts.numbers.width), parts.numbers, buf);
    draw_incidents(screen, shared, &cx, parts.incidents, buf);
    draw_charts(screen, shared, &cx, service, parts.charts, buf);
    list::draw(screen, shared, &cx, service, parts.list, buf);
    if parts.slos.height > 0 {
        draw_slos(screen, shared, &cx, parts.slos, buf);
    }
}

/// Most open incidents that are shown.
const INCIDENTS: usize = 2;

/// Where the parts below the heading stand.
struct Parts {
    /// Without height if none is open.
    incidents: Rect,
    numbers: Rect,
    charts: Rect,
    list: Rect,
    /// Beside the list, or above it; without height if there are none.
    slos: Rect,
}

fn parts(screen: &OpenService, service: &Service, body: Rect) -> Parts {
    let room = layout::below_heading(body);
    let numbers = Rect { height: 1.min(room.height), ..room };
    let room = layout::below_heading(room);
    let open = u16::try_from(screen.incidents.rows().len().min(INCIDENTS)).unwrap_or(0);
    let incidents = Rect { height: if room.height > 10 { open } else { 0 }, ..room };
    let room = Rect { y: incidents.bottom(), height: room.height - incidents.height, ..room };
    let rows = |count: usize| u16::try_from(1 + count).unwrap_or(u16::MAX);
    let (alerts, slos) = (rows(service.alerts.len() + hosts::count(service)), screen.slos.rows().len());
    let most = (room.height / 4).max(2);
    let below = |wanted: u16| if room.height > 12 { wanted.clamp(2, most) } else { 0 };
    if screen.spot.panel == super::PARTS {
        // who goes through them wants to see them
        let most = if room.height > 12 { room.height / 2 } else { room.height };
        let height = rows(hosts::count(service)).min(most);
        let charts = Rect { height: room.height - height, ..room };
        let list = Rect { y: charts.bottom(), height, ..room };
        return Parts { incidents, numbers, charts, list, slos: Rect { height: 0, ..list } };
    }
    if slos == 0 {
        let list = below(alerts);
        let charts = Rect { height: room.height - list, ..room };
        let list = Rect { y: charts.bottom(), height: list, ..room };
        return Parts { incidents, numbers, charts, list, slos: Rect { height: 0, ..list } };
    }
    if room.width >= BESIDE {
        let height = below(alerts.max(rows(slos)));
        let charts = Rect { height: room.height - height, ..room };
        let list = Rect { y: charts.bottom(), height, width: room.width / 2, ..room };
        let slos = Rect { x: list.right(), width: room.width - list.width, ..list };
        return Parts { incidents, numbers, charts, list, slos };
    }
    // where one must stand above the other, the worst two say most
    let above = if room.height > 16 { rows(slos).min(3) } else { 0 };
    let list = below(alerts);
    let charts = Rect { height: room.height - list - above, ..room };
    let slos = Rect { y: charts.bottom(), height: above, ..room };
    Parts { incidents, numbers, charts, list: Rect { y: slos.bottom(), height: list, ..room }, slos }
}

/// Where the rows of its alerts stand, or on their panel those of its SLOs.
pub(super) fn list_area(
    screen: &OpenService,
    shared: &Shared,
    name: &Text,
    panel: usize,
    body: Rect,
) -> Rect {
    shared.world.service(name).map_or(Rect::default(), |service| {
        let parts = parts(screen, service, body);
        match panel {
            super::INCIDENTS => parts.incidents,
            super::SLOS => layout::below_heading(parts.slos),
            _ => layout::below_heading(parts.list),
        }
    })
}

/// The chart at a cell, or the panel of SLOs.
pub(super) fn panel_at(
    screen: &OpenService,
    shared: &Shared,
    name: &Text,
    body: Rect,
    cell: (u16, u16),
) -> Option<usize> {
    let parts = parts(screen, shared.world.service(name)?, body);
    if parts.slos.contains(cell.into()) {
        return Some(super::SLOS);
    }
    if parts.incidents.contains(cell.into()) {
        return Some(super::INCIDENTS);
    }
    if parts.list.contains(cell.into()) && screen.spot.panel >= super::SLOS {
        return Some(if screen.spot.panel == super::PARTS { super::PARTS } else { 0 });
    }
    let charts = parts.charts;
    let found = tiles(charts, screen.spot.panel).into_iter().find(|(_, tile)| tile.contains(cell.into()));
    found.map(|(index, _)| index)
}

/// "checkout is burning for 3m: 21% of requests fail", and what describes it.
fn title(cx: &Cx<'_>, service: &Service, shared: &Shared) -> Vec<Run<'static>> {
    let role = Role::of_health(service.health);
    let why = service::why(service, cx.now);
    let verdict = if let Some(end) = shared.range.end {
        format!("was {} at {}", service.health.word(), moment(end, cx.now, cx.zone))
    } else {
        // how long before burnwatch looked, nobody knows
        let lasted = service.since.map(|since| format!(" for {}", ago(since, cx.now)));
        format!("is {}{}", service.health.word(), lasted.unwrap_or_default())
    };
    let mut runs =
        vec![Run::new(format!(" {} {} ", cx.symbol(role), service.name), role), Run::new(verdict, role)];
    if !why.is_empty() {
        runs.push(Run::new(format!(": {why}"), role));
    }
    let labels: Vec<String> = service.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    runs.push(Run::new(format!("  {}", labels.join(" ")), Role::Muted));
    runs
}

/// The signals in one line, as many as fit whole.
fn numbers(service: &Service, width: u16) -> Vec<Run<'static>> {
    let signals = &service.signals;
    let lacks = |signal| service.unknown.contains(signal);
    let mut saturation = or_unknown(signals.saturation, lacks(Signal::Saturation), percent);
    if let Some((host, usage)) = service.fullest().filter(|(_, usage)| !usage.resource.is_empty()) {
        saturation = Saturated { usage: usage.clone(), host: host.name.clone() }.to_string();
    }
    let all = [
        ("requests", or_unknown(signals.request_rate, lacks(Signal::Requests), rate)),
        ("errors", or_unknown(signals.error_ratio, lacks(Signal::Errors), percent)),
        ("p95", or_unknown(signals.p95, lacks(Signal::Latency), latency)),
        ("targets", service.up().map_or_else(|| UNKNOWN.to_owned(), |up| format!("{up} up"))),
        ("saturation", saturation),
        ("p99", or_unknown(signals.p99, lacks(Signal::Latency), latency)),
        ("Apdex", or_unknown(signals.apdex, lacks(Signal::Apdex), |apdex| format!("{apdex:.2}"))),
        ("p50", or_unknown(signals.p50, lacks(Signal::Latency), latency)),
    ];
    let mut runs = vec![Run::new(" ", Role::Text)];
    let mut used = 1;
    for (name, value) in all {
        let cells = text::width(name) + 1 + text::width(&value);
        if used + cells > width {
            break;
        }
        runs.push(Run::new(format!("{name} "), Role::Muted));
        runs.push(Run::new(format!("{value}  "), Role::Text));
        used += cells + 2;
    }
    runs
}

/// Where the charts stand that have room. The chosen one is always among them.
fn tiles(area: Rect, chosen: usize) -> Vec<(usize, Rect)> {
    let columns = (area.width / CHART_WIDTH).clamp(1, if area.width >= 150 { 3 } else { 2 });
    let rows = (area.height / CHART_HEIGHT).max(1);
    let fitting = usize::from(columns * rows).min(CHARTS.len());
    let first = chosen.min(CHARTS.len() - fitting);
    let rows = u16::try_from(fitting.div_ceil(usize::from(columns))).unwrap_or(1).max(1);
    let mut tiles = Vec::with_capacity(fitting);
    for (place, index) in (0_u16..).zip(first..first + fitting) {
        let (row, column) = (place / columns, place % columns);
        // the last chart of an unfinished row takes the rest of it
        let is_last = index + 1 == first + fitting;
        let wide = if is_last { columns - column } else { 1 };
        let edge = |i: u16, of: u16, length: u16| {
            u16::try_from(u32::from(length) * u32::from(i) / u32::from(of)).unwrap_or(u16::MAX)
        };
        let (left, right) = (edge(column, columns, area.width), edge(column + wide, columns, area.width));
        let (top, bottom) = (edge(row, rows, area.height), edge(row + 1, rows, area.height));
        let tile = Rect { x: area.x + left, y: area.y + top, width: right - left, height: bottom - top };
        tiles.push((index, tile));
    }
    tiles
}

fn draw_charts(
    screen: &OpenService,
    shared: &Shared,
    cx: &Cx<'_>,
    service: &Service,
    area: Rect,
    buf: &mut Buffer,
) {
    let details = details(shared, service);
    for (index, tile) in tiles(area, screen.spot.panel) {
        let is_current = index == screen.spot.panel;
        draw_chart(shared, cx, (service, &details), (index, is_current), tile, buf);
    }
}

/// What each source says of the service over time.
fn details<'a>(shared: &'a Shared, service: &'a Service) -> Vec<(&'a SourceId, &'a Detail)> {
    let held = service.speakers.iter().filter_map(|id| Some((id, shared.world.held(id)?)));
    held.filter_map(|(id, held)| Some((id, held.details().get(&service.name)?.value()?))).collect()
}

fn draw_chart(
    shared: &Shared,
    cx: &Cx<'_>,
    (service, details): (&Service, &[(&SourceId, &Detail)]),
    (index, is_current): (usize, bool),
    area: Rect,
    buf: &mut Buffer,
) {
    let name = CHARTS.get(index).copied().unwrap_or_default();
    let range = shared.range.words(cx.now);
    let title = match trouble(shared, service, cx.now) {
        Some(trouble) => format!("{name}, {range}  {} {trouble}", cx.symbol(Role::Stale)),
        None => format!("{name}, {range}"),
    };
    let inner = panel(cx, &title, is_current, area, buf);
    let shown = details.first().filter(|(_, first)| is_of_range(shared, first, cx.now));
    let Some((_, first)) = shown else {
        if let Some(trouble) = refused(shared, service) {
            refusal::trouble(cx, trouble, inner, buf);
            return;
        }
        let words = if service.sources.is_empty() { "no source has its history" } else { shared.waiting() };
        text::put(buf, inner.x + 1, inner.y, inner.width.saturating_sub(1), words, cx.style(Role::Muted));
        return;
    };
    let signal = CHART_SIGNALS.get(index).copied().unwrap_or(Signal::Apdex);
    let missed = details.iter().find_map(|(_, detail)| detail.unknown.iter().find(|u| u.signal == signal));
    if let Some(unknown) = missed {
        refusal::reason(cx, &unknown.why, inner, buf);
        return;
    }
    let (part, unit): (fn(&Detail) -> &Matrix, Unit) = match index {
        0 => (|d| &d.request_rate, Unit::PerSecond),
        1 => (|d| &d.error_ratio, Unit::Ratio),
        2 => (|d| &d.latency, Unit::Seconds),
        3 => (|d| &d.saturation, Unit::Ratio),
        _ => {
            heat(cx, details, inner, buf);
            return;
        }
    };
    let named = lines(details, part, index == 2);
    let lines: Vec<Line<'_>> = named
        .iter()
        .enumerate()
        .map(|(i, (label, values))| Line { values, role: Role::of_line(i), label })
        .collect();
    let alerts = service::alerts(shared, &service.name);
    let fired: Vec<_> = alerts.iter().filter(|a| a.is_firing()).map(|a| (a.starts_at, cx.now)).collect();
    let mark = |role: Role, at| Mark { at, symbol: cx.symbol(role), role };
    let marks: Vec<Mark<'_>> = alerts.iter().map(|a| mark(Role::of_alert(a), a.starts_at)).collect();
    let thresholds = &shared.judgement.thresholds;
    let threshold = match index {
        1 => Some((thresholds.error_ratio_burning, "burning")),
        2 => Some((thresholds.p95_degraded, "p95 limit")),
        3 => Some((thresholds.saturation_degraded, "limit")),
        _ => None,
    };
    let chart = Chart {
        thresholds: threshold.as_slice(),
        shade: &fired,
        marks: &marks,
        ..Chart::new(part(first).span, &lines, unit)
    };
    chart.render(cx, inner, buf);
}

/// The buckets of all sources added up: requests are requests, wherever they were served.
fn heat(cx: &Cx<'_>, details: &[(&SourceId, &Detail)], area: Rect, buf: &mut Buffer) {
    let Some(span) = details.iter().map(|(_, detail)| detail.buckets.span).max_by_key(|span| span.end())
    else {
        return;
    };
    let newest = details.iter().filter(|(_, detail)| detail.buckets.span == span);
    let mut sums: Vec<(f64, Vec<f64>)> = Vec::new();
    for line in newest.flat_map(|(_, detail)| &detail.buckets.lines) {
        let le: f64 = line.labels.value("le").parse().unwrap_or(f64::INFINITY);
        match sums.iter_mut().find(|(known, _)| known.total_cmp(&le).is_eq()) {
            Some((_, sum)) => service::join(sum, &line.values, |a, b| a + b),
            None => sums.push((le, line.values.clone())),
        }
    }
    sums.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let buckets: Vec<Bucket<'_>> = sums.iter().map(|(le, values)| Bucket { le: *le, values }).collect();
    Heat { span, buckets: &buckets }.render(cx, area, buf);
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

/// Whether a history has the grid of the range that is shown now, and not of one that was chosen before.
fn is_of_range(shared: &Shared, detail: &Detail, now: Timestamp) -> bool {
    detail.request_rate.span.step() == super::window(shared, now).step()
}

/// Why there is no history, if it was asked for and is not to be had.
fn refused<'a>(shared: &'a Shared, service: &Service) -> Option<&'a Trouble> {
    let asked = service.speakers.iter().filter_map(|id| shared.world.held(id)?.details().get(&service.name));
    asked.filter(|remote| !remote.is_waiting()).find_map(|remote| Some(&remote.trouble()?.trouble))
}

/// Why the charts are not what they should be, if so.
fn trouble(shared: &Shared, service: &Service, now: Timestamp) -> Option<String> {
    service.speakers.iter().find_map(|id| {
        let remote = shared.world.held(id)?.details().get(&service.name)?;
        match shared.polls.freshness(id, &Topic::Detail(service.name.clone()), &remote.state(), now) {
            Freshness::NotAsked | Freshness::Loading | Freshness::Fresh => None,
            Freshness::Failed => {
                Some(remote.trouble().map_or_else(|| format!("{id} does not answer"), ToString::to_string))
            }
            Freshness::Stale(age) => {
                let why = remote.trouble().map_or_else(String::new, |error| format!(": {}", error.trouble));
                Some(format!("{id}: {} old{why}", duration::short(age)))
            }
        }
    })
}

/// Its open incidents, the most pressing first.
fn draw_incidents(screen: &OpenService, shared: &Shared, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let list = &screen.incidents;
    let in_doubt = !doubts(shared, &[AskKind::Incidents], cx.now).is_empty();
    for (y, (index, key)) in (area.top()..area.bottom()).zip(list.shown(usize::from(area.height))) {
        let Some(known) = key.incident(&shared.world) else { continue };
        let line = Rect { y, height: 1, ..area };
        let mut runs = vec![Run::new(" incident ", Role::Muted)];
        runs.extend(incidents::line(shared, cx, known));
        let hidden = list.rows().len().saturating_sub(usize::from(area.height));
        if hidden > 0 && y + 1 == area.bottom() {
            runs.insert(0, Run::new(format!(" +{hidden}"), Role::Muted));
        }
        text::runs(cx, &runs, line, buf);
        if in_doubt {
            buf.set_style(line, cx.style(Role::Stale));
        }
        if index == list.index() && screen.spot.panel == super::INCIDENTS {
            text::put(buf, line.x, y, 1, cx.symbol(Role::Selected), cx.style(Role::Selected));
            buf.set_style(line, cx.style(Role::Selected));
        }
    }
}

/// Its SLOs, the worst first.
fn draw_slos(screen: &OpenService, shared: &Shared, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let list = &screen.slos;
    let focused = screen.spot.panel == super::SLOS;
    let in_doubt = !doubts(shared, &[AskKind::Slos], cx.now).is_empty();
    let role = if in_doubt {
        Role::Stale
    } else if focused {
        Role::Accent
    } else {
        Role::Title
    };
    let title = format!(" SLOs {}", list.rows().len());
    text::put(buf, area.x, area.y, area.width, &title, cx.style(role));
    let rows = layout::below_heading(area);
    let all = list.rows().iter().filter_map(|key| key.status(&shared.world));
    let widest = all.map(|status| text::width(&status.slo.id)).max().unwrap_or(0).clamp(12, 40);
    for (y, (index, key)) in (rows.top()..rows.bottom()).zip(list.shown(usize::from(rows.height))) {
        let Some(status) = key.status(&shared.world) else { continue };
        let line = Rect { y, height: 1, ..rows };
        let role = Role::of_slo(status.state());
        let name = text::pad(&status.slo.id, widest, cx.charset);
        let mut runs = vec![Run::new(format!("  {} {name}  ", cx.symbol(role)), role)];
        runs.extend(words::summary(status));
        if words::are_shared(shared) {
            runs.push(Run::new(format!("  {}", status.source), Role::Muted));
        }
        text::runs(cx, &runs, line, buf);
        if index == list.index() && focused {
            text::put(buf, line.x, y, 1, cx.symbol(Role::Selected), cx.style(Role::Selected));
            buf.set_style(line, cx.style(Role::Selected));
        }
    }
    let hidden = list.rows().len().saturating_sub(usize::from(rows.height));
    if hidden > 0 {
        text::right(buf, area.x, area.y, area.width, &format!("+{hidden} more "), cx.style(Role::Muted));
    }
}
