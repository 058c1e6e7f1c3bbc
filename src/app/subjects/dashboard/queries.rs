//! The questions for the data of a panel: its queries with all variables replaced, by the source that answers them.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::data_source::{EXPRESSION, OF_DASHBOARD, plugin_of, source_of};
use super::variables::ResolvedVariables;
use crate::app::explore_choice::ChartQuery;
use crate::app::identity::DashboardKey;
use crate::app::range::Range;
use crate::app::scheduler::Want;
use crate::app::shared::Shared;
use crate::app::want;
use crate::model::ask::{AskKind, Moment, Query};
use crate::model::dashboard::interpolation::Interpolation;
use crate::model::dashboard::panel::{Panel, PanelQueryDefinition};
use crate::model::dashboard::{Dashboard, DataSourceRef, PanelQuery, PanelSubquery};
use crate::model::duration;
use crate::model::frame::{PanelFrames, QueryFailure};
use crate::model::labels::Text;
use crate::model::remote::Remote;
use crate::model::series::TimeGrid;
use crate::model::source::SourceId;

/// Points of a series at most: two for each column of a wide panel.
const POINTS: u16 = 240;
/// A question for data of a panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedPanel {
    pub source: SourceId,
    pub wanted: Arc<PanelQuery>,
    pub window: TimeGrid,
    pub moment: Moment,
}

impl AskedPanel {
    pub fn want(&self, shared: &Shared) -> Want {
        let query = Query::PanelData { wanted: Arc::clone(&self.wanted), window: self.window };
        want::at(shared, &self.source, query, self.moment)
    }

    pub fn answer<'a>(&self, shared: &'a Shared) -> Option<&'a Remote<Arc<PanelFrames>>> {
        let cache = shared.world.cache(&self.source)?;
        let is_displayed = self.moment == shared.range.moment();
        // a panel may show an earlier time than the dashboard
        let answers = if is_displayed { cache.panel_data() } else { &cache.at(self.moment).panel_data };
        answers.get(&self.wanted)
    }
}

/// The questions of a panel, and the queries that no source answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PanelQuestions {
    pub asked: Vec<AskedPanel>,
    pub unanswered: Vec<QueryFailure>,
}

/// The questions for a panel's data. `scope` replaces variables, also those of repeats.
pub fn questions(
    shared: &Shared,
    key: &DashboardKey,
    dashboard: &Dashboard,
    (panel, scope): (&Panel, &Interpolation),
    now: Timestamp,
) -> PanelQuestions {
    let mut out = PanelQuestions::default();
    let mut groups: Vec<(SourceId, Vec<PanelSubquery>)> = Vec::new();
    let queries = scope.without_time();
    let mut expressions = Vec::new();
    for (query, data_source) in queries_of(dashboard, panel) {
        let data_source = scope.data_source(&data_source);
        let is_expression =
            [&data_source.kind, &data_source.uid].into_iter().flatten().any(|name| **name == *EXPRESSION);
        let found = source_of(shared, key, &data_source, AskKind::PanelData);
        let source = match found {
            Ok(source) => source,
            Err(_) if is_expression => {
                expressions.push(subquery(query, data_source, queries.query(&query.json, EXPRESSION)));
                continue;
            }
            Err(message) => {
                out.unanswered.push(QueryFailure { ref_id: query.ref_id.clone(), message: message.into() });
                continue;
            }
        };
        let plugin = plugin_of(shared, &source, &data_source);
        let one = subquery(query, data_source, queries.query(&query.json, &plugin));
        match groups.iter_mut().find(|(known, _)| *known == source) {
            Some((_, all)) => all.push(one),
            None => groups.push((source, vec![one])),
        }
    }
    // expressions are evaluated where their queries are
    match groups.first_mut() {
        Some((_, all)) => all.extend(expressions),
        None => out.unanswered.extend(expressions.into_iter().map(|one| QueryFailure {
            ref_id: one.ref_id,
            message: "a server-side expression without a query that a source answers".into(),
        })),
    }
    let (window, moment) = time(shared, panel, scope, now);
    out.asked = groups
        .into_iter()
        .map(|(source, queries)| AskedPanel {
            source,
            wanted: Arc::new(PanelQuery::over(queries, window)),
            window,
            moment,
        })
        .collect();
    out
}

fn subquery(query: &PanelQueryDefinition, data_source: DataSourceRef, json: String) -> PanelSubquery {
    PanelSubquery { ref_id: query.ref_id.clone(), data_source, json: json.into() }
}

