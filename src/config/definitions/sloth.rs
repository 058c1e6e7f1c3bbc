//! Sloth's definitions, `version: prometheus/v1` and the Kubernetes form of the same, and its `AlertWindows`.

use std::time::Duration;

use crate::model::duration;
use crate::model::labels::{Labels, Text};
use crate::model::slo::{
    Alerting, Budgeting, Family, Form, Notice, Pair, Recorded, Severity, Side, Sli, Slo, Template, Window,
    sloth, standard,
};

use super::table::{Table, Value};
use super::terms::{lookbacks, merged};

/// How one of the two forms spells its keys.
struct Spelling {
    error_query: &'static str,
    total_query: &'static str,
    error_ratio_query: &'static str,
    page_alert: &'static str,
    ticket_alert: &'static str,
    plugins: &'static str,
}

const SNAKE: Spelling = Spelling {
    error_query: "error_query",
    total_query: "total_query",
    error_ratio_query: "error_ratio_query",
    page_alert: "page_alert",
    ticket_alert: "ticket_alert",
    plugins: "slo_plugins",
};

const CAMEL: Spelling = Spelling {
    error_query: "errorQuery",
    total_query: "totalQuery",
    error_ratio_query: "errorRatioQuery",
    page_alert: "pageAlert",
    ticket_alert: "ticketAlert",
    plugins: "sloPlugins",
};

/// The period of Sloth's SLOs and its pairs: neither stands beside the SLOs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Period {
    pub(super) window: Duration,
    pub(super) pairs: Vec<Pair>,
}

impl Period {
    /// The pairs that Sloth brings for a period, else those of the SRE Workbook.
    pub(super) fn of(window: Duration) -> Self {
        Self { window, pairs: sloth(window).map_or_else(|| standard(window), Vec::from) }
    }
}

pub(super) fn windows(document: &Value<'_>) -> Option<Period> {
    let root = document.table()?;
    root.pass_over(&["apiVersion", "kind", "metadata"]);
    let spec = root.need("spec")?.table()?;
    let window = spec.need_as("sloPeriod", Value::duration);
    let mut pairs = Vec::new();
    for (key, severity) in [("page", Severity::Page), ("ticket", Severity::Ticket)] {
        let Some(both) = spec.need_as(key, Value::table) else { continue };
        for speed in ["quick", "slow"] {
            let Some(table) = both.need_as(speed, Value::table) else { continue };
            let share = table.need_as("errorBudgetPercent", share);
            let short = table.need_as("shortWindow", Value::duration);
            let long = table.need_as("longWindow", Value::duration);
            if let (Some(share), Some(short), Some(long), Some(window)) = (share, short, long, window) {
                if short >= long {
                    table.value().warn("the short window is not shorter than the long one");
                }
                pairs.push(Pair::by_share(severity, share, long, short, window));
            }
            table.finish();
        }
        both.finish();
    }
    spec.finish();
    root.finish();
    window.filter(|_| pairs.len() == 4).map(|window| Period { window, pairs })
}

/// A percent of the budget, as a ratio.
fn share(value: &Value<'_>) -> Option<f64> {
    let percent = value.amount()?;
    if percent <= 0.0 || percent > 100.0 {
        value.error("must be above 0 and at most 100");
        return None;
    }
    Some(percent / 100.0)
}

pub(super) fn read(document: &Value<'_>, is_kubernetes: bool, period: &Period, slos: &mut Vec<Slo>) {
    let Some(root) = document.table() else { return };
    if is_kubernetes {
        root.pass_over(&["apiVersion", "kind", "metadata", "status"]);
        if let Some(spec) = root.need("spec").and_then(|spec| spec.table()) {
            service(spec, &CAMEL, period, slos);
        }
        root.finish();
    } else {
        root.pass_over(&["version"]);
        service(root, &SNAKE, period, slos);
    }
}

fn service(root: Table<'_>, spelling: &Spelling, period: &Period, slos: &mut Vec<Slo>) {
    let findings = root.value().origin().findings;
    let before = findings.errors();
    let service = root.need_as("service", Value::word);
    let labels = root.labels("labels");
    let is_sound = findings.errors() == before;
    let plugins = root.get_as(spelling.plugins, chain).unwrap_or_default();
    let entries = root.need("slos").map(|value| value.list()).unwrap_or_default();
    root.finish();
    // what all share is wrong for all; each is read still, so that everything wrong is told at once
    let shared = Shared { service, labels, plugins: plugins.ids };
    let read: Vec<_> = entries.iter().filter_map(|slo| one(slo, &shared, spelling, period)).collect();
    if is_sound {
        slos.extend(read);
    }
}

/// What all SLOs of a document share.
struct Shared {
    service: Option<Text>,
    labels: Labels,
    plugins: Vec<Text>,
}

/// Plug-ins that change the rules which Sloth makes.
#[derive(Default)]
struct Chain {
    ids: Vec<Text>,
    /// Whether those that were named further out do not count.
    is_alone: bool,
}

