//! The smallest unit of a request: one query, and how it can be joined with others.

use std::sync::OnceLock;
use std::time::Duration;

use promql_parser::parser::Expr;
use promql_parser::parser::value::ValueType;

use crate::model::duration;
use crate::model::labels::Text;
use crate::model::promql::{self, bare, is_plain_name};
use crate::model::slo::Family;

/// How often a query is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum RefreshPace {
    Each,
    /// Every ten minutes, because the query is expensive and its value changes slowly.
    Rarely,
}

impl RefreshPace {
    /// Each round up to six hours, rarely for longer lookbacks.
    pub(super) fn of(lookback: Duration) -> Self {
        if lookback <= Duration::from_secs(6 * 3600) { Self::Each } else { Self::Rarely }
    }
}

/// A range of the past that is checked every `step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PastRange {
    pub(super) within: Duration,
    pub(super) step: Duration,
    /// How long ago the range ended.
    pub(super) before: Duration,
}

/// What is asked about a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum QueryWrap {
    Value,
    /// At how many of the checked times the query had a value.
    Count(PastRange),
    /// The maximum of the query over the range.
    Most(PastRange),
}

impl QueryWrap {
    /// The complete query.
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
        // the line break ends a comment in the query
        format!("{function}(({query}\n)[{within}:{step}]{offset})")
    }
}

/// How a query can be joined with others.
#[derive(Debug)]
pub(super) enum Joining {
    /// Not at all: the query cannot be parsed, or already covers many SLOs.
    Alone,
    /// With a tag on its series.
    Tagged,
    /// Also as one of several values of a label.
    Merged(SumRateShape),
}

/// A query of the form `sum(rate(metric{matchers}[range]))`.
#[derive(Debug)]
pub(super) struct SumRateShape {
    pub(super) function: String,
    pub(super) metric: String,
    /// Name, operator and value.
    pub(super) matchers: Vec<(String, String, String)>,
    pub(super) range: Duration,
}

#[derive(Debug)]
pub(super) struct Subquery {
    /// Identifies the query from round to round.
    pub(super) key: Text,
    /// The query without its wrap.
    pub(super) query: String,
    pub(super) wrap: QueryWrap,
    pub(super) pace: RefreshPace,
    /// The time range of the query, which determines its cost.
    pub(super) lookback: Duration,
    /// The rule family whose recorded series are queried, for all SLOs of that family at once.
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

    /// Sets the key, for a query whose text changes from round to round.
    pub(super) fn with_key(self, key: &str) -> Self {
        Self { key: key.into(), ..self }
    }

    /// A query for all SLOs of a family.
    pub(super) fn of_family(family: Family, query: String, pace: RefreshPace) -> Self {
        let joining = OnceLock::from(Joining::Alone);
        let (key, wrap, lookback) = (query.as_str().into(), QueryWrap::Value, Duration::ZERO);
        Self { key, query, wrap, pace, lookback, family: Some(family), joining }
    }

    /// A check for data by one SLO's query, or by a query for all SLOs of a family.
    pub(super) fn check(family: Option<Family>, query: &str, wrap: QueryWrap, window: Duration) -> Self {
        match family {
            Some(family) => Self::of_family(family, wrap.apply(query), RefreshPace::Rarely),
            None => Self::of_slo(query.to_owned(), wrap, window),
        }
    }

    /// The complete query with its wrap.
    pub(super) fn text(&self) -> String {
        self.wrap.apply(&self.query)
    }

    /// How this query can be joined; computed once.
    pub(super) fn joining(&self) -> &Joining {
        self.joining.get_or_init(|| joining(&self.query))
    }
}

/// A query that our parser does not understand is sent unchanged and alone, because the server may support another dialect.
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

    /// The shape of an expression; `None` if it has another form.
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
            (matcher.name.clone(), matcher.op.to_string(), matcher.value.clone())
        };
        let mut matchers: Vec<_> = selector.matchers.matchers.iter().map(matcher).collect();
        matchers.retain(|(name, ..)| name != "__name__");
        matchers.sort();
        Some(Self { function: call.func.name.to_owned(), metric, matchers, range: matrix.range })
    }

    /// The labels with a fixed value.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let equal = self.matchers.iter().filter(|(_, sign, value)| sign == "=" && !value.is_empty());
        equal.map(|(name, _, value)| (name.as_str(), value.as_str())).filter(|(name, _)| is_plain_name(name))
    }

    /// The parts of the query apart from one label's value.
    pub(super) fn beside(&self, label: &str) -> Beside<'_> {
        let matchers = self.matchers.iter().filter(|(name, sign, _)| name != label || sign != "=");
        (&self.function, &self.metric, matchers.collect(), self.range)
    }

    /// The query for several values of a label, one series for each value.
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
