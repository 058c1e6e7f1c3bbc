//! Which SLOs there are at a source, and by which queries each of their numbers is had.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::coverage;
use super::discovery::Found;
use super::increases::{self, Increases};
use super::leaf::{Leaf, Pace, Stretch, Wrap};
use super::live::{self, Unit};
use super::names;
use crate::model::labels::{Labels, Text};
use crate::model::promql;
use crate::model::slo::query::{self, Measure};
use crate::model::slo::{self, Budgeting, Evaluation, Family, Recorded, Side, Slo, Window};
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
const BEGUN: Duration = Duration::from_secs(60);

/// How a number is had.
#[derive(Debug, Clone)]
pub(super) enum Way {
    Nowhere,
    /// By a series that rules keep; `inverted`: it says what is good.
    Recorded {
        leaf: Arc<Leaf>,
        name: Text,
        inverted: bool,
    },
    /// By the events of the window that rules keep; where there are none, another way.
    Increases {
        leaf: Arc<Leaf>,
        increases: Increases,
        otherwise: Box<Self>,
    },
    /// By a query that says the error ratio.
    Ratio(Arc<Leaf>),
    /// By two queries.
    Counts {
        side: Side,
        part: Arc<Leaf>,
        total: Arc<Leaf>,
        unit: Unit,
    },
}

impl Way {
    pub(super) fn leaves(&self) -> Vec<&Arc<Leaf>> {
        match self {
            Self::Nowhere => Vec::new(),
            Self::Recorded { leaf, .. } | Self::Ratio(leaf) => vec![leaf],
            Self::Increases { leaf, otherwise, .. } => {
                std::iter::once(leaf).chain(otherwise.leaves()).collect()
            }
            Self::Counts { part, total, .. } => vec![part, total],
        }
    }
}

/// What tells the groups of an SLO apart.
#[derive(Debug, Clone)]
pub(super) enum Grouping {
    /// These labels.
    By(Vec<Text>),
    /// All labels but the rules' own and these, which all series have.
    Beside(Family, Labels),
}

impl Grouping {
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
pub(super) struct Entry {
    pub(super) slo: Arc<Slo>,
    pub(super) evaluation: Evaluation,
    pub(super) grouping: Grouping,
    /// The value of the family's label, if there are recorded series.
    pub(super) id: Text,
    pub(super) recent: Vec<(Duration, Way)>,
    window: Way,
    pub(super) is_time_weighted: bool,
    pub(super) looks: Looks,
    pub(super) trouble: Option<Text>,
    pub(super) remark: Option<Text>,
}

/// For how much of its window an SLO has data, and since when there are none.
#[derive(Debug)]
pub(super) struct Looks {
    /// At how many moments of the window there were data.
    pub(super) seen: Way,
    /// The same of its stretches, asked where there are data for a part of it alone.
    pub(super) stretches: Vec<(Stretch, Way)>,
    /// When there last were, asked where there are none now: closely, and over the whole window.
    pub(super) last: [Way; 2],
    /// The query for the time of the newest sample, and whether that is one for all SLOs of a family.
    newest: Option<(String, Option<Family>)>,
}

impl Looks {
    /// By a query that has a value whenever there are data, and by one for the time of the newest; `way` asks one of them.
    fn new(
        window: Duration,
        presence: Option<&str>,
        newest: Option<(String, Option<Family>)>,
        mut way: impl FnMut(&str, Wrap) -> Way,
    ) -> Self {
        let mut way = |query: Option<&str>, wrap: Wrap| query.map_or(Way::Nowhere, |query| way(query, wrap));
        let seen = way(presence, coverage::whole(window));
        let stretches = coverage::stretches(window).into_iter();
        let stretches = stretches.map(|stretch| (stretch, way(presence, Wrap::Count(stretch)))).collect();
        let last = coverage::last(window).map(|wrap| way(newest.as_ref().map(|(query, _)| &**query), wrap));
        Self { seen, stretches, last, newest }
    }
}

impl Entry {
    /// A close look at the time at which data were last seen from afar.
    pub(super) fn closer(&self, seen: Timestamp, at: Timestamp) -> Option<Way> {
        let (query, family) = self.looks.newest.as_ref()?;
        let ago = Duration::try_from(at.duration_since(seen)).ok()?;
        let window = self.slo.window.nominal();
        let wrap = coverage::closer(window, ago);
        // asked once, however long ago it is by now
        let key = format!("{seen} {query}");
        Some(match family {
            Some(family) => {
                let leaf = Leaf::of_family(*family, wrap.around(query), Pace::Rarely).known_as(&key);
                Way::Recorded { leaf: Arc::new(leaf), name: Text::default(), inverted: false }
            }
            None => Way::Ratio(Arc::new(Leaf::of_slo(query.clone(), wrap, window).known_as(&key))),
        })
    }

