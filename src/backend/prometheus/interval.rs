//! The scrape intervals of targets: from the list of targets, or else from the distance between stored samples.
//!
//! Never computed as window / number of samples, which is wrong if the data are younger than the window.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use super::call::QuestionRequests;
use super::wire::{Sample, Written};
use crate::backend::kit::lenient::{LenientList, LenientPairs, LenientText, wire};
use crate::model::duration;
use crate::model::labels::{Labels, Text};
use crate::model::promql::{literal, quoted};

/// The maximum number of targets whose samples are read, one of each job first.
const MAX_SAMPLED_TARGETS: usize = 24;
const SAMPLE_RANGE: &str = "5m";

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ScrapeIntervals {
    /// The labels and the interval of each target.
    all: Vec<(Labels, Duration)>,
}

impl ScrapeIntervals {
    /// The intervals from the list of targets; else from the samples of some of `targets`.
    pub(super) async fn of_targets(call: &QuestionRequests<'_>, targets: &[Sample]) -> Self {
        let listed_intervals = listed_intervals(call).await;
        if !listed_intervals.is_empty() {
            return Self { all: listed_intervals };
        }
        match selector(targets) {
            Some(selector) => Self::stored(call, &format!("up{{{selector}}}")).await,
            None => Self::default(),
        }
    }

