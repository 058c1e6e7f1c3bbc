//! Transformations of a panel.

use serde_json::Value;

use super::fields::{kind, matcher, texts, without_slashes};
use super::json::{at, below, flag, list, number, text, whole, word};
use super::kinds::{direction, reducers};
use crate::model::dashboard::field::Reducer;
use crate::model::dashboard::transformation::{
    Calculation, GroupUse, RowCondition, Transformation, TransformationStep,
};
use crate::model::labels::Text;

/// The steps that are on, in their order.
pub(super) fn transformations(value: &Value) -> Vec<Transformation> {
    let is_on = |step: &&Value| step.is_object() && flag(at(step, "disabled")) != Some(true);
    let is_data = |step: &&Value| word(at(step, "topic")) != "annotations";
    list(value)
        .iter()
        .filter(|step| is_on(step) && is_data(step))
        .map(|one| {
            let filter = at(one, "filter");
            let only = (!word(at(filter, "id")).is_empty()).then(|| matcher(filter));
            Transformation { step: step(word(at(one, "id")), at(one, "options")), only }
        })
        .collect()
}

fn step(id: &str, options: &Value) -> TransformationStep {
    match id {
        "organize" => organise(options),
        "reduce" => TransformationStep::Reduce {
            reducers: Some(reducers(at(options, "reducers")))
                .filter(|all| !all.is_empty())
                .unwrap_or_else(|| vec![Reducer::Max]),
            in_fields: word(at(options, "mode")) == "reduceFields",
            labels_to_fields: flag(at(options, "labelsToFields")).unwrap_or(false),
        },
        "joinByField" | "seriesToColumns" => TransformationStep::Join {
            by: text(at(options, "byField")),
            is_inner: word(at(options, "mode")) == "inner",
        },
        "merge" => TransformationStep::Merge,
        "seriesToRows" | "append" => TransformationStep::Append,
        "concatenate" => TransformationStep::Concatenate,
        "filterFieldsByName" | "filterByName" => filter_fields(options),
        "filterFields" | "filterByRefId" | "filterFrames" => filter_ids(options),
        "filterByValue" => TransformationStep::FilterRows {
            conditions: list(at(options, "filters")).iter().filter_map(condition).collect(),
            needs_all: word(at(options, "match")) == "all",
            is_exclude: word(at(options, "type")) == "exclude",
        },
        "sortBy" => {
            let by = list(at(options, "sort")).first().unwrap_or(&Value::Null);
            TransformationStep::Sort {
                field: text(at(by, "field")).unwrap_or_else(|| "".into()),
                direction: direction(flag(at(by, "desc")).unwrap_or(false)),
            }
        }
        "limit" => TransformationStep::Limit { rows: whole(at(options, "limitField")).unwrap_or(10) },
        "groupBy" => TransformationStep::Group { fields: group(at(options, "fields")) },
        "calculateField" => calculate(options),
        "labelsToFields" => TransformationStep::LabelsToFields {
            keep: texts(at(options, "keepLabels")),
            as_rows: word(at(options, "mode")) == "rows",
            value_label: text(at(options, "valueLabel")),
        },
        "timeSeriesTable" => {
            // options are by query: all of them usually have the same statistic
            let named = options
                .as_object()
                .into_iter()
                .flatten()
                .find_map(|(_, of)| Reducer::from_id(word(at(of, "stat"))));
            TransformationStep::TimeSeriesTable { reducer: named.unwrap_or(Reducer::LastNotNull) }
        }
        "renameByRegex" => TransformationStep::Rename {
            pattern: without_slashes(word(at(options, "regex"))),
            replacement: word(at(options, "renamePattern")).into(),
        },
        "convertFieldType" => TransformationStep::Convert {
            fields: list(at(options, "conversions"))
                .iter()
                .filter_map(|one| {
                    Some((text(at(one, "targetField"))?, kind(word(at(one, "destinationType")))?))
                })
                .collect(),
        },
        "formatTime" => TransformationStep::FormatTime {
            field: text(at(options, "timeField")).unwrap_or_else(|| "".into()),
            format: text(at(options, "outputFormat")).unwrap_or_else(|| "".into()),
        },
        "groupingToMatrix" => TransformationStep::Matrix {
            columns: text(at(options, "columnField")).unwrap_or_else(|| "Time".into()),
            rows: Some(text(at(options, "rowField")).unwrap_or_else(|| "Time".into())),
            values: text(at(options, "valueField")).unwrap_or_else(|| "Value".into()),
        },
        "rowsToFields" => rows_to_fields(options),
        "histogram" => TransformationStep::Histogram {
            size: number(at(options, "bucketSize")).filter(|size| *size > 0.0),
        },
        other => TransformationStep::Unknown { id: other.into() },
    }
}

