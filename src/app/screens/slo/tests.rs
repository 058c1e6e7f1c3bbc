use super::*;
use crate::model::slo::{MeasuredRatio, SloState};

fn group_status(lookbacks: &[u64]) -> GroupStatus {
    let burn = |seconds: &u64| BurnReading {
        lookback: Duration::from_secs(*seconds),
        measured: MeasuredRatio::Ratio { error: 0.001, events: None },
        rate: Some(1.0),
    };
    GroupStatus {
        labels: Labels::default(),
        state: SloState::Fine,
        doubt: None,
        window: MeasuredRatio::Unknown,
        is_time_weighted: false,
        spent: None,
        burns: lookbacks.iter().map(burn).collect(),
        pairs: Vec::new(),
        exhaustion: None,
        covered: None,
        covered_at_most: false,
    }
}

#[test]
fn the_basis_goes_round_all_that_is_measured() {
    let all = group_status(&[300, 1800, 3600, 21_600, 259_200]);
    let mut basis = BASIS;
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(basis.as_secs());
        basis = next_basis(&all, basis).unwrap();
    }
    assert_eq!(seen, [3600, 21_600, 259_200, 300, 1800, 3600]);
    assert_eq!(next_basis(&group_status(&[]), BASIS), None);
}

#[test]
fn the_usual_lookbacks_or_the_nearest_ones_are_told_and_the_chosen_one() {
    let lookbacks = |known: &[u64], chosen| -> Vec<u64> {
        let chosen = Duration::from_secs(chosen);
        forecast_burns(&group_status(known), chosen).into_iter().map(|burn| burn.lookback.as_secs()).collect()
    };
    let all = [300, 1800, 3600, 7200, 21_600, 86_400];
    assert_eq!(lookbacks(&all, 3600), [300, 3600, 21_600]);
    assert_eq!(lookbacks(&all, 86_400), [300, 3600, 21_600, 86_400]);
    assert_eq!(lookbacks(&[180, 900, 1800, 10_800, 43_200], 3600), [180, 1800, 10_800]);
    assert_eq!(lookbacks(&[3600], 3600), [3600]);
    assert!(lookbacks(&[], 3600).is_empty());
}
