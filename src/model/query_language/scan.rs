//! The tokens of a query of logs, also of an unfinished one: words, texts in quotes, brackets, pipes and signs.

use super::QueryLanguage;
use crate::model::promql::QueryRemark;
use crate::model::text::place;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name, a keyword, a number or a duration.
    Word,
    /// A text in quotes, with them.
    Quoted,
    Open(char),
    Close(char),
    Pipe,
    Comma,
    /// Everything else: `=`, `|=`, `:=`, `>`.
    Sign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QueryToken<'t> {
    pub(super) kind: TokenKind,
    /// Its byte offset.
    pub(super) at: usize,
    pub(super) text: &'t str,
}

impl QueryToken<'_> {
    pub(super) fn end(&self) -> usize {
        self.at + self.text.len()
    }

    /// Whether it is this word, in any case.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// The text between its quotes.
    pub(super) fn unquoted(&self) -> &str {
        self.text.trim_matches(['"', '\'', '`'])
    }
}

#[derive(Debug)]
pub(super) struct QueryScan<'t> {
    language: QueryLanguage,
    pub(super) text: &'t str,
    pub(super) tokens: Vec<QueryToken<'t>>,
    /// A text in quotes that has no end: its start and its quote.
    pub(super) open_quote: Option<(usize, char)>,
    /// Whether the text ends within a comment.
    pub(super) is_comment: bool,
}

/// The signs of several characters, the longest first.
const LOGQL_SIGNS: [&str; 13] = ["|=", "|~", "|>", "!=", "!~", "!>", "=~", "==", ">=", "<=", "=", ">", "<"];
const LOGSQL_SIGNS: [&str; 14] =
    [":=", ":~", ":<", ":>", ":!", "!=", "!~", "=~", "==", ">=", "<=", "=", ">", "<"];

/// Whether a character is part of a word.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '@' | '$')
}