fn organise(options: &Value) -> TransformationStep {
    let pairs = |key: &str| at(options, key).as_object().into_iter().flatten();
    let chosen =
        |key: &str| pairs(key).filter(|(_, is)| flag(is) == Some(true)).map(|(name, _)| name.as_str().into());
    let renames = pairs("renameByName").filter_map(|(from, to)| Some((from.as_str().into(), text(to)?)));
    let order = pairs("indexByName").filter_map(|(name, index)| Some((name.as_str().into(), whole(index)?)));
    TransformationStep::Organise {
        renames: renames.collect(),
        order: order.collect(),
        excluded: chosen("excludeByName").collect(),
        included: chosen("includeByName").collect(),
    }
}

fn filter_fields(options: &Value) -> TransformationStep {
    // `include` is what is kept; `exclude` of it is the other way round
    let (of, is_exclude) = match at(options, "include") {
        Value::Object(_) => (at(options, "include"), false),
        _ => (at(options, "exclude"), true),
    };
    let pattern = text(at(of, "pattern")).map(|pattern| without_slashes(&pattern));
    TransformationStep::FilterFields { names: texts(at(of, "names")), pattern, is_exclude }
}

fn filter_ids(options: &Value) -> TransformationStep {
    let (of, is_exclude) = match at(options, "include") {
        Value::Null => (at(options, "exclude"), true),
        include => (include, false),
    };
    let ids = match at(of, "options") {
        Value::Array(_) => texts(at(of, "options")),
        // a regular expression between `/`, or ids
        named => match text(named) {
            Some(pattern) if pattern.starts_with('/') => vec![pattern],
            Some(named) => named.split('|').map(Text::from).collect(),
            None => Vec::new(),
        },
    };
    TransformationStep::FilterRefIds { ids, is_exclude }
}

fn condition(filter: &Value) -> Option<RowCondition> {
    let config = at(filter, "config");
    let options = at(config, "options");
    let keys = ["value", "from", "to"];
    Some(RowCondition {
        field: text(at(filter, "fieldName"))?,
        op: text(at(config, "id")).unwrap_or_else(|| "equal".into()),
        operands: keys.iter().filter_map(|key| text(at(options, key))).collect(),
    })
}

fn group(fields: &Value) -> Vec<(Text, GroupUse)> {
    let used = |(name, of): (&String, &Value)| {
        let usage = match word(at(of, "operation")) {
            "groupby" => GroupUse::Key,
            "aggregate" => GroupUse::Values(reducers(at(of, "aggregations"))),
            _ => return None,
        };
        Some((name.as_str().into(), usage))
    };
    fields.as_object().into_iter().flatten().filter_map(used).collect()
}

fn calculate(options: &Value) -> TransformationStep {
    let operand = |value: &Value| match value {
        // newer versions say which field
        Value::Object(_) => text(below(value, &["matcher", "options"])).or_else(|| text(at(value, "fixed"))),
        other => text(other),
    };
    let (reduce, binary, unary) = (at(options, "reduce"), at(options, "binary"), at(options, "unary"));
    let calculation = match word(at(options, "mode")) {
        "binary" => Calculation::Binary {
            left: operand(at(binary, "left")).unwrap_or_else(|| "".into()),
            op: text(at(binary, "operator")).unwrap_or_else(|| "+".into()),
            right: operand(at(binary, "right")).unwrap_or_else(|| "".into()),
        },
        "index" => Calculation::Index,
        "unary" => Calculation::Unary {
            op: text(at(unary, "operator")).unwrap_or_else(|| "abs".into()),
            field: operand(at(unary, "fieldName")).unwrap_or_else(|| "".into()),
        },
        "" | "reduceRow" => Calculation::RowReduce {
            fields: texts(at(reduce, "include")),
            reducer: Reducer::from_id(word(at(reduce, "reducer"))).unwrap_or(Reducer::Sum),
        },
        other => return TransformationStep::Unknown { id: format!("calculateField {other}").into() },
    };
    TransformationStep::Calculate {
        calculation,
        alias: text(at(options, "alias")),
        replaces: flag(at(options, "replaceFields")).unwrap_or(false),
    }
}

fn rows_to_fields(options: &Value) -> TransformationStep {
    let field = |handler: &str| {
        let mapped = list(at(options, "mappings")).iter().find(|one| word(at(one, "handlerKey")) == handler);
        mapped.and_then(|one| text(at(one, "fieldName")))
    };
    TransformationStep::Matrix {
        columns: field("field.name").unwrap_or_else(|| "".into()),
        rows: None,
        values: field("field.value").unwrap_or_else(|| "".into()),
    }
}
