//! Draws the page of one alert.

use super::page;
use super::{ChartSubject, OpenAlert, subject};
use crate::app::firing_history::{self, AlertHistory};
use crate::app::number::plain;
use crate::app::prelude::*;
use crate::app::refusal;
use crate::app::subjects::change;
use crate::app::widgets::bar::panel;
use crate::app::widgets::chart::{Chart, ChartLine};
use crate::app::widgets::unit::ValueUnit;
use crate::app::zoomed_grid::ZoomedGrid;
use crate::model::promql::{self, OtherConditions, Threshold};

const USED: [AskKind; 3] = [AskKind::Alerts, AskKind::Rules, AskKind::Silences];
/// Most lines in the chart.
const LINES: usize = 8;

/// The areas: heading, chart, and the scrolling text below.
fn parts(body: Rect) -> (Rect, Rect, Rect) {
    let heading = Rect { height: 2.min(body.height), ..body };
    let rest = body.height - heading.height;
    let chart = match rest {
        0..5 => 0,
        5..16 => rest / 2 + 1,
        _ => (rest * 2 / 5).clamp(8, 18),
    };
    let chart_area = Rect { y: heading.bottom(), height: chart, ..body };
    (heading, chart_area, Rect { y: chart_area.bottom(), height: rest - chart, ..body })
}

pub(super) fn render(screen: &OpenAlert, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let (heading, chart, below) = parts(area);
    let Some(alert) = screen.alert(cx.shared) else {
        let words =
            " This alert resolved more than 15 minutes ago and is no longer listed. Press Esc to go back.";
        text::say(cx, 0, words, Role::Unknown, area, buf);
        return;
    };
    let rest = layout::heading_with_staleness(cx, &title(cx, alert), &USED, heading, buf);
    let summary = alert.summary().map_or("no summary", |summary| summary);
    let shown = text::fit(summary, rest.width.saturating_sub(2), cx.charset);
    text::say(cx, 1, &shown, Role::Text, rest, buf);
    if chart.height > 0 {
        draw_chart(screen, cx, alert, chart, buf);
    }
    let page = page::page(screen, cx, alert, below.width);
    page.render(cx, screen.scroll_position.scroll, below, buf);
}

pub(super) fn text_area(body: Rect) -> Rect {
    parts(body).2
}

fn title(cx: &Cx<'_>, alert: &Alert) -> Vec<StyledRun<'static>> {
    let role = Role::of_alert(alert);
    let since = match alert.resolved_at {
        Some(at) => format!("resolved {} ago", ago(at, cx.now)),
        None => format!("{} for {}", alert.state, ago(alert.starts_at, cx.now)),
    };
    vec![
        StyledRun::new(format!(" {} {} ", cx.symbol(role), alert.name()), role),
        StyledRun::new(format!(" {} ", alert.severity.word()), Role::of_severity(alert.severity)),
        StyledRun::new(format!(" {since}, since {}", moment(alert.starts_at, cx.now, cx.zone)), Role::Text),
    ]
}

fn draw_chart(screen: &OpenAlert, cx: &ScreenCx<'_>, alert: &Alert, area: Rect, buf: &mut Buffer) {
    let Some(time) = screen.charted(cx.shared, cx.now) else { return };
    let (mut view, range) = cx.shared.charted(cx, time);
    let Some(subject) = subject(cx.shared, alert) else {
        let inner = panel(cx, "Expression", false, area, buf);
        text::say(cx, 1, no_rule(cx.shared), Role::Muted, inner, buf);
        return;
    };
    let cache = cx.world.cache(&subject.source);
    let series = |query| want::chart(cx.shared, query, super::POINTS, cx.now).0;
    let remote = cache.and_then(|cache| cache.series().get(&series(&subject.query)));
    let topic = Topic::Series(series(&subject.query));
    let failure =
        remote.and_then(|remote| refusal::behind(cx.shared, &subject.source, &topic, remote, cx.now));
    let mut title = format!("{range}, {}", expression(&subject));
    if let Some(failure) = failure {
        title = format!("{} {failure}  {title}", cx.symbol(Role::Stale));
    }
    let inner = panel(cx, &title, false, area, buf);
    let Some(matrix) = remote.and_then(|remote| remote.value()) else {
        let words = || cx.shared.waiting().to_owned();
        return refusal::no_lines(cx, remote, words, inner, buf);
    };
    let bound = subject.bound_query.as_ref();
    let coarse_bound = bound.and_then(|query| cache?.series().get(&series(query))?.value());
    // finer points of the value and of its threshold, or of neither
    let zoomed = ZoomedGrid::of(cx.shared, time, super::POINTS, cx.now);
    let finer = |query| zoomed?.series(cx.shared, &subject.source, query);
    let (matrix, bound) = match (finer(&subject.query), bound.map(finer)) {
        (Some(matrix), None) => (matrix, None),
        (Some(matrix), Some(Some(bound))) => (matrix, Some(bound)),
        (Some(_), Some(None)) | (None, _) => (matrix, coarse_bound),
    };
    if zoomed.is_some_and(|zoomed| zoomed.fits(matrix.span)) {
        view = ZoomedGrid::view(view);
    }
    let named: Vec<(String, &[f64])> = matrix
        .lines
        .iter()
        .take(LINES)
        .map(|line| (legend(&line.labels, &alert.labels), line.values.as_slice()))
        .collect();
    let mut lines = ChartLine::each(&named);
    if let Some(line) = bound.and_then(|bound| bound.lines.first()) {
        lines.push(ChartLine { values: &line.values, role: Role::Threshold, label: "threshold" });
    }
    let label = format!("fires {}", subject.condition.as_ref().map_or("", |c| c.operator.sign()));
    let threshold = match subject.condition.as_ref().map(|condition| &condition.bound) {
        Some(Threshold::Constant(value)) => Some((*value, label.as_str())),
        Some(Threshold::Query(_)) | None => None,
    };
    let shade = shade(cx, alert);
    let service = cx.world.service_of(&alert.labels);
    let marks = service.map_or_else(Vec::new, |service| change::marks(cx, service, matrix.span));
    let zero_based = threshold.is_none_or(|(value, _)| value >= 0.0);
    let chart = Chart {
        thresholds: threshold.as_slice(),
        shade: &shade,
        marks: &marks,
        zero_based,
        view,
        ..Chart::new(matrix.span, &lines, unit(&subject))
    };
    chart.render(cx, inner, buf);
}

/// Why there is no chart.
fn no_rule(shared: &Shared) -> &'static str {
    let mut runners = shared.sources.iter().filter(|source| source.answers.contains(&AskKind::Rules));
    let unknown = |source: &crate::model::source_info::SourceInfo| {
        shared.world.cache(&source.id).is_some_and(|cache| cache.rules().value().is_none())
    };
    if runners.any(unknown) {
        "loading the alert rule..."
    } else {
        "no chart: no source has the rule of this alert (configure its Prometheus)"
    }
}

