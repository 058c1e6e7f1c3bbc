//! `burnwatch slo validate`: the errors and warnings of definitions, their queries, and whether the series of these exist.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::args::{Validate, ValidateFormat};
use crate::cli::printer::{ExitOutcome, print, print_error};
use crate::cli::{CliContext, VerbResult};
use crate::config::definitions::{Definitions, Finding, FindingLevel};
use crate::model::duration::text;
use crate::model::promql;
use crate::model::slo::query::{RatioQuery, measure};
use crate::model::slo::{DefinitionOrigin, EventSide, Slo};
use crate::model::text::counted;

use super::series::{self, KnownSeries};
use super::{NO_SLO_FOUND, definitions, is_wrong, lines};

pub(super) fn run(cx: &CliContext<'_>, wanted: &Validate) -> VerbResult {
    let mut read = definitions(cx, &wanted.files)?;
    read.findings.extend(read.slos.iter().flat_map(super::lint::lint));
    let known = if wanted.check_series || cx.arguments.names_sources() {
        let selectors = read.slos.iter().flat_map(selectors).collect();
        Some(series::ask(&cx.session(true)?, selectors)?)
    } else {
        None
    };
    if let Some(known) = &known {
        read.findings.extend(read.slos.iter().flat_map(|slo| missing_series(slo, known)));
    }
    read.findings.sort();
    read.findings.dedup();
    if read.slos.is_empty() {
        print_error(NO_SLO_FOUND);
    }
    let failure = known.iter().flat_map(|known| &known.failures);
    for failure in failure {
        print_error(failure);
    }
    let outcome = outcome(&read, known.as_ref(), wanted.strict);
    let reported = match wanted.output {
        ValidateFormat::Text => as_text(&read, known.as_ref()),
        ValidateFormat::Json => format!("{:#}\n", as_json(&read, known.as_ref())),
    };
    Ok(print(&reported, outcome))
}

fn outcome(read: &Definitions, known: Option<&KnownSeries>, strict: bool) -> ExitOutcome {
    let warns = read.findings.iter().any(|finding| finding.level == FindingLevel::Warning);
    if is_wrong(read) {
        ExitOutcome::UsageError
    } else if known.is_some_and(|known| known.is_partial() || !known.failures.is_empty()) {
        ExitOutcome::Partial
    } else if strict && warns {
        ExitOutcome::Warning
    } else {
        ExitOutcome::Fine
    }
}

/// All lookbacks that the SLO is measured over, the shortest first: those of its burn-rate conditions, and its window.
fn lookbacks(slo: &Slo) -> Vec<Duration> {
    let pairs = slo.pairs.iter().flat_map(|pair| [pair.short, pair.long]);
    let all: BTreeSet<Duration> = pairs.chain([slo.window.nominal()]).collect();
    all.into_iter().collect()
}

/// The series selectors of the SLO's queries.
fn selectors(slo: &Slo) -> BTreeSet<String> {
    let measured = lookbacks(slo).first().and_then(|lookback| measure(slo, *lookback));
    let queries: Vec<String> = match (&measured, &slo.recorded) {
        (Some(measure), _) => measure.queries().map(str::to_owned).collect(),
        // the SLO has no query of its own, only recorded series
        (None, Some(recorded)) => {
            recorded.lookbacks.iter().take(1).map(|l| recorded.error_ratio(*l)).collect()
        }
        (None, None) => Vec::new(),
    };
    queries.iter().filter_map(|query| promql::selectors(query).ok()).flatten().collect()
}

/// A warning for each selector of the SLO's queries that has no series at any source.
fn missing_series(slo: &Slo, known: &KnownSeries) -> Vec<Finding> {
    let DefinitionOrigin::File { path, line, .. } = &slo.origin else { return Vec::new() };
    let gone = selectors(slo).into_iter().filter(|selector| known.most(selector) == Some(0.0));
    gone.map(|selector| Finding {
        path: path.clone(),
        line: Some(*line),
        level: FindingLevel::Warning,
        message: format!("`{}`: there are no series {selector}", slo.id),
    })
    .collect()
}

