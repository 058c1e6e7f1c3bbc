//! `burnwatch doctor`: what each source offers, its errors, and what to do about them.

use crate::model::ask::AskKind;
use crate::model::rule::BrokenRule;
use crate::model::source::{ErrorKind, ProbeReport};
use crate::model::source_info::SourceInfo;
use crate::model::warning::WarningKind;
use crate::model::world::{AnswerCache, Watchdog};

use super::report::{Cell, ListLayout, ReportColumn, ReportDocument, ReportList};
use super::sources;
use super::view::WorldView;

/// A larger difference between the server's clock and this machine's is reported, in seconds: ages would be wrong.
const MAX_SKEW_SECONDS: u64 = 30;
/// The most failing rules that are named; the others are counted.
const MAX_BROKEN_RULES: usize = 50;

const COLUMNS: &[ReportColumn] = &[
    ReportColumn::text("name", "source"),
    ReportColumn::text("verdict", "verdict"),
    ReportColumn::text("kind", "kind"),
    ReportColumn::text("address", "address"),
    ReportColumn::text("tenant", "tenant"),
    ReportColumn::text("is_reachable", "reachable"),
    ReportColumn::text("is_authorised", "authorised"),
    ReportColumn::text("version", "version"),
    ReportColumn::text("offers", "offers"),
    ReportColumn::text("missing", "missing"),
    ReportColumn::text("remarks", "remarks"),
    ReportColumn::text("advice", "what to do"),
];

/// A block for each source; partial unless the state of every source is `fine`.
pub(super) fn document(view: &WorldView<'_>) -> ReportDocument {
    let rows: Vec<_> = view.sources.iter().map(|source| row(view, source)).collect();
    let is_well = view.sources.iter().all(|source| sources::state(view, source) == "fine");
    let list = ReportList {
        key: "sources",
        title: "Sources".to_owned(),
        columns: COLUMNS.into(),
        rows,
        empty: "No sources.",
        layout: ListLayout::Blocks,
    };
    ReportDocument {
        context: view.context.to_owned(),
        as_of: view.now,
        facts: Vec::new(),
        lists: vec![list],
        notes: Vec::new(),
        is_partial: !is_well,
    }
}

fn row(view: &WorldView<'_>, source: &SourceInfo) -> Vec<Cell> {
    let cache = view.world.cache(&source.id);
    let offer = cache.and_then(|cache| cache.probe().value());
    let failure = cache.and_then(|cache| sources::failure(source, cache));
    let has_answered = offer.is_some() || failure.is_some_and(proves_reachable);
    let is_reachable = match (has_answered, failure) {
        (true, _) => Cell::Switch(true),
        // without its secret the source was not queried
        (false, None | Some(ErrorKind::NoSecret { .. })) => Cell::Nothing,
        (false, Some(_)) => Cell::Switch(false),
    };
    let is_refused = failure.is_some_and(is_about_credentials);
    let is_authorised = if is_refused || offer.is_some() { Cell::Switch(!is_refused) } else { Cell::Nothing };
    vec![
        Cell::Text(source.id.to_string()),
        Cell::Text(sources::state(view, source).to_owned()),
        Cell::Text(source.kind.name().to_owned()),
        Cell::Text(source.address.to_string()),
        source.tenant.as_ref().map_or(Cell::Nothing, |tenant| Cell::Text(tenant.to_string())),
        is_reachable,
        is_authorised,
        offer.map_or(Cell::Nothing, |offer| {
            Cell::words(format!("{} {}", offer.flavour, offer.version).trim())
        }),
        Cell::Texts(cache.map_or_else(Vec::new, |cache| offers(source, cache, offer))),
        Cell::Texts(cache.map_or_else(Vec::new, |cache| missing(source, cache))),
        Cell::Texts(remarks(source, cache)),
        Cell::Texts(advice(view, source, cache, offer)),
    ]
}

/// Whether the error shows that a server answered.
fn proves_reachable(failure: &ErrorKind) -> bool {
    !matches!(
        failure,
        ErrorKind::Unreachable { .. }
            | ErrorKind::Certificate { .. }
            | ErrorKind::TimedOut { .. }
            | ErrorKind::NoSecret { .. }
            | ErrorKind::Internal { .. }
    )
}

