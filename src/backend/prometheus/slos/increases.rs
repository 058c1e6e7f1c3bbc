//! The events of a whole window, from the series that Pyrra records (`http_requests:increase4w`); for servers without Pyrra's
//! generic rules.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use promql_parser::parser::{Expr, VectorSelector};

use super::names;
use crate::backend::prometheus::call::QuestionRequests;
use crate::backend::prometheus::rules;
use crate::backend::prometheus::wire::Sample;
use crate::model::labels::{Labels, Text};
use crate::model::matcher::{Matcher, Operator};
use crate::model::promql::{self, bare};
use crate::model::slo::{EventSide, Family, MeasuredRatio, Sli, Slo, written};

/// The recorded events of one SLO.
#[derive(Debug, Clone)]
pub(super) struct Increases {
    /// The metric name before `:increase4w`.
    pub(super) metric: Text,
    /// The window as it is written in the names: `4w`.
    pub(super) window: Text,
    /// Labels that split the SLO into groups; all other labels are summed up.
    pub(super) groups: Vec<Text>,
    /// Which events are errors, if that is not given by `le`.
    pub(super) errors: Option<WindowErrors>,
}

/// Selects the failed events of a ratio.
#[derive(Debug, Clone)]
pub(super) struct WindowErrors {
    metric: String,
    matchers: Vec<Matcher>,
}

/// Labels that may contain an HTTP status code.
const CODES: [&str; 6] = ["code", "status", "status_code", "http_status_code", "response_code", "http_code"];

/// The measured events of a window.
pub(super) struct WindowEvents {
    /// The error ratio of each group.
    pub(super) groups: BTreeMap<Labels, MeasuredRatio>,
    /// A remark about the accuracy of the ratios.
    pub(super) remark: Option<&'static str>,
}

/// Which events fail, by SLO and metric, as far as recording rules tell.
pub(super) async fn errors(call: &QuestionRequests<'_>) -> HashMap<(Text, Text), WindowErrors> {
    let reported = rules::recordings(call, |reader, _, rule| {
        let Some((Family::Pyrra, metric, _)) = names::ratio(&rule.name.0) else { return None };
        let id = reader.labels(&rule.labels).get("slo")?.clone();
        Some(((id, reader.text(metric)), WindowErrors::of(&rule.query.0)?))
    });
    let mut all = HashMap::new();
    for (key, errors) in reported.await {
        all.entry(key).or_insert(errors);
    }
    all
}

impl WindowErrors {
    /// From `sum(rate(errors[5m])) / sum(rate(total[5m]))`: the matchers that only the first selector has.
    fn of(burn_rate: &str) -> Option<Self> {
        let expr = promql::parse(burn_rate).ok()?;
        let Expr::Binary(division) = bare(&expr) else { return None };
        if division.op.to_string() != "/" {
            return None;
        }
        let (failed, total) = (rated(&division.lhs)?, rated(&division.rhs)?);
        let signed = |selector: &VectorSelector| {
            let matchers = selector.matchers.matchers.iter().filter(|matcher| matcher.name != "__name__");
            matchers.map(|m| (m.name.clone(), sign(&m.op.to_string()), m.value.clone())).collect::<Vec<_>>()
        };
        let wanted = signed(total);
        let more = signed(failed).into_iter().filter(|matcher| !wanted.contains(matcher));
        let matchers = more.map(|(name, operator, value)| Matcher::new(name, operator?, value).ok());
        let name = failed.name.as_deref()?;
        let metric = name.strip_suffix("_total").unwrap_or(name).to_owned();
        Some(Self { metric, matchers: matchers.collect::<Option<_>>()? })
    }
}

impl WindowErrors {
    /// From a definition: the matchers that only the errors have.
    pub(super) fn of_definition(slo: &Slo) -> Option<Self> {
        let Some(Sli::Counters { side: EventSide::Bad, part, total }) = &slo.sli else { return None };
        let more = part.matches.iter().filter(|matched| !total.matches.contains(matched));
        let matchers = more.map(|m| Matcher::new(&*m.name, m.operator, &*m.value).ok());
        let metric = part.metric.strip_suffix("_total").unwrap_or(&part.metric).to_owned();
        Some(Self { metric, matchers: matchers.collect::<Option<_>>()? })
    }

    /// By HTTP status codes of 500 and above, if all events have a code in the same label.
    fn by_code(metric: &str, events: &[&Sample]) -> Option<Self> {
        let is_code = |value: &str| value.len() == 3 && value.bytes().all(|digit| digit.is_ascii_digit());
        let has_it =
            |label: &str| events.iter().all(|sample| sample.labels.get(label).is_some_and(|v| is_code(v)));
        let label = CODES.into_iter().find(|label| !events.is_empty() && has_it(label))?;
        let failed = Matcher::new(label, Operator::Matches, "5..").ok()?;
        Some(Self { metric: metric.to_owned(), matchers: vec![failed] })
    }
}

