//! The live filter of a list: plain words match fuzzily, `label="value"`, `!=`, `=~` and `!~` are matchers, `age>1h` is a bound,
//! and `!` before a word excludes rows that match it.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher as Fuzzy, Utf32Str};

use crate::config::nearest;
use crate::model::duration;
use crate::model::labels::{Labels, Text};
use crate::model::matcher::{self, Matcher, Operator};
use crate::model::promql::Comparison;

/// A parsed filter. A row passes if it fulfils all parts.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    words: Vec<FilterWord>,
    matchers: Vec<Matcher>,
    bounds: Vec<FilterBound>,
    error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FilterWord {
    text: String,
    wanted: bool,
}

impl Filter {
    /// Parses a filter. A part that is not valid, because it is still being typed, is left out; [`Filter::error`] says why.
    pub fn parse(text: &str) -> Self {
        let mut filter = Self::default();
        for part in parts(text) {
            if part.contains(['=', '~', '<', '>']) {
                filter.error = filter.add(part).err().or(filter.error);
            } else {
                let (wanted, word) = part.strip_prefix('!').map_or((true, part), |word| (false, word));
                if !word.is_empty() {
                    filter.words.push(FilterWord { text: word.to_owned(), wanted });
                }
            }
        }
        filter
    }

    /// Adds one bound or a list of matchers.
    ///
    /// # Errors
    /// The text of the syntax error.
    pub fn add(&mut self, part: &str) -> Result<(), String> {
        match FilterBound::parse(part) {
            Some(bound) => self.bounds.push(bound?),
            None => self.matchers.extend(matcher::parse(part).map_err(|error| error.to_string())?),
        }
        Ok(())
    }

    /// Whether every row passes.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.matchers.is_empty() && self.bounds.is_empty()
    }

    /// Whether rows may start or stop passing as time passes (`age>1h`).
    pub fn has_bounds(&self) -> bool {
        !self.bounds.is_empty()
    }

    /// The byte range of the first exact occurrence of a word of the filter in the text. Used to highlight matches.
    pub fn match_range(&self, text: &str) -> Option<(usize, usize)> {
        let found = |word: &FilterWord| {
            // a word with a capital letter is case-sensitive, as in the search
            let exact = word.text.chars().any(char::is_uppercase);
            let length = word.text.len();
            let same = |start: usize| {
                let part = text.get(start..start + length)?;
                let equal = if exact { part == word.text } else { part.eq_ignore_ascii_case(&word.text) };
                equal.then_some((start, start + length))
            };
            text.char_indices().find_map(|(start, _)| same(start))
        };
        self.words.iter().filter(|word| word.wanted).find_map(found)
    }

    /// The syntax error of the filter, if it has one.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }
}

/// Splits at spaces, commas and braces outside of quotes. A matcher must not have spaces around its operator.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |c: char| {
        let cut = !quoted && (c.is_whitespace() || matches!(c, ',' | '{' | '}'));
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
        cut
    })
    .filter(|part| !part.is_empty())
}

/// A bound such as `age>1h` or `left<10%`.
#[derive(Debug, Clone, PartialEq)]
struct FilterBound {
    name: String,
    comparison: Comparison,
    value: f64,
}

impl FilterBound {
    /// Parses a bound; the error is its text. `None` if the part has no comparison and is something else.
    fn parse(part: &str) -> Option<Result<Self, String>> {
        const SIGNS: [(&str, Comparison); 4] = [
            (">=", Comparison::AtLeast),
            ("<=", Comparison::AtMost),
            (">", Comparison::Above),
            ("<", Comparison::Below),
        ];
        let at = part.find(['=', '!', '~', '<', '>', '"'])?;
        let (name, rest) = part.split_at_checked(at)?;
        let (sign, comparison) = SIGNS.into_iter().find(|(sign, _)| rest.starts_with(sign))?;
        let value = rest.strip_prefix(sign)?.trim_matches('"');
        Some(match measure(value) {
            Some(value) if !name.is_empty() => Ok(Self { name: name.to_owned(), comparison, value }),
            _ => Err(format!("{part}: write it like age>1h, burn>2 or left<10%")),
        })
    }
}

/// Parses a number, a percentage as a ratio, a multiple such as `2x`, or a duration in seconds.
fn measure(text: &str) -> Option<f64> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let percent = || number(text.strip_suffix('%')?).map(|percent| percent / 100.0);
    let multiple = || number(text.strip_suffix('x')?);
    let time = || duration::parse(text).ok().map(|time| time.as_secs_f64());
    number(text).or_else(percent).or_else(multiple).or_else(time)
}

/// The fields that rows have besides their labels, by the names used in a filter.
#[derive(Debug, Clone, Copy, Default)]
pub struct FilterFields {
    /// Text fields: `state="firing"`.
    pub words: &'static [&'static str],
    /// Numeric fields, ages in seconds: `age>1h`.
    pub numbers: &'static [&'static str],
    /// Values of `state` that can also be written as `silenced=true`.
    pub flags: &'static [&'static str],
}