fn is_about_credentials(failure: &ErrorKind) -> bool {
    matches!(
        failure,
        ErrorKind::Unauthorised { .. }
            | ErrorKind::Forbidden { .. }
            | ErrorKind::Redirected { .. }
            | ErrorKind::NoSecret { .. }
    )
}

fn offers(source: &SourceInfo, cache: &AnswerCache, offer: Option<&ProbeReport>) -> Vec<String> {
    let answered =
        |kind: &AskKind| cache.snapshot(*kind).is_some_and(|s| s.at.is_some() && s.failure().is_none());
    let words: Vec<_> = AskKind::all_vital()
        .iter()
        .filter(|kind| **kind != AskKind::Probe && source.answers.contains(kind) && answered(kind))
        .map(|kind| kind.word())
        .collect();
    let mut lines = if words.is_empty() { Vec::new() } else { vec![words.join(", ")] };
    lines.extend(
        offer.into_iter().flat_map(|offer| &offer.facts).map(|(name, value)| format!("{name}: {value}")),
    );
    lines
}

/// Questions without an answer, with the error; warnings about missing data; and failing rules.
fn missing(source: &SourceInfo, cache: &AnswerCache) -> Vec<String> {
    let mut gaps: Vec<(String, Vec<&str>)> = Vec::new();
    for kind in AskKind::all_vital().iter().filter(|kind| source.answers.contains(kind)) {
        let Some(standing) = cache.snapshot(*kind) else { continue };
        let gap = match standing.failure() {
            Some(error) => error.kind.to_string(),
            None if standing.at.is_none() => "no answer in time".to_owned(),
            None => continue,
        };
        match gaps.iter_mut().find(|(known, _)| *known == gap) {
            Some((_, words)) => words.push(kind.word()),
            None => gaps.push((gap, vec![kind.word()])),
        }
    }
    let mut lines: Vec<_> = gaps.iter().map(|(gap, words)| format!("{}: {gap}", words.join(", "))).collect();
    lines.extend(sources::warnings(source, cache));
    let broken = cache.rules().value().map_or(&[][..], |snapshot| &snapshot.broken);
    lines.extend(broken.iter().take(MAX_BROKEN_RULES).map(BrokenRule::sentence));
    if broken.len() > MAX_BROKEN_RULES {
        lines.push(format!("and {} more rules fail", broken.len() - MAX_BROKEN_RULES));
    }
    lines
}

/// Remarks that mean no missing data: a secret sent over plain HTTP, and the annotations of the query engine.
fn remarks(source: &SourceInfo, cache: Option<&AnswerCache>) -> Vec<String> {
    let said = cache.map(|cache| cache.warnings(AskKind::all_vital())).unwrap_or_default().into_iter();
    let said = said.filter(|warning| warning.kind == WarningKind::Annotation).map(ToString::to_string);
    source.exposure().map(str::to_owned).into_iter().chain(said).collect()
}

