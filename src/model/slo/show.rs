//! Formats the numbers of SLOs for display. A value that is not a number is shown as a dash, never as `NaN`.

use std::time::Duration;

use super::super::duration;
use super::exhaustion::Exhaustion;
use super::objective::Objective;

/// Shown for unknown values; never for zero.
const UNKNOWN: &str = "-";

/// An SLI in percent, with at least 2 decimals and as many as the objective needs to distinguish an exhausted budget from a full
/// one. Truncated, not rounded: 99.9996 % is never shown as 100 %. A value outside 0 to 1 gives a dash.
pub fn sli(ratio: f64, objective: Objective) -> String {
    if !(-1e-9..=1.0 + 1e-9).contains(&ratio) {
        return UNKNOWN.into();
    }
    let ratio = ratio.clamp(0.0, 1.0);
    let decimals = decimals(objective);
    let whole = 10_f64.powi(i32::try_from(decimals).unwrap_or(2) + 2);
    // 0.999 is slightly less in binary and must not become 99.899 %
    let noise = (whole * 4.0 * f64::EPSILON).max(1e-6);
    let units = (ratio * whole + noise).floor();
    let units = if ratio < 1.0 { units.min(whole - 1.0) } else { units };
    format!("{:.decimals$}%", units / whole * 100.0)
}

/// `max(2, -log10(B))`, rounded up: 2 at 99 %, 3 at 99.9 %, 4 at 99.99 %.
fn decimals(objective: Objective) -> usize {
    let budget = 1_000_000_000 - objective.parts_per_billion();
    let needed = (0..9).scan(budget, |parts, _| {
        let small = *parts < 1_000_000_000;
        *parts = parts.saturating_mul(10);
        Some(small)
    });
    needed.take_while(|small| *small).count().max(2)
}

/// A burn rate: two significant digits below 10 (`1.2x`, `0.050x`), a whole number above (`14x`).
pub fn burn(rate: f64) -> String {
    match rate {
        _ if !rate.is_finite() || rate < 0.0 => UNKNOWN.into(),
        0.0 => "0x".into(),
        _ if rate < 0.001 => "<0.001x".into(),
        _ if rate < 0.009_95 => format!("{rate:.4}x"),
        _ if rate < 0.0995 => format!("{rate:.3}x"),
        _ if rate < 0.995 => format!("{rate:.2}x"),
        _ if rate < 9.95 => format!("{rate:.1}x"),
        _ => format!("{rate:.0}x"),
    }
}

/// The factor of a burn-rate condition, with up to four decimals: `14.4x`, `0.9333x`.
pub fn factor(factor: f64) -> String {
    if !factor.is_finite() {
        return UNKNOWN.into();
    }
    format!("{}x", (factor * 1e4).round() / 1e4)
}

/// The share of a budget that is left: whole percent (`24%`), one decimal below 10 (`3.7%`), negative values down to `-999%`.
///
/// A share other than zero is never shown as zero: `<0.1%`, `-0.1%`.
pub fn left(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        // more than the whole budget cannot be left
        _ if percent.is_nan() || share > 1.0 + 1e-9 => UNKNOWN.into(),
        0.0 => "0.0%".into(),
        _ if percent < -999.5 => "<-999%".into(),
        _ if percent > 0.0 && percent < 0.05 => "<0.1%".into(),
        _ if percent < 0.0 && percent > -0.05 => "-0.1%".into(),
        _ if percent.abs() < 9.95 => format!("{percent:.1}%"),
        _ => format!("{percent:.0}%"),
    }
}

/// When a budget is exhausted: `11.9 h`, `exhausted`, `not before the reset`; a dash if unknown.
pub fn exhaustion(exhaustion: Option<Exhaustion>) -> String {
    match exhaustion {
        None => UNKNOWN.into(),
        Some(Exhaustion::Exhausted) => "exhausted".into(),
        Some(Exhaustion::In(after)) => time(after),
        Some(Exhaustion::NotWithinWindow(window)) => format!("not within {}", duration::short(window)),
        Some(Exhaustion::NotBeforeReset(_)) => "not before the reset".into(),
        Some(Exhaustion::Never) => "never".into(),
    }
}

