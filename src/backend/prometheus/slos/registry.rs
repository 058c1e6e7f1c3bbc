//! The registry: the SLOs of a source, and the queries for each of their numbers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::coverage;
use super::discovery::FoundSlo;
use super::increases::{self, Increases};
use super::live::{self, TotalUnit};
use super::names;
use super::number_source::NumberSource;
use super::subquery::{PastRange, QueryWrap, RefreshPace, Subquery};
use crate::model::labels::{Labels, Text};
use crate::model::promql;
use crate::model::slo::query::{self, RatioQuery};
use crate::model::slo::{self, BudgetingMethod, Evaluation, Family, RecordedSeries, Slo, Window};
use crate::model::source::SourceError;
use crate::model::warning::Warning;

/// Lookbacks that are displayed in addition to those of the burn conditions: 5m, 30m, 1h, 6h and 3d.
const SHOWN: [Duration; 5] = [
    Duration::from_secs(300),
    Duration::from_secs(1800),
    Duration::from_secs(3600),
    Duration::from_secs(6 * 3600),
    Duration::from_secs(3 * 86_400),
];
/// The minimum time range at the start of a calendar window, because shorter ranges have no rates.
const MIN_ELAPSED: Duration = Duration::from_secs(60);

/// How the groups of an SLO are distinguished.
#[derive(Debug, Clone)]
pub(super) enum SloGrouping {
    /// By these labels.
    By(Vec<Text>),
    /// By all labels except those added by the rules and these, which all series have in common.
    Beside(Family, Labels),
}

impl SloGrouping {
    /// The labels of the group that a series belongs to.
    pub(super) fn of(&self, labels: &Labels) -> Labels {
        match self {
            Self::By(names) => labels.without(|label| !names.iter().any(|name| **name == *label)),
            Self::Beside(family, common) => labels.without(|label| {
                names::is_own(*family, label)
                    || common.get(label).is_some_and(|value| labels.get(label) == Some(value))
            }),
        }
    }

    /// Whether the SLO is not split into groups.
    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::By(names) if names.is_empty())
    }
}

/// One SLO with the sources of its numbers.
#[derive(Debug)]
pub(super) struct RegisteredSlo {
    pub(super) slo: Arc<Slo>,
    pub(super) evaluation: Evaluation,
    pub(super) grouping: SloGrouping,
    /// The value of the rule family's id label; empty without recorded series.
    pub(super) id: Text,
    /// The error ratio of each lookback.
    pub(super) recent: Vec<(Duration, NumberSource)>,
    /// The error ratio over the window.
    window: NumberSource,
    pub(super) is_time_weighted: bool,
    pub(super) looks: WindowChecks,
    pub(super) failure: Option<Text>,
    pub(super) remark: Option<Text>,
}

/// For how much of its window an SLO has data, and since when there are none.
#[derive(Debug)]
pub(super) struct WindowChecks {
    /// The number of checked times of the window with data.
    pub(super) seen: NumberSource,
    /// The same for the ranges of the close check; queried if only a part of the window has data.
    pub(super) past_ranges: Vec<(PastRange, NumberSource)>,
    /// The last time with data, queried if there are none now: exactly, and over the whole window.
    pub(super) last: [NumberSource; 2],
    /// The rule family if the checks cover all SLOs of that family.
    family: Option<Family>,
    /// The query for the time of the newest sample.
    newest: Option<String>,
}

impl WindowChecks {
    /// Checks by a query that has a value whenever there are data, and by one for the time of the newest.
    fn new(
        window: Duration,
        family: Option<Family>,
        (presence, newest): (Option<String>, Option<String>),
        maker: &mut SubqueryMaker,
    ) -> Self {
        let mut check = |query: &Option<String>, wrap: QueryWrap| match query {
            Some(query) => NumberSource::check(maker.shared(Subquery::check(family, query, wrap, window))),
            None => NumberSource::Nowhere,
        };
        let seen = check(&presence, coverage::whole(window));
        let past_ranges = coverage::past_ranges(window).into_iter();
        let past_ranges =
            past_ranges.map(|range| (range, check(&presence, QueryWrap::Count(range)))).collect();
        let last = coverage::last(window).map(|wrap| check(&newest, wrap));
        Self { seen, past_ranges, last, family, newest }
    }
}

