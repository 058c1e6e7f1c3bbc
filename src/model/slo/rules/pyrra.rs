//! Rules as Pyrra writes them: `http_requests:burnrate5m`, `http_requests:increase4w`, `pyrra_objective`, one alert per
//! condition.

use std::time::Duration;

use super::super::super::labels::{Labels, Text};
use super::super::super::matcher::Operator;
use super::super::super::promql;
use super::super::burn_condition::{BurnCondition, BurnSeverity, lookbacks};
use super::super::definition::{EventSide, Sli, Slo};
use super::super::recorded::written;
use super::super::selector::Selector;
use super::{GeneratedRule, RuleGroup, RuleOutput};

const BURNRATES: Option<Duration> = Some(Duration::from_secs(30));

/// All groups of an SLO; `None` for an SLI that Pyrra has no indicator for.
pub(super) fn groups(slo: &Slo, sli: &Sli) -> Option<Vec<RuleGroup>> {
    let names = PyrraNames::of(slo, sli)?;
    let mut burnrates: Vec<GeneratedRule> =
        lookbacks(&slo.pairs).into_iter().map(|lookback| names.burnrate(lookback)).collect();
    burnrates.extend(slo.pairs.iter().filter_map(|pair| names.alert(pair)));
    let name = slo.id.to_string();
    let increase = RuleGroup {
        name: format!("{name}-increase"),
        interval: Some(increase_interval(slo.window.nominal())),
        rules: names.increases(),
    };
    let generic =
        RuleGroup { name: format!("{name}-generic"), interval: BURNRATES, rules: names.generic_rules() };
    let mut groups = vec![RuleGroup { name, interval: BURNRATES, rules: burnrates }, increase];
    // an SLO with groups has no single availability
    if slo.grouping.is_empty() {
        groups.push(generic);
    }
    Some(groups)
}

/// The evaluation interval of the increases over the whole window: 30 seconds plus 30 seconds per week of the window, for at most
/// 7 weeks.
fn increase_interval(window: Duration) -> Duration {
    let weeks = (window.as_secs() / (7 * 86_400)).min(7);
    Duration::from_secs(30 * (weeks + 1))
}

/// The SLIs that Pyrra has a kind of indicator for.
#[derive(Clone, Copy)]
enum Indicator<'a> {
    Ratio { bad: &'a Selector, total: &'a Selector },
    Latency { fast: &'a Selector, total: &'a Selector },
    NativeLatency { histogram: &'a Selector, threshold: f64 },
    Gauge { metric: &'a Selector },
}

impl<'a> Indicator<'a> {
    fn of(sli: &'a Sli) -> Option<Self> {
        match sli {
            Sli::Counters { side: EventSide::Bad, part: bad, total } => Some(Self::Ratio { bad, total }),
            Sli::Latency { fast, total } => Some(Self::Latency { fast, total }),
            Sli::NativeLatency { histogram, threshold } => {
                Some(Self::NativeLatency { histogram, threshold: *threshold })
            }
            Sli::Gauge { metric } => Some(Self::Gauge { metric }),
            Sli::Counters { side: EventSide::Good, .. }
            | Sli::Events { .. }
            | Sli::Ratio { .. }
            | Sli::Apdex { .. }
            | Sli::Threshold { .. } => None,
        }
    }

    /// What counts all events: recorded series have its name and labels.
    const fn total(self) -> &'a Selector {
        match self {
            Self::Ratio { total, .. }
            | Self::Latency { total, .. }
            | Self::NativeLatency { histogram: total, .. }
            | Self::Gauge { metric: total } => total,
        }
    }
}

/// The selectors and labels that the series of an SLO have at Pyrra.
struct PyrraNames<'a> {
    slo: &'a Slo,
    indicator: Indicator<'a>,
    /// `slo`, and the labels of the SLO itself.
    common: Labels,
    grouping: Vec<Text>,
}

impl<'a> PyrraNames<'a> {
    fn of(slo: &'a Slo, sli: &'a Sli) -> Option<Self> {
        let indicator = Indicator::of(sli)?;
        // of the labels of a Pyrra object only those with Pyrra's prefix are on the series
        let propagated = slo.labels.iter().filter(|(name, value)| {
            slo.recorded.as_ref().is_none_or(|recorded| recorded.labels.get(name) == Some(*value))
        });
        let common = propagated.collect::<Labels>().merged_with(&Labels::from_iter([("slo", &slo.id)]));
        let mut grouping = slo.grouping.clone();
        grouping.sort();
        Some(Self { slo, indicator, common, grouping })
    }

    /// The labels of a recorded series: those that the selector fixes with `=`, except those in `kept_labels`, which the expression
    /// keeps.
    fn labels(&self, kept_labels: &[Text]) -> Labels {
        let fixed = self
            .indicator
            .total()
            .matches
            .iter()
            .filter(|m| m.operator == Operator::Equal && !kept_labels.contains(&m.name));
        let fixed = fixed.map(|m| (m.name.clone(), m.value.clone()));
        self.common.merged_with(&Labels::new(fixed.collect()))
    }

