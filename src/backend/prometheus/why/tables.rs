//! Counts by labels in the bad and in the good time: in one table of all combinations if the service has few series, else label by
//! label, with only the values that matter most.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;

use super::budget::Budget;
use super::metrics::{Counted, PART, ServiceMetric};
use crate::backend::packs::QueryFill;
use crate::backend::prometheus::wire::Sample;
use crate::model::labels::{Labels, Text};
use crate::model::promql::{self, literal, quoted};
use crate::model::slo::TimeRange;
use crate::model::why::{Difference, LabelFinding, Tally, WhyCell, labels_of, rank};

/// Up to this many combinations of label values are read in one answer.
const MOST_COMBINATIONS: f64 = 4_000.0;
/// Of a label with more values, only this many are compared.
const MOST_VALUES: u32 = 50;
/// Requests that are left for what comes after the labels.
const RESERVED: u32 = 3;

/// The times to compare, and what differs.
pub(super) struct LabelComparison<'a> {
    pub(super) counted: Counted<'a>,
    pub(super) metric: &'a ServiceMetric,
    pub(super) filters: &'a Labels,
    pub(super) labels: Vec<Text>,
    pub(super) difference: Difference,
    pub(super) bad: TimeRange,
    pub(super) good: TimeRange,
    /// The number of series per combination of the labels, such as one for each bucket.
    pub(super) series_per_combination: f64,
    /// The shortest window that has a rate.
    pub(super) shortest: Duration,
}

/// The findings of a comparison, and the labels that were compared.
#[derive(Debug, Default)]
pub(super) struct ComparedLabels {
    pub(super) findings: Vec<LabelFinding>,
    pub(super) labels: Vec<Text>,
}

type Counts = BTreeMap<Labels, Tally>;

/// Adds up the samples of one answer by their labels; `seconds` turns rates into counts.
fn counts(samples: Vec<Sample>, seconds: f64) -> Counts {
    let mut counts = Counts::new();
    for sample in samples {
        let is_failed = sample.labels.value(PART) == "failed";
        let tally =
            counts.entry(sample.labels.without(|name| name == PART || name == "__name__")).or_default();
        let count = (sample.value * seconds).max(0.0);
        if is_failed { tally.failed += count } else { tally.all += count }
    }
    for tally in counts.values_mut() {
        // two expressions may be evaluated over slightly different samples
        tally.failed = tally.failed.min(tally.all);
    }
    counts
}

fn cells(good: &Counts, bad: &Counts) -> Vec<WhyCell> {
    let labels: BTreeSet<&Labels> = good.keys().chain(bad.keys()).collect();
    let of = |counts: &Counts, labels: &Labels| counts.get(labels).copied().unwrap_or_default();
    labels
        .into_iter()
        .map(|labels| WhyCell { labels: labels.clone(), good: of(good, labels), bad: of(bad, labels) })
        .collect()
}

fn total(counts: &Counts) -> Tally {
    counts
        .values()
        .fold(Tally::default(), |sum, one| Tally { all: sum.all + one.all, failed: sum.failed + one.failed })
}

/// One side of a comparison.
#[derive(Clone, Copy)]
struct Side {
    time: TimeRange,
    lookback: Duration,
    /// What turns a rate into a count.
    seconds: f64,
}

