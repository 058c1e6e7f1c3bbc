//! The share of requests within a threshold out of a histogram's buckets, also where no bucket ends at the threshold.

/// The share of events within a threshold, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Within {
    /// A bucket ends at the threshold.
    Exact(f64),
    /// None does: the share lies between two bounds. Show `lower`, marked as approximate, and name `nearest`.
    Between {
        /// What is certain: the share in the bucket below.
        lower: f64,
        /// What it cannot exceed: the share in the bucket above.
        upper: f64,
        /// A straight line between the two; `None` if the bucket above has no end. Never to be shown as if it were measured.
        estimate: Option<f64>,
        /// The bound of the nearest bucket, to use as a threshold instead; `None` if there are none but `+Inf`.
        nearest: Option<f64>,
    },
}

impl Within {
    /// What can be claimed: the share, or its lower bound.
    pub fn certain(self) -> f64 {
        match self {
            Self::Exact(share) => share,
            Self::Between { lower, .. } => lower,
        }
    }
}

/// Whether two bounds are the same as numbers: one client writes `le="1"`, the next `le="1.0"`.
pub fn is_same_bound(a: f64, b: f64) -> bool {
    // `+Inf` is next to nothing but itself
    let near = (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
    if a.is_finite() && b.is_finite() { near } else { a.total_cmp(&b).is_eq() }
}

/// The share of `total` within `threshold`, from cumulative buckets (upper bound and count, in any order).
///
/// Seconds or whatever the histogram is in. `None` without traffic, without buckets and for a threshold that is no number.
pub fn within(buckets: &[(f64, f64)], threshold: f64, total: f64) -> Option<Within> {
    if !(total.is_finite() && total > 0.0) || threshold.is_nan() {
        return None;
    }
    let mut known: Vec<(f64, f64)> = buckets
        .iter()
        .copied()
        .filter(|(le, count)| !le.is_nan() && count.is_finite() && *count >= 0.0)
        .collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    if known.is_empty() {
        return None;
    }
    let share = |count: f64| (count / total).clamp(0.0, 1.0);
    if let Some((_, count)) = known.iter().find(|(le, _)| is_same_bound(*le, threshold)) {
        return Some(Within::Exact(share(*count)));
    }
    let below = known.iter().rfind(|(le, _)| *le < threshold).copied();
    let above = known.iter().find(|(le, _)| *le > threshold && le.is_finite()).copied();
    let lower = share(below.map_or(0.0, |(_, count)| count));
    let upper = above.map_or(1.0, |(_, count)| share(count)).max(lower);
    let from = below.map_or(0.0, |(le, _)| le);
    let estimate = above.map(|(to, _)| {
        let part = (threshold - from) / (to - from);
        // the sum may round to a little more than the bound
        let along = |part: f64| (lower + (upper - lower) * part.clamp(0.0, 1.0)).clamp(lower, upper);
        if part.is_finite() { along(part) } else { lower }
    });
    let distance = |le: &f64| (le - threshold).abs();
    let ends = [below, above].into_iter().flatten().map(|(le, _)| le).filter(|le| le.is_finite());
    let nearest = ends.min_by(|a, b| distance(a).total_cmp(&distance(b)));
    Some(Within::Between { lower, upper, estimate, nearest })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BUCKETS: [(f64, f64); 3] = [(0.25, 900.0), (0.5, 960.0), (f64::INFINITY, 1000.0)];

    /// SLO.md §2: no bucket at the threshold.
    #[test]
    fn between_two_buckets_only_bounds_are_known() {
        match within(&BUCKETS, 0.4, 1000.0) {
            Some(Within::Between { lower, upper, estimate: Some(estimate), nearest }) => {
                assert!((lower - 0.900).abs() < 1e-12 && (upper - 0.960).abs() < 1e-12);
                assert!((estimate - 0.936).abs() < 1e-12);
                assert_eq!(nearest, Some(0.5));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bucket_at_the_threshold_is_exact() {
        assert_eq!(within(&BUCKETS, "0.50".parse().unwrap(), 1000.0), Some(Within::Exact(0.96)));
        assert!(
            is_same_bound(f64::INFINITY, f64::INFINITY)
                && is_same_bound("1".parse().unwrap(), "1.0".parse().unwrap())
        );
        assert!(!is_same_bound(0.25, 0.5) && !is_same_bound(0.0, 1e-9));
    }

    #[test]
    fn beyond_the_last_bucket_and_before_the_first_there_is_one_neighbour() {
        let beyond = within(&BUCKETS, 2.0, 1000.0);
        let expected = Within::Between { lower: 0.96, upper: 1.0, estimate: None, nearest: Some(0.5) };
        assert_eq!(beyond, Some(expected));
        let before = within(&BUCKETS, 0.1, 1000.0).unwrap();
        assert!(
            matches!(before, Within::Between { nearest: Some(nearest), .. } if is_same_bound(nearest, 0.25))
        );
        assert!(before.certain().abs() < 1e-12);
        let only_all = within(&[(f64::INFINITY, 9.0)], 0.1, 9.0);
        assert_eq!(only_all, Some(Within::Between { lower: 0.0, upper: 1.0, estimate: None, nearest: None }));
        for (buckets, threshold, total) in
            [(&BUCKETS[..], 0.1, 0.0), (&BUCKETS, f64::NAN, 1.0), (&[], 0.1, 1.0), (&BUCKETS, 0.1, f64::NAN)]
        {
            assert_eq!(within(buckets, threshold, total), None);
        }
    }

    #[test]
    fn an_estimate_is_never_beyond_its_bounds_by_rounding() {
        let buckets =
            [(1.059_815_745_478_748_7e-271, 92_920.148_285_888_05), (-6.6e201, 30_239.442_109_491_67)];
        let Some(Within::Between { upper, estimate: Some(estimate), .. }) = within(&buckets, 0.0, 1e5) else {
            panic!("there are two buckets")
        };
        assert!(estimate <= upper);
    }

    proptest! {
        #[test]
        fn bounds_are_in_order_and_between_0_and_1(
            buckets in prop::collection::vec((prop::num::f64::ANY, 0.0..1e6_f64), 0..12), threshold in prop::num::f64::ANY,
        ) {
            match within(&buckets, threshold, 1e5) {
                Some(Within::Exact(share)) => prop_assert!((0.0..=1.0).contains(&share)),
                Some(Within::Between { lower, upper, estimate, .. }) => {
                    prop_assert!(0.0 <= lower && lower <= upper && upper <= 1.0);
                    prop_assert!(estimate.is_none_or(|estimate| (lower..=upper).contains(&estimate)));
                }
                None => prop_assert!(threshold.is_nan() || buckets.iter().all(|(le, _)| le.is_nan())),
            }
        }
    }
}