fn as_text(read: &Definitions, known: Option<&KnownSeries>) -> String {
    let mut out = lines(&read.findings);
    for slo in &read.slos {
        if !out.is_empty() {
            out.push('\n');
        }
        write_slo(&mut out, slo, known).expect("writing to a String cannot fail");
    }
    let count = |level: FindingLevel| read.findings.iter().filter(|finding| finding.level == level).count();
    if !out.is_empty() {
        out.push('\n');
    }
    let errors = counted(count(FindingLevel::Error), "error");
    let warnings = counted(count(FindingLevel::Warning), "warning");
    out + &format!("{}, {errors}, {warnings}\n", counted(read.slos.len(), "SLO"))
}

/// Writes an SLO with its queries, lookbacks and numbers of series as text.
fn write_slo(out: &mut String, slo: &Slo, known: Option<&KnownSeries>) -> std::fmt::Result {
    writeln!(out, "{}: {} % over {}", slo.id, slo.objective.percent_text(), slo.window)?;
    let indented = |query: &str| query.trim().replace('\n', "\n    ");
    let mut all = lookbacks(slo).into_iter();
    let first = all.next().and_then(|lookback| Some((lookback, measure(slo, lookback)?)));
    match &first {
        Some((lookback, RatioQuery::Counts { side, part, total })) => {
            writeln!(out, "  {} events over {}:\n    {}", side_word(*side), text(*lookback), indented(part))?;
            writeln!(out, "  all events over {}:\n    {}", text(*lookback), indented(total))?;
        }
        Some((lookback, RatioQuery::Ratio(query))) => {
            writeln!(out, "  error ratio over {}:\n    {}", text(*lookback), indented(query))?;
        }
        None => writeln!(out, "  no query of its own")?,
    }
    let others: Vec<String> = all.map(text).collect();
    if first.is_some() && !others.is_empty() {
        writeln!(out, "  and over {}", others.join(", "))?;
    }
    if let Some(recorded) = &slo.recorded {
        let lookback = recorded.lookbacks.first().copied().unwrap_or_else(|| slo.window.nominal());
        writeln!(out, "  where recorded:\n    {}", recorded.error_ratio(lookback))?;
    }
    for selector in known.iter().flat_map(|_| selectors(slo)) {
        let count = match known.and_then(|known| known.most(&selector)) {
            None => "not known".to_owned(),
            Some(0.0) => "none".to_owned(),
            Some(count) => count.to_string(),
        };
        writeln!(out, "  series {selector}: {count}")?;
    }
    Ok(())
}

const fn side_word(side: EventSide) -> &'static str {
    match side {
        EventSide::Bad => "bad",
        EventSide::Good => "good",
    }
}

fn as_json(read: &Definitions, known: Option<&KnownSeries>) -> Value {
    let finding = |finding: &Finding| {
        json!({
            "path": finding.path.to_string_lossy(),
            "line": finding.line,
            "level": finding.level.word(),
            "message": finding.message,
        })
    };
    let slo = |slo: &Slo| {
        let queries = lookbacks(slo).into_iter().filter_map(|lookback| {
            let (seconds, measured) = (lookback.as_secs_f64(), measure(slo, lookback)?);
            Some(match measured {
                RatioQuery::Counts { side, part, total } => {
                    json!({ "lookback_seconds": seconds, side_word(side): part, "total": total })
                }
                RatioQuery::Ratio(query) => json!({ "lookback_seconds": seconds, "error_ratio": query }),
            })
        });
        let series = |known: &KnownSeries| {
            let pair = |selector: String| {
                let count = known.most(&selector);
                json!({ "selector": selector, "count": count })
            };
            selectors(slo).into_iter().map(pair).collect::<Vec<_>>()
        };
        let (path, line, form) = match &slo.origin {
            DefinitionOrigin::File { path, line, form } => {
                (Some(path.to_string_lossy()), Some(line), Some(form.name()))
            }
            DefinitionOrigin::Series => (None, None, None),
        };
        json!({
            "id": &*slo.id,
            "name": &*slo.name,
            "service": slo.service.as_deref(),
            "objective": slo.objective.as_ratio(),
            "window_seconds": slo.window.nominal().as_secs_f64(),
            "path": path,
            "line": line,
            "form": form,
            "queries": queries.collect::<Vec<_>>(),
            "series": known.map(series),
        })
    };
    json!({
        "findings": read.findings.iter().map(finding).collect::<Vec<_>>(),
        "slos": read.slos.iter().map(slo).collect::<Vec<_>>(),
    })
}
