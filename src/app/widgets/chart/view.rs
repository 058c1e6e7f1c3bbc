//! What charts show of their time, and how: chosen by the user, the same for all charts of a page.

use jiff::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChartView {
    /// The part of time that is shown, from its start to its end; None: all of it.
    pub part: Option<(Timestamp, Timestamp)>,
    /// The value cursor: the moment whose values the legend shows.
    pub cursor: Option<Timestamp>,
    /// Whether the value axis is logarithmic.
    pub is_logarithmic: bool,
    pub stacking: Stacking,
}

/// Whether series that are parts of a whole are drawn on top of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stacking {
    /// Each series from zero.
    #[default]
    Off,
    /// Each series on top of the one before; the highest line is the sum.
    Sums,
    /// The same, in shares of the sum at each time.
    Shares,
}

impl Stacking {
    /// The next one of the three, and after the last the first.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Off => Self::Sums,
            Self::Sums => Self::Shares,
            Self::Shares => Self::Off,
        }
    }

    /// For a message: `lines are stacked`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Off => "lines are not stacked",
            Self::Sums => "lines are stacked",
            Self::Shares => "lines are stacked as shares of their sum",
        }
    }
}
