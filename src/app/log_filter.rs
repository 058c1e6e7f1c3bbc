//! The filter of the loaded log lines: words that must all occur, `!word` for those that must not, `label="value"` for labels and
//! fields, `"two words"` for a phrase.

use regex::bytes::{Regex, RegexBuilder};

use crate::model::log::{LogLine, LogSeverity};
use crate::model::matcher::{self, Matcher};

/// A parsed filter.
#[derive(Debug, Default)]
pub struct LogFilter {
    words: Vec<(Regex, bool)>,
    matchers: Vec<Matcher>,
    /// Only lines of this severity and more severe ones.
    pub least: Option<LogSeverity>,
}

impl LogFilter {
    /// Parses a filter; a part that is still being typed counts as a word. A word with a capital letter is case-sensitive.
    pub fn parse(text: &str, least: Option<LogSeverity>) -> Self {
        let mut filter = Self { least, ..Self::default() };
        for part in parts(text) {
            if part.contains('=') || part.contains("!~") {
                if let Ok(matchers) = matcher::parse(part) {
                    filter.matchers.extend(matchers);
                    continue;
                }
            }
            let (is_wanted, word) = part.strip_prefix('!').map_or((true, part), |word| (false, word));
            let word = word.trim_matches('"');
            let is_exact = word.chars().any(char::is_uppercase);
            let found = RegexBuilder::new(&regex::escape(word)).case_insensitive(!is_exact).build();
            filter.words.extend(found.ok().filter(|_| !word.is_empty()).map(|word| (word, is_wanted)));
        }
        filter
    }

    pub fn passes(&self, line: &LogLine) -> bool {
        self.least.is_none_or(|least| line.severity <= least)
            && self.words.iter().all(|(word, is_wanted)| word.is_match(&line.raw) == *is_wanted)
            && self.matchers.iter().all(|matcher| {
                let value = line.labels.get(matcher.name()).or_else(|| line.fields.get(matcher.name()));
                matcher.matches_value(value.map_or("", |value| value))
            })
    }

    /// The byte range of the first match of a word in a text, to highlight it.
    pub fn match_range(&self, text: &str) -> Option<(usize, usize)> {
        let wanted = self.words.iter().filter(|(_, is_wanted)| *is_wanted);
        wanted
            .filter_map(|(word, _)| word.find(text.as_bytes()))
            .map(|found| (found.start(), found.end()))
            .next()
    }
}

/// Splits at blanks outside of quotes.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |c: char| {
        if c == '"' {
            is_quoted = !is_quoted;
        }
        !is_quoted && c.is_whitespace()
    })
    .filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::labels::Labels;

    fn passes(filter: &str, least: Option<LogSeverity>) -> Vec<&'static str> {
        let lines = ["ERROR Upstream timed out", "INFO upstream done", "WARN retrying charge"];
        let labels = Labels::from_iter([("pod", "a-1"), ("app", "x")]);
        let line = |text: &str| {
            LogLine::new(jiff::Timestamp::UNIX_EPOCH, labels.clone(), Labels::default(), text.as_bytes())
        };
        let filter = LogFilter::parse(filter, least);
        lines.into_iter().filter(|text| filter.passes(&line(text))).collect()
    }

    #[test]
    fn all_words_must_occur_and_those_with_an_exclamation_mark_must_not() {
        assert_eq!(passes("upstream", None).len(), 2);
        assert_eq!(passes("Upstream", None), ["ERROR Upstream timed out"]);
        assert_eq!(passes("upstream !done", None), ["ERROR Upstream timed out"]);
        assert_eq!(passes("\"timed out\"", None), ["ERROR Upstream timed out"]);
        assert_eq!(passes("timed(", None).len(), 0, "no regular expression");
        assert_eq!(passes("pod=a-1 retrying", None), ["WARN retrying charge"]);
        assert_eq!(passes("pod!=a-1", None).len(), 0);
        assert_eq!(passes("", Some(LogSeverity::Warn)), ["ERROR Upstream timed out", "WARN retrying charge"]);
        assert_eq!(passes("!", None).len(), 3, "still being typed");
    }
}
