//! The charts of an incident: the signal that is wrong, and beside it the other ones, as the page of the service draws them.

use super::panel::{Cockpit, CockpitPanel};
use super::{changes, charted, window};
use crate::app::prelude::*;
use crate::app::subjects::incident::words;
use crate::app::subjects::service::{charts, is_slow_only};
use crate::app::subjects::why;
use crate::app::widgets::bar::panel;
use crate::app::widgets::chart::ChartMark;
use crate::model::service::Service;
use crate::model::signal::Signal;
use crate::model::slo::TimeRange;
use crate::model::why::WhySignal;

/// The signal that is wrong: what the service's health says; if it is healthy again, what users noticed first of the signals that
/// the analysis found.
fn signal(c: &Cockpit<'_>, service: &Service) -> Signal {
    if !service.reasons.is_empty() {
        return if is_slow_only(service) { Signal::Latency } else { Signal::Errors };
    }
    let analysis = c.screen.why.as_ref().and_then(|target| why::found(c.cx.world, target).analysis);
    let symptoms = analysis.into_iter().flat_map(|analysis| &analysis.symptoms);
    match symptoms.map(|symptom| symptom.signal).min() {
        Some(WhySignal::Latency) => Signal::Latency,
        Some(WhySignal::Traffic) => Signal::Requests,
        Some(WhySignal::Saturation) => Signal::Saturation,
        Some(WhySignal::Errors | WhySignal::Targets) | None => Signal::Errors,
    }
}

fn service<'a>(c: &Cockpit<'a>) -> Option<&'a Service> {
    c.view.service.as_ref().and_then(|name| c.cx.world.service(name))
}

/// Draws the chart of the signal that is wrong.
pub(super) fn draw_main(c: &Cockpit<'_>, area: Rect, buf: &mut Buffer) {
    let Some(service) = service(c) else {
        let inner = panel(c.cx, "Chart", c.screen.panel() == CockpitPanel::Chart, area, buf);
        let words = match &c.view.service {
            Some(name) => format!("No source of metrics lists {name}."),
            None => "No service is known for this incident.".to_owned(),
        };
        return text::say(c.cx, 1, &words, Role::Muted, inner, buf);
    };
    let main = charts::of_signal(signal(c, service));
    draw(c, service, (main, &[(main, area)]), buf);
}

/// Draws the charts of the other signals beside each other.
pub(super) fn draw_others(c: &Cockpit<'_>, area: Rect, buf: &mut Buffer) {
    let Some(service) = service(c) else { return };
    let main = charts::of_signal(signal(c, service));
    let others: Vec<usize> = charts::of_signals().filter(|index| *index != main).collect();
    let count = u16::try_from(others.len()).unwrap_or(1).max(1);
    let tiles: Vec<(usize, Rect)> = (0..count)
        .zip(others)
        .map(|(place, index)| {
            let (left, right) = (area.width * place / count, area.width * (place + 1) / count);
            (index, Rect { x: area.x + left, width: right - left, ..area })
        })
        .collect();
    draw(c, service, (main, &tiles), buf);
}

fn draw(c: &Cockpit<'_>, service: &Service, (main, tiles): (usize, &[(usize, Rect)]), buf: &mut Buffer) {
    let Some(time) = charted(c.screen, c.cx.shared, c.cx.now) else { return };
    let incident = &c.view.incident;
    let begun = incident.created_at;
    let mut marks = changes::marks(c);
    let role = words::role(c.view, c.cx.now);
    marks.push(ChartMark { at: begun, symbol: c.cx.symbol(role), role });
    let event = charts::ChartedEvent {
        bounds: TimeRange { start: begun, end: incident.resolved_at.unwrap_or(c.cx.now).max(begun) },
        marks: &marks,
        main,
        moment: window(c.cx.shared, c.view, c.cx.now).1,
    };
    let chosen = (c.screen.panel() == CockpitPanel::Chart).then_some(main);
    charts::draw(c.cx, service, (time, Some(&event)), (tiles, chosen), buf);
}
