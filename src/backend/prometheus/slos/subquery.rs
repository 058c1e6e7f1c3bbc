//! The smallest things that are asked for: one query each, with what is known of joining it with others.

use std::sync::OnceLock;
use std::time::Duration;

use promql_parser::label::MatchOp;
use promql_parser::parser::Expr;
use promql_parser::parser::value::ValueType;

use crate::model::duration;
use crate::model::labels::Text;
use crate::model::promql::{self, bare, is_plain_name};
use crate::model::slo::Family;

/// How often it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum RefreshPace {
    Each,
    /// Every ten minutes, for it is costly and changes slowly.
    Rarely,
}

impl RefreshPace {
    /// Up to six hours each round, 1d and longer rarely.
    pub(super) fn of(lookback: Duration) -> Self {
        if lookback <= Duration::from_secs(6 * 3600) { Self::Each } else { Self::Rarely }
    }
}

/// A stretch of the past that is looked at every `step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PastRange {
    pub(super) within: Duration,
    pub(super) step: Duration,
    /// How long ago it ended.
    pub(super) before: Duration,
}

/// What is asked of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum QueryWrap {
    Value,
    /// At how many of the moments that are looked at it had one.
    Count(PastRange),
    /// The greatest value that it had.
    Most(PastRange),
}

impl QueryWrap {
    pub(super) fn apply(self, query: &str) -> String {
        let (function, past_range) = match self {
            Self::Value => return query.to_owned(),
            Self::Count(past_range) => ("count_over_time", past_range),
            Self::Most(past_range) => ("max_over_time", past_range),
        };
        let (within, step) = (duration::text(past_range.within), duration::text(past_range.step));
        let offset = if past_range.before.is_zero() {
            String::new()
        } else {
            format!(" offset {}", duration::text(past_range.before))
        };
        // the line break ends a comment
        format!("{function}(({query}\n)[{within}:{step}]{offset})")
    }
}

/// How a query goes together with others.
#[derive(Debug)]
pub(super) enum Joining {
    /// Not at all: what it says is not known, or it speaks of many SLOs already.
    Alone,
    /// With a tag on its series.
    Tagged,
    /// As one of many values of a label, too.
    Merged(SumRateShape),
}

/// `sum(rate(metric{matchers}[range]))`
#[derive(Debug)]
pub(super) struct SumRateShape {
    pub(super) function: String,
    pub(super) metric: String,
    /// Name, sign and value.
    pub(super) matchers: Vec<(String, String, String)>,
    pub(super) range: Duration,
}

#[derive(Debug)]
pub(super) struct Subquery {
    /// Recognises it from round to round.
    pub(super) key: Text,
    /// What is asked at heart.
    pub(super) query: String,
    pub(super) wrap: QueryWrap,
    pub(super) pace: RefreshPace,
    /// Over how long it looks: how heavy it is.
    pub(super) lookback: Duration,
    /// Whose recorded series it asks for, for all their SLOs at once.
    pub(super) family: Option<Family>,
    joining: OnceLock<Joining>,
}

impl Subquery {
    /// A query of one SLO over a lookback.
    pub(super) fn of_slo(query: String, wrap: QueryWrap, lookback: Duration) -> Self {
        let key = wrap.apply(&query).into();
        let pace = if wrap == QueryWrap::Value { RefreshPace::of(lookback) } else { RefreshPace::Rarely };
        Self { key, query, wrap, pace, lookback, family: None, joining: OnceLock::new() }
    }

    /// The same query as far as the next round is concerned, though its text may be another.
    pub(super) fn with_key(self, key: &str) -> Self {
        Self { key: key.into(), ..self }
    }

    /// A query for all SLOs of a family.
    pub(super) fn of_family(family: Family, query: String, pace: RefreshPace) -> Self {
        let joining = OnceLock::from(Joining::Alone);
        let (key, wrap, lookback) = (query.as_str().into(), QueryWrap::Value, Duration::ZERO);
        Self { key, query, wrap, pace, lookback, family: Some(family), joining }
    }

    pub(super) fn text(&self) -> String {
        self.wrap.apply(&self.query)
    }

    pub(super) fn joining(&self) -> &Joining {
        self.joining.get_or_init(|| joining(&self.query))
    }
}

/// A text that the parser does not know is asked as it stands: no server's dialect is ours to judge.
fn joining(query: &str) -> Joining {
    match promql::parse(query) {
        Ok(expr) if expr.value_type() == ValueType::Vector => {
            SumRateShape::of(&expr).map_or(Joining::Tagged, Joining::Merged)
        }
        Ok(_) | Err(_) => Joining::Alone,
    }
}

impl SumRateShape {
    const FUNCTIONS: [&'static str; 4] = ["rate", "increase", "sum_over_time", "count_over_time"];

    fn of(expr: &Expr) -> Option<Self> {
        let Expr::Aggregate(sum) = bare(expr) else { return None };
        let Expr::Call(call) = bare(&sum.expr) else { return None };
        let [argument] = &call.args.args[..] else { return None };
        let Expr::MatrixSelector(matrix) = bare(argument) else { return None };
        let selector = &matrix.vs;
        let is_plain = sum.op.to_string() == "sum"
            && sum.modifier.is_none()
            && Self::FUNCTIONS.contains(&call.func.name)
            && selector.offset.is_none()
            && selector.at.is_none()
            && selector.matchers.or_matchers.is_empty();
        let metric = selector.name.clone().filter(|_| is_plain)?;
        let matcher = |matcher: &promql_parser::label::Matcher| {
            let sign = match matcher.op {
                MatchOp::Equal => "=",
                MatchOp::NotEqual => "!=",
                MatchOp::Re(_) => "=~",
                MatchOp::NotRe(_) => "!~",
            };
            (matcher.name.clone(), sign.to_owned(), matcher.value.clone())
        };
        let mut matchers: Vec<_> = selector.matchers.matchers.iter().map(matcher).collect();
        matchers.retain(|(name, ..)| name != "__name__");
        matchers.sort();
        Some(Self { function: call.func.name.to_owned(), metric, matchers, range: matrix.range })
    }

    /// The labels of which it wants exactly one value.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let equal = self.matchers.iter().filter(|(_, sign, value)| sign == "=" && !value.is_empty());
        equal.map(|(name, _, value)| (name.as_str(), value.as_str())).filter(|(name, _)| is_plain_name(name))
    }

    /// Everything about it but the value of one label.
    pub(super) fn beside(&self, label: &str) -> Beside<'_> {
        let matchers = self.matchers.iter().filter(|(name, sign, _)| name != label || sign != "=");
        (&self.function, &self.metric, matchers.collect(), self.range)
    }

    /// For several values of a label at once, each its own series.
    pub(super) fn over<'a>(&self, label: &str, values: impl Iterator<Item = &'a str>) -> String {
        let any = values.map(promql::literal).collect::<Vec<_>>().join("|");
        let (function, metric, matchers, range) = self.beside(label);
        let others = matchers.iter().fold(String::new(), |others, (name, sign, value)| {
            others + name + sign + &promql::quoted(value) + ","
        });
        let (any, range) = (promql::quoted(&any), duration::text(range));
        format!("sum by ({label}) ({function}({metric}{{{others}{label}=~{any}}}[{range}]))")
    }
}

/// A [`SumRateShape`] without the value of one label.
pub(super) type Beside<'a> = (&'a String, &'a String, Vec<&'a (String, String, String)>, Duration);
