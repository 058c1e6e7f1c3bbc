//! The options of a variable: of its definition, of a data source, or the data sources themselves.

use std::sync::Arc;

use super::super::data_source;
use super::{AUTO, AskedVariable, OptionStatus, arranged};
use crate::app::identity::DashboardKey;
use crate::app::shared::Shared;
use crate::model::ask::AskKind;
use crate::model::dashboard::DataSourceRef;
use crate::model::dashboard::display::mapping::compiled;
use crate::model::dashboard::interpolation::Interpolation;
use crate::model::dashboard::variable::{Variable, VariableKind, VariableQuery, VariableSort};
use crate::model::labels::Text;
use crate::model::series::TimeGrid;
use crate::model::world::AnswerCache;

/// What the options of a variable are made of.
pub(super) struct OptionInput<'a> {
    pub(super) shared: &'a Shared,
    pub(super) key: &'a DashboardKey,
    pub(super) variable: &'a Variable,
    /// The variables that it may depend on.
    pub(super) known: &'a Interpolation,
    pub(super) window: TimeGrid,
    /// Whether a variable that it depends on is not known yet.
    pub(super) waits: bool,
}

pub(super) struct FoundOptions {
    pub(super) options: Vec<(Text, Text)>,
    pub(super) total: usize,
    pub(super) status: OptionStatus,
    pub(super) asked: Option<AskedVariable>,
}

impl FoundOptions {
    fn known(options: Vec<(Text, Text)>) -> Self {
        Self { total: options.len(), options, status: OptionStatus::Known, asked: None }
    }

    fn none(status: OptionStatus) -> Self {
        Self { options: Vec::new(), total: 0, status, asked: None }
    }
}

pub(super) fn of(input: &OptionInput<'_>) -> FoundOptions {
    let same = |value: &Text| (value.clone(), value.clone());
    match &input.variable.kind {
        VariableKind::Query { data_source, query, regex, sort, .. } => {
            let regex = regex.as_deref().map(|regex| input.known.title(regex));
            of_query(input, data_source, query, (regex.as_deref(), *sort))
        }
        VariableKind::Custom { values } => {
            let filled = |text: &Text| input.known.title(text).into();
            FoundOptions::known(values.iter().map(|(text, value)| (filled(text), filled(value))).collect())
        }
        VariableKind::Interval { values, has_auto, .. } => {
            let auto: Option<Text> = has_auto.then(|| AUTO.into());
            FoundOptions::known(auto.iter().chain(values).map(same).collect())
        }
        VariableKind::DataSource { plugin, regex } => data_sources(input, plugin, regex.as_deref()),
        VariableKind::Constant { value } => FoundOptions::known(vec![same(value)]),
        VariableKind::TextBox | VariableKind::AdHoc { .. } => FoundOptions::known(Vec::new()),
        VariableKind::Other { .. } => FoundOptions::known(input.variable.current.iter().map(same).collect()),
    }
}

fn of_query(
    input: &OptionInput<'_>,
    data_source: &DataSourceRef,
    query: &str,
    (regex, sort): (Option<&str>, VariableSort),
) -> FoundOptions {
    if input.waits {
        return FoundOptions::none(OptionStatus::Loading);
    }
    let data_source = input.known.data_source(data_source);
    let found = data_source::source_of(input.shared, input.key, &data_source, AskKind::VariableValues);
    let source = match found {
        Ok(source) => source,
        Err(why) => return FoundOptions::none(OptionStatus::Missing(why)),
    };
    let plugin = data_source::plugin_of(input.shared, &source, &data_source);
    let query = input.known.without_time().query(query, &plugin).into();
    let wanted = Arc::new(VariableQuery { data_source, query });
    let remote = input.shared.world.cache(&source).and_then(|cache| cache.variable_values().get(&wanted));
    let asked = Some(AskedVariable { source, wanted: Arc::clone(&wanted), window: input.window });
    let Some(remote) = remote else {
        return FoundOptions { asked, ..FoundOptions::none(OptionStatus::Loading) };
    };
    let Some(values) = remote.value() else {
        let status = match remote.failure() {
            Some(failure) => OptionStatus::Missing(failure.kind.to_string()),
            None => OptionStatus::Loading,
        };
        return FoundOptions { asked, ..FoundOptions::none(status) };
    };
    let options = arranged(&values.values, regex, sort);
    // a regular expression leaves some out; more than were kept may fit it
    let total = options.len() + values.total.saturating_sub(values.values.len());
    FoundOptions { options, total, status: OptionStatus::Known, asked }
}

/// The data sources of a plug-in: those that the dashboard's source knows, else the sources of that kind.
fn data_sources(input: &OptionInput<'_>, plugin: &str, regex: Option<&str>) -> FoundOptions {
    let pattern = regex.filter(|regex| !regex.is_empty()).map(|regex| compiled(&input.known.title(regex)));
    let passes = |name: &str| match &pattern {
        Some(Some(pattern)) => pattern.is_match(name),
        // an invalid expression keeps all
        Some(None) | None => true,
    };
    let cache = input.shared.world.cache(&input.key.source);
    let knows = input.shared.answering(AskKind::DataSources).any(|source| source.id == input.key.source);
    if knows {
        let remote = cache.map(AnswerCache::data_sources);
        let Some(all) = remote.and_then(|remote| remote.value()) else {
            let failure = remote.and_then(|remote| remote.failure());
            let status = failure
                .map_or(OptionStatus::Loading, |failure| OptionStatus::Missing(failure.kind.to_string()));
            return FoundOptions::none(status);
        };
        let fits = all.iter().filter(|one| *one.kind == *plugin && passes(&one.name));
        return FoundOptions::known(fits.map(|one| (one.name.clone(), one.uid.clone())).collect());
    }
    let sources = input.shared.answering(AskKind::PanelData);
    let fits = sources.filter(|source| source.kind.name() == plugin && passes(source.id.as_str()));
    let name = |name: &str| (Text::from(name), Text::from(name));
    FoundOptions::known(fits.map(|source| name(source.id.as_str())).collect())
}