    fn burnrate_name(&self, lookback: Duration) -> String {
        format!(
            "{}:burnrate{}",
            without_suffixes(&self.indicator.total().metric, &["_total", "_count"]),
            written(lookback)
        )
    }

    fn increase_name(&self, of: &Selector) -> String {
        format!(
            "{}:increase{}",
            without_suffixes(&of.metric, &["_total", "_count", "_bucket"]),
            self.window()
        )
    }

    fn window(&self) -> String {
        written(self.slo.window.nominal())
    }

    fn burnrate(&self, lookback: Duration) -> GeneratedRule {
        let sum =
            |function: &str, selector: &Selector| sum(&self.grouping, function, selector, &written(lookback));
        let total = || sum("rate", self.indicator.total());
        let expr = match self.indicator {
            Indicator::Ratio { bad, .. } => format!("{} / {}", sum("rate", bad), total()),
            Indicator::Latency { fast, .. } => format!("({} - {}) / {}", total(), sum("rate", fast), total()),
            Indicator::NativeLatency { threshold, .. } => {
                format!("1 - histogram_fraction(0, {threshold}, {})", total())
            }
            Indicator::Gauge { metric } => {
                let (count, up) = (sum("count_over_time", metric), sum("sum_over_time", metric));
                format!("({count} - {up}) / {count}")
            }
        };
        GeneratedRule::record(self.burnrate_name(lookback), expr, self.labels(&self.grouping))
    }

    fn alert(&self, pair: &BurnCondition) -> Option<GeneratedRule> {
        let slo = self.slo;
        let notice = slo.alerting.notice(pair.severity)?;
        let mut series = self.indicator.total().clone();
        series.matches.retain(|m| {
            self.grouping.contains(&m.name) || matches!(m.operator, Operator::Equal | Operator::NotEqual)
        });
        let series = series.with("slo", Operator::Equal, &slo.id);
        let sign = if pair.at_least { ">=" } else { ">" };
        let above = |lookback| {
            let series = series.of(&self.burnrate_name(lookback));
            format!("{series} {sign} ({} * (1-{}))", pair.factor, slo.objective.ratio_text())
        };
        let severity = match pair.severity {
            BurnSeverity::Page => "critical",
            BurnSeverity::Ticket => "warning",
        };
        let exhaustion = pair.exhaustion(slo.window.nominal()).unwrap_or_default();
        let own = Labels::from_iter([
            ("severity", severity.to_owned()),
            ("short", written(pair.short)),
            ("long", written(pair.long)),
            ("exhaustion", written(Duration::from_secs(exhaustion.as_secs()))),
        ]);
        let labels = self.labels(&self.grouping).merged_with(&slo.alerting.labels).merged_with(&own);
        Some(GeneratedRule {
            output: RuleOutput::Alert(slo.alerting.name.clone().unwrap_or_else(|| "ErrorBudgetBurn".into())),
            expr: format!("{} and {}", above(pair.short), above(pair.long)),
            hold: pair.hold,
            labels: labels.merged_with(&notice.labels),
            annotations: slo.alerting.annotations.merged_with(&notice.annotations),
        })
    }

    /// Rules for the number of events over the whole window, split by the labels that distinguish bad events.
    fn increases(&self) -> Vec<GeneratedRule> {
        let over = self.window();
        match self.indicator {
            Indicator::NativeLatency { histogram, threshold } => {
                let (name, labels) = (self.increase_name(histogram), self.labels(&[]));
                let histogram = sum(&self.grouping, "increase", histogram, &over);
                let fast = labels.merged_with(&Labels::from_iter([("le", threshold.to_string())]));
                let count = format!("histogram_count({histogram})");
                let within = format!("histogram_fraction(0, {threshold}, {histogram}) * {count}");
                vec![
                    GeneratedRule::record(name.clone(), count, labels),
                    GeneratedRule::record(name, within, fast),
                ]
            }
            Indicator::Gauge { metric } => {
                let kept_labels = self.kept_labels([metric].into_iter(), true);
                let record = |name: &str, function: &str| {
                    let name = format!("{}:{name}{over}", metric.metric);
                    GeneratedRule::record(
                        name,
                        sum(&kept_labels, function, metric, &over),
                        self.labels(&kept_labels),
                    )
                };
                let counts = vec![record("count", "count_over_time"), record("sum", "sum_over_time")];
                counts.into_iter().chain(self.absence(metric, &self.labels(&kept_labels))).collect()
            }
            Indicator::Latency { fast, total } => {
                let kept_labels = self.kept_labels([total].into_iter(), false);
                let labels = self.labels(&kept_labels);
                let le = Labels::from_iter([("le", fast.equal("le").map_or("", |le| le))]);
                let of_fast = labels.merged_with(&le);
                let record = |selector, labels: &Labels| {
                    let expr = sum(&kept_labels, "increase", selector, &over);
                    GeneratedRule::record(self.increase_name(selector), expr, labels.clone())
                };
                let counts = vec![record(total, &labels), record(fast, &of_fast)];
                let absent = self.absence(total, &labels).into_iter().chain(self.absence(fast, &of_fast));
                counts.into_iter().chain(absent).collect()
            }
            Indicator::Ratio { bad, total } => {
                let mut kept_labels = self.kept_labels([total].into_iter(), false);
                let distinguishing =
                    bad.matches.iter().filter(|m| total.matches.iter().all(|other| other.name != m.name));
                kept_labels.extend(distinguishing.map(|m| m.name.clone()));
                kept_labels.sort();
                kept_labels.dedup();
                let labels = self.labels(&kept_labels);
                let both = [Some(total), (bad.metric != total.metric).then_some(bad)];
                let record = |selector: &Selector| {
                    let expr = sum(&kept_labels, "increase", selector, &over);
                    let rule = GeneratedRule::record(self.increase_name(selector), expr, labels.clone());
                    std::iter::once(rule).chain(self.absence(selector, &labels)).collect::<Vec<_>>()
                };
                both.into_iter().flatten().flat_map(record).collect()
            }
        }
    }

