//! The charts of a service: its signals over time.

use crate::app::chart_control::bad_since;
use crate::app::explore_choice::ChartQuery;
use crate::app::prelude::*;
use crate::app::range;
use crate::app::refusal;
use crate::app::subjects::{alert, change, service};
use crate::app::widgets::bar::panel;
use crate::app::widgets::chart::{Chart, ChartLine, ChartMark, ChartView};
use crate::app::widgets::heat::{Heat, HeatBucket};
use crate::app::widgets::unit::ValueUnit;
use crate::app::zoomed_grid::ZoomedGrid;
use crate::model::ask::Moment;
use crate::model::health::Thresholds;
use crate::model::remote::Freshness;
use crate::model::series::{Matrix, TimeGrid};
use crate::model::service::{Service, ServiceDetail};
use crate::model::signal::Signal;
use crate::model::slo::TimeRange;
use crate::model::source_info::SourceInfo;

type MatrixOf = fn(&ServiceDetail) -> &Matrix;
type LimitOf = fn(&Thresholds) -> f64;

/// The number of charts.
pub const COUNT: usize = 5;

/// The points of a chart at most.
pub const POINTS: u16 = 240;

struct ServiceChart {
    title: &'static str,
    /// Without this signal there is no chart.
    signal: Signal,
    /// What is drawn as lines; none: the buckets of the latency.
    series: Option<(MatrixOf, ValueUnit)>,
    /// From where on it is bad, and what that is called.
    threshold: Option<(LimitOf, &'static str)>,
}

/// The charts, in the order in which Tab goes through them where not all have room. Apdex is read from the same buckets as
/// the last one.
const CHARTS: [ServiceChart; COUNT] = [
    ServiceChart {
        title: "Requests",
        signal: Signal::Requests,
        series: Some((|detail| &detail.request_rate, ValueUnit::PerSecond)),
        threshold: None,
    },
    ServiceChart {
        title: "Errors",
        signal: Signal::Errors,
        series: Some((|detail| &detail.error_ratio, ValueUnit::Ratio)),
        threshold: Some((|limits| limits.error_ratio_critical, "critical")),
    },
    ServiceChart {
        title: "Latency",
        signal: Signal::Latency,
        series: Some((|detail| &detail.latency, ValueUnit::Seconds)),
        threshold: Some((|limits| limits.p95_degraded.0.as_secs_f64(), "p95 limit")),
    },
    ServiceChart {
        title: "Saturation",
        signal: Signal::Saturation,
        series: Some((|detail| &detail.saturation, ValueUnit::Ratio)),
        threshold: Some((|limits| limits.saturation_degraded, "limit")),
    },
    ServiceChart { title: "Latency by bucket", signal: Signal::Apdex, series: None, threshold: None },
];

/// What the charts are about instead of the alerts of the service: an incident.
pub struct ChartedEvent<'a> {
    /// How long it lasted; drawn as background.
    pub bounds: TimeRange,
    /// The changes around it and its beginning; alerts have no marks of their own.
    pub marks: &'a [ChartMark<'a>],
    /// The chart whose title names the service, its newest value, its limit and the range; the other titles are short.
    pub main: usize,
    /// The moment of the answers that have the time of the charts.
    pub moment: Moment,
}

/// The charts that [`draw`] draws.
struct DrawnCharts<'a> {
    service: &'a Service,
    details: Vec<(&'a SourceId, &'a ServiceDetail)>,
    view: ChartView,
    /// The shown time in words.
    words: String,
    /// The moment of the answers, and the finer grid of the part that is shown.
    at: (Moment, Option<ZoomedGrid>),
    event: Option<&'a ChartedEvent<'a>>,
}

/// Changes this long before a service broke belong to the event.
const CHANGE_BEFORE: Duration = Duration::from_secs(20 * 60);

/// Rows that a chart wants at least, with its frame.
const CHART_HEIGHT: u16 = 7;
/// Cells that a chart wants at least, with its frame.
const CHART_WIDTH: u16 = 38;

