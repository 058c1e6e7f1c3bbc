//! Combinations of values taken together: those that are each value of one set with each of another, and so on, are one product.

use std::collections::{BTreeSet, HashMap};

/// For each label the values that it may have; all combinations of them are meant.
pub(super) type LabelProduct<'a> = Vec<BTreeSet<&'a str>>;

/// Combinations more than these are not tried in several orders.
const MAX_COMBINATIONS: usize = 256;

/// Products that hold these combinations and no other, as few as are found. Each combination is in one of them.
///
/// What differs in one label alone is taken together, again and again, beginning with each of the labels in turn. The fewest
/// possible cannot be found in a time worth waiting for; these are always exact.
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

/// Those taken together that differ in this label alone.
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
