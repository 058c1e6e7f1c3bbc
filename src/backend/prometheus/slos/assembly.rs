//! From what the queries came to, to what is said of each SLO.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::catalogue::{Entry, Way};
use super::coverage;
use super::increases::Counted;
use super::leaf::{Leaf, Stretch};
use super::shelf::{Good, Shown};
use crate::backend::kit::time::Epoch;
use crate::backend::prometheus::wire::Sample;
use crate::model::labels::{Labels, Text};
use crate::model::remote::age;
use crate::model::slo::{Extent, GroupReading, Measured, Odd, Sli, SloReading};

/// Data that come at all come more often than this: five minutes after a sample Prometheus itself takes a series for gone, and
/// what was looked at every five minutes may have seen the one before.
const SPARSE: Duration = Duration::from_secs(600);

/// The series of recorded names and identities in the answer to one query.
type ByName<'a> = HashMap<(&'a str, &'a str), Vec<&'a Sample>>;

/// All answers of a round.
pub(super) struct Answers<'a> {
    shown: &'a HashMap<Text, Shown>,
    recorded: HashMap<&'a str, ByName<'a>>,
}

/// One number of each group, or why there is none at all.
enum Groups {
    /// Not asked, not answered yet, or refused.
    Unknown(Option<Text>),
    /// What was measured, with what the server says about it not being newer.
    Known(BTreeMap<Labels, Measured>, Option<Text>),
}

