//! `burnwatch check`: one line of status and an exit code, as a plug-in of Nagios or Icinga.
//!
//! Source of the exit codes and of the output format: the Monitoring Plugins' development guidelines.

use std::fmt::Write as _;

use crate::config::{did_you_mean, nearest};
use crate::model::ask::AskKind;
use crate::model::health::Health;
use crate::model::service::Service;
use crate::model::slo::{SloState, SloStatus, show};
use crate::model::text::{self, counted};
use crate::model::words::words;

use super::needs;
use super::printer::ExitOutcome;
use super::slos;
use super::view::WorldView;

/// The questions that a check of SLOs alone needs.
const SLO_QUESTIONS: &[AskKind] = &[AskKind::Slos];

/// The most lines of SLOs and services that are not OK; the others are counted.
const MAX_FINDINGS: usize = 20;

/// The output of a check, and the level that gives its exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckVerdict {
    pub(super) text: String,
    pub(super) level: Level,
}

words! {
    /// The result of a check, the worst first: the worst finding decides.
    ///
    /// While the firing alerts are unknown, `Unknown` is worse than `Warning`, because one of the alerts may be critical.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub(super) enum Level: word {
        Critical = "CRITICAL",
        Warning = "WARNING",
        Unknown = "UNKNOWN",
        Fine = "OK",
    }
}

impl Level {
    const fn assess_slo(state: SloState) -> Self {
        match state {
            SloState::Page => Self::Critical,
            SloState::Ticket | SloState::Exhausted => Self::Warning,
            SloState::NoData | SloState::Insufficient => Self::Unknown,
            SloState::Burning | SloState::Fine | SloState::Quiet => Self::Fine,
        }
    }

    const fn assess_service(health: Health) -> Self {
        match health {
            Health::Down | Health::Critical => Self::Critical,
            Health::Degraded => Self::Warning,
            Health::Unknown => Self::Unknown,
            Health::Healthy => Self::Fine,
        }
    }
}

impl From<Level> for ExitOutcome {
    fn from(level: Level) -> Self {
        match level {
            Level::Fine => Self::Fine,
            Level::Warning => Self::Warning,
            Level::Critical => Self::Critical,
            Level::Unknown => Self::Unknown,
        }
    }
}

/// The result for one SLO, service, source or name.
struct CheckFinding {
    level: Level,
    text: String,
}

/// Checks the SLOs and services of these names, or all if there is no name. A service's name selects its SLOs, too.
pub(super) fn verdict(view: &WorldView<'_>, names: &[String]) -> CheckVerdict {
    let world = view.world;
    let is_selected = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let mut slos: Vec<&SloStatus> = world
        .slos()
        .iter()
        .filter(|status| is_selected(&status.slo.id) || status.service.as_deref().is_some_and(is_selected))
        .collect();
    slos.sort_by(|a, b| a.by_urgency(b));
    let mut services: Vec<&Service> =
        world.services().iter().filter(|service| is_selected(&service.name)).collect();
    services.sort_by(|a, b| super::services::compare_by_health(a, b));
    let mut findings: Vec<CheckFinding> = slos
        .iter()
        .map(|status| assess_slo(view, status))
        .chain(services.iter().map(|service| assess_service(view, service)))
        .collect();
    let is_known = |name: &&String| {
        slos.iter().any(|status| *status.slo.id == ***name || status.service.as_deref() == Some(name))
            || services.iter().any(|service| *service.name == ***name)
    };
    let is_all_known = names.iter().all(|name| is_known(&name));
    // an SLO depends on its own measurements only: missing services or alerts do not matter to it
    let is_slo = |name: &String| slos.iter().any(|status| *status.slo.id == **name);
    let are_slos = !names.is_empty() && services.is_empty() && names.iter().all(is_slo);
    let needs = if are_slos { SLO_QUESTIONS.to_vec() } else { needs::CHECK.kinds() };
    // the finding of a known name says itself which of its data are missing
    let is_each_known = !names.is_empty() && is_all_known;
    let mut gaps = if is_each_known { view.common_gaps(&needs) } else { view.gaps(&needs) };
    if !is_all_known || names.is_empty() {
        // an SLO file with errors may be the reason why a name is unknown
        gaps.extend(view.broken_definitions());
    }
    // without answers there are no counts to print
    let numbers = if slos.is_empty() && !gaps.is_empty() {
        String::new()
    } else {
        perfdata(view, &slos, !names.is_empty())
    };
    findings.extend(gaps.into_iter().map(|gap| CheckFinding { level: Level::Unknown, text: gap }));
    findings.extend(names.iter().filter(|name| !is_known(name)).map(|name| unknown_name(view, name)));
    let may_be_critical = !are_slos && !view.common_gaps(&[AskKind::Alerts]).is_empty();
    findings.sort_by_key(|CheckFinding { level, .. }| {
        let outweighs = *level == Level::Unknown && may_be_critical;
        (*level != Level::Critical, !outweighs, *level)
    });
    let looked_at = format!("{} and {}", counted(slos.len(), "SLO"), counted(services.len(), "service"));
    if slos.is_empty() && services.is_empty() && findings.is_empty() {
        findings.push(CheckFinding {
            level: Level::Unknown,
            text: "there is no SLO and no service to check".to_owned(),
        });
    }
    CheckVerdict {
        level: findings.first().map_or(Level::Fine, |worst| worst.level),
        text: lines(&findings, &looked_at, &numbers, view.notices(&[AskKind::Slos, AskKind::Services])),
    }
}