/// The queries of a panel with their data sources; those of another panel if it shows that one's result.
fn queries_of<'a>(
    dashboard: &'a Dashboard,
    panel: &'a Panel,
) -> Vec<(&'a PanelQueryDefinition, DataSourceRef)> {
    let is_copy = panel.data_source.uid.as_deref() == Some(OF_DASHBOARD);
    let id = panel.queries.first().filter(|_| is_copy).and_then(|query| {
        let json: serde_json::Value = serde_json::from_str(&query.json).ok()?;
        u32::try_from(json.get("panelId")?.as_u64()?).ok()
    });
    let mut panels = dashboard.sections.iter().flat_map(|section| &section.panels);
    let copied = id.and_then(|id| panels.find(|other| other.id == id && other.id != panel.id));
    let shown = copied.map_or(panel, |copied| &**copied);
    let of = |query: &'a PanelQueryDefinition| {
        let own = &query.data_source;
        let is_own = own.uid.is_some() || own.kind.is_some();
        (query, if is_own { own.clone() } else { shown.data_source.clone() })
    };
    shown.queries.iter().map(of).collect()
}

/// The points of a panel, and the moment that it is asked about. A panel may have a range of its own, or show an earlier time.
fn time(shared: &Shared, panel: &Panel, scope: &Interpolation, now: Timestamp) -> (TimeGrid, Moment) {
    let length = |text: &Option<Text>| {
        let text = scope.title(text.as_deref()?);
        length_of(&text).filter(|length| !length.is_zero())
    };
    let range =
        Range { length: length(&panel.relative_from).unwrap_or(shared.range.length), end: shared.range.end };
    let points = panel.max_points.and_then(|points| u16::try_from(points).ok()).unwrap_or(POINTS);
    let points = points.clamp(2, POINTS);
    let least = length(&panel.min_interval).unwrap_or(shared.interval).max(shared.interval);
    let window = range.span(now, points, least);
    let Some(shift) = length(&panel.time_shift) else { return (window, shared.range.moment()) };
    let end = window.end().checked_sub(shift).unwrap_or(Timestamp::UNIX_EPOCH);
    let window = TimeGrid::stepped(end, range.length, window.step());
    (window, Moment::At(window.end()))
}

/// A length of time as dashboards write it: `6h`, `now-6h`, `>1m`.
pub fn length_of(text: &str) -> Option<Duration> {
    let text = text.trim().trim_start_matches('>').trim_start_matches("now").trim_start_matches('-');
    // `now-1d/d` is rounded down to the day
    let text = text.split('/').next()?.trim();
    if let Some(months) = text.strip_suffix('M').and_then(|months| months.parse::<u64>().ok()) {
        return Some(Duration::from_secs(months.saturating_mul(30 * 86_400)));
    }
    duration::parse(text).ok()
}

/// The queries of a panel for Explore, with its title.
pub fn chart_queries(
    shared: &Shared,
    key: &DashboardKey,
    dashboard: &Dashboard,
    (panel, scope): (&Panel, &Interpolation),
    title: &str,
) -> Vec<ChartQuery> {
    let mut all = Vec::new();
    for (query, data_source) in queries_of(dashboard, panel) {
        let Some(expression) = query.expression.as_deref().filter(|text| !text.trim().is_empty()) else {
            continue;
        };
        let data_source = scope.data_source(&data_source);
        let found = source_of(shared, key, &data_source, AskKind::PanelData).ok();
        let plugin = found.as_ref().map(|source| plugin_of(shared, source, &data_source)).unwrap_or_default();
        // Explore asks only sources that evaluate queries
        let source = found.filter(|id| shared.answering(AskKind::Evaluation).any(|source| source.id == *id));
        let title =
            if panel.queries.len() > 1 { format!("{title} ({})", query.ref_id) } else { title.to_owned() };
        // Explore knows no variables of time: they have their values
        let query = scope.query(expression, &plugin).into();
        all.push(ChartQuery { title, query, source });
    }
    all
}

/// The variables of a panel with those of time, for texts and Explore.
pub fn with_time(
    resolved: &ResolvedVariables,
    scope: &[crate::model::dashboard::interpolation::VariableState],
) -> Interpolation {
    scope.iter().fold(resolved.titles.clone(), |all, one| all.with(one.clone()))
}

/// The variables of a panel for its queries.
pub fn without_time(
    resolved: &ResolvedVariables,
    scope: &[crate::model::dashboard::interpolation::VariableState],
) -> Interpolation {
    scope.iter().fold(resolved.queries.clone(), |all, one| all.with(one.clone()))
}
