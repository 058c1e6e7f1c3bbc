//! Generates the recording and alerting rules for an SLO, with the names that Sloth and Pyrra use.

use std::time::Duration;

use super::super::labels::{Labels, Text};
use super::{Family, Slo, Window};

mod pyrra;
mod sloth;

/// Rules that the server evaluates in order.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleGroup {
    /// Its name, unique within the file.
    pub name: String,
    /// The evaluation interval; `None`: the default of the server.
    pub interval: Option<Duration>,
    pub rules: Vec<GeneratedRule>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct GeneratedRule {
    /// The series or alert that it produces.
    pub output: RuleOutput,
    pub expr: String,
    /// For how long the condition must hold before the alert fires (`for`); zero for recording rules.
    pub hold: Duration,
    /// Labels that it adds to the series or alert.
    pub labels: Labels,
    pub annotations: Labels,
}

/// What a rule produces: a series or alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleOutput {
    Record(String),
    Alert(Text),
}

/// The rules of an SLO, and the parts of its definition that they do not cover.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GeneratedRules {
    pub groups: Vec<RuleGroup>,
    /// Messages for the user: the parts of the definition that the rules do not cover.
    pub omissions: Vec<String>,
}

/// Generates the rules of an SLO: Pyrra's for SLOs defined for Pyrra, else Sloth's.
///
/// Source: the generators of both tools; `docs/slos.md` lists where these rules differ.
pub fn generate(slo: &Slo) -> GeneratedRules {
    let mut omissions = Vec::new();
    if slo.sli.is_none() {
        return GeneratedRules {
            groups: Vec::new(),
            omissions: vec!["the SLO has no query to record".to_owned()],
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
