//! Draws a trace: what it is, where its time goes, and its spans on one time axis.

use super::rows::SpanKey;
use super::{DETAILS, OpenTrace, details};
use crate::app::list_screen::fold_sign;
use crate::app::number::{percent, plural};
use crate::app::prelude::*;
use crate::app::subjects::trace;
use crate::model::remote::AnswerState;
use crate::model::trace::{SpanNode, Trace};
use details::time;

/// From this width on, the details are beside the spans.
const BESIDE: u16 = 120;
/// From this width on, spans have bars and the names of their services.
const BARS: u16 = 60;

/// The parts of the screen.
pub(super) struct TraceAreas {
    info: Rect,
    /// The line with the labels of the time axis.
    axis: Rect,
    pub(super) rows: Rect,
    pub(super) details: Rect,
}

/// The parts of the screen in the body of the frame.
pub(super) fn areas(screen: &OpenTrace, cx: &ScreenCx<'_>, body: Rect) -> TraceAreas {
    let mut below = layout::below_heading(body);
    let lines = screen.trace().map_or(0, |trace| info(cx, trace, below.width).len());
    let most = match below.height {
        0..10 => 1,
        10..18 => 2,
        _ => 6,
    };
    let height = u16::try_from(lines).unwrap_or(u16::MAX).min(most).min(below.height);
    let info = Rect { height, ..below };
    below = Rect { y: below.y + height, height: below.height - height, ..below };
    let none = Rect { width: 0, height: 0, ..below };
    let (spans, details) = if !screen.has_details {
        (below, none)
    } else if below.width >= BESIDE {
        let width = below.width * 2 / 5;
        let spans = Rect { width: below.width - width - 1, ..below };
        (spans, Rect { x: below.right() - width, width, ..below })
    } else if below.height >= 12 {
        let height = below.height / 2;
        let spans = Rect { height: below.height - height, ..below };
        (spans, Rect { y: below.bottom() - height, height, ..below })
    } else {
        (none, below)
    };
    let axis = Rect { height: u16::from(spans.height >= 3 && spans.width >= BARS), ..spans };
    let rows = Rect { y: spans.y + axis.height, height: spans.height - axis.height, ..spans };
    TraceAreas { info, axis, rows, details }
}

pub(super) fn render(screen: &OpenTrace, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let Some(id) = screen.subject else { return };
    let found = trace::found(cx.shared, id).map(|(source, _)| source);
    let mut title = vec![StyledRun::new(format!(" Trace {id}"), Role::Title)];
    if let (Some(source), Some(trace)) = (found, screen.trace()) {
        let at = moment(trace.starts_at, cx.now, cx.zone);
        title.push(StyledRun::new(format!("  {source}  {at}"), Role::Muted));
    }
    title.extend(screen.rows.found.title_runs());
    let below = layout::heading_with_staleness(cx, &title, &[], area, buf);
    let Some(trace) = screen.trace() else {
        missing(screen, cx, below, buf);
        return;
    };
    let areas = areas(screen, cx, area);
    text::lines(cx, info(cx, trace, areas.info.width), areas.info, buf);
    let columns = Columns::of(areas.rows.width);
    axis(cx, trace, &columns, areas.axis, buf);
    if screen.rows.list.rows().is_empty() {
        text::say(cx, 3, &screen.rows.found.nothing("span"), Role::Muted, areas.rows, buf);
    }
    let shown = screen.rows.list.shown(areas.rows.height.into());
    for (y, (index, key)) in (areas.rows.top()..areas.rows.bottom()).zip(shown) {
        let line = Rect { y, height: 1, ..areas.rows };
        row(screen, cx, trace, key, &columns, line, buf);
        if index == screen.rows.list.index() {
            text::select(cx, line, buf);
        }
    }
    if areas.details.height > 0 {
        let is_focused = screen.scroll_position.panel == DETAILS;
        let inner = details_area(cx, is_focused, &areas, buf);
        let page = details::page(screen, cx, inner.width);
        let scroll = if is_focused { screen.scroll_position.scroll } else { 0 };
        page.render(cx, scroll.min(page.last_scroll(inner.height)), inner, buf);
    }
}

