//! Something written for others to read: the hand-over of a shift, the draft of a review. To be copied whole.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::commands::Command;
use crate::app::due::Want;
use crate::app::grid::Grid;
use crate::app::handover::Doings;
use crate::app::layout;
use crate::app::look::Charset;
use crate::app::markdown;
use crate::app::page::Page;
use crate::app::place::{Paper, Spot, Tab};
use crate::app::screen::{About, Hint, Screen, keeps_spot};
use crate::app::selection::Selection;
use crate::app::shared::Shared;
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

/// The paper that is open.
#[derive(Debug, Default)]
pub struct OpenPaper {
    paper: Option<Paper>,
    /// As it was written last.
    written: Option<Written>,
    spot: Spot,
}

/// A paper as it was written last, and laid out for the present width.
#[derive(Debug)]
struct Written {
    paper: Paper,
    /// Its Markdown.
    text: String,
    width: u16,
    charset: Charset,
    page: markdown::Page,
}

/// Its text; `None` if what it is about is gone.
fn markdown(shared: &Shared, paper: &Paper, now: Timestamp) -> Option<String> {
    let doings = Doings { records: &shared.records, is_whole: !shared.is_journal_ahead };
    match paper {
        Paper::Handover(length) => Some(handover::markdown(shared, doings, *length, now)),
        Paper::Statistics(length) => Some(statistics::markdown(shared, *length, now)),
        Paper::Postmortem(key) => postmortem::markdown(shared, key, doings, now),
    }
}

impl OpenPaper {
    fn lines(&self) -> usize {
        self.written.as_ref().map_or(0, |written| written.page.lines.len())
    }
}

impl About for OpenPaper {
    type Subject = Paper;

    fn enter(&mut self, paper: &Paper) {
        self.paper = Some(paper.clone());
    }

    fn title(paper: &Paper, _shared: &Shared) -> String {
        match paper {
            Paper::Handover(_) => "Hand-over",
            Paper::Statistics(_) => "Statistics",
            Paper::Postmortem(_) => "Review",
        }
        .to_owned()
    }

    fn tab(paper: &Paper) -> Option<Tab> {
        match paper {
            Paper::Handover(_) | Paper::Statistics(_) => None,
            Paper::Postmortem(_) => Some(Tab::Incidents),
        }
    }

    fn is_top(paper: &Paper) -> bool {
        match paper {
            Paper::Handover(_) | Paper::Statistics(_) => true,
            Paper::Postmortem(_) => false,
        }
    }
}

impl Screen for OpenPaper {
    fn hints(&self, _shared: &Shared) -> Vec<Hint> {
        vec![(Command::Copy, "copy all"), (Command::Back, "back")]
    }

    fn render(&self, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
        let cx = shared.cx(now);
        let title = self.paper.as_ref().map(|paper| Self::title(paper, shared)).unwrap_or_default();
        let title = [Run::new(format!(" {title} "), Role::Title)];
        let room = layout::heading(&cx, &title, &[], area, buf);
        let mut page = Page::new(room.width);
        for line in self.written.iter().flat_map(|written| &written.page.lines) {
            let edge = Run::new(" ".repeat(EDGE.into()), Role::Text);
            page.line(std::iter::once(edge).chain(line.iter().cloned()).collect());
        }
        page.render(&cx, self.spot.scroll, None, room, buf);
    }

    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        match &self.paper {
            Some(Paper::Handover(length)) => handover::wants(shared, *length, now),
            Some(Paper::Statistics(length)) => statistics::wants(shared, *length, now),
            Some(Paper::Postmortem(key)) => postmortem::wants(shared, key, now),
            None => Vec::new(),
        }
    }

    /// Writes it anew, if there is news or another width; who reads its end stays there while it grows.
    fn lay_out(&mut self, shared: &Shared, is_news: bool, now: Timestamp) {
        let Some(paper) = &self.paper else { return };
        let width = shared.size.0.saturating_sub(EDGE + 1).max(1);
        let charset = shared.look.charset;
        let is_same =
            |known: &Written| known.paper == *paper && known.width == width && known.charset == charset;
        if !is_news && self.written.as_ref().is_some_and(is_same) {
            return;
        }
        let area = layout::below_heading(layout::areas(shared.size).body);
        let is_at_end = self.spot.scroll > 0 && self.spot.scroll == self.last_scroll(shared, area);
        let text = markdown(shared, paper, now);
        let text = text.unwrap_or_else(|| "The incident is not known any more.".to_owned());
        let page = markdown::page(&text, &Labels::default(), width, charset);
        self.written = Some(Written { paper: paper.clone(), text, width, charset, page });
        if is_at_end {
            self.spot.scroll = self.last_scroll(shared, area);
        }
    }

    fn leave(&mut self) {
        self.written = None;
    }

    keeps_spot!();

    fn grid(&self, _shared: &Shared, body: Rect) -> Grid {
        Grid::list(layout::below_heading(body))
    }

    fn last_scroll(&self, _shared: &Shared, area: Rect) -> u16 {
        u16::try_from(self.lines()).unwrap_or(u16::MAX).saturating_sub(area.height)
    }

    fn selection(&self, _shared: &Shared) -> Selection {
        match &self.paper {
            Some(Paper::Postmortem(key)) => Selection::Incidents(vec![key.clone()]),
            Some(Paper::Handover(_) | Paper::Statistics(_)) | None => Selection::Nothing,
        }
    }

    fn copied(&self, _shared: &Shared, _now: Timestamp) -> Option<String> {
        self.written.as_ref().map(|written| written.text.clone())
    }
}
