//! The series that the services, targets, rules and Sloth's recording rules of a region would leave in a Prometheus, as
//! functions of time.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::rc::Rc;

use promql_parser::parser::VectorSelector;

use super::alerts::{AlertSeriesKind, RuleSeries};
use super::catalog::{Catalog, CatalogSeries, SeriesForm, SeriesKind};
use super::facts::{FACT_NAMES, FactContext};
use super::fixtures::{SimulatedNumber, SloObjective};
use super::promql::{SelectedSeries, SeriesFunction, SeriesStore, is_chosen};
use super::rollout::VersionOf;
use super::sampling::{LOOKS, MOMENT, SCRAPE, SHORT, SeriesPart, sample_times};
use super::shares::PartShares;
use super::slos::slow_share;
use super::world::{DemoWorld, RequestNumbers, ServiceInRegion};
use crate::model::labels::Text;

/// Alerts that fire for hours have one sample per this many evaluations; all samples would be too many to read at once.
const RARELY: f64 = 12.0;

/// All series of a region, for one request.
pub(super) struct RegionSeries<'a> {
    pub(super) world: &'a DemoWorld,
    pub(super) catalog: &'a Catalog,
    /// Values computed during this request, by service and time.
    known: RefCell<HashMap<(usize, u64), RequestNumbers>>,
    /// Windows computed during this request, by service, start and end.
    windows: RefCell<HashMap<(usize, u64, u64), SeriesWindow>>,
    /// How requests are divided by labels, by service, part, start and end.
    pub(super) shares: RefCell<HashMap<SharesKey, Rc<PartShares>>>,
}

/// A service, a part of its requests, the start and the end.
type SharesKey = (usize, u64, u64, u64);

/// Cached data of a time range of one service.
#[derive(Clone)]
struct SeriesWindow {
    /// Requests per second.
    rate: f64,
    /// The times at which latency is sampled, with the seconds that each sample stands for.
    slow: Rc<[(f64, f64)]>,
}

impl<'a> RegionSeries<'a> {
    pub(super) fn new(world: &'a DemoWorld, catalog: &'a Catalog) -> Self {
        let (known, windows, shares) = (RefCell::default(), RefCell::default(), RefCell::default());
        Self { world, catalog, known, windows, shares }
    }

    /// How many moments of services were simulated so far.
    #[cfg(test)]
    pub(super) fn simulated(&self) -> usize {
        self.known.borrow().len() + self.windows.borrow().len()
    }

    /// The request numbers of a service at a demo time.
    pub(super) fn numbers(&self, place: &ServiceInRegion, t: f64) -> RequestNumbers {
        known(&self.known, (place.number, t.to_bits()), || self.world.numbers(place, t))
    }

    /// The data of a demo time range.
    fn window(&self, place: &ServiceInRegion, from: f64, to: f64) -> SeriesWindow {
        known(&self.windows, (place.number, from.to_bits(), to.to_bits()), || SeriesWindow {
            rate: self.sampled_rate(place, SeriesPart::All, from, to).unwrap_or_default(),
            slow: self.world.latency_samples(place, from, to).into(),
        })
    }

    /// The mean rate of a few samples.
    fn sampled_rate(&self, place: &ServiceInRegion, part: SeriesPart, from: f64, to: f64) -> Option<f64> {
        let each = sample_times(from, to).map(|t| self.rate(place, part, t));
        Some(each.sum::<Option<f64>>()? / f64::from(LOOKS))
    }

    /// The value of a counter of requests at a Unix time. Only the increase of a counter is simulated; its value grows evenly.
    pub(super) fn requests_at(&self, place: &ServiceInRegion, part: SeriesPart, t: f64) -> Option<f64> {
        Some(self.rate(place, part, 0.0)? * self.world.time.counter_age(t).max(0.0))
    }

