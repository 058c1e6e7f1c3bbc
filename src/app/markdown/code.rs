//! Code blocks: drawn in a box with a number, and prepared for pasting into a shell.

use std::ops::Range;

use super::flow::broken;
use super::inline::{self, once};
use super::{MarkdownLine, MarkdownPage};
use crate::app::display_settings::Charset;
use crate::app::theme::Role;
use crate::app::widgets::text::{self, StyledRun};
use crate::model::labels::Labels;
use crate::model::placeholder::{TemplatePart, parts};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    /// The lines of the page that it occupies.
    pub lines: Range<usize>,
    pub text: String,
    /// The language; empty if none is given.
    pub language: String,
}

/// A code block as copied to the clipboard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copied {
    pub text: String,
    /// Values that were quoted, so that a shell does not interpret them.
    pub quoted: Vec<String>,
    /// Placeholders left as written: there is no label, or its value cannot be inserted safely.
    pub left: Vec<String>,
}

/// Draws the next block of a page in `room` cells. The caller sets [`Block::lines`].
pub(super) fn block(
    code: &str,
    language: &str,
    (labels, page): (&Labels, &mut MarkdownPage),
    room: u16,
    charset: Charset,
) -> (Vec<MarkdownLine>, Block) {
    let text = code.trim_end_matches('\n').to_owned();
    let block = Block { text, language: language.to_owned(), lines: 0..0 };
    let number = page.blocks.len() + 1;
    let (corner, side, more, end) = charset.pick(("┌ ", "│ ", "┊ ", "└"), ("+ ", "| ", ": ", "+"));
    let dash = charset.pick("─", "-");
    let title = format!("{number} {language}");
    let title = text::fit(title.trim_end(), room.saturating_sub(3), charset).into_owned();
    let rest = room.saturating_sub(text::width(&title) + 3);
    let rule = |cells: u16| dash.repeat(usize::from(cells));
    let mut lines = vec![vec![
        StyledRun::new(corner, Role::Border),
        StyledRun::new(title, Role::Key),
        StyledRun::new(format!(" {}", rule(rest)), Role::Border),
    ]];
    let inner = room.saturating_sub(2).max(1);
    for written in block.text.split('\n') {
        let runs = inline::filled(written, Role::Text, labels, page);
        for (part, line) in broken(&runs, inner).into_iter().enumerate() {
            let edge = StyledRun::new(if part == 0 { side } else { more }, Role::Border);
            lines.push(std::iter::once(edge).chain(line).collect());
        }
    }
    lines.push(vec![StyledRun::new(format!("{end}{}", rule(room.saturating_sub(1))), Role::Border)]);
    (lines, block)
}

impl Block {
    /// The text with labels filled in, safe to paste into a shell: values with special characters are quoted as their place
    /// requires, and are not inserted where quoting is not certain.
    pub fn for_shell(&self, labels: &Labels) -> Copied {
        let mut copied = Copied::default();
        let parts = parts(&self.text, labels);
        let mut shell = Shell::of(&parts, &self.language);
        for part in parts {
            match part {
                TemplatePart::Plain(plain) => {
                    shell.read(plain);
                    copied.text.push_str(plain);
                }
                TemplatePart::Missing { written } => {
                    shell.read("x");
                    copied.text.push_str(written);
                    once(&mut copied.left, written.to_owned());
                }
                TemplatePart::Filled { value, .. } if is_harmless(value) => {
                    shell.read("x");
                    copied.text.push_str(value);
                }
                TemplatePart::Filled { written, value } => {
                    if let Some(quoted) = shell.quoted(value) {
                        shell.read("x");
                        copied.text.push_str(&quoted);
                        once(&mut copied.quoted, value.to_string());
                    } else {
                        copied.text.push_str(written);
                        once(&mut copied.left, written.to_owned());
                    }
                }
            }
        }
        copied
    }
}

/// Whether a shell takes a value literally, wherever it is.
fn is_harmless(value: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,-".contains(c);
    !value.is_empty() && !value.starts_with('-') && value.chars().all(is_plain)
}

/// A minimal model of a shell's parser: tracks quotes and comments.
struct Shell {
    quotes: Quotes,
    /// Quoting is not certain: the block has a substitution, a here-document, a nested shell or another language.
    is_uncertain: bool,
    before: char,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    Double,
    Comment,
}

/// Languages with a shell's quoting rules.
const SHELLS: [&str; 10] =
    ["", "sh", "bash", "shell", "zsh", "console", "shell-session", "terminal", "text", "ksh"];

/// Expansions with quoting rules of their own.
const EXPANSIONS: [&str; 6] = ["$(", "${", "$'", "$\"", "`", "<<"];
/// Programs that parse their arguments like a shell again.
const NESTED_SHELLS: [&str; 12] =
    ["eval", "ssh", "sh", "bash", "zsh", "ksh", "dash", "su", "watch", "xargs", "parallel", "env"];

