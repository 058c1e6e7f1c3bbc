//! The labels and metadata of the simulated series, as a Prometheus server reports them.

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::parser::Expr;
use serde_json::{Value, json};

use super::catalog::Catalog;
use super::promql::is_chosen;
use crate::model::labels::{Labels, Text};
use crate::model::promql::parse;

/// The label sets of all series, or of those that one of these selectors matches.
fn chosen<'a>(
    catalog: &'a Catalog,
    selectors: &[&str],
) -> Result<impl Iterator<Item = &'a Labels> + use<'a>, (u16, String)> {
    let mut parsed = Vec::new();
    for selector in selectors {
        match parse(selector) {
            Ok(Expr::VectorSelector(selector)) => parsed.push(selector),
            Ok(_) => return Err((400, format!("invalid parameter \"match[]\": {selector} is no selector"))),
            Err(error) => return Err((400, format!("invalid parameter \"match[]\": {error}"))),
        }
    }
    let is_meant = move |labels: &&Labels| {
        parsed.is_empty() || parsed.iter().any(|selector| is_chosen(labels, selector))
    };
    Ok(catalog.0.values().flatten().map(|series| &series.labels).filter(is_meant))
}

/// The names of labels.
pub(super) fn names(catalog: &Catalog, selectors: &[&str]) -> Result<Value, (u16, String)> {
    let names: BTreeSet<&Text> =
        chosen(catalog, selectors)?.flat_map(|labels| labels.iter().map(|(name, _)| name)).collect();
    Ok(names.into_iter().map(|name| &**name).collect::<Vec<_>>().into())
}

/// The values of a label.
pub(super) fn values(catalog: &Catalog, name: &str, selectors: &[&str]) -> Result<Value, (u16, String)> {
    let values: BTreeSet<&Text> = chosen(catalog, selectors)?.filter_map(|labels| labels.get(name)).collect();
    Ok(values.into_iter().map(|value| &**value).collect::<Vec<_>>().into())
}

/// The types and help texts of the metrics, from their names.
pub(super) fn metadata(catalog: &Catalog) -> Value {
    let mut all = BTreeMap::new();
    for name in catalog.0.keys().filter(|name| !name.contains(':')) {
        let base = ["_bucket", "_count", "_sum"].iter().find_map(|part| name.strip_suffix(part));
        let base = base.filter(|base| catalog.0.contains_key(&*format!("{base}_bucket")));
        let (metric, kind) = match base {
            Some(base) => (base, "histogram"),
            None if name.ends_with("_total") => (&**name, "counter"),
            None => (&**name, "gauge"),
        };
        let words = metric.trim_end_matches("_total").replace('_', " ");
        let help = format!("Simulated: {words}.");
        all.insert(metric.to_owned(), json!([{ "type": kind, "help": help, "unit": "" }]));
    }
    json!(all)
}
