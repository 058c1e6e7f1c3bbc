//! Reads Sloth's definitions, `version: prometheus/v1` and the Kubernetes resource, and its `AlertWindows`.

use std::time::Duration;

use crate::model::duration;
use crate::model::labels::{Labels, Text};
use crate::model::slo::{
    AlertMetadata, BudgetingMethod, BurnCondition, BurnSeverity, EventSide, Family, Form, RecordedSeries,
    Sli, Slo, SloAlerting, Template, Window, lookbacks, sloth, standard,
};

use super::table::{DocumentTable, TableValue};

/// One of the two formats, which spell their keys differently.
#[derive(Clone, Copy)]
pub(super) enum SlothFormat {
    /// `version: prometheus/v1`, with keys in snake case.
    Plain,
    /// The Kubernetes resource, with keys in camel case.
    Kubernetes,
}

impl SlothFormat {
    fn key(self, snake: &'static str, camel: &'static str) -> &'static str {
        match self {
            Self::Plain => snake,
            Self::Kubernetes => camel,
        }
    }
}

/// The window and burn-rate conditions of all Sloth SLOs; Sloth defines neither in the SLO documents.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SlothPeriod {
    pub(super) window: Duration,
    pub(super) pairs: Vec<BurnCondition>,
}

impl SlothPeriod {
    /// The conditions that Sloth uses for a period, else those of the SRE Workbook.
    pub(super) fn of(window: Duration) -> Self {
        Self { window, pairs: sloth(window).map_or_else(|| standard(window), Vec::from) }
    }
}

/// Reads one `AlertWindows` document.
pub(super) fn windows(document: &TableValue<'_>) -> Option<SlothPeriod> {
    let root = document.table()?;
    root.ignore_keys(&["apiVersion", "kind", "metadata"]);
    let spec = root.need("spec")?.table()?;
    let window = spec.need_as("sloPeriod", TableValue::duration);
    let mut pairs = Vec::new();
    for (key, severity) in [("page", BurnSeverity::Page), ("ticket", BurnSeverity::Ticket)] {
        let Some(both) = spec.need_as(key, TableValue::table) else { continue };
        for speed in ["quick", "slow"] {
            let Some(table) = both.need_as(speed, TableValue::table) else { continue };
            let share = table.need_as("errorBudgetPercent", share);
            let short = table.need_as("shortWindow", TableValue::duration);
            let long = table.need_as("longWindow", TableValue::duration);
            if let (Some(share), Some(short), Some(long), Some(window)) = (share, short, long, window) {
                if short >= long {
                    table.value().warn("the short window is not shorter than the long one");
                }
                pairs.push(BurnCondition::by_share(severity, share, long, short, window));
            }
            table.finish();
        }
        both.finish();
    }
    spec.finish();
    root.finish();
    window.filter(|_| pairs.len() == 4).map(|window| SlothPeriod { window, pairs })
}

/// A percentage of the budget, as a ratio.
fn share(value: &TableValue<'_>) -> Option<f64> {
    Some(value.amount_up_to(100.0, "must be above 0 and at most 100")? / 100.0)
}

/// Reads the SLOs of a document.
pub(super) fn read(
    document: &TableValue<'_>,
    format: SlothFormat,
    period: &SlothPeriod,
    slos: &mut Vec<Slo>,
) {
    let Some(root) = document.table() else { return };
    match format {
        SlothFormat::Plain => {
            root.ignore_keys(&["version"]);
            service(root, format, period, slos);
        }
        SlothFormat::Kubernetes => {
            root.ignore_keys(&["apiVersion", "kind", "metadata", "status"]);
            if let Some(spec) = root.need_as("spec", TableValue::table) {
                service(spec, format, period, slos);
            }
            root.finish();
        }
    }
}

fn service(root: DocumentTable<'_>, format: SlothFormat, period: &SlothPeriod, slos: &mut Vec<Slo>) {
    let findings = root.value().origin().findings;
    let before = findings.errors();
    let service = root.need_as("service", TableValue::word);
    let labels = root.labels("labels");
    let is_sound = findings.errors() == before;
    let plugins = root.get_as(format.key("slo_plugins", "sloPlugins"), chain).unwrap_or_default();
    let entries = root.need("slos").map(|value| value.list()).unwrap_or_default();
    root.finish();
    // an error in the shared settings affects all SLOs; they are still read, to report all errors at once
    let shared = SlothDefaults { service, labels, plugins: plugins.ids };
    let read: Vec<_> = entries.iter().filter_map(|slo| one(slo, &shared, format, period)).collect();
    if is_sound {
        slos.extend(read);
    }
}

/// Settings that apply to all SLOs of a document.
struct SlothDefaults {
    service: Option<Text>,
    labels: Labels,
    plugins: Vec<Text>,
}

/// Plug-ins that change the rules that Sloth generates.
#[derive(Default)]
struct PluginChain {
    ids: Vec<Text>,
    /// Whether the chain replaces the plug-ins of the enclosing levels.
    replaces_outer: bool,
}

