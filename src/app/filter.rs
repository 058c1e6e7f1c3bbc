//! The live filter: plain words match fuzzily, `label="value"` and its kin are matchers, a `!` before a word turns it round.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher as Fuzzy, Utf32Str};

use crate::model::labels::{Labels, Text};
use crate::model::matcher::{self, Matcher, MatcherError};

/// What is being looked for. All parts must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    words: Vec<Word>,
    matchers: Vec<Matcher>,
    error: Option<MatcherError>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    text: String,
    wanted: bool,
}

impl Filter {
    /// Reads a filter. A part that is no matcher yet, because it is still being typed, is left out and named by
    /// [`Filter::error`].
    pub fn parse(text: &str) -> Self {
        let mut filter = Self::default();
        for part in parts(text) {
            if part.contains(['=', '~']) {
                match matcher::parse(part) {
                    Ok(matchers) => filter.matchers.extend(matchers),
                    Err(error) => filter.error = Some(error),
                }
            } else {
                let (wanted, word) = part.strip_prefix('!').map_or((true, part), |word| (false, word));
                if !word.is_empty() {
                    filter.words.push(Word { text: word.to_owned(), wanted });
                }
            }
        }
        filter
    }

    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.matchers.is_empty()
    }

    /// The part of a text that a word stands in as it is typed: from which byte to which.
    pub fn hit(&self, text: &str) -> Option<(usize, usize)> {
        let found = |word: &Word| {
            // a capital letter asks for itself, as in the search
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

    /// What is wrong with it, as far as it is typed.
    pub fn error(&self) -> Option<&MatcherError> {
        self.error.as_ref()
    }
}

/// Cuts at spaces and commas outside of quotes; matchers may have spaces around their operator only inside braces.
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

/// What a list's rows can be found by. Shared strings are looked at once, however many rows share them.
#[derive(Debug, Default)]
pub struct Haystack {
    strings: Vec<Text>,
    /// The strings in lower case; shared where they are so already.
    folded: Vec<Text>,
    /// Of each row the labels, and where its numbers end.
    rows: Vec<(Labels, usize)>,
    /// Which strings the rows have, one row after the other.
    numbers: Vec<u32>,
    /// What the words of the last filter were found in: a word that goes on from one of them can be nowhere else.
    looked: Vec<Looked>,
}

/// In which of the strings a word is.
#[derive(Debug)]
struct Looked {
    word: String,
    found: Vec<bool>,
    /// Not by likeness.
    is_exact: bool,
}

/// Hashes addresses, which nobody outside chooses: spreading them is enough.
#[derive(Debug, Default)]
struct ByAddress(u64);

impl Hasher for ByAddress {
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
        // the spread is in the upper half, and places are chosen by the lower
        self.0.rotate_left(32)
    }
}

