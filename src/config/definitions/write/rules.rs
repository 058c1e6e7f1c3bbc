//! Converts SLOs to a rule file for Prometheus.

use std::collections::BTreeSet;

use crate::model::duration;
use crate::model::labels::{Labels, Text};
use crate::model::promql::{self, QueryParseError};
use crate::model::slo::rules::{GeneratedRule, RuleGroup, RuleOutput, generate};
use crate::model::slo::{Family, Slo};

use super::yaml::{Yaml, documents, remarks, table, text};
use super::{WriteNotes, WrittenDocument};

pub(super) fn write(slos: &[Slo]) -> WrittenDocument {
    let (mut above, mut groups, mut omissions) = (String::new(), Vec::new(), Vec::new());
    let mut left_out = Vec::new();
    let (mut names, mut alerts) = (BTreeSet::new(), BTreeSet::new());
    for slo in slos {
        let mut notes = WriteNotes::new(slo);
        let mut generated = generate(slo);
        make_alerts_unique(&mut alerts, &mut generated.groups, slo);
        for what in generated.omissions {
            let field = if generated.groups.is_empty() { "sli" } else { "window" };
            notes.say(field, what);
        }
        let mut written: Vec<Yaml> = Vec::new();
        let (mut rejected, mut unchecked) = (None, None);
        for rule in generated.groups.iter().flat_map(|group| &group.rules) {
            match promql::check(&rule.expr) {
                Err(QueryParseError::Refused(remark)) if rejected.is_none() => {
                    rejected = Some(format!("at {remark} in {}", rule.expr));
                }
                Err(QueryParseError::Unknown(what)) if unchecked.is_none() => unchecked = Some(what),
                Err(QueryParseError::Refused(_) | QueryParseError::Unknown(_)) | Ok(_) => {}
            }
        }
        if let Some(error) = rejected {
            notes.say(
                "sli",
                format!(
                    "Prometheus rejects a whole file for one invalid query: the SLO is left out ({error})"
                ),
            );
        } else {
            for group in &generated.groups {
                let name = unique(&mut names, &group.name);
                written.push(self::group(name, group, &mut notes));
            }
            if let Some(what) = unchecked {
                notes.say("sli", format!("its query could not be checked and is written unchanged: {what}"));
            }
        }
        let remarks_of = notes.remarks();
        if written.is_empty() {
            left_out.push(slo.id.clone());
            above += &remarks(&remarks_of, 0);
        }
        for (at, group) in written.into_iter().enumerate() {
            let remarks = if at == 0 { remarks_of.clone() } else { Vec::new() };
            groups.push(Yaml::Remarked(remarks, Box::new(group)));
        }
        omissions.extend(notes.list);
    }
    let file = table([("groups", Some(Yaml::List(groups)))]);
    WrittenDocument { text: above + &documents(&[file]), omissions, left_out }
}

/// Makes alerts unique: `promtool` rejects two alerts with the same name and labels.
///
/// Within an SLO such alerts are merged into one with `or`. An alert that equals one of another SLO gets the label `sloth_id`,
/// which its series have anyway.
fn make_alerts_unique(before: &mut BTreeSet<(Text, Labels)>, groups: &mut [RuleGroup], slo: &Slo) {
    let recorded = slo.recorded.as_ref();
    let id = recorded.map_or(&slo.id, |recorded| &recorded.id);
    let is_sloths = recorded.is_none_or(|recorded| recorded.family != Family::Pyrra);
    for group in groups {
        let mut kept: Vec<GeneratedRule> = Vec::new();
        for mut rule in std::mem::take(&mut group.rules) {
            let RuleOutput::Alert(name) = &rule.output else {
                kept.push(rule);
                continue;
            };
            let duplicate =
                kept.iter_mut().find(|other| other.output == rule.output && other.labels == rule.labels);
            if let Some(duplicate) = duplicate {
                duplicate.expr = format!("{}\nor\n{}", duplicate.expr, rule.expr);
                continue;
            }
            if is_sloths && !before.insert((name.clone(), rule.labels.clone())) {
                rule.labels = rule.labels.merged_with(&Labels::from_iter([("sloth_id", id)]));
            }
            kept.push(rule);
        }
        group.rules = kept;
    }
}

/// The name, with a number appended if an earlier group has it.
fn unique(names: &mut BTreeSet<String>, name: &str) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !names.contains(name));
    let free = free.unwrap_or_else(|| name.to_owned());
    names.insert(free.clone());
    free
}

fn group(name: String, group: &RuleGroup, notes: &mut WriteNotes<'_>) -> Yaml {
    let rules = group.rules.iter().map(|rule| self::rule(rule, notes)).collect();
    table([
        ("name", text(name)),
        ("interval", group.interval.and_then(|interval| text(duration::text(interval)))),
        ("rules", Some(Yaml::List(rules))),
    ])
}

fn rule(rule: &GeneratedRule, notes: &mut WriteNotes<'_>) -> Yaml {
    let (record, alert) = match &rule.output {
        RuleOutput::Record(name) => (text(name), None),
        RuleOutput::Alert(name) => (None, text(name)),
    };
    let is_alert = alert.is_some();
    table([
        ("record", record),
        ("alert", alert),
        ("expr", text(&rule.expr)),
        ("for", text(duration::text(rule.hold)).filter(|_| !rule.hold.is_zero())),
        ("labels", labels(&rule.labels, is_alert, "labels", notes)),
        ("annotations", labels(&rule.annotations, is_alert, "alert", notes)),
    ])
}

/// The labels that Prometheus accepts; the others are listed as omissions.
fn labels(all: &Labels, is_alert: bool, field: &'static str, notes: &mut WriteNotes<'_>) -> Option<Yaml> {
    let fit: Labels = all
        .iter()
        .filter(|(name, value)| {
            let wrong = if !is_name(name) {
                format!("{name} is not a label name that Prometheus accepts: left out")
            } else if is_alert && !is_closed(value) {
                format!("{name} has braces that are not a valid template: left out")
            } else {
                return true;
            };
            if notes.list.iter().all(|omissions| omissions.what != wrong) {
                notes.say(field, wrong);
            }
            false
        })
        .collect();
    super::yaml::labels(&fit)
}

fn is_name(name: &str) -> bool {
    name != "__name__"
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether every `{{` of a template has its `}}`.
fn is_closed(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, inside)) = rest.split_once("{{") {
        match inside.split_once("}}") {
            Some((action, after)) if !action.trim().is_empty() && !action.contains("{{") => rest = after,
            _ => return false,
        }
    }
    true
}