/// Where the charts stand that have room. The chosen one is always among them.
pub fn tiles(area: Rect, chosen: usize) -> Vec<(usize, Rect)> {
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

/// The finer grid of the part that the user has chosen, of charts up to this moment. An event in the past has no finer one.
fn zoomed(shared: &Shared, (time, moment): (ChartedTime, Moment), now: Timestamp) -> Option<ZoomedGrid> {
    ZoomedGrid::of(shared, time, POINTS, now).filter(|_| moment == shared.range.moment())
}

/// The history of a service at one source: of the part that is shown if that has arrived, else of the whole time up to the moment.
fn history<'a>(
    shared: &'a Shared,
    (service, id): (&Service, &SourceId),
    (moment, zoomed): (Moment, Option<ZoomedGrid>),
) -> Option<&'a Remote<ServiceDetail>> {
    let cache = shared.world.cache(id)?;
    let finer = zoomed.and_then(|zoomed| {
        let remote = cache.at(zoomed.moment).details.get(&service.name)?;
        remote.value().is_some_and(|detail| zoomed.fits(detail.request_rate.span)).then_some(remote)
    });
    finer.or_else(|| cache.at(moment).details.get(&service.name))
}

fn window(shared: &Shared, now: Timestamp) -> TimeGrid {
    shared.range.span(now, POINTS, shared.interval)
}

/// The chart of a signal: its index among [`tiles`].
pub fn of_signal(signal: Signal) -> usize {
    CHARTS.iter().position(|chart| chart.signal == signal).unwrap_or(0)
}

/// The charts of single signals, without the one of latency by bucket.
pub fn of_signals() -> impl Iterator<Item = usize> {
    CHARTS.iter().enumerate().filter(|(_, chart)| chart.series.is_some()).map(|(index, _)| index)
}

/// The queries of the charts of a service, to each source that has it.
pub fn wants(shared: &Shared, name: &str, now: Timestamp) -> Vec<Want> {
    let service = shared.world.service(name);
    service.map_or_else(Vec::new, |service| {
        wants_over(shared, name, (time(shared, service, now), shared.range.moment()), now)
    })
}

/// The queries of the charts over this time, with the moment at its end.
pub fn wants_over(shared: &Shared, name: &str, whole: (ChartedTime, Moment), now: Timestamp) -> Vec<Want> {
    // zoomed charts need finer points instead of those of the whole range, which stay until these come
    let (window, moment) =
        zoomed(shared, whole, now).map_or((whole.0.grid, whole.1), |zoomed| (zoomed.grid, zoomed.moment));
    let known_by = shared.world.service(name).map_or(&[][..], |service| &service.chart_sources);
    let asked = shared.answering(AskKind::Detail).filter(|source| known_by.contains(&source.id));
    let want = |source: &SourceInfo| {
        let cache = shared.world.cache(&source.id);
        let detail = cache.and_then(|cache| cache.at(moment).details.get(name)?.whole());
        let time_range = range::time_range(window, detail.map(|detail| detail.request_rate.span));
        want::at(shared, &source.id, Query::Detail { service: name.into(), time_range }, moment)
    };
    asked.map(want).collect()
}

/// The queries that the sources sent for the charts, as they are opened in Explore.
pub fn queries(shared: &Shared, name: &str, moment: Moment) -> Vec<ChartQuery> {
    let sources = shared.world.service(name).map_or(&[][..], |service| &service.chart_sources);
    let details = sources
        .iter()
        .filter_map(|id| Some((id, shared.world.cache(id)?.at(moment).details.get(name)?.value()?)));
    let is_one = sources.len() < 2;
    let queries = details.flat_map(|(id, detail)| {
        detail.queries.iter().map(move |of| {
            let title =
                if is_one { of.signal.word().to_owned() } else { format!("{} ({id})", of.signal.word()) };
            ChartQuery { title, query: of.query.clone(), source: Some(id.clone()) }
        })
    });
    queries.collect()
}

/// The time of the charts. What began in it: the first of the alerts that fire and of the points of errors and latency that have
/// been bad since.
pub fn time(shared: &Shared, service: &Service, now: Timestamp) -> ChartedTime {
    let grid = window(shared, now);
    let limits = &shared.world.health_policy.thresholds;
    let cache = service.chart_sources.iter().filter_map(|id| shared.world.cache(id));
    let details = cache.filter_map(|cache| cache.details().get(&service.name)?.value());
    let bad = details.flat_map(|detail| {
        let since = |matrix: &Matrix, labels: &Labels, limit: f64| {
            bad_since(matrix.span, &matrix.line(labels)?.values, |value| value >= limit)
        };
        let p95 = Labels::from_iter([("quantile", "0.95")]);
        [
            since(&detail.error_ratio, &Labels::default(), limits.error_ratio_critical),
            since(&detail.latency, &p95, limits.p95_degraded.0.as_secs_f64()),
        ]
    });
    let bad: Vec<Timestamp> = bad.flatten().collect();
    let alerts = service::alerts(shared, &service.name).into_iter();
    let fired = alerts.filter(|alert| alert.is_firing()).map(|alert| alert.starts_at);
    let event = bad.iter().copied().chain(fired).filter(|at| *at > grid.start()).min();
    // bad before the range began: then the event has no beginning in it
    let event = event.filter(|_| bad.iter().all(|at| *at > grid.start()));
    let event = event.map(|event| first_change(shared, &service.name, event).unwrap_or(event));
    ChartedTime { grid, event }
}

