//! Low traffic: the number of events below which a burn rate means little.

use super::objective::Objective;

/// The fewest events in a lookback for which a single failure cannot exceed the factor: `1 / (f * B)`, rounded up.
///
/// `None` for a factor of zero or less. Source: SRE Workbook, "Low-Traffic Services and Error Budget Alerting".
pub fn fewest_events(objective: Objective, factor: f64) -> Option<f64> {
    let events = objective.max_burn_rate() / factor;
    // a computed 100.00000000000001 means 100
    (events.is_finite() && events > 0.0).then(|| (events * (1.0 - 1e-12)).ceil())
}

/// Whether a burn rate over this many events is shown as "few events", with the counts beside it: one failure alone would exceed
/// the factor. Pass known counts only.
pub fn are_few(events: f64, objective: Objective, factor: f64) -> bool {
    fewest_events(objective, factor).is_some_and(|fewest| events < fewest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// SLO.md §7, the first point.
    #[test]
    fn so_many_events_are_needed() {
        for (percent, expected) in [
            ("99", [7.0, 17.0, 34.0, 100.0]),
            ("99.9", [70.0, 167.0, 334.0, 1000.0]),
            ("99.99", [695.0, 1667.0, 3334.0, 10_000.0]),
        ] {
            let objective = Objective::percent(percent).unwrap();
            let got = [14.4, 6.0, 3.0, 1.0].map(|factor| fewest_events(objective, factor).unwrap());
            assert!(
                got.iter().zip(expected).all(|(a, b): (&f64, f64)| (a - b).abs() < 0.5),
                "{percent} {got:?}"
            );
        }
        let objective = Objective::percent("99.9").unwrap();
        assert!(are_few(69.0, objective, 14.4) && !are_few(70.0, objective, 14.4));
        assert!(!are_few(f64::NAN, objective, 14.4));
        assert_eq!([0.0, -1.0, f64::NAN].map(|factor| fewest_events(objective, factor)), [None; 3]);
    }

    proptest! {
        #[test]
        fn one_failure_among_enough_events_does_not_exceed_the_factor(
            parts in 1..1_000_000_000_u32, factor in 0.1..100.0_f64,
        ) {
            let objective = Objective::from_ratio(f64::from(parts) / 1e9).unwrap();
            let fewest = fewest_events(objective, factor).unwrap();
            let burn = |events: f64| 1.0 / events / objective.budget();
            prop_assert!(fewest >= 1.0 && burn(fewest) <= factor * (1.0 + 1e-9));
            prop_assert!(fewest < 2.0 || burn(fewest - 1.0) > factor * (1.0 - 1e-9));
        }
    }
}
