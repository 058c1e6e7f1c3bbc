//! Draws the page of one resource.

use super::OpenResource;
use crate::app::number::plural;
use crate::app::prelude::*;
use crate::app::subjects::capacity;
use crate::app::widgets::chart::{Chart, ChartBand, ChartLine, ChartMark};
use crate::app::widgets::unit::ValueUnit;
use crate::model::capacity::{CapacityReading, CapacityUse, FillTime, GrowthTrend, Outlook, UsageLine, left};
use crate::model::series::TimeGrid;

const USED: [AskKind; 1] = [AskKind::Capacity];
/// The future on the chart has at most so many times the length of the past.
const MOST_FUTURE: u32 = 3;

/// The chart and, below it, the text.
fn parts(body: Rect) -> (Rect, Rect) {
    let room = layout::below_heading(body);
    let height = match room.height {
        0..10 => 0,
        10..16 => room.height / 2,
        height => (height * 3 / 5).max(8),
    };
    let chart = Rect { height, ..room };
    (chart, Rect { y: chart.bottom(), height: room.height - height, ..room })
}

pub(super) fn text_area(body: Rect) -> Rect {
    parts(body).1
}

pub(super) fn render(screen: &OpenResource, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let Some(reading) = screen.reading(cx.shared) else {
        let is_told = cx.world.sources().any(|(_, cache)| cache.capacity().value().is_some());
        let words = if is_told {
            " No source reports this resource any more. Press Esc to go back.".to_owned()
        } else {
            format!(" {}", cx.shared.waiting())
        };
        text::say(cx, 0, &words, Role::Unknown, area, buf);
        return;
    };
    let role = capacity::role(reading, &cx.world.health_policy.thresholds, cx.now);
    let title = [
        StyledRun::new(format!(" {} {} ", cx.symbol(role), reading.title()), role),
        StyledRun::new(capacity::verdict(reading, cx.now), role),
        StyledRun::new(format!("  {}", reading.amounts()), Role::Text),
        StyledRun::new(format!("  {}", reading.key.service), Role::Muted),
    ];
    layout::heading_with_staleness(cx, &title, &USED, area, buf);
    let (chart, below) = parts(area);
    if let Some(curves) = ResourceCurves::of(reading) {
        curves.render(cx, reading, chart, buf);
    } else if chart.height > 0 {
        let words = match reading.amount {
            CapacityUse::Until(at) => format!("ends on {}", moment(at, cx.now, cx.zone)),
            CapacityUse::Amount { .. } => "no history".to_owned(),
        };
        text::centred(cx, &words, Role::Muted, chart, buf);
    }
    page(cx, reading, below.width).render(cx, screen.scroll_position.scroll, below, buf);
}

/// The lines of the chart over one grid, as shares of the present limit, or as amounts without a limit.
struct ResourceCurves {
    span: TimeGrid,
    usage: Vec<f64>,
    /// The limit in the past, if it has changed.
    limits: Option<Vec<f64>>,
    expected: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
    is_share: bool,
}

impl ResourceCurves {
    fn of(reading: &CapacityReading) -> Option<Self> {
        let trend = reading.trend.as_ref();
        let line = shown_line(&reading.history, trend)?;
        let (past, step) = (age(line.span.start(), line.span.end()), line.span.step());
        let future = future(reading, past, step);
        let end = line.span.end().checked_add(future).ok()?;
        let span = TimeGrid::ending(end, past.saturating_add(future), u16::MAX, step);
        let limit = match reading.amount {
            CapacityUse::Amount { limit, .. } => limit,
            CapacityUse::Until(_) => None,
        };
        let by = limit.unwrap_or(1.0);
        let mut usage: Vec<f64> = line.values.iter().map(|value| value / by).collect();
        let known = usage.len();
        usage.resize(span.count(), f64::NAN);
        let none = || vec![f64::NAN; span.count()];
        let (mut expected, mut low, mut high) = (none(), none(), none());
        if let Some(trend) = trend.filter(|_| limit.is_some()) {
            for index in known.saturating_sub(1)..span.count() {
                let (lowest, likely, highest) = trend.expected(left(span.at(index), reading.at), reading.at);
                for (cells, value) in [(&mut low, lowest), (&mut expected, likely), (&mut high, highest)] {
                    if let Some(cell) = cells.get_mut(index) {
                        *cell = (value / by).max(0.0);
                    }
                }
            }
        }
        let limits = reading.limits.as_ref().filter(|_| limit_change(reading).is_some());
        let limits = limits.map(|limits| {
            let at = |index: usize| {
                let second = span.at(index).as_second() as f64;
                let place = limits.span.index(second).filter(|_| index < known)?;
                Some(limits.values.get(place)? / by)
            };
            (0..span.count()).map(|index| at(index).unwrap_or(f64::NAN)).collect()
        });
        Some(Self { span, usage, limits, expected, low, high, is_share: limit.is_some() })
    }

