//! Collects the text of one paragraph: parts with roles, links, filled placeholders.

use std::collections::HashMap;

use super::{MarkdownLine, MarkdownPage};
use crate::app::theme::Role;
use crate::app::widgets::text::StyledRun;
use crate::model::labels::Labels;
use crate::model::placeholder::{TemplatePart, parts};
use crate::model::text;

/// The part that stands for a forced line break.
pub(super) const BREAK: &str = "\n";

/// Maximum depth of nested emphasis; deeper emphasis is ignored.
const MAX_EMPHASIS_DEPTH: usize = 32;
/// Maximum bytes of a link's text.
const MAX_LINK_NAME: usize = 400;

/// The paragraph collected so far.
#[derive(Debug, Default)]
pub(super) struct Inline {
    /// The text and its role; None: the role of the paragraph.
    parts: Vec<(String, Option<Role>)>,
    roles: Vec<Option<Role>>,
    /// The number of open emphases beyond [`MAX_EMPHASIS_DEPTH`].
    untracked: usize,
    links: Vec<InlineLink>,
    /// The index of each address in the page's links.
    numbers: HashMap<String, usize>,
}

#[derive(Debug)]
struct InlineLink {
    url: String,
    is_image: bool,
    /// The index in `parts` where its text begins.
    from: usize,
}

/// One line without control characters, which Markdown escapes such as `&#27;` could contain.
pub(super) fn safe(text: &str) -> String {
    text::clean_document(text).replace('\n', " ")
}

/// The same, with line breaks kept.
pub(super) fn safe_lines(text: &str) -> String {
    text::clean_document(text)
}

/// Adds a value if it is new; at most 100.
pub(super) fn once<T: PartialEq>(all: &mut Vec<T>, one: T) {
    if all.len() < 100 && !all.contains(&one) {
        all.push(one);
    }
}

impl Inline {
    /// Adds text in the current role.
    pub(super) fn push(&mut self, text: &str) {
        let role = self.roles.iter().rev().find_map(|role| *role);
        self.add(text, role);
    }

    pub(super) fn push_in(&mut self, text: &str, role: Role) {
        self.add(text, Some(role));
    }

    fn add(&mut self, text: &str, role: Option<Role>) {
        let text = safe(text);
        match self.parts.last_mut() {
            Some((last, same)) if *same == role && last != BREAK => last.push_str(&text),
            _ if text.is_empty() => {}
            _ => self.parts.push((text, role)),
        }
    }

    pub(super) fn break_line(&mut self) {
        self.parts.push((BREAK.to_owned(), None));
    }

    /// Starts an emphasis; None: without a role of its own.
    pub(super) fn open(&mut self, role: Option<Role>) {
        if self.roles.len() < MAX_EMPHASIS_DEPTH { self.roles.push(role) } else { self.untracked += 1 }
    }

    pub(super) fn close(&mut self) {
        if self.untracked > 0 {
            self.untracked -= 1;
        } else {
            self.roles.pop();
        }
    }

    pub(super) fn open_link(&mut self, url: &str, is_image: bool) {
        if is_image {
            self.push_in("[image: ", Role::Muted);
        }
        self.links.push(InlineLink { url: safe(url), is_image, from: self.parts.len() });
        self.open(Some(Role::Accent));
    }

    /// Ends a link or an image; a link's number is written after its text.
    pub(super) fn close_link(&mut self, known: &mut Vec<(String, String)>) {
        self.close();
        let Some(link) = self.links.pop() else { return };
        let mut name = String::new();
        for (text, _) in self.parts.iter().skip(link.from) {
            if name.len() > MAX_LINK_NAME {
                break;
            }
            name.push_str(text);
        }
        if link.is_image {
            self.push_in(&format!("{}{}]", if name.is_empty() { "" } else { " " }, link.url), Role::Muted);
        }
        if link.url.is_empty() || link.url.starts_with('#') {
            return;
        }
        let at = self.numbers.get(&link.url).copied().unwrap_or_else(|| {
            let name = if name.trim().is_empty() { link.url.clone() } else { name.trim().to_owned() };
            self.numbers.insert(link.url.clone(), known.len());
            known.push((name, link.url.clone()));
            known.len() - 1
        });
        if !link.is_image {
            self.push_in(&format!("[{}]", at + 1), Role::Muted);
        }
    }

    /// Takes the collected paragraph, with placeholders filled in.
    pub(super) fn taken(&mut self, base: Role, labels: &Labels, page: &mut MarkdownPage) -> MarkdownLine {
        while self.parts.last().is_some_and(|(text, _)| text == BREAK) {
            self.parts.pop();
        }
        let parts = self.parts.drain(..);
        parts.flat_map(|(text, role)| filled(&text, role.unwrap_or(base), labels, page)).collect()
    }
}

/// A text in a role with its placeholders filled in, which are recorded in the page.
pub(super) fn filled(text: &str, role: Role, labels: &Labels, page: &mut MarkdownPage) -> MarkdownLine {
    let run = |part| match part {
        TemplatePart::Plain(plain) => StyledRun::new(plain.to_owned(), role),
        TemplatePart::Filled { written, value } => {
            once(&mut page.filled, (written.to_owned(), value.to_string()));
            StyledRun::new(value.to_string(), Role::Match)
        }
        TemplatePart::Missing { written } => {
            once(&mut page.missing, written.to_owned());
            StyledRun::new(written.to_owned(), Role::Trouble)
        }
    };
    parts(text, labels).into_iter().map(run).collect()
}
