//! Text of several roles broken into lines between words; a word that is longer than a line is broken in it.

use unicode_segmentation::UnicodeSegmentation;

use super::MarkdownLine;
use super::inline::BREAK;
use crate::app::widgets::text::{self, StyledRun};

/// A word: parts of it may have roles of their own.
#[derive(Debug, Default)]
struct FlowWord {
    runs: Vec<StyledRun<'static>>,
    width: u16,
}

impl FlowWord {
    fn push(&mut self, text: &str, run: &StyledRun<'_>) {
        self.width = self.width.saturating_add(text::width(text));
        self.runs.push(StyledRun::new(text.to_owned(), run.role));
    }
}

/// The words, and where a new line is forced: `None`.
fn words(runs: &[StyledRun<'_>]) -> Vec<Option<FlowWord>> {
    let mut words = Vec::new();
    let mut open = FlowWord::default();
    for run in runs {
        if run.text == BREAK {
            words.push(Some(std::mem::take(&mut open)));
            words.push(None);
            continue;
        }
        for (i, piece) in run.text.split(' ').enumerate() {
            if i > 0 {
                words.push(Some(std::mem::take(&mut open)));
            }
            if !piece.is_empty() {
                open.push(piece, run);
            }
        }
    }
    words.push(Some(open));
    words.retain(|word| word.as_ref().is_none_or(|word| !word.runs.is_empty()));
    words
}

/// The width of the longest word.
pub(super) fn longest_word(runs: &[StyledRun<'_>]) -> u16 {
    words(runs).iter().flatten().map(|word| word.width).max().unwrap_or(0)
}

/// The width of the text in one line.
pub(super) fn width(runs: &[StyledRun<'_>]) -> u16 {
    runs.iter().map(|run| text::width(&run.text)).fold(0, u16::saturating_add)
}

/// The lines of a text, none wider than `room`.
pub(super) fn flow(runs: &[StyledRun<'_>], room: u16) -> Vec<MarkdownLine> {
    let room = room.max(1);
    let (mut lines, mut line, mut used) = (Vec::new(), MarkdownLine::new(), 0_u16);
    for word in words(runs) {
        let Some(word) = word else {
            lines.push(std::mem::take(&mut line));
            used = 0;
            continue;
        };
        if !line.is_empty() && used.saturating_add(1).saturating_add(word.width) > room {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if !line.is_empty() {
            blank(&mut line);
            used += 1;
        }
        if word.width <= room {
            used += word.width;
            line.extend(word.runs);
            continue;
        }
        for run in &word.runs {
            for piece in pieces(&run.text, room, used) {
                if used.saturating_add(text::width(piece)) > room {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                used += text::width(piece);
                line.push(StyledRun::new(piece.to_owned(), run.role));
            }
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// A blank belongs to the run before it where both sides are of one role, so that a phrase is marked as one.
fn blank(line: &mut MarkdownLine) {
    if let Some(last) = line.last_mut() {
        last.text.to_mut().push(' ');
    }
}

/// A text in pieces that fit into a line; the first one into what is left of it.
pub(super) fn pieces(text: &str, room: u16, used: u16) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut from, mut width, mut left) = (0, 0_u16, room.saturating_sub(used));
    for (at, grapheme) in text.grapheme_indices(true) {
        let cells = text::width(grapheme);
        if width.saturating_add(cells) > left && at > from {
            pieces.extend(text.get(from..at));
            (from, width, left) = (at, 0, room);
        } else if width.saturating_add(cells) > left {
            left = room;
        }
        width = width.saturating_add(cells);
    }
    pieces.extend(text.get(from..).filter(|rest| !rest.is_empty()));
    pieces
}
