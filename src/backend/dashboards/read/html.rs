//! HTML of text panels as Markdown: headings, lists, links, emphasis; scripts, styles and everything that cannot be a text is left out.

use std::fmt::Write;

/// The most HTML that is read, in bytes.
const LIMIT: usize = 256 * 1024;

/// HTML as Markdown.
pub(super) fn to_markdown(html: &str) -> String {
    let mut writer = HtmlWriter { is_html: true, ..HtmlWriter::default() };
    writer.read(html);
    writer.finish()
}

/// Markdown whose HTML is replaced; text without tags stays as it is.
pub(super) fn in_markdown(text: &str) -> String {
    let has_tag = text.match_indices('<').any(|(at, _)| {
        text.get(at + 1..)
            .and_then(|rest| rest.chars().next())
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '/' || c == '!')
    });
    if !has_tag {
        return text.to_owned();
    }
    let mut writer = HtmlWriter::default();
    writer.read(text);
    writer.finish()
}

#[derive(Default)]
struct HtmlWriter {
    out: String,
    /// Whether blanks and line ends mean nothing, as in HTML.
    is_html: bool,
    /// The addresses of the links that are open.
    links: Vec<(usize, String)>,
    /// The numbers of lists that are open; `None`: with points.
    lists: Vec<Option<u32>>,
    in_pre: u32,
}

impl HtmlWriter {
    fn read(&mut self, html: &str) {
        let end = (0..=LIMIT.min(html.len())).rev().find(|at| html.is_char_boundary(*at)).unwrap_or(0);
        let mut rest = html.get(..end).unwrap_or("");
        while let Some((text, after)) = rest.split_once('<') {
            self.text(text);
            rest = self.tag(after);
        }
        self.text(rest);
    }

