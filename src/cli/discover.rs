//! `burnwatch discover`: the data sources that a Grafana knows, and sources of the configuration for them.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::app::columns::{ListColumn, Listed};
use crate::config::discovered::{DiscoveredSource, ExtendedConfig, extended};
use crate::model::ask::{Answer, AskKind, Query, Question};
use crate::model::dashboard::DataSource;
use crate::model::source::SourceId;
use crate::model::text::counted;
use crate::model::warning::Warning;

use super::args::{DiscoverArgs, DiscoveryKind};
use super::printer::{ExitOutcome, print, print_error};
use super::query::Asking;
use super::report::{Cell, ReportDocument, ReportList};
use super::session::{Session, SessionError};
use super::{CliContext, VerbResult, formatted};

/// What burnwatch does with the data sources of a plug-in.
struct PluginUse {
    /// The plug-in's id.
    plugin: &'static str,
    /// The kind of source that `--write` adds.
    kind: Option<&'static str>,
    words: &'static str,
}

const fn source(plugin: &'static str, kind: &'static str, words: &'static str) -> PluginUse {
    PluginUse { plugin, kind: Some(kind), words }
}

const fn through_grafana(plugin: &'static str, words: &'static str) -> PluginUse {
    PluginUse { plugin, kind: None, words }
}

const METRICS: &str = "services, SLOs, rules, charts, dashboards";
const DASHBOARDS: &str = "dashboards, queries as JSON";

/// The plug-ins that burnwatch knows. Grafana's proxy refuses the searches that log sources for Elasticsearch send (POST to
/// anything but `_msearch`), so that those are only asked through Grafana.
const USES: [PluginUse; 21] = [
    source("prometheus", "prometheus", METRICS),
    source("grafana-amazonprometheus-datasource", "prometheus", METRICS),
    source("grafana-azureprometheus-datasource", "prometheus", METRICS),
    source("victoriametrics-metrics-datasource", "prometheus", METRICS),
    source("loki", "loki", "log lines, dashboards"),
    source("victoriametrics-logs-datasource", "victorialogs", "log lines"),
    source("tempo", "tempo", "traces"),
    source("jaeger", "jaeger", "traces"),
    source("alertmanager", "alertmanager", "alerts, silences"),
    through_grafana("elasticsearch", "dashboards; log lines with a source of its own address"),
    through_grafana(
        "grafana-opensearch-datasource",
        "dashboards; log lines with a source of its own address",
    ),
    through_grafana("cloudwatch", DASHBOARDS),
    through_grafana("stackdriver", DASHBOARDS),
    through_grafana("grafana-azure-monitor-datasource", DASHBOARDS),
    through_grafana("influxdb", DASHBOARDS),
    through_grafana("graphite", DASHBOARDS),
    through_grafana("mysql", DASHBOARDS),
    through_grafana("grafana-postgresql-datasource", DASHBOARDS),
    through_grafana("postgres", DASHBOARDS),
    through_grafana("mssql", DASHBOARDS),
    through_grafana(
        "grafana-pagerduty-datasource",
        "nothing; add a source of the kind pagerduty with a token of its own",
    ),
];

fn use_of(plugin: &str) -> (Option<&'static str>, &'static str) {
    let known = USES.iter().find(|known| known.plugin == plugin);
    known.map_or((None, "dashboards, if the plug-in has a backend"), |known| (known.kind, known.words))
}

enum DataSourceList {}

impl Listed for DataSourceList {
    type Item<'a> = &'a DataSource;
    type Widths = ();
}

type Column = ListColumn<DataSourceList>;

const COLUMNS: &[Column] = &[
    Column::text("name", "NAME", |item| Cell::Text(item.name.to_string())),
    Column::text("uid", "UID", |item| Cell::Text(item.uid.to_string())),
    Column::text("type", "TYPE", |item| Cell::Text(item.kind.to_string())),
    Column::text("is_default", "DEFAULT", |item| Cell::Switch(item.is_default)),
    Column::text("may_query", "MAY QUERY", |item| item.may_query.map_or(Cell::Nothing, Cell::Switch)),
    Column::text("kind", "SOURCE", |item| {
        use_of(&item.kind).0.map_or(Cell::Nothing, |kind| Cell::Text(kind.into()))
    }),
    Column::text("use", "USE", |item| Cell::Text(use_of(&item.kind).1.to_owned())),
];

