//! Exemplars of the present query: single requests with their traces, as points of the chart.

use super::{Explore, ResultView};
use crate::app::chart_control::STEPS;
use crate::app::prelude::*;
use crate::app::subjects::link;
use crate::app::widgets::chart::ChartPoint;
use crate::app::widgets::unit::ValueUnit;
use crate::model::ask::SeriesKey;
use crate::model::evaluation::Exemplar;
use crate::model::promql::{Dimension, dimension};
use crate::model::series::TimeGrid;
use crate::model::trace::TraceId;

/// The most traces in the menu of links.
const MAX_TRACES: usize = 40;

impl Explore {
    /// The key of the exemplars of the present query.
    fn exemplars_key(&self, shared: &Shared, now: Timestamp) -> Option<(SeriesKey, TimeGrid)> {
        let query = self.query.clone().filter(|_| self.has_exemplars)?;
        let window = self.window(shared, now).filter(|_| !self.language(shared).is_of_logs())?;
        Some((SeriesKey::over(query, window), window))
    }

    /// The queries of labels for the menu of labels, and of exemplars.
    pub(super) fn exemplars_want(&self, shared: &Shared, source: &SourceId, now: Timestamp) -> Vec<Want> {
        let exemplars = self.exemplars_key(shared, now);
        let exemplars =
            exemplars.map(|(series, window)| want::of(shared, source, Query::Exemplars { series, window }));
        // those of log lines are counted among the lines
        let labels = self.main_labels(shared).filter(|_| !self.has_lines());
        let labels = labels.map(|wanted| want::of(shared, source, Query::Labels { wanted }));
        exemplars.into_iter().chain(labels).collect()
    }

