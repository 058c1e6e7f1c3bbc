//! Markdown as lines of a terminal: nothing of its text is lost at any width, and nothing in it is ever obeyed.
//!
//! What is read is drawn as it comes, without a tree: however deep something is nested, nothing here goes deep.

mod code;
mod flow;
mod grid;
mod inline;

use std::borrow::Cow;
use std::iter::Peekable;

use pulldown_cmark::{BlockQuoteKind, CodeBlockKind, Event, Options, Parser, Tag, TagEnd, TextMergeStream};

use super::look::Charset;
use super::theme::Role;
use super::widgets::text::{self, StyledRun};
use crate::model::labels::Labels;
pub use code::Block;
use flow::flow;
use inline::Inline;

/// The deepest that text is indented, in levels; what is deeper stands there too.
const MAX_INDENT_LEVELS: usize = 8;
/// The deepest that is counted; beyond that, what opens and closes says nothing.
const MAX_DEPTH: usize = 64;
/// As much markup is read: a row of a table is worth as many cells as its head has, so that a megabyte can be worth millions.
const MAX_EVENTS: usize = 200_000;
/// More than this many marks at the beginning of a line open nothing: the parser walks through all that is open at every line.
const MAX_LINE_MARKERS: usize = 250;
/// Fewer cells than this, and text is not indented any more.
const MIN_TEXT_WIDTH: u16 = 12;

pub type MarkdownLine = Vec<StyledRun<'static>>;

/// A page, drawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MarkdownPage {
    /// Its lines, none wider than the page.
    pub lines: Vec<MarkdownLine>,
    /// Its blocks of code, in their order.
    pub blocks: Vec<Block>,
    /// Where it leads: what it is called and its address, in the order of their numbers.
    pub links: Vec<(String, String)>,
    /// Placeholders that were filled in, as they were written, with the values; each once.
    pub filled: Vec<(String, String)>,
    /// Placeholders that no label fills; each once.
    pub missing: Vec<String>,
}

/// Draws a text in this many cells, with these labels filled in.
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
        drawing
            .page
            .lines
            .push(vec![StyledRun::new("(too much markup: the rest is not shown)", Role::Trouble)]);
    }
    drawing.page
}

/// The text without the marks at the beginnings of lines that would nest it deeper than anybody does.
fn limit_nesting(source: &str) -> Cow<'_, str> {
    if source.split_inclusive('\n').all(|line| shortened(line).is_none()) {
        return Cow::Borrowed(source);
    }
    let lines = source.split_inclusive('\n').map(|line| shortened(line).unwrap_or((line, "")));
    lines.flat_map(|(marks, rest)| [marks, rest]).collect()
}

/// The marks that a line keeps and what comes behind all of them, where it begins with too many.
fn shortened(line: &str) -> Option<(&str, &str)> {
    let opens = |c: char| c.is_ascii_digit() || " \t>-*+.)".contains(c);
    let (marks, rest) = line.split_at(line.find(|c| !opens(c)).unwrap_or(line.len()));
    let (at, _) = marks.match_indices(['>', '-', '*', '+', '.', ')']).nth(MAX_LINE_MARKERS)?;
    Some((marks.get(..at)?, rest))
}

/// What is understood beside `CommonMark`.
pub fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
}

/// What indents a line.
enum LineIndent {
    /// A bar at its left.
    Quote,
    /// The sign of an item, which stands on its first line only.
    Item { sign: String, role: Role, is_told: bool },
}

struct Drawing<'a> {
    labels: &'a Labels,
    width: u16,
    charset: Charset,
    page: MarkdownPage,
    frames: Vec<LineIndent>,
    /// Beyond the deepest.
    untracked: usize,
    /// The number of the next item of each list that is open; none: it has no numbers.
    lists: Vec<Option<u64>>,
    inline: Inline,
    /// The role of the text of the paragraph that is open.
    base: Role,
    /// Whether an empty line belongs before what comes next.
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
            // what looks like a tag may be a placeholder; shown as it is, it does no harm
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
                // an item without text is an item too
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

    /// Draws what was collected of a paragraph.
    fn end_paragraph(&mut self) {
        let runs = self.inline.taken(self.base, self.labels, &mut self.page);
        if runs.is_empty() {
            return;
        }
        for line in flow(&runs, self.room()) {
            self.line(line);
        }
    }

    /// A table: in columns where it fits without a broken word, else one line for each field.
    fn table<'e>(&mut self, rest: &mut Peekable<impl Iterator<Item = Event<'e>>>) {
        let mut rows: Vec<Vec<Vec<StyledRun<'static>>>> = Vec::new();
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
                // no block stands in a cell
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
        let number = self.page.blocks.len() + 1;
        let (lines, block) =
            code::block(&text, &inline::safe(language), number, self.labels, self.room(), self.charset);
        let from = self.page.lines.len();
        for (label, value) in &block.filled {
            inline::once(&mut self.page.filled, (label.clone(), value.clone()));
        }
        for written in &block.missing {
            inline::once(&mut self.page.missing, written.clone());
        }
        for line in lines {
            self.line(line);
        }
        let lines = from..self.page.lines.len();
        self.page.blocks.push(Block { lines, ..block });
        self.gap = true;
    }

    /// An empty line before what comes next, if one belongs there; a quote's bar goes through it.
    fn space(&mut self) {
        if std::mem::take(&mut self.gap) && !self.page.lines.is_empty() {
            let fresh = matches!(self.frames.last(), Some(LineIndent::Item { is_told: false, .. }));
            if !fresh {
                self.line(Vec::new());
            }
        }
    }

    /// The cells left of a line beside what indents it.
    fn room(&self) -> u16 {
        self.width - self.indent().min(self.width - 1)
    }

    /// The frames that are drawn: the innermost give way where it gets narrow.
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

    /// One line within all that it stands in.
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
            // there is no room beside the text: the sign has a line of its own
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

/// How a quote that is a remark begins.
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