/// The same, short, for a table column: `11.9 h`, `>30.0 d`, `spent`, `reset`, `never`. A time beyond the window is shown as `>`
/// and the window's length, because errors leave a rolling window meanwhile.
pub fn exhausted_in(exhaustion: Option<Exhaustion>, window: Duration) -> String {
    match exhaustion {
        None => UNKNOWN.into(),
        Some(Exhaustion::Exhausted) => "spent".into(),
        Some(Exhaustion::In(after)) if after > window => format!(">{}", time(window)),
        Some(Exhaustion::In(after)) => time(after),
        Some(Exhaustion::NotWithinWindow(window)) => format!(">{}", time(window)),
        Some(Exhaustion::NotBeforeReset(_)) => "reset".into(),
        Some(Exhaustion::Never) => "never".into(),
    }
}

/// How much of a window has data: `6d of 30d`. With `at_most` the share is an upper bound: `<6h of 30d`.
pub fn covered(share: f64, at_most: bool, window: Duration) -> String {
    let known = Duration::try_from_secs_f64(window.as_secs_f64() * share).unwrap_or(window);
    let sign = if at_most { "<" } else { "" };
    format!("{sign}{} of {}", duration::short(known), duration::short(window))
}

/// A future time in one unit: `42 min`, `11.9 h`, `2.4 d`, `240 d`. Hours up to two days.
pub fn time(duration: Duration) -> String {
    let minutes = duration.as_secs_f64() / 60.0;
    match minutes {
        _ if minutes < 1.0 => "<1 min".into(),
        _ if minutes < 59.5 => format!("{minutes:.0} min"),
        _ if minutes < 48.0 * 60.0 => format!("{:.1} h", minutes / 60.0),
        _ if minutes < 99.95 * 1440.0 => format!("{:.1} d", minutes / 1440.0),
        _ if minutes < 1e4 * 1440.0 => format!("{:.0} d", minutes / 1440.0),
        _ => ">10000 d".into(),
    }
}