    /// The increase of a counter of requests between two Unix times.
    pub(super) fn requests_increase(
        &self,
        place: &ServiceInRegion,
        part: SeriesPart,
        (from, to): (f64, f64),
    ) -> Option<f64> {
        let demo = |t: f64| self.world.time.demo_second(t);
        let rate = if to - from <= MOMENT {
            self.rate(place, part, demo(to))
        } else {
            self.mean_rate(place, part, (demo(from), demo(to)))
        };
        Some(rate? * (to - from))
    }

    /// The rate of this part of the requests at a time.
    pub(super) fn rate(&self, place: &ServiceInRegion, part: SeriesPart, t: f64) -> Option<f64> {
        let numbers = self.numbers(place, t);
        Some(numbers.rate * share(part, &numbers)?)
    }

    /// The mean rate of this part of the requests over a demo time range.
    fn mean_rate(&self, place: &ServiceInRegion, part: SeriesPart, (from, to): (f64, f64)) -> Option<f64> {
        let failed = || self.world.bad_share(SloObjective::Errors, place, from, to);
        if to - from <= SHORT {
            return self.sampled_rate(place, part, from, to);
        }
        let share = match part {
            SeriesPart::Seconds => return self.sampled_rate(place, part, from, to),
            SeriesPart::All => 1.0,
            SeriesPart::Failed => failed()?,
            SeriesPart::Well => 1.0 - failed()?,
            SeriesPart::Within(bound) if bound.is_infinite() => 1.0,
            SeriesPart::Within(bound) => {
                let looks = self.window(place, from, to).slow;
                1.0 - slow_share(place, bound, (from, to), &looks, |t| self.numbers(place, t).latency)?
            }
        };
        Some(self.window(place, from, to).rate * share)
    }
}

/// The cached value; computes and caches it if there is none.
pub(super) fn known<K: Eq + Hash, V: Clone>(
    all: &RefCell<HashMap<K, V>>,
    key: K,
    work: impl FnOnce() -> V,
) -> V {
    if let Some(known) = all.borrow().get(&key) {
        return known.clone();
    }
    let value = work();
    all.borrow_mut().insert(key, value.clone());
    value
}

/// The share of requests that belong to a part; for `Seconds`, the mean latency.
fn share(part: SeriesPart, numbers: &RequestNumbers) -> Option<f64> {
    Some(match part {
        SeriesPart::All => 1.0,
        SeriesPart::Failed => numbers.errors?,
        SeriesPart::Well => 1.0 - numbers.errors?,
        SeriesPart::Within(bound) if bound.is_infinite() => 1.0,
        SeriesPart::Within(bound) => numbers.latency?.below(bound),
        SeriesPart::Seconds => numbers.latency?.mean(),
    })
}

impl RegionSeries<'_> {
    /// The series that match the selector. Labels of requests that are not `kept` are left out, and series that then have the
    /// same labels are one: their sum.
    pub(super) fn chosen(
        &self,
        selector: &VectorSelector,
        kept: Option<&dyn Fn(&str) -> bool>,
    ) -> Vec<SelectedSeries<'_>> {
        let single = |known: &CatalogSeries| is_chosen(&known.labels, selector);
        let has_facts = FACT_NAMES.iter().any(|name| is_named(selector, name));
        let facts = has_facts.then(|| named(self.catalog.facts(self.world), selector));
        let series = named(&self.catalog.series, selector).chain(facts.into_iter().flatten());
        let series = series.filter(|known| single(known));
        let series = series.map(|known| SelectedSeries {
            labels: known.labels.clone(),
            run: Box::new(SeriesEntry { all: self, known, last: Cell::new(None) }),
        });
        let families = named(&self.catalog.families, selector);
        series.chain(families.flat_map(|family| self.of_family(family, selector, kept))).collect()
    }
}

/// Whether the selector selects metrics with this name.
fn is_named(selector: &VectorSelector, name: &str) -> bool {
    let mut matchers = selector.matchers.matchers.iter().filter(|matcher| matcher.name == "__name__");
    selector.name.as_ref().is_none_or(|wanted| wanted == name)
        && matchers.all(|matcher| matcher.is_match(name))
}

