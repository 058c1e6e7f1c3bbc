//! The menu of labels by which the result can be split.

use std::collections::BTreeMap;

use super::Explore;
use crate::app::explore_choice::ExploreChoice;
use crate::app::menu::{Menu, MenuChoice};
use crate::app::number::plural;
use crate::app::prelude::*;
use crate::model::evaluation::{LabelList, LabelSearch};

/// The most labels in the menu.
const MAX_LABELS: usize = 40;
/// More lines than this are hard to tell apart in a chart.
const MANY: usize = 30;

/// How well a label splits the result; the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SplitRank {
    /// By so many values, which a chart can show.
    Few(usize),
    Unknown,
    Many(usize),
    /// The result has one series for each value already.
    Already,
    /// All series have the same value.
    Single,
}

impl SplitRank {
    const fn of(count: Option<usize>, is_split: bool) -> Self {
        match count {
            _ if is_split => Self::Already,
            None => Self::Unknown,
            Some(0 | 1) => Self::Single,
            Some(count) if count <= MANY => Self::Few(count),
            Some(count) => Self::Many(count),
        }
    }

    /// The number of values, for the menu.
    fn words(self) -> String {
        match self {
            Self::Few(count) | Self::Many(count) => plural(count, "value"),
            Self::Unknown | Self::Already | Self::Single => String::new(),
        }
    }

    /// Why the label cannot be chosen.
    const fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Few(_) | Self::Unknown | Self::Many(_) => None,
            Self::Already => Some("the result has it already"),
            Self::Single => Some("all series have the same value"),
        }
    }
}

/// The labels in the order of the menu.
fn ranked(
    counts: &BTreeMap<Text, Option<usize>>,
    is_split: impl Fn(&str) -> bool,
) -> Vec<(SplitRank, &Text)> {
    let named = counts.iter().filter(|(name, _)| !matches!(&***name, "__name__" | "le" | "quantile"));
    let mut all: Vec<(SplitRank, &Text)> =
        named.map(|(name, count)| (SplitRank::of(*count, is_split(name)), name)).collect();
    all.sort();
    all
}

impl Explore {
    /// The labels that the result can be split by, those that split best first.
    pub(super) fn split_menu(&self, shared: &Shared) -> Menu {
        let query = self.query.as_deref().unwrap_or_default();
        let language = self.language(shared);
        let counts = self.splitting_labels(shared);
        let width = counts.keys().map(|name| text::width(name)).max().unwrap_or(0).min(30);
        let item = |(rank, name): (SplitRank, &Text)| {
            let words = rank.words();
            let said = if words.is_empty() {
                name.to_string()
            } else {
                format!("{}  {words}", text::pad(name, width, shared.look.charset))
            };
            let choice = || MenuChoice::Explore(Box::new(ExploreChoice::Split(name.clone())));
            (said, rank.refusal().map_or_else(choice, |why| MenuChoice::Cannot(why.into())))
        };
        let all = ranked(&counts, |name| language.is_split_by(query, name));
        let mut items: Vec<_> = all.into_iter().take(MAX_LABELS).map(item).collect();
        if items.is_empty() {
            let why = if query.is_empty() {
                "run a query first"
            } else {
                "its labels are not known yet; try again"
            };
            items.push(("split by a label".to_owned(), MenuChoice::Cannot(why.into())));
        }
        let title = if self.has_lines() { "Count lines by" } else { "Split by" };
        Menu::new(title, items, 0)
    }

    /// The labels of the series that the query reads, each with the number of its values if that is known. Those of log lines
    /// are counted among the lines that are shown.
    fn splitting_labels(&self, shared: &Shared) -> BTreeMap<Text, Option<usize>> {
        let cache = self.asked(shared).and_then(|source| shared.world.cache(source));
        let wanted = self.main_labels(shared);
        let known = wanted.and_then(|wanted| cache?.label_lists().get(&wanted)?.value());
        let names = known.iter().flat_map(|list| &list.all);
        let mut counts: BTreeMap<Text, Option<usize>> =
            names.map(|name| (name.clone(), known.and_then(|list| list.counts.get(name)).copied())).collect();
        for (name, _) in self.items.rows.iter().flat_map(|row| row.labels.iter()) {
            counts.entry(name.clone()).or_default();
        }
        let lines = self.shown.as_ref().and_then(|shown| shown.evaluation.result.lines());
        let of_lines: Vec<Labels> =
            lines.unwrap_or_default().iter().map(|line| line.labels.merged_with(&line.fields)).collect();
        for (name, count) in LabelList::counted(&of_lines).counts {
            let known = counts.entry(name).or_default();
            *known = Some(known.unwrap_or(0).max(count));
        }
        counts
    }

    /// The labels of the series that the query reads first, with the number of their values.
    pub(super) fn main_labels(&self, shared: &Shared) -> Option<LabelSearch> {
        let selector = self.language(shared).main_selector(self.query.as_deref()?)?;
        Some(LabelSearch::counts(selector.as_str().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_splits_into_few_lines_comes_first_and_what_splits_nothing_last() {
        let counts = [
            ("job", Some(1)),
            ("zone", Some(3)),
            ("pod", Some(400)),
            ("region", Some(2)),
            ("route", None),
            ("service", Some(30)),
            ("code", Some(5)),
            ("le", Some(12)),
            ("uid", Some(90)),
        ];
        let counts = counts.into_iter().map(|(name, count)| (Text::from(name), count)).collect();
        let ranked = ranked(&counts, |name| name == "code");
        let names: Vec<&str> = ranked.iter().map(|(_, name)| &***name).collect();
        assert_eq!(names, ["region", "zone", "service", "route", "uid", "pod", "code", "job"]);
        let refused: Vec<&str> =
            ranked.iter().filter(|(rank, _)| rank.refusal().is_some()).map(|(_, name)| &***name).collect();
        assert_eq!(refused, ["code", "job"]);
    }
}
