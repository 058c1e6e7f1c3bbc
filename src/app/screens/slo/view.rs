//! Draws the page of one SLO.

use super::{BUDGET, BURN, OpenSlo, page, shown};
use crate::app::prelude::*;
use crate::app::refusal;
use crate::app::subjects::slo::burn_down;
use crate::app::subjects::slo::course::{BudgetCourse, line};
use crate::app::subjects::slo::queries::{POINTS, burns_key, chart_queries, slots_of};
use crate::app::subjects::slo::words;
use crate::app::subjects::{alert, change};
use crate::app::widgets::bar::panel;
use crate::app::widgets::chart::{Chart, ChartLine, ChartMark};
use crate::app::widgets::unit::ValueUnit;
use crate::app::zoomed_grid::ZoomedGrid;
use crate::model::ask::SeriesKey;
use crate::model::series::Matrix;
use crate::model::slo::query::RatioQuery;
use crate::model::slo::{BurnCondition, BurnSeverity, GroupStatus, show};

const USED: [AskKind; 2] = [AskKind::Slos, AskKind::Alerts];
/// From this width on, the text is beside the charts.
const BESIDE: u16 = 160;
/// From this width on, the charts are side by side.
const SIDE_BY_SIDE: u16 = 100;

/// The areas below the heading.
struct Layout {
    numbers: Rect,
    /// The charts that fit, by their panels.
    charts: Vec<(usize, Rect)>,
    page: Rect,
}

fn parts(body: Rect, chosen: usize) -> Layout {
    let room = layout::below_heading(body);
    let numbers = Rect { height: 1.min(room.height), ..room };
    let room = layout::below_heading(room);
    if room.width >= BESIDE && room.height >= 16 {
        let left = Rect { width: room.width / 2, ..room };
        let above = Rect { height: left.height.div_ceil(2), ..left };
        let below = Rect { y: above.bottom(), height: left.height - above.height, ..left };
        let page = Rect { x: left.right() + 1, width: room.width - left.width - 1, ..room };
        return Layout { numbers, charts: vec![(BUDGET, above), (BURN, below)], page };
    }
    let height = match room.height {
        0..5 => 0,
        5..16 => room.height / 2 + 1,
        _ => (room.height * 2 / 5).clamp(8, 16),
    };
    let above = Rect { height, ..room };
    let page = Rect { y: above.bottom(), height: room.height - height, ..room };
    let charts = if height == 0 {
        Vec::new()
    } else if room.width >= SIDE_BY_SIDE {
        let left = Rect { width: above.width / 2, ..above };
        let right = Rect { x: left.right(), width: above.width - left.width, ..above };
        vec![(BUDGET, left), (BURN, right)]
    } else {
        vec![(if chosen == BURN { BURN } else { BUDGET }, above)]
    };
    Layout { numbers, charts, page }
}

pub(super) fn render(screen: &OpenSlo, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let Some(SloKey { id, source }) = &screen.subject else { return };
    let Some(status) = cx.world.slo(source, id) else {
        let is_told = cx.world.cache(source).is_some_and(|cache| cache.slos().value().is_some());
        let words = if is_told {
            format!(" {id}: {source} does not list this SLO. Press Esc to go back.")
        } else {
            format!(" {id}: {}", cx.shared.waiting())
        };
        text::say(cx, 0, &words, Role::Unknown, area, buf);
        return;
    };
    let parts = parts(area, screen.scroll_position.panel);
    layout::heading_with_staleness(cx, &title(cx, screen, status), &USED, area, buf);
    let group_status = shown(screen, status);
    if let Some(group_status) = group_status {
        let runs = numbers(screen, status, group_status, parts.numbers.width);
        text::runs(cx, &runs, parts.numbers, buf);
    }
    for (index, place) in &parts.charts {
        if *index == BUDGET {
            draw_budget(screen, cx, status, group_status, *place, buf);
        } else {
            draw_burns(screen, cx, status, group_status, *place, buf);
        }
    }
    let page = page::page(screen, cx, status, parts.page.width);
    page.render(cx, screen.scroll_position.scroll, parts.page, buf);
    if stale_sources(cx.shared, &[AskKind::Slos], cx.now).iter().any(|doubt| doubt.source == *source) {
        for old in [parts.numbers, parts.page] {
            buf.set_style(old.intersection(buf.area), cx.style(Role::Stale));
        }
    }
}

pub(super) fn text_area(screen: &OpenSlo, body: Rect) -> Rect {
    parts(body, screen.scroll_position.panel).page
}

/// The panel of the chart at a cell.
pub(super) fn chart_at(screen: &OpenSlo, body: Rect, cell: (u16, u16)) -> Option<usize> {
    let charts = parts(body, screen.scroll_position.panel).charts;
    charts.into_iter().find(|(_, place)| place.contains(cell.into())).map(|(index, _)| index)
}

