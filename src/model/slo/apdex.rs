//! Apdex: how many users were served quickly enough, those served half quickly counting half.

use super::objective::Objective;

/// An Apdex score, 0 to 1.
///
/// Source: apdex.org, "Apdex Technical Specification": `(satisfied + tolerating / 2) / total`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Apdex(f64);

/// A score in a word. Ordered: the worst is the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grade {
    /// Below 0.50.
    Unacceptable,
    /// From 0.50.
    Poor,
    /// From 0.70.
    Fair,
    /// From 0.85.
    Good,
    /// From 0.94.
    Excellent,
}

impl Grade {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unacceptable => "unacceptable",
            Self::Poor => "poor",
            Self::Fair => "fair",
            Self::Good => "good",
            Self::Excellent => "excellent",
        }
    }
}

impl Apdex {
    /// From counts, or rates, over the same lookback: `satisfied` took up to t, `tolerating` more than t and up to 4t, the rest of
    /// `total` (errors too) is frustrated.
    ///
    /// `None` without traffic and for what cannot be: a score is never made up.
    pub fn of_counts(satisfied: f64, tolerating: f64, total: f64) -> Option<Self> {
        let is_count = |count: f64| count.is_finite() && count >= 0.0;
        // rates of several series add up to a little more than their total
        let fits = satisfied + tolerating <= total * (1.0 + 1e-9);
        (is_count(satisfied) && is_count(tolerating) && total.is_finite() && total > 0.0 && fits)
            .then(|| Self(((satisfied + tolerating / 2.0) / total).clamp(0.0, 1.0)))
    }

    /// From cumulative buckets, of which the tolerated one already holds the satisfied: `(le_t + le_4t) / 2 / total`.
    ///
    /// Without a tolerated bound, `le_t` over all. `None` as for [`Self::of_counts`].
    pub fn of_cumulative(satisfied: f64, tolerated: Option<f64>, total: f64) -> Option<Self> {
        Self::of_counts(satisfied, tolerated.map_or(0.0, |tolerated| tolerated - satisfied), total)
    }

    /// The score, 0 to 1.
    pub fn score(self) -> f64 {
        self.0
    }

    /// The score in a word.
    pub fn grade(self) -> Grade {
        match self.0 {
            score if score >= 0.94 => Grade::Excellent,
            score if score >= 0.85 => Grade::Good,
            score if score >= 0.70 => Grade::Fair,
            score if score >= 0.50 => Grade::Poor,
            _ => Grade::Unacceptable,
        }
    }

    /// Whether, as a success ratio, it burns the budget faster than `factor`: `apdex < 1 - f * (1 - T)`.
    pub fn violates(self, objective: Objective, factor: f64) -> bool {
        self.0 < Self::least(objective, factor)
    }

    /// The score below which the budget burns faster than `factor`; below zero if no score does.
    pub fn least(objective: Objective, factor: f64) -> f64 {
        1.0 - factor * objective.budget()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
    }

    /// SLO.md §6: 820 and 970 of 1000; the usual mistake gives 1.305.
    #[test]
    fn the_tolerated_bucket_holds_the_satisfied() {
        let score = Apdex::of_cumulative(820.0, Some(970.0), 1000.0).unwrap();
        assert!(near(score.score(), 0.895));
        assert_eq!(Apdex::of_counts(820.0, 150.0, 1000.0), Some(score));
        assert!(near((820.0 + 970.0 / 2.0) / 1000.0, 1.305));
        assert_eq!(Apdex::of_counts(820.0, 970.0, 1000.0), None);
        // without a tolerated bound
        assert!(near(Apdex::of_cumulative(820.0, None, 1000.0).unwrap().score(), 0.82));
    }

    /// SLO.md §6: T = 0.997, f = 14.4.
    #[test]
    fn as_an_slo_it_is_a_success_ratio() {
        let objective = Objective::ratio("0.997").unwrap();
        assert!(near(Apdex::least(objective, 14.4), 0.9568));
        let score = |satisfied| Apdex::of_counts(satisfied, 0.0, 1000.0).unwrap();
        assert!(score(956.0).violates(objective, 14.4) && !score(957.0).violates(objective, 14.4));
    }

    /// SLO.md §6, words.
    #[test]
    fn a_score_has_a_word() {
        for (good, word) in [
            (940.0, "excellent"),
            (939.0, "good"),
            (850.0, "good"),
            (849.0, "fair"),
            (700.0, "fair"),
            (699.0, "poor"),
            (500.0, "poor"),
            (499.0, "unacceptable"),
        ] {
            assert_eq!(Apdex::of_counts(good, 0.0, 1000.0).unwrap().grade().word(), word, "{good}");
        }
        assert!(Grade::Unacceptable < Grade::Excellent);
    }

    #[test]
    fn without_traffic_there_is_no_score() {
        for (satisfied, tolerating, total) in
            [(0.0, 0.0, 0.0), (1.0, 0.0, f64::NAN), (f64::NAN, 0.0, 1.0), (-1.0, 0.0, 1.0), (0.0, -1.0, 5.0)]
        {
            assert_eq!(Apdex::of_counts(satisfied, tolerating, total), None);
        }
        assert_eq!(Apdex::of_cumulative(5.0, Some(4.0), 9.0), None);
    }

    proptest! {
        #[test]
        fn a_score_lies_between_0_and_1(satisfied in 0.0..1e9_f64, tolerating in 0.0..1e9_f64, rest in 0.0..1e9_f64) {
            if let Some(apdex) = Apdex::of_counts(satisfied, tolerating, satisfied + tolerating + rest) {
                prop_assert!((0.0..=1.0).contains(&apdex.score()));
            }
        }
    }
}
