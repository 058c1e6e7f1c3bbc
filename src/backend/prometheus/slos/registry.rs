//! Which SLOs there are at a source, and by which queries each of their numbers is had.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::coverage;
use super::discovery::FoundSlo;
use super::increases::{self, Increases};
use super::live::{self, TotalUnit};
use super::names;
use super::subquery::{PastRange, QueryWrap, RefreshPace, Subquery};
use crate::model::labels::{Labels, Text};
use crate::model::promql;
use crate::model::slo::query::{self, RatioQuery};
use crate::model::slo::{self, BudgetingMethod, Evaluation, EventSide, Family, RecordedSeries, Slo, Window};
use crate::model::source::SourceError;
use crate::model::warning::Warning;

/// Lookbacks that the screens show whatever the pairs are: 5m, 30m, 1h, 6h and 3d.
const SHOWN: [Duration; 5] = [
    Duration::from_secs(300),
    Duration::from_secs(1800),
    Duration::from_secs(3600),
    Duration::from_secs(6 * 3600),
    Duration::from_secs(3 * 86_400),
];
/// The shortest time that is looked at of a calendar period that has just begun: over less there are no rates.
const MIN_ELAPSED: Duration = Duration::from_secs(60);

/// How a number is had.
#[derive(Debug, Clone)]
pub(super) enum NumberSource {
    Nowhere,
    /// By a series that rules keep; `inverted`: it says what is good.
    Recorded {
        subquery: Arc<Subquery>,
        name: Text,
        inverted: bool,
    },
    /// By the events of the window that rules keep; where there are none, another way.
    Increases {
        subquery: Arc<Subquery>,
        increases: Increases,
        otherwise: Box<Self>,
    },
    /// By a query that says the error ratio.
    Ratio(Arc<Subquery>),
    /// By two queries.
    Counts {
        side: EventSide,
        part: Arc<Subquery>,
        total: Arc<Subquery>,
        unit: TotalUnit,
    },
}

impl NumberSource {
    pub(super) fn subqueries(&self) -> Vec<&Arc<Subquery>> {
        match self {
            Self::Nowhere => Vec::new(),
            Self::Recorded { subquery, .. } | Self::Ratio(subquery) => vec![subquery],
            Self::Increases { subquery, otherwise, .. } => {
                std::iter::once(subquery).chain(otherwise.subqueries()).collect()
            }
            Self::Counts { part, total, .. } => vec![part, total],
        }
    }
}

/// What tells the groups of an SLO apart.
#[derive(Debug, Clone)]
pub(super) enum SloGrouping {
    /// These labels.
    By(Vec<Text>),
    /// All labels but the rules' own and these, which all series have.
    Beside(Family, Labels),
}

impl SloGrouping {
    pub(super) fn of(&self, labels: &Labels) -> Labels {
        match self {
            Self::By(names) => labels.without(|label| !names.iter().any(|name| **name == *label)),
            Self::Beside(family, common) => labels.without(|label| {
                names::is_own(*family, label)
                    || common.get(label).is_some_and(|value| labels.get(label) == Some(value))
            }),
        }
    }

    /// Whether there is just one.
    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::By(names) if names.is_empty())
    }
}

/// One SLO with its ways.
#[derive(Debug)]
pub(super) struct RegisteredSlo {
    pub(super) slo: Arc<Slo>,
    pub(super) evaluation: Evaluation,
    pub(super) grouping: SloGrouping,
    /// The value of the family's label, if there are recorded series.
    pub(super) id: Text,
    pub(super) recent: Vec<(Duration, NumberSource)>,
    window: NumberSource,
    pub(super) is_time_weighted: bool,
    pub(super) looks: WindowChecks,
    pub(super) trouble: Option<Text>,
    pub(super) remark: Option<Text>,
}

/// For how much of its window an SLO has data, and since when there are none.
#[derive(Debug)]
pub(super) struct WindowChecks {
    /// At how many moments of the window there were data.
    pub(super) seen: NumberSource,
    /// The same of its stretches, asked where there are data for a part of it alone.
    pub(super) past_ranges: Vec<(PastRange, NumberSource)>,
    /// When there last were, asked where there are none now: closely, and over the whole window.
    pub(super) last: [NumberSource; 2],
    /// The query for the time of the newest sample, and whether that is one for all SLOs of a family.
    newest: Option<(String, Option<Family>)>,
}

