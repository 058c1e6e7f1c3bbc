//! What a verb has to tell, as values first: facts, lists and notes. The formats beneath only lay it out.

pub(super) mod ansi;
pub(super) mod grid;
pub(super) mod json;
pub(super) mod markdown;
pub(super) mod svg;
pub(super) mod table;
pub(super) mod text;

use std::time::Duration;

use jiff::Timestamp;

use crate::model::health::{latency, percent};
use crate::model::labels::Labels;
use crate::model::remote::age;
use crate::model::text::clean;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Document {
    pub(super) context: String,
    pub(super) as_of: Timestamp,
    pub(super) facts: Vec<Fact>,
    pub(super) lists: Vec<List>,
    /// What is missing or in doubt, in words.
    pub(super) notes: Vec<String>,
    /// Whether data are missing, so that silence proves nothing.
    pub(super) is_partial: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fact {
    pub(super) key: &'static str,
    pub(super) title: &'static str,
    pub(super) value: Cell,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct List {
    pub(super) key: &'static str,
    pub(super) title: String,
    pub(super) columns: &'static [Column],
    /// Each as long as there are columns.
    pub(super) rows: Vec<Vec<Cell>>,
    /// Said where there is no row.
    pub(super) empty: &'static str,
    pub(super) layout: Layout,
}

impl List {
    /// The columns that people get to see, each with its place in the rows.
    fn shown(&self) -> Vec<(usize, &'static Column)> {
        let differs = |place: usize| {
            let mut cells = self.rows.iter().map(|row| row.get(place));
            let first = cells.next();
            cells.any(|cell| Some(cell) != first)
        };
        let is_shown = |(place, column): &(usize, &Column)| {
            !column.title.is_empty() && (!column.tells_apart || differs(*place))
        };
        self.columns.iter().enumerate().filter(is_shown).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Rows,
    /// A paragraph for each thing, headed by its first column.
    Blocks,
}

/// One property of the things in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// In JSON; empty: for people only.
    pub(super) key: &'static str,
    /// For people; empty: for programs only.
    pub(super) title: &'static str,
    /// Numbers stand at the right.
    pub(super) is_number: bool,
    /// Shown only where rows differ in it: what all of them have tells none from another.
    pub(super) tells_apart: bool,
}

impl Column {
    pub(super) const fn text(key: &'static str, title: &'static str) -> Self {
        Self { key, title, is_number: false, tells_apart: false }
    }

    pub(super) const fn number(key: &'static str, title: &'static str) -> Self {
        Self { key, title, is_number: true, tells_apart: false }
    }

    /// Only in JSON.
    pub(super) const fn hidden(key: &'static str) -> Self {
        Self { key, title: "", is_number: false, tells_apart: false }
    }

    /// For people only where rows differ in it.
    pub(super) const fn apart(key: &'static str, title: &'static str) -> Self {
        Self { key, title, is_number: false, tells_apart: true }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Not known; not zero.
    Nothing,
    Text(String),
    /// A word for people, true or false for programs.
    Switch(bool),
    Count(u64),
    /// Signed whole seconds.
    Offset(i64),
    /// 0 to 1.
    Ratio(f64),
    Number(f64),
    /// A number, and how people read it.
    Told(f64, String),
    /// Seconds of latency.
    Seconds(f64),
    /// Per second.
    Rate(f64),
    /// Since when; people see how long ago that is.
    Since(Timestamp),
    /// A moment to come, or just past; people see in how long that is, or how long ago.
    Moment(Timestamp),
    Texts(Vec<String>),
    Labels(Labels),
    /// For programs alone: each with its keys.
    Objects(Vec<Vec<(&'static str, Cell)>>),
}

impl Cell {
    /// The text, or nothing if it is empty.
    pub(super) fn words(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Nothing } else { Self::Text(text) }
    }

    pub(super) fn count(number: usize) -> Self {
        Self::Count(u64::try_from(number).unwrap_or(u64::MAX))
    }

    /// A number that may not be there, as one of the kinds of numbers.
    pub(super) fn maybe(value: Option<f64>, kind: fn(f64) -> Self) -> Self {
        value.filter(|value| value.is_finite()).map_or(Self::Nothing, kind)
    }

    /// For people, on lines of their own: none where there is nothing.
    pub(super) fn lines(&self, now: Timestamp) -> Vec<String> {
        if let Self::Texts(texts) = self {
            return texts.clone();
        }
        if *self == Self::Nothing { Vec::new() } else { vec![self.shown(now)] }
    }

    /// For people, on one line.
    pub(super) fn shown(&self, now: Timestamp) -> String {
        match self {
            Self::Nothing => "-".to_owned(),
            // lines of a description become one, and nothing that a terminal obeys comes through
            Self::Text(text) | Self::Told(_, text) => clean(text).trim().to_owned(),
            Self::Switch(on) => if *on { "yes" } else { "no" }.to_owned(),
            Self::Count(count) => count.to_string(),
            Self::Offset(seconds) => format!("{seconds:+}s"),
            Self::Ratio(ratio) => percent(*ratio),
            Self::Number(number) => significant(*number),
            Self::Seconds(seconds) => latency(*seconds),
            Self::Rate(rate) => format!("{}/s", significant(*rate)),
            Self::Since(then) => elapsed(age(*then, now)),
            Self::Moment(at) if *at < now => format!("{} ago", elapsed(age(*at, now))),
            Self::Moment(at) => format!("in {}", elapsed(age(now, *at))),
            Self::Texts(texts) if texts.is_empty() => "-".to_owned(),
            Self::Texts(texts) => clean(&texts.join(", ")).into_owned(),
            Self::Labels(labels) => clean(&labels.to_string()).into_owned(),
            Self::Objects(objects) => objects.len().to_string(),
        }
    }
}

/// Three significant digits where there is a fraction: `0.012`, `1.23`, `45.6`, `789`, `12345`.
fn significant(number: f64) -> String {
    match number.abs() {
        0.0 => "0".to_owned(),
        n if !n.is_finite() => "-".to_owned(),
        n if n < 0.0005 => format!("{number:.1e}"),
        n if n < 0.995 => format!("{number:.3}"),
        n if n < 9.995 => format!("{number:.2}"),
        n if n < 99.95 => format!("{number:.1}"),
        n if n < 1e15 => format!("{number:.0}"),
        _ => format!("{number:.2e}"),
    }
}

/// A duration in its two largest units: `45s`, `3m`, `2h05m`, `3d4h`.
pub(super) fn elapsed(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..600 => format!("{minutes}m{:02}s", seconds % 60),
        600..3600 => format!("{minutes}m"),
        3600..86_400 => format!("{hours}h{:02}m", minutes % 60),
        86_400..864_000 => format!("{days}d{}h", hours % 24),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
pub(super) mod fixtures {
    use super::*;

    pub(crate) fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    const COLUMNS: &[Column] = &[
        Column::text("name", "SERVICE"),
        Column::number("error_ratio", "ERRORS"),
        Column::number("p95_seconds", "P95"),
        Column::text("since", "FOR"),
        Column::hidden("labels"),
        Column::text("why", "WHY"),
    ];

    /// Two services, one of them hostile.
    pub(crate) fn document(layout: Layout) -> Document {
        let labels = |team| Cell::Labels(Labels::from_iter([("team", team)]));
        let since = Cell::Since(now() - jiff::SignedDuration::from_mins(3));
        Document {
            context: "prod".into(),
            as_of: now(),
            facts: vec![Fact { key: "firing", title: "Firing", value: Cell::Count(2) }],
            lists: vec![List {
                key: "services",
                title: "Services".into(),
                columns: COLUMNS,
                rows: vec![
                    vec![
                        Cell::Text("決済-api".into()),
                        Cell::Ratio(0.123),
                        Cell::Seconds(1.5),
                        since,
                        labels("pay"),
                        Cell::Text("12% | of *requests* fail".into()),
                    ],
                    vec![
                        Cell::Text("x\u{1b}[31m".into()),
                        Cell::Nothing,
                        Cell::Seconds(0.012),
                        Cell::Nothing,
                        labels("\"a\""),
                        Cell::Nothing,
                    ],
                ],
                empty: "No services.",
                layout,
            }],
            notes: vec!["am: cannot connect".into()],
            is_partial: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_its_two_largest_units() {
        let cases = [
            (0, "0s"),
            (59, "59s"),
            (65, "1m05s"),
            (1800, "30m"),
            (7500, "2h05m"),
            (180_000, "2d2h"),
            (9_000_000, "104d"),
        ];
        for (seconds, text) in cases {
            assert_eq!(elapsed(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn numbers_keep_three_digits_and_no_number_is_a_dash() {
        let cases = [
            (0.0, "0"),
            (0.00012, "1.2e-4"),
            (0.5, "0.500"),
            (1.234, "1.23"),
            (45.67, "45.7"),
            (12345.6, "12346"),
        ];
        for (number, text) in cases {
            assert_eq!(significant(number), text);
        }
        assert_eq!(Cell::maybe(Some(f64::NAN), Cell::Rate), Cell::Nothing);
        assert_eq!(Cell::Nothing.shown(fixtures::now()), "-");
    }
}
