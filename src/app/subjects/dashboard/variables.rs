//! The variables of a dashboard: their options, what is chosen, and the questions for values, in the order of their dependencies.

mod options;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::app::identity::DashboardKey;
use crate::app::scheduler::Want;
use crate::app::shared::Shared;
use crate::app::want;
use crate::model::ask::Query;
use crate::model::dashboard::Dashboard;
use crate::model::dashboard::display::mapping::compiled;
use crate::model::dashboard::interpolation::built_in::{
    BuiltInTime, BuiltIns, promql_duration, rounded_interval,
};
use crate::model::dashboard::interpolation::depends::order;
use crate::model::dashboard::interpolation::{Interpolation, VariableState};
use crate::model::dashboard::variable::{
    ALL, AdHocFilter, Variable, VariableKind, VariableQuery, VariableSort, VariableVisibility,
};
use crate::model::duration;
use crate::model::labels::Text;
use crate::model::series::TimeGrid;
use crate::model::source::SourceId;

/// Points of the grid for questions about values.
const POINTS: u16 = 240;

/// Values that the user or an alert has chosen, by the name of the variable.
pub type ChosenValues = BTreeMap<Text, Vec<Text>>;

/// Whether the options of a variable are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionStatus {
    Known,
    Loading,
    /// Why they are not: the server's own words, a circle of variables.
    Missing(String),
}

/// A variable as the screen shows it.
#[derive(Debug, Clone)]
pub struct ShownVariable {
    pub definition: Variable,
    /// Text and value of each option.
    pub options: Vec<(Text, Text)>,
    /// All options, also those that are not kept.
    pub total: usize,
    pub state: VariableState,
    pub status: OptionStatus,
}

impl ShownVariable {
    pub fn label(&self) -> &str {
        self.definition.label.as_deref().filter(|label| !label.is_empty()).unwrap_or(&self.definition.name)
    }

    pub fn is_shown(&self) -> bool {
        let is_constant = matches!(self.definition.kind, VariableKind::Constant { .. });
        self.definition.visibility != VariableVisibility::Hidden && !is_constant
    }

    /// What is chosen, for the line of variables.
    pub fn words(&self) -> String {
        match &self.definition.kind {
            VariableKind::AdHoc { filters, .. } => {
                let one = |filter: &AdHocFilter| format!("{}{}{}", filter.key, filter.op, filter.value);
                filters.iter().map(one).collect::<Vec<_>>().join(" ")
            }
            VariableKind::Query { .. }
            | VariableKind::Custom { .. }
            | VariableKind::Interval { .. }
            | VariableKind::DataSource { .. }
            | VariableKind::Constant { .. }
            | VariableKind::TextBox
            | VariableKind::Other { .. } => self.state.shown(),
        }
    }
}

/// The variables of a dashboard with what is chosen.
#[derive(Debug, Default)]
pub struct ResolvedVariables {
    /// In the order of the dashboard.
    pub all: Vec<ShownVariable>,
    /// Replaces them in titles; times included.
    pub titles: Interpolation,
    /// Replaces them in queries; the sources replace times.
    pub queries: Interpolation,
    pub asked: Vec<AskedVariable>,
    /// What is wrong: circles.
    pub notes: Vec<String>,
}

/// A question for the values of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedVariable {
    pub source: SourceId,
    pub wanted: Arc<VariableQuery>,
    pub window: TimeGrid,
}

impl AskedVariable {
    pub fn want(&self, shared: &Shared) -> Want {
        let query = Query::VariableValues { wanted: Arc::clone(&self.wanted), window: self.window };
        want::of(shared, &self.source, query)
    }
}

impl ResolvedVariables {
    pub fn named(&self, name: &str) -> Option<&ShownVariable> {
        self.all.iter().find(|one| *one.definition.name == *name)
    }

    /// Whether all values are known, so that questions of panels are final.
    pub fn are_settled(&self) -> bool {
        self.all.iter().all(|one| one.status != OptionStatus::Loading)
    }
}

/// What the variables of a dashboard are now.
pub fn resolve(
    shared: &Shared,
    key: &DashboardKey,
    dashboard: &Dashboard,
    chosen: &ChosenValues,
    now: Timestamp,
) -> ResolvedVariables {
    let window = shared.range.span(now, POINTS, shared.interval);
    let built_ins = BuiltIns {
        dashboard_title: dashboard.entry.title.clone(),
        dashboard_uid: dashboard.entry.uid.clone(),
        zone: shared.look.zone.clone(),
        time: None,
    };
    let order = order(&dashboard.variables);
    let mut states: Vec<VariableState> = Vec::new();
    let mut found: BTreeMap<usize, ShownVariable> = BTreeMap::new();
    let mut asked = Vec::new();
    for index in order.levels.iter().flatten().copied() {
        let Some(variable) = dashboard.variables.get(index) else { continue };
        let known = Interpolation::new(states.clone(), Some(built_ins.clone()));
        // a query with a value that is not known yet would be asked in vain
        let waits =
            crate::model::dashboard::interpolation::depends::dependencies(&dashboard.variables, index)
                .iter()
                .any(|on| found.get(on).is_some_and(|on| on.status == OptionStatus::Loading));
        let input = options::OptionInput { shared, key, variable, known: &known, window, waits };
        let mut options = options::of(&input);
        asked.extend(options.asked.take());
        let shown = shown(shared, variable, options, chosen.get(&variable.name));
        states.push(shown.state.clone());
        found.insert(index, shown);
    }
    for index in order.stuck {
        let Some(variable) = dashboard.variables.get(index) else { continue };
        let state = VariableState::of(variable, &variable.current, &[]);
        states.push(state.clone());
        let status = OptionStatus::Missing("depends on itself: the saved value is used".to_owned());
        let shown =
            ShownVariable { definition: variable.clone(), options: Vec::new(), total: 0, state, status };
        found.insert(index, shown);
    }
    let notes = order.cycles.iter().map(|circle| {
        let names: Vec<&str> = circle.iter().map(|name| &**name).collect();
        format!("variables depend on each other: {}", names.join(", "))
    });
    let notes = notes.collect();
    let queries = Interpolation::new(states.clone(), Some(built_ins.clone()));
    let time = BuiltInTime {
        from: window.start(),
        to: window.end(),
        step: window.step(),
        scrape_interval: shared.interval,
    };
    let titles = Interpolation::new(states, Some(BuiltIns { time: Some(time), ..built_ins }));
    ResolvedVariables { all: found.into_values().collect(), titles, queries, asked, notes }
}

