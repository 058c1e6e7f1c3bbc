//! The objective: the share of events that must be good, stored without rounding errors.

/// Parts per billion in a ratio of 1.
const PARTS_PER_ONE: u64 = 1_000_000_000;

/// How many characters of an invalid text an error message repeats.
const MAX_QUOTED_CHARS: usize = 40;

/// Why a text or number is not a valid objective.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectiveError {
    #[error(
        "{0:?} is not a number; write an objective as a plain decimal, such as 99.9 (percent) or 0.999 (ratio)"
    )]
    NotANumber(String),
    /// Zero or negative.
    #[error("an objective of {0} allows everything to fail; it must be above 0 and below 100 %")]
    NotPositive(String),
    /// Exactly 100 %.
    #[error("an objective of {0} leaves no error budget, so there is no burn rate; use less, such as 99.9 %")]
    NoBudget(String),
    /// More than 100 %.
    #[error("an objective of {0} is more than 100 %; a percent must be below 100 and a ratio below 1")]
    AboveOneHundredPercent(String),
    /// More decimals than a billionth.
    #[error(
        "an objective of {0} is finer than a billionth; use at most 7 decimals in a percent, 9 in a ratio"
    )]
    TooPrecise(String),
}

/// The share of events that must be good: above 0 and below 1.
///
/// Stored as whole parts per billion, since `1 - 0.999` in binary is 0.0010000000000000009.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Objective(u64);

impl Objective {
    /// Parses a percentage such as `99.9` or `99.9%`, as Sloth and Pyrra write it.
    ///
    /// # Errors
    /// [`ObjectiveError`] with the invalid text.
    pub fn percent(text: &str) -> Result<Self, ObjectiveError> {
        let trimmed = text.trim();
        read(trimmed.strip_suffix('%').map_or(trimmed, str::trim_end), 7, &format!("{} %", clip(trimmed)))
    }

    /// Parses a ratio such as `0.999`, as `OpenSLO` writes it in `target`.
    ///
    /// # Errors
    /// [`ObjectiveError`] with the invalid text.
    pub fn ratio(text: &str) -> Result<Self, ObjectiveError> {
        let trimmed = text.trim();
        read(trimmed, 9, &clip(trimmed))
    }

    /// Converts a number that a source computed, such as 0.9990000000000001; rounded to parts per billion.
    ///
    /// # Errors
    /// [`ObjectiveError`] if the number is not finite, not between 0 and 1, or rounds to 0 or 1.
    pub fn from_ratio(ratio: f64) -> Result<Self, ObjectiveError> {
        let shown = ratio.to_string();
        if !ratio.is_finite() {
            return Err(ObjectiveError::NotANumber(shown));
        }
        if ratio <= 0.0 {
            return Err(ObjectiveError::NotPositive(shown));
        }
        let parts = (ratio * PARTS_PER_ONE as f64).round();
        if parts > PARTS_PER_ONE as f64 {
            return Err(ObjectiveError::AboveOneHundredPercent(shown));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number between 0 and a billion"
        )]
        match parts as u64 {
            PARTS_PER_ONE if ratio >= 1.0 => Err(ObjectiveError::NoBudget(shown)),
            0 | PARTS_PER_ONE => Err(ObjectiveError::TooPrecise(shown)),
            parts => Ok(Self(parts)),
        }
    }

    /// The objective in parts per billion, 1 to 999,999,999.
    pub const fn parts_per_billion(self) -> u64 {
        self.0
    }

    /// The objective as a ratio, between 0 and 1, both excluded.
    pub fn as_ratio(self) -> f64 {
        self.0 as f64 / PARTS_PER_ONE as f64
    }

    /// The error budget `B`: the share of events that may be bad, 0 to 1, both excluded. The `f64` nearest to the exact value.
    pub fn budget(self) -> f64 {
        (PARTS_PER_ONE - self.0) as f64 / PARTS_PER_ONE as f64
    }

    /// The greatest possible burn rate, `1 / B`: every event is bad. 1000 at 99.9 %.
    pub fn max_burn_rate(self) -> f64 {
        PARTS_PER_ONE as f64 / (PARTS_PER_ONE - self.0) as f64
    }

    /// Whether a percentage was probably meant as a ratio: it is below one percent.
    pub const fn is_likely_a_ratio(self) -> bool {
        self.0 < PARTS_PER_ONE / 100
    }

    /// The objective in percent, without the sign and without trailing zeros: `99.9`.
    pub fn percent_text(self) -> String {
        decimal(self.0, 7)
    }

    /// The objective as a ratio, without trailing zeros: `0.999`.
    pub fn ratio_text(self) -> String {
        decimal(self.0, 9)
    }
}

