//! The editor of a query: several lines, with undo and redo.

use super::key::{Code, Key, NamedKey};
use super::line_editor::LineEditor;

/// The longest query, in bytes.
const LIMIT: usize = 16 * 1024;
/// How many changes can be undone.
const MAX_UNDO: usize = 100;

#[derive(Debug, Clone)]
pub struct QueryEditor {
    line: LineEditor,
    /// Earlier states, the latest last.
    done: Vec<LineEditor>,
    /// Undone states, the latest last.
    undone: Vec<LineEditor>,
}

impl Default for QueryEditor {
    fn default() -> Self {
        Self { line: LineEditor::of("").limited(LIMIT).with_lines(), done: Vec::new(), undone: Vec::new() }
    }
}

impl QueryEditor {
    pub fn text(&self) -> &str {
        self.line.text()
    }

    /// The text and the cursor.
    pub fn line(&self) -> &LineEditor {
        &self.line
    }

    /// Replaces the whole text; that can be undone.
    pub fn set(&mut self, text: &str) {
        let length = self.line.text().len();
        self.change(|line| line.replace(0..length, text));
    }

    /// Replaces a byte range; that can be undone.
    pub fn replace(&mut self, range: std::ops::Range<usize>, text: &str) {
        self.change(|line| line.replace(range, text));
    }

    pub fn insert(&mut self, text: &str) {
        self.change(|line| line.insert(text));
    }

    pub fn move_to(&mut self, at: usize) {
        self.line.move_to(at);
    }

    /// Handles a key: text, movements, Alt-Enter for a line break, Ctrl-z and Ctrl-y for undo and redo. `false` if the key has no
    /// meaning here.
    pub fn take(&mut self, key: Key) -> bool {
        match key.code {
            Code::Named(NamedKey::Enter) if key.alt => self.insert("\n"),
            Code::Named(NamedKey::Up) if !key.alt && !key.ctrl => return self.line.step_line(true),
            Code::Named(NamedKey::Down) if !key.alt && !key.ctrl => return self.line.step_line(false),
            Code::Char('z') if key.ctrl => Self::swap(&mut self.line, &mut self.done, &mut self.undone),
            Code::Char('y') if key.ctrl => Self::swap(&mut self.line, &mut self.undone, &mut self.done),
            Code::Named(_) | Code::Char(_) => {
                let mut is_known = false;
                self.change(|line| is_known = line.take(key));
                return is_known;
            }
        }
        true
    }

    /// Changes the text, and keeps the state before.
    fn change(&mut self, change: impl FnOnce(&mut LineEditor)) {
        let before = self.line.clone();
        change(&mut self.line);
        if self.line.text() != before.text() {
            self.done.push(before);
            let surplus = self.done.len().saturating_sub(MAX_UNDO);
            self.done.drain(..surplus);
            self.undone.clear();
        }
    }

    /// Goes to the latest state of `from`, and keeps the present one in `to`.
    fn swap(line: &mut LineEditor, from: &mut Vec<LineEditor>, to: &mut Vec<LineEditor>) {
        if let Some(other) = from.pop() {
            to.push(std::mem::replace(line, other));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(editor: &mut QueryEditor, keys: &str) {
        for key in keys.split(' ') {
            assert!(editor.take(key.parse().unwrap()), "{key}");
        }
    }

    #[test]
    fn changes_can_be_undone_and_done_again() {
        let mut editor = QueryEditor::default();
        press(&mut editor, "u p alt-enter 8");
        assert_eq!(editor.text(), "up\n8");
        press(&mut editor, "left ctrl-z ctrl-z");
        assert_eq!(editor.text(), "up");
        press(&mut editor, "ctrl-y ctrl-y ctrl-y");
        assert_eq!(editor.text(), "up\n8");
        editor.set("sum(x)");
        editor.replace(4..5, "rate(x[5m])");
        assert_eq!((editor.text(), editor.line().after_cursor()), ("sum(rate(x[5m]))", ")"));
        press(&mut editor, "ctrl-z ctrl-z");
        assert_eq!(editor.text(), "up\n8");
        press(&mut editor, "up");
        assert!(!editor.take("up".parse().unwrap()), "there is no line above");
    }
}
