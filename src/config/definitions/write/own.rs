//! Converts SLOs to burnwatch's own TOML format, which can express nearly everything.

use std::fmt::Write as _;

use crate::model::duration;
use crate::model::matcher::Operator;
use crate::model::promql::Comparison;
use crate::model::slo::query::{RatioQuery, open};
use crate::model::slo::{
    AlertMetadata, BudgetingMethod, BurnCondition, EventSide, Selector, Sli, Slo, SloAlerting, Template,
    Window, standard,
};

use super::super::openslo::DEFAULT_START;
use super::super::own::FAMILIES;
use super::compare::same_pairs;
use super::toml::{inline, labels, quoted, quoted_or_literal, text};
use super::yaml::remarks;
use super::{DEFAULT_PERIOD, Put, ReadBackForm, WriteNotes, WrittenEntry};

pub(super) const OWN: ReadBackForm<String> = ReadBackForm { file: "own.toml", write_slo, file_of };

fn write_slo(slo: &Slo, notes: &mut WriteNotes<'_>) -> Put<String> {
    let recorded = recorded(slo);
    let indicator = indicator(slo);
    if indicator.is_none() && recorded.is_none() {
        notes.no_query();
        return None;
    }
    if indicator.is_none() && slo.sli.is_some() {
        notes.say(
            "sli",
            "its query has braces that are not a valid template: only its recorded series are written",
        );
    }
    let mut out = "[[slo]]\n".to_owned();
    let mut field = |name: &str, value: String| {
        writeln!(out, "{name} = {value}").expect("writing to a String cannot fail");
    };
    field("name", quoted(&slo.name));
    let usual_id = slo.service.as_ref().map_or_else(|| slo.name.to_string(), |s| format!("{s}-{}", slo.name));
    if *slo.id != usual_id {
        field("id", quoted(&slo.id));
    }
    if let Some(service) = &slo.service {
        field("service", quoted(service));
    }
    if !slo.description.is_empty() {
        field("description", text(&slo.description));
    }
    field("objective", slo.objective.percent_text());
    if slo.window != Window::Rolling(DEFAULT_PERIOD) {
        field("window", window(&slo.window, notes));
    }
    if !slo.labels.is_empty() {
        field("labels", labels(&slo.labels));
    }
    let sli = indicator.map(|(sli, fields)| {
        for (name, value) in fields {
            field(name, value);
        }
        sli
    });
    if !slo.grouping.is_empty() {
        let by: Vec<_> = slo.grouping.iter().map(|label| quoted(label)).collect();
        field("by", format!("[{}]", by.join(", ")));
    }
    match slo.budgeting {
        BudgetingMethod::Occurrences => {}
        BudgetingMethod::Timeslices { slice, least } => {
            field("slice", quoted(&duration::text(slice)));
            field("slice_objective", percent(least));
        }
        BudgetingMethod::RatioTimeslices { slice } => field("slice", quoted(&duration::text(slice))),
    }
    if !same_pairs(&slo.pairs, &standard(slo.window.nominal())) {
        let pairs: Vec<_> = slo.pairs.iter().map(|pair| format!("  {},\n", self::pair(pair))).collect();
        field("pairs", format!("[\n{}]", pairs.concat()));
    }
    if let Some(alert) = alert(&slo.alerting) {
        field("alert", alert);
    }
    if let Some(recorded) = recorded {
        field("recorded", recorded);
    }
    Some((out, sli))
}

/// A ratio in percent, without rounding errors of binary fractions.
fn percent(ratio: f64) -> String {
    ((ratio * 1e12).round() / 1e10).to_string()
}