pub(super) fn run(cx: &CliContext<'_>, wanted: &DiscoverArgs) -> VerbResult {
    let DiscoveryKind::Grafana = wanted.kind;
    let session = cx.session(true)?;
    session.require_source_of(&[AskKind::DataSources])?;
    let id = chosen(&session, wanted.source.as_deref()).map_err(SessionError::Query)?;
    let ask = Query::DataSources.now();
    let mut asking = Asking::new(vec![Question { context: 0, source: id.clone(), ask, known: None }]);
    session.gather(&mut asking, Asking::update, Asking::is_complete, session.deadline())?;
    let mut notes = Vec::new();
    let mut found: Option<Vec<DataSource>> = None;
    match asking.answers.pop() {
        None => notes.push(format!("{id}: no answer within {} s", session.deadline().as_secs())),
        Some((_, Err(error))) => notes.push(format!("{error}. {}", error.kind.advice())),
        Some((_, Ok(reply))) => {
            notes.extend(reply.warnings.iter().map(|warning: &Warning| format!("{id}: {warning}")));
            if let Answer::DataSources(all) = reply.answer {
                found = Some(all);
            }
        }
    }
    let Some(found) = found else {
        print_error(&notes.join("\n"));
        return Ok(ExitOutcome::Partial);
    };
    if wanted.write {
        let own = cx.own_assets();
        let file = cx.with_config(&own, |place| place.load().map(|loaded| loaded.file))?;
        let file = file.ok_or_else(|| {
            SessionError::Query(
                "there is no configuration file to add sources to; `burnwatch config init --write` makes one"
                    .into(),
            )
        })?;
        return Ok(match write(&file, &id, &found, wanted.without_proxy) {
            Ok(said) => print(&said, ExitOutcome::Fine),
            Err(why) => {
                print_error(&why);
                ExitOutcome::Failure
            }
        });
    }
    let list = ReportList::of(
        ("data_sources", "Data sources", "The token may see no data source (right datasources:read)."),
        COLUMNS,
        &found,
    );
    let document = ReportDocument {
        context: session.active.context.clone(),
        as_of: session.active.clock.now(),
        facts: Vec::new(),
        lists: vec![list],
        notes,
        is_partial: false,
    };
    Ok(print(&formatted(&document, wanted.listing.output), ExitOutcome::Fine))
}

/// The source of this name, or the only one that knows data sources.
fn chosen(session: &Session, name: Option<&str>) -> Result<SourceId, String> {
    let all = session
        .active
        .sources
        .infos()
        .into_iter()
        .filter(|info| info.answers.contains(&AskKind::DataSources));
    let ids: Vec<SourceId> = all.map(|info| info.id).collect();
    let names = ids.iter().map(SourceId::as_str).collect::<Vec<_>>().join(", ");
    match (name, &ids[..]) {
        (Some(name), ids) => ids
            .iter()
            .find(|id| id.as_str() == name)
            .cloned()
            .ok_or_else(|| format!("there is no source {name} of the kind grafana; try one of {names}")),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(format!("there are several sources of the kind grafana; name one of {names}")),
    }
}

/// What `--write` adds for these data sources.
fn sources_of(found: &[DataSource], without_proxy: bool) -> Vec<DiscoveredSource> {
    let of = |one: &DataSource| {
        let kind = use_of(&one.kind).0.filter(|_| one.may_query != Some(false))?;
        let by_query = without_proxy && kind == "prometheus";
        let (path, options) = match kind {
            "alertmanager" => (format!("api/alertmanager/{}", one.uid), Vec::new()),
            _ if by_query => (String::new(), vec![("grafana_data_source", one.uid.to_string())]),
            _ => (format!("api/datasources/proxy/uid/{}", one.uid), Vec::new()),
        };
        Some(DiscoveredSource { title: one.name.to_string(), kind, path, options })
    };
    found.iter().filter_map(of).collect()
}

