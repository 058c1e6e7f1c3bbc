//! A one-line text editor.

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
        Self { text: text.to_owned(), cursor: text.len(), limit: LIMIT }
    }

    /// The same editor with another maximum length in bytes.
    #[must_use]
    pub fn limited(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    pub fn text(&self) -> &str {
        &self.text
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
            (Some(NamedKey::Home), _) | (_, Some('a')) => self.cursor = 0,
            (Some(NamedKey::End), _) | (_, Some('e')) => self.cursor = self.text.len(),
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
                self.cut(kept.rfind(' ').map_or(0, |space| space + 1));
            }
            (_, Some('u')) => self.cut(0),
            (Some(_) | None, Some(_) | None) => return false,
        }
        true
    }

    /// Inserts text at the cursor; line breaks and control characters are replaced. Does nothing if the text would get too long.
    pub fn insert(&mut self, text: &str) {
        let text = crate::model::text::pasted(text);
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
