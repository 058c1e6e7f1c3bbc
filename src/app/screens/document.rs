//! A generated Markdown report: shift handoff, paging statistics or postmortem draft. It can be copied as a whole.

use crate::app::display_settings::Charset;
use crate::app::identity::ReviewSubject;
use crate::app::markdown;
use crate::app::place::Document;
use crate::app::prelude::*;
use crate::app::subjects::change;
use crate::app::{change_report, handoff, postmortem, statistics};

/// Cells left of the text.
const LEFT_MARGIN: u16 = 2;

/// The default length of a shift.
pub const SHIFT: Duration = Duration::from_secs(12 * 3600);

/// The period of the statistics: sources report about a week.
pub const WEEK: Duration = Duration::from_secs(7 * 86_400);

#[derive(Debug, Default)]
pub struct OpenDocument {
    pub(super) subject: Option<Document>,
    /// The text generated last.
    written: Option<RenderedDocument>,
    scroll_position: ScrollPosition,
}

/// A report as generated last, laid out for the current width.
#[derive(Debug)]
struct RenderedDocument {
    document: Document,
    /// The Markdown source.
    text: String,
    width: u16,
    charset: Charset,
    page: markdown::MarkdownPage,
}

/// The Markdown of a report; `None` if its incident is no longer known.
fn markdown(shared: &Shared, document: &Document, now: Timestamp) -> Option<String> {
    match document {
        Document::Handoff(length) => Some(handoff::markdown(shared, *length, now)),
        Document::Statistics(length) => Some(statistics::markdown(shared, *length, now)),
        Document::Postmortem(subject) => postmortem::markdown(shared, subject, now),
        Document::Changes(length) => Some(change_report::markdown(shared, *length, now)),
    }
}

impl OpenDocument {
    fn lines(&self) -> usize {
        self.written.as_ref().map_or(0, |written| written.page.lines.len())
    }
}

impl SubjectScreen for OpenDocument {
    type Subject = Document;
    const TAB: Option<Tab> = Some(Tab::Incidents);

    fn title(document: &Document, _shared: &Shared) -> String {
        match document {
            Document::Handoff(_) => "Handoff",
            Document::Statistics(_) => "Statistics",
            Document::Postmortem(_) => "Postmortem",
            Document::Changes(_) => "Changes",
        }
        .to_owned()
    }

    fn tab(document: &Document) -> Option<Tab> {
        Self::TAB.filter(|_| !Self::is_top(document))
    }

    fn is_top(document: &Document) -> bool {
        match document {
            Document::Handoff(_) | Document::Statistics(_) | Document::Changes(_) => true,
            Document::Postmortem(_) => false,
        }
    }
}

impl Screen for OpenDocument {
    offers! { []: Copy "copy all", Back }

    fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
        let title =
            self.subject.as_ref().map(|document| Self::title(document, cx.shared)).unwrap_or_default();
        let title = [StyledRun::new(format!(" {title} "), Role::Title)];
        let room = layout::heading(cx, &title, &[], area, buf);
        let mut page = PageContent::new(room.width);
        for line in self.written.iter().flat_map(|written| &written.page.lines) {
            let edge = StyledRun::new(" ".repeat(LEFT_MARGIN.into()), Role::Text);
            page.line(std::iter::once(edge).chain(line.iter().cloned()).collect());
        }
        page.render(cx, self.scroll_position.scroll, room, buf);
    }

    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        match &self.subject {
            Some(Document::Handoff(length)) => {
                let mut wants = want::firings(shared, now, *length);
                wants.extend(change::wants_since(shared, *length, now));
                wants
            }
            Some(Document::Changes(length)) => change::wants_since(shared, *length, now),
            Some(Document::Statistics(length)) => statistics::wants(shared, *length, now),
            Some(Document::Postmortem(subject)) => postmortem::wants(shared, subject, now),
            None => Vec::new(),
        }
    }

    /// Generates the text again after news or a resize. If the end of the text is visible, the scroll position follows the end.
    fn lay_out(&mut self, shared: &Shared, is_news: bool, now: Timestamp) {
        let Some(document) = &self.subject else { return };
        let width = shared.size.0.saturating_sub(LEFT_MARGIN + 1).max(1);
        let charset = shared.look.charset;
        let is_same = |known: &RenderedDocument| {
            known.document == *document && known.width == width && known.charset == charset
        };
        if !is_news && self.written.as_ref().is_some_and(is_same) {
            return;
        }
        let area = layout::below_heading(layout::areas(shared.size).body);
        let is_at_end =
            self.scroll_position.scroll > 0 && self.scroll_position.scroll == self.last_scroll(shared, area);
        let text = markdown(shared, document, now);
        let text = text.unwrap_or_else(|| "This incident is no longer known.".to_owned());
        let page = markdown::page(&text, &Labels::default(), width, charset);
        self.written = Some(RenderedDocument { document: document.clone(), text, width, charset, page });
        if is_at_end {
            self.scroll_position.scroll = self.last_scroll(shared, area);
        }
    }

    fn leave(&mut self) {
        self.written = None;
    }

    keeps_scroll_position!();

    fn last_scroll(&self, _shared: &Shared, area: Rect) -> u16 {
        u16::try_from(self.lines()).unwrap_or(u16::MAX).saturating_sub(area.height)
    }

    fn selection(&self, _shared: &Shared) -> Selection {
        match &self.subject {
            Some(Document::Postmortem(ReviewSubject::Incident(key))) => {
                Selection::Incidents(vec![key.clone()])
            }
            Some(Document::Postmortem(ReviewSubject::Outage(outage))) => {
                Selection::Services(outage.service.iter().cloned().collect()).or_nothing()
            }
            Some(Document::Handoff(_) | Document::Statistics(_) | Document::Changes(_)) | None => {
                Selection::Nothing
            }
        }
    }

    fn copied(&self, _shared: &Shared, _now: Timestamp) -> Option<String> {
        self.written.as_ref().map(|written| written.text.clone())
    }
}
