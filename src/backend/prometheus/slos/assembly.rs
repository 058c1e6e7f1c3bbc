//! Assembles the answers of the queries to one reading for each SLO.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::coverage;
use super::increases::WindowEvents;
use super::number_source::NumberSource;
use super::query_cache::{GoodAnswer, QueryOutcome};
use super::registry::RegisteredSlo;
use super::subquery::{PastRange, Subquery};
use crate::backend::kit::time::Epoch;
use crate::backend::prometheus::wire::Sample;
use crate::model::labels::{Labels, Text};
use crate::model::remote::age;
use crate::model::slo::{DataExtent, GroupReading, InvalidRatio, MeasuredRatio, Sli, SloReading};

/// Data are called silent only if the newest sample is older than this: Prometheus drops a series five minutes after its last
/// sample, and a check every five minutes may have seen the sample before the last one.
const SILENT_AFTER: Duration = Duration::from_secs(600);

/// The samples of an answer by recorded name and SLO id.
type ByName<'a> = HashMap<(&'a str, &'a str), Vec<&'a Sample>>;

/// All answers of a round.
pub(super) struct RoundAnswers<'a> {
    shown: &'a HashMap<Text, QueryOutcome>,
    recorded: HashMap<&'a str, ByName<'a>>,
}

/// One number for each group.
#[derive(Default)]
struct GroupValues {
    /// `None`: not queried, not answered yet, or failed.
    ratios: Option<BTreeMap<Labels, MeasuredRatio>>,
    /// The error of the latest attempt; the ratios may be older.
    failure: Option<Text>,
}

impl<'a> RoundAnswers<'a> {
    pub(super) fn new(shown: &'a HashMap<Text, QueryOutcome>, subqueries: &[Arc<Subquery>]) -> Self {
        let mut recorded: HashMap<&str, ByName<'_>> = HashMap::new();
        for subquery in subqueries {
            let (Some(family), Some((key, shown))) = (subquery.family, shown.get_key_value(&subquery.key))
            else {
                continue;
            };
            let samples = shown.good.iter().flat_map(|good| good.samples.iter());
            let by_name = recorded.entry(key).or_default();
            if by_name.is_empty() {
                for sample in samples {
                    let name = (sample.labels.value("__name__"), sample.labels.value(family.identity()));
                    by_name.entry(name).or_default().push(sample);
                }
            }
        }
        Self { shown, recorded }
    }

    /// The answer of a query and its error, where there are any.
    fn shown(&self, subquery: &Subquery) -> (Option<&'a GoodAnswer>, Option<Text>) {
        self.shown
            .get(&subquery.key)
            .map_or((None, None), |shown| (shown.good.as_ref(), shown.failure.clone()))
    }

    /// The raw values of each group; `None` before an answer, and for sources that count events.
    fn values(
        &self,
        entry: &RegisteredSlo,
        number_source: &NumberSource,
    ) -> Option<BTreeMap<Labels, Vec<f64>>> {
        match number_source {
            NumberSource::Recorded { subquery, name, .. } => {
                self.shown(subquery).0?;
                let samples = self.recorded.get(&*subquery.key).and_then(|by| by.get(&(&**name, &*entry.id)));
                Some(grouped(entry, samples.into_iter().flatten().copied()))
            }
            NumberSource::Ratio(subquery) => Some(grouped(entry, self.shown(subquery).0?.samples.iter())),
            NumberSource::Nowhere | NumberSource::Increases { .. } | NumberSource::Counts { .. } => None,
        }
    }

