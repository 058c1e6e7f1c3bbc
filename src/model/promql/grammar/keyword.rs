//! Words of PromQL: operators with their strength, aggregations, and what may be a label.

/// The power binds closest, `or` least.
pub(super) const POWER: u8 = 6;
pub(super) const OPERATORS: [(&str, u8); 16] = [
    ("or", 1),
    ("and", 2),
    ("unless", 2),
    ("==", 3),
    ("!=", 3),
    (">", 3),
    ("<", 3),
    (">=", 3),
    ("<=", 3),
    ("+", 4),
    ("-", 4),
    ("*", 5),
    ("/", 5),
    ("%", 5),
    ("atan2", 5),
    ("^", POWER),
];

pub(super) fn is_by(word: &str) -> bool {
    word.eq_ignore_ascii_case("by") || word.eq_ignore_ascii_case("without")
}

pub(in crate::model::promql) fn is_operator_word(lower: &str) -> bool {
    "and or unless atan2 offset by without on ignoring bool group_left group_right"
        .split(' ')
        .any(|word| word == lower)
}

/// Those that are in lower case.
pub(in crate::model::promql) fn is_aggregation(lower: &str) -> bool {
    "sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio"
        .split(' ')
        .any(|word| word == lower)
}

/// Most keywords may be labels, too.
pub(super) fn is_grouping_label(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    !word.contains(':') && !["inf", "nan", "without"].contains(&&*lower)
}