    fn exemplars_answer<'a>(
        &self,
        shared: &'a Shared,
        now: Timestamp,
    ) -> Option<&'a Remote<Arc<[Exemplar]>>> {
        let cache = self.asked(shared).and_then(|source| shared.world.cache(source))?;
        cache.exemplars().get(&self.exemplars_key(shared, now)?.0)
    }

    /// The exemplars of the present query, the newest first.
    pub(super) fn exemplars<'a>(&self, shared: &'a Shared, now: Timestamp) -> &'a [Exemplar] {
        self.exemplars_answer(shared, now).and_then(Remote::value).map_or(&[], |all| all)
    }

    /// Whether the values of exemplars, which are those of single observations, can stand on the value axis: not beside rates of
    /// them.
    pub(super) fn are_exemplars_on_axis(&self) -> bool {
        match dimension(self.query.as_deref().unwrap_or_default()) {
            Dimension::Seconds | Dimension::Plain => true,
            Dimension::PerSecond | Dimension::Ratio => false,
        }
    }

    /// The exemplars near the value cursor, the highest value first.
    fn near_cursor<'a>(&self, shared: &'a Shared) -> Vec<&'a Exemplar> {
        let span = self.shown.as_ref().and_then(super::results::ShownResult::span);
        let Some(span) = span.filter(|_| self.view == ResultView::Chart) else { return Vec::new() };
        let view = shared.charts.view(ChartedTime { grid: span, event: None });
        let Some(cursor) = view.cursor else { return Vec::new() };
        let (from, to) = view.part.unwrap_or((span.start(), span.end()));
        let reach = span.step().max(age(from, to) / STEPS);
        let is_near = |exemplar: &&Exemplar| cursor.duration_since(exemplar.at).unsigned_abs() <= reach;
        let mut near: Vec<&Exemplar> = self.exemplars(shared, span.end()).iter().filter(is_near).collect();
        near.sort_by(|a, b| b.value.total_cmp(&a.value));
        near
    }

    /// The exemplar that Enter opens: the highest one near the value cursor.
    pub(super) fn chosen_exemplar<'a>(&self, shared: &'a Shared) -> Option<&'a Exemplar> {
        self.near_cursor(shared).first().copied()
    }

    /// The trace of the chosen exemplar, if a source may have it.
    pub(super) fn trace_place(&self, shared: &Shared) -> Option<Place> {
        shared.answering(AskKind::Trace).next()?;
        Some(Place::Trace(TraceId::parse(self.chosen_exemplar(shared)?.trace()?)?))
    }

    /// The exemplars as points of the chart.
    pub(super) fn exemplar_points(&self, cx: &ScreenCx<'_>) -> Vec<ChartPoint> {
        let chosen = self.chosen_exemplar(cx.shared);
        let point = |exemplar: &Exemplar| ChartPoint {
            at: exemplar.at,
            value: exemplar.value,
            is_chosen: chosen.is_some_and(|chosen| std::ptr::eq(chosen, exemplar)),
        };
        self.exemplars(cx.shared, cx.now).iter().map(point).collect()
    }

    /// The exemplar at the value cursor with its trace and labels; how to get there; or why there are none.
    pub(super) fn exemplar_words(&self, cx: &ScreenCx<'_>, unit: ValueUnit) -> Vec<StyledRun<'static>> {
        let key = |command| cx.shared.key(command);
        let near = self.near_cursor(cx.shared);
        let Some(exemplar) = near.first() else {
            let answer = self.exemplars_answer(cx.shared, cx.now);
            let failure = answer.and_then(|answer| answer.failure());
            let count = self.exemplars(cx.shared, cx.now).len();
            let (words, role) = match (failure, answer.and_then(Remote::value)) {
                (Some(error), _) => {
                    (format!("{} no exemplars: {}", cx.symbol(Role::Trouble), error.kind), Role::Trouble)
                }
                (None, None) => (format!("exemplars: {}", cx.shared.waiting()), Role::Muted),
                (None, Some(_)) if count == 0 => {
                    let words = "no exemplars of these series in this time (Prometheus keeps them with --enable-feature=exemplar-storage)";
                    (words.to_owned(), Role::Muted)
                }
                (None, Some(_)) => {
                    let sign = cx.charset.pick("◇", "~");
                    let keys = format!("{} and arrows read them", key(Command::CursorBack));
                    (
                        format!(
                            "{sign} {count} exemplars: {keys}, {} lists their traces",
                            key(Command::Links)
                        ),
                        Role::Muted,
                    )
                }
            };
            return vec![StyledRun::new(format!(" {words}"), role)];
        };
        let time = exemplar.at.to_zoned(cx.zone.clone()).strftime("%H:%M:%S").to_string();
        let value = unit.text(exemplar.value, cx.charset);
        let mut runs =
            vec![StyledRun::new(format!(" {} {time} {value}", cx.charset.pick("◆", "$")), Role::Accent)];
        if let Some(id) = exemplar.trace() {
            let leads = if self.trace_place(cx.shared).is_some() { "opens" } else { "copies" };
            runs.push(StyledRun::new("  trace ", Role::Muted));
            runs.push(StyledRun::new(id.to_string(), Role::Accent));
            runs.push(StyledRun::new(format!("  {} {leads} it", key(Command::Open)), Role::Muted));
        }
        let own = exemplar.labels.iter().filter(|(_, value)| exemplar.trace() != Some(*value));
        let differing = &self.items.common;
        let series = exemplar.series.iter().filter(|(name, value)| differing.get(name) != Some(*value));
        let labels: Vec<String> = own
            .chain(series)
            .filter(|(name, _)| !matches!(&***name, "__name__" | "le"))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        runs.push(StyledRun::new(format!("  {}", labels.join(" ")), Role::Text));
        if near.len() > 1 {
            runs.push(StyledRun::new(format!("  +{} near", near.len() - 1), Role::Muted));
        }
        runs
    }

    /// The traces of the exemplars: with the address of each if a template for it is configured, else with its id.
    pub(super) fn traces(&self, shared: &Shared) -> Vec<(String, Text)> {
        let Some(span) = self.shown.as_ref().and_then(super::results::ShownResult::span) else {
            return Vec::new();
        };
        let named = self.exemplars(shared, span.end()).iter().take(MAX_TRACES).filter_map(|exemplar| {
            let id = exemplar.trace()?;
            let name = format!("{} {}", exemplar.at.strftime("%H:%M:%S UTC"), exemplar.value);
            Some((name, link::of_trace(shared.trace_url.as_deref(), id)))
        });
        named.collect()
    }
}