    /// Labels that increases keep: the grouping, and labels that the selectors match by a regular expression (`all`: that they
    /// match at all).
    fn kept_labels<'b>(&self, selectors: impl Iterator<Item = &'b Selector>, all: bool) -> Vec<Text> {
        let by_pattern =
            |m: &&promql::LabelMatch| all || matches!(m.operator, Operator::Matches | Operator::MatchesNot);
        let matched = selectors.flat_map(|selector| &selector.matches).filter(by_pattern);
        let mut kept_labels: Vec<Text> =
            self.grouping.iter().cloned().chain(matched.map(|m| m.name.clone())).collect();
        kept_labels.sort();
        kept_labels.dedup();
        kept_labels
    }

    /// The alert for missing series, which make no other alert fire. It waits as long as a total outage would need to be
    /// detected.
    fn absence(&self, selector: &Selector, labels: &Labels) -> Option<GeneratedRule> {
        let alerting = &self.slo.alerting;
        if !alerting.on_absence {
            return None;
        }
        let outage = self.slo.pairs.first().and_then(|pair| pair.time_to_detection(self.slo.objective, 1.0));
        let minutes = outage.map_or(1, |outage| (outage.as_secs() + 30) / 60);
        Some(GeneratedRule {
            output: RuleOutput::Alert(
                alerting.absent_name.clone().unwrap_or_else(|| "SLOMetricAbsent".into()),
            ),
            expr: format!("absent({selector}) == 1"),
            hold: Duration::from_secs(60 * minutes),
            labels: labels.merged_with(&Labels::from_iter([("severity", "critical")])),
            annotations: alerting.annotations.clone(),
        })
    }

    /// Pyrra's generic rules, which have the same metric names for every SLO.
    fn generic_rules(&self) -> Vec<GeneratedRule> {
        let slo = self.slo;
        let record =
            |name: &str, expr: String| GeneratedRule::record(name.to_owned(), expr, self.common.clone());
        let mine = |selector: &Selector| selector.clone().with("slo", Operator::Equal, &slo.id);
        let increase = |selector: &Selector| mine(&selector.of(&self.increase_name(selector)));
        let rate = |selector: &Selector| sum(&[], "rate", selector, "5m");
        let share = |fast: &Selector, all: &Selector| format!("sum({fast} or vector(0)) / sum({all})");
        let (availability, traffic) = match self.indicator {
            Indicator::Ratio { bad, total } => (
                format!("1 - {}", share(&increase(bad), &increase(total))),
                Some((rate(total), format!("{} or vector(0)", rate(bad)))),
            ),
            Indicator::Latency { fast, total } => (
                share(&increase(fast), &increase(total).with("le", Operator::Equal, "")),
                Some((rate(total), format!("{} - {}", rate(total), rate(fast)))),
            ),
            Indicator::NativeLatency { histogram, threshold } => {
                let le = |le: &str| increase(histogram).with("le", Operator::Equal, le);
                (share(&le(&threshold.to_string()), &le("")), None)
            }
            Indicator::Gauge { metric } => {
                let over = self.window();
                let named = |name: &str| {
                    format!("sum({})", mine(&metric.of(&format!("{}:{name}{over}", metric.metric))))
                };
                let (up, count) = (named("sum"), named("count"));
                (format!("{up} / {count}"), Some((count.clone(), format!("{count} - {up}"))))
            }
        };
        let mut rules = vec![
            record("pyrra_objective", slo.objective.ratio_text()),
            record("pyrra_window", slo.window.nominal().as_secs().to_string()),
            record("pyrra_availability", availability),
        ];
        if let Some((requests, errors)) = traffic {
            rules.extend([record("pyrra_requests:rate5m", requests), record("pyrra_errors:rate5m", errors)]);
        }
        rules
    }
}

fn sum(by: &[Text], function: &str, selector: &Selector, over: &str) -> String {
    let by = if by.is_empty() { String::new() } else { format!(" by ({}) ", promql::labels(by)) };
    format!("sum{by}({function}({selector}[{over}]))")
}

/// A metric's name without the suffixes that name its type.
fn without_suffixes<'a>(metric: &'a str, endings: &[&str]) -> &'a str {
    endings.iter().fold(metric, |name, ending| name.strip_suffix(ending).unwrap_or(name))
}
