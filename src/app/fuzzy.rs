//! Fuzzy search: which texts match what was typed, the best match first.

use std::cmp::Reverse;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher as Fuzzy, Utf32Str};

/// The indexes of the texts that match, the best match first, equal ones in their order.
pub fn ranked<'a>(typed: &str, texts: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let pattern = Pattern::parse(typed, CaseMatching::Smart, Normalization::Smart);
    let mut fuzzy = Fuzzy::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, usize)> = Vec::new();
    for (index, text) in texts.enumerate() {
        if let Some(score) = pattern.score(Utf32Str::new(text, &mut buffer), &mut fuzzy) {
            scored.push((score, index));
        }
    }
    scored.sort_by_key(|(score, index)| (Reverse(*score), *index));
    scored.into_iter().map(|(_, index)| index).collect()
}
