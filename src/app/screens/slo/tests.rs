use super::*;
use crate::model::slo::{Burn, Measured, SloState};

fn standing(lookbacks: &[u64]) -> Standing {
    let burn = |seconds: &u64| Burn {
        lookback: Duration::from_secs(*seconds),
        measured: Measured::Ratio { error: 0.001, events: None },
        rate: Some(1.0),
    };
    Standing {
        labels: Labels::default(),
        state: SloState::Fine,
        doubt: None,
        window: Measured::Unknown,
        is_time_weighted: false,
        spent: None,
        burns: lookbacks.iter().map(burn).collect(),
        pairs: Vec::new(),
        exhaustion: None,
        covered: None,
    }
}

#[test]
fn the_basis_goes_round() {
    let mut open = Open::default();
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(open.basis().as_secs());
        open.next_basis();
    }
    assert_eq!(seen, [3600, 21_600, 300, 3600]);
}

#[test]
fn where_the_usual_lookbacks_are_not_measured_the_nearest_ones_stand_in() {
    let lookbacks = |known: &[u64]| -> Vec<u64> {
        bases(&standing(known)).into_iter().map(|burn| burn.lookback.as_secs()).collect()
    };
    assert_eq!(lookbacks(&[300, 1800, 3600, 7200, 21_600, 86_400]), [300, 3600, 21_600]);
    assert_eq!(lookbacks(&[180, 900, 1800, 10_800, 43_200]), [180, 1800, 10_800]);
    assert_eq!(lookbacks(&[3600]), [3600]);
    assert!(lookbacks(&[]).is_empty());
}

#[test]
fn slots_are_hours_of_all_usual_windows_and_never_too_many() {
    let now: Timestamp = "2026-01-14T02:52:07Z".parse().unwrap();
    for (days, seconds, count) in [(7, 3600, 168), (30, 3600, 720), (90, 3600, 2160), (365, 21_600, 1460)] {
        let span = slots_span(&Window::Rolling(Duration::from_secs(days * 86_400)), now);
        assert_eq!((span.step().as_secs(), span.len() - 1), (seconds, count), "{days} days");
    }
    let short = slots_span(&Window::Rolling(HOUR), now);
    assert_eq!((short.step().as_secs(), short.len() - 1), (300, 12));
}