/// What is known of the metrics whose name the selector selects.
pub(super) fn named<'a, 's, V>(
    all: &'a BTreeMap<Text, Vec<V>>,
    selector: &'s VectorSelector,
) -> impl Iterator<Item = &'a V> + use<'a, 's, V> {
    let single = selector.name.as_ref().and_then(|name| all.get_key_value(name.as_str()));
    let several = selector.name.is_none().then_some(all).into_iter().flatten();
    let chosen = single.into_iter().chain(several).filter(|(name, _)| is_named(selector, name));
    chosen.flat_map(|(_, all)| all)
}

impl SeriesStore for RegionSeries<'_> {
    fn select(&self, selector: &VectorSelector) -> Vec<SelectedSeries<'_>> {
        self.chosen(selector, None)
    }

    fn select_summed(
        &self,
        selector: &VectorSelector,
        kept: &dyn Fn(&str) -> bool,
    ) -> Vec<SelectedSeries<'_>> {
        self.chosen(selector, Some(kept))
    }
}

/// One series.
struct SeriesEntry<'a> {
    all: &'a RegionSeries<'a>,
    known: &'a CatalogSeries,
    /// For alerts: the range that was used last, because the next time is likely to be in the same range.
    last: Cell<Option<(f64, f64)>>,
}

impl SeriesEntry<'_> {
    fn place(&self) -> Option<&ServiceInRegion> {
        self.all.world.places.get(self.known.place?)
    }

    fn demo(&self, t: f64) -> f64 {
        self.all.world.time.demo_second(t)
    }

    /// What facts are computed from.
    fn with_facts(&self, value: impl FnOnce(FactContext<'_>) -> Option<f64>) -> Option<f64> {
        let numbers = |place: &ServiceInRegion, t: f64| self.all.numbers(place, t);
        value(FactContext { world: self.all.world, numbers: &numbers })
    }

    fn number(&self, measure: &SimulatedNumber, t: f64) -> Option<f64> {
        self.all.world.measure(measure, self.place()?, 0, self.demo(t))
    }

    /// The ratio of bad events over this many seconds up to `t`.
    fn ratio(&self, bad_event: SloObjective, lookback: f64, t: f64) -> Option<f64> {
        // an hour on the screen is longer in demo time if the demo runs faster
        self.all.world.bad_share(bad_event, self.place()?, self.demo(t - lookback), self.demo(t))
    }
}