fn window(window: &Window, notes: &mut WriteNotes<'_>) -> String {
    match window {
        Window::Rolling(length) => quoted(&duration::text(*length)),
        Window::Calendar(calendar) => {
            let count = calendar.count.max(1);
            let unit = format!("{count} {}{}", calendar.unit.word(), if count == 1 { "" } else { "s" });
            if calendar.zone.iana_name().is_none() {
                notes.say("window", "its time zone has no name: UTC is written");
            }
            let mut fields = vec![
                ("calendar", quoted(&unit)),
                ("zone", quoted(calendar.zone.iana_name().unwrap_or("UTC"))),
            ];
            if calendar.start != DEFAULT_START {
                fields.push(("start", quoted(&calendar.start.to_string())));
            }
            inline(fields)
        }
    }
}

type OwnFields = Vec<(&'static str, String)>;

/// The SLI that parsing again should give, and its TOML fields.
fn indicator(slo: &Slo) -> Option<(Sli, OwnFields)> {
    let sli = slo.sli.as_ref()?;
    let short = match sli {
        Sli::Counters { side, part, total } => {
            Some(vec![(side_key(*side), text(&part.to_string())), ("total", text(&total.to_string()))])
        }
        Sli::Events { side, part, total } => {
            Some(vec![(side_key(*side), query(part)), ("total", query(total))])
        }
        Sli::Ratio { error } => Some(vec![("error_ratio", query(error))]),
        Sli::Latency { fast, total } => latency(fast, total),
        Sli::NativeLatency { histogram, threshold } => Some(vec![(
            "latency",
            inline([
                ("histogram", quoted_or_literal(&histogram.to_string())),
                ("threshold", threshold.to_string()),
                ("native", "true".to_owned()),
            ]),
        )]),
        Sli::Gauge { metric } => Some(vec![("up", text(&metric.to_string()))]),
        Sli::Apdex { bucket, satisfied, tolerated, total } => {
            apdex(bucket, satisfied, tolerated.as_deref(), total)
        }
        Sli::Threshold { value, passes, bound }
            if !matches!(passes, Comparison::Equal | Comparison::NotEqual) =>
        {
            Some(vec![(
                "threshold",
                inline([
                    ("query", quoted_or_literal(&value.filled("$window"))),
                    ("op", quoted(passes.sign())),
                    ("bound", bound.to_string()),
                ]),
            )])
        }
        Sli::Threshold { .. } => None,
    };
    let template = |text: &str| Template::parse(text).ok();
    if let Some(fields) = short {
        let mut sli = sli.clone();
        // brackets keep a query that is only a metric from being read as a counter
        if let Sli::Events { part, total, .. } = &mut sli {
            (*part, *total) = (template(&in_parentheses(part))?, template(&in_parentheses(total))?);
        }
        return Some((sli, fields));
    }
    match open(slo)? {
        RatioQuery::Counts { side, part, total } => {
            let (part, total) = (template(&part)?, template(&total)?);
            let fields = vec![(side_key(side), query(&part)), ("total", query(&total))];
            Some((Sli::Events { side, part, total }, fields))
        }
        RatioQuery::Ratio(error) => {
            let error = template(&error)?;
            let fields = vec![("error_ratio", query(&error))];
            Some((Sli::Ratio { error }, fields))
        }
    }
}

fn side_key(side: EventSide) -> &'static str {
    match side {
        EventSide::Bad => "bad",
        EventSide::Good => "good",
    }
}

fn query(template: &Template) -> String {
    let template = Template::parse(&in_parentheses(template)).unwrap_or_else(|_| template.clone());
    text(&template.filled("$window"))
}

fn in_parentheses(template: &Template) -> String {
    let text = template.as_str();
    if Selector::parse(text).is_ok() { format!("({text})") } else { text.to_owned() }
}

/// The selector of a classic histogram with this bucket and count, without suffix; `None` if they do not belong to one histogram.
fn histogram(bucket: &Selector, total: &Selector) -> Option<Selector> {
    let stem = bucket.metric.strip_suffix("_bucket")?;
    let same = total.metric.strip_suffix("_count") == Some(stem);
    (same && bucket.sorted().matches == total.sorted().matches).then(|| total.of(stem))
}

