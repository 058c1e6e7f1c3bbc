//! The chart of an error budget: what was left of it over the window, and the forecast.

use super::course::BudgetCourse;
use super::words;
use crate::app::prelude::*;
use crate::app::widgets::chart::{Chart, ChartLine, ChartMark};
use crate::app::widgets::unit::ValueUnit;
use crate::model::slo::{BurnReading, GroupStatus, TimeRange, show};

/// Draws the budget with a forecast at the basis' burn rate. `event`: a time that is drawn as background, such as an incident's.
pub fn draw(
    cx: &ScreenCx<'_>,
    (status, group_status): (&SloStatus, &GroupStatus),
    (course, basis): (&BudgetCourse, Option<&BurnReading>),
    event: Option<TimeRange>,
    area: Rect,
    buf: &mut Buffer,
) {
    let rate = basis.and_then(|burn| burn.rate);
    let gone = rate.filter(|_| group_status.spent.is_some()).map(|rate| {
        let exhaustion = group_status.exhaustion_at(&status.slo.window, rate, status.at);
        let (name, reported) = words::exhaustion_label(status, exhaustion, Some(rate));
        format!(": {name} {}", reported.text)
    });
    let gone = gone.unwrap_or_default();
    let forecast = match (basis, rate) {
        (Some(burn), Some(rate)) => {
            format!("at {} ({}){gone}", show::burn(rate), duration::short(burn.lookback))
        }
        _ => "no forecast".to_owned(),
    };
    let left = group_status
        .left()
        .map_or_else(|| "budget".to_owned(), |left| format!("budget {}", show::left(left)));
    let curves = course.curves(status, group_status, rate);
    let lines = [
        ChartLine { values: &curves.left, role: Role::Series1, label: &left },
        ChartLine { values: &curves.forecast, role: Role::Series2, label: &forecast },
        ChartLine { values: &curves.ideal, role: Role::Border, label: "ideal" },
    ];
    let here = ChartMark { at: status.at, symbol: cx.charset.pick("▲", "^"), role: Role::Accent };
    let thresholds: &[(f64, &str)] = if curves.lowest < 0.0 { &[(0.0, "exhausted")] } else { &[] };
    let shade = event.map(|event| (event.start, event.end));
    let chart = Chart {
        marks: &[here],
        thresholds,
        shade: shade.as_slice(),
        limits: Some((curves.lowest, 1.0)),
        newest: false,
        view: cx.shared.charts.view_of_own_time(),
        ..Chart::new(curves.span, &lines, ValueUnit::Ratio)
    };
    chart.render(cx, area, buf);
}