impl<'a> Answers<'a> {
    pub(super) fn new(shown: &'a HashMap<Text, Shown>, leaves: &[Arc<Leaf>]) -> Self {
        let mut recorded: HashMap<&str, ByName<'_>> = HashMap::new();
        for leaf in leaves {
            let (Some(family), Some((key, shown))) = (leaf.family, shown.get_key_value(&leaf.key)) else {
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

    fn shown(&self, leaf: &Leaf) -> (Option<&'a Good>, Option<Text>) {
        self.shown.get(&leaf.key).map_or((None, None), |shown| (shown.good.as_ref(), shown.trouble.clone()))
    }

    /// The values of each group, whatever they mean.
    fn values(&self, entry: &Entry, way: &Way) -> BTreeMap<Labels, Vec<f64>> {
        match way {
            Way::Recorded { leaf, name, .. } => {
                let samples = self.recorded.get(&*leaf.key).and_then(|by| by.get(&(&**name, &*entry.id)));
                grouped(entry, samples.into_iter().flatten().copied())
            }
            Way::Ratio(leaf) => match self.shown(leaf).0 {
                Some(good) => grouped(entry, good.samples.iter()),
                None => BTreeMap::new(),
            },
            Way::Nowhere | Way::Increases { .. } | Way::Counts { .. } => BTreeMap::new(),
        }
    }

    fn is_answered(&self, way: &Way) -> bool {
        match way {
            Way::Recorded { leaf, .. } | Way::Ratio(leaf) => self.shown(leaf).0.is_some(),
            Way::Nowhere | Way::Increases { .. } | Way::Counts { .. } => false,
        }
    }

    fn measured(&self, entry: &Entry, way: &Way) -> Groups {
        match way {
            Way::Nowhere => Groups::Unknown(None),
            Way::Recorded { leaf, .. } | Way::Ratio(leaf) => {
                let (Some(_), trouble) = self.shown(leaf) else { return Groups::Unknown(self.shown(leaf).1) };
                let is_inverted = matches!(way, Way::Recorded { inverted: true, .. });
                let error = |value: f64| if is_inverted { 1.0 - value } else { value };
                let each = self.values(entry, way).into_iter();
                let each = each.map(|(labels, values)| {
                    (labels, one(&values, |value| Measured::of_ratio(value.map(error))))
                });
                Groups::Known(each.collect(), trouble)
            }
            Way::Increases { leaf, otherwise, .. } => {
                let (Some(_), trouble) = self.shown(leaf) else { return Groups::Unknown(self.shown(leaf).1) };
                match self.counted(entry, way) {
                    Some(Ok(counted)) => Groups::Known(counted.groups, trouble),
                    Some(Err(_)) | None => match self.measured(entry, otherwise) {
                        Groups::Unknown(said) => Groups::Unknown(said.or(trouble)),
                        known @ Groups::Known(..) => known,
                    },
                }
            }
            Way::Counts { side, part, total, unit } => {
                let ((part, part_trouble), (total, total_trouble)) = (self.shown(part), self.shown(total));
                let trouble = total_trouble.or(part_trouble);
                // of two moments there is no ratio
                let (Some(part), Some(total)) =
                    (part, total.filter(|total| part.is_some_and(|part| part.at == total.at)))
                else {
                    return Groups::Unknown(trouble);
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
                        return Measured::Odd(Odd::Several(parts.len()));
                    }
                    let part = parts.first().copied();
                    if part.is_none() && of_buckets && totals.first().is_some_and(|total| *total > 0.0) {
                        return Measured::Odd(Odd::NoBucket);
                    }
                    one(&totals, |total| Measured::of_counts(*side, part, total, per_event))
                };
                Groups::Known(
                    labels.into_iter().map(|labels| (labels.clone(), measure(labels))).collect(),
                    trouble,
                )
            }
        }
    }

    /// The recorded events of the window, or why they do not tell; `None` for other ways, and until they are there.
    fn counted(&self, entry: &Entry, way: &Way) -> Option<Result<Counted, &'static str>> {
        let Way::Increases { leaf, increases, .. } = way else { return None };
        let by_name = self.recorded.get(&*leaf.key).filter(|_| self.shown(leaf).0.is_some())?;
        let series = |name: &str| by_name.get(&(name, &*entry.id)).cloned().unwrap_or_default();
        Some(increases.measured(&series))
    }

    /// When data were last seen, where that is known from afar alone.
    pub(super) fn seen_from_afar(&self, entry: &Entry) -> Option<Timestamp> {
        let [closely, afar] = entry.looks.last.each_ref().map(|way| self.values(entry, way));
        let times = afar.into_values().flatten().filter(|seconds| seconds.is_finite());
        times.reduce(f64::max).map(f64::floor).and_then(Epoch::<1>::at).filter(|_| closely.is_empty())
    }

    /// For how much of the window there are data of each group.
    fn extents(&self, entry: &Entry, at: Timestamp) -> impl Fn(&Labels, bool) -> Option<Extent> + use<> {
        let window = entry.slo.window.nominal();
        let seen = self.is_answered(&entry.looks.seen).then(|| self.values(entry, &entry.looks.seen));
        let is_told = !entry.looks.stretches.is_empty()
            && entry.looks.stretches.iter().all(|(_, way)| self.is_answered(way));
        let of = |(stretch, way): &(Stretch, Way)| (*stretch, self.values(entry, way));
        let stretches: Option<Vec<_>> = is_told.then(|| entry.looks.stretches.iter().map(of).collect());
        let then = entry.looks.stretches.first().and_then(|(_, way)| {
            let leaf = way.leaves().first().copied()?;
            self.shown(leaf).0.map(|good| good.at)
        });
        let drift = then.map_or(Duration::ZERO, |then| age(then, at));
        move |labels, has_data| {
            let least =
                |of: &BTreeMap<Labels, Vec<f64>>| of_group(of, labels).reduce(f64::min).unwrap_or(0.0);
            let seen = least(seen.as_ref()?);
            if !has_data && seen < 1.0 {
                return None;
            }
            let stretches = stretches.as_ref();
            let looked: Option<Vec<_>> =
                stretches.map(|all| all.iter().map(|(stretch, of)| (*stretch, least(of))).collect());
            coverage::extent(window, seen, looked.as_deref(), drift)
        }
    }

    /// What is said of one SLO; `closer` is a way to the time of its newest sample.
    pub(super) fn reading(&self, entry: &Entry, at: Timestamp, closer: Option<&Way>) -> SloReading {
        let recent: Vec<(Duration, Groups)> =
            entry.recent.iter().map(|(lookback, way)| (*lookback, self.measured(entry, way))).collect();
        let way = entry.window(at);
        let window = self.measured(entry, &way);
        let remark = match self.counted(entry, &way) {
            Some(Ok(counted)) => counted.remark.map(Text::from),
            Some(Err(why)) if matches!(window, Groups::Unknown(_)) => Some(why.into()),
            Some(Err(_)) | None => None,
        };
        let all = || recent.iter().map(|(_, groups)| groups).chain([&window]);
        let mut labels: BTreeSet<&Labels> = BTreeSet::new();
        labels.extend(all().flat_map(Groups::labels));
        let none = Labels::default();
        if labels.is_empty() || entry.grouping.is_none() {
            labels = BTreeSet::from([&none]);
        }
        let is_alone = labels.len() == 1;
        let extent = self.extents(entry, at);
        let lasts: Vec<_> =
            closer.into_iter().chain(&entry.looks.last).map(|way| self.values(entry, way)).collect();
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
                newest: lasts.iter().find_map(|last| latest(last, labels)),
            };
            group.newest = group.newest.filter(|newest| group.is_silent() || age(*newest, at) > SPARSE);
            group.told_apart()
        });
        let trouble = all().find_map(Groups::trouble).cloned().or_else(|| entry.trouble.clone());
        SloReading {
            slo: Arc::clone(&entry.slo),
            evaluation: entry.evaluation,
            groups: groups.collect(),
            trouble,
            remark: remark.or_else(|| entry.remark.clone()),
        }
    }
}

