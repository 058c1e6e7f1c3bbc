//! Renders Markdown as terminal lines: at any width no text is lost, and no control sequence of the text is executed.
//!
//! The parser's events are drawn as they come, without a tree, so that deep nesting cannot overflow the stack.

mod code;
mod flow;
mod grid;
mod inline;
mod nesting;

use std::iter::Peekable;

use pulldown_cmark::{BlockQuoteKind, CodeBlockKind, Event, Options, Parser, Tag, TagEnd, TextMergeStream};

use super::display_settings::Charset;
use super::theme::Role;
use super::widgets::text::{self, StyledRun};
use crate::model::labels::Labels;
pub use code::Block;
use flow::flow;
use inline::Inline;
use nesting::limit_nesting;

/// Maximum depth of indentation; deeper blocks are indented as much.
const MAX_INDENT_LEVELS: usize = 8;
/// Maximum depth of blocks that is tracked; deeper blocks are drawn at that depth.
const MAX_DEPTH: usize = 64;
/// Maximum number of parser events. The cells of a table row are padded to the header's length, so that a small text can produce
/// millions.
const MAX_EVENTS: usize = 200_000;
/// If the text would be narrower than this, it is not indented further.
const MIN_TEXT_WIDTH: u16 = 12;

pub type MarkdownLine = Vec<StyledRun<'static>>;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct MarkdownPage {
    /// The lines, none wider than the page.
    pub lines: Vec<MarkdownLine>,
    /// The code blocks in their order.
    pub blocks: Vec<Block>,
    /// The links in the order of their numbers: text and address.
    pub links: Vec<(String, String)>,
    /// The filled placeholders as written, with their values; without duplicates.
    pub filled: Vec<(String, String)>,
    /// The placeholders without a label; without duplicates.
    pub missing: Vec<String>,
}

/// Renders a text in this width, with placeholders filled from these labels.
pub fn page(source: &str, labels: &Labels, width: u16, charset: Charset) -> MarkdownPage {
    let mut drawing = Drawing::new(labels, width.max(1), charset);
    let source = limit_nesting(source);
    let mut all = TextMergeStream::new(Parser::new_ext(&source, options()));
    let mut events = all.by_ref().take(MAX_EVENTS).peekable();
    while let Some(event) = events.next() {
        drawing.take(event, &mut events);
    }
    drawing.end_paragraph();
    if all.next().is_some() {
        let words = "(too much markup: the rest is not shown)";
        drawing.page.lines.push(vec![StyledRun::new(words, Role::Trouble)]);
    }
    drawing.page
}

pub fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
}

/// What indents the lines of a block.
enum LineIndent {
    Quote,
    /// The marker of a list item, which only the first line has. `is_told`: it is written already.
    Item {
        sign: String,
        role: Role,
        is_told: bool,
    },
}

struct Drawing<'a> {
    labels: &'a Labels,
    width: u16,
    charset: Charset,
    page: MarkdownPage,
    frames: Vec<LineIndent>,
    /// The number of open blocks beyond [`MAX_DEPTH`].
    untracked: usize,
    /// For each open list the number of the next item; None: a bullet list.
    lists: Vec<Option<u64>>,
    inline: Inline,
    /// The role of the open paragraph's text.
    base: Role,
    /// Whether an empty line is needed before the next block.
    gap: bool,
}

impl<'a> Drawing<'a> {
    fn new(labels: &'a Labels, width: u16, charset: Charset) -> Self {
        Self {
            labels,
            width,
            charset,
            page: MarkdownPage::default(),
            frames: Vec::new(),
            untracked: 0,
            lists: Vec::new(),
            inline: Inline::default(),
            base: Role::Text,
            gap: false,
        }
    }

