//! Value mappings: a text, a colour or both for a value.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::dashboard::field::{GrafanaColour, MappedValue, SpecialValue, ValueMapping};
use crate::model::frame::FrameCell;

/// What a mapping writes instead of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingResult {
    pub text: Option<String>,
    pub colour: Option<GrafanaColour>,
}

/// The mappings of a field, with their regular expressions compiled once.
#[derive(Debug, Clone, Default)]
pub(super) struct Mappings(Vec<(ValueMapping, Option<Regex>)>);

impl Mappings {
    pub(super) fn new(mappings: &[ValueMapping]) -> Self {
        let with_pattern = |mapping: &ValueMapping| {
            let pattern = match &mapping.of {
                MappedValue::Pattern(pattern) => compiled(pattern),
                MappedValue::Exactly(_) | MappedValue::Range { .. } | MappedValue::Special(_) => None,
            };
            (mapping.clone(), pattern)
        };
        Self(mappings.iter().map(with_pattern).collect())
    }

    /// The first mapping that matches.
    pub(super) fn of(&self, cell: &FrameCell) -> Option<MappingResult> {
        self.0.iter().find_map(|(mapping, pattern)| result(mapping, pattern.as_ref(), cell))
    }
}

/// A regular expression as Grafana takes it: with or without `/`, and flags; `None` if it is invalid or too large.
pub fn compiled(pattern: &str) -> Option<Regex> {
    let (body, flags) = match pattern.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) {
        Some((body, flags)) if flags.chars().all(|flag| "gimsuy".contains(flag)) => (body, flags),
        Some(_) | None => (pattern, ""),
    };
    let mut builder = regex::RegexBuilder::new(body);
    builder.case_insensitive(flags.contains('i')).dot_matches_new_line(flags.contains('s'));
    builder.multi_line(flags.contains('m')).size_limit(1 << 20).build().ok()
}

fn result(mapping: &ValueMapping, pattern: Option<&Regex>, cell: &FrameCell) -> Option<MappingResult> {
    let text = mapping.text.as_deref().map(str::to_owned);
    let found = |text| Some(MappingResult { text, colour: mapping.colour });
    match &mapping.of {
        MappedValue::Exactly(wanted) => is_value(wanted, cell).then(|| found(text))?,
        MappedValue::Range { from, to } => {
            let number = cell.number().filter(|number| !number.is_nan())?;
            let is_in = from.is_none_or(|from| number >= from) && to.is_none_or(|to| number <= to);
            is_in.then(|| found(text))?
        }
        MappedValue::Pattern(_) => {
            let FrameCell::Text(value) = cell else { return None };
            let pattern = pattern.filter(|pattern| pattern.is_match(value))?;
            // `$1` is the group; ${1} keeps `$1x` from being the group `1x`
            let with_groups = |text: String| {
                let replacement = GROUP.replace_all(&text, "$${$1}").into_owned();
                pattern.replace(value, replacement).into_owned()
            };
            found(text.map(with_groups))
        }
        MappedValue::Special(special) => is_special(*special, cell).then(|| found(text))?,
    }
}

static GROUP: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\$(\d+|&)").expect("a constant regular expression"));

/// Whether the value is this text, or the same number.
#[expect(clippy::float_cmp, reason = "the same number is meant, as in Grafana")]
fn is_value(wanted: &str, cell: &FrameCell) -> bool {
    match cell {
        FrameCell::Nothing => wanted == "null",
        FrameCell::Number(number) => wanted.trim().parse::<f64>().is_ok_and(|wanted| wanted == *number),
        FrameCell::Time(ms) => wanted.trim().parse::<i64>().is_ok_and(|wanted| wanted == *ms),
        FrameCell::Text(text) => **text == *wanted,
        FrameCell::Bool(is) => wanted == if *is { "true" } else { "false" },
    }
}

fn is_special(special: SpecialValue, cell: &FrameCell) -> bool {
    let is_nan = matches!(cell, FrameCell::Number(number) if number.is_nan());
    match special {
        SpecialValue::Null => *cell == FrameCell::Nothing,
        SpecialValue::NotANumber => is_nan,
        SpecialValue::NullOrNotANumber => is_nan || *cell == FrameCell::Nothing,
        SpecialValue::True => {
            *cell == FrameCell::Bool(true) || matches!(cell, FrameCell::Text(text) if **text == *"true")
        }
        SpecialValue::False => {
            *cell == FrameCell::Bool(false) || matches!(cell, FrameCell::Text(text) if **text == *"false")
        }
        SpecialValue::Empty => matches!(cell, FrameCell::Text(text) if text.is_empty()),
    }
}