impl SeriesFunction for SeriesEntry<'_> {
    fn at(&self, t: f64) -> Option<f64> {
        match &self.known.what {
            SeriesKind::Constant(value) => Some(*value),
            SeriesKind::Up { pod, version } => {
                let (place, moment) = (self.place()?, self.demo(t));
                let is_it = self.all.world.version_number(place, VersionOf::Targets, moment) == *version;
                let is_down = || self.all.world.down(place, moment).contains(pod);
                is_it.then(|| if is_down() { 0.0 } else { 1.0 })
            }
            SeriesKind::Requests(part) => self.all.requests_at(self.place()?, *part, t),
            SeriesKind::Fact(fact) => self.with_facts(|facts| fact.at(facts, self.place()?, t)),
            SeriesKind::Number(measure, form) => Some(match form {
                SeriesForm::Always(value) => *value,
                SeriesForm::Times(factor) => self.number(measure, t)? * factor,
                SeriesForm::Ahead(seconds) => t + self.number(measure, t)? * seconds,
                SeriesForm::Grows(factor) => {
                    self.number(measure, self.all.world.time.second(0.0))?
                        * factor
                        * self.all.world.time.counter_age(t).max(0.0)
                }
                SeriesForm::GrowsEvenly(factor) => factor * self.all.world.time.counter_age(t).max(0.0),
            }),
            SeriesKind::Recorded { bad_event, lookback } => self.ratio(*bad_event, *lookback, t),
            SeriesKind::Alert { shows, .. } => {
                let holds = |(from, to): &(f64, f64)| (*from..*to).contains(&t);
                let known = self.last.get().filter(holds);
                let time_range = known.or_else(|| self.sample_ranges(t, t).into_iter().find(holds));
                self.last.set(time_range);
                let (from, _) = time_range?;
                Some(if *shows == AlertSeriesKind::Since { from.floor() } else { 1.0 })
            }
        }
    }

    fn is_there(&self, t: f64) -> bool {
        match &self.known.what {
            SeriesKind::Up { .. } | SeriesKind::Alert { .. } | SeriesKind::Fact(_) => self.at(t).is_some(),
            SeriesKind::Constant(_)
            | SeriesKind::Requests(_)
            | SeriesKind::Number(..)
            | SeriesKind::Recorded { .. } => true,
        }
    }

    fn increase(&self, from: f64, to: f64) -> Option<f64> {
        let length = to - from;
        match &self.known.what {
            SeriesKind::Requests(part) => self.all.requests_increase(self.place()?, *part, (from, to)),
            SeriesKind::Fact(fact) => {
                self.with_facts(|facts| fact.increase(facts, self.place()?, (from, to)))
            }
            // the rules take rates of these counters over different ranges, and always mean the simulated number
            SeriesKind::Number(measure, SeriesForm::Grows(factor)) => {
                Some(self.number(measure, to)? * factor * length)
            }
            SeriesKind::Constant(_)
            | SeriesKind::Up { .. }
            | SeriesKind::Number(..)
            | SeriesKind::Recorded { .. }
            | SeriesKind::Alert { .. } => Some(self.at(to)? - self.at(from)?),
        }
    }

    fn mean(&self, from: f64, to: f64) -> Option<f64> {
        match &self.known.what {
            // the mean of short ratios is the ratio over the longer range
            SeriesKind::Recorded { bad_event, .. } => self.ratio(*bad_event, to - from, to),
            SeriesKind::Constant(value) => Some(*value),
            SeriesKind::Up { .. }
            | SeriesKind::Requests(_)
            | SeriesKind::Number(..)
            | SeriesKind::Fact(_)
            | SeriesKind::Alert { .. } => None,
        }
    }

    fn sample_ranges(&self, from: f64, to: f64) -> Vec<(f64, f64)> {
        let (world, time) = (self.all.world, self.all.world.time);
        let (begin, end) = (self.demo(from), self.demo(to));
        let sample_ranges = match (&self.known.what, self.place()) {
            (SeriesKind::Up { version, .. }, Some(place)) => {
                world.version_ran(place, VersionOf::Targets, *version, (begin, end))
            }
            (SeriesKind::Fact(fact), Some(place)) => match fact.ran(world, place, (begin, end)) {
                Some(ran) => ran,
                None => return vec![(from, to + 1.0)],
            },
            (SeriesKind::Alert { rule, pod, shows, .. }, place) => {
                let Some(rule) = world.rules.get(*rule) else { return Vec::new() };
                world.alert_ranges(RuleSeries { rule, place, pod: *pod }, *shows, (begin, end))
            }
            (SeriesKind::Up { .. } | SeriesKind::Fact(_), None)
            | (
                SeriesKind::Constant(_)
                | SeriesKind::Requests(_)
                | SeriesKind::Number(..)
                | SeriesKind::Recorded { .. },
                _,
            ) => {
                return vec![(from, to + 1.0)];
            }
        };
        sample_ranges.into_iter().map(|(from, to)| (time.second(from), time.second(to))).collect()
    }

    fn grid(&self) -> (f64, f64) {
        match &self.known.what {
            SeriesKind::Alert { is_standing, .. } => {
                let every = self.all.world.time.evaluations();
                (self.all.world.time.second(0.0), if *is_standing { every * RARELY } else { every })
            }
            SeriesKind::Constant(_)
            | SeriesKind::Up { .. }
            | SeriesKind::Requests(_)
            | SeriesKind::Number(..)
            | SeriesKind::Fact(_)
            | SeriesKind::Recorded { .. } => (0.0, SCRAPE),
        }
    }
}
