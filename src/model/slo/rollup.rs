//! Several SLOs as one number, for a service or for a whole site.

/// The error ratio of several SLOs together, `sum(bad) / sum(total)`, from their counts, bad and all, over the same lookback.
///
/// Never the mean of their ratios, in which the smallest weighs as much as the largest. `None` without traffic and for what is
/// no count.
pub fn combined_error_ratio(counts: impl IntoIterator<Item = (f64, f64)>) -> Option<f64> {
    let (bad, total) = counts.into_iter().fold((0.0, 0.0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    let ratio = bad / total;
    (total > 0.0 && (0.0..=1.0).contains(&ratio)).then_some(ratio)
}

/// The weighted share of services that keep all their objectives at one moment, 0 to 1, from weights and whether they do.
///
/// `None` stands for a service of which nobody knows; it is left out. The availability over some time is the mean of this over
/// its minutes. Source: GitLab.com's service availability.
pub fn weighted_availability(services: impl IntoIterator<Item = (f64, Option<bool>)>) -> Option<f64> {
    let known = services.into_iter().filter_map(|(weight, holds)| holds.map(|holds| (weight, holds)));
    let (up, all) = known
        .filter(|(weight, _)| weight.is_finite() && *weight > 0.0)
        .fold((0.0, 0.0), |(up, all), (weight, holds)| (if holds { up + weight } else { up }, all + weight));
    (all > 0.0).then(|| up / all)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// SLO.md §7: 0.099 %, not the 1.506 % of the mean.
    #[test]
    fn a_service_is_the_ratio_of_sums() {
        let counts = [(120.0, 1_000_000.0), (900.0, 30_000.0)];
        let ratio = combined_error_ratio(counts).unwrap();
        assert!((ratio * 100.0 - 0.099).abs() < 5e-4);
        let mean = counts.iter().map(|(bad, total)| bad / total).sum::<f64>() / 2.0;
        assert!((mean * 100.0 - 1.506).abs() < 1e-9);
        assert_eq!(combined_error_ratio([]), None);
        assert_eq!(combined_error_ratio([(0.0, 0.0)]), None);
        assert_eq!(combined_error_ratio([(f64::NAN, 1.0), (0.0, 1.0)]), None);
    }

    /// SLO.md §7: only registry out.
    #[test]
    fn services_count_by_their_weight() {
        let of = |registry| {
            weighted_availability([(5.0, Some(true)), (5.0, Some(true)), (1.0, registry), (5.0, Some(true))])
        };
        assert_eq!(of(Some(false)), Some(0.9375));
        assert_eq!((of(Some(true)), of(None)), (Some(1.0), Some(1.0)));
        assert_eq!(weighted_availability([(5.0, None), (f64::NAN, Some(true)), (0.0, Some(true))]), None);
    }

    proptest! {
        #[test]
        fn together_they_are_between_the_best_and_the_worst(
            counts in prop::collection::vec((0.0..=1.0_f64, 1.0..1e9_f64), 1..20),
        ) {
            let ratio = combined_error_ratio(counts.iter().map(|(ratio, total)| (ratio * total, *total))).unwrap();
            let least = counts.iter().map(|count| count.0).fold(1.0, f64::min);
            let most = counts.iter().map(|count| count.0).fold(0.0, f64::max);
            prop_assert!(least - 1e-9 <= ratio && ratio <= most + 1e-9);
        }
    }
}