    /// Reads the tag that begins before `after`, and returns what follows.
    fn tag<'a>(&mut self, after: &'a str) -> &'a str {
        if let Some(comment) = after.strip_prefix("!--") {
            return comment.split_once("-->").map_or("", |(_, rest)| rest);
        }
        let is_tag = after.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '/' || c == '!');
        let Some((inside, rest)) = after.split_once('>').filter(|_| is_tag) else {
            self.text("<");
            return after;
        };
        // an address between `<` and `>` is a link of Markdown
        if inside.contains("://") && !inside.contains(['=', ' ', '"']) {
            let _infallible = write!(self.out, "<{inside}>");
            return rest;
        }
        let is_end = inside.starts_with('/');
        let body = inside.trim_start_matches('/');
        let name_end = body.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(body.len());
        let (name, attributes) = body.split_at_checked(name_end).unwrap_or((body, ""));
        let name = name.to_ascii_lowercase();
        if !is_end && matches!(name.as_str(), "script" | "style" | "svg" | "head" | "template" | "iframe") {
            let close = format!("</{name}");
            let lower = rest.to_ascii_lowercase();
            return match lower.find(&close) {
                Some(at) => rest.get(at..).and_then(|rest| rest.split_once('>')).map_or("", |(_, rest)| rest),
                None if name == "iframe" => rest,
                None => "",
            };
        }
        if is_end {
            self.close(&name);
        } else {
            self.open(&name, attributes);
        }
        rest
    }

    fn open(&mut self, name: &str, attributes: &str) {
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = name.trim_start_matches('h').parse().unwrap_or(1);
                self.paragraph();
                self.out.push_str(&"#".repeat(level));
                self.out.push(' ');
            }
            "br" => self.out.push_str("  \n"),
            "hr" => {
                self.paragraph();
                self.out.push_str("---");
                self.paragraph();
            }
            "b" | "strong" => self.out.push_str("**"),
            "i" | "em" => self.out.push('*'),
            "code" | "kbd" | "tt" if self.in_pre == 0 => self.out.push('`'),
            "pre" => {
                self.paragraph();
                self.out.push_str("```\n");
                self.in_pre += 1;
            }
            "a" => {
                let url = attribute(attributes, "href").unwrap_or_default();
                self.out.push('[');
                self.links.push((self.out.len(), url));
            }
            "img" => {
                let alt = attribute(attributes, "alt").or_else(|| attribute(attributes, "title"));
                self.text(&alt.unwrap_or_default());
            }
            "ul" | "ol" => self.lists.push((name == "ol").then_some(0)),
            "li" => self.item(),
            "td" | "th" => self.out.push_str("  "),
            "tr" => self.line(),
            _ if is_block(name) => self.paragraph(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "b" | "strong" => self.out.push_str("**"),
            "i" | "em" => self.out.push('*'),
            "code" | "kbd" | "tt" if self.in_pre == 0 => self.out.push('`'),
            "pre" => {
                self.in_pre = self.in_pre.saturating_sub(1);
                self.line();
                self.out.push_str("```");
                self.paragraph();
            }
            "a" => {
                let Some((start, url)) = self.links.pop() else { return };
                let is_empty = self.out.get(start..).is_none_or(|text| text.trim().is_empty());
                if is_empty || url.is_empty() || url.to_ascii_lowercase().starts_with("javascript:") {
                    // nothing that can be followed: only the text stays
                    let text = self.out.split_off(start.min(self.out.len()));
                    self.out.pop();
                    self.out.push_str(&text);
                } else {
                    let _infallible = write!(self.out, "]({})", url.replace([' ', ')'], "%20"));
                }
            }
            "ul" | "ol" => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.paragraph();
                }
            }
            _ if is_block(name) => self.paragraph(),
            _ => {}
        }
    }

    fn item(&mut self) {
        self.line();
        let depth = self.lists.len().saturating_sub(1);
        self.out.push_str(&"  ".repeat(depth));
        match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                let _infallible = write!(self.out, "{number}. ");
            }
            Some(None) | None => self.out.push_str("- "),
        }
    }

    fn text(&mut self, text: &str) {
        let text = entities(text);
        if self.in_pre > 0 || !self.is_html {
            self.out.push_str(&text);
            return;
        }
        for (index, word) in text.split_whitespace().enumerate() {
            let has_gap = index > 0 || text.starts_with(char::is_whitespace);
            if has_gap && !self.out.is_empty() && !self.out.ends_with(char::is_whitespace) {
                self.out.push(' ');
            }
            // what Markdown would read as emphasis
            self.out.push_str(&word.replace('*', "\\*").replace('`', "\\`"));
        }
        if text.ends_with(char::is_whitespace)
            && !text.trim().is_empty()
            && !self.out.ends_with(char::is_whitespace)
        {
            self.out.push(' ');
        }
    }

    fn line(&mut self) {
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn paragraph(&mut self) {
        self.line();
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn finish(mut self) -> String {
        if self.in_pre > 0 {
            self.line();
            self.out.push_str("```");
        }
        if self.is_html { self.out.trim().to_owned() } else { self.out.trim_end().to_owned() }
    }
}

fn is_block(name: &str) -> bool {
    const BLOCKS: [&str; 22] = [
        "p",
        "div",
        "section",
        "article",
        "header",
        "footer",
        "main",
        "nav",
        "table",
        "thead",
        "tbody",
        "blockquote",
        "center",
        "dl",
        "dt",
        "dd",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "form",
    ];
    BLOCKS.contains(&name) || matches!(name, "h5" | "h6")
}

/// The value of an attribute, with or without quotes.
fn attribute(attributes: &str, name: &str) -> Option<String> {
    let lower = attributes.to_ascii_lowercase();
    let starts = lower.match_indices(name).map(|(at, _)| at);
    let value = starts.filter_map(|at| {
        let is_start = attributes.get(..at)?.chars().next_back().is_none_or(char::is_whitespace);
        attributes.get(at + name.len()..)?.trim_start().strip_prefix('=').filter(|_| is_start)
    });
    let value = value.map(str::trim_start).next()?;
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inside = match quote {
        Some(quote) => value.strip_prefix(quote)?.split(quote).next()?,
        None => value.split(char::is_whitespace).next()?.trim_end_matches('/'),
    };
    Some(entities(inside))
}

/// Character references, the named ones that texts have.
fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let named = after.split_once(';').filter(|(name, _)| name.len() <= 10);
        if let Some((c, after)) = named.and_then(|(name, rest)| Some((entity(name)?, rest))) {
            out.push(c);
            rest = after;
        } else {
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| !c.is_control());
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        "hellip" => '…',
        "mdash" => '—',
        "ndash" => '–',
        "laquo" => '«',
        "raquo" => '»',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "bull" => '•',
        "middot" => '·',
        "times" => '×',
        "deg" => '°',
        "micro" => 'µ',
        "euro" => '€',
        "larr" => '←',
        "uarr" => '↑',
        "rarr" => '→',
        "darr" => '↓',
        _ => return None,
    })
}