/// The texts of all rows of a list that a filter searches. A string that several rows share is searched once.
#[derive(Debug, Default)]
pub struct Haystack {
    strings: Vec<Text>,
    /// The strings in lower case; the same pointer if a string is lower case already.
    folded: Vec<Text>,
    /// The labels of each row, and the end of its slice in `numbers`.
    rows: Vec<(Labels, usize)>,
    /// The indices into `strings` of all rows, one row after the other.
    numbers: Vec<u32>,
    /// The matches of the last filter. If a word was extended by a letter, only its old matches are searched again.
    last_matches: Vec<WordMatch>,
    fields: FilterFields,
    /// The text fields of each row, one row after the other.
    words: Vec<Option<Text>>,
    values: Vec<f64>,
}

/// Which of the strings contain a word.
#[derive(Debug)]
struct WordMatch {
    word: String,
    found: Vec<bool>,
    /// Whether the word itself occurs; false: fuzzy matches.
    is_exact: bool,
}

/// A fast hash for addresses. Nobody outside can choose them, so that collisions cannot be provoked.
#[derive(Debug, Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, number: usize) {
        // Fibonacci hashing: Knuth, The Art of Computer Programming, volume 3, 6.4
        self.0 = (self.0 ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        // multiplication spreads into the upper half; hash tables use the lower bits
        self.0.rotate_left(32)
    }
}

