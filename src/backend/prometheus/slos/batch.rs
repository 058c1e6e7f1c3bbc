//! Joins many small queries into a few large ones.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use super::subquery::{Beside, Joining, QueryWrap, RefreshPace, Subquery};
use crate::backend::prometheus::wire::Sample;
use crate::model::labels::Text;

/// The maximum length of a joined query, in bytes; longer queries are a load on the server's parser.
const LONGEST: usize = 48 * 1024;
/// The label that distinguishes the series of joined queries.
const TAG: &str = "burnwatch_slo";

/// A request with one or several queries.
#[derive(Debug)]
pub(super) struct QueryBatch {
    pub(super) query: String,
    pub(super) subqueries: Vec<Arc<Subquery>>,
    /// The label by which the series of the answer are assigned to the queries, and the query for each of its values; `None` for
    /// a single query.
    split: Option<(String, HashMap<Text, usize>)>,
}

impl QueryBatch {
    /// A request with one query.
    pub(super) fn alone(subquery: Arc<Subquery>) -> Self {
        Self { query: subquery.text(), subqueries: vec![subquery], split: None }
    }

    /// A request for several values of a label; `None` unless the queries can be merged.
    fn merged(label: &str, members: Vec<(&str, Arc<Subquery>)>) -> Option<Self> {
        let (_, first) = members.first()?;
        let Joining::Merged(shape) = first.joining() else { return None };
        let query = first.wrap.apply(&shape.over(label, members.iter().map(|(value, _)| *value)));
        let places = members.iter().enumerate().map(|(at, (value, _))| (Text::from(*value), at)).collect();
        let subqueries = members.into_iter().map(|(_, subquery)| subquery).collect();
        Some(Self { query, subqueries, split: Some((label.to_owned(), places)) })
    }

    /// A request with several queries, joined with `or`; each series gets the number of its query as a tag.
    fn tagged(subqueries: Vec<Arc<Subquery>>) -> Self {
        // the line break ends a comment in the query
        let part = |(at, subquery): (usize, &Arc<Subquery>)| {
            format!(r#"label_replace({}{}, "{TAG}", "{at}", "", "")"#, subquery.text(), '\n')
        };
        let query = subqueries.iter().enumerate().map(part).collect::<Vec<_>>().join(" or ");
        let places = (0..subqueries.len()).map(|at| (at.to_string().into(), at)).collect();
        Self { query, subqueries, split: Some((TAG.to_owned(), places)) }
    }

    /// How often the queries are sent.
    pub(super) fn pace(&self) -> RefreshPace {
        self.subqueries.first().map_or(RefreshPace::Rarely, |subquery| subquery.pace)
    }

    /// Assigns the series of the answer to the queries.
    pub(super) fn split(&self, samples: Vec<Sample>) -> Vec<Vec<Sample>> {
        let Some((label, places)) = &self.split else { return vec![samples] };
        let mut parts: Vec<Vec<Sample>> = self.subqueries.iter().map(|_| Vec::new()).collect();
        for Sample { labels, value } in samples {
            let at = labels.get(label).and_then(|value| places.get(value));
            if let Some(part) = at.and_then(|at| parts.get_mut(*at)) {
                part.push(Sample { labels: labels.without(|name| name == label), value });
            }
        }
        parts
    }
}

/// The maximum number of label values in one query: the longer the lookback, the more samples the server loads for each
/// value, and the server limits the samples of a query.
fn most_values(subquery: &Subquery) -> usize {
    match subquery.pace {
        RefreshPace::Rarely => 50,
        RefreshPace::Each if subquery.lookback > Duration::from_secs(3600) => 250,
        RefreshPace::Each => 500,
    }
}

/// The maximum number of queries that are joined into one.
fn most_tagged(subquery: &Subquery) -> usize {
    match subquery.pace {
        RefreshPace::Rarely => 25,
        RefreshPace::Each => 100,
    }
}

/// What must be equal for queries to be merged.
#[derive(PartialEq, Eq, Hash)]
struct MergeKey<'a> {
    pace: RefreshPace,
    wrap: QueryWrap,
    label: &'a str,
    beside: Beside<'a>,
}