impl<'t> QueryScan<'t> {
    pub(super) fn of(language: QueryLanguage, text: &'t str) -> Self {
        let mut scan = Self { language, text, tokens: Vec::new(), open_quote: None, is_comment: false };
        let (signs, quotes): (&[&str], &[char]) = match language {
            QueryLanguage::LogsQl => (&LOGSQL_SIGNS, &['"', '\'', '`']),
            QueryLanguage::LogQl | QueryLanguage::PromQl | QueryLanguage::Json => (&LOGQL_SIGNS, &['"', '`']),
        };
        let mut at = 0;
        while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
            let rest = text.get(at..).unwrap_or_default();
            let length = if c.is_whitespace() {
                at += c.len_utf8();
                continue;
            } else if c == '#' {
                let end = rest.find('\n');
                scan.is_comment = end.is_none();
                at += end.unwrap_or(rest.len());
                continue;
            } else if quotes.contains(&c) {
                let Some(length) = quoted_length(rest, c) else {
                    scan.open_quote = Some((at, c));
                    break;
                };
                scan.push(TokenKind::Quoted, at, length);
                length
            } else if is_word(c) {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                scan.push(TokenKind::Word, at, length);
                length
            } else if let Some(sign) = signs.iter().find(|sign| rest.starts_with(**sign)) {
                scan.push(TokenKind::Sign, at, sign.len());
                sign.len()
            } else {
                let kind = match c {
                    '(' | '[' | '{' => TokenKind::Open(c),
                    ')' | ']' | '}' => TokenKind::Close(c),
                    '|' => TokenKind::Pipe,
                    ',' => TokenKind::Comma,
                    _ => TokenKind::Sign,
                };
                scan.push(kind, at, c.len_utf8());
                c.len_utf8()
            };
            at += length;
        }
        scan
    }

    fn push(&mut self, kind: TokenKind, at: usize, length: usize) {
        let text = self.text.get(at..at + length).unwrap_or_default();
        self.tokens.push(QueryToken { kind, at, text });
    }

    /// The brackets that are open at the end: the index of each token.
    pub(super) fn open(&self) -> Vec<usize> {
        let mut open = Vec::new();
        for (index, token) in self.tokens.iter().enumerate() {
            match token.kind {
                TokenKind::Open(_) => open.push(index),
                TokenKind::Close(_) => drop(open.pop()),
                TokenKind::Word
                | TokenKind::Quoted
                | TokenKind::Pipe
                | TokenKind::Comma
                | TokenKind::Sign => {}
            }
        }
        open
    }

    /// The index of the bracket that closes the one at this index.
    pub(super) fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        self.tokens.iter().enumerate().skip(open).find_map(|(index, token)| {
            match token.kind {
                TokenKind::Open(_) => depth += 1,
                TokenKind::Close(_) => depth = depth.saturating_sub(1),
                TokenKind::Word
                | TokenKind::Quoted
                | TokenKind::Pipe
                | TokenKind::Comma
                | TokenKind::Sign => {}
            }
            (depth == 0).then_some(index)
        })
    }

    /// The pipes outside of all brackets: the index of each token.
    pub(super) fn pipes(&self) -> Vec<usize> {
        let mut depth = 0_usize;
        let mut pipes = Vec::new();
        for (index, token) in self.tokens.iter().enumerate() {
            match token.kind {
                TokenKind::Open(_) => depth += 1,
                TokenKind::Close(_) => depth = depth.saturating_sub(1),
                TokenKind::Pipe if depth == 0 => pipes.push(index),
                TokenKind::Word
                | TokenKind::Quoted
                | TokenKind::Pipe
                | TokenKind::Comma
                | TokenKind::Sign => {}
            }
        }
        pipes
    }

    fn remark(&self, at: usize, message: String) -> QueryRemark {
        let (line, column) = place(self.text, at);
        QueryRemark { line, column, message }
    }

    /// Where a bracket, in words: `the ( at 1:5`.
    fn named(&self, open: char, at: usize) -> String {
        let (line, column) = place(self.text, at);
        format!("the {open} at {line}:{column}")
    }

    /// Finds the first bracket or quote that is not closed, or a pipe with nothing behind it.
    pub(super) fn check(&self) -> Result<(), QueryRemark> {
        let mut open: Vec<(char, usize)> = Vec::new();
        for token in &self.tokens {
            match token.kind {
                TokenKind::Open(sign) => open.push((sign, token.at)),
                TokenKind::Close(sign) => {
                    let Some((opened, at)) = open.pop() else {
                        return Err(self.remark(token.at, format!("unexpected {sign}: no bracket is open")));
                    };
                    // ranges of numbers and times: [1, 10)
                    let is_range = self.language == QueryLanguage::LogsQl && opened != '{' && sign != '}';
                    if closing_of(opened) != sign && !is_range {
                        let words = format!("unexpected {sign}, expected {}", closing_of(opened));
                        let of = self.named(opened, at);
                        return Err(self.remark(token.at, format!("{words} for {of}")));
                    }
                }
                TokenKind::Word
                | TokenKind::Quoted
                | TokenKind::Pipe
                | TokenKind::Comma
                | TokenKind::Sign => {}
            }
        }
        let end = self.text.trim_end().len();
        let unfinished =
            |wanted: String| self.remark(end, format!("unexpected the end of the query, {wanted}"));
        if let Some((at, quote)) = self.open_quote {
            return Err(unfinished(format!("expected {quote} for {}", self.named(quote, at))));
        }
        if let Some((opened, at)) = open.pop() {
            let wanted = format!("expected {} for {}", closing_of(opened), self.named(opened, at));
            return Err(unfinished(wanted));
        }
        if self.tokens.last().is_some_and(|token| token.kind == TokenKind::Pipe) {
            return Err(unfinished("something is missing behind |".to_owned()));
        }
        Ok(())
    }
}

const fn closing_of(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// The length of a text in quotes at the start of `rest`, with both quotes; `None` if it has no end.
fn quoted_length(rest: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    rest.char_indices().skip(1).find_map(|(at, c)| {
        let is_end = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped && quote != '`';
        is_end.then_some(at + c.len_utf8())
    })
}