/// The first change of a service shortly before it broke.
fn first_change(shared: &Shared, service: &str, event: Timestamp) -> Option<Timestamp> {
    let before = event.checked_sub(CHANGE_BEFORE).unwrap_or(event);
    let its = shared.world.changes_of(service).map(|change| change.at);
    its.filter(|at| (before..=event).contains(at)).min()
}

/// Draws the charts with these indexes at these places, the chosen one with the border of the focus. What they are about is the
/// event, if there is one, else the alerts of the service.
pub fn draw(
    cx: &ScreenCx<'_>,
    service: &Service,
    (time, event): (ChartedTime, Option<&ChartedEvent<'_>>),
    (tiles, chosen): (&[(usize, Rect)], Option<usize>),
    buf: &mut Buffer,
) {
    let moment = event.map_or(cx.shared.range.moment(), |event| event.moment);
    let zoomed = zoomed(cx.shared, (time, moment), cx.now);
    let at = (moment, zoomed);
    let sources = service.chart_sources.iter();
    let histories = sources.filter_map(|id| Some((id, history(cx.shared, (service, id), at)?.value()?)));
    let mut details: Vec<(&SourceId, &ServiceDetail)> = histories.collect();
    let (view, words) = cx.shared.charted(cx, time);
    let is_fine = |(_, detail): &(&SourceId, &ServiceDetail)| {
        zoomed.is_some_and(|zoomed| zoomed.fits(detail.request_rate.span))
    };
    // the lines of all sources have one grid, and not that of a range that was chosen before
    let is_finer = !details.is_empty() && details.iter().all(is_fine);
    let view = if is_finer { ZoomedGrid::view(view) } else { view };
    details.retain(|(_, detail)| is_finer || detail.request_rate.span.step() == time.grid.step());
    let charts = DrawnCharts { service, details, view, words, at, event };
    for (index, tile) in tiles {
        if let Some(shown) = CHARTS.get(*index) {
            charts.draw_one(cx, (shown, *index), Some(*index) == chosen, *tile, buf);
        }
    }
}

impl DrawnCharts<'_> {
    fn draw_one(
        &self,
        cx: &ScreenCx<'_>,
        (shown, index): (&ServiceChart, usize),
        is_current: bool,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let Self { service, details, view, event, .. } = self;
        let title = refusal::titled(cx, self.title(cx, (shown, index)), self.failure(cx));
        let inner = panel(cx, &title, is_current, area, buf);
        let Some((_, first)) = details.first() else {
            let asked = service.chart_sources.iter().filter_map(|id| cx.world.cache(id));
            let asked = asked.filter_map(|cache| cache.at(self.at.0).details.get(&service.name));
            let mut able = cx.shared.answering(AskKind::Detail);
            let has_history = able.any(|source| service.chart_sources.contains(&source.id));
            let none = "No source has the history of this service.";
            let words = || if has_history { cx.shared.waiting() } else { none }.to_owned();
            return refusal::no_lines(cx, asked, words, inner, buf);
        };
        let mut unknown = details.iter().flat_map(|(_, detail)| detail.unknown.iter());
        if let Some(unknown) = unknown.find(|unknown| unknown.signal == shown.signal) {
            refusal::reason(cx, &unknown.why, inner, buf);
            return;
        }
        let Some((part, unit)) = shown.series else {
            heat(cx, details, *view, inner, buf);
            return;
        };
        let named = lines(details, part, shown.signal == Signal::Latency);
        let lines = ChartLine::each(&named);
        let (marks, shade) = match event {
            Some(event) => (event.marks.to_vec(), vec![(event.bounds.start, event.bounds.end)]),
            None => of_alerts(cx, service, part(first).span),
        };
        let threshold = shown.limit(cx);
        let chart = Chart {
            thresholds: threshold.as_slice(),
            shade: &shade,
            marks: &marks,
            view: *view,
            ..Chart::new(part(first).span, &lines, unit)
        };
        chart.render(cx, inner, buf);
    }

    /// "Errors, last 1h"; about an event "Errors of checkout 22.7% (critical 5%), last 12m of 1h", for the others "Requests 340/s".
    fn title(&self, cx: &ScreenCx<'_>, (shown, index): (&ServiceChart, usize)) -> String {
        let Some(event) = self.event else { return format!("{}, {}", shown.title, self.words) };
        let newest = self.details.first();
        let newest = newest.and_then(|(_, detail)| shown.newest(detail, cx)).map(|value| format!(" {value}"));
        let newest = newest.unwrap_or_default();
        if index != event.main {
            return format!("{}{newest}", shown.title);
        }
        let limit = shown
            .limit(cx)
            .zip(shown.series)
            .map(|((limit, name), (_, unit))| format!(" ({name} {})", unit.short(limit, cx.charset)));
        let (name, limit) = (&self.service.name, limit.unwrap_or_default());
        format!("{} of {name}{newest}{limit}, {}", shown.title, self.words)
    }

    /// Why the charts are incomplete or stale; `None` if they are not.
    fn failure(&self, cx: &ScreenCx<'_>) -> Option<String> {
        let name = &self.service.name;
        self.service.chart_sources.iter().find_map(|id| {
            let remote = history(cx.shared, (self.service, id), self.at)?;
            match cx.shared.scheduler.freshness(id, &Topic::Detail(name.clone()), remote, cx.now) {
                Freshness::NotAsked | Freshness::Loading | Freshness::Fresh => None,
                Freshness::Failed => Some(
                    remote.failure().map_or_else(|| format!("{id} does not answer"), ToString::to_string),
                ),
                Freshness::Stale(age) => {
                    let why = remote.failure().map_or_else(String::new, |error| format!(": {}", error.kind));
                    Some(format!("{id}: {} old{why}", duration::short(age)))
                }
            }
        })
    }
}