/// The output: the level, the worst finding and the performance data on the first line, then a line for each other finding
/// that is not OK. Notes, such as an SLO without an objective, come last and do not change the level.
fn lines(findings: &[CheckFinding], looked_at: &str, perfdata: &str, notes: Vec<String>) -> String {
    let wrong: Vec<&CheckFinding> = findings.iter().filter(|finding| finding.level != Level::Fine).collect();
    let level = wrong.first().map_or(Level::Fine, |worst| worst.level);
    let said = match wrong.as_slice() {
        [] => format!("{looked_at} fine"),
        [only] => only.text.clone(),
        [worst, others @ ..] => format!("{}; {} more not OK of {looked_at}", worst.text, others.len()),
    };
    // in a plug-in's output a `|` starts the performance data
    let plain = |text: &str| text::clean(text).replace('|', "/");
    let numbers = if perfdata.is_empty() { String::new() } else { format!(" | {perfdata}") };
    let first = format!("BURNWATCH {}: {}{numbers}\n", level.word(), plain(&said));
    let others = wrong.iter().skip(1).take(MAX_FINDINGS);
    let others = others.map(|finding| format!("{}: {}\n", finding.level.word(), plain(&finding.text)));
    let rest = wrong.len().saturating_sub(MAX_FINDINGS + 1);
    let rest = (rest > 0).then(|| format!("and {rest} more\n"));
    let notes = notes.into_iter().map(|note| format!("note: {}\n", plain(&note)));
    std::iter::once(first).chain(others).chain(rest).chain(notes).collect()
}

/// Whether several sources of the context have SLOs, so that two SLOs may have the same name. Sources that do not answer
/// count, too: the labels of graphs must not change with an outage.
fn has_several_slo_sources(view: &WorldView<'_>) -> bool {
    view.sources.iter().filter(|source| source.answers.contains(&AskKind::Slos)).count() > 1
}

/// The finding for an SLO: the state of its worst group, the error budget left, and the reason.
fn assess_slo(view: &WorldView<'_>, status: &SloStatus) -> CheckFinding {
    // a group without data must not be hidden by a group that only burns
    let worst = status.groups.iter().min_by_key(|group| Level::assess_slo(group.state));
    let state = worst.map_or(SloState::NoData, |worst| worst.state);
    let left = worst.and_then(crate::model::slo::GroupStatus::left);
    let left = left.map_or_else(String::new, |left| format!(", {} of its budget left", show::left(left)));
    let why = slos::why(status, worst);
    let why = if why.is_empty() { why } else { format!(" ({why})") };
    let is_twin = |other: &&SloStatus| other.slo.id == status.slo.id && other.source != status.source;
    let is_shared = view.world.slos().iter().any(|other| is_twin(&other));
    let source = if is_shared { format!(" at {}", status.source) } else { String::new() };
    let text = format!("{} {}{source}{left}{why}", status.slo.id, state.word());
    CheckFinding { level: Level::assess_slo(state), text }
}