/// Parses a plain decimal number with at most `decimals` digits after the point, as parts of `10^decimals`.
fn read(text: &str, decimals: usize, shown: &str) -> Result<Objective, ObjectiveError> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return Err(ObjectiveError::NotANumber(clip(text)));
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if negative || (whole.is_empty() && fraction.is_empty()) {
        return Err(ObjectiveError::NotPositive(shown.to_owned()));
    }
    // the size is checked before the number of decimals: 100.00000001 is too large, not too fine
    let above = || ObjectiveError::AboveOneHundredPercent(shown.to_owned());
    let whole: u64 = if whole.len() > 3 { Err(above()) } else { Ok(whole.parse().unwrap_or(0)) }?;
    let unit = (0..decimals).fold(1_u64, |unit, _| unit * 10);
    if whole * unit > PARTS_PER_ONE || (whole * unit == PARTS_PER_ONE && !fraction.is_empty()) {
        return Err(above());
    }
    if fraction.len() > decimals {
        return Err(ObjectiveError::TooPrecise(shown.to_owned()));
    }
    let fraction: u64 = format!("{fraction:0<decimals$}").parse().unwrap_or(0);
    match whole * unit + fraction {
        PARTS_PER_ONE => Err(ObjectiveError::NoBudget(shown.to_owned())),
        parts => Ok(Objective(parts)),
    }
}