impl Groups {
    fn labels(&self) -> impl Iterator<Item = &Labels> {
        let known = match self {
            Self::Unknown(_) => None,
            Self::Known(known, _) => Some(known),
        };
        known.into_iter().flat_map(BTreeMap::keys)
    }

    /// What is said of all groups together is said of the only one, too.
    fn of(&self, labels: &Labels, is_alone: bool) -> Measured {
        match self {
            Self::Unknown(_) => Measured::Unknown,
            Self::Known(known, _) => {
                let only = || known.values().next().filter(|_| is_alone && known.len() == 1);
                known.get(labels).or_else(only).copied().unwrap_or(Measured::Absent)
            }
        }
    }

    fn trouble(&self) -> Option<&Text> {
        match self {
            Self::Unknown(trouble) | Self::Known(_, trouble) => trouble.as_ref(),
        }
    }
}

fn grouped<'a>(entry: &Entry, samples: impl Iterator<Item = &'a Sample>) -> BTreeMap<Labels, Vec<f64>> {
    let mut groups: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
    for sample in samples {
        groups.entry(entry.grouping.of(&sample.labels)).or_default().push(sample.value);
    }
    groups
}

/// The measure of the one value that there may be.
fn one(values: &[f64], measure: impl Fn(Option<f64>) -> Measured) -> Measured {
    match values {
        [] => measure(None),
        [value] => measure(Some(*value)),
        several => Measured::Odd(Odd::Several(several.len())),
    }
}

/// Of the group, or of all groups where times are not told apart.
fn of_group<'a>(
    times: &'a BTreeMap<Labels, Vec<f64>>,
    labels: &Labels,
) -> impl Iterator<Item = f64> + use<'a> {
    let group = times.get(labels).or_else(|| times.get(&Labels::default()));
    group.into_iter().flatten().copied().filter(|seconds| seconds.is_finite())
}

fn latest(times: &BTreeMap<Labels, Vec<f64>>, labels: &Labels) -> Option<Timestamp> {
    of_group(times, labels).reduce(f64::max).map(f64::floor).and_then(Epoch::<1>::at)
}