impl WindowChecks {
    /// By a query that has a value whenever there are data, and by one for the time of the newest; `number_source` asks one of them.
    fn new(
        window: Duration,
        presence: Option<&str>,
        newest: Option<(String, Option<Family>)>,
        mut number_source: impl FnMut(&str, QueryWrap) -> NumberSource,
    ) -> Self {
        let mut number_source = |query: Option<&str>, wrap: QueryWrap| {
            query.map_or(NumberSource::Nowhere, |query| number_source(query, wrap))
        };
        let seen = number_source(presence, coverage::whole(window));
        let past_ranges = coverage::past_ranges(window).into_iter();
        let past_ranges = past_ranges
            .map(|past_range| (past_range, number_source(presence, QueryWrap::Count(past_range))))
            .collect();
        let last = coverage::last(window)
            .map(|wrap| number_source(newest.as_ref().map(|(query, _)| &**query), wrap));
        Self { seen, past_ranges, last, newest }
    }
}

impl RegisteredSlo {
    /// A close look at the time at which data were last seen from afar.
    pub(super) fn closer(&self, seen: Timestamp, at: Timestamp) -> Option<NumberSource> {
        let (query, family) = self.looks.newest.as_ref()?;
        let ago = Duration::try_from(at.duration_since(seen)).ok()?;
        let window = self.slo.window.nominal();
        let wrap = coverage::closer(window, ago);
        // asked once, however long ago it is by now
        let key = format!("{seen} {query}");
        Some(match family {
            Some(family) => {
                let subquery =
                    Subquery::of_family(*family, wrap.apply(query), RefreshPace::Rarely).with_key(&key);
                NumberSource::Recorded {
                    subquery: Arc::new(subquery),
                    name: Text::default(),
                    inverted: false,
                }
            }
            None => {
                NumberSource::Ratio(Arc::new(Subquery::of_slo(query.clone(), wrap, window).with_key(&key)))
            }
        })
    }

    /// Where the error ratio over the window comes from at this moment.
    pub(super) fn window(&self, at: Timestamp) -> NumberSource {
        let (Window::Calendar(_), NumberSource::Counts { .. } | NumberSource::Ratio(_)) =
            (&self.slo.window, &self.window)
        else {
            return self.window.clone();
        };
        // one period's value must not stand for the next one's
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

/// All SLOs of a source.
#[derive(Debug, Default)]
pub(super) struct SloRegistry {
    /// In the order of their ids.
    pub(super) entries: Vec<RegisteredSlo>,
    pub(super) warnings: Vec<Warning>,
    /// The comment: why nothing could be found.
    pub(super) trouble: Option<SourceError>,
}

impl SloRegistry {
    /// Definitions come first; what was found is added to them, or listed on its own if `discover` says so.
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
                let text = format!("two definitions are called {}; the first one counts", slo.id);
                warnings.push(Warning::notice(text));
            } else {
                entries.insert(slo.id.clone(), entry);
            }
        }
        let others = found.iter().enumerate().filter(|(at, _)| discover && !used.contains(at));
        for (_, found) in others {
            let mut id = found.slo.id.clone();
            // other rules, or a definition that does not say that it is the same
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
        Self { entries: entries.into_values().collect(), warnings, trouble: None }
    }
}

/// The series that the definition's rules left.
fn same<'a>(found: &'a [FoundSlo], wanted: &RecordedSeries) -> Option<(usize, &'a FoundSlo)> {
    let is_same = |(_, found): &(usize, &FoundSlo)| {
        (found.recorded.family, &found.recorded.id) == (wanted.family, &wanted.id)
    };
    let all = || found.iter().enumerate().filter(is_same);
    all().find(|(_, found)| found.recorded.metric == wanted.metric).or_else(|| all().next())
}

/// Makes each query once, whoever wants it.
struct SubqueryMaker {
    subqueries: HashMap<Text, Arc<Subquery>>,
    /// The lookbacks of all SLOs of Pyrra, as they are written, for names are asked for by patterns.
    pyrra: BTreeMap<RefreshPace, BTreeSet<Text>>,
    /// The windows of those that keep events.
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

    fn shared(&mut self, subquery: Subquery) -> Arc<Subquery> {
        Arc::clone(self.subqueries.entry(subquery.key.clone()).or_insert_with(|| Arc::new(subquery)))
    }

