//! Heat maps: the frames' own buckets, or buckets that are computed of all values.

use super::bars::round_size;
use super::fields::{self, ShownField};
use super::{HeatPicture, PanelInput, PanelPicture};
use crate::model::labels::Text;

/// Buckets that are computed.
const COMPUTED: f64 = 16.0;

pub(super) fn picture(input: &PanelInput<'_>, calculates: bool) -> Option<PanelPicture> {
    let all = fields::fields(input);
    let grids: Vec<Option<Vec<Option<usize>>>> = input
        .frames
        .iter()
        .map(|frame| fields::times(frame).map(|times| fields::rows_on_grid(times, input.window)))
        .collect();
    let series: Vec<(&ShownField<'_>, Vec<f64>)> = all
        .iter()
        .filter(|field| field.is_number() && field.is_in_picture())
        .filter_map(|field| {
            let rows = grids.get(field.frame)?.as_ref()?;
            Some((field, fields::on_grid(&field.field.values, rows)))
        })
        .collect();
    let (labels, buckets) = if calculates { computed(&series)? } else { own(series) };
    let highest = buckets.iter().flatten().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
    (!buckets.is_empty()).then_some(PanelPicture::Heat(HeatPicture {
        span: input.window,
        labels,
        buckets,
        highest,
    }))
}

/// Each series is a bucket. Those with bounds are sorted by them.
fn own(mut series: Vec<(&ShownField<'_>, Vec<f64>)>) -> (Vec<String>, Vec<Vec<f64>>) {
    let bound = |field: &ShownField<'_>| {
        let named = field.field.labels.get("le").map_or(field.name.as_str(), Text::as_ref);
        named.trim().replace("+Inf", "inf").parse::<f64>().ok()
    };
    if series.iter().all(|(field, _)| bound(field).is_some()) {
        series.sort_by(|(a, _), (b, _)| bound(a).unwrap_or(0.0).total_cmp(&bound(b).unwrap_or(0.0)));
    }
    series.into_iter().map(|(field, values)| (field.name.clone(), values)).unzip()
}

/// Buckets of equal size over all values; a cell is the number of values in it.
fn computed(series: &[(&ShownField<'_>, Vec<f64>)]) -> Option<(Vec<String>, Vec<Vec<f64>>)> {
    let (first, _) = series.first()?;
    let finite =
        || series.iter().flat_map(|(_, values)| values.iter().copied()).filter(|value| value.is_finite());
    let (low, high) = (finite().reduce(f64::min)?, finite().reduce(f64::max)?);
    let size = round_size((high - low) / COMPUTED);
    let start = (low / size).floor();
    let index = |value: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most a few dozen buckets"
        )]
        let index = ((value / size).floor() - start).clamp(0.0, 100.0) as usize;
        index
    };
    let points = series.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let mut buckets = vec![vec![f64::NAN; points]; index(high) + 1];
    for (_, values) in series {
        for (point, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            for (at, bucket) in buckets.iter_mut().enumerate() {
                if let Some(cell) = bucket.get_mut(point) {
                    // a column with values has zeros in its other buckets
                    *cell = cell.max(0.0) + if at == index(*value) { 1.0 } else { 0.0 };
                }
            }
        }
    }
    let label = |at: usize| first.display.number((start + at as f64) * size).whole();
    Some(((0..buckets.len()).map(label).collect(), buckets))
}
