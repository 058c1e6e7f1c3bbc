//! Draws the page of one service.

use super::list;
use crate::app::number::{UNKNOWN, latency, or_unknown, percent, rate};
use crate::app::prelude::*;
use crate::app::screens::service::OpenService;
use crate::app::subjects::change;
use crate::app::subjects::incident::words as incidents;
use crate::app::subjects::service::{self, NamedHealth, charts};
use crate::app::subjects::slo::words;
use crate::model::host::Saturated;
use crate::model::service::Service;
use crate::model::signal::Signal;

/// From this width on, the SLOs are beside the alerts.
const BESIDE: u16 = 130;

pub(super) fn render(screen: &OpenService, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let name = screen.name();
    let Some(service) = cx.world.service(name) else {
        let words = format!("{name}: no source lists this service. Press Esc to go back.");
        text::say(cx, 1, &words, Role::Unknown, area, buf);
        return;
    };
    let used = [AskKind::Services, AskKind::Alerts];
    let parts = parts(screen, cx.world, service, area);
    layout::heading_with_staleness(cx, &title(cx, service), &used, area, buf);
    text::runs(cx, &numbers(cx, service, parts.numbers.width), parts.numbers, buf);
    for (y, (title, services)) in (parts.around.top()..parts.around.bottom()).zip(around(cx.world, service)) {
        let line = Rect { y, height: 1, ..parts.around };
        let title = format!(" {title}");
        text::runs(cx, &service::states(cx, &title, &services, line.width), line, buf);
    }
    draw_incidents(screen, cx, parts.incidents, buf);
    let (panel, time) = (screen.scroll_position.panel, charts::time(cx.shared, service, cx.now));
    let tiles = charts::tiles(parts.charts, panel);
    charts::draw(cx, service, (time, None), (&tiles, Some(panel)), buf);
    list::draw(screen, cx, service, parts.list, buf);
    if parts.slos.height > 0 {
        draw_slos(screen, cx, parts.slos, buf);
    }
}

/// Maximum rows of open incidents.
const INCIDENTS: usize = 2;

/// The areas below the heading.
struct Layout {
    /// Height 0 if no incident is open.
    incidents: Rect,
    numbers: Rect,
    /// The services that it calls and those that call it, one line each; height 0 if none are configured.
    around: Rect,
    charts: Rect,
    list: Rect,
    /// Beside the list, or above it; height 0 if there are no SLOs.
    slos: Rect,
}

/// Divides the body. The focused list gets more rows, charts get the rest.
fn parts(screen: &OpenService, world: &World, service: &Service, body: Rect) -> Layout {
    let room = layout::below_heading(body);
    let numbers = Rect { height: 1.min(room.height), ..room };
    let room = layout::below_heading(room);
    let lines = u16::try_from(around(world, service).len()).unwrap_or(0);
    let around = Rect { height: if room.height > 14 { lines } else { 0 }, ..room };
    let room = Rect { y: around.bottom(), height: room.height - around.height, ..room };
    let open = u16::try_from(screen.incidents.rows().len().min(INCIDENTS)).unwrap_or(0);
    let incidents = Rect { height: if room.height > 10 { open } else { 0 }, ..room };
    let room = Rect { y: incidents.bottom(), height: room.height - incidents.height, ..room };
    let rows = |count: usize| u16::try_from(1 + count).unwrap_or(u16::MAX);
    let (alerts, slos) = (rows(service.alerts.len() + list::count(service)), screen.slos.rows().len());
    let most = (room.height / 4).max(2);
    let below = |wanted: u16| if room.height > 12 { wanted.clamp(2, most) } else { 0 };
    let is_beside = room.width >= BESIDE && slos > 0 && screen.scroll_position.panel != super::PARTS;
    let (height, slos_height) = if screen.scroll_position.panel == super::PARTS {
        // the focused list gets more rows
        let most = if room.height > 12 { room.height / 2 } else { room.height };
        (rows(list::count(service)).min(most), 0)
    } else if slos == 0 {
        (below(alerts), 0)
    } else if is_beside {
        (below(alerts.max(rows(slos))), 0)
    } else {
        // without room beside each other, the two worst SLOs are above the list
        (below(alerts), if room.height > 16 { rows(slos).min(3) } else { 0 })
    };
    let charts = Rect { height: room.height - height - slos_height, ..room };
    let above = Rect { y: charts.bottom(), height: slos_height, ..room };
    let list = Rect { y: above.bottom(), height, ..room };
    if !is_beside {
        return Layout { incidents, numbers, around, charts, list, slos: above };
    }
    let list = Rect { width: room.width / 2, ..list };
    let slos = Rect { x: list.right(), width: room.width - list.width, ..list };
    Layout { incidents, numbers, around, charts, list, slos }
}

/// The services that it calls, and those that call it, as far as there are some.
fn around<'a>(world: &'a World, service: &'a Service) -> Vec<(&'static str, Vec<NamedHealth<'a>>)> {
    let calls = ("depends on", service::dependencies(world, &service.name, []));
    let callers = ("used by", service::callers(world, &service.name));
    [calls, callers].into_iter().filter(|(_, services)| !services.is_empty()).collect()
}

/// The area of the focused list's rows: incidents, SLOs, else the alerts.
pub(super) fn list_area(screen: &OpenService, shared: &Shared, panel: usize, body: Rect) -> Rect {
    shared.world.service(screen.name()).map_or(Rect::default(), |service| {
        let parts = parts(screen, &shared.world, service, body);
        match panel {
            super::INCIDENTS => parts.incidents,
            super::SLOS => layout::below_heading(parts.slos),
            _ => layout::below_heading(parts.list),
        }
    })
}

