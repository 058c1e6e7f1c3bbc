//! The table of Grafana 6 and before: `styles` of columns as overrides, `transform` as transformations.

use serde_json::Value;

use super::super::fields::{colour, decimals, without_slashes};
use super::super::json::{at, flag, list, number, text, whole, word};
use super::super::kinds::direction;
use super::super::mappings::value_maps;
use crate::model::dashboard::field::{
    CellKind, ColourThresholds, ColumnAlign, FieldMatcher, FieldOptions, FieldOverride, Reducer,
    ThresholdStep,
};
use crate::model::dashboard::panel::{Panel, PanelKind, PanelLink};
use crate::model::dashboard::transformation::{Transformation, TransformationStep};

pub(in super::super) fn migrate(panel: &mut Panel, json: &Value) {
    let styles = list(at(json, "styles"));
    // the first style that matches counts, the last override
    for style in styles.iter().rev() {
        let Some(pattern) = text(at(style, "pattern")) else { continue };
        let options = options(style);
        if &*pattern == "/.*/" {
            let keeps = std::mem::take(&mut panel.options);
            panel.options = FieldOptions { links: keeps.links, ..options };
            continue;
        }
        let of = if pattern.len() > 2 && pattern.starts_with('/') {
            FieldMatcher::Pattern(without_slashes(&pattern))
        } else {
            FieldMatcher::Name(pattern)
        };
        panel.overrides.push(FieldOverride { of, options });
    }
    if panel.transformations.is_empty() {
        panel.transformations = steps(json, panel.queries.len())
            .into_iter()
            .map(|step| Transformation { step, only: None })
            .collect();
    }
    panel.kind = PanelKind::Table {
        sort: sort(json, styles),
        footer: Vec::new(),
        shows_header: flag(at(json, "showHeader")).unwrap_or(true),
    };
}

/// The column by its number; names are known for columns that are listed.
fn sort(
    json: &Value,
    styles: &[Value],
) -> Option<(crate::model::labels::Text, crate::model::dashboard::panel::SortDirection)> {
    let sort = at(json, "sort");
    let column = whole::<usize>(at(sort, "col"))?;
    let listed = list(at(json, "columns")).get(column).and_then(|listed| text(at(listed, "text")));
    let name = listed?;
    let styled = styles.iter().find(|style| text(at(style, "pattern")).as_ref() == Some(&name));
    let alias = styled.and_then(|style| text(at(style, "alias")));
    Some((alias.unwrap_or(name), direction(flag(at(sort, "desc")).unwrap_or(false))))
}

fn options(style: &Value) -> FieldOptions {
    let kind = word(at(style, "type"));
    let is_number = kind == "number";
    let thresholds = is_number.then(|| thresholds(style)).flatten();
    let url = text(at(style, "linkUrl")).filter(|_| flag(at(style, "link")).unwrap_or(false));
    let title = text(at(style, "linkTooltip"));
    FieldOptions {
        unit: match kind {
            "number" => text(at(style, "unit")),
            "date" => text(at(style, "dateFormat")).map(|format| format!("time:{format}").into()),
            _ => None,
        },
        decimals: is_number.then(|| decimals(at(style, "decimals"))).flatten(),
        display_name: text(at(style, "alias")),
        mappings: value_maps(style, "value"),
        is_hidden: (kind == "hidden").then_some(true),
        align: match word(at(style, "align")) {
            "left" => Some(ColumnAlign::Left),
            "center" => Some(ColumnAlign::Centre),
            "right" => Some(ColumnAlign::Right),
            _ => None,
        },
        cell: match word(at(style, "colorMode")) {
            "value" => Some(CellKind::ColouredText),
            "cell" | "row" => Some(CellKind::ColouredBackground),
            _ => None,
        },
        thresholds,
        links: url
            .map(|url| PanelLink { title: title.unwrap_or_else(|| url.clone()), url })
            .into_iter()
            .collect(),
        ..FieldOptions::default()
    }
}

/// `thresholds: ["50", "80"]` with three colours.
fn thresholds(style: &Value) -> Option<ColourThresholds> {
    let colours = list(at(style, "colors")).iter().filter_map(|named| colour(word(named)));
    let limits: Vec<f64> = list(at(style, "thresholds")).iter().filter_map(number).collect();
    if limits.is_empty() {
        return None;
    }
    let steps: Vec<ThresholdStep> = colours
        .enumerate()
        .filter_map(|(index, colour)| match index {
            0 => Some(ThresholdStep { from: None, colour }),
            above => Some(ThresholdStep { from: Some(*limits.get(above - 1)?), colour }),
        })
        .collect();
    (!steps.is_empty()).then_some(ColourThresholds { steps, is_percent: false })
}

fn steps(json: &Value, queries: usize) -> Vec<TransformationStep> {
    match word(at(json, "transform")) {
        "timeseries_to_rows" => vec![TransformationStep::Append],
        "timeseries_to_columns" => {
            vec![TransformationStep::Join { by: Some("Time".into()), is_inner: false }]
        }
        "timeseries_aggregations" => {
            let named = |column: &Value| Reducer::from_id(word(at(column, "value")));
            let reducers: Vec<Reducer> = list(at(json, "columns")).iter().filter_map(named).collect();
            let reducers = if reducers.is_empty() { vec![Reducer::Mean] } else { reducers };
            vec![TransformationStep::Reduce { reducers, in_fields: false, labels_to_fields: false }]
        }
        "table" if queries > 1 => vec![TransformationStep::Merge],
        _ => Vec::new(),
    }
}