/// Whether parsing and formatting the bound keeps its text: true for `0.5`, false for `0.50`.
fn is_number(le: &str) -> bool {
    le.parse::<f64>().is_ok_and(|bound| bound.is_finite() && bound > 0.0 && bound.to_string() == le)
}

fn latency(fast: &Selector, total: &Selector) -> Option<OwnFields> {
    let le = fast.equal("le").filter(|le| is_number(le))?;
    let bounds = fast.matches.iter().filter(|m| &*m.name == "le" && m.operator == Operator::Equal);
    let histogram = histogram(&fast.without("le"), total).filter(|_| bounds.count() == 1)?;
    let fields = [("histogram", quoted_or_literal(&histogram.to_string())), ("threshold", le.to_string())];
    Some(vec![("latency", inline(fields))])
}

fn apdex(bucket: &Selector, satisfied: &str, tolerated: Option<&str>, total: &Selector) -> Option<OwnFields> {
    let histogram = histogram(bucket, total)?;
    if !is_number(satisfied) || !tolerated.is_none_or(is_number) {
        return None;
    }
    let mut fields =
        vec![("histogram", quoted_or_literal(&histogram.to_string())), ("satisfied", satisfied.to_owned())];
    fields.extend(tolerated.map(|tolerated| ("tolerated", tolerated.to_owned())));
    Some(vec![("apdex", inline(fields))])
}

fn pair(pair: &BurnCondition) -> String {
    let mut fields = vec![
        ("severity", quoted(pair.severity.word())),
        ("long", quoted(&duration::text(pair.long))),
        ("short", quoted(&duration::text(pair.short))),
        ("factor", pair.factor.to_string()),
    ];
    if !pair.hold.is_zero() {
        fields.push(("for", quoted(&duration::text(pair.hold))));
    }
    if pair.at_least {
        fields.push(("at_least", "true".to_owned()));
    }
    inline(fields)
}

fn alert(alerting: &SloAlerting) -> Option<String> {
    let mut fields = Vec::new();
    fields.extend(alerting.name.as_ref().map(|name| ("name", quoted(name))));
    fields.extend(alerting.absent_name.as_ref().map(|name| ("absent_name", quoted(name))));
    if alerting.on_absence {
        fields.push(("on_absence", "true".to_owned()));
    }
    let add_metadata = |fields: &mut Vec<(&'static str, String)>, labels: &_, annotations: &_| {
        for (key, set) in [("labels", labels), ("annotations", annotations)] {
            let set: &crate::model::labels::Labels = set;
            if !set.is_empty() {
                fields.push((key, self::labels(set)));
            }
        }
    };
    add_metadata(&mut fields, &alerting.labels, &alerting.annotations);
    for (key, notice) in [("page", &alerting.page), ("ticket", &alerting.ticket)] {
        match notice {
            None => fields.push((key, "false".to_owned())),
            Some(notice) if *notice != AlertMetadata::default() => {
                let mut inner = Vec::new();
                add_metadata(&mut inner, &notice.labels, &notice.annotations);
                fields.push((key, inline(inner)));
            }
            Some(_) => {}
        }
    }
    (!fields.is_empty()).then(|| inline(fields))
}

/// The series under which another tool records the SLO.
fn recorded(slo: &Slo) -> Option<String> {
    let recorded = slo.recorded.as_ref()?;
    let (by, _) = FAMILIES.iter().find(|(_, family)| *family == recorded.family)?;
    let mut fields = vec![("by", quoted(by)), ("id", quoted(&recorded.id))];
    if !recorded.metric.is_empty() {
        fields.push(("metric", quoted(&recorded.metric)));
    }
    if !recorded.labels.is_empty() {
        fields.push(("labels", labels(&recorded.labels)));
    }
    Some(inline(fields))
}

fn file_of(entries: Vec<WrittenEntry<'_, String>>) -> String {
    let pieces = entries.into_iter().map(|entry| {
        let piece = entry.piece.unwrap_or_default();
        remarks(&entry.remarks, 0) + &piece
    });
    pieces.collect::<Vec<_>>().join("\n")
}
