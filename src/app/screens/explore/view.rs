//! Draws Explore: the query with its hints, and the result as chart, table or JSON.

mod editor;
mod table;

use super::results::short_name;
use super::{Explore, ExploreRow, ResultView};
use crate::app::chart_control::ChartedTime;
use crate::app::log_list;
use crate::app::prelude::*;
use crate::app::widgets::chart::{Chart, ChartLine, ChartMark};
use crate::app::widgets::unit::ValueUnit;
use crate::app::zoomed_grid::ZoomedGrid;
use crate::model::evaluation::QueryResult;
use crate::model::promql::{Dimension, dimension};
use crate::model::remote::Freshness;
use crate::model::source::ErrorKind;

/// The most series that a chart draws: the first of the list.
const MAX_LINES: usize = 40;
/// The fewest rows of a chart with a list below it.
const CHART_HEIGHT: u16 = 7;

/// The areas of the screen.
struct ExploreAreas {
    heading: Rect,
    /// The query.
    editor: Rect,
    /// Errors and hints.
    hints: Rect,
    result: Rect,
}

fn areas(screen: &Explore, shared: &Shared, body: Rect) -> ExploreAreas {
    let heading = Rect { height: 1.min(body.height), ..body };
    let room = layout::below_heading(body);
    let most = (room.height / 4).clamp(1, 8);
    let wanted = editor::height(screen, shared, room.width);
    let height = wanted.clamp(1, most).min(room.height);
    let editor = Rect { height, ..room };
    let room = Rect { y: editor.bottom(), height: room.height - height, ..room };
    let hints = editor::hint_lines(screen, shared, room.width);
    let height =
        u16::try_from(hints.len()).unwrap_or(u16::MAX).min((room.height / 3).max(u16::from(room.height > 0)));
    let hints = Rect { height, ..room };
    let result = Rect { y: hints.bottom(), height: room.height - height, ..room };
    ExploreAreas { heading, editor, hints, result }
}

/// The chart above its list, both in the area of the result.
fn chart_and_list(screen: &Explore, area: Rect) -> (Rect, Rect) {
    let is_chart =
        screen.view == ResultView::Chart && screen.shown.as_ref().is_some_and(|shown| shown.span().is_some());
    if !is_chart {
        return (Rect { height: 0, ..area }, area);
    }
    let rows = u16::try_from(screen.rows.list.rows().len()).unwrap_or(u16::MAX).saturating_add(1);
    let list = if area.height < CHART_HEIGHT + 3 {
        0
    } else {
        rows.min(area.height - CHART_HEIGHT).min(area.height * 2 / 5)
    };
    let chart = Rect { height: area.height - list, ..area };
    (chart, Rect { y: chart.bottom(), height: list, ..area })
}

/// The rows of the list.
pub(super) fn list_area(screen: &Explore, shared: &Shared, body: Rect) -> Rect {
    let result = areas(screen, shared, body).result;
    if screen.query.is_none() {
        return layout::below_heading(result);
    }
    match screen.view {
        ResultView::Json => result,
        ResultView::Chart | ResultView::Table if screen.has_lines() => result,
        ResultView::Chart | ResultView::Table => {
            crate::app::widgets::table::body(chart_and_list(screen, result).1)
        }
    }
}

pub(super) fn render(screen: &Explore, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let parts = areas(screen, cx.shared, area);
    layout::heading(cx, &title(screen, cx), &doubt(screen, cx), parts.heading, buf);
    editor::render(screen, cx, parts.editor, buf);
    text::lines(cx, editor::hint_lines(screen, cx.shared, parts.hints.width), parts.hints, buf);
    result(screen, cx, parts.result, buf);
    if let (Some(list), true) = (&screen.completion, screen.is_typing()) {
        editor::completions(cx, list, parts.editor, area, buf);
    }
}

