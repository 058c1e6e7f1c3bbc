//! `burnwatch doctor`: what each source offers, its errors, and what to do about them.

use crate::app::columns::{ListColumn, Listed};
use crate::config::{did_you_mean, nearest};
use crate::model::ask::AskKind;
use crate::model::remote::AnswerState;
use crate::model::rule::BrokenRule;
use crate::model::source::{ErrorKind, ProbeReport};
use crate::model::warning::WarningKind;
use crate::model::world::{AnswerCache, Watchdog};

use super::report::{Cell, ListLayout, ReportDocument, ReportList};
use super::sources::{self, CheckedSource};
use super::view::WorldView;

/// A larger difference between the server's clock and this machine's is reported, in seconds: ages would be wrong.
const MAX_SKEW_SECONDS: u64 = 30;
/// The most failing rules that are named; the others are counted.
const MAX_BROKEN_RULES: usize = 50;

enum DoctorList {}

impl Listed for DoctorList {
    type Item<'a> = CheckedSource<'a>;
    type Widths = ();
}

type Column = ListColumn<DoctorList>;

const COLUMNS: &[Column] = &[
    Column::text("name", "source", |it| Cell::Text(it.source.id.to_string())),
    Column::text("verdict", "verdict", |it| Cell::Text(it.state().to_owned())),
    Column::text("kind", "kind", |it| Cell::Text(it.source.kind.name().to_owned())),
    Column::text("address", "address", |it| Cell::Text(it.source.address.to_string())),
    Column::text("tenant", "tenant", |it| {
        it.source.tenant.as_ref().map_or(Cell::Nothing, |tenant| Cell::Text(tenant.to_string()))
    }),
    Column::text("is_reachable", "reachable", reachable),
    Column::text("is_authorised", "authorised", |it| {
        let is_refused = it.failure().is_some_and(is_about_credentials);
        if is_refused || it.offer().is_some() { Cell::Switch(!is_refused) } else { Cell::Nothing }
    }),
    Column::text("version", "version", |it| {
        let version =
            |offer: &ProbeReport| Cell::words(format!("{} {}", offer.flavour, offer.version).trim());
        it.offer().map_or(Cell::Nothing, version)
    }),
    Column::text("offers", "offers", |it| Cell::Texts(offers(it))),
    Column::text("missing", "missing", |it| Cell::Texts(missing(it))),
    Column::text("remarks", "remarks", |it| Cell::Texts(remarks(it))),
    Column::text("advice", "what to do", |it| Cell::Texts(advice(it))),
];

/// A block for each source; partial unless the state of every source is `fine`.
pub(super) fn document(view: &WorldView<'_>) -> ReportDocument {
    let list = ReportList::of(("sources", "Sources", "No sources."), COLUMNS, sources::all(view));
    ReportDocument {
        context: view.context.to_owned(),
        as_of: view.now,
        facts: Vec::new(),
        lists: vec![ReportList { layout: ListLayout::Blocks, ..list }],
        notes: unknown_dependencies(view),
        is_partial: !sources::all(view).all(|source| source.state() == "fine"),
    }
}

/// The names in `[services.depends_on]` that no source reports, if every source of services has answered.
fn unknown_dependencies(view: &WorldView<'_>) -> Vec<String> {
    let (world, known) = (view.world, view.world.services());
    let of_services = view.sources.iter().filter(|source| source.answers.contains(&AskKind::Services));
    let mut caches = of_services.map(|source| world.cache(&source.id));
    let has_answered = |cache: &AnswerCache| {
        let services = cache.services();
        services.value().is_some() && services.failure().is_none()
    };
    if known.is_empty() || !caches.all(|cache| cache.is_some_and(has_answered)) {
        return Vec::new();
    }
    let names = world.health_policy.dependencies.names();
    let unknown = names.into_iter().filter(|name| world.service(name).is_none());
    let hint = |name: &str| did_you_mean(nearest(name, known.iter().map(|service| &*service.name)));
    unknown
        .map(|name| format!("[services.depends_on] names `{name}`, which no source reports{}", hint(name)))
        .collect()
}