/// Draws the line between the spans and the details. Gives the room of the details.
fn details_area(cx: &ScreenCx<'_>, is_focused: bool, areas: &TraceAreas, buf: &mut Buffer) -> Rect {
    let role = if is_focused { Role::Accent } else { Role::Border };
    if areas.details.x > areas.rows.x && areas.rows.width > 0 {
        for y in areas.details.top()..areas.details.bottom() {
            let line =
                cx.charset.pick(if is_focused { "┃" } else { "│" }, if is_focused { "#" } else { "|" });
            text::put(buf, areas.details.x - 1, y, 1, line, cx.style(role));
        }
    }
    areas.details
}

/// Says why there is no trace.
fn missing(screen: &OpenTrace, cx: &ScreenCx<'_>, below: Rect, buf: &mut Buffer) {
    let states = |source: &SourceId| -> Option<&AnswerState> {
        let remote = cx.world.cache(source)?.traces().get(&screen.subject?)?;
        Some(&**remote)
    };
    let mut said = trace::lack(cx.shared, AskKind::Trace, states, "No trace has this id");
    if said.iter().any(|(_, role)| *role == Role::Unknown) {
        let words = "It may not have been sampled, may be too old, or may not have arrived yet: burnwatch asks again every 30 s.";
        said.push((words.to_owned(), Role::Muted));
    }
    let place = Rect { x: below.x + 3, width: below.width.saturating_sub(3), ..below };
    let lines = said.into_iter().flat_map(|(words, role)| {
        let lines = text::wrap(&words, place.width.min(100));
        lines.into_iter().map(move |line| vec![StyledRun::new(line, role)])
    });
    text::lines(cx, lines, place, buf);
}

