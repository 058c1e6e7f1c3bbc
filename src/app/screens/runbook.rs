//! A runbook in Markdown, with the alert's labels filled in. Code blocks can be copied; burnwatch never runs them.

use std::sync::Arc;

use crate::app::display_settings::Charset;
use crate::app::markdown::{self, Block};
use crate::app::prelude::*;
use crate::app::subjects::link::is_link;
use crate::app::subjects::runbook::labels;
use crate::model::ask::Query;
use crate::model::remote::Remote;
use crate::model::runbook::{RunbookSearch, SOURCE};

mod view;

/// The screen of a runbook, laid out for the current width.
#[derive(Debug, Default)]
pub struct OpenRunbook {
    wanted: Option<Arc<RunbookQuery>>,
    laid_out: Option<RunbookLayoutKey>,
    markdown: markdown::MarkdownPage,
    /// Panel 0 is the text; panel n is its code block n-1.
    scroll_position: ScrollPosition,
}

/// The inputs of the layout: it is laid out again only if one of them changes.
#[derive(Debug, Clone, PartialEq)]
struct RunbookLayoutKey {
    wanted: Arc<RunbookQuery>,
    digest: Option<u64>,
    /// Whether a runbook was found; a failed search has no digest.
    is_found: bool,
    width: u16,
    charset: Charset,
}

fn source() -> SourceId {
    SourceId::new(SOURCE)
}

impl OpenRunbook {
    /// The result of the search, if there is one.
    fn remote<'a>(&self, shared: &'a Shared) -> Option<&'a Remote<RunbookSearch>> {
        shared.world.cache(&source())?.runbooks().get(self.wanted.as_ref()?)
    }

    /// The code block under the cursor, or the only one.
    fn block(&self) -> Option<&Block> {
        let blocks = &self.markdown.blocks;
        match self.scroll_position.panel.checked_sub(1) {
            Some(index) => blocks.get(index),
            None => blocks.first().filter(|_| blocks.len() == 1),
        }
    }
}

impl SubjectScreen for OpenRunbook {
    type Subject = Arc<RunbookQuery>;

    fn enter(&mut self, wanted: &Arc<RunbookQuery>) {
        self.wanted = Some(Arc::clone(wanted));
    }

    fn title(wanted: &Arc<RunbookQuery>, _shared: &Shared) -> String {
        format!("Runbook {}", wanted.name)
    }

    fn tab(_wanted: &Arc<RunbookQuery>) -> Option<Tab> {
        None
    }
}

impl Screen for OpenRunbook {
    fn hints(&self, _shared: &Shared) -> Vec<Hint> {
        vec![
            (Command::NextPanel, "next block"),
            (Command::Copy, "copy block"),
            (Command::Links, "links"),
            (Command::Back, "back"),
        ]
    }

    drawn_by_view!();

    fn wants(&self, shared: &Shared, _now: Timestamp) -> Vec<Want> {
        let Some(wanted) = self.wanted.as_ref().filter(|_| shared.world.cache(&source()).is_some()) else {
            return Vec::new();
        };
        vec![want::of(shared, &source(), Query::Runbook { wanted: Arc::clone(wanted) })]
    }

    /// Lays out the text again if the runbook or the terminal has changed.
    fn lay_out(&mut self, shared: &Shared, _is_news: bool, _now: Timestamp) {
        let Some(wanted) = &self.wanted else { return };
        let remote = self.remote(shared);
        let found = remote.and_then(|remote| remote.value()?.found.as_ref());
        let layout = RunbookLayoutKey {
            wanted: Arc::clone(wanted),
            digest: remote.and_then(Remote::digest),
            is_found: found.is_some(),
            width: view::room(shared.size.0),
            charset: shared.look.charset,
        };
        if self.laid_out.as_ref() == Some(&layout) {
            return;
        }
        let page =
            found.map(|found| markdown::page(&found.text, &labels(wanted), layout.width, layout.charset));
        self.markdown = page.unwrap_or_default();
        self.scroll_position.panel = self.scroll_position.panel.min(self.markdown.blocks.len());
        self.laid_out = Some(layout);
    }

    /// Drops the laid out text: it can be laid out again.
    fn leave(&mut self) {
        (self.laid_out, self.markdown) = (None, markdown::MarkdownPage::default());
    }

    keeps_spot!();

    fn panels(&self) -> usize {
        self.markdown.blocks.len() + 1
    }

    fn has_panel(&self, _shared: &Shared, _body: Rect, panel: usize) -> bool {
        panel > 0 || self.markdown.blocks.is_empty()
    }

    fn has_panels_side_by_side(&self) -> bool {
        true
    }

    fn grid(&self, _shared: &Shared, body: Rect) -> Grid {
        Grid::list(layout::below_heading(body))
    }

    fn page(&self, shared: &Shared, width: u16) -> Option<PageContent> {
        Some(view::page(self, shared, &shared.cx(Timestamp::UNIX_EPOCH), width).0)
    }

    /// Scrolls to the selected block: to all of it if it fits, else to its first line.
    fn show_panel(&mut self, shared: &Shared, area: Rect) {
        self.scroll_position.scroll = view::scroll_to_block(self, shared, area.height);
    }

    fn copied(&self, _shared: &Shared, _now: Timestamp) -> Option<String> {
        self.block().map(|block| block.text.clone())
    }

    /// The address of the runbook, and the links in it.
    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        let Some(wanted) = &self.wanted else { return Vec::new() };
        let found = self.remote(shared).and_then(|remote| remote.value()?.found.as_ref());
        let own =
            found.map(|found| found.from.clone()).filter(|from| is_link(from)).or_else(|| wanted.url.clone());
        let mut links: Vec<(String, Text)> =
            own.filter(|url| is_link(url)).map(|url| ("this runbook".to_owned(), url)).into_iter().collect();
        let within = self.markdown.links.iter().enumerate();
        links.extend(
            within
                .filter(|(_, (_, url))| is_link(url))
                .map(|(at, (name, url))| (format!("[{}] {name}", at + 1), Text::from(url.as_str()))),
        );
        links
    }

    /// Copies the selected block, and warns about placeholders and shell quoting.
    fn run(&mut self, shared: &mut Shared, command: Command, now: Timestamp) -> bool {
        let Some(wanted) = self.wanted.as_ref().filter(|_| command == Command::Copy) else { return false };
        let labels = labels(wanted);
        let Some(copied) = self.block().map(|block| block.for_shell(&labels)) else {
            let words = match self.markdown.blocks.len() {
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