/// The finding for a service: its health and the reasons.
fn assess_service(view: &WorldView<'_>, service: &Service) -> CheckFinding {
    let reasons: Vec<String> = service.reasons.iter().map(|reason| reason.words(view.now)).collect();
    let text = format!("{} {}: {}", service.name, service.health.word(), reasons.join(", "));
    let judged = Level::assess_service(service.health);
    // without the alerts the true level is unknown: a critical alert may fire, or the warning may be silenced
    let is_unsure = judged == Level::Warning && !view.common_gaps(&[AskKind::Alerts]).is_empty();
    let level = if is_unsure { Level::Unknown } else { judged };
    CheckFinding { level, text }
}

/// The finding for a name that is neither an SLO nor a service, with the most similar known name.
fn unknown_name(view: &WorldView<'_>, name: &str) -> CheckFinding {
    let slos = view.world.slos().iter().map(|status| &*status.slo.id);
    let known: Vec<&str> = slos.chain(view.world.services().iter().map(|service| &*service.name)).collect();
    let near = did_you_mean(nearest(name, known));
    CheckFinding { level: Level::Unknown, text: format!("no SLO and no service is called `{name}`{near}") }
}

/// Performance data for graphs: with `each` the error budget left of each SLO, otherwise the number of SLOs in each state.
fn perfdata(view: &WorldView<'_>, slos: &[&SloStatus], each: bool) -> String {
    let has_several_slo_sources = has_several_slo_sources(view);
    // graphs need a stable order, not the order of urgency
    let mut slos = slos.to_vec();
    slos.sort_by(|a, b| (&a.slo.id, &a.source).cmp(&(&b.slo.id, &b.source)));
    let numbers: Vec<String> = if each {
        let left = |status: &&SloStatus| {
            // `U` is the value for unknown in the guidelines, so the label is printed, too
            let left = status.worst().and_then(crate::model::slo::GroupStatus::left);
            let left = left.map_or_else(|| "U".to_owned(), |left| format!("{:.3}%;;;;100", left * 100.0));
            let source =
                has_several_slo_sources.then(|| format!("{}/", perfdata_label(status.source.as_str(), "/")));
            let label = source.unwrap_or_default() + &perfdata_label(&status.slo.id, "");
            format!("'{}'={left}", label.replace('\'', "''"))
        };
        slos.iter().map(left).collect()
    } else {
        let count = |state| slos.iter().filter(|status| status.state() == state).count();
        SloState::ALL.iter().map(|state| format!("'{}'={}", state.word(), count(*state))).collect()
    };
    numbers.join(" ")
}

