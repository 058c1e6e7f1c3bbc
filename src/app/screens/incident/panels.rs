//! The panels of an incident's page: the chart of what fails, its causes, what changed, the SLO, the runbook.

use super::layout::BriefLayout;
use super::{CHANGES, CHART, OpenIncident, RUNBOOK, SIGNALS, SLO, WHY};
use crate::app::number::{latency, or_dash, percent, rate};
use crate::app::prelude::*;
use crate::app::subjects::service::is_slow_only;
use crate::app::subjects::slo::course::spent_between;
use crate::app::subjects::slo::words as slos;
use crate::app::subjects::{change, runbook, why};
use crate::app::widgets::bar::panel;
use crate::app::widgets::chart::{Chart, ChartLine, ChartMark};
use crate::app::widgets::unit::ValueUnit;
use crate::model::series::Matrix;
use crate::model::service::{Service, ServiceDetail};
use crate::model::slo::{BASIS, TimeRange, show};
use crate::model::why::share;

/// The signals of a service that have a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChartedSignal {
    Errors,
    Latency,
    Requests,
}

/// A signal with its name, its series, its unit and the limit above which it is bad.
struct SignalChart {
    title: &'static str,
    series: fn(&ServiceDetail) -> &Matrix,
    unit: ValueUnit,
    words: fn(f64) -> String,
    limit: Option<f64>,
    role: Role,
}

fn chart_of(cx: &ScreenCx<'_>, signal: ChartedSignal) -> SignalChart {
    let limits = &cx.world.health_policy.thresholds;
    match signal {
        ChartedSignal::Errors => SignalChart {
            title: "Errors",
            series: |detail| &detail.error_ratio,
            unit: ValueUnit::Ratio,
            words: percent,
            limit: Some(limits.error_ratio_critical),
            role: Role::Series2,
        },
        ChartedSignal::Latency => SignalChart {
            title: "p95 latency",
            series: |detail| &detail.latency,
            unit: ValueUnit::Seconds,
            words: latency,
            limit: Some(limits.p95_degraded.0.as_secs_f64()),
            role: Role::Series3,
        },
        ChartedSignal::Requests => SignalChart {
            title: "Requests",
            series: |detail| &detail.request_rate,
            unit: ValueUnit::PerSecond,
            words: rate,
            limit: None,
            role: Role::Series1,
        },
    }
}

/// The signals, that which is wrong first.
fn signals(service: &Service) -> [ChartedSignal; 3] {
    if is_slow_only(service) {
        [ChartedSignal::Latency, ChartedSignal::Errors, ChartedSignal::Requests]
    } else {
        [ChartedSignal::Errors, ChartedSignal::Latency, ChartedSignal::Requests]
    }
}

/// Draws a panel with its border.
pub(super) fn draw(
    screen: &OpenIncident,
    cx: &ScreenCx<'_>,
    view: &IncidentView,
    (index, area): (usize, Rect),
    buf: &mut Buffer,
) {
    let is_focused = screen.scroll_position.panel == index;
    let framed = |title: &str, buf: &mut Buffer| panel(cx, title, is_focused, area, buf);
    match index {
        CHART => {
            let (title, service) = chart_title(screen, cx, view);
            let inner = framed(&title, buf);
            draw_chart(screen, cx, view, service.map(|service| (service, 0)), inner, buf);
        }
        SIGNALS => draw_signals(screen, cx, view, area, buf),
        WHY => {
            let inner = framed("Why", buf);
            lines(cx, &causes(screen, cx, inner), inner, buf);
        }
        CHANGES => {
            let inner = framed("Changed in the hour before", buf);
            lines(cx, &changes(cx, view, inner.width), inner, buf);
        }
        SLO => {
            let inner = framed("SLO", buf);
            lines(cx, &slo(cx, view), inner, buf);
        }
        RUNBOOK => {
            let title = screen
                .runbook
                .as_ref()
                .map_or("Runbook".to_owned(), |wanted| format!("Runbook: {}", wanted.name));
            let inner = framed(&title, buf);
            lines(cx, &runbook_lines(screen, cx), inner, buf);
        }
        _ => {}
    }
}