/// The operator with this notation.
fn sign(operator: &str) -> Option<Operator> {
    let all = [Operator::Equal, Operator::NotEqual, Operator::Matches, Operator::MatchesNot];
    all.into_iter().find(|known| known.sign() == operator)
}

/// The selector in `sum by (...) (rate(selector[5m]))`.
fn rated(expr: &Expr) -> Option<&VectorSelector> {
    let Expr::Aggregate(sum) = bare(expr) else { return None };
    let Expr::Call(call) = bare(&sum.expr) else { return None };
    match call.args.args.first().map(|argument| bare(argument)) {
        Some(Expr::MatrixSelector(matrix)) => Some(&matrix.vs),
        _ => None,
    }
}

/// One query for the recorded events of all these windows.
pub(super) fn query(windows: &BTreeSet<Text>) -> String {
    let windows = windows.iter().map(|window| promql::literal(window)).collect::<Vec<_>>().join("|");
    let pattern = promql::quoted(&format!(".+:(?:increase|sum|count)(?:{windows})"));
    format!(r#"{{__name__=~{pattern},slo!=""}}"#)
}

/// The window as it is written in the names of recorded series: `4w`.
pub(super) fn window(slo: &Slo) -> Text {
    written(slo.window.nominal()).into()
}

/// Returns the series of one SLO by name.
pub(super) type SloSeries<'a> = &'a dyn Fn(&str) -> Vec<&'a Sample>;

impl Increases {
    /// The error ratio of each group over the window.
    ///
    /// # Errors
    /// The reason why the recorded series are not enough.
    pub(super) fn measured(&self, series: SloSeries<'_>) -> Result<WindowEvents, &'static str> {
        let Self { metric, window, .. } = self;
        let known = |groups| Ok(WindowEvents { groups, remark: None });
        let counts = series(&format!("{metric}:count{window}"));
        if !counts.is_empty() {
            let sums = series(&format!("{metric}:sum{window}"));
            return known(self.ratios(EventSide::Good, sums, counts));
        }
        let events = series(&format!("{metric}:increase{window}"));
        if events.is_empty() {
            return Err(
                "no recorded series has the number of events in the window, so the error budget is unknown",
            );
        }
        if events.iter().any(|sample| sample.labels.get("le").is_some()) {
            let (fast, all) = events.into_iter().partition(|sample| sample.labels.get("le").is_some());
            return known(self.ratios(EventSide::Good, fast, all));
        }
        let by_code = || WindowErrors::by_code(metric, &events);
        let (errors, remark) = match &self.errors {
            Some(errors) => (Some(errors.clone()), None),
            None => (
                by_code(),
                Some(
                    "status codes of 500 and above count as errors; load the SLO's definition (--slo FILE) for the exact rule",
                ),
            ),
        };
        let Some(errors) = errors else {
            return Err(
                "which events are errors is unknown, so the error budget is unknown: load the SLO's definition (--slo FILE)",
            );
        };
        let failed = series(&format!("{}:increase{window}", errors.metric)).into_iter();
        let failed =
            failed.filter(|sample| errors.matchers.iter().all(|matcher| matcher.matches(&sample.labels)));
        Ok(WindowEvents { groups: self.ratios(EventSide::Bad, failed.collect(), events), remark })
    }

    /// The ratio of each group.
    fn ratios(
        &self,
        side: EventSide,
        part: Vec<&Sample>,
        total: Vec<&Sample>,
    ) -> BTreeMap<Labels, MeasuredRatio> {
        let (part, total) = (self.sums(part), self.sums(total));
        let labels = part.keys().chain(total.keys()).collect::<BTreeSet<_>>();
        let measured = |labels: &Labels| {
            MeasuredRatio::of_counts(side, part.get(labels).copied(), total.get(labels).copied(), Some(1.0))
        };
        labels.into_iter().map(|labels| (labels.clone(), measured(labels))).collect()
    }

    /// The sums of each group.
    fn sums(&self, samples: Vec<&Sample>) -> BTreeMap<Labels, f64> {
        let mut sums = BTreeMap::new();
        for sample in samples {
            let group = sample.labels.without(|label| !self.groups.iter().any(|name| **name == *label));
            *sums.entry(group).or_insert(0.0) += sample.value;
        }
        sums
    }
}