/// The condition as text: threshold, other conditions, and last the query, because it is long.
fn expression(subject: &ChartSubject) -> String {
    let Some(condition) = &subject.condition else {
        let expr = &subject.rule.expr;
        // an alert fires for every result, also for 0
        let is_bool = promql::returns_zero_or_one(expr);
        return if is_bool { format!("fires on any result, 0 or 1: {expr}") } else { expr.to_string() };
    };
    let bound = match &condition.bound {
        Threshold::Constant(value) => plain(*value),
        Threshold::Query(query) => query.clone(),
    };
    let others = others(condition.others);
    format!("fires {} {bound}{others}: {}", condition.operator.sign(), condition.query)
}

/// The conditions besides the one in the chart: ` (and 1 more condition)`, `, or on 2 other conditions`.
fn others(others: OtherConditions) -> String {
    let counted = |count: usize, word: &str| match count {
        1 => format!("1 {word} condition"),
        n => format!("{n} {word} conditions"),
    };
    let of = |count: usize, before: &str, word: &str, after: &str| {
        if count == 0 { String::new() } else { format!("{before}{}{after}", counted(count, word)) }
    };
    let beside = of(others.and, " (and ", "more", ")") + &of(others.unless, " (unless ", "other", ")");
    beside + &of(others.or, ", or on ", "other", "")
}

/// The unit of an expression's values, guessed from metric names: Prometheus' naming rules ask for the unit in the name.
fn unit(subject: &ChartSubject) -> ValueUnit {
    let query = subject.condition.as_ref().map_or(&*subject.rule.expr, |condition| &condition.query);
    let mut words = query.split(|c: char| !c.is_ascii_alphanumeric());
    let bound = subject.condition.as_ref().map(|condition| &condition.bound);
    // a quotient with a threshold from 0 to 1 is a ratio
    let is_share = query.contains(" / ")
        && matches!(bound, Some(Threshold::Constant(bound)) if (0.0..=1.0).contains(bound));
    if is_share || words.any(|word| word == "ratio") {
        ValueUnit::Ratio
    } else if query.contains("histogram_quantile") && query.contains("seconds") {
        ValueUnit::Seconds
    } else {
        ValueUnit::Plain
    }
}

/// The legend of a line: the labels that the alert does not have with the same value.
fn legend(line: &Labels, alert: &Labels) -> String {
    let own: Vec<String> = line
        .iter()
        .filter(|(name, value)| &***name != "__name__" && alert.get(name) != Some(*value))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    own.join(" ")
}

/// When the alert fired, for the background of the chart: the known history, else the present firing alone.
fn shade(cx: &ScreenCx<'_>, alert: &Alert) -> Vec<(Timestamp, Timestamp)> {
    if let AlertHistory::Known { firings, .. } =
        firing_history::of_alert(cx.world, &cx.shared.sources, alert, cx.now)
    {
        return firings.iter().map(|firing| (firing.from, firing.to)).collect();
    }
    match alert.state {
        AlertState::Pending => Vec::new(),
        AlertState::Resolved => vec![(alert.starts_at, alert.resolved_at.unwrap_or(cx.now))],
        AlertState::Firing | AlertState::Silenced | AlertState::Inhibited => vec![(alert.starts_at, cx.now)],
    }
}