/// Draws lines; the last row says how many more there are.
fn lines(cx: &Cx<'_>, all: &[Vec<StyledRun<'static>>], area: Rect, buf: &mut Buffer) {
    let mut page = PageContent::new(area.width);
    page.lines.extend(all.iter().cloned());
    page.render(cx, 0, area, buf);
}

/// The causes, the most likely first, wrapped to the panel; then how much was compared.
pub(super) fn causes(screen: &OpenIncident, cx: &ScreenCx<'_>, area: Rect) -> Vec<Vec<StyledRun<'static>>> {
    let mut page = PageContent::new(area.width);
    let Some(target) = &screen.why else {
        page.paragraph("No service is known for this incident, so there is nothing to compare.", Role::Muted);
        return page.lines;
    };
    let found = why::found(cx.world, target);
    let Some(analysis) = found.analysis else {
        match found.failure {
            Some(error) => page.remark(cx, format!("{error}. {}", error.kind.advice()), Role::Stale),
            None if cx.shared.answering(AskKind::Why).next().is_none() => {
                page.paragraph("No source can compare labels: add a Prometheus.", Role::Muted);
            }
            None => page.paragraph(cx.shared.waiting(), Role::Muted),
        }
        return page.lines;
    };
    for (index, cause) in screen.causes.iter().enumerate() {
        let head =
            cause.explained.map_or_else(|| "     ".to_owned(), |ratio| format!("{:>4} ", share(ratio)));
        let role = if index == 0 { Role::Title } else { Role::Text };
        page.lines.extend(text::beside(&format!(" {head}"), &cause.words, area.width, role));
    }
    page.paragraph(&why::compared(analysis, !screen.causes.is_empty()), Role::Muted);
    page.lines
}

/// What changed around the beginning: the time, how long before, the service if it is another one.
pub(super) fn changes(cx: &ScreenCx<'_>, view: &IncidentView, width: u16) -> Vec<Vec<StyledRun<'static>>> {
    let begun = view.incident.created_at;
    let mut page = PageContent::new(width);
    let near = change::beside(cx.world, view.service.as_deref(), begun);
    for (index, one) in near.iter().enumerate() {
        let is_own = view.service.as_ref().is_some_and(|service| one.is_of(service));
        let its = one.service.as_deref().filter(|_| !is_own).map(|its| format!("{its} ")).unwrap_or_default();
        let time = one.at.to_zoned(cx.zone.clone()).strftime("%H:%M:%S").to_string();
        let mark = if is_own { ChartMark::number(index) } else { " " };
        let words = format!("{}  {its}{}", change::relative(one, begun), one.sentence());
        let role = if is_own { change::role(one) } else { Role::Muted };
        page.lines.extend(text::beside(&format!(" {mark} {time} "), &words, width, role));
    }
    let from = begun.checked_sub(jiff::SignedDuration::from_hours(1)).unwrap_or(begun);
    match change::coverage(cx.world, &cx.shared.sources).doubt(from, cx) {
        Some(doubt) => page.paragraph(&doubt, Role::Muted),
        None if near.is_empty() => page.paragraph("Nothing changed in the hour before.", Role::Muted),
        None => page.paragraph("nothing else", Role::Muted),
    }
    page.lines
}

/// The worst SLOs of the service: state, budget, what the incident spent.
fn slo(cx: &ScreenCx<'_>, view: &IncidentView) -> Vec<Vec<StyledRun<'static>>> {
    let its = view.service.as_ref().map_or_else(Vec::new, |name| cx.world.slos_of(name));
    if its.is_empty() {
        return vec![vec![StyledRun::new(" No SLO of this service is known.", Role::Muted)]];
    }
    let bounds =
        TimeRange { start: view.incident.created_at, end: view.incident.resolved_at.unwrap_or(cx.now) };
    let mut all = Vec::new();
    for status in its {
        all.push(slos::line(cx, status, &status.slo.id));
        if let Some((share, _)) = spent_between(cx.shared, status, bounds) {
            let words = format!("   spent since the incident began: {} of the budget", show::left(share));
            all.push(vec![StyledRun::new(words, Role::Burning)]);
        }
        let burn = status.worst().map(|worst| slos::burn(&status.slo, worst, BASIS));
        if let Some(burn) = burn.filter(|burn| burn.role == Role::Critical) {
            all.push(vec![StyledRun::new("   burn rate over 1h ", Role::Muted), burn]);
        }
    }
    all
}

/// The beginning of the runbook.
fn runbook_lines(screen: &OpenIncident, cx: &ScreenCx<'_>) -> Vec<Vec<StyledRun<'static>>> {
    let note = |words: &str| vec![vec![StyledRun::new(format!(" {words}"), Role::Muted)]];
    let Some(wanted) = &screen.runbook else { return note("No runbook is named.") };
    let lines = &screen.runbook_text.markdown.lines;
    if !lines.is_empty() {
        let own = |run: &StyledRun<'static>| StyledRun::new(run.text.clone(), run.role);
        return lines.iter().map(|line| line.iter().map(own).collect()).collect();
    }
    match runbook::remote(cx.shared, wanted) {
        Some(remote) if remote.value().is_some() => {
            note("No runbook was found. r shows where it was searched.")
        }
        Some(remote) if remote.failure().is_some() => note("The search for the runbook failed."),
        Some(_) | None => note(cx.shared.waiting()),
    }
}

/// The title of the chart: the signal, its present value, the limit, the range.
fn chart_title<'a>(
    screen: &OpenIncident,
    cx: &ScreenCx<'a>,
    view: &IncidentView,
) -> (String, Option<&'a Service>) {
    let service = view.service.as_ref().and_then(|name| cx.world.service(name));
    let Some(service) = service else { return ("No service is known for this incident".to_owned(), None) };
    let [signal, ..] = signals(service);
    let chart = chart_of(cx, signal);
    let detail = super::detail(cx.shared, view, cx.now);
    let newest = detail.and_then(|detail| {
        let line = line_of(&chart, detail)?;
        line.iter().rev().find(|value| value.is_finite()).copied()
    });
    let limit = chart.limit.map(|limit| format!(" (limit {})", (chart.words)(limit))).unwrap_or_default();
    let range = super::charted(screen, cx.shared, cx.now).map(|time| cx.shared.charted(cx, time).1);
    let range = range.map(|range| format!(", {range}")).unwrap_or_default();
    (
        format!("{} of {} {}{limit}{range}", chart.title, service.name, or_dash(newest, chart.words)),
        Some(service),
    )
}

/// The series of a signal: for latency the 95th percentile.
fn line_of<'d>(chart: &SignalChart, detail: &'d ServiceDetail) -> Option<&'d [f64]> {
    let matrix = (chart.series)(detail);
    let p95 = Labels::from_iter([("quantile", "0.95")]);
    let line = matrix.line(&p95).or_else(|| matrix.lines.first())?;
    Some(&line.values)
}

/// Draws the chart of one signal of the service; `0` is the one that is wrong.
pub(super) fn draw_chart(
    screen: &OpenIncident,
    cx: &ScreenCx<'_>,
    view: &IncidentView,
    of: Option<(&Service, usize)>,
    area: Rect,
    buf: &mut Buffer,
) {
    let Some((service, rank)) = of else { return };
    let Some(signal) = signals(service).get(rank).copied() else { return };
    let chart = chart_of(cx, signal);
    let Some(detail) = super::detail(cx.shared, view, cx.now) else {
        let words =
            if service.chart_sources.is_empty() { "no source has its history" } else { cx.shared.waiting() };
        return text::say(cx, 1, words, Role::Muted, area, buf);
    };
    let Some(values) = line_of(&chart, detail) else {
        return text::say(cx, 1, "no data", Role::Muted, area, buf);
    };
    let lines = [ChartLine { values, role: chart.role, label: chart.title }];
    let own = change::beside(cx.world, Some(&service.name), view.incident.created_at);
    let own = own.iter().enumerate().filter(|(_, one)| one.is_of(&service.name));
    let mut marks: Vec<ChartMark<'_>> = own
        .map(|(index, one)| ChartMark {
            at: one.at,
            symbol: ChartMark::number(index),
            role: change::role(one),
        })
        .collect();
    let role = crate::app::subjects::incident::words::role(view, cx.now);
    marks.push(ChartMark { at: view.incident.created_at, symbol: cx.symbol(role), role });
    let limit = chart.limit.map(|limit| (limit, "limit"));
    let shade = [(view.incident.created_at, view.incident.resolved_at.unwrap_or(cx.now))];
    let Some(time) = super::charted(screen, cx.shared, cx.now) else { return };
    let (view, _) = cx.shared.charted(cx, time);
    let chart = Chart {
        thresholds: limit.as_slice(),
        shade: &shade,
        marks: &marks,
        view,
        ..Chart::new((chart.series)(detail).span, &lines, chart.unit)
    };
    chart.render(cx, area, buf);
}

/// Draws the other two signals beside each other.
fn draw_signals(screen: &OpenIncident, cx: &ScreenCx<'_>, view: &IncidentView, area: Rect, buf: &mut Buffer) {
    let Some(service) = view.service.as_ref().and_then(|name| cx.world.service(name)) else { return };
    let half = Rect { width: area.width / 2, ..area };
    let other = Rect { x: half.right(), width: area.width - half.width, ..area };
    for (rank, place) in [(1, half), (2, other)] {
        let title = signals(service).get(rank).map_or("", |signal| chart_of(cx, *signal).title);
        let inner = panel(cx, title, false, place, buf);
        draw_chart(screen, cx, view, Some((service, rank)), inner, buf);
    }
}

/// Draws the brief lines of a small terminal: the first causes, the last change, a small chart.
pub(super) fn draw_brief(
    screen: &OpenIncident,
    cx: &ScreenCx<'_>,
    view: &IncidentView,
    brief: BriefLayout,
    buf: &mut Buffer,
) {
    let labelled = |name: &'static str, words: String, role: Role| {
        [StyledRun::new(format!(" {name:<8}"), Role::Muted), StyledRun::new(words, role)]
    };
    let rows = brief.causes.top()..brief.causes.bottom();
    let mut causes = screen.causes.iter();
    let none = causes.len() == 0;
    for (index, y) in rows.enumerate() {
        let line = match causes.next() {
            Some(cause) => {
                let share = cause.explained.map(|ratio| format!("{} ", share(ratio))).unwrap_or_default();
                labelled(if index == 0 { "why" } else { "" }, format!("{share}{}", cause.words), Role::Text)
            }
            None if index == 0 && none => labelled("why", no_cause(screen, cx), Role::Muted),
            None => labelled("", String::new(), Role::Muted),
        };
        text::runs(cx, &line, Rect { y, height: 1, ..brief.causes }, buf);
    }
    let begun = view.incident.created_at;
    let near = change::beside(cx.world, view.service.as_deref(), begun);
    let line = if let Some(one) = near.first() {
        let its = one.service.as_deref().map(|its| format!("{its} ")).unwrap_or_default();
        let words = format!("{} {its}{}", change::relative(one, begun), one.sentence());
        labelled("changed", words, change::role(one))
    } else {
        let from = begun.checked_sub(jiff::SignedDuration::from_hours(1)).unwrap_or(begun);
        let doubt = change::coverage(cx.world, &cx.shared.sources).doubt(from, cx);
        labelled("changed", doubt.unwrap_or_else(|| "nothing in the hour before".to_owned()), Role::Muted)
    };
    text::runs(cx, &line, brief.change, buf);
    let service = view.service.as_ref().and_then(|name| cx.world.service(name));
    if brief.chart.height > 0 {
        draw_chart(screen, cx, view, service.map(|service| (service, 0)), brief.chart, buf);
    }
}

/// Why there is no cause, in a few words.
fn no_cause(screen: &OpenIncident, cx: &ScreenCx<'_>) -> String {
    let Some(target) = &screen.why else { return "no service is known for this incident".to_owned() };
    let found = why::found(cx.world, target);
    match (found.analysis, found.failure) {
        (Some(analysis), _) => why::compared(analysis, false),
        (None, Some(error)) => error.to_string(),
        (None, None) => cx.shared.waiting().to_owned(),
    }
}