/// The first characters of a text, for a message.
fn clip(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED_CHARS) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Parts as a decimal number with `decimals` digits after the point, without trailing zeros.
fn decimal(parts: u64, decimals: usize) -> String {
    let digits = format!("{parts:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at_checked(digits.len() - decimals).unwrap_or((&digits, ""));
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// SLO.md §1: parsed as decimal text into parts per billion.
    #[test]
    fn decimal_text_is_read_exactly() {
        for (percent, ratio, parts) in [
            ("99.9", "0.999", 999_000_000),
            ("99.9%", ".999", 999_000_000),
            (" 99.90 % ", "0.9990000000000", 999_000_000),
            ("99.9999999", "0.999999999", 999_999_999),
            ("0.0000001", "0.000000001", 1),
            ("90", "0.9", 900_000_000),
            ("099.", "00.99", 990_000_000),
        ] {
            assert_eq!(Objective::percent(percent).unwrap().parts_per_billion(), parts, "{percent}");
            assert_eq!(Objective::ratio(ratio).unwrap().parts_per_billion(), parts, "{ratio}");
        }
    }

    /// SLO.md §1: `1 - 0.999` and `(100 - 99.9)/100` both miss 0.001 in binary; this does not.
    #[test]
    fn the_budget_is_the_nearest_number_to_the_exact_one() {
        let bits = |number: f64| number.to_bits();
        assert_eq!(bits(1.0 - 0.999), bits(0.001_000_000_000_000_000_9));
        assert_eq!(bits((100.0 - 99.9) / 100.0), bits(0.000_999_999_999_999_943_2));
        assert_eq!(bits(Objective::percent("99.9").unwrap().budget()), bits(0.001));
        assert_eq!(bits(Objective::percent("99.95").unwrap().budget()), bits(0.0005));
        assert_eq!(bits(Objective::percent("99.9").unwrap().as_ratio()), bits(0.999));
    }

    /// SLO.md §3: the greatest possible burn is 10 at 90 % and 100 at 99 %.
    #[test]
    fn the_greatest_burn_is_one_over_the_budget() {
        for (percent, burn) in [("90", 10.0_f64), ("99", 100.0), ("99.9", 1000.0), ("50", 2.0)] {
            assert_eq!(
                Objective::percent(percent).unwrap().max_burn_rate().to_bits(),
                burn.to_bits(),
                "{percent}"
            );
        }
    }

    #[test]
    fn what_is_no_objective_is_refused_with_its_reason() {
        use ObjectiveError as E;
        let shown = |text: &str| text.to_owned();
        for (text, error) in [
            ("100", E::NoBudget(shown("100 %"))),
            ("100.000", E::NoBudget(shown("100.000 %"))),
            ("0", E::NotPositive(shown("0 %"))),
            ("-0.0", E::NotPositive(shown("-0.0 %"))),
            ("-5", E::NotPositive(shown("-5 %"))),
            ("100.00000001", E::AboveOneHundredPercent(shown("100.00000001 %"))),
            ("999", E::AboveOneHundredPercent(shown("999 %"))),
            ("18446744073709551617", E::AboveOneHundredPercent(shown("18446744073709551617 %"))),
            ("99.99999999", E::TooPrecise(shown("99.99999999 %"))),
            ("", E::NotANumber(shown(""))),
            (".", E::NotANumber(shown("."))),
            ("%", E::NotANumber(shown(""))),
            ("99,9", E::NotANumber(shown("99,9"))),
            ("9.99e1", E::NotANumber(shown("9.99e1"))),
            ("+99", E::NotANumber(shown("+99"))),
            ("--1", E::NotANumber(shown("--1"))),
            ("nan", E::NotANumber(shown("nan"))),
            ("٩٩", E::NotANumber(shown("٩٩"))),
        ] {
            assert_eq!(Objective::percent(text), Err(error), "{text}");
        }
        assert_eq!(Objective::ratio("1"), Err(E::NoBudget(shown("1"))));
        assert_eq!(Objective::ratio("99.9"), Err(E::AboveOneHundredPercent(shown("99.9"))));
        assert!(Objective::ratio(&"9".repeat(100_000)).unwrap_err().to_string().len() < 200);
        assert!(Objective::percent("100").unwrap_err().to_string().contains("leaves no error budget"));
    }

    #[test]
    fn a_number_that_a_source_worked_out_is_rounded_to_what_was_meant() {
        assert_eq!(Objective::from_ratio(0.999_000_000_000_000_1), Objective::ratio("0.999"));
        assert_eq!(Objective::from_ratio(1.0 - 0.000_999_999_999_999_943_2), Objective::ratio("0.999"));
        assert!(matches!(Objective::from_ratio(f64::NAN), Err(ObjectiveError::NotANumber(_))));
        assert!(matches!(Objective::from_ratio(f64::INFINITY), Err(ObjectiveError::NotANumber(_))));
        assert!(matches!(Objective::from_ratio(-0.0), Err(ObjectiveError::NotPositive(_))));
        assert!(matches!(Objective::from_ratio(1e-300), Err(ObjectiveError::TooPrecise(_))));
        assert!(matches!(Objective::from_ratio(0.999_999_999_9), Err(ObjectiveError::TooPrecise(_))));
        assert!(matches!(Objective::from_ratio(1.0 + f64::EPSILON), Err(ObjectiveError::NoBudget(_))));
        assert!(matches!(Objective::from_ratio(99.9), Err(ObjectiveError::AboveOneHundredPercent(_))));
    }

    /// SLO.md §1: a Pyrra target below 1 is almost certainly a ratio by mistake.
    #[test]
    fn a_percent_below_one_looks_like_a_ratio() {
        assert!(Objective::percent("0.999").unwrap().is_likely_a_ratio());
        assert!(!Objective::percent("1").unwrap().is_likely_a_ratio());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(parts in 1..PARTS_PER_ONE) {
            let objective = Objective(parts);
            prop_assert_eq!(Objective::percent(&objective.percent_text()), Ok(objective));
            prop_assert_eq!(Objective::ratio(&objective.ratio_text()), Ok(objective));
            prop_assert_eq!(Objective::from_ratio(objective.as_ratio()), Ok(objective));
            prop_assert!((objective.budget() * objective.max_burn_rate() - 1.0).abs() < 1e-12);
        }

        #[test]
        fn no_text_breaks_it(text in "\\PC*|-?[0-9.]{0,24}%?") {
            for read in [Objective::percent(&text), Objective::ratio(&text)].into_iter().flatten() {
                prop_assert!((1..PARTS_PER_ONE).contains(&read.parts_per_billion()));
            }
        }

        #[test]
        fn no_number_breaks_it(bits: u64) {
            if let Ok(objective) = Objective::from_ratio(f64::from_bits(bits)) {
                prop_assert!((1..PARTS_PER_ONE).contains(&objective.parts_per_billion()));
            }
        }
    }
}