fn title(screen: &Explore, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
    let mut runs = vec![StyledRun::new(" Explore ", Role::Title)];
    let Some(source) = screen.asked(cx.shared) else { return runs };
    runs.push(StyledRun::new(format!(" {source}"), Role::Accent));
    let language = screen.language(cx.shared);
    if language.is_of_logs() {
        runs.push(StyledRun::new(format!(" {}", language.word()), Role::Muted));
    }
    let when = match (screen.is_instant, screen.window(cx.shared, cx.now), cx.shared.range.end) {
        (false, Some(window), _) => {
            let time = ChartedTime { grid: window, event: None };
            let (_, range) = cx.shared.charted(cx, time);
            let step = screen.finer(cx.shared, cx.now).map_or(window.step(), |finer| finer.span.step());
            // log lines have no steps
            if screen.has_lines() {
                format!("  {range}")
            } else {
                format!("  {range}, step {}", duration::short(step))
            }
        }
        (_, _, Some(end)) => format!("  at {}", moment(end, cx.now, cx.zone)),
        (_, _, None) => "  now".to_owned(),
    };
    runs.push(StyledRun::new(when, Role::Text));
    if let Some(shown) = screen.shown.as_ref().filter(|_| screen.query.is_some()) {
        let all = shown.evaluation.result.series();
        let (listed, noun) = if screen.has_lines() {
            (screen.lines.lines().len(), if all == 1 { "line" } else { "lines" })
        } else {
            (screen.rows.list.rows().len(), "series")
        };
        runs.push(StyledRun::new(format!("  {} {noun}", count(listed, all)), Role::Text));
        if !screen.lists_lines() {
            runs.push(StyledRun::new(format!("  {}", screen.view.word()), Role::Muted));
        }
    }
    let hidden = screen.items.rows.iter().filter(|item| !screen.is_visible(&item.labels)).count();
    if hidden > 0 && screen.query.is_some() {
        runs.push(StyledRun::new(format!("  {hidden} hidden"), Role::Marked));
    }
    if let Some(at) = cursor(screen, cx) {
        runs.push(StyledRun::new(format!("  values at {}", moment(at, cx.now, cx.zone)), Role::Accent));
    }
    runs.extend(screen.rows.found.title_runs());
    runs
}

/// What is to be doubted about the result: its age, its error, missing parts.
fn doubt(screen: &Explore, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
    let Some(source) = screen.asked(cx.shared) else { return Vec::new() };
    let sign = |role: Role| cx.symbol(role);
    let failure = cx.shared.scheduler.traffic(source).failure().cloned();
    let Some((key, _)) = screen.asked_key(cx.shared, cx.now) else {
        return failure.map_or_else(Vec::new, |error| {
            vec![StyledRun::new(format!("{} {error}", sign(Role::Stale)), Role::Stale)]
        });
    };
    let failure = failure.or_else(|| screen.failure(cx.shared, &key).cloned());
    let age = screen.shown.as_ref().and_then(|shown| shown.at).map(|at| age(at, cx.now));
    let remote = cx.world.cache(source).and_then(|cache| cache.evaluations().get(&key));
    let late = cx.shared.scheduler.unanswered(source, &[Topic::Evaluation(key.clone())], cx.now);
    let is_of_another =
        screen.shown.as_ref().is_some_and(|shown| shown.key != key || shown.end != cx.shared.range.end);
    match (failure, age) {
        (Some(error), Some(age)) => {
            let words = format!("{} {} old; {}", sign(Role::Stale), duration::short(age), error.kind);
            vec![StyledRun::new(words, Role::Stale)]
        }
        (None, _) if cx.shared.paused.is_some() => vec![StyledRun::new("paused", Role::Muted)],
        (None, _) if late.is_some() => {
            let waited = duration::short(late.unwrap_or_default());
            vec![StyledRun::new(format!("{} no answer for {waited}", sign(Role::Stale)), Role::Stale)]
        }
        (None, _)
            if is_of_another || remote.is_none_or(|remote| remote.is_waiting && remote.at.is_none()) =>
        {
            vec![StyledRun::new("loading...", Role::Muted)]
        }
        (None, Some(age)) => {
            let topic = Topic::Evaluation(key);
            let freshness =
                remote.map(|remote| cx.shared.scheduler.freshness(source, &topic, remote, cx.now));
            match freshness {
                Some(Freshness::Stale(_)) => {
                    vec![StyledRun::new(
                        format!("{} {} old", sign(Role::Stale), duration::short(age)),
                        Role::Stale,
                    )]
                }
                Some(Freshness::Fresh | Freshness::Loading | Freshness::NotAsked | Freshness::Failed)
                | None => Vec::new(),
            }
        }
        (Some(_) | None, None) => Vec::new(),
    }
}

