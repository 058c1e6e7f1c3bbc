//! The excess of each cell, and sums of it over sets of cells.

use super::{Difference, FEWEST, SIGMAS, WhyCell};

/// The service's own ratio counts as this many requests of each cell's good time, so that few requests give no extreme ratios.
const PRIOR: f64 = 50.0;

/// A cell as the measure sees it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CellWeight {
    pub(super) excess: f64,
    /// Everything that is no excess.
    pub(super) rest: f64,
    /// The variance of the counted events; 0: a level, which has no counts.
    pub(super) variance: f64,
    /// The variance of the excess if there is none.
    pub(super) doubt: f64,
    /// The traffic of the bad time; of the good time if requests are missing.
    pub(super) traffic: f64,
    /// The traffic of the good and of the bad time.
    pub(super) good: f64,
    pub(super) bad: f64,
    pub(super) failed: f64,
}

impl CellWeight {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            excess: self.excess + other.excess,
            rest: self.rest + other.rest,
            variance: self.variance + other.variance,
            doubt: self.doubt + other.doubt,
            traffic: self.traffic + other.traffic,
            good: self.good + other.good,
            bad: self.bad + other.bad,
            failed: self.failed + other.failed,
        }
    }

    pub(super) fn minus(self, other: Self) -> Self {
        let negated = |value: f64| -value;
        self.plus(Self {
            excess: negated(other.excess),
            rest: negated(other.rest),
            variance: negated(other.variance),
            doubt: negated(other.doubt),
            traffic: negated(other.traffic),
            good: negated(other.good),
            bad: negated(other.bad),
            failed: negated(other.failed),
        })
    }
}

pub(super) fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 }
}

/// Whether an excess is more than chance, and more than a few requests.
pub(super) fn is_excess(weight: CellWeight) -> bool {
    if weight.variance <= 0.0 {
        return weight.excess > 0.0;
    }
    weight.excess >= FEWEST && weight.excess >= SIGMAS * weight.doubt.max(0.0).sqrt()
}

/// The weights of the cells.
pub(super) fn weights(cells: &[WhyCell], difference: Difference) -> Vec<CellWeight> {
    let total = |of: fn(&WhyCell) -> f64| cells.iter().map(of).sum::<f64>();
    // without a good time nothing is expected to fail
    let usual = ratio(total(|cell| cell.good.failed), total(|cell| cell.good.all));
    let highest = |of: &dyn Fn(&WhyCell) -> f64| cells.iter().map(of).fold(0.0, f64::max);
    let weight = |cell: &WhyCell| {
        let (good, bad) = (cell.good, cell.bad);
        let (excess, rest, variance, doubt, traffic) = match difference {
            Difference::Failed => {
                let expected = (good.failed + PRIOR * usual) / (good.all + PRIOR);
                let excess = bad.failed - bad.all * expected;
                // Poisson noise of the expected failures, and the doubt about their ratio
                let unknown = bad.all * bad.all * expected * (1.0 - expected).max(0.0) / (good.all + PRIOR);
                let doubt = bad.all * expected + unknown;
                (excess, bad.all - excess, bad.failed + doubt, doubt, bad.all)
            }
            Difference::Risen => {
                (bad.all - good.all, good.all, bad.all + good.all, bad.all + good.all, bad.all)
            }
            Difference::Fallen => {
                (good.all - bad.all, bad.all, bad.all + good.all, bad.all + good.all, good.all)
            }
            Difference::Higher => {
                let most = highest(&|cell| cell.bad.all - cell.good.all);
                let excess = bad.all - good.all;
                (excess, (most - excess).max(0.0), 0.0, 0.0, 1.0)
            }
            Difference::Lower => {
                let most = highest(&|cell| cell.good.all - cell.bad.all);
                let excess = good.all - bad.all;
                (excess, (most - excess).max(0.0), 0.0, 0.0, 1.0)
            }
        };
        CellWeight {
            excess,
            rest,
            variance,
            doubt,
            traffic,
            good: good.all,
            bad: bad.all,
            failed: bad.failed,
        }
    };
    cells.iter().map(weight).collect()
}

/// A set of cells, as bits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cells(Vec<u64>);

impl Cells {
    pub(super) fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    pub(super) fn insert(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    pub(super) fn or(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a | b).collect())
    }

    pub(super) fn without(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & !b).collect())
    }

    pub(super) fn sum(&self, weights: &[CellWeight]) -> CellWeight {
        let mut sum = CellWeight::default();
        for (block, word) in self.0.iter().enumerate() {
            let mut left = *word;
            while left != 0 {
                let at = block * 64 + left.trailing_zeros() as usize;
                sum = sum.plus(weights.get(at).copied().unwrap_or_default());
                left &= left - 1;
            }
        }
        sum
    }
}
