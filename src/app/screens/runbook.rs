//! A runbook in Markdown, with the alert's labels filled in. Code blocks can be copied; burnwatch never runs them.

use crate::app::markdown::Block;
use crate::app::page::scroll_to;
use crate::app::prelude::*;
use crate::app::subjects::link::is_link;
use crate::app::subjects::runbook::{RunbookText, labels, remote, wants};
use crate::model::runbook::RunbookSearch;

/// The screen of a runbook, laid out for the current width.
#[derive(Debug, Default)]
pub struct OpenRunbook {
    pub(super) subject: Option<Arc<RunbookQuery>>,
    text: RunbookText,
    /// Panel 0 is the text; panel n is its code block n-1.
    scroll_position: ScrollPosition,
}

impl OpenRunbook {
    /// The result of the search, if there is one.
    fn remote<'a>(&self, shared: &'a Shared) -> Option<&'a Remote<RunbookSearch>> {
        remote(shared, self.subject.as_ref()?)
    }

    /// The code block under the cursor, or the only one.
    fn block(&self) -> Option<&Block> {
        let blocks = &self.text.markdown.blocks;
        match self.scroll_position.panel.checked_sub(1) {
            Some(index) => blocks.get(index),
            None => blocks.first().filter(|_| blocks.len() == 1),
        }
    }
}

impl SubjectScreen for OpenRunbook {
    type Subject = Arc<RunbookQuery>;
    const TAB: Option<Tab> = None;

    fn title(wanted: &Arc<RunbookQuery>, _shared: &Shared) -> String {
        format!("Runbook {}", wanted.name)
    }
}

impl Screen for OpenRunbook {
    offers! { []: NextPanel "next block", Copy "copy block", Links, Back }

    fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
        let remote = self.remote(cx.shared);
        let search = remote.and_then(|remote| remote.value());
        let from = search.and_then(|search| search.found.as_ref()).map(|found| format!("  {}", found.from));
        let name = self.subject.as_ref().map_or("", |wanted| &wanted.name);
        let title = [
            StyledRun::new(format!(" Runbook {name}"), Role::Title),
            StyledRun::new(from.unwrap_or_default(), Role::Muted),
        ];
        let failure = remote.and_then(|remote| remote.failure());
        let read = remote.and_then(|remote| remote.at).map(|at| format!("read {} ago ", ago(at, cx.now)));
        let right = match failure {
            Some(error) => vec![StyledRun::new(format!("{} {error} ", cx.symbol(Role::Stale)), Role::Stale)],
            None => vec![StyledRun::new(read.unwrap_or_default(), Role::Muted)],
        };
        let below = layout::heading(cx, &title, &right, area, buf);
        let (page, _) = page(self, cx, below.width);
        page.render(cx, self.scroll_position.scroll, below, buf);
    }

    fn wants(&self, shared: &Shared, _now: Timestamp) -> Vec<Want> {
        self.subject.iter().filter_map(|wanted| wants(shared, wanted)).collect()
    }

    /// Lays out the text again if the runbook or the terminal has changed.
    fn lay_out(&mut self, shared: &Shared, _is_news: bool, _now: Timestamp) {
        let Some(wanted) = &self.subject else { return };
        if self.text.lay_out(shared, wanted, room(shared.size.0)) {
            self.scroll_position.panel = self.scroll_position.panel.min(self.text.markdown.blocks.len());
        }
    }

    /// Drops the laid out text: it can be laid out again.
    fn leave(&mut self) {
        self.text = RunbookText::default();
    }

    keeps_scroll_position!(side_by_side);

    fn panels(&self) -> usize {
        self.text.markdown.blocks.len() + 1
    }

    fn has_panel(&self, _shared: &Shared, _body: Rect, panel: usize) -> bool {
        panel > 0 || self.text.markdown.blocks.is_empty()
    }

    fn page(&self, shared: &Shared, width: u16) -> Option<PageContent> {
        Some(page(self, &shared.cx(Timestamp::UNIX_EPOCH), width).0)
    }

    /// Scrolls to the selected block: to all of it if it fits, else to its first line.
    fn show_panel(&mut self, shared: &Shared, area: Rect) {
        self.scroll_position.scroll = scroll_to_block(self, shared, area.height);
    }

    fn copied(&self, _shared: &Shared, _now: Timestamp) -> Option<String> {
        self.block().map(|block| block.text.clone())
    }

    /// The address of the runbook, and the links in it.
    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        let Some(wanted) = &self.subject else { return Vec::new() };
        let found = self.remote(shared).and_then(|remote| remote.value()?.found.as_ref());
        let own =
            found.map(|found| found.from.clone()).filter(|from| is_link(from)).or_else(|| wanted.url.clone());
        let mut links: Vec<(String, Text)> =
            own.filter(|url| is_link(url)).map(|url| ("this runbook".to_owned(), url)).into_iter().collect();
        let within = self.text.markdown.links.iter().enumerate();
        links.extend(
            within
                .filter(|(_, (_, url))| is_link(url))
                .map(|(at, (name, url))| (format!("[{}] {name}", at + 1), Text::from(url.as_str()))),
        );
        links
    }

    /// Copies the selected block, and warns about placeholders and shell quoting.
    fn run(&mut self, shared: &mut Shared, command: Command, now: Timestamp) -> bool {
        let Some(wanted) = self.subject.as_ref().filter(|_| command == Command::Copy) else { return false };
        let labels = labels(wanted);
        let Some(copied) = self.block().map(|block| block.for_shell(&labels)) else {
            let words = match self.text.markdown.blocks.len() {
                0 => "This runbook has no code block to copy",
                _ => "This runbook has several code blocks. Select one with Tab",
            };
            shared.messages.note(words, now);
            return true;
        };
        let lines = copied.text.lines().count();
        shared.copy(copied.text, now);
        let what = if lines == 1 { "Copied 1 line".to_owned() } else { format!("Copied {lines} lines") };
        if !copied.left.is_empty() {
            let words = format!("{what}. Fill in these placeholders yourself: {}", copied.left.join(", "));
            shared.messages.note(words, now);
        } else if !copied.quoted.is_empty() {
            let words = format!("{what}. Quoted for the shell: {}", copied.quoted.join(", "));
            shared.messages.note(words, now);
        }
        true
    }
}

