//! A text editor of one line, or of several.

use unicode_segmentation::UnicodeSegmentation;

use super::display_settings::Charset;
use super::key::{Code, Key, NamedKey};
use super::theme::Role;
use super::widgets::text::StyledRun;

/// The text and the cursor; the cursor is a byte offset at the boundary of a grapheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineEditor {
    text: String,
    cursor: usize,
    limit: usize,
    /// Whether the text may have line breaks.
    has_lines: bool,
}

/// Default maximum length in bytes.
const LIMIT: usize = 1024;

impl Default for LineEditor {
    fn default() -> Self {
        Self::of("")
    }
}

impl LineEditor {
    /// An editor with this text and the cursor at its end.
    pub fn of(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len(), limit: LIMIT, has_lines: false }
    }

    /// The same editor for a text of several lines.
    #[must_use]
    pub fn with_lines(self) -> Self {
        Self { has_lines: true, ..self }
    }

    /// The same editor with another maximum length in bytes.
    #[must_use]
    pub fn limited(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The byte offset of the cursor.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    pub fn before_cursor(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    pub fn after_cursor(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    /// The text with the cursor.
    pub fn runs(&self, charset: Charset) -> [StyledRun<'_>; 3] {
        [
            StyledRun::new(self.before_cursor(), Role::Text),
            StyledRun::new(charset.pick("▏", "|"), Role::Accent),
            StyledRun::new(self.after_cursor(), Role::Text),
        ]
    }

    /// Handles a key; returns `false` if the key has no meaning in a text field.
    pub fn take(&mut self, key: Key) -> bool {
        if let Some(c) = key.typed() {
            self.insert(c.encode_utf8(&mut [0; 4]));
            return true;
        }
        if key.ctrl != key.alt && self.by_words(key) {
            return true;
        }
        let (named, letter) = match key.code {
            Code::Named(named) if !key.ctrl && !key.alt => (Some(named), None),
            Code::Char(c) if key.ctrl && !key.alt => (None, Some(c)),
            Code::Named(_) | Code::Char(_) => (None, None),
        };
        match (named, letter) {
            (Some(NamedKey::Left), _) => {
                self.cursor -= self.before_cursor().graphemes(true).next_back().map_or(0, str::len);
            }
            (Some(NamedKey::Right), _) => {
                self.cursor += self.after_cursor().graphemes(true).next().map_or(0, str::len);
            }
            (Some(NamedKey::Home), _) | (_, Some('a')) => self.cursor = self.line_start(),
            (Some(NamedKey::End), _) | (_, Some('e')) => self.cursor = self.line_end(),
            (Some(NamedKey::Backspace), _) | (_, Some('h')) => {
                let length = self.before_cursor().graphemes(true).next_back().map_or(0, str::len);
                self.cut(self.cursor - length);
            }
            (Some(NamedKey::Delete), _) => {
                let length = self.after_cursor().graphemes(true).next().map_or(0, str::len);
                self.text.replace_range(self.cursor..self.cursor + length, "");
            }
            (_, Some('w')) => {
                let kept = self.before_cursor().trim_end();
                self.cut(kept.rfind([' ', '\n']).map_or(0, |space| space + 1));
            }
            (_, Some('u')) => self.cut(self.line_start()),
            (_, Some('k')) => {
                let end = self.line_end();
                self.text.replace_range(self.cursor..end, "");
            }
            (Some(_) | None, Some(_) | None) => return false,
        }
        true
    }

    /// Moves or deletes by words of letters, digits, `_` and `:`; `false` if the key does neither.
    fn by_words(&mut self, key: Key) -> bool {
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let before = self.before_cursor().trim_end_matches(|c| !is_word(c)).trim_end_matches(is_word).len();
        let rest = self.after_cursor();
        let after = rest.trim_start_matches(|c| !is_word(c)).trim_start_matches(is_word).len();
        let after = self.text.len() - after;
        match key.code {
            Code::Named(NamedKey::Left) => self.cursor = before,
            Code::Named(NamedKey::Right) => self.cursor = after,
            Code::Char('b') if key.alt => self.cursor = before,
            Code::Char('f') if key.alt => self.cursor = after,
            Code::Named(NamedKey::Backspace) if key.alt => self.cut(before),
            Code::Char('d') if key.alt => self.text.replace_range(self.cursor..after, ""),
            Code::Named(_) | Code::Char(_) => return false,
        }
        true
    }

    /// The byte offset of the start of the cursor's line.
    fn line_start(&self) -> usize {
        self.before_cursor().rfind('\n').map_or(0, |at| at + 1)
    }

    /// The byte offset of the end of the cursor's line.
    fn line_end(&self) -> usize {
        self.cursor + self.after_cursor().find('\n').unwrap_or(self.after_cursor().len())
    }

    /// Moves the cursor to the line above or below, to the same column if that line is long enough; `false` if there is none.
    pub fn step_line(&mut self, is_up: bool) -> bool {
        let (start, end) = (self.line_start(), self.line_end());
        let column = self.text.get(start..self.cursor).unwrap_or_default().graphemes(true).count();
        let from = if is_up {
            let Some(end) = start.checked_sub(1) else { return false };
            self.text.get(..end).and_then(|head| head.rfind('\n')).map_or(0, |at| at + 1)
        } else if end < self.text.len() {
            end + 1
        } else {
            return false;
        };
        let line = self.text.get(from..).unwrap_or_default().split('\n').next().unwrap_or_default();
        self.cursor = from + line.graphemes(true).take(column).map(str::len).sum::<usize>();
        true
    }

    /// Replaces a byte range and puts the cursor behind the new text. Does nothing if the range cuts a character.
    pub fn replace(&mut self, range: std::ops::Range<usize>, text: &str) {
        if self.text.get(range.clone()).is_some() {
            self.text.replace_range(range.clone(), text);
            self.cursor = range.start + text.len();
        }
    }

    /// Moves the cursor to a byte offset, or to the start of the character there.
    pub fn move_to(&mut self, at: usize) {
        self.cursor =
            (0..=at.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0);
    }

    /// Inserts text at the cursor; line breaks, unless the text may have some, and control characters are replaced. Does nothing
    /// if the text would get too long.
    pub fn insert(&mut self, text: &str) {
        let clean = |text: &str| crate::model::text::pasted(text);
        let text = if self.has_lines {
            text.lines().map(clean).collect::<Vec<_>>().join("\n")
                + if text.ends_with('\n') { "\n" } else { "" }
        } else {
            clean(text)
        };
        if self.text.len() + text.len() <= self.limit {
            self.text.insert_str(self.cursor, &text);
            self.cursor += text.len();
        }
    }

    fn cut(&mut self, from: usize) {
        self.text.replace_range(from..self.cursor, "");
        self.cursor = from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &mut LineEditor, keys: &[&str]) {
        for key in keys {
            assert!(line.take(key.parse().unwrap()), "{key}");
        }
    }

    #[test]
    fn editing_is_by_graphemes_and_words() {
        let mut line = LineEditor::default();
        typed(&mut line, &["a", "space", "ü", "left", "backspace", "home", "delete", "end", "x"]);
        assert_eq!(line.text(), "üx");
        line.insert(" two words");
        typed(&mut line, &["ctrl-w", "ctrl-w"]);
        assert_eq!(line.text(), "üx ");
        typed(&mut line, &["ctrl-u"]);
        assert_eq!(line, LineEditor::default());
        assert!(!line.take("enter".parse().unwrap()));
    }

    #[test]
    fn several_lines_are_edited_by_lines_and_words() {
        let mut line = LineEditor::of("sum(a)").with_lines();
        line.insert("\n  / rate_x\r\nend\u{7}");
        assert_eq!(line.text(), "sum(a)\n  / rate_x\nend\\x07");
        typed(&mut line, &["ctrl-u"]);
        assert!(line.step_line(true) && line.step_line(true) && !line.step_line(true));
        typed(&mut line, &["end", "ctrl-left", "X"]);
        assert_eq!(line.text(), "sum(Xa)\n  / rate_x\n");
        typed(&mut line, &["alt-f", "alt-f", "alt-backspace", "alt-b", "ctrl-k"]);
        assert_eq!(line.text(), "sum(\n  / \n");
        assert!(line.step_line(false));
        line.replace(0..4, "avg");
        assert_eq!((line.text(), line.before_cursor()), ("avg\n  / \n", "avg"));
        line.move_to(5);
        assert_eq!(line.after_cursor(), " / \n");
    }

    #[test]
    fn a_pasted_escape_sequence_is_text() {
        let mut line = LineEditor::default();
        line.insert("a\x1b[2J\nb");
        assert_eq!(line.text(), "a\\x1b[2J b");
        let value = "val=\"👩\u{200d}👧\tpay\u{200b}ments\"";
        line = LineEditor::default();
        line.insert(value);
        assert_eq!(line.text(), value);
    }
}
