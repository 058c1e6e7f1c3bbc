//! What a panel draws, by its plug-in, with the options of the plug-in.

use serde_json::Value;

use super::fields::texts;
use super::html;
use super::json::{at, below, flag, list, number, text, whole, word};
use crate::model::dashboard::field::Reducer;
use crate::model::dashboard::panel::{
    AlertListOptions, LegendOptions, PanelKind, ReduceOptions, SortDirection, StatColour, StatText,
};
use crate::model::labels::Text;

/// The kind of a panel of a plug-in that Grafana has now, and why it differs from what Grafana draws.
pub(super) fn kind(plugin: &str, panel: &Value) -> (PanelKind, Option<Text>) {
    let options = at(panel, "options");
    let kind = match plugin {
        "timeseries" | "trend" | "candlestick" => PanelKind::TimeSeries { legend: legend(options) },
        "barchart" => PanelKind::BarChart {
            legend: legend(options),
            is_horizontal: word(at(options, "orientation")) == "horizontal",
        },
        "stat" => stat(options),
        "gauge" => PanelKind::Gauge { reduce: reduce(options) },
        "bargauge" => PanelKind::BarGauge {
            reduce: reduce(options),
            is_horizontal: word(at(options, "orientation")) != "vertical",
        },
        "piechart" => PanelKind::PieChart { reduce: reduce(options), legend: legend(options) },
        "table" => table(options),
        "heatmap" => PanelKind::Heatmap { calculates: flag(at(options, "calculate")).unwrap_or(false) },
        "histogram" => {
            PanelKind::Histogram { buckets: number(at(options, "bucketSize")).filter(|size| *size > 0.0) }
        }
        "state-timeline" => PanelKind::StateTimeline {
            legend: legend(options),
            merges_equal: flag(at(options, "mergeValues")).unwrap_or(true),
        },
        "status-history" => PanelKind::StatusHistory { legend: legend(options) },
        "text" => words(panel),
        "logs" => PanelKind::Logs {
            newest_first: word(at(options, "sortOrder")) != "Ascending",
            shows_labels: flag(at(options, "showLabels")).unwrap_or(false),
            shows_time: flag(at(options, "showTime")).unwrap_or(false),
        },
        "alertlist" => PanelKind::AlertList { options: alert_list(panel) },
        "dashlist" => PanelKind::DashboardList,
        _ => return similar(plugin, panel),
    };
    let note = match plugin {
        "candlestick" => Some("Candlesticks are drawn as lines.".into()),
        "trend" => Some("The x axis of this panel is drawn as time.".into()),
        _ => None,
    };
    (kind, note)
}

/// Plug-ins of others that draw what a plug-in of Grafana draws, too.
fn similar(plugin: &str, panel: &Value) -> (PanelKind, Option<Text>) {
    let like = match plugin {
        "grafana-piechart-panel" => "piechart",
        "natel-discrete-panel" => "state-timeline",
        "flant-statusmap-panel" => "status-history",
        "grafana-polystat-panel"
        | "vonage-status-panel"
        | "btplc-status-dot-panel"
        | "blackmirror1-singlestat-math-panel"
        | "farski-blendstat-panel"
        | "snuids-trafficlights-panel" => "stat",
        "briangann-gauge-panel" | "natel-usgs-gauge-panel" => "gauge",
        "michaeldmoore-multistat-panel" | "petrslavotinek-multistat-panel" => "bargauge",
        "yesoreyeram-boomtable-panel" | "briangann-datatable-panel" | "xychart" | "debug" => "table",
        "savantly-heatmap-panel" | "marcusolsson-hourly-heatmap-panel" => "heatmap",
        _ => {
            let reason = reason(plugin);
            return (PanelKind::Unknown { plugin: plugin.into(), reason }, None);
        }
    };
    let (kind, _) = kind(like, panel);
    (kind, Some(format!("The plug-in {plugin} is drawn as a {like} panel.").into()))
}

/// Why a plug-in cannot be drawn.
fn reason(plugin: &str) -> Text {
    let what = match plugin {
        "" => return "The panel names no plug-in.".into(),
        "geomap" | "grafana-worldmap-panel" => "Maps",
        "nodeGraph" | "jdbranham-diagram-panel" | "novatec-sdg-panel" | "agenty-flowcharting-panel" => {
            "Graphs of nodes"
        }
        "canvas" | "ae3e-html-panel" | "gapit-htmlgraphics-panel" => "Free drawings",
        "flamegraph" => "Flame graphs",
        "traces" => "Traces of a panel",
        "news" => "News feeds",
        "annolist" => "Lists of annotations",
        "live" => "Live streams",
        "welcome" | "gettingstarted" | "pluginlist" => "Panels of Grafana's start page",
        "marcusolsson-dynamictext-panel"
        | "volkovlabs-echarts-panel"
        | "volkovlabs-form-panel"
        | "volkovlabs-image-panel" => "Panels that run their own program",
        _ => return format!("The plug-in {plugin} is not known to burnwatch.").into(),
    };
    format!("{what} cannot be drawn in a terminal.").into()
}