/// Maximum width of the text; longer lines are hard to read.
const MAX_TEXT_WIDTH: u16 = 110;
/// Cells left of the text.
const LEFT_MARGIN: u16 = 2;

/// The width of the text in a terminal of this width.
fn room(width: u16) -> u16 {
    width.saturating_sub(LEFT_MARGIN + 1).clamp(1, MAX_TEXT_WIDTH)
}

/// The scroll position that shows the selected block: all of it if it fits, else its first line.
fn scroll_to_block(screen: &OpenRunbook, shared: &Shared, height: u16) -> u16 {
    let scroll = screen.scroll_position.scroll;
    let (_, before) = page(screen, &shared.cx(Timestamp::UNIX_EPOCH), shared.size.0);
    let at = screen.scroll_position.panel.checked_sub(1);
    let Some(block) = at.and_then(|at| screen.text.markdown.blocks.get(at)) else { return scroll };
    let last = scroll_to(before + block.lines.end.saturating_sub(1), scroll, height);
    last.min(u16::try_from(before + block.lines.start).unwrap_or(u16::MAX))
}

/// The whole page, and the number of lines before the runbook's own text.
fn page(screen: &OpenRunbook, cx: &ScreenCx<'_>, width: u16) -> (PageContent, usize) {
    let mut page = PageContent::new(width.min(room(width) + LEFT_MARGIN + 1));
    let remote = screen.remote(cx.shared);
    let Some(search) = remote.and_then(|remote| remote.value()) else {
        let words = match remote {
            None => "No runbook source is configured.",
            Some(remote) if remote.failure().is_some() => "The search failed.",
            Some(_) => cx.shared.waiting(),
        };
        page.paragraph(&format!(" {words}"), Role::Muted);
        return (page, 0);
    };
    tried(cx, search, &mut page);
    let Some(found) = &search.found else {
        return (page, 0);
    };
    for warning in &found.warnings {
        page.paragraph(&format!(" {} {warning}", cx.symbol(Role::Warning)), Role::Warning);
    }
    let markdown = &screen.text.markdown;
    if !markdown.filled.is_empty() {
        let label = |written: &str| {
            let inside = written.trim_matches(['{', '}', '$', '<', '>', ' ', '-']);
            inside.rsplit("abels.").next().unwrap_or(inside).to_owned()
        };
        let mut pairs: Vec<String> =
            markdown.filled.iter().map(|(written, value)| format!("{}={value}", label(written))).collect();
        pairs.sort();
        pairs.dedup();
        page.pair("filled in", &pairs.join("  "), Role::Match);
    }
    if !markdown.missing.is_empty() {
        page.pair("no label for", &markdown.missing.join("  "), Role::Trouble);
    }
    if !page.lines.is_empty() {
        page.line(Vec::new());
    }
    let before = page.lines.len();
    let current = screen
        .scroll_position
        .panel
        .checked_sub(1)
        .and_then(|at| markdown.blocks.get(at))
        .map(|block| &block.lines);
    for (index, line) in markdown.lines.iter().enumerate() {
        let is_current = current.is_some_and(|lines| lines.contains(&index));
        let sign = if is_current { cx.symbol(Role::Selected) } else { " " };
        let mut runs = vec![StyledRun::new(text::pad(sign, LEFT_MARGIN, cx.charset), Role::Accent)];
        runs.extend(line.iter().map(|run| {
            let role = if is_current && run.role == Role::Border { Role::Accent } else { run.role };
            StyledRun::new(run.text.clone(), role)
        }));
        page.line(runs);
    }
    (page, before)
}

/// Lists the places that were searched without success.
fn tried(cx: &Cx<'_>, search: &RunbookSearch, page: &mut PageContent) {
    if search.found.is_none() {
        page.paragraph(&format!(" {} No runbook found.", cx.symbol(Role::Unknown)), Role::Unknown);
    }
    for tried in &search.tried {
        page.pair("searched", &tried.place, Role::Accent);
        page.pair("", &tried.why, Role::Stale);
    }
    if search.found.is_none() {
        page.line(Vec::new());
        let advice = "A runbook comes from the alert's runbook_url annotation or from [runbooks] in the configuration: a folder \
                      of files named after alerts or services, or URL templates.";
        page.paragraph(&format!(" {advice}"), Role::Muted);
    }
}
