//! Parsers for the values of flags; the error of each says what to write.

use std::ffi::OsStr;
use std::str::FromStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};

use crate::app::key::Key;
use crate::app::place::Tab;
use crate::app::themes;
use crate::config::hint;
use crate::model::matcher::{self, Matcher, MatcherError};
use crate::model::promql::is_plain_name;
use crate::model::trace::TraceId;
use crate::model::why::WhySignal;

/// The value of a flag that can also be set by an environment variable. Empty is false.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("write true or false".to_owned()),
    }
}

pub(super) fn trace_id(text: &str) -> Result<TraceId, String> {
    TraceId::parse(text)
        .ok_or_else(|| "write up to 32 hexadecimal digits: 4bf92f3577b34da6a3ce929d0e0e4736".to_owned())
}

pub(super) fn size(text: &str) -> Result<(u16, u16), String> {
    let side = |text: &str| text.parse().ok().filter(|side| (1..=1000).contains(side));
    text.split_once('x')
        .and_then(|(width, height)| Some((side(width)?, side(height)?)))
        .ok_or_else(|| "write columns x rows, each 1 to 1000: 120x36".to_owned())
}

/// Accepts any text; the known values are only offered by completions. The value is checked later, where the error message
/// can say more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offered(pub(super) fn() -> Vec<&'static str>);

impl TypedValueParser for Offered {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter().map(PossibleValue::new)))
    }
}

/// Built-in themes; the completion script asks burnwatch for the user's own themes.
pub(super) const THEMES: Offered = Offered(|| themes::names().chain([USER_THEMES]).collect());
/// A context or a source of the configuration: the completion script asks burnwatch for the names.
pub(super) const CONTEXTS: Offered = Offered(|| vec![ALL_CONTEXTS]);
pub(super) const SOURCES: Offered = Offered(|| vec![ALL_SOURCES]);
/// The kinds of files that `config path` knows.
pub(super) const FILE_KINDS: Offered = Offered(|| vec!["config", "packs", "themes", "log", "state"]);

/// Placeholders in a completion script, replaced by a call of `burnwatch names`.
pub(in crate::cli) const USER_THEMES: &str = "@own-themes@";
pub(in crate::cli) const ALL_CONTEXTS: &str = "@contexts@";
pub(in crate::cli) const ALL_SOURCES: &str = "@sources@";

/// The names of the screens for `snapshot`.
pub(super) fn screens() -> Vec<&'static str> {
    Tab::ALL.iter().map(|tab| tab.name()).collect()
}

/// Parses the name of a screen, whatever the case of letters.
pub(super) fn screen() -> impl TypedValueParser<Value = Tab> {
    Offered(screens).try_map(|text| {
        let found = Tab::ALL.iter().copied().find(|tab| tab.name().eq_ignore_ascii_case(&text));
        found.ok_or_else(|| format!("there is no such screen{}", hint(&text, screens())))
    })
}

/// A sequence of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct KeyValues(pub(in crate::cli) Vec<Key>);

/// Parses keys separated by whitespace: `down enter`.
pub(super) fn keys(text: &str) -> Result<KeyValues, String> {
    let keys: Result<Vec<Key>, _> = text.split_whitespace().map(str::parse).collect();
    keys.map(KeyValues).map_err(|error| format!("{error}"))
}

/// The name and the value of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct LabelValue(pub(in crate::cli) String, pub(in crate::cli) String);

/// Parses `region=eu-west-1`; the value may be in double quotes.
pub(super) fn label(text: &str) -> Result<LabelValue, String> {
    let (name, value) = text.split_once('=').ok_or("write LABEL=VALUE")?;
    let (name, value) = (name.trim(), value.trim());
    if !is_plain_name(name) {
        return Err(format!("{name:?} is not the name of a label"));
    }
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    Ok(LabelValue(name.to_owned(), quoted.unwrap_or(value).to_owned()))
}

/// Parses `NAME=VALUE`; the value may be empty or hold further `=`.
pub(super) fn named_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let name = name.trim().trim_start_matches("var-");
    if name.is_empty() { Err("write NAME=VALUE".to_owned()) } else { Ok((name.to_owned(), value.to_owned())) }
}

/// Parses the name of a signal.
pub(super) fn signal(text: &str) -> Result<WhySignal, String> {
    let names = || WhySignal::ALL.into_iter().map(WhySignal::word);
    let found = WhySignal::ALL.into_iter().find(|signal| signal.word().eq_ignore_ascii_case(text));
    found.ok_or_else(|| format!("there is no such signal{}", hint(text, names().collect::<Vec<_>>())))
}

pub(super) fn speed(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|speed: &f64| *speed >= 0.01 && *speed <= 1000.0);
    number.ok_or_else(|| "write a number from 0.01 to 1000".to_owned())
}

pub(super) fn minute(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|minute: &f64| *minute >= 0.0 && *minute <= 1_000_000.0);
    number.ok_or_else(|| "write a minute, from 0 up".to_owned())
}

/// The name of a service or an alert, with matchers of the alert's labels: `ErrorsHigh{region="eu-west-1"}`.
#[derive(Debug, Clone)]
pub(in crate::cli) struct WhySubjectName {
    pub(in crate::cli) name: String,
    pub(in crate::cli) matchers: Vec<Matcher>,
}

impl FromStr for WhySubjectName {
    type Err = MatcherError;

    fn from_str(text: &str) -> Result<Self, MatcherError> {
        let at = text.find('{').unwrap_or(text.len());
        let (name, matchers) = text.split_at(at);
        Ok(Self { name: name.trim().to_owned(), matchers: matcher::parse(matchers)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_named_alone_or_with_matchers() {
        let read = |text: &str| {
            text.parse::<WhySubjectName>().map(|read| (read.name, matcher::list(&read.matchers)))
        };
        assert_eq!(read("checkout"), Ok(("checkout".to_owned(), String::new())));
        let expected = ("ErrorsHigh".to_owned(), r#"region="eu", job=~"a|b""#.to_owned());
        assert_eq!(read(r#"ErrorsHigh{region="eu", job=~"a|b"}"#), Ok(expected));
        assert_eq!(read("ErrorsHigh{}"), Ok(("ErrorsHigh".to_owned(), String::new())));
        assert!(read("ErrorsHigh{region").is_err());
    }
}