    fn render(&self, cx: &ScreenCx<'_>, reading: &CapacityReading, area: Rect, buf: &mut Buffer) {
        let mut lines = vec![ChartLine { values: &self.usage, role: Role::Series1, label: "used" }];
        if self.expected.iter().any(|value| value.is_finite()) {
            lines.push(ChartLine { values: &self.expected, role: Role::Series2, label: "expected" });
        }
        if let Some(limits) = &self.limits {
            lines.push(ChartLine { values: limits, role: Role::Series3, label: "limit before" });
        }
        let thresholds: &[(f64, &str)] = if self.is_share { &[(1.0, "limit")] } else { &[] };
        let ends = match reading.outlook {
            Outlook::Fills(FillTime { at, .. }) => Some(at),
            Outlook::Full
            | Outlook::Ends(_)
            | Outlook::Unclear { .. }
            | Outlook::NotWithin(_)
            | Outlook::Steady
            | Outlook::Falling
            | Outlook::NeedsHistory { .. }
            | Outlook::Unknown
            | Outlook::WithoutLimit => None,
        };
        let now = ChartMark { at: reading.at, symbol: cx.charset.pick("│", "|"), role: Role::Muted };
        let end = ends.map(|at| ChartMark { at, symbol: cx.charset.pick("▲", "^"), role: Role::Warning });
        let marks: Vec<ChartMark<'_>> = std::iter::once(now).chain(end).collect();
        let unit = if self.is_share { ValueUnit::Ratio } else { ValueUnit::Plain };
        let chart = Chart {
            thresholds,
            marks: &marks,
            newest: false,
            band: Some(ChartBand { low: &self.low, high: &self.high }),
            ..Chart::new(self.span, &lines, unit)
        };
        chart.render(cx, area, buf);
    }
}

/// The shortest lookback that holds the history of the trend; without a trend, the longest with data.
fn shown_line<'a>(history: &'a [UsageLine], trend: Option<&GrowthTrend>) -> Option<&'a UsageLine> {
    let holds = |line: &&UsageLine| {
        let length = age(line.span.start(), line.span.end());
        trend.is_none_or(|trend| length.saturating_add(line.span.step()) >= trend.history)
    };
    let mut with_data = history.iter().filter(|line| line.values.iter().any(|value| value.is_finite()));
    with_data.clone().rev().find(holds).filter(|_| trend.is_some()).or_else(|| with_data.next())
}

/// How much of the future the chart shows: past the expected end if that is not too far away.
fn future(reading: &CapacityReading, past: Duration, step: Duration) -> Duration {
    let at_most = past.saturating_mul(MOST_FUTURE);
    let wanted = match reading.outlook {
        Outlook::Fills(FillTime { at, .. }) => left(at, reading.at).saturating_mul(6) / 5,
        Outlook::NotWithin(_) | Outlook::Unclear { .. } => past,
        Outlook::Steady | Outlook::Falling | Outlook::Full => past / 3,
        Outlook::Ends(_) | Outlook::NeedsHistory { .. } | Outlook::Unknown | Outlook::WithoutLimit => step,
    };
    let steps = wanted.min(at_most).as_secs() / step.as_secs().max(1);
    step.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX).max(1))
}

/// The last change of the limit: when, and the limit before.
fn limit_change(reading: &CapacityReading) -> Option<(Timestamp, f64)> {
    let (limits, CapacityUse::Amount { limit: Some(limit), .. }) = (reading.limits.as_ref()?, reading.amount)
    else {
        return None;
    };
    let differs = |value: &f64| value.is_finite() && (value - limit).abs() > 0.005 * limit;
    let last = limits.values.iter().rposition(differs)?;
    Some((limits.span.at(last + 1), *limits.values.get(last)?))
}