impl Haystack {
    /// A haystack of rows with their labels and further texts.
    pub fn new<'a, M>(rows: impl IntoIterator<Item = (&'a Labels, M)>) -> Self
    where
        M: IntoIterator<Item = &'a Text>,
    {
        Self::with_fields(
            FilterFields::default(),
            rows.into_iter().map(|(labels, more)| (labels, more, [], [])),
        )
    }

    /// As [`Self::new`], with the value of each text field (None if it has none) and of each numeric field (NaN if it has none).
    pub fn with_fields<'a, M, const W: usize, const N: usize>(
        fields: FilterFields,
        rows: impl IntoIterator<Item = (&'a Labels, M, [Option<Text>; W], [f64; N])>,
    ) -> Self
    where
        M: IntoIterator<Item = &'a Text>,
    {
        let (mut words, mut values) = (Vec::new(), Vec::new());
        let (mut strings, mut numbers): (Vec<Text>, Vec<u32>) = Default::default();
        // sources share equal strings, and comparing addresses is faster than comparing texts
        let mut known: HashMap<usize, u32, BuildHasherDefault<AddressHasher>> = HashMap::default();
        let mut number = |text: &Text| {
            *known.entry(text.as_ptr().addr()).or_insert_with(|| {
                strings.push(Text::clone(text));
                u32::try_from(strings.len() - 1).unwrap_or(u32::MAX)
            })
        };
        let row = |(labels, more, its, measured): (&'a Labels, M, [Option<Text>; W], [f64; N])| {
            numbers.extend(labels.iter().map(|(_, value)| value).chain(more).map(&mut number));
            numbers.extend(its.iter().flatten().map(&mut number));
            words.extend(its);
            values.extend(measured);
            (labels.clone(), numbers.len())
        };
        let rows = rows.into_iter().map(row).collect();
        let lower = |text: &Text| {
            if text.chars().any(char::is_uppercase) { text.to_lowercase().into() } else { Text::clone(text) }
        };
        Self {
            folded: strings.iter().map(lower).collect(),
            strings,
            rows,
            numbers,
            last_matches: Vec::new(),
            fields,
            words,
            values,
        }
    }

    /// For each row whether it passes the filter.
    pub fn select(&mut self, filter: &Filter) -> Vec<bool> {
        let last_matches: Vec<WordMatch> =
            filter.words.iter().map(|word| self.search_word(&word.text)).collect();
        let mut start = 0;
        let passes = |(row, (labels, end)): (usize, &(Labels, usize))| {
            let its = self.numbers.get(start..*end).unwrap_or_default();
            start = *end;
            let has = |found: &[bool]| its.iter().any(|s| found.get(*s as usize).copied().unwrap_or(false));
            last_matches
                .iter()
                .zip(&filter.words)
                .all(|(last_matches, word)| has(&last_matches.found) == word.wanted)
                && filter.matchers.iter().all(|matcher| self.fulfils(row, labels, matcher))
                && filter.bounds.iter().all(|bound| self.is_within(row, labels, bound))
        };
        let passing = self.rows.iter().enumerate().map(passes).collect();
        self.last_matches = last_matches;
        passing
    }

    /// Whether a row fulfils a matcher by its label or its field of that name. A negative matcher must hold for both.
    fn fulfils(&self, row: usize, labels: &Labels, matcher: &Matcher) -> bool {
        let label = labels.get(matcher.name()).map(|value| &**value);
        match (label, self.word(row, matcher.name(), matcher.value())) {
            (None, None) => matcher.matches_value(""),
            (Some(value), None) | (None, Some(value)) => matcher.matches_value(value),
            (Some(one), Some(other)) => {
                let (one, other) = (matcher.matches_value(one), matcher.matches_value(other));
                match matcher.operator() {
                    Operator::Equal | Operator::Matches => one || other,
                    Operator::NotEqual | Operator::MatchesNot => one && other,
                }
            }
        }
    }

    /// The text field of a row by its name. A flag such as `silenced` is computed from
    /// `state`, as yes/no or true/false, whichever the filter uses.
    fn word(&self, row: usize, name: &str, asked: &str) -> Option<&str> {
        let at = |name: &str| self.fields.words.iter().position(|known| *known == name);
        let word = |at: usize| self.words.get(row * self.fields.words.len() + at)?.as_deref();
        if let Some(at) = at(name) {
            return word(at);
        }
        let flag = self.fields.flags.iter().find(|flag| **flag == name)?;
        let is_so = word(at("state")?).is_some_and(|state| state == *flag);
        Some(match (asked, is_so) {
            ("yes" | "no", true) => "yes",
            ("yes" | "no", false) => "no",
            (_, true) => "true",
            (_, false) => "false",
        })
    }

    /// Whether a row fulfils a bound by its numeric field, else by its label of that name.
    fn is_within(&self, row: usize, labels: &Labels, bound: &FilterBound) -> bool {
        let at = self.fields.numbers.iter().position(|known| *known == bound.name);
        let shown = at.and_then(|at| self.values.get(row * self.fields.numbers.len() + at)).copied();
        let value = shown.or_else(|| labels.get(&bound.name)?.parse().ok());
        value.is_some_and(|value| bound.comparison.holds(value, bound.value))
    }

    /// A text about the first name in the filter that no row has, with the available names. None: all names are known.
    pub fn unknown(&self, filter: &Filter) -> Option<String> {
        let is_label = |name: &str| self.rows.iter().any(|(labels, _)| labels.get(name).is_some());
        let FilterFields { words, numbers, flags } = self.fields;
        let is_word = |name: &str| words.contains(&name) || flags.contains(&name) || is_label(name);
        let matched = filter.matchers.iter().map(Matcher::name).find(|name| !is_word(name));
        let is_number = |name: &str| numbers.contains(&name) || is_label(name);
        let bounded = || filter.bounds.iter().map(|bound| &*bound.name).find(|name| !is_number(name));
        let name = matched.or_else(bounded).filter(|_| !self.rows.is_empty())?;
        let labels = self.rows.iter().flat_map(|(labels, _)| labels.iter().map(|(name, _)| &**name));
        let all: BTreeSet<&str> = labels.chain([words, flags].into_iter().flatten().copied()).collect();
        let near = nearest(name, all.iter().copied());
        let near = near.map_or_else(|| ".".to_owned(), |near| format!(", did you mean {near}?"));
        let bounds = if numbers.is_empty() {
            String::new()
        } else {
            format!("; with > and <: {}", numbers.join(", "))
        };
        let all = all.into_iter().collect::<Vec<_>>().join(", ");
        Some(format!("no row has {name}{near} Available: {all}{bounds}"))
    }

    /// Searches all strings for a word; fuzzy matching is used only if no string contains the word itself. A word without capital
    /// letters is case-insensitive.
    fn search_word(&self, word: &str) -> WordMatch {
        let has_capitals = |word: &str| word.chars().any(char::is_uppercase);
        let goes_on = |known: &&WordMatch| {
            known.is_exact && word.starts_with(&known.word) && has_capitals(word) == has_capitals(&known.word)
        };
        let strings = if has_capitals(word) { &self.strings } else { &self.folded };
        let found: Vec<bool> = match self.last_matches.iter().find(goes_on) {
            Some(known) => {
                strings.iter().zip(&known.found).map(|(text, was)| *was && text.contains(word)).collect()
            }
            None => strings.iter().map(|text| text.contains(word)).collect(),
        };
        let is_exact = found.contains(&true);
        let found = if is_exact { found } else { self.fuzzy_matches(word) };
        WordMatch { word: word.to_owned(), found, is_exact }
    }

    fn fuzzy_matches(&self, word: &str) -> Vec<bool> {
        let atom = Atom::new(word, CaseMatching::Smart, Normalization::Smart, AtomKind::Fuzzy, false);
        let mut fuzzy = Fuzzy::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut found = |text: &Text| atom.score(Utf32Str::new(text, &mut buffer), &mut fuzzy).is_some();
        self.strings.iter().map(&mut found).collect()
    }
}

#[cfg(test)]
mod tests;