    /// Where the error ratio over the window comes from at this moment.
    pub(super) fn window(&self, at: Timestamp) -> Way {
        let (Window::Calendar(_), Way::Counts { .. } | Way::Ratio(_)) = (&self.slo.window, &self.window)
        else {
            return self.window.clone();
        };
        // one period's value must not stand for the next one's
        let start = self.slo.window.bounds(at).start;
        let key = |leaf: &Leaf| format!("{start} {}", leaf.key);
        let elapsed = Duration::from_secs(self.slo.window.elapsed(at).as_secs()).max(BEGUN);
        let leaf =
            |query, known: &Leaf| Arc::new(Leaf::of_slo(query, Wrap::Value, elapsed).known_as(&key(known)));
        match (query::measure(&self.slo, elapsed), &self.window) {
            (Some(Measure::Ratio(query)), Way::Ratio(known)) => Way::Ratio(leaf(query, known)),
            (Some(Measure::Counts { side, part, total }), Way::Counts { part: p, total: t, unit, .. }) => {
                Way::Counts { side, part: leaf(part, p), total: leaf(total, t), unit: unit.over_calendar() }
            }
            (None | Some(Measure::Ratio(_) | Measure::Counts { .. }), _) => Way::Nowhere,
        }
    }
}

/// All SLOs of a source.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    /// In the order of their ids.
    pub(super) entries: Vec<Entry>,
    pub(super) warnings: Vec<Warning>,
    /// Why nothing could be found.
    pub(super) trouble: Option<SourceError>,
}

impl Catalogue {
    /// Definitions come first; what was found is added to them, or listed on its own if `discover` says so.
    pub(super) fn make(definitions: &[Arc<Slo>], found: &[Found], discover: bool) -> Self {
        let mut maker = Maker::new(found);
        let mut entries: BTreeMap<Text, Entry> = BTreeMap::new();
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
fn same<'a>(found: &'a [Found], wanted: &Recorded) -> Option<(usize, &'a Found)> {
    let is_same = |(_, found): &(usize, &Found)| {
        (found.recorded.family, &found.recorded.id) == (wanted.family, &wanted.id)
    };
    let all = || found.iter().enumerate().filter(is_same);
    all().find(|(_, found)| found.recorded.metric == wanted.metric).or_else(|| all().next())
}

/// Makes each query once, whoever wants it.
struct Maker {
    leaves: HashMap<Text, Arc<Leaf>>,
    /// The lookbacks of all SLOs of Pyrra, as they are written, for names are asked for by patterns.
    pyrra: BTreeMap<Pace, BTreeSet<Text>>,
    /// The windows of those that keep events.
    increases: BTreeSet<Text>,
}

impl Maker {
    fn new(found: &[Found]) -> Self {
        let mut pyrra: BTreeMap<Pace, BTreeSet<Text>> = BTreeMap::new();
        for found in found {
            let family = found.recorded.family;
            if family == Family::Pyrra {
                for (lookback, written) in &found.lookbacks {
                    pyrra.entry(Pace::of(*lookback)).or_default().insert(written.clone());
                }
            }
        }
        let increases = found.iter().filter_map(|found| Some(found.increases.as_ref()?.window.clone()));
        Self { leaves: HashMap::new(), pyrra, increases: increases.collect() }
    }

    fn shared(&mut self, leaf: Leaf) -> Arc<Leaf> {
        Arc::clone(self.leaves.entry(leaf.key.clone()).or_insert_with(|| Arc::new(leaf)))
    }

    fn found(&mut self, found: &Found, id: Text) -> Entry {
        let slo = Arc::new(Slo { id, ..found.slo.clone() });
        let groups = found.increases.as_ref().map(|increases| increases.groups.clone());
        Entry { trouble: found.trouble.clone(), ..self.recorded_slo(slo, found, groups.unwrap_or_default()) }
    }

    fn defined(&mut self, slo: &Arc<Slo>, found: Option<&Found>) -> Entry {
        let Some(found) = found else { return self.live_only(slo) };
        let slo = Arc::new(Slo { recorded: Some(found.recorded.clone()), ..(**slo).clone() });
        let groups = slo.grouping.clone();
        self.recorded_slo(slo, found, groups)
    }

    /// An SLO of which there are series: what they do not tell is asked, where it has queries of its own. The events of its window
    /// are split by these groups.
    fn recorded_slo(&mut self, slo: Arc<Slo>, found: &Found, groups: Vec<Text>) -> Entry {
        let has = |lookback| found.lookbacks.contains_key(&lookback);
        let mut recent = Vec::new();
        for lookback in lookbacks(&slo, |lookback| has(lookback) || slo.sli.is_some()) {
            let is_recorded = has(lookback) || slo.sli.is_none();
            let way = if is_recorded { self.recorded(found, lookback) } else { self.live(&slo, lookback) };
            recent.push((lookback, way));
        }
        let is_same = slo.window == found.slo.window;
        let is_recorded = is_same && (found.window.1 || slo.sli.is_none());
        let window = match &found.increases {
            _ if is_recorded => self.recorded_window(found, groups, Way::Nowhere),
            Some(_) if is_same => {
                let otherwise = self.live(&slo, slo.window.nominal());
                self.recorded_window(found, groups, otherwise)
            }
            _ => self.live(&slo, slo.window.nominal()),
        };
        let grouping = match &slo.sli {
            Some(_) => Grouping::By(live::grouping(&slo)),
            None => Grouping::Beside(found.recorded.family, found.recorded.labels.clone()),
        };
        Entry {
            evaluation: Evaluation::Recorded,
            grouping,
            id: found.recorded.id.clone(),
            recent,
            window,
            is_time_weighted: is_recorded && found.recorded.family == Family::Sloth,
            looks: self.looks_at(found, slo.window.nominal()),
            trouble: None,
            remark: None,
            slo,
        }
    }