/// Reads a chain of plug-ins; each is told, for running them is Sloth's.
fn chain(value: &Value<'_>) -> Option<Chain> {
    let table = value.table()?;
    let overrides = ["overridePrevious", "override_previous"].map(|key| table.get(key));
    let entries = table.list("chain");
    table.finish();
    let is_alone = overrides.iter().flatten().any(|value| value.is_true() == Some(true));
    if let (true, Some(value)) = (is_alone, overrides.iter().flatten().next()) {
        value.warn(
            "leaves out the plug-ins that Sloth takes otherwise, which is Sloth's to do: the rules written here are \
             Sloth's usual ones",
        );
    }
    let id = |entry: &Value<'_>| {
        let table = entry.table()?;
        let id = table.need_as("id", Value::word);
        table.pass_over(&["config", "priority"]);
        table.finish();
        let id = id?;
        entry.warn(&format!(
            "the plug-in {:?} changes the rules that Sloth makes, which is Sloth's to do: rules written here are without \
             it, and so is what is asked where nothing is recorded; recorded series are read as Sloth recorded them",
            &*id
        ));
        Some(id)
    };
    Some(Chain { ids: entries.iter().filter_map(id).collect(), is_alone })
}

fn one(value: &Value<'_>, shared: &Shared, spelling: &Spelling, period: &Period) -> Option<Slo> {
    let before = value.origin().findings.errors();
    let table = value.table()?;
    let name = table.need_as("name", Value::word);
    let objective = table.need_as("objective", Value::likely_percent);
    let description = table.get_as("description", Value::sentence);
    let own = table.labels("labels");
    let sli = table.need("sli").and_then(|value| indicator(&value, spelling));
    let alerting = table
        .get("alerting")
        .map_or_else(Alerting::all, |value| alerting(&value, spelling).unwrap_or_default());
    let its = ["plugins", spelling.plugins].map(|key| table.get_as(key, chain));
    // `interval` is for the rules that Sloth writes
    table.pass_over(&["interval"]);
    table.finish();
    if value.origin().findings.errors() > before {
        return None;
    }
    let (name, service, labels) = (name?, shared.service.clone()?, merged(&shared.labels, &own));
    let is_alone = its.iter().flatten().any(|chain| chain.is_alone);
    let outer = shared.plugins.iter().filter(|_| !is_alone);
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
        budgeting: Budgeting::Occurrences,
        sli,
        grouping: Vec::new(),
        pairs: period.pairs.clone(),
        alerting,
        recorded: Some(Recorded {
            family: Family::Sloth,
            id,
            labels,
            metric: Text::default(),
            lookbacks: lookbacks(&period.pairs),
            plugins,
        }),
        origin: value.as_origin(Form::Sloth),
    })
}

/// The queries; none if a plug-in knows them, or if they are wrong, which is said.
fn indicator(value: &Value<'_>, spelling: &Spelling) -> Option<Sli> {
    let table = value.table()?;
    let (events, raw, plugin) = (table.get("events"), table.get("raw"), table.get("plugin"));
    table.finish();
    match (events, raw, plugin) {
        (Some(events), None, None) => {
            let table = events.table()?;
            let part = table.need_as(spelling.error_query, windowed);
            let total = table.need_as(spelling.total_query, windowed);
            table.finish();
            Some(Sli::Events { side: Side::Bad, part: part?, total: total? })
        }
        (None, Some(raw), None) => {
            let table = raw.table()?;
            let error = table.need_as(spelling.error_ratio_query, windowed);
            table.finish();
            Some(Sli::Ratio { error: error? })
        }
        (None, None, Some(plugin)) => {
            let table = plugin.table()?;
            let id = table.need_as("id", Value::label)?;
            table.pass_over(&["options"]);
            table.finish();
            plugin.warn(&format!(
                "the plug-in {id:?} is Sloth's to run: only the series that Sloth records are read"
            ));
            None
        }
        (None, None, None) => {
            value.error("has none of `events`, `raw` and `plugin`");
            None
        }
        _ => {
            value.error("has more than one of `events`, `raw` and `plugin`; keep one");
            None
        }
    }
}

/// A query that must say where the lookback goes.
fn windowed(value: &Value<'_>) -> Option<Template> {
    let query = value.query()?;
    if !query.has_window() {
        let example = duration::text(Duration::from_secs(300));
        value.warn(&format!(
            "has no {{{{.window}}}} where the lookback goes, as in [{{{{.window}}}}] instead of [{example}]: it is averaged minute by minute"
        ));
    }
    Some(query)
}

fn alerting(value: &Value<'_>, spelling: &Spelling) -> Option<Alerting> {
    let table = value.table()?;
    let alerting = Alerting {
        name: table.get_as("name", Value::word),
        labels: table.labels("labels"),
        annotations: table.labels("annotations"),
        page: table.get_or(spelling.page_alert, Notice::default(), notice),
        ticket: table.get_or(spelling.ticket_alert, Notice::default(), notice),
        ..Alerting::default()
    };
    table.finish();
    Some(alerting)
}

fn notice(value: &Value<'_>) -> Option<Notice> {
    let table = value.table()?;
    let is_off = table.get_as("disable", Value::is_true) == Some(true);
    let notice = table.notice();
    table.finish();
    (!is_off).then_some(notice)
}
