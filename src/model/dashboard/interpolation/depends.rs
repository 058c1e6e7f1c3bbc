//! Which variables depend on which: the order in which their values are asked for, and cycles.

use std::collections::BTreeSet;

use crate::model::dashboard::reference::references;
use crate::model::dashboard::variable::{Variable, VariableKind};
use crate::model::labels::Text;

/// The order of the variables of a dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VariableOrder {
    /// Indices of variables; those of a level depend only on levels before.
    pub levels: Vec<Vec<usize>>,
    /// The names of variables that depend on each other in a circle, in its order. Their values of the definition are used.
    pub cycles: Vec<Vec<Text>>,
    /// Indices of the variables in circles, and of those that depend on them.
    pub stuck: Vec<usize>,
}

/// The texts of a variable that may hold other variables.
fn texts(variable: &Variable) -> Vec<&str> {
    let mut texts: Vec<&str> = variable.all_value.as_deref().into_iter().collect();
    match &variable.kind {
        VariableKind::Query { data_source, query, regex, .. } => {
            texts.push(query);
            texts.extend(regex.as_deref());
            texts.extend(data_source.uid.as_deref());
        }
        VariableKind::Custom { values } => {
            texts.extend(values.iter().flat_map(|(text, value)| [&**text, &**value]));
        }
        VariableKind::Constant { value } => texts.push(value),
        VariableKind::DataSource { regex, .. } => texts.extend(regex.as_deref()),
        VariableKind::AdHoc { data_source, .. } => texts.extend(data_source.uid.as_deref()),
        VariableKind::Interval { auto_min, .. } => texts.push(auto_min),
        VariableKind::TextBox => texts.extend(variable.current.iter().map(|value| &**value)),
        VariableKind::Other { .. } => {}
    }
    texts
}

/// The indices of the variables that this one refers to, each once, in order.
pub fn dependencies(variables: &[Variable], of: usize) -> Vec<usize> {
    let Some(variable) = variables.get(of) else { return Vec::new() };
    let names: BTreeSet<&str> =
        texts(variable).into_iter().flat_map(references).map(|reference| reference.name).collect();
    let is_named = |(_, other): &(usize, &Variable)| names.contains(&*other.name);
    variables.iter().enumerate().filter(is_named).map(|(index, _)| index).collect()
}

/// The order in which the variables get their values.
pub fn order(variables: &[Variable]) -> VariableOrder {
    let direct: Vec<Vec<usize>> = (0..variables.len()).map(|index| dependencies(variables, index)).collect();
    let mut done = BTreeSet::new();
    let mut out = VariableOrder::default();
    loop {
        let is_ready = |(index, on): (usize, &Vec<usize>)| {
            (!done.contains(&index) && on.iter().all(|other| done.contains(other))).then_some(index)
        };
        let level: Vec<usize> = direct.iter().enumerate().filter_map(is_ready).collect();
        if level.is_empty() {
            break;
        }
        done.extend(level.iter().copied());
        out.levels.push(level);
    }
    out.stuck = (0..variables.len()).filter(|index| !done.contains(index)).collect();
    let mut named = BTreeSet::new();
    for start in out.stuck.iter().copied() {
        let circle = circle_from(start, &direct, &done);
        if !circle.is_empty() && circle.iter().all(|index| named.insert(*index)) {
            let name = |index: &usize| variables.get(*index).map(|variable| variable.name.clone());
            out.cycles.push(circle.iter().filter_map(name).collect());
        }
    }
    out
}

/// Follows the dependencies from a variable that is not done until one repeats.
fn circle_from(start: usize, direct: &[Vec<usize>], done: &BTreeSet<usize>) -> Vec<usize> {
    let mut path = vec![start];
    loop {
        let on = path.last().and_then(|last| direct.get(*last));
        let next = on.and_then(|on| on.iter().find(|other| !done.contains(other)));
        let Some(next) = next.copied() else { return Vec::new() };
        if let Some(at) = path.iter().position(|index| *index == next) {
            return path.split_off(at);
        }
        path.push(next);
    }
}