/// Escapes a name for a label of the performance data: `=`, `|`, `%`, control characters and those in `more` become `%XX`, so
/// that different names stay different.
fn perfdata_label(name: &str, more: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '=' | '|' | '%') || more.contains(c) || !text::is_harmless(c) {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                write!(out, "%{byte:02X}").expect("writing to a String cannot fail");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{Fixture, am, prom, reading, slo, world};
    use crate::model::slo::MeasuredRatio;
    use crate::model::source::SourceId;
    use crate::model::warning::{Warning, WarningKind};

    fn ratio(error: f64) -> MeasuredRatio {
        MeasuredRatio::Ratio { error, events: None }
    }

    fn fixture_with(slos: Vec<crate::model::slo::SloReading>) -> Fixture {
        let fixture = world().with_slos(&prom(), slos).with_services(&prom(), vec![reading("cart", 0.0)]);
        fixture.with_rules(&prom()).with_alerts(&am(), Vec::new())
    }

    fn check(fixture: &Fixture, names: &[&str]) -> CheckVerdict {
        verdict(&fixture.view(), &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_fine_is_one_line() {
        let verdict = check(&fixture_with(vec![slo("calm", ratio(0.0001), ratio(0.0))]), &[]);
        assert_eq!(verdict.level, Level::Fine);
        assert!(
            verdict.text.starts_with("BURNWATCH OK: 1 SLO and 1 service fine | 'page'=0 "),
            "{}",
            verdict.text
        );
    }

    #[test]
    fn the_worst_decides_and_what_is_not_known_is_not_fine() {
        let (calm, burning) =
            (slo("calm", ratio(0.0001), ratio(0.0)), slo("burning", ratio(0.0005), ratio(0.03)));
        let spent = slo("spent", ratio(0.002), ratio(0.0));
        let gone = slo("gone", MeasuredRatio::Absent, MeasuredRatio::Absent);
        let fixture = fixture_with(vec![burning, calm, gone, spent]);
        let verdict = check(&fixture, &[]);
        assert_eq!(verdict.level, Level::Critical);
        assert!(
            verdict.text.starts_with("BURNWATCH CRITICAL: burning page, 50% of its budget left"),
            "{}",
            verdict.text
        );
        for (name, level) in [
            ("calm", Level::Fine),
            ("spent", Level::Warning),
            ("gone", Level::Unknown),
            ("burning", Level::Critical),
            ("cart", Level::Fine),
            ("burnign", Level::Unknown),
        ] {
            assert_eq!(check(&fixture, &[name]).level, level, "{name}");
        }
        assert!(check(&fixture, &["burnign"]).text.contains("did you mean `burning`?"));
        assert!(check(&fixture, &["calm"]).text.contains("| 'calm'=90.000%;;;;100"));
    }

    #[test]
    fn the_fastest_stands_on_the_first_line() {
        let page = |id, error| slo(id, ratio(0.0001), ratio(error));
        let verdict = check(&fixture_with(vec![page("a", 0.02), page("b", 0.5), page("c", 0.1)]), &[]);
        assert!(verdict.text.starts_with("BURNWATCH CRITICAL: b page"), "{}", verdict.text);
    }

    #[test]
    fn numbers_have_labels_of_their_own_that_stay() {
        let east = SourceId::new("east");
        let of = |error| vec![slo("cart", ratio(error), ratio(0.0)), slo("a='b'|%", ratio(0.0), ratio(0.0))];
        let alone = fixture_with(of(0.0003));
        let text = check(&alone, &["cart", "a='b'|%"]).text;
        assert!(text.contains("'cart'=70.000%") && text.contains("'a%3D''b''%7C%25'=100.000%"), "{text}");
        let both = fixture_with(of(0.0003)).with_prometheus(&east).with_slos(&prom(), of(0.0003));
        let quiet = check(&both, &["cart"]).text;
        assert!(quiet.contains("'prom/cart'=70.000%"), "also while east does not answer: {quiet}");
        let gone = vec![slo("cart", MeasuredRatio::Absent, MeasuredRatio::Absent)];
        let text =
            check(&fixture_with(of(0.0003)).with_prometheus(&east).with_slos(&east, gone), &["cart"]).text;
        assert!(text.contains("'east/cart'=U"), "{text}");
        let text = check(&both.with_slos(&east, of(0.0006)), &["cart"]).text;
        assert!(text.contains("'east/cart'=40.000%") && text.contains("'prom/cart'=70.000%"), "{text}");
    }

    #[test]
    fn a_named_slo_is_judged_where_nothing_is_known_of_services() {
        let slos = vec![slo("calm", ratio(0.0001), ratio(0.0)), slo("spent", ratio(0.002), ratio(0.0))];
        let fixture = world().with_slos(&prom(), slos);
        for (names, level) in [
            (&["calm"][..], Level::Fine),
            (&["spent"], Level::Warning),
            (&["calm", "spent"], Level::Warning),
            (&["calm", "cart"], Level::Unknown),
            (&[], Level::Unknown),
        ] {
            assert_eq!(check(&fixture, names).level, level, "{names:?}");
        }
    }

    #[test]
    fn while_nobody_tells_which_alerts_fire_only_what_is_critical_is_worse() {
        let of = |error| {
            let slos = vec![slo("spent", ratio(0.002), ratio(0.0)), slo("fast", ratio(0.0001), ratio(error))];
            world()
                .with_probe(&prom(), 0)
                .with_slos(&prom(), slos)
                .with_services(&prom(), vec![reading("cart", 0.0)])
                .with_rules(&prom())
        };
        let silent = check(&of(0.0), &[]);
        assert!(silent.text.starts_with("BURNWATCH UNKNOWN: am: no answer about"), "{}", silent.text);
        assert!(silent.text.contains("\nWARNING: spent"), "{}", silent.text);
        assert_eq!(check(&of(0.0), &["spent"]).level, Level::Warning, "it is measured, whatever fires");
        assert_eq!(check(&of(0.5), &[]).level, Level::Critical);
        let fixture_with = check(&of(0.0).with_alerts(&am(), Vec::new()), &[]);
        assert_eq!(fixture_with.level, Level::Warning, "{}", fixture_with.text);
    }

    #[test]
    fn a_source_that_does_not_answer_comes_before_the_names_that_it_would_know() {
        let verdict = check(&world(), &["cart"]);
        assert_eq!(verdict.level, Level::Unknown);
        assert!(verdict.text.starts_with("BURNWATCH UNKNOWN: prom: no answer about"), "{}", verdict.text);
        assert!(!verdict.text.contains('|'), "{}", verdict.text);
    }

    #[test]
    fn what_is_missing_makes_what_rests_on_it_unknown_and_nothing_else() {
        let calm = || fixture_with(vec![slo("calm", ratio(0.0001), ratio(0.0))]);
        let services = AskKind::Services;
        for (kind, warning, names, level) in [
            (AskKind::Slos, Warning::missing("a store is gone"), &["calm"][..], Level::Unknown),
            (AskKind::Slos, Warning::missing("a store is gone"), &[], Level::Unknown),
            (services, Warning::missing("a store is gone"), &["cart"], Level::Unknown),
            (services, Warning::missing("a store is gone"), &["calm"], Level::Fine),
            (services, Warning::part("errors (m): 422"), &["cart"], Level::Fine),
            (services, Warning::part("errors (m): 422"), &["cart", "nobody"], Level::Unknown),
            (services, Warning::part("errors (m): 422"), &[], Level::Unknown),
            (services, Warning::annotation("PromQL info: no counter"), &[], Level::Fine),
            (services, Warning::notice("no service found"), &["calm"], Level::Fine),
            (AskKind::Slos, Warning::notice("1 SLO without an objective"), &["calm"], Level::Fine),
            (AskKind::Slos, Warning::notice("1 SLO without an objective"), &[], Level::Fine),
            (AskKind::Slos, Warning::annotation("PromQL warning: no le"), &["calm"], Level::Fine),
        ] {
            let fixture = calm().with_warning(&prom(), kind, warning.clone());
            let verdict = check(&fixture, names);
            assert_eq!(verdict.level, level, "{warning:?} of {kind:?}: {names:?}");
            let note = format!("\nnote: prom: {warning}\n");
            assert_eq!(verdict.text.contains(&note), warning.kind == WarningKind::Notice, "{}", verdict.text);
        }
    }

    #[test]
    fn a_degraded_service_is_unknown_until_it_is_told_which_alerts_fire() {
        let fixture =
            |errors| world().with_services(&prom(), vec![reading("cart", errors)]).with_rules(&prom());
        for (errors, level) in [(0.02, Level::Unknown), (0.2, Level::Critical), (0.0, Level::Unknown)] {
            assert_eq!(check(&fixture(errors), &["cart"]).level, level, "{errors}");
        }
        let fixture_with = fixture(0.02).with_alerts(&am(), Vec::new());
        assert_eq!(check(&fixture_with, &["cart"]).level, Level::Warning);
    }

    #[test]
    fn a_source_that_does_not_answer_is_unknown() {
        let verdict = check(&world(), &[]);
        assert_eq!(verdict.level, Level::Unknown);
        assert!(verdict.text.contains("no answer about"), "{}", verdict.text);
        assert!(!verdict.text.contains('|'), "what nobody told is not counted as none: {}", verdict.text);
    }
}
