//! Measurements of a usage, and their median.

/// A measurement: its time in days from the evaluation, at most 0, and the usage.
pub(super) type UsagePoint = (f64, f64);

/// The median; 0 without values.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    let (count, middle) = (values.len(), values.len() / 2);
    if count == 0 {
        return 0.0;
    }
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if count % 2 == 1 {
        return upper;
    }
    let lower = below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper);
    f64::midpoint(lower, upper)
}