/// The title: "checkout-availability page: 1h and 5m above 14.4x", the group, the service.
fn title(cx: &ScreenCx<'_>, screen: &OpenSlo, status: &SloStatus) -> Vec<StyledRun<'static>> {
    let role = Role::of_slo(status.state());
    let mut runs = vec![
        StyledRun::new(format!(" {} {} ", cx.symbol(role), status.slo.id), role),
        StyledRun::new(words::state(status), role),
    ];
    if let Some(now) = status.worst().and_then(|worst| worst.pairs.iter().find(|now| now.holds == Some(true)))
    {
        let (long, short) = (duration::short(now.pair.long), duration::short(now.pair.short));
        runs.push(StyledRun::new(
            format!(": {long} and {short} above {}", show::factor(now.pair.factor)),
            role,
        ));
    }
    if let Some(group_status) = shown(screen, status).filter(|_| status.groups.len() > 1) {
        let which = if status.worst() == Some(group_status) { "worst" } else { "one" };
        let words = format!("  {which} of {} groups: {}", status.groups.len(), words::group(group_status));
        runs.push(StyledRun::new(words, Role::Text));
    }
    if let Some(service) = &status.service {
        runs.push(StyledRun::new(format!("  service {service}"), Role::Muted));
    }
    if let Some(end) = cx.shared.range.end {
        runs.push(words::as_of(cx, end, status.at));
    }
    runs
}

/// The numbers in one line, as many as fit without a cut.
fn numbers(
    screen: &OpenSlo,
    status: &SloStatus,
    group_status: &GroupStatus,
    width: u16,
) -> Vec<StyledRun<'static>> {
    let slo = &*status.slo;
    // the header uses the same burn rate as the chart's forecast
    let rate = group_status.burn_near(screen.basis).and_then(|burn| burn.rate);
    let exhaustion = rate.and_then(|rate| group_status.exhaustion_at(&slo.window, rate, status.at));
    let burn = |seconds| words::burn(slo, group_status, Duration::from_secs(seconds));
    let plain = |text: String| StyledRun::new(text, Role::Text);
    let mut all = vec![
        ("budget", words::left(Some(group_status))),
        ("burn 1h", burn(3600)),
        words::exhaustion_label(status, exhaustion, rate),
        ("SLI", words::sli(slo, group_status.window)),
        ("objective", plain(format!("{}%", slo.objective.percent_text()))),
        ("window", plain(slo.window.to_string())),
        ("5m", burn(300)),
        ("30m", burn(1800)),
        ("6h", burn(21_600)),
        ("3d", burn(259_200)),
    ];
    let left = group_status
        .left()
        .zip(group_status.window.events())
        .map(|(left, events)| left * events * slo.objective.budget());
    if let Some(left) = left {
        all.push(("bad events left", plain(show::events(left))));
    }
    text::fitting(all, width)
}

/// The cached answer to a query of a chart.
fn remote<'a>(cx: &ScreenCx<'a>, status: &SloStatus, key: &SeriesKey) -> Option<&'a Remote<Matrix>> {
    cx.world.cache(&status.source)?.series().get(key)
}

/// The warning in a chart's title: stale or failed data.
fn failure(cx: &ScreenCx<'_>, status: &SloStatus, key: SeriesKey) -> Option<String> {
    let remote = remote(cx, status, &key)?;
    refusal::behind(cx.shared, &status.source, &Topic::Series(key), remote, cx.now)
}

/// Why a chart has no data.
fn no_chart(shared: &Shared, status: &SloStatus, has_query: bool) -> String {
    let can = shared.sources.iter().any(|s| s.id == status.source && s.answers.contains(&AskKind::Series));
    if !has_query || !can {
        "No source has the history of this SLO.".to_owned()
    } else if shared.scheduler.traffic(&status.source).failure().is_some() {
        format!("Not loaded: source {} is failing. See Sources (9).", status.source)
    } else {
        shared.waiting().to_owned()
    }
}

fn draw_budget(
    screen: &OpenSlo,
    cx: &ScreenCx<'_>,
    status: &SloStatus,
    group_status: Option<&GroupStatus>,
    area: Rect,
    buf: &mut Buffer,
) {
    let chart_queries = chart_queries(status, cx.shared.range.end.unwrap_or(status.at));
    let query = match &chart_queries.slots {
        Some(RatioQuery::Ratio(query)) => Some(query),
        Some(RatioQuery::Counts { total, .. }) => Some(total),
        None => None,
    };
    let slots = query.and_then(|query| slots_of(cx.shared, status, &chart_queries, query));
    let failure = query.and_then(|query| failure(cx, status, chart_queries.slots_key(query)));
    let is_alone = failure.is_some();
    let basis = group_status.and_then(|group_status| group_status.burn_near(screen.basis));
    let title = refusal::titled(cx, format!("Error budget, {}", status.slo.window), failure);
    let inner = panel(cx, &title, screen.scroll_position.panel == BUDGET, area, buf);
    let course = group_status.and_then(|group_status| BudgetCourse::of(cx.shared, status, group_status));
    let (Some(course), Some(group_status)) = (course, group_status) else {
        let has_left = group_status.map(|group_status| group_status.left().is_some());
        let has_data = slots.and_then(Remote::value).is_some();
        let words = || match (has_left, has_data) {
            (None, _) => "No measurements, so there is no budget to show.".to_owned(),
            (Some(true), true) => "The history is too short for a chart.".to_owned(),
            (Some(false), true) => "No data in the window.".to_owned(),
            (Some(_), false) if is_alone => String::new(),
            (Some(_), false) => no_chart(cx.shared, status, query.is_some()),
        };
        return refusal::no_lines(cx, slots.filter(|_| !has_data), words, inner, buf);
    };
    burn_down::draw(cx, (status, group_status), (&course, basis), None, inner, buf);
}