/// The panel at a cell: a chart, the SLOs, the incidents or the list.
pub(super) fn panel_at(screen: &OpenService, shared: &Shared, body: Rect, cell: (u16, u16)) -> Option<usize> {
    let parts = parts(screen, &shared.world, shared.world.service(screen.name())?, body);
    if parts.slos.contains(cell.into()) {
        return Some(super::SLOS);
    }
    if parts.incidents.contains(cell.into()) {
        return Some(super::INCIDENTS);
    }
    if parts.list.contains(cell.into()) && screen.scroll_position.panel >= super::SLOS {
        return Some(if screen.scroll_position.panel == super::PARTS { super::PARTS } else { 0 });
    }
    let found = charts::tiles(parts.charts, screen.scroll_position.panel)
        .into_iter()
        .find(|(_, tile)| tile.contains(cell.into()));
    found.map(|(index, _)| index)
}

/// The title: "checkout is critical for 3m: 21% of requests fail", then the labels.
fn title(cx: &ScreenCx<'_>, service: &Service) -> Vec<StyledRun<'static>> {
    let role = Role::of_health(service.health);
    let why = service::why(service, cx.now);
    let verdict = if let Some(end) = cx.shared.range.end {
        format!("was {} at {}", service.health.word(), moment(end, cx.now, cx.zone))
    } else {
        // how long a service was in this state before burnwatch was started is unknown
        let lasted = service.since.map(|since| format!(" for {}", ago(since, cx.now)));
        format!("is {}{}", service.health.word(), lasted.unwrap_or_default())
    };
    let mut runs = vec![
        StyledRun::new(format!(" {} {} ", cx.symbol(role), service.name), role),
        StyledRun::new(verdict, role),
    ];
    if !why.is_empty() {
        runs.push(StyledRun::new(format!(": {why}"), role));
    }
    let labels: Vec<String> = service.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    runs.push(StyledRun::new(format!("  {}", labels.join(" ")), Role::Muted));
    runs
}

/// The signals in one line, as many as fit without a cut.
fn numbers(cx: &ScreenCx<'_>, service: &Service, width: u16) -> Vec<StyledRun<'static>> {
    let signals = &service.signals;
    let lacks = |signal| service.unknown.contains(signal);
    let mut saturation = or_unknown(signals.saturation, lacks(Signal::Saturation), percent);
    if let Some((host, usage)) = service.highest_usage().filter(|(_, usage)| !usage.resource.is_empty()) {
        saturation = Saturated { usage: usage.clone(), host: host.name.clone() }.to_string();
    }
    let changed = change::last(cx.shared, &service.name)
        .map(|change| format!("{} {} ago", change.title, ago(change.at, cx.now)));
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
    let changed = changed.map(|words| ("last change", words));
    let all = all.into_iter().chain(changed);
    text::fitting(all.map(|(name, value)| (name, StyledRun::new(value, Role::Text))), width)
}

/// Draws the open incidents, most urgent first.
fn draw_incidents(screen: &OpenService, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let list = &screen.incidents;
    let is_stale = !stale_sources(cx.shared, &[AskKind::Incidents], cx.now).is_empty();
    for (y, (index, key)) in (area.top()..area.bottom()).zip(list.shown(usize::from(area.height))) {
        let Some(known) = key.incident(cx.world) else { continue };
        let line = Rect { y, height: 1, ..area };
        let mut runs = vec![StyledRun::new(" incident ", Role::Muted)];
        runs.extend(incidents::line(cx, known));
        let hidden = list.rows().len().saturating_sub(usize::from(area.height));
        if hidden > 0 && y + 1 == area.bottom() {
            runs.insert(0, StyledRun::new(format!(" +{hidden}"), Role::Muted));
        }
        text::runs(cx, &runs, line, buf);
        if is_stale {
            buf.set_style(line, cx.style(Role::Stale));
        }
        if index == list.index() && screen.scroll_position.panel == super::INCIDENTS {
            text::select(cx, line, buf);
        }
    }
}

/// Draws the SLOs, worst first.
fn draw_slos(screen: &OpenService, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let list = &screen.slos;
    let focused = screen.scroll_position.panel == super::SLOS;
    let is_stale = !stale_sources(cx.shared, &[AskKind::Slos], cx.now).is_empty();
    let role = if is_stale {
        Role::Stale
    } else if focused {
        Role::Accent
    } else {
        Role::Title
    };
    let title = format!(" SLOs {}", list.rows().len());
    text::say(cx, 0, &title, role, area, buf);
    let rows = layout::below_heading(area);
    let all = list.rows().iter().filter_map(|key| key.status(cx.world));
    let widest = all.map(|status| text::width(&status.slo.id)).max().unwrap_or(0).clamp(12, 40);
    for (y, (index, key)) in (rows.top()..rows.bottom()).zip(list.shown(usize::from(rows.height))) {
        let Some(status) = key.status(cx.world) else { continue };
        let line = Rect { y, height: 1, ..rows };
        let name = text::pad(&status.slo.id, widest, cx.charset);
        let mut runs = vec![StyledRun::new(" ", Role::of_slo(status.state()))];
        runs.extend(words::line(cx, status, &name));
        text::runs(cx, &runs, line, buf);
        if index == list.index() && focused {
            text::select(cx, line, buf);
        }
    }
    let hidden = list.rows().len().saturating_sub(usize::from(rows.height));
    if hidden > 0 {
        text::right(buf, area.x, area.y, area.width, &format!("+{hidden} more "), cx.style(Role::Muted));
    }
}
