//! Queries with a placeholder for the lookback, as Sloth writes them: `sum(rate(errors[{{.window}}]))`.

use std::fmt;
use std::time::Duration;

use super::super::duration;
use super::super::labels::Text;

/// A query with `{{.window}}` as placeholder for the lookback.
///
/// Never evaluated as a Go template: only this placeholder is replaced, and any other action is an error.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Template(Text);

/// Why a text is not a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// An action other than the placeholder.
    #[error("{{{{{0}}}}} is not supported; only {{{{.window}}}} is replaced")]
    Action(String),
    /// Opening braces without closing ones.
    #[error("an opening {{{{ has no closing }}}}")]
    Open,
    #[error("the query is empty")]
    Empty,
}

enum TemplatePiece<'a> {
    Literal(&'a str),
    /// The placeholder, with its width in characters.
    Window(usize),
}

impl Template {
    /// Parses a query with any number of `{{.window}}`, with or without spaces inside the braces.
    ///
    /// # Errors
    /// [`TemplateError`] for any other action, for missing closing braces and for an empty text.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.trim().is_empty() {
            return Err(TemplateError::Empty);
        }
        pieces(text).find_map(Result::err).map_or_else(|| Ok(Self(text.trim().into())), Err)
    }

    /// Whether the query has a placeholder; without one its result does not depend on the lookback.
    pub fn has_window(&self) -> bool {
        pieces(&self.0).any(|piece| matches!(piece, Ok(TemplatePiece::Window(_))))
    }

    /// The query with the lookback filled in.
    pub fn over(&self, lookback: Duration) -> String {
        self.filled(&duration::text(lookback))
    }

    /// The query with any text in place of the lookback.
    pub fn filled(&self, window: &str) -> String {
        self.replace_window(|_| window.to_owned())
    }

    /// The same, padded with blanks to the width of the placeholder: positions in the query stay as in the original text.
    pub fn in_place(&self, lookback: Duration) -> String {
        let lookback = duration::text(lookback);
        self.replace_window(|width| format!("{lookback:width$}"))
    }

    fn replace_window(&self, replacement: impl Fn(usize) -> String) -> String {
        let mut out = String::with_capacity(self.0.len());
        for piece in pieces(&self.0).filter_map(Result::ok) {
            match piece {
                TemplatePiece::Literal(literal) => out.push_str(literal),
                TemplatePiece::Window(width) => out.push_str(&replacement(width)),
            }
        }
        out
    }

    /// The query as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn pieces(text: &str) -> impl Iterator<Item = Result<TemplatePiece<'_>, TemplateError>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if let Some(inside) = rest.strip_prefix("{{") {
            let Some((action, after)) = inside.split_once("}}") else {
                rest = "";
                return Some(Err(TemplateError::Open));
            };
            rest = after;
            let is_window = action.trim().trim_matches('-').trim() == ".window";
            return Some(if is_window {
                Ok(TemplatePiece::Window(action.chars().count() + 4))
            } else {
                Err(TemplateError::Action(action.trim().to_owned()))
            });
        }
        let end = rest.find("{{").unwrap_or(rest.len());
        let (literal, after) = rest.split_at_checked(end)?;
        rest = after;
        (!literal.is_empty()).then_some(Ok(TemplatePiece::Literal(literal)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_filled_in_wherever_it_stands() {
        let template = Template::parse("rate(a[{{.window}}]) / rate(b[{{ .window }}])").unwrap();
        assert!(template.has_window());
        assert_eq!(template.over(Duration::from_secs(300)), "rate(a[5m]) / rate(b[5m])");
        assert!(!Template::parse("up{job=\"{a}\"}").unwrap().has_window());
    }

    #[test]
    fn nothing_else_is_ever_evaluated() {
        for (text, error) in [
            ("rate(a[{{ .Window }}])", TemplateError::Action(".Window".into())),
            ("{{ template \"x\" }}", TemplateError::Action("template \"x\"".into())),
            ("rate(a[{{.window])", TemplateError::Open),
            ("  ", TemplateError::Empty),
        ] {
            assert_eq!(Template::parse(text), Err(error), "{text}");
        }
    }
}