fn result(screen: &Explore, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    if screen.asked(cx.shared).is_none() {
        let words = "No source of this context answers queries. Add a source of kind prometheus, loki or victorialogs.";
        return text::say(cx, 1, words, Role::Muted, area, buf);
    }
    if screen.query.is_none() {
        return table::stored(screen, cx, area, buf);
    }
    let Some(shown) = &screen.shown else { return nothing(screen, cx, area, buf) };
    if screen.view == ResultView::Json {
        let top = usize::from(screen.scroll_position.scroll);
        let lines = shown.json_lines().iter().skip(top);
        text::lines(cx, lines.map(|line| [StyledRun::new(line.as_str(), Role::Text)]), area, buf);
        return;
    }
    if screen.has_lines() {
        if screen.lines.lines().is_empty() {
            let words = if shown.evaluation.result.series() == 0 {
                "The result is empty: no line matches in this time range.".to_owned()
            } else {
                screen.rows.found.nothing("line")
            };
            return text::say(cx, 1, &words, Role::Muted, area, buf);
        }
        return log_list::view::draw(&screen.lines, cx, !screen.is_typing(), area, buf);
    }
    if screen.rows.list.rows().is_empty() {
        let words = if screen.items.rows.is_empty() {
            "The result is empty: no series match.".to_owned()
        } else {
            screen.rows.found.nothing("series")
        };
        return text::say(cx, 1, &words, Role::Muted, area, buf);
    }
    let (chart, list) = chart_and_list(screen, area);
    if chart.height > 0 {
        self::chart(screen, cx, (chart, list.height > 0), buf);
    }
    if list.height > 1 {
        table::series(screen, cx, list, buf);
    }
}

/// Why there is no result.
fn nothing(screen: &Explore, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let source = screen.asked(cx.shared);
    let key = screen.asked_key(cx.shared, cx.now).map(|(key, _)| key);
    let own = key.and_then(|key| screen.failure(cx.shared, &key).cloned());
    if let Some(error) = &own {
        // the error itself stands below the query
        let words = text::wrap(advice(&error.kind), area.width.saturating_sub(2)).into_iter();
        let lines = words.map(|line| vec![StyledRun::new(format!(" {line}"), Role::Text)]);
        return text::lines(cx, lines, area, buf);
    }
    let error = own.or_else(|| source.and_then(|id| cx.shared.scheduler.traffic(id).failure().cloned()));
    let Some(error) = error else {
        return text::say(cx, 1, cx.shared.waiting(), Role::Muted, area, buf);
    };
    let width = area.width.saturating_sub(2);
    let said =
        text::wrap(&format!("{} {}: {}", cx.symbol(Role::Stale), error.source_name, error.kind), width);
    let advice = text::wrap(advice(&error.kind), width);
    let lines = said.into_iter().map(|line| (line, Role::Stale));
    let lines = lines.chain(advice.into_iter().map(|line| (line, Role::Text)));
    for (y, (line, role)) in (area.top()..area.bottom()).zip(lines) {
        text::put(buf, area.x + 1, y, width, &line, cx.style(role));
    }
}

fn advice(kind: &ErrorKind) -> &'static str {
    if matches!(kind, ErrorKind::BadQuery { .. } | ErrorKind::Unfit { .. }) {
        "Press E to change the query."
    } else if matches!(kind, ErrorKind::TimedOut { .. } | ErrorKind::TooLarge { .. }) {
        "Choose a shorter time range with t, or aggregate with sum by (label) (...). Ctrl-r tries again."
    } else {
        kind.advice()
    }
}

/// The time of the value cursor.
fn cursor(screen: &Explore, cx: &ScreenCx<'_>) -> Option<Timestamp> {
    let grid = screen.shown.as_ref()?.span()?;
    cx.shared.charts.view(ChartedTime { grid, event: None }).cursor
}

