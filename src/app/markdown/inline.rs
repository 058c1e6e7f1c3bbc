//! The text of one paragraph while it is read: its parts with their roles, links, and placeholders filled in.

use std::borrow::Cow;
use std::collections::HashMap;

use super::MarkdownPage;
use crate::app::theme::Role;
use crate::app::widgets::text::StyledRun;
use crate::model::labels::Labels;
use crate::model::placeholder::{TemplatePart, parts};
use crate::model::text;

/// What forces a new line within a paragraph.
pub(super) const BREAK: &str = "\n";

/// The deepest that emphasis is nested; beyond that it is not told apart any more.
const MAX_EMPHASIS_DEPTH: usize = 32;
/// As much of a link's text names it, in bytes.
const MAX_LINK_NAME: usize = 400;

/// Text that is collected.
#[derive(Debug, Default)]
pub(super) struct Inline {
    /// Text with its role; none: the paragraph's.
    parts: Vec<(String, Option<Role>)>,
    roles: Vec<Option<Role>>,
    /// Beyond the deepest.
    untracked: usize,
    links: Vec<InlineLink>,
    /// By which number each address is known.
    numbers: HashMap<String, usize>,
}

#[derive(Debug)]
struct InlineLink {
    url: String,
    is_image: bool,
    /// Where its text begins.
    from: usize,
}

/// A text in which no escape of markup has brought back what a terminal would obey.
pub(super) fn safe(text: &str) -> String {
    text::clean_document(text).replace('\n', " ")
}

/// The same, with its lines.
pub(super) fn safe_lines(text: &str) -> String {
    text::clean_document(text)
}

/// Adds what is not there yet.
pub(super) fn once<T: PartialEq>(all: &mut Vec<T>, one: T) {
    if all.len() < 100 && !all.contains(&one) {
        all.push(one);
    }
}

impl Inline {
    /// Text in the role that is open.
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

    /// The next text stands on a new line.
    pub(super) fn break_line(&mut self) {
        self.parts.push((BREAK.to_owned(), None));
    }

    /// Emphasis begins.
    pub(super) fn open(&mut self, role: Option<Role>) {
        if self.roles.len() < MAX_EMPHASIS_DEPTH { self.roles.push(role) } else { self.untracked += 1 }
    }

    /// Emphasis ends.
    pub(super) fn close(&mut self) {
        if self.untracked > 0 {
            self.untracked -= 1;
        } else {
            self.roles.pop();
        }
    }

    /// A link or an image begins.
    pub(super) fn open_link(&mut self, url: &str, is_image: bool) {
        if is_image {
            self.push_in("[image: ", Role::Muted);
        }
        self.links.push(InlineLink { url: safe(url), is_image, from: self.parts.len() });
        self.open(Some(Role::Accent));
    }

    /// It ends: its number follows its text.
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

    /// What was collected, with labels filled in; nothing is collected any more.
    pub(super) fn taken(
        &mut self,
        base: Role,
        labels: &Labels,
        page: &mut MarkdownPage,
    ) -> Vec<StyledRun<'static>> {
        while self.parts.last().is_some_and(|(text, _)| text == BREAK) {
            self.parts.pop();
        }
        let mut runs = Vec::new();
        for (text, role) in self.parts.drain(..) {
            let role = role.unwrap_or(base);
            for part in parts(&text, labels) {
                runs.push(match part {
                    TemplatePart::Plain(plain) => StyledRun::new(Cow::Owned(plain.to_owned()), role),
                    TemplatePart::Filled { written, value } => {
                        once(&mut page.filled, (written.to_owned(), value.to_string()));
                        StyledRun::new(value.to_string(), Role::Match)
                    }
                    TemplatePart::Missing { written } => {
                        once(&mut page.missing, written.to_owned());
                        StyledRun::new(written.to_owned(), Role::Trouble)
                    }
                });
            }
        }
        runs
    }
}
