//! Something written for others to read: the hand-over of a shift, the draft of a review. To be copied whole.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::page::Page;
use crate::app::due::Want;
use crate::app::frame;
use crate::app::handover::Doings;
use crate::app::look::Charset;
use crate::app::markdown;
use crate::app::place::{Paper, Place};
use crate::app::state::State;
use crate::app::theme::Role;
use crate::app::widgets::text::Run;
use crate::app::{handover, postmortem, statistics};
use crate::model::labels::Labels;

/// Cells left of the text.
const EDGE: u16 = 2;

/// How long a shift is, unless the command line says otherwise.
pub const SHIFT: Duration = Duration::from_secs(12 * 3600);

/// How far back statistics look: sources tell about a week.
pub const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// The cells that the text has in a terminal of this width.
fn room(width: u16) -> u16 {
    width.saturating_sub(EDGE + 1).max(1)
}

/// What it asks for.
pub fn wants(state: &State, paper: &Paper, now: Timestamp) -> Vec<Want> {
    match paper {
        Paper::Handover(length) => handover::wants(state, *length, now),
        Paper::Statistics(length) => statistics::wants(state, *length, now),
        Paper::Postmortem { source, id } => postmortem::wants(state, source, id, now),
    }
}

/// A paper as it was written last, and laid out for the present width.
#[derive(Debug)]
pub struct Written {
    /// Which.
    pub paper: Paper,
    /// Its Markdown.
    pub text: String,
    width: u16,
    charset: Charset,
    page: markdown::Page,
}

/// Its text; `None` if what it is about is gone.
pub fn markdown(state: &State, paper: &Paper, now: Timestamp) -> Option<String> {
    let doings = Doings { records: &state.records, is_whole: !state.is_journal_ahead };
    match paper {
        Paper::Handover(length) => Some(handover::markdown(state, doings, *length, now)),
        Paper::Statistics(length) => Some(statistics::markdown(state, *length, now)),
        Paper::Postmortem { source, id } => postmortem::markdown(state, (source, id), doings, now),
    }
}

/// Writes the paper on the screen anew, if there is news or another width.
pub fn write(state: &mut State, is_news: bool, now: Timestamp) {
    let Place::Paper(paper) = state.place() else {
        state.written = None;
        return;
    };
    let (width, charset) = (room(state.size.0), state.look.charset);
    let is_same = |known: &Written| known.paper == *paper && known.width == width && known.charset == charset;
    if !is_news && state.written.as_ref().is_some_and(is_same) {
        return;
    }
    let text = markdown(state, paper, now);
    let text = text.unwrap_or_else(|| "The incident is not known any more.".to_owned());
    let page = markdown::page(&text, &Labels::default(), width, charset);
    state.written = Some(Written { paper: paper.clone(), text, width, charset, page });
}

/// Draws it.
pub fn render(state: &State, paper: &Paper, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = state.cx(now);
    let title = match paper {
        Paper::Handover(_) => " Hand-over ",
        Paper::Statistics(_) => " Statistics ",
        Paper::Postmortem { .. } => " Review ",
    };
    let room = frame::heading(&cx, &[Run::new(title, Role::Title)], &[], area, buf);
    page(state, room.width).render(&cx, state.scroll, None, room, buf);
}

/// How far it can be scrolled.
pub fn last_scroll(state: &State, area: Rect) -> u16 {
    let lines = state.written.as_ref().map_or(0, |written| written.page.lines.len());
    u16::try_from(lines).unwrap_or(u16::MAX).saturating_sub(area.height)
}

fn page(state: &State, width: u16) -> Page {
    let mut page = Page::new(width);
    for line in state.written.iter().flat_map(|written| &written.page.lines) {
        let edge = Run::new(" ".repeat(EDGE.into()), Role::Text);
        page.line(std::iter::once(edge).chain(line.iter().cloned()).collect());
    }
    page
}