fn unit(query: &str) -> ValueUnit {
    match dimension(query) {
        Dimension::Ratio => ValueUnit::Ratio,
        Dimension::PerSecond => ValueUnit::PerSecond,
        Dimension::Seconds => ValueUnit::Seconds,
        Dimension::Plain => ValueUnit::Plain,
    }
}

fn chart(screen: &Explore, cx: &ScreenCx<'_>, (area, has_list): (Rect, bool), buf: &mut Buffer) {
    let Some(shown) = &screen.shown else { return };
    let QueryResult::Matrix { matrix, histograms } = &shown.evaluation.result else { return };
    if matrix.lines.is_empty() && !histograms.is_empty() {
        let words = "These series are native histograms. Chart a quantile: histogram_quantile(0.95, ...).";
        return text::say(cx, 1, words, Role::Muted, area, buf);
    }
    let finer = screen.finer(cx.shared, cx.now);
    let names = &screen.items.differing;
    let current = screen.rows.list.current();
    let rows = screen.rows.list.rows().iter().filter_map(|key| {
        let item = screen.item(key).filter(|item| screen.is_visible(&item.labels))?;
        Some((key, item))
    });
    let mut rows: Vec<_> = rows.take(MAX_LINES).collect();
    // the series under the cursor is drawn over the others
    rows.sort_by_key(|(key, _)| Some(*key) != current);
    let named: Vec<(usize, String, &[f64])> = rows
        .into_iter()
        .filter_map(|(_, item)| {
            let line = match finer {
                Some(finer) => finer.line(&item.labels)?,
                None => matrix.lines.get(item.line?)?,
            };
            Some((screen.colour(&item.labels), short_name(&item.labels, names), line.values.as_slice()))
        })
        .collect();
    let lines: Vec<ChartLine<'_>> = named
        .iter()
        .map(|(at, label, values)| ChartLine { values, role: Role::of_line(*at), label })
        .collect();
    let unit = unit(&shown.key.query);
    let mut area = area;
    if screen.has_exemplars && area.height > 6 {
        area.height -= 1;
        let place = Rect { y: area.bottom(), height: 1, ..area };
        text::runs(cx, &screen.exemplar_words(cx, unit), place, buf);
    }
    let mut points = screen.exemplar_points(cx);
    let mut marks: Vec<ChartMark<'_>> = Vec::new();
    if !screen.are_exemplars_on_axis() {
        // seconds have no place on an axis of rates: only their times are shown
        marks.extend(points.drain(..).map(|point| ChartMark {
            at: point.at,
            symbol: if point.is_chosen { cx.charset.pick("◆", "$") } else { cx.charset.pick("◇", "~") },
            role: if point.is_chosen { Role::Accent } else { Role::Info },
        }));
    }
    let view = cx.shared.charts.view(ChartedTime { grid: matrix.span, event: None });
    let view = if finer.is_some() { ZoomedGrid::view(view) } else { view };
    let span = finer.map_or(matrix.span, |finer| finer.span);
    let has_legend = !has_list;
    let chart = Chart { marks: &marks, points: &points, view, has_legend, ..Chart::new(span, &lines, unit) };
    chart.render(cx, area, buf);
    let beyond = screen.rows.list.rows().len().saturating_sub(MAX_LINES);
    if beyond > 0 && area.height > 2 {
        let words =
            format!("{MAX_LINES} of {} series are drawn; filter with / or sort with S", beyond + MAX_LINES);
        let width = text::width(&words).min(area.width);
        let place = Rect { x: area.right() - width, width, height: 1, ..area };
        text::say(cx, 0, &words, Role::Muted, place, buf);
    }
}

/// The role of a row's line in the chart.
fn role_of(screen: &Explore, key: &ExploreRow, at: usize) -> Role {
    let is_drawn = at < MAX_LINES && screen.item(key).is_some_and(|item| screen.is_visible(&item.labels));
    screen
        .item(key)
        .filter(|_| is_drawn)
        .map_or(Role::Muted, |item| Role::of_line(screen.colour(&item.labels)))
}