/// Whether a server answered; nothing if none was asked.
fn reachable(it: &CheckedSource<'_>) -> Cell {
    let failure = it.failure();
    let has_answered = it.offer().is_some() || failure.is_some_and(proves_reachable);
    match (has_answered, failure) {
        (true, _) => Cell::Switch(true),
        // without its secret the source was not queried
        (false, None | Some(ErrorKind::NoSecret { .. })) => Cell::Nothing,
        (false, Some(_)) => Cell::Switch(false),
    }
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

fn offers(it: &CheckedSource<'_>) -> Vec<String> {
    let is_answered = |(kind, state): &(AskKind, &AnswerState)| {
        *kind != AskKind::Probe && state.at.is_some() && state.failure().is_none()
    };
    let words: Vec<_> = it.answers().filter(is_answered).map(|(kind, _)| kind.word()).collect();
    let words = (!words.is_empty()).then(|| words.join(", "));
    let facts = it.offer().into_iter().flat_map(|offer| &offer.facts);
    words.into_iter().chain(facts.map(|(name, value)| format!("{name}: {value}"))).collect()
}

/// Questions without an answer, with the error; warnings about missing data; and failing rules.
fn missing(it: &CheckedSource<'_>) -> Vec<String> {
    let mut gaps: Vec<(String, Vec<&str>)> = Vec::new();
    for (kind, state) in it.answers() {
        let gap = match state.failure() {
            Some(error) => error.kind.to_string(),
            None if state.at.is_none() => "no answer in time".to_owned(),
            None => continue,
        };
        match gaps.iter_mut().find(|(known, _)| *known == gap) {
            Some((_, words)) => words.push(kind.word()),
            None => gaps.push((gap, vec![kind.word()])),
        }
    }
    let mut lines: Vec<_> = gaps.iter().map(|(gap, words)| format!("{}: {gap}", words.join(", "))).collect();
    lines.extend(it.warnings());
    let broken = it.broken_rules();
    lines.extend(broken.iter().take(MAX_BROKEN_RULES).map(BrokenRule::sentence));
    if broken.len() > MAX_BROKEN_RULES {
        lines.push(format!("and {} more rules fail", broken.len() - MAX_BROKEN_RULES));
    }
    lines
}

/// Remarks that mean no missing data: a secret sent over plain HTTP, and the annotations of the query engine.
fn remarks(it: &CheckedSource<'_>) -> Vec<String> {
    let warnings = it.cache.warnings(AskKind::all_vital()).into_iter();
    let annotations = warnings.filter(|warning| warning.kind == WarningKind::Annotation);
    let exposure = it.source.exposure().map(str::to_owned);
    exposure.into_iter().chain(annotations.map(ToString::to_string)).collect()
}

/// What to do about each error, partial answers, failing rules, a wrong clock and a missing watchdog.
fn advice(it: &CheckedSource<'_>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for advice in it.answers().filter_map(|(_, state)| Some(state.failure()?.kind.advice())) {
        if !lines.iter().any(|known| known == advice) {
            lines.push(advice.to_owned());
        }
    }
    if it.cache.warnings(AskKind::all_vital()).iter().any(|warning| warning.is_missing_data()) {
        lines.push(
            "Some answers are partial, so lists may be incomplete: check the server's health.".to_owned(),
        );
    }
    if !it.broken_rules().is_empty() {
        lines.push("Fix the failing rules: until then they neither alert nor record.".to_owned());
    }
    let skew = it.offer().and_then(|offer| offer.clock_ahead_seconds).unwrap_or(0);
    if skew.unsigned_abs() > MAX_SKEW_SECONDS {
        lines.push(format!(
            "Its clock is {skew:+}s off this machine's clock: synchronise both with NTP, otherwise ages are wrong."
        ));
    }
    if it.watchdog() == Some(Watchdog::Absent) {
        let advice = "The watchdog (an alert that always fires) does not arrive: alerting may be broken, or the alert \
                      has another name (add the name to severity.watchdogs).";
        lines.push(advice.to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{Fixture, am, prom, reading, world};
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
        let remarks_on = |source| {
            let fixture = world().with_source(source);
            remarks(&sources::all(&fixture.view()).last().unwrap())
        };
        let token = || Some(AuthSettings::Bearer(SecretRef::Env("TOKEN".into())));
        for kind in [kind("prometheus"), kind("alertmanager"), kind("pagerduty")] {
            let exposed = connected(kind, "http://one.example", token());
            let reported = remarks_on(exposed);
            assert!(reported.len() == 1 && reported[0].contains("unencrypted"), "{reported:?}");
            for (url, auth) in [
                ("https://one.example", token()),
                ("http://127.0.0.1:9090", token()),
                ("http://one.example", None),
            ] {
                assert_eq!(remarks_on(connected(kind, url, auth)), Vec::<String>::new(), "{url}");
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
    fn a_configured_dependency_that_no_source_reports_is_named_with_the_nearest_service() {
        let services = || vec![reading("checkout", 0.0), reading("payments", 0.0)];
        let notes = |fixture: Fixture| {
            let mut fixture = fixture;
            fixture.world.health_policy.dependencies =
                [("checkout", ["paymnts", "payments", "zebra"])].into_iter().collect();
            document(&fixture.view()).notes
        };
        assert_eq!(
            notes(world().with_probe(&prom(), 0).with_services(&prom(), services())),
            [
                "[services.depends_on] names `paymnts`, which no source reports; did you mean `payments`?",
                "[services.depends_on] names `zebra`, which no source reports",
            ]
        );
        // while a source of services has not answered, a name may be one of its services
        assert_eq!(notes(world().with_trouble(&prom())), [""; 0]);
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