/// Combines the queries that are due into as few requests as possible, the frequent ones first: queries that differ in one label
/// value are merged, others are joined with `or`. `max_joined` is the maximum number of queries in the request of a query.
pub(super) fn plan(subqueries: &[Arc<Subquery>], max_joined: impl Fn(&Subquery) -> usize) -> Vec<QueryBatch> {
    let mut batches = Vec::new();
    let mut left: BTreeMap<usize, &Arc<Subquery>> = BTreeMap::new();
    for (at, subquery) in subqueries.iter().enumerate() {
        if max_joined(subquery) < 2 || matches!(subquery.joining(), Joining::Alone) {
            batches.push(QueryBatch::alone(Arc::clone(subquery)));
        } else {
            left.insert(at, subquery);
        }
    }
    batches.extend(merge(&mut left, &max_joined));
    // queries with a long lookback must not delay those with a short one
    let mut tagged: BTreeMap<Option<Duration>, Vec<&Arc<Subquery>>> = BTreeMap::new();
    for subquery in left.into_values() {
        let weight = (subquery.pace == RefreshPace::Rarely).then_some(subquery.lookback);
        tagged.entry(weight).or_default().push(subquery);
    }
    batches.extend(tagged.into_values().flat_map(|subqueries| tag(&subqueries, &max_joined)));
    batches.sort_by_key(|batch| (batch.pace(), batch.subqueries.first().map(|subquery| subquery.lookback)));
    batches
}

/// Merges queries that differ only in one label value; removes them from `left`.
fn merge(
    left: &mut BTreeMap<usize, &Arc<Subquery>>,
    max_joined: &impl Fn(&Subquery) -> usize,
) -> Vec<QueryBatch> {
    let mut by_merge_key: HashMap<MergeKey<'_>, BTreeMap<&str, usize>> = HashMap::new();
    for (at, subquery) in left.iter() {
        let Joining::Merged(shape) = subquery.joining() else { continue };
        for (label, value) in shape.labels() {
            let family =
                MergeKey { pace: subquery.pace, wrap: subquery.wrap, label, beside: shape.beside(label) };
            by_merge_key.entry(family).or_default().entry(value).or_insert(*at);
        }
    }
    let mut families: Vec<_> =
        by_merge_key.into_iter().map(|(by_merge_key, members)| (by_merge_key.label, members)).collect();
    // largest first, with a stable order
    families.sort_by_key(|(label, members)| {
        (usize::MAX - members.len(), members.values().copied().min(), *label)
    });
    let mut batches = Vec::new();
    for (label, members) in families {
        let members: Vec<_> = members.into_iter().filter(|(_, at)| left.contains_key(at)).collect();
        if members.len() < 2 {
            continue;
        }
        let room = |(_, at): &(&str, usize)| {
            left.get(at).map_or(1, |subquery| max_joined(subquery).min(most_values(subquery)))
        };
        for run in runs(&members, room, |(value, _)| value.len()) {
            let taken = run.iter().filter_map(|(value, at)| Some((*value, Arc::clone(left.remove(at)?))));
            batches.extend(QueryBatch::merged(label, taken.collect()));
        }
    }
    batches
}

/// Splits the items so that no part has more of them than `most` of one of them, or texts that are too long for one query.
fn runs<T>(items: &[T], most: impl Fn(&T) -> usize, length: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let mut runs = Vec::new();
    let mut rest = items;
    while !rest.is_empty() {
        let (mut count, mut room, mut total) = (0, usize::MAX, 0);
        for item in rest {
            (room, total) = (room.min(most(item)), total + length(item));
            if count > 0 && (count >= room || total > LONGEST) {
                break;
            }
            count += 1;
        }
        let (run, others) = rest.split_at(count);
        runs.push(run);
        rest = others;
    }
    runs
}

/// Joins queries with `or`; each series gets the number of its query as a label.
fn tag(subqueries: &[&Arc<Subquery>], max_joined: &impl Fn(&Subquery) -> usize) -> Vec<QueryBatch> {
    let room = |subquery: &&Arc<Subquery>| max_joined(subquery).min(most_tagged(subquery));
    let runs = runs(subqueries, room, |subquery| subquery.query.len());
    let batch = |run: &[&Arc<Subquery>]| match run {
        [one] => QueryBatch::alone(Arc::clone(one)),
        several => QueryBatch::tagged(several.iter().copied().cloned().collect()),
    };
    runs.into_iter().map(batch).collect()
}