    /// The error ratio of each group from this source of numbers.
    fn measured(&self, entry: &RegisteredSlo, number_source: &NumberSource) -> GroupValues {
        match number_source {
            NumberSource::Nowhere => GroupValues::default(),
            NumberSource::Recorded { subquery, .. } | NumberSource::Ratio(subquery) => {
                let is_inverted = matches!(number_source, NumberSource::Recorded { inverted: true, .. });
                let error = |value: f64| if is_inverted { 1.0 - value } else { value };
                let ratio = |values: &[f64]| one(values, |value| MeasuredRatio::of_ratio(value.map(error)));
                let each = self.values(entry, number_source);
                let ratios = each
                    .map(|each| each.into_iter().map(|(labels, values)| (labels, ratio(&values))).collect());
                GroupValues { ratios, failure: self.shown(subquery).1 }
            }
            NumberSource::Increases { subquery, otherwise, .. } => {
                let (good, failure) = self.shown(subquery);
                match self.counted(entry, number_source) {
                    Some(Ok(counted)) => GroupValues { ratios: Some(counted.groups), failure },
                    Some(Err(_)) | None if good.is_some() => {
                        let GroupValues { ratios, failure: other } = self.measured(entry, otherwise);
                        let failure = if ratios.is_none() { other.or(failure) } else { other };
                        GroupValues { ratios, failure }
                    }
                    Some(Err(_)) | None => GroupValues { ratios: None, failure },
                }
            }
            NumberSource::Counts { side, part, total, unit } => {
                let ((part, part_failure), (total, total_failure)) = (self.shown(part), self.shown(total));
                let failure = total_failure.or(part_failure);
                // counts from two different times must not be divided
                let (Some(part), Some(total)) =
                    (part, total.filter(|total| part.is_some_and(|part| part.at == total.at)))
                else {
                    return GroupValues { ratios: None, failure };
                };
                let per_event = unit.per_event(entry.slo.window.elapsed(total.at));
                let parts = grouped(entry, part.samples.iter());
                let totals = grouped(entry, total.samples.iter());
                let of_buckets = matches!(entry.slo.sli, Some(Sli::Latency { .. } | Sli::Apdex { .. }));
                let labels: BTreeSet<&Labels> = parts.keys().chain(totals.keys()).collect();
                let measure = |labels: &Labels| {
                    let values =
                        |of: &BTreeMap<Labels, Vec<f64>>| of.get(labels).cloned().unwrap_or_default();
                    let (parts, totals) = (values(&parts), values(&totals));
                    if parts.len() > 1 {
                        return MeasuredRatio::Odd(InvalidRatio::Several(parts.len()));
                    }
                    let part = parts.first().copied();
                    if part.is_none() && of_buckets && totals.first().is_some_and(|total| *total > 0.0) {
                        return MeasuredRatio::Odd(InvalidRatio::NoBucket);
                    }
                    one(&totals, |total| MeasuredRatio::of_counts(*side, part, total, per_event))
                };
                let ratios = labels.into_iter().map(|labels| (labels.clone(), measure(labels))).collect();
                GroupValues { ratios: Some(ratios), failure }
            }
        }
    }