    /// The intervals from the stored samples of these series.
    pub(super) async fn stored(call: &QuestionRequests<'_>, selector: &str) -> Self {
        let series = call.samples(&format!("{selector}[{SAMPLE_RANGE}]"), None).await.unwrap_or_default();
        let interval = |(labels, samples): Written| Some((labels, distance(&samples)?));
        Self { all: series.into_iter().filter_map(interval).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn usual(&self) -> Option<Duration> {
        let all = self.sorted();
        all.get(all.len() / 2).copied()
    }

    fn sorted(&self) -> Vec<Duration> {
        let mut all: Vec<Duration> = self.all.iter().map(|(_, interval)| *interval).collect();
        all.sort_unstable();
        all
    }

    /// The longest interval of the targets whose labels satisfy `is_meant`.
    pub(super) fn slowest(&self, is_meant: impl Fn(&Labels) -> bool) -> Option<Duration> {
        self.all.iter().filter(|(labels, _)| is_meant(labels)).map(|(_, interval)| *interval).max()
    }

    /// All different intervals, the median first: `15s, 1m`.
    pub(super) fn words(&self) -> String {
        let Some(usual) = self.usual() else { return String::new() };
        let mut all = self.sorted();
        all.dedup();
        all.retain(|interval| *interval != usual);
        let all = std::iter::once(usual).chain(all);
        all.map(duration::text).collect::<Vec<_>>().join(", ")
    }
}

/// The median distance between the times of these samples (Unix seconds), so that a gap after a restart does not matter.
fn distance(samples: &[(f64, f64)]) -> Option<Duration> {
    let gap = |pair: &[(f64, f64)]| Some(pair.last()?.0 - pair.first()?.0);
    let mut gaps: Vec<f64> = samples.windows(2).filter_map(gap).collect();
    gaps.retain(|gap| *gap > 0.0);
    gaps.sort_by(f64::total_cmp);
    let usual = *gaps.get(gaps.len() / 2)?;
    let whole = if usual >= 1.0 { usual.round() } else { (usual * 10.0).round().max(1.0) / 10.0 };
    Duration::try_from_secs_f64(whole).ok()
}

/// The median interval of some series, from their stored samples.
pub(super) fn median_interval(series: &[Written]) -> Option<Duration> {
    let mut intervals: Vec<Duration> = series.iter().filter_map(|(_, samples)| distance(samples)).collect();
    intervals.sort_unstable();
    intervals.get(intervals.len() / 2).copied()
}

/// Matchers for some of the targets, one of each job first.
fn selector(targets: &[Sample]) -> Option<String> {
    let mut jobs = HashSet::new();
    let (first, others): (Vec<&Sample>, Vec<&Sample>) =
        targets.iter().partition(|target| jobs.insert(target.labels.value("job")));
    let chosen = first
        .into_iter()
        .chain(others)
        .take(MAX_SAMPLED_TARGETS)
        .filter_map(|target| Some((target.labels.get("instance")?, target.labels.get("job")?)));
    let (instances, jobs): (BTreeSet<&Text>, BTreeSet<&Text>) = chosen.unzip();
    let any = |values: &BTreeSet<&Text>| {
        quoted(&values.iter().map(|value| literal(value)).collect::<Vec<_>>().join("|"))
    };
    (!jobs.is_empty()).then(|| format!("instance=~{},job=~{}", any(&instances), any(&jobs)))
}

/// The intervals from the list of targets; empty if the server does not offer it.
async fn listed_intervals(call: &QuestionRequests<'_>) -> Vec<(Labels, Duration)> {
    wire! {
        #[serde(rename_all = "camelCase")]
        struct Targets<'a> {
            active_targets: LenientList<Target<'a>>,
        }

        #[serde(rename_all = "camelCase")]
        struct Target<'a> {
            scrape_interval: LenientText<'a>,
            labels: LenientPairs<'a>,
        }
    }
    let Ok(body) = call.get("api/v1/targets", &[("state", "active")]).await else { return Vec::new() };
    let Ok(targets) = call.open::<Targets<'_>>(&body) else { return Vec::new() };
    let interval = |target: &Target<'_>| {
        let interval = duration::parse(&target.scrape_interval.0).ok()?;
        Some((call.server.reader.labels(&target.labels), interval))
    };
    targets.active_targets.all.iter().filter_map(interval).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(job: &str, instance: &str) -> Sample {
        Sample { labels: Labels::from_iter([("job", job), ("instance", instance)]), value: 1.0 }
    }

    fn every(seconds: &[u64]) -> ScrapeIntervals {
        let interval = |seconds: &u64| (Labels::default(), Duration::from_secs(*seconds));
        ScrapeIntervals { all: seconds.iter().map(interval).collect() }
    }

    #[test]
    fn the_interval_is_the_distance_of_the_samples_whatever_the_store_is_like() {
        let times = |begin: f64, step: f64, count: u32| -> Vec<f64> {
            (0..count).map(|at| begin + step * f64::from(at) + 0.003 * f64::from(at % 2)).collect()
        };
        let restarted = [times(0.0, 15.0, 4), times(1200.0, 15.0, 5)].concat();
        for (times, expected) in [
            (times(0.0, 5.0, 3), Some(5.0)),
            (times(0.0, 15.0, 20), Some(15.0)),
            (restarted, Some(15.0)),
            (times(0.0, 0.5, 9), Some(0.5)),
            (vec![7.0], None),
            (vec![], None),
        ] {
            assert_eq!(
                distance(&times.iter().map(|at| (*at, 1.0)).collect::<Vec<_>>()),
                expected.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap()),
                "{times:?}"
            );
        }
    }

    #[test]
    fn several_intervals_are_all_told_and_the_slowest_of_those_that_are_meant_counts() {
        let all = every(&[60, 5, 5, 300]);
        assert_eq!((all.usual(), all.words()), (Some(Duration::from_secs(60)), "1m, 5s, 5m".into()));
        assert_eq!(every(&[5, 5, 5, 60]).words(), "5s, 1m");
        assert_eq!(all.slowest(|_| true), Some(Duration::from_secs(300)));
        assert_eq!((all.slowest(|_| false), ScrapeIntervals::default().usual()), (None, None));
    }

    #[test]
    fn a_few_targets_are_looked_at_one_of_each_job_first() {
        let many = (0..100).map(|at| target("big", &format!("b:{at}")));
        let all: Vec<Sample> = many.chain([target("a.b", "x:1")]).collect();
        let selector = selector(&all).unwrap();
        assert!(selector.contains(r#"job=~"a\\.b|big""#) && selector.contains("x:1"), "{selector}");
        assert_eq!(selector.matches("b:").count(), MAX_SAMPLED_TARGETS - 1);
        assert_eq!(super::selector(&[]), None);
    }
}