/// Reads a chain of plug-ins and warns about each: burnwatch does not run plug-ins.
fn chain(value: &TableValue<'_>) -> Option<PluginChain> {
    let table = value.table()?;
    let overrides = ["overridePrevious", "override_previous"].map(|key| table.get(key));
    let entries = table.list("chain");
    table.finish();
    let replaces_outer = overrides.iter().flatten().any(|value| value.is_true() == Some(true));
    if let (true, Some(value)) = (replaces_outer, overrides.iter().flatten().next()) {
        value.warn(
            "replaces the plug-ins that Sloth runs by default, and burnwatch runs no plug-ins: the rules written here are \
             Sloth's default rules",
        );
    }
    let id = |entry: &TableValue<'_>| {
        let table = entry.table()?;
        let id = table.need_as("id", TableValue::word);
        table.ignore_keys(&["config", "priority"]);
        table.finish();
        let id = id?;
        entry.warn(&format!(
            "the plug-in {:?} changes the rules that Sloth generates, and burnwatch runs no plug-ins: rules written here and \
             live queries are without it; recorded series are read as Sloth recorded them",
            &*id
        ));
        Some(id)
    };
    Some(PluginChain { ids: entries.iter().filter_map(id).collect(), replaces_outer })
}

fn one(
    value: &TableValue<'_>,
    shared: &SlothDefaults,
    format: SlothFormat,
    period: &SlothPeriod,
) -> Option<Slo> {
    let before = value.origin().findings.errors();
    let table = value.table()?;
    let name = table.need_as("name", TableValue::word);
    let objective = table.need_as("objective", TableValue::percent_or_warn);
    let description = table.get_as("description", TableValue::sentence);
    let own = table.labels("labels");
    let sli = table.need("sli").and_then(|value| indicator(&value, format));
    let alerting = table
        .get("alerting")
        .map_or_else(SloAlerting::all, |value| alerting(&value, format).unwrap_or_default());
    let its = ["plugins", format.key("slo_plugins", "sloPlugins")].map(|key| table.get_as(key, chain));
    // `interval` only concerns the rules that Sloth writes
    table.ignore_keys(&["interval"]);
    table.finish();
    if value.origin().findings.errors() > before {
        return None;
    }
    let (name, service, labels) = (name?, shared.service.clone()?, shared.labels.merged_with(&own));
    let replaces_outer = its.iter().flatten().any(|chain| chain.replaces_outer);
    let outer = shared.plugins.iter().filter(|_| !replaces_outer);
    let plugins = outer.chain(its.iter().flatten().flat_map(|chain| &chain.ids)).cloned().collect();
    let id: Text = format!("{service}-{name}").into();
    Some(Slo {
        id: id.clone(),
        name,
        service: Some(service),
        description: description.unwrap_or_default(),
        labels: labels.clone(),
        objective: objective?,
        window: Window::Rolling(period.window),
        budgeting: BudgetingMethod::Occurrences,
        sli,
        grouping: Vec::new(),
        pairs: period.pairs.clone(),
        alerting,
        recorded: Some(RecordedSeries {
            labels,
            lookbacks: lookbacks(&period.pairs),
            plugins,
            ..RecordedSeries::new(Family::Sloth, id)
        }),
        origin: value.as_origin(Form::Sloth),
    })
}

/// The queries of an SLI; `None` if a plug-in provides them, or if they are invalid, which is reported.
fn indicator(value: &TableValue<'_>, format: SlothFormat) -> Option<Sli> {
    let table = value.table()?;
    let (events, raw, plugin) = (table.get("events"), table.get("raw"), table.get("plugin"));
    table.finish();
    match (events, raw, plugin) {
        (Some(events), None, None) => {
            let table = events.table()?;
            let part = table.need_as(format.key("error_query", "errorQuery"), query_with_window);
            let total = table.need_as(format.key("total_query", "totalQuery"), query_with_window);
            table.finish();
            Some(Sli::Events { side: EventSide::Bad, part: part?, total: total? })
        }
        (None, Some(raw), None) => {
            let table = raw.table()?;
            let error = table.need_as(format.key("error_ratio_query", "errorRatioQuery"), query_with_window);
            table.finish();
            Some(Sli::Ratio { error: error? })
        }
        (None, None, Some(plugin)) => {
            let table = plugin.table()?;
            let id = table.need_as("id", TableValue::label)?;
            table.ignore_keys(&["options"]);
            table.finish();
            plugin.warn(&format!(
                "only Sloth can run the plug-in {id:?}: burnwatch reads the series that Sloth records"
            ));
            None
        }
        (None, None, None) => value.reject("has none of `events`, `raw` and `plugin`"),
        _ => value.reject("has more than one of `events`, `raw` and `plugin`; keep one"),
    }
}

/// A query that should contain the placeholder for the lookback.
fn query_with_window(value: &TableValue<'_>) -> Option<Template> {
    let query = value.query()?;
    if !query.has_window() {
        let example = duration::text(Duration::from_secs(300));
        value.warn(&format!(
            "has no {{{{.window}}}} in place of the lookback, as in [{{{{.window}}}}] instead of [{example}]: it is averaged minute by minute"
        ));
    }
    Some(query)
}

fn alerting(value: &TableValue<'_>, format: SlothFormat) -> Option<SloAlerting> {
    let table = value.table()?;
    let alerting = SloAlerting {
        name: table.get_as("name", TableValue::word),
        labels: table.labels("labels"),
        annotations: table.labels("annotations"),
        page: table.get_or(format.key("page_alert", "pageAlert"), AlertMetadata::default(), notice),
        ticket: table.get_or(format.key("ticket_alert", "ticketAlert"), AlertMetadata::default(), notice),
        ..SloAlerting::default()
    };
    table.finish();
    Some(alerting)
}

fn notice(value: &TableValue<'_>) -> Option<AlertMetadata> {
    let table = value.table()?;
    let is_off = table.get_as("disable", TableValue::is_true) == Some(true);
    let notice = table.notice();
    table.finish();
    (!is_off).then_some(notice)
}
