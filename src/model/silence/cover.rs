//! Groups combinations of label values into products: a product contains each combination of one value from each of its sets.

use std::collections::{BTreeSet, HashMap};

/// A set of values for each label; it stands for all combinations of them.
pub(super) type LabelProduct<'a> = Vec<BTreeSet<&'a str>>;

/// With more combinations than this only one order of labels is tried.
const MAX_COMBINATIONS: usize = 256;

/// Products that contain exactly these combinations, as few as are found. Each combination is in one of the products.
///
/// Repeatedly merges products that differ in one label only, starting with each label in turn. The result is always exact, but
/// finding the smallest possible number would take too long.
pub(super) fn cover<'a>(combinations: &[Vec<&'a str>]) -> Vec<LabelProduct<'a>> {
    let singles: Vec<LabelProduct<'a>> =
        combinations.iter().map(|one| one.iter().map(|value| BTreeSet::from([*value])).collect()).collect();
    let count = combinations.first().map_or(0, Vec::len);
    let values = |label: usize| -> usize {
        combinations.iter().filter_map(|one| one.get(label)).collect::<BTreeSet<_>>().len()
    };
    let mut varied: Vec<(usize, usize)> =
        (0..count).map(|label| (values(label), label)).filter(|(values, _)| *values > 1).collect();
    varied.sort_unstable_by(|a, b| b.cmp(a));
    let labels: Vec<usize> = varied.into_iter().map(|(_, label)| label).collect();
    let tried = if combinations.len() <= MAX_COMBINATIONS { labels.len() } else { 1 };
    let tries = (0..tried).map(|first| {
        let mut order = labels.clone();
        order.rotate_left(first);
        merged(singles.clone(), &order)
    });
    tries.min_by_key(Vec::len).unwrap_or(singles)
}

fn merged<'a>(mut all: Vec<LabelProduct<'a>>, order: &[usize]) -> Vec<LabelProduct<'a>> {
    loop {
        let before = all.len();
        for label in order {
            all = merged_by(all, *label);
        }
        if all.len() == before {
            return all;
        }
    }
}

/// Merges products that differ in this label only.
fn merged_by(all: Vec<LabelProduct<'_>>, label: usize) -> Vec<LabelProduct<'_>> {
    let mut places: HashMap<LabelProduct<'_>, usize> = HashMap::with_capacity(all.len());
    let mut merged: Vec<LabelProduct<'_>> = Vec::with_capacity(all.len());
    for product in all {
        let mut rest = product.clone();
        let values = rest.get_mut(label).map(std::mem::take).unwrap_or_default();
        if let Some(known) = places.get(&rest).and_then(|place| merged.get_mut(*place)?.get_mut(label)) {
            known.extend(values);
        } else {
            places.insert(rest, merged.len());
            merged.push(product);
        }
    }
    merged
}
