//! Recognises expressions that are lists of literal texts, with or without groups: `cart|check\.out`, `(a|b):9100`, `^(?:a|b)$`.
//! Thousands of texts in a hash set are faster than a compiled expression.

use std::collections::HashSet;
use std::iter::Peekable;
use std::str::Chars;

/// The limit for the number of texts.
const MAX_TEXTS: usize = 20_000;
/// The limit for their total length in bytes.
const MAX_TOTAL_BYTES_OF_TEXTS: usize = 4_000_000;
/// The limit for nested groups in such expressions.
const MAX_GROUP_DEPTH: usize = 8;

/// The texts of an expression; `None` if it is more than a list of texts.
pub(in super::super) fn texts(pattern: &str) -> Option<HashSet<String>> {
    let mut characters = pattern.chars().peekable();
    let all = alternatives(&mut characters, 0)?;
    characters.next().is_none().then(|| all.into_iter().collect())
}

/// Parses alternatives up to the end of the group or of the expression.
fn alternatives(characters: &mut Peekable<Chars<'_>>, depth: usize) -> Option<Vec<String>> {
    let mut all = Vec::new();
    loop {
        // redundant, because the expression is anchored anyway
        if depth == 0 {
            characters.next_if_eq(&'^');
        }
        let mut texts = vec![String::new()];
        loop {
            match characters.peek() {
                None | Some('|' | ')') => break,
                _ => texts = joined(texts, characters, depth)?,
            }
        }
        all.append(&mut texts);
        if all.len() > MAX_TEXTS || characters.next_if_eq(&'|').is_none() {
            return (all.len() <= MAX_TEXTS).then_some(all);
        }
    }
}

/// Combines each text with each text of the next element.
fn joined(mut texts: Vec<String>, characters: &mut Peekable<Chars<'_>>, depth: usize) -> Option<Vec<String>> {
    let c = match characters.next()? {
        '\\' => characters.next().filter(char::is_ascii_punctuation)?,
        '(' if depth < MAX_GROUP_DEPTH => {
            if characters.next_if_eq(&'?').is_some() {
                characters.next_if_eq(&':')?;
            }
            let inner = alternatives(characters, depth + 1)?;
            characters.next_if_eq(&')')?;
            if is_repeated(characters) {
                return None;
            }
            let length = |all: &[String]| all.iter().map(String::len).sum::<usize>();
            let (count, others) = (texts.len(), inner.len());
            if count.saturating_mul(others) > MAX_TEXTS
                || length(&texts).saturating_mul(others) + length(&inner).saturating_mul(count)
                    > MAX_TOTAL_BYTES_OF_TEXTS
            {
                return None;
            }
            return Some(
                texts.iter().flat_map(|text| inner.iter().map(move |end| format!("{text}{end}"))).collect(),
            );
        }
        // redundant at the end of an alternative, because the expression is anchored anyway
        '$' if depth == 0 && matches!(characters.peek(), None | Some('|')) => return Some(texts),
        '.' | '*' | '+' | '?' | '(' | '[' | '{' | '^' | '$' => return None,
        c => c,
    };
    if is_repeated(characters) {
        return None;
    }
    for text in &mut texts {
        text.push(c);
    }
    Some(texts)
}

fn is_repeated(characters: &mut Peekable<Chars<'_>>) -> bool {
    matches!(characters.peek(), Some('*' | '+' | '?' | '{'))
}