impl LabelComparison<'_> {
    fn sides(&self) -> (Side, Side) {
        let lookback =
            |time: TimeRange| Duration::from_secs(time.length().max(self.shortest).as_secs().max(1));
        let (good, bad) = (lookback(self.good), lookback(self.bad));
        // requests more or less are counted over the same length of time
        let of_good = if self.difference == Difference::Failed { good } else { bad };
        let side = |time, lookback: Duration, counted: Duration| Side {
            time,
            lookback,
            seconds: counted.as_secs_f64(),
        };
        (side(self.good, good, of_good), side(self.bad, bad, bad))
    }

    fn combinations(&self) -> f64 {
        self.metric.series / self.series_per_combination.max(1.0)
    }

    async fn read(&self, budget: &Budget<'_>, side: Side, by: &str, more: &str) -> Option<Counts> {
        let selector = format!("{}{more}", self.metric.within(self.filters));
        let fill = QueryFill { by, selector: &selector, lookback: side.lookback };
        let samples =
            budget.instant("counts by labels", &self.counted.both(fill), Some(side.time.end)).await?;
        Some(counts(samples, side.seconds))
    }

    /// Compares the two times.
    pub(super) async fn run(&self, budget: &Budget<'_>) -> ComparedLabels {
        if self.labels.is_empty() {
            return ComparedLabels::default();
        }
        if self.combinations() <= MOST_COMBINATIONS {
            let (good, bad) = self.sides();
            let by = promql::labels(&self.labels);
            let (good, bad) = tokio::join!(self.read(budget, good, &by, ""), self.read(budget, bad, &by, ""));
            if let (Some(good), Some(bad)) = (good, bad) {
                let cells = cells(&good, &bad);
                return ComparedLabels { findings: rank(&cells, self.difference), labels: labels_of(&cells) };
            }
        }
        Box::pin(self.by_label(budget)).await
    }

    /// Compares label by label.
    async fn by_label(&self, budget: &Budget<'_>) -> ComparedLabels {
        let (good, bad) = self.sides();
        let by = &self.metric.by;
        let totals = tokio::join!(self.read(budget, good, by, ""), self.read(budget, bad, by, ""));
        let (Some(all_good), Some(all_bad)) = totals else { return ComparedLabels::default() };
        let all = (total(&all_good), total(&all_bad));
        let affordable = usize::try_from(budget.left().saturating_sub(RESERVED) / 2).unwrap_or(0);
        let (asked, left) = self.labels.split_at(affordable.min(self.labels.len()));
        if !left.is_empty() {
            let names = left.iter().map(|name| &**name).collect::<Vec<_>>().join(", ");
            budget.note(format!("not compared, because of the limit of requests: {names}"));
        }
        budget.note(format!(
            "about {:.0} series: compared label by label, of each label at most the {MOST_VALUES} values that matter most",
            self.metric.series
        ));
        let compared = join_all(asked.iter().map(|label| self.of_label(budget, label, all))).await;
        let mut findings: Vec<LabelFinding> = compared.into_iter().flatten().flatten().collect();
        findings.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.labels.cmp(&b.labels)));
        let mut labels = asked.to_vec();
        labels.sort();
        ComparedLabels { findings, labels }
    }

    async fn of_label(
        &self,
        budget: &Budget<'_>,
        label: &Text,
        all: (Tally, Tally),
    ) -> Option<Vec<LabelFinding>> {
        let (good, bad) = self.sides();
        let by = promql::label(label);
        // where requests are missing, the values with the most requests before matter
        let is_fallen = self.difference == Difference::Fallen;
        let (leading, following) = if is_fallen { (good, bad) } else { (bad, good) };
        let selector = self.metric.within(self.filters);
        let fill = QueryFill { by: &by, selector: &selector, lookback: leading.lookback };
        let query = self.counted.top(fill, MOST_VALUES, self.difference == Difference::Failed);
        let first = budget.instant(&format!("values of {label}"), &query, Some(leading.time.end)).await?;
        let first = counts(first, leading.seconds);
        let values: Vec<String> =
            first.keys().filter_map(|labels| labels.get(label)).map(|value| literal(value)).collect();
        if values.is_empty() {
            return None;
        }
        let only = format!(",{by}=~{}", quoted(&values.join("|")));
        let second = self.read(budget, following, &by, &only).await?;
        let (mut good, mut bad) = if is_fallen { (first, second) } else { (second, first) };
        // what has none of these values
        let rest = |all: Tally, counts: &Counts| {
            let known = total(counts);
            Tally { all: (all.all - known.all).max(0.0), failed: (all.failed - known.failed).max(0.0) }
        };
        good.remove(&Labels::default());
        bad.remove(&Labels::default());
        let others = (rest(all.0, &good), rest(all.1, &bad));
        good.insert(Labels::default(), others.0);
        bad.insert(Labels::default(), others.1);
        Some(rank(&cells(&good, &bad), self.difference))
    }
}