/// A number of events, truncated to a whole number, with commas: `9,815`. Below 10 with one decimal if it is not whole: `7.2`.
pub fn events(count: f64) -> String {
    if !count.is_finite() {
        return UNKNOWN.into();
    }
    let cut = count.trunc();
    if count.abs() < 10.0 && (count - cut).abs() >= 0.05 {
        return format!("{count:.1}");
    }
    let digits = format!("{:.0}", cut.abs());
    let sign = if cut < 0.0 { "-" } else { "" };
    let grouped = digits.char_indices().fold(String::new(), |mut text, (at, digit)| {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
        text
    });
    format!("{sign}{grouped}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn objective(percent: &str) -> Objective {
        Objective::percent(percent).unwrap()
    }

    /// SLO.md §13 and §4: 2 decimals at 99 %, 3 at 99.9 %, 4 at 99.99 %; cut.
    #[test]
    fn an_sli_is_cut_and_not_rounded() {
        for (ratio, target, text) in [
            (0.999_238_1, "99.9", "99.923%"),
            (0.999_238_1, "99", "99.92%"),
            (0.999_238_1, "99.99", "99.9238%"),
            (0.999_996, "99.9", "99.999%"),
            (0.999_996, "99", "99.99%"),
            (0.999_999_999_999, "99.9", "99.999%"),
            (0.999, "99.9", "99.900%"),
            (0.29, "99", "29.00%"),
            (0.57, "99.9", "57.000%"),
            (1.0, "99.9", "100.000%"),
            (0.0, "99.9", "0.000%"),
            (0.5, "90", "50.00%"),
            (0.9, "99.5", "90.000%"),
            (0.9, "99.9999999", "90.000000000%"),
            (1.5, "99", "-"),
            (-1e-17, "99", "0.00%"),
            (f64::NAN, "99", "-"),
        ] {
            assert_eq!(sli(ratio, objective(target)), text, "{ratio} {target}");
        }
    }

    /// SLO.md §13: 2 significant digits under 10, whole above.
    #[test]
    fn a_burn_has_two_digits() {
        for (rate, text) in [
            (1.2, "1.2x"),
            (1.0, "1.0x"),
            (0.996, "1.0x"),
            (0.5, "0.50x"),
            (0.05, "0.050x"),
            (0.001_23, "0.0012x"),
            (0.0001, "<0.001x"),
            (0.0, "0x"),
            (-0.0, "0x"),
            (9.94, "9.9x"),
            (9.96, "10x"),
            (14.4, "14x"),
            (17.1875, "17x"),
            (1000.0, "1000x"),
            (-1.0, "-"),
            (f64::NAN, "-"),
            (f64::INFINITY, "-"),
        ] {
            assert_eq!(burn(rate), text, "{rate}");
        }
    }

    /// SLO.md §13: whole percent, one decimal under 10 %, negative in full to -999 %, then "<-999%".
    #[test]
    fn what_is_left_is_a_percent() {
        for (share, text) in [
            (0.238_06, "24%"),
            (0.699_07, "70%"),
            (1.0, "100%"),
            (0.0999, "10%"),
            (0.0372, "3.7%"),
            (0.0, "0.0%"),
            (0.0001, "<0.1%"),
            (-0.0001, "-0.1%"),
            (-0.052, "-5.2%"),
            (-0.1864, "-19%"),
            (-9.05, "-905%"),
            (-9.99, "-999%"),
            (-10.0, "<-999%"),
            (f64::NEG_INFINITY, "<-999%"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(left(share), text, "{share}");
        }
    }

    /// SLO.md §13: "11.9 h", "2.4 d".
    #[test]
    fn exhaustion_is_one_number_with_a_unit_or_words() {
        let hours = |hours: f64| Some(Exhaustion::In(Duration::try_from_secs_f64(hours * 3600.0).unwrap()));
        let month = Duration::from_secs(30 * 86_400);
        for (when, text) in [
            (hours(11.9), "11.9 h"),
            (hours(28.6), "28.6 h"),
            (hours(57.1), "2.4 d"),
            (hours(0.7), "42 min"),
            (hours(0.999), "1.0 h"),
            (hours(0.001), "<1 min"),
            (hours(24.0 * 240.0), "240 d"),
            (hours(1e9), ">10000 d"),
            (Some(Exhaustion::Exhausted), "exhausted"),
            (Some(Exhaustion::NotWithinWindow(month)), "not within 30d"),
            (Some(Exhaustion::NotBeforeReset(month)), "not before the reset"),
            (Some(Exhaustion::Never), "never"),
            (None, "-"),
        ] {
            assert_eq!(exhaustion(when), text);
        }
    }

    /// SLO.md §4 and §7: 9,815 events left; 41,230,118 in all; a budget of 7.2.
    #[test]
    fn events_have_commas() {
        for (count, text) in [
            (9815.118, "9,815"),
            (41_230_118.0, "41,230,118"),
            (100.0, "100"),
            (7.2, "7.2"),
            (7.0, "7"),
            (0.0, "0"),
            (-0.0, "0"),
            (-1234.9, "-1,234"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(events(count), text, "{count}");
        }
    }

    proptest! {
        #[test]
        fn no_number_that_is_none_reaches_the_screen(bits: u64, parts in 1..1_000_000_000_u32, seconds: u64) {
            let value = f64::from_bits(bits);
            let objective = Objective::from_ratio(f64::from(parts) / 1e9).unwrap();
            let when = Exhaustion::earliest(value, value, Duration::from_secs(seconds));
            for text in [sli(value, objective), burn(value), left(value), events(value), exhaustion(when)] {
                prop_assert!(!text.is_empty() && !text.contains("NaN") && !text.contains("inf"), "{}", text);
            }
        }

        #[test]
        fn an_sli_is_never_shown_better_than_it_is(ratio in 0.0..1.0_f64, parts in 1..1_000_000_000_u32) {
            let objective = Objective::from_ratio(f64::from(parts) / 1e9).unwrap();
            let shown: f64 = sli(ratio, objective).trim_end_matches('%').parse().unwrap();
            prop_assert!(shown < 100.0 && shown <= ratio * 100.0 + 1e-6);
            prop_assert!(ratio * 100.0 - shown <= 0.01 + 1e-9);
        }
    }
}