fn draw_burns(
    screen: &OpenSlo,
    cx: &ScreenCx<'_>,
    status: &SloStatus,
    group_status: Option<&GroupStatus>,
    area: Rect,
    buf: &mut Buffer,
) {
    let slo = &*status.slo;
    let chart_queries = chart_queries(status, cx.shared.range.end.unwrap_or(status.at));
    let key = |query: &str| burns_key(cx.shared, query, cx.now);
    let failure = chart_queries.burns.iter().find_map(|(_, query)| failure(cx, status, key(query)));
    let Some(time) = screen.charted(cx.shared, cx.now) else { return };
    let (mut view, range) = cx.shared.charted(cx, time);
    let title = refusal::titled(cx, format!("Burn rate, {range}"), failure);
    let inner = panel(cx, &title, screen.scroll_position.panel == BURN, area, buf);
    let budget = slo.objective.budget();
    let mut span = None;
    let mut named: Vec<(String, Vec<f64>)> = Vec::new();
    let zoomed = ZoomedGrid::of(cx.shared, time, POINTS, cx.now);
    let finer = |query: &str| zoomed?.series(cx.shared, &status.source, &query.into());
    // the finer points of all lookbacks, or of none
    let is_finer = !chart_queries.burns.is_empty()
        && chart_queries.burns.iter().all(|(_, query)| finer(query).is_some());
    if is_finer {
        view = ZoomedGrid::view(view);
    }
    for (lookback, query) in &chart_queries.burns {
        let coarse = || remote(cx, status, &key(query)).and_then(Remote::value);
        let Some(matrix) = finer(query).filter(|_| is_finer).or_else(coarse) else { continue };
        if *span.get_or_insert(matrix.span) != matrix.span {
            continue;
        }
        let group = group_status.map(|group_status| group_status.labels.clone()).unwrap_or_default();
        let values = line(matrix, &group);
        let burns = values.map(|values| values.iter().map(|error| error / budget).collect());
        named
            .push((duration::short(*lookback), burns.unwrap_or_else(|| vec![f64::NAN; matrix.span.count()])));
    }
    let Some(span) = span else {
        let answers = chart_queries.burns.iter().filter_map(|(_, query)| remote(cx, status, &key(query)));
        let words = || no_chart(cx.shared, status, !chart_queries.burns.is_empty());
        return refusal::no_lines(cx, answers, words, inner, buf);
    };
    let lines = ChartLine::each(&named);
    let paging: Vec<&BurnCondition> =
        slo.pairs.iter().filter(|pair| pair.severity == BurnSeverity::Page).collect();
    let labels: Vec<String> = paging
        .iter()
        .map(|pair| format!("page {} ({})", show::factor(pair.factor), duration::short(pair.long)))
        .collect();
    let thresholds: Vec<(f64, &str)> =
        paging.iter().zip(&labels).map(|(pair, label)| (pair.factor, label.as_str())).collect();
    let alerts = status.alerts.iter().filter_map(|alert| cx.world.alert(*alert));
    let is_its =
        |alert: &Alert| group_status.is_none_or(|group_status| status.is_about(group_status, &alert.labels));
    let alerts: Vec<_> = alerts.filter(|alert| alert.is_firing() && is_its(alert)).collect();
    let shade: Vec<_> = alerts.iter().map(|alert| (alert.starts_at, cx.now)).collect();
    let mut marks: Vec<ChartMark<'_>> =
        status.service.as_ref().map_or_else(Vec::new, |service| change::marks(cx, service, span));
    marks.extend(alerts.iter().map(|one| alert::mark(cx, one)));
    // burn rates far below 1 must not fill the chart
    let highest = named.iter().flat_map(|(_, values)| values).copied().filter(|burn| burn.is_finite());
    let limits = highest.reduce(f64::max).filter(|highest| *highest < 1.0).map(|_| (0.0, 1.0));
    let chart = Chart {
        limits,
        thresholds: &thresholds,
        shade: &shade,
        marks: &marks,
        view,
        ..Chart::new(span, &lines, ValueUnit::Times)
    };
    chart.render(cx, inner, buf);
}