    fn found(&mut self, found: &FoundSlo, id: Text) -> RegisteredSlo {
        let slo = Arc::new(Slo { id, ..found.slo.clone() });
        let groups = found.increases.as_ref().map(|increases| increases.groups.clone());
        RegisteredSlo {
            trouble: found.trouble.clone(),
            ..self.recorded_slo(slo, found, groups.unwrap_or_default())
        }
    }

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
            trouble: None,
            remark: None,
            slo,
        }
    }

    fn live_only(&mut self, slo: &Arc<Slo>) -> RegisteredSlo {
        let slo = match &slo.sli {
            Some(_) => Arc::clone(slo),
            // what its rules would have kept is not here
            None => Arc::new(Slo { recorded: None, ..(**slo).clone() }),
        };
        let mut recent = Vec::new();
        for lookback in lookbacks(&slo, |_| slo.sli.is_some()) {
            recent.push((lookback, self.live(&slo, lookback)));
        }
        let window = slo.window.nominal();
        let newest = coverage::newest(&slo).map(|query| (query, None));
        let looks = WindowChecks::new(window, coverage::presence(&slo).as_deref(), newest, |query, wrap| {
            NumberSource::Ratio(self.shared(Subquery::of_slo(query.to_owned(), wrap, window)))
        });
        RegisteredSlo {
            evaluation: Evaluation::Live,
            grouping: SloGrouping::By(live::grouping(&slo)),
            id: Text::default(),
            recent,
            window: self.live(&slo, window),
            is_time_weighted: matches!(slo.budgeting, BudgetingMethod::RatioTimeslices { .. }),
            looks,
            trouble: None,
            remark: unapplied_remark(&slo),
            slo,
        }
    }

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

    fn recorded(&mut self, found: &FoundSlo, lookback: Duration) -> NumberSource {
        let RecordedSeries { family, metric, .. } = &found.recorded;
        // where a pair wants what is not there, that is an answer, too
        let written =
            found.lookbacks.get(&lookback).map_or_else(|| slo::written(lookback), ToString::to_string);
        let name: Text = names::name(*family, metric, &written).into();
        let pace = RefreshPace::of(lookback);
        let query = match family {
            Family::Sloth | Family::Grafana => format!(r#"{name}{{{}!=""}}"#, family.identity()),
            Family::Pyrra => {
                let all = self.pyrra.get(&pace).into_iter().flatten();
                let all = all.map(|written| promql::literal(written)).collect::<Vec<_>>().join("|");
                let pattern = promql::quoted(&format!(".+{}(?:{all})", names::PYRRA));
                format!(r#"{{__name__=~{pattern},slo!=""}}"#)
            }
        };
        let subquery = self.shared(Subquery::of_family(*family, query, pace));
        NumberSource::Recorded { subquery, name, inverted: *family == Family::Grafana }
    }

    /// The error ratio over the window, where rules keep it.
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
        let query = format!(r#"{name}{{{}!=""}}"#, family.identity());
        let subquery = self.shared(Subquery::of_family(family, query, RefreshPace::Rarely));
        NumberSource::Recorded { subquery, name, inverted: family != Family::Sloth }
    }

    /// Ways to look at the shortest series of an SLO over its window, for all SLOs of its family at once.
    fn window_checks(&mut self, found: &FoundSlo, window: Duration) -> WindowChecks {
        let family = found.recorded.family;
        // of an SLO whose series stopped only the mean over the window goes on: then the usual shortest one tells since when
        let written = found.lookbacks.values().next().map_or("5m", |written| &**written);
        let identity = family.identity();
        let series = match family {
            Family::Pyrra => {
                let pattern = promql::quoted(&format!(".+{}{}", names::PYRRA, promql::literal(written)));
                format!(r#"{{__name__=~{pattern},slo!=""}}"#)
            }
            Family::Sloth | Family::Grafana => {
                format!(r#"{}{{{identity}!=""}}"#, names::name(family, "", written))
            }
        };
        // without their names, which a function over time would take off: two of one identity would be the same series then
        let presence = format!("max without (sloth_window) ({series})");
        let newest = format!("max without (sloth_window) (timestamp({series}))");
        WindowChecks::new(window, Some(&presence), Some((newest, Some(family))), |query, wrap| {
            let subquery = self.shared(Subquery::of_family(family, wrap.apply(query), RefreshPace::Rarely));
            NumberSource::Recorded { subquery, name: Text::default(), inverted: false }
        })
    }
}

/// What a definition says of itself that asking its queries does not do.
fn unapplied_remark(slo: &Slo) -> Option<Text> {
    let plugins = &slo.recorded.as_ref().filter(|recorded| !recorded.plugins.is_empty())?.plugins;
    let noun = if plugins.len() == 1 { "plug-in" } else { "plug-ins" };
    Some(format!("asked without Sloth's {noun} {}", plugins.join(", ")).into())
}

/// Those of the pairs and those that are shown, as far as they can be had; ascending.
fn lookbacks(slo: &Slo, is_available: impl Fn(Duration) -> bool) -> BTreeSet<Duration> {
    let of_pairs = slo.pairs.iter().flat_map(|pair| [pair.long, pair.short]);
    let shown = SHOWN.into_iter().filter(|lookback| is_available(*lookback));
    of_pairs.chain(shown).filter(|lookback| !lookback.is_zero()).collect()
}
