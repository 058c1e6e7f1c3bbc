//! The functions of PromQL with the types of their arguments and results, including experimental ones.
//!
//! Source: `promql/parser/functions.go` of Prometheus 2.42 to 3.8.

use ValueKind::{Matrix, Scalar, Text, Vector};

use crate::model::words::words;

words! {
    /// The kind of what an expression gives.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) enum ValueKind: word {
        Scalar = "a scalar",
        Vector = "an instant vector",
        Matrix = "a range vector",
        Text = "a string",
        /// A function that is not known gives it.
        Any = "anything",
    }
}

impl ValueKind {
    pub(super) fn is(self, wanted: Self) -> bool {
        self == wanted || self == Self::Any || wanted == Self::Any
    }

    /// Whether operators take it: a scalar or an instant vector.
    pub(super) fn is_operand(self) -> bool {
        self.is(Self::Scalar) || self.is(Self::Vector)
    }
}

/// The signature of a function.
#[derive(Debug, Clone, Copy)]
pub(super) struct PromqlFunction {
    pub(super) argument_types: &'static [ValueKind],
    /// How many of the last arguments are optional; `None`: the last one may occur any number of times, or not at all.
    pub(super) optional_arguments: Option<usize>,
    pub(super) result_type: ValueKind,
}

impl PromqlFunction {
    /// Whether the argument at this place, from 0, is a range vector.
    pub(super) fn takes_range(&self, place: usize) -> bool {
        self.argument_types.get(place) == Some(&Matrix)
    }
}

/// The names of all functions, for completion; aliases and functions for other query languages are left out.
pub(super) fn all_functions() -> impl Iterator<Item = &'static str> {
    "abs absent absent_over_time acos acosh asin asinh atan atanh avg_over_time ceil changes clamp clamp_max clamp_min cos cosh \
     count_over_time day_of_month day_of_week day_of_year days_in_month deg delta deriv double_exponential_smoothing exp \
     first_over_time floor histogram_avg histogram_count histogram_fraction histogram_quantile histogram_stddev histogram_stdvar \
     histogram_sum hour idelta increase info irate label_join label_replace last_over_time ln log10 log2 mad_over_time \
     max_over_time min_over_time minute month pi predict_linear present_over_time quantile_over_time rad rate resets round scalar \
     sgn sin sinh sort sort_by_label sort_by_label_desc sort_desc sqrt stddev_over_time stdvar_over_time sum_over_time tan tanh \
     time timestamp vector year"
        .split_ascii_whitespace()
}

/// The function with its arguments: `round(instant vector, [scalar]) -> instant vector`.
pub(super) fn signature(name: &str, function: PromqlFunction) -> String {
    let bare = |kind: &ValueKind| {
        let word = kind.word();
        word.trim_start_matches("an ").trim_start_matches("a ").to_owned()
    };
    let mut arguments: Vec<String> = function.argument_types.iter().map(bare).collect();
    match function.optional_arguments {
        Some(optional) => {
            let required = arguments.len() - optional;
            for argument in arguments.iter_mut().skip(required) {
                *argument = format!("[{argument}]");
            }
        }
        None => {
            if let Some(last) = arguments.last_mut() {
                last.push_str("...");
            }
        }
    }
    format!("{name}({}) -> {}", arguments.join(", "), bare(&function.result_type))
}

/// The function with this name, if it is known.
pub(super) fn function(name: &str) -> Option<PromqlFunction> {
    let (argument_types, optional_arguments, result_type): (&[ValueKind], _, _) = match name {
        "absent_over_time"
        | "avg_over_time"
        | "changes"
        | "count_over_time"
        | "delta"
        | "deriv"
        | "first_over_time"
        | "idelta"
        | "increase"
        | "irate"
        | "last_over_time"
        | "mad_over_time"
        | "max_over_time"
        | "min_over_time"
        | "present_over_time"
        | "rate"
        | "resets"
        | "stddev_over_time"
        | "stdvar_over_time"
        | "sum_over_time"
        | "ts_of_first_over_time"
        | "ts_of_last_over_time"
        | "ts_of_max_over_time"
        | "ts_of_min_over_time" => (&[Matrix], Some(0), Vector),
        "abs" | "absent" | "acos" | "acosh" | "asin" | "asinh" | "atan" | "atanh" | "ceil" | "cos"
        | "cosh" | "deg" | "exp" | "floor" | "histogram_avg" | "histogram_count" | "histogram_stddev"
        | "histogram_stdvar" | "histogram_sum" | "ln" | "log10" | "log2" | "rad" | "sgn" | "sin" | "sinh"
        | "sort" | "sort_desc" | "sqrt" | "tan" | "tanh" | "timestamp" => (&[Vector], Some(0), Vector),
        "day_of_month" | "day_of_week" | "day_of_year" | "days_in_month" | "hour" | "minute" | "month"
        | "year" => (&[Vector], Some(1), Vector),
        "end" | "pi" | "range" | "start" | "step" | "time" => (&[], Some(0), Scalar),
        "clamp" => (&[Vector, Scalar, Scalar], Some(0), Vector),
        "clamp_max" | "clamp_min" => (&[Vector, Scalar], Some(0), Vector),
        "double_exponential_smoothing" | "holt_winters" => (&[Matrix, Scalar, Scalar], Some(0), Vector),
        "histogram_fraction" => (&[Scalar, Scalar, Vector], Some(0), Vector),
        "histogram_quantile" => (&[Scalar, Vector], Some(0), Vector),
        "histogram_quantiles" => (&[Vector, Text, Scalar, Scalar], None, Vector),
        "info" => (&[Vector, Vector], Some(1), Vector),
        "integral" => (&[Matrix, Scalar], Some(1), Vector),
        "label_join" => (&[Vector, Text, Text, Text], None, Vector),
        "label_replace" => (&[Vector, Text, Text, Text, Text], Some(0), Vector),
        "predict_linear" => (&[Matrix, Scalar], Some(0), Vector),
        "quantile_over_time" => (&[Scalar, Matrix], Some(0), Vector),
        "round" => (&[Vector, Scalar], Some(1), Vector),
        "scalar" => (&[Vector], Some(0), Scalar),
        "sort_by_label" | "sort_by_label_desc" => (&[Vector, Text], None, Vector),
        "vector" => (&[Scalar], Some(0), Vector),
        _ => return None,
    };
    Some(PromqlFunction { argument_types, optional_arguments, result_type })
}