impl Haystack {
    /// Rows with their labels and further texts.
    pub fn new<'a, M>(rows: impl IntoIterator<Item = (&'a Labels, M)>) -> Self
    where
        M: IntoIterator<Item = &'a Text>,
    {
        let (mut strings, mut numbers): (Vec<Text>, Vec<u32>) = Default::default();
        // sources share equal strings: their address tells them apart faster than their text
        let mut known: HashMap<usize, u32, BuildHasherDefault<ByAddress>> = HashMap::default();
        let mut number = |text: &Text| {
            *known.entry(text.as_ptr().addr()).or_insert_with(|| {
                strings.push(Text::clone(text));
                u32::try_from(strings.len() - 1).unwrap_or(u32::MAX)
            })
        };
        let row = |(labels, more): (&'a Labels, M)| {
            numbers.extend(labels.iter().map(|(_, value)| value).chain(more).map(&mut number));
            (labels.clone(), numbers.len())
        };
        let rows = rows.into_iter().map(row).collect();
        let lower = |text: &Text| {
            if text.chars().any(char::is_uppercase) { text.to_lowercase().into() } else { Text::clone(text) }
        };
        Self { folded: strings.iter().map(lower).collect(), strings, rows, numbers, looked: Vec::new() }
    }

    /// For each row whether it passes.
    pub fn select(&mut self, filter: &Filter) -> Vec<bool> {
        let looked: Vec<Looked> = filter.words.iter().map(|word| self.look(&word.text)).collect();
        let mut start = 0;
        let passes = |(labels, end): &(Labels, usize)| {
            let its = self.numbers.get(start..*end).unwrap_or_default();
            start = *end;
            let has = |found: &[bool]| its.iter().any(|s| found.get(*s as usize).copied().unwrap_or(false));
            looked.iter().zip(&filter.words).all(|(looked, word)| has(&looked.found) == word.wanted)
                && filter.matchers.iter().all(|matcher| matcher.matches(labels))
        };
        let passing = self.rows.iter().map(passes).collect();
        self.looked = looked;
        passing
    }

    /// For each string whether the word is in it; only where it is in none, fuzzy likeness counts. A word without capitals
    /// matches both.
    fn look(&self, word: &str) -> Looked {
        let has_capitals = |word: &str| word.chars().any(char::is_uppercase);
        let goes_on = |known: &&Looked| {
            known.is_exact && word.starts_with(&known.word) && has_capitals(word) == has_capitals(&known.word)
        };
        let strings = if has_capitals(word) { &self.strings } else { &self.folded };
        let found: Vec<bool> = match self.looked.iter().find(goes_on) {
            Some(known) => {
                strings.iter().zip(&known.found).map(|(text, was)| *was && text.contains(word)).collect()
            }
            None => strings.iter().map(|text| text.contains(word)).collect(),
        };
        let is_exact = found.contains(&true);
        let found = if is_exact { found } else { self.alike(word) };
        Looked { word: word.to_owned(), found, is_exact }
    }

    fn alike(&self, word: &str) -> Vec<bool> {
        let atom = Atom::new(word, CaseMatching::Smart, Normalization::Smart, AtomKind::Fuzzy, false);
        let mut fuzzy = Fuzzy::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut found = |text: &Text| atom.score(Utf32Str::new(text, &mut buffer), &mut fuzzy).is_some();
        self.strings.iter().map(&mut found).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn haystack() -> (Vec<Labels>, Haystack) {
        let labels = vec![
            Labels::from_iter([("alertname", "HighLatency"), ("service", "checkout"), ("severity", "page")]),
            Labels::from_iter([
                ("alertname", "DiskFull"),
                ("service", "postgres orders"),
                ("severity", "ticket"),
            ]),
            Labels::from_iter([("alertname", "HighLatency"), ("service", "cart"), ("severity", "ticket")]),
        ];
        let haystack = Haystack::new(labels.iter().map(|labels| (labels, [])));
        (labels, haystack)
    }

    fn found(text: &str) -> String {
        let filter = Filter::parse(text);
        let mut haystack = haystack().1;
        // letter by letter, as it is typed
        for (end, _) in text.char_indices() {
            haystack.select(&Filter::parse(text.get(..end).unwrap()));
        }
        haystack.select(&filter).iter().map(|yes| if *yes { 'x' } else { '.' }).collect()
    }

    #[test]
    fn words_and_matchers_narrow_together() {
        for (text, rows) in [
            ("", "xxx"),
            ("latency", "x.x"),
            ("latency cart", "..x"),
            ("latency !cart", "x.."),
            ("chkout", "x.."),
            (r#"severity="ticket""#, ".xx"),
            (r#"{severity="ticket", alertname=~"High.*"}"#, "..x"),
            ("severity!=page latency", "..x"),
            (r#"service="postgres orders""#, ".x."),
            ("LATENCY", "..."),
            ("nothing-like-it", "..."),
        ] {
            assert_eq!(found(text), rows, "{text}");
        }
    }

    #[test]
    fn what_was_found_is_known_by_its_place() {
        for (filter, text, hit) in [
            ("pay", "PaymentsSlow", Some((0, 3))),
            ("Slow", "PaymentsSlow", Some((8, 12))),
            ("SLOW", "PaymentsSlow", None),
            ("!pay", "PaymentsSlow", None),
            ("tabelle", "gr\u{f6}\u{df}entabelle", Some((8, 15))),
            ("\u{f6}", "gr\u{f6}\u{df}e", Some((2, 4))),
            ("", "x", None),
        ] {
            assert_eq!(Filter::parse(filter).hit(text), hit, "{filter} in {text}");
        }
    }

    #[test]
    fn a_matcher_that_is_still_being_typed_hides_nothing() {
        let filter = Filter::parse(r#"latency severity="tick"#);
        assert!(matches!(filter.error(), Some(MatcherError::OpenQuote(_))));
        assert_eq!(found(r#"latency severity="tick"#), "x.x");
    }
}