    fn live_only(&mut self, slo: &Arc<Slo>) -> Entry {
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
        let looks = Looks::new(window, coverage::presence(&slo).as_deref(), newest, |query, wrap| {
            Way::Ratio(self.shared(Leaf::of_slo(query.to_owned(), wrap, window)))
        });
        Entry {
            evaluation: Evaluation::Live,
            grouping: Grouping::By(live::grouping(&slo)),
            id: Text::default(),
            recent,
            window: self.live(&slo, window),
            is_time_weighted: matches!(slo.budgeting, Budgeting::RatioTimeslices { .. }),
            looks,
            trouble: None,
            remark: unapplied(&slo),
            slo,
        }
    }

    fn live(&mut self, slo: &Slo, lookback: Duration) -> Way {
        let mut leaf = |query| self.shared(Leaf::of_slo(query, Wrap::Value, lookback));
        match query::measure(slo, lookback) {
            None => Way::Nowhere,
            Some(Measure::Ratio(query)) => Way::Ratio(leaf(query)),
            Some(Measure::Counts { side, part, total }) => {
                let unit = Unit::of(&total, lookback);
                Way::Counts { side, part: leaf(part), total: leaf(total), unit }
            }
        }
    }

    fn recorded(&mut self, found: &Found, lookback: Duration) -> Way {
        let Recorded { family, metric, .. } = &found.recorded;
        // where a pair wants what is not there, that is an answer, too
        let written =
            found.lookbacks.get(&lookback).map_or_else(|| slo::written(lookback), ToString::to_string);
        let name: Text = names::name(*family, metric, &written).into();
        let pace = Pace::of(lookback);
        let query = match family {
            Family::Sloth | Family::Grafana => format!(r#"{name}{{{}!=""}}"#, family.identity()),
            Family::Pyrra => {
                let all = self.pyrra.get(&pace).into_iter().flatten();
                let all = all.map(|written| promql::literal(written)).collect::<Vec<_>>().join("|");
                let pattern = promql::quoted(&format!(".+{}(?:{all})", names::PYRRA));
                format!(r#"{{__name__=~{pattern},slo!=""}}"#)
            }
        };
        let leaf = self.shared(Leaf::of_family(*family, query, pace));
        Way::Recorded { leaf, name, inverted: *family == Family::Grafana }
    }

    /// The error ratio over the window, where rules keep it.
    fn recorded_window(&mut self, found: &Found, groups: Vec<Text>, otherwise: Way) -> Way {
        if let Some(increases) = &found.increases {
            let query = increases::query(&self.increases);
            let leaf = self.shared(Leaf::of_family(Family::Pyrra, query, Pace::Rarely));
            let increases = Increases { groups, ..increases.clone() };
            return Way::Increases { leaf, increases, otherwise: Box::new(otherwise) };
        }
        let (family, name) = (found.recorded.family, found.window.0.clone());
        let query = format!(r#"{name}{{{}!=""}}"#, family.identity());
        let leaf = self.shared(Leaf::of_family(family, query, Pace::Rarely));
        Way::Recorded { leaf, name, inverted: family != Family::Sloth }
    }

    /// Ways to look at the shortest series of an SLO over its window, for all SLOs of its family at once.
    fn looks_at(&mut self, found: &Found, window: Duration) -> Looks {
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
        Looks::new(window, Some(&presence), Some((newest, Some(family))), |query, wrap| {
            let leaf = self.shared(Leaf::of_family(family, wrap.around(query), Pace::Rarely));
            Way::Recorded { leaf, name: Text::default(), inverted: false }
        })
    }
}

/// What a definition says of itself that asking its queries does not do.
fn unapplied(slo: &Slo) -> Option<Text> {
    let plugins = &slo.recorded.as_ref().filter(|recorded| !recorded.plugins.is_empty())?.plugins;
    let noun = if plugins.len() == 1 { "plug-in" } else { "plug-ins" };
    Some(format!("asked without Sloth's {noun} {}", plugins.join(", ")).into())
}

/// Those of the pairs and those that are shown, as far as they can be had; ascending.
fn lookbacks(slo: &Slo, can_be_had: impl Fn(Duration) -> bool) -> BTreeSet<Duration> {
    let of_pairs = slo.pairs.iter().flat_map(|pair| [pair.long, pair.short]);
    let shown = SHOWN.into_iter().filter(|lookback| can_be_had(*lookback));
    of_pairs.chain(shown).filter(|lookback| !lookback.is_zero()).collect()
}