impl ServiceChart {
    /// From which value on it is bad, and what that is called.
    fn limit(&self, cx: &ScreenCx<'_>) -> Option<(f64, &'static str)> {
        self.threshold.map(|(limit, words)| (limit(&cx.shared.world.health_policy.thresholds), words))
    }

    /// The newest value of its first series; of latency, of the 95th percentile.
    fn newest(&self, detail: &ServiceDetail, cx: &Cx<'_>) -> Option<String> {
        let (part, unit) = self.series?;
        let p95 = Labels::from_iter([("quantile", "0.95")]);
        let line = part(detail).line(&p95).or_else(|| part(detail).lines.first())?;
        let value = line.values.iter().rev().copied().find(|value| value.is_finite())?;
        Some(unit.text(value, cx.charset))
    }
}

/// The marks of the alerts and changes of a service, and when its alerts fired.
fn of_alerts(
    cx: &ScreenCx<'_>,
    service: &Service,
    span: TimeGrid,
) -> (Vec<ChartMark<'static>>, Vec<(Timestamp, Timestamp)>) {
    let alerts = service::alerts(cx.shared, &service.name);
    let fired =
        alerts.iter().filter(|alert| alert.is_firing()).map(|alert| (alert.starts_at, cx.now)).collect();
    let mut marks: Vec<ChartMark<'static>> = alerts.iter().map(|one| alert::mark(cx, one)).collect();
    if marks.len() > 1 {
        // the list of alerts repeats the numbers
        marks.iter_mut().enumerate().for_each(|(index, mark)| mark.symbol = ChartMark::number(index));
    }
    marks.extend(change::marks(cx, &service.name, span));
    (marks, fired)
}

/// The buckets of all sources added up: requests are requests, wherever they were served.
fn heat(cx: &Cx<'_>, details: &[(&SourceId, &ServiceDetail)], view: ChartView, area: Rect, buf: &mut Buffer) {
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
    let buckets: Vec<HeatBucket<'_>> =
        sums.iter().map(|(le, values)| HeatBucket { le: *le, values }).collect();
    Heat { span, buckets: &buckets, labels: &[], whole: None, view }.render(cx, area, buf);
}

/// The lines of a chart, each with its name; of several sources with theirs.
fn lines<'a>(
    details: &[(&SourceId, &'a ServiceDetail)],
    part: MatrixOf,
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