/// The lines between the heading and the spans: size and duration, where a failure began, where the time goes, remarks.
fn info(cx: &ScreenCx<'_>, trace: &Trace, width: u16) -> Vec<Vec<StyledRun<'static>>> {
    let mut lines = Vec::new();
    let errors = trace.errors();
    let of_errors = if errors > 0 { (cx.symbol(Role::Trouble), Role::Trouble) } else { (" ", Role::Muted) };
    let root = trace
        .root()
        .map_or_else(String::new, |root| format!(" {} {}", root.span.service, root.span.operation));
    let length = trace.root().map_or(0, |root| root.length);
    let whole = duration_of(trace);
    let whole = if whole == length { String::new() } else { format!(" ({} to the last span)", time(whole)) };
    let all = trace.nodes.len() + trace.omitted;
    lines.push(vec![
        StyledRun::new(root, Role::Text),
        StyledRun::new(format!("  {}", time(length)), Role::Title),
        StyledRun::new(whole, Role::Muted),
        StyledRun::new(format!("  {} {}", of_errors.0, plural(errors, "error")), of_errors.1),
        StyledRun::new(format!("  {}", plural(all, "span")), Role::Text),
        StyledRun::new(format!("  {}", plural(trace.services.len(), "service")), Role::Text),
        StyledRun::new(format!("  {} critical path", cx.charset.pick("━", "=")), Role::Muted),
    ]);
    if let Some(origin) = trace.error_origin.and_then(|at| trace.nodes.get(at)) {
        let why = origin.span.reason().map(|why| format!(": {why}")).unwrap_or_default();
        let words = format!("{} {}{why}", origin.span.service, origin.span.operation);
        lines.push(vec![
            StyledRun::new(format!(" {} failed first in ", cx.symbol(Role::Trouble)), Role::Trouble),
            StyledRun::new(words, Role::Text),
        ]);
    }
    lines.push(shares(cx, trace, width));
    let remarks = trace.remarks().into_iter();
    lines
        .extend(remarks.map(|remark| {
            vec![StyledRun::new(format!(" {} {remark}", cx.symbol(Role::Stale)), Role::Stale)]
        }));
    lines
}

fn duration_of(trace: &Trace) -> u64 {
    u64::try_from(trace.duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The services with their shares of the critical path, as many as fit.
fn shares(cx: &ScreenCx<'_>, trace: &Trace, width: u16) -> Vec<StyledRun<'static>> {
    const CELLS: f64 = 12.0;
    let whole: Duration = trace.services.iter().map(|share| share.critical).sum();
    let mut runs = vec![StyledRun::new(" time", Role::Muted)];
    let mut used = text::runs_width(&runs);
    for (index, share) in trace.services.iter().enumerate().filter(|(_, share)| !share.critical.is_zero()) {
        let part = share.critical.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the cells")]
        let cells = (part.clamp(0.0, 1.0) * CELLS).ceil() as usize;
        let bar = cx.charset.pick("█", "#").repeat(cells);
        let errors =
            if share.errors > 0 { format!(" {}", plural(share.errors, "error")) } else { String::new() };
        let own = [
            StyledRun::new(
                format!("  {} {} ", trace::symbol(cx, index), name(&share.service)),
                Role::of_line(index),
            ),
            StyledRun::new(bar, Role::of_line(index)),
            StyledRun::new(format!(" {}", percent(part)), Role::Text),
            StyledRun::new(errors, Role::Trouble),
        ];
        let cells = text::runs_width(&own);
        if used + cells > width {
            let left = trace.services.iter().skip(index).filter(|share| !share.critical.is_zero()).count();
            runs.push(StyledRun::new(format!("  +{left}"), Role::Muted));
            break;
        }
        used += cells;
        runs.extend(own);
    }
    runs
}

fn name(service: &str) -> &str {
    if service.is_empty() { "unknown" } else { service }
}

/// The columns of a row, from left to right, in cells.
struct Columns {
    operation: u16,
    service: u16,
    bar: u16,
}

/// The cells of the duration and of the symbol of an error, with the gaps before them.
const TAIL: u16 = 11;

impl Columns {
    fn of(width: u16) -> Self {
        // one cell for the cursor
        let room = width.saturating_sub(1 + TAIL);
        if width < BARS {
            let service = if room > 12 { 2 } else { 0 };
            return Self { operation: room.saturating_sub(service), service, bar: 0 };
        }
        let service = (width / 7).clamp(11, 24);
        let operation = (width / 3).clamp(18, 60);
        Self { operation, service, bar: room.saturating_sub(service + operation + 1) }
    }

    fn bar_at(&self, area: Rect) -> Rect {
        let x = area.x + 1 + self.operation + self.service + 1;
        Rect { x: x.min(area.right()), width: self.bar, ..area }
    }
}

/// The labels of the time axis: the time since the start of the trace at each quarter.
fn axis(cx: &ScreenCx<'_>, trace: &Trace, columns: &Columns, area: Rect, buf: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let style = cx.style(Role::Muted);
    text::put(buf, area.x + 1, area.y, columns.operation, "span", style);
    text::put(buf, area.x + 1 + columns.operation, area.y, columns.service, "service", style);
    text::right(buf, area.right().saturating_sub(TAIL), area.y, 8, "took", style);
    let bar = columns.bar_at(area);
    let mut free = bar.x;
    for quarter in 0..4_u16 {
        let at = duration_of(trace) / 4 * u64::from(quarter);
        let label = if quarter == 0 { "0".to_owned() } else { time(at) };
        let x = bar.x + bar.width * quarter / 4;
        let cells = text::width(&label);
        if x >= free && x + cells <= bar.right() {
            text::put(buf, x, area.y, cells, &label, style);
            free = x + cells + 1;
        }
    }
}

/// One span: its place in the tree, its service, its time, its duration and whether it failed.
fn row(
    screen: &OpenTrace,
    cx: &ScreenCx<'_>,
    trace: &Trace,
    key: &SpanKey,
    columns: &Columns,
    area: Rect,
    buf: &mut Buffer,
) {
    let Some((place, node)) = screen.rows.node(key) else { return };
    let is_folded = screen.rows.is_folded(key);
    let role = if screen.rows.is_only_an_ancestor(place) {
        Role::Muted
    } else if node.span.is_error() {
        Role::Trouble
    } else {
        Role::Text
    };
    if screen.rows.list.marks().contains(key) {
        text::put(buf, area.x, area.y, 1, cx.symbol(Role::Marked), cx.style(Role::Marked));
    }
    let mut runs = vec![StyledRun::new(branch(cx, &trace.nodes, place, columns.operation), Role::Border)];
    let sign = if node.below > 0 { fold_sign(cx, is_folded) } else { " " };
    runs.push(StyledRun::new(format!("{sign} "), Role::Muted));
    runs.extend(screen.rows.found.highlighted(&node.span.operation, role));
    if is_folded {
        runs.push(StyledRun::new(format!(" +{}", node.below), Role::Muted));
    }
    let operation = Rect { x: area.x + 1, width: columns.operation.saturating_sub(1), ..area };
    text::runs(cx, &runs, operation.intersection(area), buf);
    let service = trace.service_index(&node.span.service).unwrap_or(0);
    let line = Role::of_line(service);
    let words = format!("{} {}", trace::symbol(cx, service), name(&node.span.service));
    let cell = Rect { x: area.x + 1 + columns.operation, width: columns.service, ..area }.intersection(area);
    if columns.bar > 0 {
        text::put(
            buf,
            cell.x,
            cell.y,
            cell.width,
            &text::fit(&words, cell.width, cx.charset),
            cx.style(line),
        );
        bar(cx, trace, place, node, line, columns.bar_at(area), buf);
    } else {
        text::put(buf, cell.x, cell.y, cell.width.min(1), &words, cx.style(line));
    }
    if area.width >= TAIL {
        text::right(buf, area.right() - TAIL, area.y, 8, &time(node.length), cx.style(role));
        let failed = node.span.is_error() || is_folded && node.errors_below > 0;
        if failed {
            text::put(buf, area.right() - 2, area.y, 1, cx.symbol(Role::Trouble), cx.style(Role::Trouble));
        }
    }
}

/// The lines of the tree before a span. Of a deep one, only the nearest levels are drawn.
fn branch(cx: &ScreenCx<'_>, nodes: &[SpanNode], place: usize, width: u16) -> String {
    let Some(node) = nodes.get(place) else { return String::new() };
    let levels = usize::from(width / 2 / 2).max(1);
    let is_last = |at: usize, node: &SpanNode| {
        let next = nodes.get(at + 1 + node.below);
        next.is_none_or(|next| next.parent != node.parent)
    };
    let mut parts = Vec::new();
    let mut at = Some((place, node));
    while let Some((place, node)) = at.filter(|(_, node)| node.depth > 0 && parts.len() < levels) {
        let own = parts.is_empty();
        parts.push(match (own, is_last(place, node)) {
            (true, true) => cx.charset.pick("└ ", "`-"),
            (true, false) => cx.charset.pick("├ ", "|-"),
            (false, true) => "  ",
            (false, false) => cx.charset.pick("│ ", "| "),
        });
        at = node.parent.and_then(|parent| Some((parent, nodes.get(parent)?)));
    }
    if node.depth > levels {
        parts.pop();
        parts.push(cx.charset.pick("… ", "~ "));
    }
    if node.is_orphan {
        parts.push(cx.charset.pick("? ", "? "));
    }
    parts.reverse();
    parts.concat()
}

/// The time of a span on the axis: thick where the duration of the trace depends on it.
fn bar(
    cx: &ScreenCx<'_>,
    trace: &Trace,
    place: usize,
    node: &SpanNode,
    role: Role,
    area: Rect,
    buf: &mut Buffer,
) {
    let whole = u128::from(duration_of(trace).max(1));
    let cells = u128::from(area.width);
    let cell = |at: u64| u16::try_from(u128::from(at) * cells / whole).unwrap_or(u16::MAX);
    let end = |at: u64| u16::try_from((u128::from(at) * cells).div_ceil(whole)).unwrap_or(u16::MAX);
    let draw = |from: u64, to: u64, unicode: &'static str, ascii: &'static str, buf: &mut Buffer| {
        let first = cell(from).min(area.width.saturating_sub(1));
        let last = end(to).clamp(first + 1, area.width.max(first + 1));
        for x in first..last.min(area.width) {
            text::put(buf, area.x + x, area.y, 1, cx.charset.pick(unicode, ascii), cx.style(role));
        }
    };
    draw(node.from, node.to(), "─", "-", buf);
    for segment in trace.path.iter().filter(|segment| segment.node == place) {
        draw(segment.from, segment.to, "━", "=", buf);
    }
}