impl Shell {
    /// A parser at the start of a block.
    fn of(parts: &[TemplatePart<'_>], language: &str) -> Self {
        let is_shell = SHELLS.contains(&language.to_ascii_lowercase().as_str());
        let mut plain = parts
            .iter()
            .filter_map(|part| if let TemplatePart::Plain(text) = part { Some(*text) } else { None });
        let is_deep = plain.any(|text| {
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
            words.any(|word| NESTED_SHELLS.contains(&word))
                || EXPANSIONS.iter().any(|sign| text.contains(sign))
        });
        Self { quotes: Quotes::None, is_uncertain: !is_shell || is_deep, before: '\n' }
    }

    fn read(&mut self, text: &str) {
        for c in text.chars() {
            let escaped = self.before == '\\' && self.quotes != Quotes::Single;
            self.quotes = match (self.quotes, c) {
                (Quotes::None, '\'') if !escaped => Quotes::Single,
                (Quotes::None, '"') if !escaped => Quotes::Double,
                (Quotes::None, '#') if self.before.is_whitespace() || ";|&()".contains(self.before) => {
                    Quotes::Comment
                }
                (Quotes::Single, '\'') | (Quotes::Comment, '\n') => Quotes::None,
                (Quotes::Double, '"') if !escaped => Quotes::None,
                (quotes @ (Quotes::None | Quotes::Single | Quotes::Double | Quotes::Comment), _) => quotes,
            };
            // an escaped backslash escapes nothing
            self.before = if escaped && c == '\\' { ' ' } else { c };
        }
    }

    /// The value quoted so that the shell takes it literally here; None if that is not certain.
    fn quoted(&self, value: &str) -> Option<String> {
        // quotes do not prevent a value from being taken as an option
        if self.is_uncertain
            || value.starts_with('-')
            || value.contains(char::is_control)
            || self.before == '\\'
        {
            return None;
        }
        // text inside quotes is often code for another program: awk, SQL, another shell
        (self.quotes == Quotes::None).then(|| format!("'{}'", value.replace('\'', r"'\''")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(text: &str, language: &str) -> Copied {
        let labels = Labels::from_iter([
            ("namespace", "shop"),
            ("pod", "cart-1"),
            ("evil", "x; rm -rf $(echo ~)'\""),
            ("option", "--all"),
        ]);
        Block { text: text.into(), language: language.into(), ..Block::default() }.for_shell(&labels)
    }

    #[test]
    fn harmless_values_are_filled_in_as_they_are() {
        let copied = copied("kubectl -n {{ $labels.namespace }} logs <pod> ${HOME}", "bash");
        assert_eq!(copied.text, "kubectl -n shop logs cart-1 ${HOME}");
        assert_eq!((copied.quoted.len(), copied.left.len()), (0, 0));
    }

    #[test]
    fn a_value_never_becomes_a_command() {
        let inside = r#"x; rm -rf $(echo ~)'\''""#;
        for (text, shown) in [
            ("echo {{ labels.evil }} end", format!("echo '{inside}' end")),
            ("echo 'a' {{ labels.evil }} end", format!("echo 'a' '{inside}' end")),
            (r#"echo \" {{ labels.evil }}"#, format!(r#"echo \" '{inside}'"#)),
            ("# don't\necho {{ labels.evil }}", format!("# don't\necho '{inside}'")),
        ] {
            let copied = copied(text, "sh");
            assert_eq!(copied.text, shown, "{text}");
            assert_eq!(copied.quoted.len(), 1);
        }
    }

    #[test]
    fn where_no_quotes_are_sure_the_placeholder_stays() {
        for (text, language) in [
            ("echo \"$(date {{ labels.evil }})\"", "sh"),
            ("echo `x {{ labels.evil }}`", ""),
            ("echo 'a {{ labels.evil }}'", ""),
            ("echo \"a {{ labels.evil }}\"", ""),
            ("echo \"${x:-{{ labels.evil }}}\"", ""),
            ("ssh db-1 rm {{ labels.evil }}", "sh"),
            ("kubectl exec x -- bash -c {{ labels.evil }}", "sh"),
            ("cat <<EOF\n{{ labels.evil }}\nEOF", "bash"),
            ("rm {{ labels.option }}", "sh"),
            ("up{pod=\"{{ labels.evil }}\"}", "promql"),
            ("ls # {{ labels.evil }}", "sh"),
            ("echo \\{{ labels.evil }}", "sh"),
        ] {
            let copied = copied(text, language);
            assert_eq!(copied.text, text);
            assert_eq!(copied.left.len(), 1, "{text}");
        }
    }

    #[test]
    fn a_shell_reads_each_value_as_one_word() {
        for (text, words) in [
            ("printf '%s\\n' {{ labels.evil }} {{ labels.pod }}", 2),
            ("printf '%s\\n' a{{ labels.evil }}b", 1),
            ("printf '%s\\n' \"it's\" {{ labels.evil }}", 2),
        ] {
            let copied = copied(text, "sh");
            let out = std::process::Command::new("sh").args(["-c", &copied.text]).output().unwrap();
            let out = String::from_utf8_lossy(&out.stdout).into_owned();
            assert_eq!(out.lines().count(), words, "{out}");
            assert!(out.contains("x; rm -rf $(echo ~)'\""), "{out}");
        }
    }
}