/// A variable with its options and the values that are chosen of them.
fn shown(
    shared: &Shared,
    variable: &Variable,
    found: options::FoundOptions,
    own: Option<&Vec<Text>>,
) -> ShownVariable {
    let options::FoundOptions { options, total, status, .. } = found;
    let wanted = own.unwrap_or(&variable.current);
    let is_all = |value: &Text| **value == *ALL;
    let state = match &variable.kind {
        VariableKind::Constant { value } => {
            VariableState::one(variable.name.clone(), value.clone(), value.clone())
        }
        VariableKind::TextBox | VariableKind::Other { .. } | VariableKind::AdHoc { .. } => {
            VariableState::of(variable, wanted, &options)
        }
        VariableKind::Interval { has_auto, auto_count, auto_min, .. } => {
            let wanted = wanted.first().cloned();
            let is_auto = wanted.as_deref().is_none_or(|value| value == AUTO || value.starts_with("$__auto"));
            if is_auto && *has_auto {
                let least = duration::parse(auto_min).unwrap_or(Duration::from_secs(10));
                let step = rounded_interval(shared.range.length, (*auto_count).max(1), least);
                VariableState::one(variable.name.clone(), AUTO, promql_duration(step))
            } else {
                let first = options.iter().map(|(_, value)| value.clone()).find(|value| **value != *AUTO);
                let value = wanted.filter(|_| !is_auto).or(first).unwrap_or_else(|| "1m".into());
                VariableState::one(variable.name.clone(), value.clone(), value)
            }
        }
        VariableKind::Query { .. } | VariableKind::Custom { .. } | VariableKind::DataSource { .. } => {
            let is_whole = status == OptionStatus::Known && total <= options.len();
            let is_option =
                |value: &Text| options.iter().any(|(text, option)| option == value || text == value);
            let kept: Vec<Text> = wanted
                .iter()
                .filter(|value| !value.is_empty())
                .filter(
                    |value| {
                        if is_all(value) { variable.includes_all } else { !is_whole || is_option(value) }
                    },
                )
                // an old dashboard saves the text in place of the value
                .map(|value| match options.iter().find(|(text, option)| text == value && option != value) {
                    Some((_, option)) if !options.iter().any(|(_, known)| known == value) => option.clone(),
                    Some(_) | None => value.clone(),
                })
                .collect();
            let kept = if kept.is_empty() && status == OptionStatus::Known {
                let first = options.first().map(|(_, value)| value.clone());
                if variable.includes_all { vec![ALL.into()] } else { first.into_iter().collect() }
            } else {
                kept
            };
            let kept = if variable.is_multi { kept } else { kept.into_iter().take(1).collect() };
            VariableState::of(variable, &kept, &options)
        }
    };
    ShownVariable { definition: variable.clone(), options, total, state, status }
}

/// The value of an interval variable that follows the range.
pub const AUTO: &str = "auto";

/// The options that a definition's regular expression keeps, with its groups `value` and `text`, sorted as the definition says.
fn arranged(values: &[(Text, Text)], regex: Option<&str>, sort: VariableSort) -> Vec<(Text, Text)> {
    let pattern = regex.filter(|regex| !regex.is_empty()).and_then(compiled);
    let mut kept: Vec<(Text, Text)> = match pattern {
        None => values.to_vec(),
        Some(pattern) => values
            .iter()
            .filter_map(|(text, value)| {
                let found = pattern.captures(text)?;
                let group = |name: &str| found.name(name).map(|group| Text::from(group.as_str()));
                let first = found.get(1).map(|group| Text::from(group.as_str()));
                Some(match (group("text"), group("value")) {
                    (Some(text), Some(value)) => (text, value),
                    (Some(one), None) | (None, Some(one)) => (one.clone(), one),
                    (None, None) => {
                        first.map_or_else(|| (text.clone(), value.clone()), |one| (one.clone(), one))
                    }
                })
            })
            .collect(),
    };
    let mut seen = std::collections::BTreeSet::new();
    kept.retain(|(_, value)| !value.is_empty() && seen.insert(value.clone()));
    let number = |text: &Text| {
        let digits: String =
            text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().ok()
    };
    let is_descending = match sort {
        VariableSort::None => return kept,
        VariableSort::Alphabetical { is_descending } => {
            kept.sort_by(|(a, _), (b, _)| a.cmp(b));
            is_descending
        }
        VariableSort::CaseInsensitive { is_descending } => {
            kept.sort_by_key(|(text, _)| text.to_lowercase());
            is_descending
        }
        VariableSort::Numerical { is_descending } | VariableSort::Natural { is_descending } => {
            kept.sort_by_key(|(text, _)| (number(text), text.clone()));
            is_descending
        }
    };
    if is_descending {
        kept.reverse();
    }
    kept
}

#[cfg(test)]
mod tests;