impl RegisteredSlo {
    /// A query for the exact end of data, given the time at which the coarse check last saw data.
    pub(super) fn fine_check(&self, seen: Timestamp, at: Timestamp) -> Option<NumberSource> {
        let query = self.looks.newest.as_ref()?;
        let ago = Duration::try_from(at.duration_since(seen)).ok()?;
        let window = self.slo.window.nominal();
        let check = Subquery::check(self.looks.family, query, coverage::fine_check(window, ago), window);
        // the key contains the time, so that this query is sent only once
        Some(NumberSource::check(Arc::new(check.with_key(&format!("{seen} {query}")))))
    }

    /// The source of the error ratio over the window at this time.
    pub(super) fn window(&self, at: Timestamp) -> NumberSource {
        let (Window::Calendar(_), NumberSource::Counts { .. } | NumberSource::Ratio(_)) =
            (&self.slo.window, &self.window)
        else {
            return self.window.clone();
        };
        // the value of one calendar period must not be used for the next
        let start = self.slo.window.bounds(at).start;
        let key = |subquery: &Subquery| format!("{start} {}", subquery.key);
        let elapsed = Duration::from_secs(self.slo.window.elapsed(at).as_secs()).max(MIN_ELAPSED);
        let subquery = |query, known: &Subquery| {
            Arc::new(Subquery::of_slo(query, QueryWrap::Value, elapsed).with_key(&key(known)))
        };
        match (query::measure(&self.slo, elapsed), &self.window) {
            (Some(RatioQuery::Ratio(query)), NumberSource::Ratio(known)) => {
                NumberSource::Ratio(subquery(query, known))
            }
            (
                Some(RatioQuery::Counts { side, part, total }),
                NumberSource::Counts { part: p, total: t, unit, .. },
            ) => NumberSource::Counts {
                side,
                part: subquery(part, p),
                total: subquery(total, t),
                unit: unit.over_calendar(),
            },
            (None | Some(RatioQuery::Ratio(_) | RatioQuery::Counts { .. }), _) => NumberSource::Nowhere,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct SloRegistry {
    /// Sorted by id.
    pub(super) entries: Vec<RegisteredSlo>,
    pub(super) warnings: Vec<Warning>,
    pub(super) failure: Option<SourceError>,
}

impl SloRegistry {
    /// Creates the registry. Recorded series are added to the definition that they belong to; series without a definition
    /// become SLOs of their own if `discover` is set.
    pub(super) fn make(definitions: &[Arc<Slo>], found: &[FoundSlo], discover: bool) -> Self {
        let mut maker = SubqueryMaker::new(found);
        let mut entries: BTreeMap<Text, RegisteredSlo> = BTreeMap::new();
        let mut warnings = Vec::new();
        let mut used = BTreeSet::new();
        for slo in definitions {
            let recorded = slo.recorded.as_ref().and_then(|wanted| same(found, wanted));
            used.extend(recorded.map(|(at, _)| at));
            let entry = maker.defined(slo, recorded.map(|(_, found)| found));
            if entries.contains_key(&slo.id) {
                let text = format!("two definitions have the name {}; the first one is used", slo.id);
                warnings.push(Warning::notice(text));
            } else {
                entries.insert(slo.id.clone(), entry);
            }
        }
        let others = found.iter().enumerate().filter(|(at, _)| discover && !used.contains(at));
        for (_, found) in others {
            let mut id = found.slo.id.clone();
            // the id is taken by other rules, or by a definition that is not linked to these series
            let mut number = 1;
            while entries.contains_key(&id) {
                let family = found.recorded.family.name().to_lowercase();
                id = format!(
                    "{}@{family}{}",
                    found.slo.id,
                    if number > 1 { number.to_string() } else { String::new() }
                )
                .into();
                number += 1;
            }
            entries.insert(id.clone(), maker.found(found, id));
        }
        Self { entries: entries.into_values().collect(), warnings, failure: None }
    }
}

/// The recorded series that belong to a definition.
fn same<'a>(found: &'a [FoundSlo], wanted: &RecordedSeries) -> Option<(usize, &'a FoundSlo)> {
    let is_same = |(_, found): &(usize, &FoundSlo)| {
        (found.recorded.family, &found.recorded.id) == (wanted.family, &wanted.id)
    };
    let all = || found.iter().enumerate().filter(is_same);
    all().find(|(_, found)| found.recorded.metric == wanted.metric).or_else(|| all().next())
}

/// Creates each query once, even if several SLOs need it.
struct SubqueryMaker {
    subqueries: HashMap<Text, Arc<Subquery>>,
    /// The lookbacks of all SLOs of Pyrra as written, because the names are queried by a pattern.
    pyrra: BTreeMap<RefreshPace, BTreeSet<Text>>,
    /// The windows of the SLOs with recorded events.
    increases: BTreeSet<Text>,
}

impl SubqueryMaker {
    fn new(found: &[FoundSlo]) -> Self {
        let mut pyrra: BTreeMap<RefreshPace, BTreeSet<Text>> = BTreeMap::new();
        for found in found {
            let family = found.recorded.family;
            if family == Family::Pyrra {
                for (lookback, written) in &found.lookbacks {
                    pyrra.entry(RefreshPace::of(*lookback)).or_default().insert(written.clone());
                }
            }
        }
        let increases = found.iter().filter_map(|found| Some(found.increases.as_ref()?.window.clone()));
        Self { subqueries: HashMap::new(), pyrra, increases: increases.collect() }
    }

    /// The query with this key, created at its first use.
    fn shared(&mut self, subquery: Subquery) -> Arc<Subquery> {
        Arc::clone(self.subqueries.entry(subquery.key.clone()).or_insert_with(|| Arc::new(subquery)))
    }

    /// An SLO without a definition.
    fn found(&mut self, found: &FoundSlo, id: Text) -> RegisteredSlo {
        let slo = Arc::new(Slo { id, ..found.slo.clone() });
        let groups = found.increases.as_ref().map(|increases| increases.groups.clone());
        RegisteredSlo {
            failure: found.failure.clone(),
            ..self.recorded_slo(slo, found, groups.unwrap_or_default())
        }
    }

    /// An SLO with a definition; recorded series are preferred to its own queries.
    fn defined(&mut self, slo: &Arc<Slo>, found: Option<&FoundSlo>) -> RegisteredSlo {
        let Some(found) = found else { return self.live_only(slo) };
        let slo = Arc::new(Slo { recorded: Some(found.recorded.clone()), ..(**slo).clone() });
        let groups = slo.grouping.clone();
        self.recorded_slo(slo, found, groups)
    }

    /// An SLO of which there are series: what they do not tell is asked, where it has queries of its own. The events of its window
    /// are split by these groups.
    fn recorded_slo(&mut self, slo: Arc<Slo>, found: &FoundSlo, groups: Vec<Text>) -> RegisteredSlo {
        let has = |lookback| found.lookbacks.contains_key(&lookback);
        let mut recent = Vec::new();
        for lookback in lookbacks(&slo, |lookback| has(lookback) || slo.sli.is_some()) {
            let is_recorded = has(lookback) || slo.sli.is_none();
            let number_source =
                if is_recorded { self.recorded(found, lookback) } else { self.live(&slo, lookback) };
            recent.push((lookback, number_source));
        }
        let is_same = slo.window == found.slo.window;
        let is_recorded = is_same && (found.window.1 || slo.sli.is_none());
        let window = match &found.increases {
            _ if is_recorded => self.recorded_window(found, groups, NumberSource::Nowhere),
            Some(_) if is_same => {
                let otherwise = self.live(&slo, slo.window.nominal());
                self.recorded_window(found, groups, otherwise)
            }
            _ => self.live(&slo, slo.window.nominal()),
        };
        let grouping = match &slo.sli {
            Some(_) => SloGrouping::By(live::grouping(&slo)),
            None => SloGrouping::Beside(found.recorded.family, found.recorded.labels.clone()),
        };
        RegisteredSlo {
            evaluation: Evaluation::Recorded,
            grouping,
            id: found.recorded.id.clone(),
            recent,
            window,
            is_time_weighted: is_recorded && found.recorded.family == Family::Sloth,
            looks: self.window_checks(found, slo.window.nominal()),
            failure: None,
            remark: None,
            slo,
        }
    }

    /// An SLO with a definition and without recorded series.
    fn live_only(&mut self, slo: &Arc<Slo>) -> RegisteredSlo {
        let slo = match &slo.sli {
            Some(_) => Arc::clone(slo),
            // the recorded series that the definition names do not exist
            None => Arc::new(Slo { recorded: None, ..(**slo).clone() }),
        };
        let mut recent = Vec::new();
        for lookback in lookbacks(&slo, |_| slo.sli.is_some()) {
            recent.push((lookback, self.live(&slo, lookback)));
        }
        let window = slo.window.nominal();
        let queries = (coverage::presence(&slo), coverage::newest(&slo));
        let looks = WindowChecks::new(window, None, queries, self);
        RegisteredSlo {
            evaluation: Evaluation::Live,
            grouping: SloGrouping::By(live::grouping(&slo)),
            id: Text::default(),
            recent,
            window: self.live(&slo, window),
            is_time_weighted: matches!(slo.budgeting, BudgetingMethod::RatioTimeslices { .. }),
            looks,
            failure: None,
            remark: unapplied_remark(&slo),
            slo,
        }
    }

    /// The source of the error ratio over a lookback, by the definition's own queries.
    fn live(&mut self, slo: &Slo, lookback: Duration) -> NumberSource {
        let mut subquery = |query| self.shared(Subquery::of_slo(query, QueryWrap::Value, lookback));
        match query::measure(slo, lookback) {
            None => NumberSource::Nowhere,
            Some(RatioQuery::Ratio(query)) => NumberSource::Ratio(subquery(query)),
            Some(RatioQuery::Counts { side, part, total }) => {
                let unit = TotalUnit::of(&total, lookback);
                NumberSource::Counts { side, part: subquery(part), total: subquery(total), unit }
            }
        }
    }

    /// The source of the error ratio over a lookback, from recorded series.
    fn recorded(&mut self, found: &FoundSlo, lookback: Duration) -> NumberSource {
        let RecordedSeries { family, metric, .. } = &found.recorded;
        // if the lookback of a burn condition is not recorded, the query shows that
        let written =
            found.lookbacks.get(&lookback).map_or_else(|| slo::written(lookback), ToString::to_string);
        let name: Text = names::name(*family, metric, &written).into();
        let pace = RefreshPace::of(lookback);
        let query = match family {
            Family::Sloth | Family::Grafana => names::selector(*family, &name),
            Family::Pyrra => {
                let all = names::any_of(self.pyrra.get(&pace).into_iter().flatten());
                names::pyrra_selector(&format!("{}{all}", names::PYRRA))
            }
        };
        let subquery = self.shared(Subquery::of_family(*family, query, pace));
        NumberSource::Recorded { subquery, name, inverted: *family == Family::Grafana }
    }

    /// The source of the recorded error ratio over the window, with the groups and errors of the definition.
    fn recorded_window(
        &mut self,
        found: &FoundSlo,
        groups: Vec<Text>,
        otherwise: NumberSource,
    ) -> NumberSource {
        if let Some(increases) = &found.increases {
            let query = increases::query(&self.increases);
            let subquery = self.shared(Subquery::of_family(Family::Pyrra, query, RefreshPace::Rarely));
            let increases = Increases { groups, ..increases.clone() };
            return NumberSource::Increases { subquery, increases, otherwise: Box::new(otherwise) };
        }
        let (family, name) = (found.recorded.family, found.window.0.clone());
        let query = names::selector(family, &name);
        let subquery = self.shared(Subquery::of_family(family, query, RefreshPace::Rarely));
        NumberSource::Recorded { subquery, name, inverted: family != Family::Sloth }
    }

    /// The checks of the shortest recorded series over the window, for all SLOs of the family at once.
    fn window_checks(&mut self, found: &FoundSlo, window: Duration) -> WindowChecks {
        let family = found.recorded.family;
        // if only the series over the window is left, the usual shortest lookback shows since when the others are missing
        let written = found.lookbacks.values().next().map_or("5m", |written| &**written);
        let series = match family {
            Family::Pyrra => names::pyrra_selector(&format!("{}{}", names::PYRRA, promql::literal(written))),
            Family::Sloth | Family::Grafana => names::selector(family, &names::name(family, "", written)),
        };
        // without metric names, because functions over time drop them, and two metrics of one SLO would be duplicate series
        let presence = format!("max without (sloth_window) ({series})");
        let newest = format!("max without (sloth_window) (timestamp({series}))");
        WindowChecks::new(window, Some(family), (Some(presence), Some(newest)), self)
    }
}

/// A remark about parts of a definition that direct queries do not apply.
fn unapplied_remark(slo: &Slo) -> Option<Text> {
    let plugins = &slo.recorded.as_ref().filter(|recorded| !recorded.plugins.is_empty())?.plugins;
    let noun = if plugins.len() == 1 { "plug-in" } else { "plug-ins" };
    Some(format!("queried without Sloth's {noun} {}", plugins.join(", ")).into())
}

/// The lookbacks of the burn conditions and the displayed ones that are available, ascending.
fn lookbacks(slo: &Slo, is_available: impl Fn(Duration) -> bool) -> BTreeSet<Duration> {
    let of_pairs = slo.pairs.iter().flat_map(|pair| [pair.long, pair.short]);
    let shown = SHOWN.into_iter().filter(|lookback| is_available(*lookback));
    of_pairs.chain(shown).filter(|lookback| !lookback.is_zero()).collect()
}
