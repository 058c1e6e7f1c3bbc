//! A limit on nested lists and quotes, applied before the text is parsed.

use std::borrow::Cow;

/// Maximum number of list and quote markers at the start of a line: the parser's time per line grows with the open blocks.
const MAX_LINE_MARKERS: usize = 250;

/// The text without excessive markers at the start of lines.
pub(super) fn limit_nesting(source: &str) -> Cow<'_, str> {
    if source.split_inclusive('\n').all(|line| shortened(line).is_none()) {
        return Cow::Borrowed(source);
    }
    let lines = source.split_inclusive('\n').map(|line| shortened(line).unwrap_or((line, "")));
    lines.flat_map(|(marks, rest)| [marks, rest]).collect()
}

/// The markers to keep and the text after all markers, for a line with more than [`MAX_LINE_MARKERS`] markers; else None.
fn shortened(line: &str) -> Option<(&str, &str)> {
    let opens = |c: char| c.is_ascii_digit() || " \t>-*+.)".contains(c);
    let (marks, rest) = line.split_at(line.find(|c| !opens(c)).unwrap_or(line.len()));
    let (at, _) = marks.match_indices(['>', '-', '*', '+', '.', ')']).nth(MAX_LINE_MARKERS)?;
    Some((marks.get(..at)?, rest))
}