/// A legend; of a list of values only those that are known.
pub(super) fn legend(options: &Value) -> LegendOptions {
    let legend = at(options, "legend");
    let mode = word(at(legend, "displayMode"));
    let sort = word(at(legend, "sortBy"));
    let is_descending = flag(at(legend, "sortDesc")).unwrap_or(false);
    let values: Vec<Reducer> = reducers(at(legend, "calcs"));
    let by_title = || values.iter().copied().find(|reducer| reducer.title() == sort);
    LegendOptions {
        is_shown: flag(at(legend, "showLegend")).unwrap_or(true) && mode != "hidden",
        is_table: mode == "table",
        is_right: word(at(legend, "placement")) == "right",
        sort: by_title()
            .or_else(|| Reducer::from_id(sort))
            .map(|reducer| (reducer, direction(is_descending))),
        values,
    }
}

/// Ascending, or descending.
pub(super) fn direction(is_descending: bool) -> SortDirection {
    if is_descending { SortDirection::Descending } else { SortDirection::Ascending }
}

/// The reducers of a list of ids; those that are not known are left out.
pub(super) fn reducers(value: &Value) -> Vec<Reducer> {
    list(value).iter().filter_map(|id| Reducer::from_id(word(id))).collect()
}

/// `options.reduceOptions`, or `fieldOptions` of Grafana 6.
pub(super) fn reduce(options: &Value) -> ReduceOptions {
    let reduce = match at(options, "reduceOptions") {
        Value::Object(_) => at(options, "reduceOptions"),
        _ => at(options, "fieldOptions"),
    };
    let old = || Reducer::from_id(word(below(options, &["valueOptions", "stat"])));
    ReduceOptions {
        all_values: flag(at(reduce, "values")).unwrap_or(false),
        limit: whole(at(reduce, "limit")),
        reducer: reducers(at(reduce, "calcs")).first().copied().or_else(old).unwrap_or(Reducer::LastNotNull),
        fields: text(at(reduce, "fields")),
    }
}

fn stat(options: &Value) -> PanelKind {
    PanelKind::Stat {
        reduce: reduce(options),
        colour: match word(at(options, "colorMode")) {
            "none" => StatColour::None,
            "background" | "background_solid" => StatColour::Background,
            _ => StatColour::Value,
        },
        has_sparkline: word(at(options, "graphMode")) != "none",
        text: match word(at(options, "textMode")) {
            "value" => StatText::Value,
            "value_and_name" => StatText::ValueAndName,
            "name" => StatText::Name,
            "none" => StatText::None,
            _ => StatText::Automatic,
        },
    }
}

fn table(options: &Value) -> PanelKind {
    let footer = at(options, "footer");
    let is_shown = flag(at(footer, "show")).unwrap_or(false);
    let by = list(at(options, "sortBy")).first().unwrap_or(&Value::Null);
    let sort =
        text(at(by, "displayName")).map(|name| (name, direction(flag(at(by, "desc")).unwrap_or(false))));
    PanelKind::Table {
        sort,
        footer: if is_shown { reducers(at(footer, "reducer")) } else { Vec::new() },
        shows_header: flag(at(options, "showHeader")).unwrap_or(true),
    }
}

/// A text panel, of all versions: options are in `options`, or in the panel itself.
fn words(panel: &Value) -> PanelKind {
    let options = at(panel, "options");
    let of = if at(options, "content").is_string() { options } else { panel };
    let content = at(of, "content").as_str().unwrap_or("");
    let mode = match word(at(options, "mode")) {
        "" => word(at(panel, "mode")),
        mode => mode,
    };
    match mode {
        "html" => PanelKind::Words { content: html::to_markdown(content).into(), is_markdown: true },
        "text" | "code" => PanelKind::Words { content: content.into(), is_markdown: false },
        _ => PanelKind::Words { content: html::in_markdown(content).into(), is_markdown: true },
    }
}

fn alert_list(panel: &Value) -> AlertListOptions {
    let options = at(panel, "options");
    let of = if options.is_object() { options } else { panel };
    let states = match at(of, "stateFilter") {
        Value::Object(_) => at(of, "stateFilter"),
        _ => at(of, "alertStateFilter"),
    };
    let old = texts(at(of, "stateFilter"));
    let is = |names: &[&str], default: bool| {
        if !old.is_empty() {
            return names.iter().any(|name| old.iter().any(|old| **old == **name));
        }
        let known = names.iter().find_map(|name| flag(at(states, name)));
        known.unwrap_or(default)
    };
    let folder = at(of, "folder");
    AlertListOptions {
        name: text(at(of, "alertName")).or_else(|| text(at(of, "nameFilter"))),
        matchers: text(at(of, "alertInstanceLabelFilter")),
        folder: text(at(folder, "title")),
        of_this_dashboard: flag(at(of, "dashboardAlerts"))
            .or_else(|| flag(at(of, "onlyAlertsOnDashboard")))
            .unwrap_or(false),
        firing: is(&["firing", "alerting"], true),
        pending: is(&["pending"], true),
        no_data: is(&["noData", "no_data"], false),
        normal: is(&["normal", "ok", "inactive"], false),
        error: is(&["error", "execution_error"], true),
    }
}