    /// The recorded events of the window, or the reason why they are not enough; `None` for other sources, and before an
    /// answer.
    fn counted(
        &self,
        entry: &RegisteredSlo,
        number_source: &NumberSource,
    ) -> Option<Result<WindowEvents, &'static str>> {
        let NumberSource::Increases { subquery, increases, .. } = number_source else { return None };
        let by_name = self.recorded.get(&*subquery.key).filter(|_| self.shown(subquery).0.is_some())?;
        let series = |name: &str| by_name.get(&(name, &*entry.id)).cloned().unwrap_or_default();
        Some(increases.measured(&series))
    }

    /// The time at which data were last seen, if it is only known from the coarse check.
    pub(super) fn last_seen_coarsely(&self, entry: &RegisteredSlo) -> Option<Timestamp> {
        let [closely, afar] =
            entry.looks.last.each_ref().map(|source| self.values(entry, source).unwrap_or_default());
        latest(afar.into_values().flatten()).filter(|_| closely.is_empty())
    }

    /// For how much of the window each group has data.
    fn extents(
        &self,
        entry: &RegisteredSlo,
        at: Timestamp,
    ) -> impl Fn(&Labels, bool) -> Option<DataExtent> + use<> {
        let window = entry.slo.window.nominal();
        let seen = self.values(entry, &entry.looks.seen);
        let of = |(past_range, number_source): &(PastRange, NumberSource)| {
            Some((*past_range, self.values(entry, number_source)?))
        };
        let past_ranges: Option<Vec<_>> = entry.looks.past_ranges.iter().map(of).collect();
        let past_ranges = past_ranges.filter(|past_ranges| !past_ranges.is_empty());
        let then = entry.looks.past_ranges.first().and_then(|(_, number_source)| {
            self.shown(number_source.subqueries().first()?).0.map(|good| good.at)
        });
        let drift = then.map_or(Duration::ZERO, |then| age(then, at));
        move |labels, has_data| {
            let least =
                |of: &BTreeMap<Labels, Vec<f64>>| of_group(of, labels).reduce(f64::min).unwrap_or(0.0);
            let seen = least(seen.as_ref()?);
            if !has_data && seen < 1.0 {
                return None;
            }
            let past_ranges = past_ranges.as_ref();
            let looked: Option<Vec<_>> =
                past_ranges.map(|all| all.iter().map(|(past_range, of)| (*past_range, least(of))).collect());
            coverage::extent(window, seen, looked.as_deref(), drift)
        }
    }

    /// The reading of one SLO. `fine_check` is a query for the exact time of its newest sample.
    pub(super) fn reading(
        &self,
        entry: &RegisteredSlo,
        at: Timestamp,
        fine_check: Option<&NumberSource>,
    ) -> SloReading {
        let recent: Vec<(Duration, GroupValues)> = entry
            .recent
            .iter()
            .map(|(lookback, number_source)| (*lookback, self.measured(entry, number_source)))
            .collect();
        let number_source = entry.window(at);
        let window = self.measured(entry, &number_source);
        let remark = match self.counted(entry, &number_source) {
            Some(Ok(counted)) => counted.remark.map(Text::from),
            Some(Err(why)) if window.ratios.is_none() => Some(why.into()),
            Some(Err(_)) | None => None,
        };
        let all = || recent.iter().map(|(_, groups)| groups).chain([&window]);
        let mut labels: BTreeSet<&Labels> = BTreeSet::new();
        labels.extend(all().filter_map(|groups| groups.ratios.as_ref()).flat_map(BTreeMap::keys));
        let none = Labels::default();
        if labels.is_empty() || entry.grouping.is_none() {
            labels = BTreeSet::from([&none]);
        }
        let is_alone = labels.len() == 1;
        let extent = self.extents(entry, at);
        let lasts = fine_check.into_iter().chain(&entry.looks.last);
        let lasts: Vec<_> = lasts.filter_map(|source| self.values(entry, source)).collect();
        let groups = labels.into_iter().map(|labels| {
            let recent: Vec<_> =
                recent.iter().map(|(lookback, groups)| (*lookback, groups.of(labels, is_alone))).collect();
            let window = window.of(labels, is_alone);
            let has_data = recent.iter().any(|(_, measured)| measured.error().is_some());
            let extent = extent(labels, has_data);
            let is_time_weighted = entry.is_time_weighted;
            let mut group = GroupReading {
                labels: labels.clone(),
                recent,
                window,
                is_time_weighted,
                extent,
                newest: lasts.iter().find_map(|last| latest(of_group(last, labels))),
            };
            group.newest = group.newest.filter(|newest| group.is_silent() || age(*newest, at) > SILENT_AFTER);
            group.mark_unexplained_nan()
        });
        let failure = all().find_map(|groups| groups.failure.clone()).or_else(|| entry.failure.clone());
        SloReading {
            slo: Arc::clone(&entry.slo),
            evaluation: entry.evaluation,
            groups: groups.collect(),
            failure,
            remark: remark.or_else(|| entry.remark.clone()),
        }
    }
}

impl GroupValues {
    /// The ratio of a group. A value without group labels also applies to the only group.
    fn of(&self, labels: &Labels, is_alone: bool) -> MeasuredRatio {
        let Some(ratios) = &self.ratios else { return MeasuredRatio::Unknown };
        let only = || ratios.values().next().filter(|_| is_alone && ratios.len() == 1);
        ratios.get(labels).or_else(only).copied().unwrap_or(MeasuredRatio::Absent)
    }
}

/// The values by group.
fn grouped<'a>(
    entry: &RegisteredSlo,
    samples: impl Iterator<Item = &'a Sample>,
) -> BTreeMap<Labels, Vec<f64>> {
    let mut groups: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
    for sample in samples {
        groups.entry(entry.grouping.of(&sample.labels)).or_default().push(sample.value);
    }
    groups
}

/// Measures the only value; several values are an invalid ratio.
fn one(values: &[f64], measure: impl Fn(Option<f64>) -> MeasuredRatio) -> MeasuredRatio {
    match values {
        [] => measure(None),
        [value] => measure(Some(*value)),
        several => MeasuredRatio::Odd(InvalidRatio::Several(several.len())),
    }
}

/// The values of a group, or those without group labels.
fn of_group<'a>(
    times: &'a BTreeMap<Labels, Vec<f64>>,
    labels: &Labels,
) -> impl Iterator<Item = f64> + use<'a> {
    let group = times.get(labels).or_else(|| times.get(&Labels::default()));
    group.into_iter().flatten().copied().filter(|seconds| seconds.is_finite())
}

/// The latest of these times in Unix seconds.
fn latest(times: impl Iterator<Item = f64>) -> Option<Timestamp> {
    let finite = times.filter(|seconds| seconds.is_finite());
    finite.reduce(f64::max).map(f64::floor).and_then(Epoch::<1>::at)
}
