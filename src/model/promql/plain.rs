//! Rewrites a query with simpler syntax for the parser library: decimal numbers, one kind of quotes, no comments.

use super::super::duration;
use super::token::{Lexeme, Token, tokens};
use super::{MAX_LEVELS, QueryParseError, quoted};

/// The query in simple syntax; an error if it has more than [`MAX_LEVELS`] operators and brackets or a string that is not UTF-8.
pub(super) fn simplified(expr: &str) -> Result<String, QueryParseError> {
    let lexemes = tokens(expr).map_err(QueryParseError::Refused)?;
    if lexemes.iter().filter(|lexeme| is_level(lexeme)).count() > MAX_LEVELS {
        return Err(QueryParseError::Unknown(format!(
            "the query has more than {MAX_LEVELS} operators and brackets"
        )));
    }
    let mut out = String::with_capacity(expr.len() + 16);
    // outside of ranges and offsets a duration is a number of seconds
    let mut is_time = false;
    for lexeme in &lexemes {
        if !out.is_empty() {
            out.push(' ');
        }
        match &lexeme.token {
            Token::Number(number) => out.push_str(&decimal(*number)),
            Token::Duration(duration) if is_time => out.push_str(&duration::text(*duration)),
            Token::Duration(duration) => out.push_str(&decimal(duration.as_secs_f64())),
            Token::Text(Some(text)) => out.push_str(&quoted(text)),
            Token::Text(None) => {
                return Err(QueryParseError::Unknown(
                    "the query has a string that is not valid UTF-8".to_owned(),
                ));
            }
            Token::Word | Token::Sign => out.push_str(lexeme.text),
            Token::End => {}
        }
        is_time = match (&lexeme.token, lexeme.text) {
            (Token::Sign, "[" | ":") => true,
            (Token::Sign, "+" | "-") => is_time,
            (Token::Word, word) => word.eq_ignore_ascii_case("offset"),
            (Token::Sign | Token::Number(_) | Token::Duration(_) | Token::Text(_) | Token::End, _) => false,
        };
    }
    Ok(out)
}

fn decimal(number: f64) -> String {
    if number.is_finite() { number.to_string() } else { "Inf".to_owned() }
}

fn is_level(lexeme: &Lexeme<'_>) -> bool {
    match lexeme.token {
        Token::Sign => !matches!(lexeme.text, ")" | "]" | "}" | "," | "=" | "=~" | "!~" | ":"),
        Token::Word => {
            ["and", "or", "unless", "atan2"].iter().any(|word| word.eq_ignore_ascii_case(lexeme.text))
        }
        Token::Number(_) | Token::Duration(_) | Token::Text(_) | Token::End => false,
    }
}