    fn take<'e>(&mut self, event: Event<'e>, rest: &mut Peekable<impl Iterator<Item = Event<'e>>>) {
        match event {
            Event::Start(tag) => self.start(tag, rest),
            Event::End(tag) => self.end(tag),
            // an unknown tag may be a placeholder such as <pod>: it is shown as text
            Event::Text(text) | Event::InlineHtml(text) => self.inline.push(&text),
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.inline.push_in(&text, Role::Accent);
            }
            Event::Html(text) => {
                for line in text.lines() {
                    self.inline.push_in(line, Role::Muted);
                    self.inline.break_line();
                }
            }
            Event::FootnoteReference(label) => self.inline.push_in(&format!("[^{label}]"), Role::Muted),
            Event::SoftBreak => self.inline.push(" "),
            Event::HardBreak => self.inline.break_line(),
            Event::Rule => {
                self.space();
                let room = self.room();
                let line = self.charset.pick("─", "-").repeat(usize::from(room));
                self.line(vec![StyledRun::new(line, Role::Border)]);
                self.gap = true;
            }
            Event::TaskListMarker(done) => {
                let sign = if done { "[x] " } else { "[ ] " };
                self.inline.push_in(sign, if done { Role::Muted } else { Role::Accent });
            }
        }
    }

    fn start<'e>(&mut self, tag: Tag<'e>, rest: &mut Peekable<impl Iterator<Item = Event<'e>>>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock | Tag::DefinitionListTitle | Tag::DefinitionListDefinition => {
                self.end_paragraph();
                self.space();
            }
            Tag::Heading { level, .. } => {
                self.end_paragraph();
                self.gap = !self.page.lines.is_empty();
                self.space();
                self.base = Role::Title;
                self.inline.push_in(&format!("{} ", "#".repeat(level as usize)), Role::Muted);
            }
            Tag::BlockQuote(kind) => {
                self.end_paragraph();
                self.space();
                self.open(LineIndent::Quote);
                if let Some(kind) = kind {
                    let (word, role) = remark(kind);
                    self.line(vec![StyledRun::new(word, role)]);
                }
            }
            Tag::CodeBlock(kind) => {
                self.end_paragraph();
                self.space();
                let language = match kind {
                    CodeBlockKind::Fenced(info) => {
                        info.split_whitespace().next().unwrap_or_default().to_owned()
                    }
                    CodeBlockKind::Indented => String::new(),
                };
                let mut text = String::new();
                while let Some(Event::Text(more)) = rest.next_if(|event| matches!(event, Event::Text(_))) {
                    text.push_str(&more);
                }
                self.code(&text, &language);
            }
            Tag::List(first) => {
                self.end_paragraph();
                if self.lists.is_empty() {
                    self.space();
                }
                self.gap = false;
                self.lists.push(first);
            }
            Tag::Item => {
                self.end_paragraph();
                self.gap = false;
                let bullet = self.charset.pick("•", "*");
                let sign = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let sign = format!("{number}. ");
                        *number += 1;
                        sign
                    }
                    Some(None) | None => format!("{bullet} "),
                };
                self.open(LineIndent::Item { sign, role: Role::Accent, is_told: false });
            }
            Tag::FootnoteDefinition(label) => {
                self.end_paragraph();
                self.space();
                let sign = format!("[^{}]: ", inline::safe(&label));
                self.open(LineIndent::Item { sign, role: Role::Muted, is_told: false });
            }
            Tag::Table(_) => {
                self.end_paragraph();
                self.space();
                self.table(rest);
            }
            Tag::DefinitionList | Tag::TableHead | Tag::TableRow | Tag::TableCell => {}
            Tag::Emphasis | Tag::Strikethrough | Tag::Superscript | Tag::Subscript => self.inline.open(None),
            Tag::Strong => self.inline.open(Some(Role::Title)),
            Tag::Link { dest_url, .. } => self.inline.open_link(&dest_url, false),
            Tag::Image { dest_url, .. } => self.inline.open_link(&dest_url, true),
            Tag::MetadataBlock(_) => {
                self.end_paragraph();
                self.base = Role::Muted;
            }
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph
            | TagEnd::Heading(_)
            | TagEnd::HtmlBlock
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::MetadataBlock(_) => {
                self.end_paragraph();
                self.base = Role::Text;
                self.gap = true;
            }
            TagEnd::CodeBlock | TagEnd::Table => self.gap = true,
            TagEnd::BlockQuote(_) | TagEnd::FootnoteDefinition => {
                self.end_paragraph();
                self.close();
                self.gap = true;
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.gap = self.lists.is_empty();
            }
            TagEnd::Item => {
                self.end_paragraph();
                // an item without text is shown, too
                if matches!(self.frames.last(), Some(LineIndent::Item { is_told: false, .. })) {
                    self.line(Vec::new());
                }
                self.close();
            }
            TagEnd::Emphasis
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::Strong => {
                self.inline.close();
            }
            TagEnd::Link | TagEnd::Image => self.inline.close_link(&mut self.page.links),
            TagEnd::DefinitionList | TagEnd::TableHead | TagEnd::TableRow | TagEnd::TableCell => {}
        }
    }

    fn open(&mut self, frame: LineIndent) {
        if self.frames.len() < MAX_DEPTH { self.frames.push(frame) } else { self.untracked += 1 }
    }

    fn close(&mut self) {
        if self.untracked > 0 {
            self.untracked -= 1;
        } else {
            self.frames.pop();
        }
    }

    /// Writes the lines of the collected paragraph.
    fn end_paragraph(&mut self) {
        let runs = self.inline.taken(self.base, self.labels, &mut self.page);
        if runs.is_empty() {
            return;
        }
        for line in flow(&runs, self.room()) {
            self.line(line);
        }
    }

    /// Writes a table: as columns if no word has to be broken, else with one line per field.
    fn table<'e>(&mut self, rest: &mut Peekable<impl Iterator<Item = Event<'e>>>) {
        let mut rows: Vec<Vec<MarkdownLine>> = Vec::new();
        for event in rest.by_ref() {
            match event {
                Event::End(TagEnd::Table) => break,
                Event::Start(Tag::TableHead | Tag::TableRow) => rows.push(Vec::new()),
                Event::Start(Tag::TableCell) | Event::End(TagEnd::TableHead | TagEnd::TableRow) => {}
                Event::End(TagEnd::TableCell) => {
                    let base = if rows.len() == 1 { Role::Title } else { Role::Text };
                    let runs = self.inline.taken(base, self.labels, &mut self.page);
                    if let Some(row) = rows.last_mut() {
                        row.push(runs);
                    }
                }
                // a cell contains no block
                Event::Start(tag) => self.start(tag, &mut std::iter::empty().peekable()),
                Event::End(tag) => self.end(tag),
                event => self.take(event, &mut std::iter::empty().peekable()),
            }
        }
        for line in grid::lines(&rows, self.room(), self.charset) {
            self.line(line);
        }
        self.gap = true;
    }

    fn code(&mut self, text: &str, language: &str) {
        let text = inline::safe_lines(text);
        let room = self.room();
        let target = (self.labels, &mut self.page);
        let (lines, block) = code::block(&text, &inline::safe(language), target, room, self.charset);
        let from = self.page.lines.len();
        for line in lines {
            self.line(line);
        }
        let lines = from..self.page.lines.len();
        self.page.blocks.push(Block { lines, ..block });
        self.gap = true;
    }

    /// Writes the empty line before the next block, if one is needed; in a quote it has the bar.
    fn space(&mut self) {
        if std::mem::take(&mut self.gap) && !self.page.lines.is_empty() {
            let fresh = matches!(self.frames.last(), Some(LineIndent::Item { is_told: false, .. }));
            if !fresh {
                self.line(Vec::new());
            }
        }
    }

    /// The width of a line without its indentation.
    fn room(&self) -> u16 {
        self.width - self.indent().min(self.width - 1)
    }

    /// The number of indentation levels that are drawn; in a narrow page the innermost ones are left out.
    fn drawn(&self) -> usize {
        let mut used = 0_u16;
        let fits = |frame: &&LineIndent| {
            used = used.saturating_add(frame.width());
            self.width.saturating_sub(used) >= MIN_TEXT_WIDTH.min(self.width)
        };
        self.frames.iter().take(MAX_INDENT_LEVELS).take_while(fits).count()
    }

    fn indent(&self) -> u16 {
        self.frames.iter().take(self.drawn()).map(LineIndent::width).sum()
    }

    /// Writes one line with its indentation.
    fn line(&mut self, runs: MarkdownLine) {
        let drawn = self.drawn();
        let bar = self.charset.pick("▎ ", "| ");
        let mut line = Vec::new();
        let mut untold = String::new();
        for (at, frame) in self.frames.iter_mut().enumerate() {
            let is_drawn = at < drawn;
            match frame {
                LineIndent::Quote if is_drawn => line.push(StyledRun::new(bar, Role::Border)),
                LineIndent::Quote => {}
                LineIndent::Item { sign, role, is_told } => {
                    let is_first = !std::mem::replace(is_told, true);
                    if is_drawn && is_first {
                        line.push(StyledRun::new(sign.clone(), *role));
                    } else if is_drawn {
                        line.push(StyledRun::new(" ".repeat(usize::from(text::width(sign))), Role::Text));
                    } else if is_first {
                        untold.push_str(sign);
                    }
                }
            }
        }
        if !untold.is_empty() {
            // no room beside the text: the marker gets its own line
            self.page.lines.push(vec![StyledRun::new(
                text::fit(&untold, self.width, self.charset).into_owned(),
                Role::Accent,
            )]);
        }
        line.extend(runs);
        self.page.lines.push(line);
    }
}

impl LineIndent {
    fn width(&self) -> u16 {
        match self {
            Self::Quote => 2,
            Self::Item { sign, .. } => text::width(sign),
        }
    }
}

/// The heading of an alert quote (`> [!NOTE]`), and its role.
fn remark(kind: BlockQuoteKind) -> (&'static str, Role) {
    match kind {
        BlockQuoteKind::Note => ("Note", Role::Info),
        BlockQuoteKind::Tip => ("Tip", Role::Info),
        BlockQuoteKind::Important => ("Important", Role::Warning),
        BlockQuoteKind::Warning => ("Warning", Role::Warning),
        BlockQuoteKind::Caution => ("Caution", Role::Critical),
    }
}

#[cfg(test)]
mod tests;
