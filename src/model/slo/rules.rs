//! The recording and alerting rules that a Prometheus needs for an SLO, under the names that Sloth and Pyrra give them.

use std::time::Duration;

use super::super::labels::{Labels, Text};
use super::{Family, Slo, Window};

mod pyrra;
mod sloth;

/// Rules that are evaluated one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleGroup {
    /// Its name, which nothing else in the file has.
    pub name: String,
    /// How often; `None`: as the server does by default.
    pub interval: Option<Duration>,
    pub rules: Vec<GeneratedRule>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct GeneratedRule {
    pub output: RuleOutput,
    pub expr: String,
    /// For how long the condition must hold; zero for recording rules.
    pub hold: Duration,
    pub labels: Labels,
    pub annotations: Labels,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleOutput {
    Record(String),
    Alert(Text),
}

/// The rules of an SLO, and what they cannot say of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GeneratedRules {
    pub groups: Vec<RuleGroup>,
    /// What of the definition is not in them, in words.
    pub omissions: Vec<String>,
}

/// The rules of an SLO: as Pyrra writes them for what was defined for Pyrra, else as Sloth does.
///
/// Source: the generators of both tools; `docs/slos.md` lists where these differ from them.
pub fn generate(slo: &Slo) -> GeneratedRules {
    let mut omissions = Vec::new();
    if slo.sli.is_none() {
        return GeneratedRules {
            groups: Vec::new(),
            omissions: vec!["it has no query to record".to_owned()],
        };
    }
    if let Window::Calendar(_) = slo.window {
        omissions.push(format!(
            "the calendar window ({}): rules look back over a fixed time, so its usual length is recorded",
            slo.window
        ));
    }
    let is_pyrras = slo.recorded.as_ref().is_some_and(|recorded| recorded.family == Family::Pyrra);
    let groups = match &slo.sli {
        Some(sli) if is_pyrras => pyrra::groups(slo, sli),
        _ => None,
    };
    let groups = groups.unwrap_or_else(|| sloth::groups(slo));
    GeneratedRules { groups, omissions }
}

impl GeneratedRule {
    fn record(name: String, expr: String, labels: Labels) -> Self {
        let output = RuleOutput::Record(name);
        Self { output, expr, hold: Duration::ZERO, labels, annotations: Labels::default() }
    }
}

/// Both sets; of a name that both have the second one's value counts.
fn union(one: &Labels, two: &Labels) -> Labels {
    let pairs = one.iter().chain(two.iter()).map(|(name, value)| (Text::clone(name), Text::clone(value)));
    Labels::new(pairs.collect())
}

/// The lookbacks of an SLO's pairs, ascending, each once.
fn lookbacks(slo: &Slo) -> Vec<Duration> {
    let mut all: Vec<Duration> = slo.pairs.iter().flat_map(|pair| [pair.short, pair.long]).collect();
    all.sort_unstable();
    all.dedup();
    all
}