/// The text below the chart.
pub(super) fn page(cx: &ScreenCx<'_>, reading: &CapacityReading, width: u16) -> PageContent {
    let mut page = PageContent::new(width);
    for words in words(cx, reading) {
        page.paragraph(&words, Role::Text);
    }
    page.title("Numbers");
    if !reading.amounts().is_empty() {
        page.pair("used", &reading.amounts(), Role::Text);
    }
    if let Some(trend) = &reading.trend {
        let unit = |amount: f64| reading.unit.text(amount);
        let between = format!("between {} and {}", unit(trend.low_per_day), unit(trend.high_per_day));
        page.pair("growth per day", &format!("{} ({between})", unit(trend.per_day)), Role::Text);
    }
    if let Some((at, before)) = limit_change(reading) {
        let words = format!("{} until about {}", reading.unit.text(before), moment(at, cx.now, cx.zone));
        page.pair("limit before", &words, Role::Text);
    }
    page.names("host", [&*reading.key.instance].into_iter().filter(|name| !name.is_empty()), Role::Text);
    page.pair("source", reading.key.source.as_str(), Role::Text);
    page.pair("query", &reading.query, Role::Muted);
    page
}

/// The forecast in sentences.
fn words(cx: &ScreenCx<'_>, reading: &CapacityReading) -> Vec<String> {
    let when = |at: Timestamp| {
        let here = at.to_zoned(cx.zone.clone());
        here.strftime(if left(at, cx.now) < Duration::from_secs(6 * 86_400) {
            "%a %H:%M"
        } else {
            "%Y-%m-%d"
        })
        .to_string()
    };
    let mut all = Vec::new();
    match reading.outlook {
        Outlook::Fills(FillTime { at, earliest, latest }) => {
            let latest = latest.map_or_else(|| "it may also never be".to_owned(), |latest| format!("at the latest {}", when(latest)));
            all.push(format!(
                "If the growth goes on, it is full on {} (in {}). In nine of ten cases: at the earliest {}, {latest}.",
                when(at),
                duration::short(left(at, cx.now)),
                when(earliest)
            ));
        }
        Outlook::Full => all.push("The usage is at its limit, or above.".to_owned()),
        Outlook::Ends(at) if at <= cx.now => all.push(format!("It ended on {}.", moment(at, cx.now, cx.zone))),
        Outlook::Ends(at) => all.push(format!("It ends on {}.", moment(at, cx.now, cx.zone))),
        Outlook::Unclear { earliest } => all.push(format!(
            "It seems to grow, but not more clearly than it goes up and down. If it does, it is full on {} at the earliest.",
            when(earliest)
        )),
        Outlook::NotWithin(time) => all.push(format!(
            "It grows, but is not full within {}. Further than that the history does not tell.",
            duration::short(time)
        )),
        Outlook::Steady => all.push("It does not grow.".to_owned()),
        Outlook::Falling => all.push("It falls.".to_owned()),
        Outlook::NeedsHistory { has, needs } => all.push(format!(
            "There is no forecast yet: it needs {} of history since the beginning or the last reset, and there are {}.",
            duration::short(needs),
            duration::short(has)
        )),
        Outlook::Unknown => all.push("The history could not be read, so there is no forecast.".to_owned()),
        Outlook::WithoutLimit => all.push("No limit is known, so there is no forecast.".to_owned()),
    }
    if let Some(trend) = &reading.trend {
        let season = trend
            .season
            .map(|season| format!("without its {} season, which the forecast adds again", season.word()));
        let resets = (trend.resets > 0).then(|| format!("with {}", plural(trend.resets, "reset")));
        let base = format!("The trend is that of the last {}", duration::short(trend.history));
        all.push(std::iter::once(base).chain(season).chain(resets).collect::<Vec<_>>().join(", ") + ".");
        if trend.history < Duration::from_secs(86_400) {
            let words =
                "Less than a day of history: what changes over a day is not in it, so the range is wide.";
            all.push(words.to_owned());
        }
    }
    all
}