/// Adds the sources to the file.
fn write(file: &Path, from: &SourceId, found: &[DataSource], without_proxy: bool) -> Result<String, String> {
    let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}; nothing was written", file.display());
    let text = fs::read_to_string(file).map_err(|error| wrong(&error))?;
    let found = sources_of(found, without_proxy);
    let ExtendedConfig { text, added, present, notes } =
        extended(&text, from.as_str(), &found).map_err(|why| wrong(&why))?;
    let mut said = String::new();
    if added.is_empty() {
        said.push_str("Nothing to add.\n");
    } else {
        replace(file, &text).map_err(|error| wrong(&error))?;
        said =
            format!("{}: {} added: {}\n", file.display(), counted(added.len(), "source"), added.join(", "));
        said.push_str(
            "A context with a list of sources does not have the new ones until they are listed there.\n",
        );
    }
    if !present.is_empty() {
        let _infallible = writeln!(said, "In the file already: {}", present.join(", "));
    }
    for note in notes {
        let _infallible = writeln!(said, "Note: {note}");
    }
    Ok(said)
}

/// Replaces a file in one step, with its permissions.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    // the file behind a link is replaced, not the link
    let file = fs::canonicalize(file)?;
    let new = file.with_extension("toml.new");
    fs::write(&new, text)?;
    fs::set_permissions(&new, fs::metadata(&file)?.permissions())?;
    fs::rename(&new, &file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data_source(name: &str, kind: &str, may_query: Option<bool>) -> DataSource {
        DataSource {
            uid: format!("uid-{name}").into(),
            name: name.into(),
            kind: kind.into(),
            is_default: false,
            may_query,
            interval: None,
        }
    }

    #[test]
    fn a_source_is_added_for_each_data_source_that_may_be_queried_and_that_burnwatch_can_use() {
        let found = [
            data_source("p", "prometheus", Some(true)),
            data_source("no", "prometheus", Some(false)),
            data_source("l", "loki", None),
            data_source("a", "alertmanager", Some(true)),
            data_source("c", "cloudwatch", Some(true)),
            data_source("x", "some-plugin", Some(true)),
        ];
        let paths = |without_proxy| -> Vec<(String, usize)> {
            sources_of(&found, without_proxy).into_iter().map(|one| (one.path, one.options.len())).collect()
        };
        let own = |path: &str, options| (path.to_owned(), options);
        assert_eq!(
            paths(false),
            [
                own("api/datasources/proxy/uid/uid-p", 0),
                own("api/datasources/proxy/uid/uid-l", 0),
                own("api/alertmanager/uid-a", 0)
            ]
        );
        assert_eq!(paths(true)[0], own("", 1));
    }

    #[test]
    fn the_file_is_extended_in_place_and_keeps_its_comments() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        let text = "# kept\n[sources.grafana]\nkind = \"grafana\"\nurl = \"http://g\"\nauth.bearer = { env = \"T\" }\n";
        fs::write(&file, text).unwrap();
        let found = [data_source("Main", "prometheus", Some(true))];
        let said = write(&file, &SourceId::new("grafana"), &found, false).unwrap();
        assert!(said.contains("1 source added: main"), "{said}");
        let written = fs::read_to_string(&file).unwrap();
        assert!(written.starts_with(text) && written.contains("[sources.main]"), "{written}");
        let again = write(&file, &SourceId::new("grafana"), &found, false).unwrap();
        assert!(again.starts_with("Nothing to add.\nIn the file already: Main"), "{again}");
        let why = write(&file, &SourceId::new("other"), &found, false).unwrap_err();
        assert!(why.ends_with("the file has no [sources.other]; nothing was written"), "{why}");
        assert_eq!(fs::read_to_string(&file).unwrap(), written);
    }
}