/// What to do about each error, partial answers, failing rules, a wrong clock and a missing watchdog.
fn advice(
    view: &WorldView<'_>,
    source: &SourceInfo,
    cache: Option<&AnswerCache>,
    offer: Option<&ProbeReport>,
) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for kind in AskKind::all_vital().iter().filter(|kind| source.answers.contains(kind)) {
        let failure = cache.and_then(|cache| cache.snapshot(*kind)?.failure());
        let advice = failure.map(|error| error.kind.advice().to_owned());
        lines.extend(advice.filter(|advice| !lines.contains(advice)));
    }
    if cache.is_some_and(|cache| {
        cache.warnings(AskKind::all_vital()).iter().any(|warning| warning.is_missing_data())
    }) {
        lines.push(
            "Some answers are partial, so lists may be incomplete: check the server's health.".to_owned(),
        );
    }
    if cache.and_then(|cache| cache.rules().value()).is_some_and(|snapshot| !snapshot.broken.is_empty()) {
        lines.push("Fix the failing rules: until then they neither alert nor record.".to_owned());
    }
    let skew = offer.and_then(|offer| offer.clock_ahead_seconds).unwrap_or(0);
    if skew.unsigned_abs() > MAX_SKEW_SECONDS {
        lines.push(format!(
            "Its clock is {skew:+}s off this machine's clock: synchronise both with NTP, otherwise ages are wrong."
        ));
    }
    if sources::watchdog(view, source) == Some(Watchdog::Absent) {
        let advice = "The watchdog (an alert that always fires) does not arrive: alerting may be broken, or the alert \
                      has another name (add the name to severity.watchdogs).";
        lines.push(advice.to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{am, prom, reading, world};
    use crate::cli::report::table;

    #[test]
    fn a_source_that_cannot_be_reached_is_told_with_what_to_do() {
        let fixture = world().with_trouble(&prom());
        let document = document(&fixture.view());
        let text = table::render(&document);
        assert!(document.is_partial);
        let expected = "\
prom
  verdict     failed
  kind        prometheus
  address     http://prom:9090
  reachable   no
  missing     status, rules, SLOs: no answer in time
              services: cannot connect (refused)
  what to do  Check that it runs and that the address, VPN or tunnel is right.
";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn a_source_without_its_secret_was_never_reached_for() {
        let failure = ErrorKind::NoSecret { reason: "env TOKEN is not set".into() };
        let text = table::render(&document(&world().with_this_trouble(&prom(), failure).view()));
        assert!(text.contains("authorised  no") && !text.contains("reachable"), "{text}");
    }

    #[test]
    fn a_secret_that_all_on_the_way_can_read_is_remarked_on() {
        use crate::backend::{Clock, SourceDeps, connect, kind};
        use crate::config::settings::{AuthSettings, SecretRef, Settings, SourceSettings};
        let settings = Settings::default();
        let connected = |kind, url: &str, auth| {
            let mut source = SourceSettings::new(kind, url);
            source.auth = auth;
            let deps = SourceDeps::new(&settings, Clock::fixed(jiff::Timestamp::UNIX_EPOCH));
            connect(&crate::model::source::SourceId::new("one"), &source, deps).info().clone()
        };
        let token = || Some(AuthSettings::Bearer(SecretRef::Env("TOKEN".into())));
        for kind in [kind("prometheus"), kind("alertmanager"), kind("pagerduty")] {
            let exposed = connected(kind, "http://one.example", token());
            let reported = remarks(&exposed, None);
            assert!(reported.len() == 1 && reported[0].contains("unencrypted"), "{reported:?}");
            for (url, auth) in [
                ("https://one.example", token()),
                ("http://127.0.0.1:9090", token()),
                ("http://one.example", None),
            ] {
                assert_eq!(remarks(&connected(kind, url, auth), None), Vec::<String>::new(), "{url}");
            }
        }
    }

    #[test]
    fn a_rule_that_fails_is_named_with_its_reason_and_its_source_is_partial() {
        let broken = |name: &str, records| BrokenRule {
            name: name.into(),
            group: "disks".into(),
            labels: crate::model::labels::Labels::default(),
            error: "many-to-many".into(),
            records,
        };
        let snapshot = crate::model::rule::RuleSnapshot {
            broken: vec![broken("Unpaired", false), broken("job:a", true)],
            ..crate::model::rule::RuleSnapshot::default()
        };
        let fixture = world().with_probe(&prom(), 0).with_services(&prom(), Vec::new());
        let fixture = fixture.with_rule_board(&prom(), snapshot).with_alerts(&am(), Vec::new());
        let document = document(&fixture.view());
        let text = table::render(&document);
        assert!(document.is_partial);
        for part in [
            "verdict     partial\n",
            "alerting rule Unpaired (group disks) fails: many-to-many\n",
            "recording rule job:a (group disks) fails: many-to-many\n",
        ] {
            assert!(text.contains(part), "{part:?} in\n{text}");
        }
    }

    #[test]
    fn a_well_source_lists_what_it_offers() {
        let fixture = world()
            .with_probe(&prom(), 90)
            .with_services(&prom(), vec![reading("a", 0.0)])
            .with_rules(&prom())
            .with_slos(&prom(), Vec::new())
            .with_alerts(&am(), Vec::new());
        let text = table::render(&document(&fixture.view()));
        for part in [
            "verdict     fine\n",
            "authorised  yes\n",
            "version     Prometheus 3.5.0\n",
            "offers      services, rules, SLOs\n              services by: service\n",
            "Its clock is +90s off",
            "severity.watchdogs",
        ] {
            assert!(text.contains(part), "{part:?} in\n{text}");
        }
    }
}
