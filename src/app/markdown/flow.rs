//! Wraps text with several roles at words; a word longer than a line is broken.

use unicode_segmentation::UnicodeSegmentation;

use super::MarkdownLine;
use super::inline::BREAK;
use crate::app::widgets::text::{self, StyledRun};

/// A word; its parts may have different roles.
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

/// The words; `None` is a forced line break.
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

pub(super) fn longest_word(runs: &[StyledRun<'_>]) -> u16 {
    words(runs).iter().flatten().map(|word| word.width).max().unwrap_or(0)
}

/// The wrapped lines, none wider than `room`.
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
        // its first part begins a line, as it did not fit beside another word
        lines.extend(broken(&word.runs, room));
        line = lines.pop().unwrap_or_default();
        used = text::runs_width(&line);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Appends a blank to the last run, so that a phrase in one role has no gaps.
fn blank(line: &mut MarkdownLine) {
    if let Some(last) = line.last_mut() {
        last.text.to_mut().push(' ');
    }
}

/// Runs cut into lines of at most `room` cells; at least one line.
pub(super) fn broken(runs: &[StyledRun<'_>], room: u16) -> Vec<MarkdownLine> {
    let (mut lines, mut line, mut used) = (Vec::new(), MarkdownLine::new(), 0_u16);
    for run in runs {
        let mut piece = String::new();
        for grapheme in run.text.graphemes(true) {
            let cells = text::width(grapheme);
            if used > 0 && used.saturating_add(cells) > room {
                line.push(StyledRun::new(std::mem::take(&mut piece), run.role));
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            piece.push_str(grapheme);
            used = used.saturating_add(cells);
        }
        line.push(StyledRun::new(piece, run.role));
    }
    lines.push(line);
    for line in &mut lines {
        line.retain(|run| !run.text.is_empty());
    }
    lines
}
