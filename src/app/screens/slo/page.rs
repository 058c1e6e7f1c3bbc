//! Everything about an SLO that is text, as lines that scroll: what holds, when it is gone, what ate it, how it is defined.

use super::course::{self, Course};
use super::{ALERTS, GROUPS, QUERIES, bases, near, queries, shown};
use crate::app::look::Cx;
use crate::app::number::{ago, moment};
use crate::app::screens::page::Page;
use crate::app::screens::slos::words;
use crate::app::state::State;
use crate::app::theme::Role;
use crate::app::widgets::text::{self, Run};
use crate::model::alert::{Alert, AlertState};
use crate::model::ask::AskKind;
use crate::model::duration;
use crate::model::labels::Labels;
use crate::model::promql;
use crate::model::remote::age;
use crate::model::rule::Rule;
use crate::model::slo::{
    Budgeting, Burn, Evaluation, Exhaustion, Form, Origin, PairNow, Severity, SloStatus, Standing, Window,
    show,
};
use crate::model::source::SourceId;

/// Most slots that are listed.
const WORST: usize = 8;
/// Less than this share of the budget is not worth a line.
const LEAST: f64 = 0.001;
/// Longer than this the alert and its condition may not disagree: two evaluations of the usual length.
const AGREES_WITHIN: std::time::Duration = std::time::Duration::from_secs(120);

/// The page, and on which of its lines the rows are that the cursor can be on.
pub(super) struct SloPage {
    pub(super) page: Page,
    /// Panel, place in its list, line.
    pub(super) rows: Vec<(usize, usize, usize)>,
}

impl SloPage {
    /// A row of a list, with the cursor's sign if it is there.
    fn row(&mut self, state: &State, cx: &Cx<'_>, (panel, index): (usize, usize), runs: Vec<Run<'static>>) {
        let at = match panel {
            GROUPS => state.slo.groups.index(),
            ALERTS => state.slo.alerts.index(),
            _ => state.slo.queries.index(),
        };
        let sign = if state.panel == panel && at == index { cx.symbol(Role::Selected) } else { " " };
        self.rows.push((panel, index, self.page.lines.len()));
        self.page.line(std::iter::once(Run::new(sign, Role::Accent)).chain(runs).collect());
    }
}

/// All of it, for a place of this width.
pub(super) fn page(state: &State, cx: &Cx<'_>, status: &SloStatus, width: u16) -> SloPage {
    let mut page = SloPage { page: Page::new(width), rows: Vec::new() };
    let standing = shown(state, status);
    let course = standing.and_then(|standing| Course::of(state, status, standing));
    doubts(cx, status, standing, &mut page.page);
    if let Some(standing) = standing {
        conditions(cx, state, status, standing, &mut page.page);
        exhaustion(state, status, standing, course.as_ref(), &mut page.page);
        if let Some(course) = &course {
            bites(state, cx, status, course, &mut page.page);
        }
    }
    groups(state, cx, status, &mut page);
    alerts(state, cx, &mut page);
    definition(state, status, standing, &mut page.page);
    let all = queries(status, status.at);
    if !all.is_empty() {
        page.page.title("Queries (y copies the one under the cursor)");
    }
    for (index, (name, query)) in all.into_iter().enumerate() {
        page.row(state, cx, (QUERIES, index), vec![Run::new(format!(" {name}"), Role::Muted)]);
        for line in text::wrap(&query, width.saturating_sub(5)) {
            page.page.line(vec![Run::new(format!("    {line}"), Role::Text)]);
        }
    }
    page
}

/// Why there is no number, or what is to be held against those that there are.
fn doubts(cx: &Cx<'_>, status: &SloStatus, standing: Option<&Standing>, page: &mut Page) {
    let sign = cx.symbol(Role::Unknown);
    match standing {
        None => {
            let said = status.trouble.as_deref().unwrap_or("its source has not said anything about it yet");
            page.paragraph(&format!("{sign} {said}"), Role::Unknown);
        }
        Some(standing) => {
            if let Some(doubt) = &standing.doubt {
                page.paragraph(&format!("{sign} {}", words::doubt(doubt, cx)), Role::Unknown);
            }
            if let Some(covered) = words::covered(status, standing) {
                let words = format!(
                    "{} Only {covered} are known: budget and SLI are of that time alone.",
                    cx.symbol(Role::Warning)
                );
                page.paragraph(&words, Role::Warning);
            }
        }
    }
}

/// The pairs: whether each holds now, its burns, how soon it notices; and whether the alerts say the same.
fn conditions(cx: &Cx<'_>, state: &State, status: &SloStatus, standing: &Standing, page: &mut Page) {
    if standing.pairs.is_empty() {
        return;
    }
    page.title("Conditions");
    let objective = status.slo.objective;
    let sentences: Vec<(String, Role)> = standing.pairs.iter().map(sentence).collect();
    let widest = sentences.iter().map(|(words, _)| text::width(words)).max().unwrap_or(0);
    for (now, (words, role)) in standing.pairs.iter().zip(sentences) {
        let pair = now.pair;
        let told = |burn: Option<f64>| burn.map_or_else(|| "-".to_owned(), show::burn);
        let burn = |lookback, burn| format!("  {:>4} {:>6}", duration::short(lookback), told(burn));
        let head = format!("  {} {}", cx.symbol(role), text::pad(&words, widest, cx.charset));
        let mut line = vec![Run::new(head, role)];
        let burns = [burn(pair.long, now.long), burn(pair.short, now.short)];
        let burns = burns.map(|words| Run::new(words, Role::Text));
        let notices: Vec<Run<'static>> = if pair.can_never_fire(objective) {
            let most = show::burn(objective.most_burn());
            vec![Run::new(format!("  can never fire: the most at this objective is {most}"), Role::Warning)]
        } else {
            let soon = |error| pair.time_to_detection(objective, error).map(duration::short);
            let present = now.short.and_then(|burn| soon(burn * objective.budget()));
            let outage = soon(1.0).map(|soon| format!("  sees an outage in {soon}"));
            let this = present.map(|soon| format!(", this in {soon}"));
            [outage, this].into_iter().flatten().map(|words| Run::new(words, Role::Muted)).collect()
        };
        for notice in burns.into_iter().chain(notices) {
            // half a number would be another number
            let used: u16 = line.iter().map(|run| text::width(&run.text)).sum();
            if used + text::width(&notice.text) <= page.width {
                line.push(notice);
            } else if notice.role == Role::Warning {
                page.line(std::mem::take(&mut line));
                line.push(Run::new(format!("  {}", notice.text), notice.role));
            } else {
                break;
            }
        }
        page.line(line);
    }
    let few =
        bases(standing, state.slo.basis()).into_iter().filter(|burn| words::is_hollow(&status.slo, burn));
    let few: Vec<String> = few.map(counted).collect();
    if !few.is_empty() {
        let words = format!(
            "{} Few events: {}. One failure more or less changes these burns much.",
            cx.symbol(Role::Info),
            few.join(", ")
        );
        page.paragraph(&words, Role::Muted);
    }
    if let Some((words, role)) = disagreement(cx, state, status) {
        page.paragraph(&format!("{} {words}", cx.symbol(role)), role);
    }
}

/// "1h and 5m above 14.4x: yes, page".
fn sentence(now: &PairNow) -> (String, Role) {
    let pair = now.pair;
    let (answer, role) = match (now.holds, pair.severity) {
        (Some(true), Severity::Page) => ("yes, page", Role::Critical),
        (Some(true), Severity::Ticket) => ("yes, ticket", Role::Warning),
        (Some(false), _) => ("no", Role::Healthy),
        (None, _) => ("not known", Role::Unknown),
    };
    let above = if pair.at_least { "at least" } else { "above" };
    let lookbacks = format!("{} and {}", duration::short(pair.long), duration::short(pair.short));
    let factor = show::factor(pair.factor);
    let severity =
        if now.holds == Some(true) { String::new() } else { format!(" ({})", pair.severity.word()) };
    (format!("{lookbacks} {above} {factor}: {answer}{severity}"), role)
}

/// "5m 12 of 240": the events of a lookback, with those that were bad.
fn counted(burn: &Burn) -> String {
    let (all, error) = (burn.measured.events().unwrap_or(0.0), burn.measured.error().unwrap_or(0.0));
    format!(
        "{} {} of {} bad",
        duration::short(burn.lookback),
        show::events((all * error).round()),
        show::events(all)
    )
}

/// Where alerts and conditions say different things for longer than evaluation takes.
fn disagreement(cx: &Cx<'_>, state: &State, status: &SloStatus) -> Option<(String, Role)> {
    let holds = status.groups.iter().flat_map(|group| &group.pairs).any(|now| now.holds == Some(true));
    let are_known = status.groups.iter().flat_map(|group| &group.pairs).all(|now| now.holds.is_some());
    // what fires at another source that has an SLO of this name is about that one
    let tells = |id: &SourceId| {
        state.sources.iter().any(|source| source.id == *id && source.answers.contains(&AskKind::Slos))
    };
    let is_ours = |alert: &&std::sync::Arc<Alert>| {
        alert.sources.contains(&status.source) || !alert.sources.iter().any(tells)
    };
    let alerts = status.alerts.iter().filter_map(|alert| state.world.alert(*alert));
    let alerts: Vec<_> = alerts.filter(is_ours).collect();
    if alerts.is_empty() {
        let words = if has_rule(state, status) {
            "A condition holds, but no alert of this SLO fires or is pending."
        } else {
            "A condition holds, but no alerting rule of this SLO is known: nobody may be told."
        };
        return holds.then(|| (words.to_owned(), Role::Warning));
    }
    let firing = alerts.iter().filter(|alert| alert.state == AlertState::Firing);
    let longest = firing.min_by_key(|alert| alert.starts_at)?;
    (!holds && are_known && age(longest.starts_at, cx.now) > AGREES_WITHIN).then(|| {
        let since = ago(longest.starts_at, cx.now);
        (format!("{} fires since {since}, though no condition holds now.", longest.name()), Role::Warning)
    })
}

/// Whether a rule is known that alerts for this SLO, or rules are not known at all.
fn has_rule(state: &State, status: &SloStatus) -> bool {
    let boards: Vec<_> = state.world.sources().filter_map(|(_, held)| held.rules.value()).collect();
    let id = status.slo.recorded.as_ref().map(|recorded| promql::quoted(&recorded.id));
    let mut rules = boards.iter().flat_map(|board| &board.rules);
    let is_its = |rule: &std::sync::Arc<Rule>| {
        let labels = rule.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
        let labels = Labels::new(labels.chain([("alertname".into(), rule.name.clone())]).collect());
        status.slo.is_about(&labels) || id.as_ref().is_some_and(|id| rule.expr.contains(id.as_str()))
    };
    boards.is_empty() || rules.any(is_its)
}

/// When the budget is gone, by each burn; of a calendar period also how it goes to date.
fn exhaustion(
    state: &State,
    status: &SloStatus,
    standing: &Standing,
    course: Option<&Course>,
    page: &mut Page,
) {
    let Some(left) = standing.left() else { return };
    page.title("Budget gone");
    let basis = near(standing, state.slo.basis()).map(|burn| burn.lookback);
    let under_way = course::under_way(status, standing);
    for burn in bases(standing, state.slo.basis()) {
        let Some(rate) = burn.rate else { continue };
        let is_basis = basis == Some(burn.lookback);
        let role = if is_basis { Role::Accent } else { Role::Text };
        let head = format!("at {} ({})", show::burn(rate), duration::short(burn.lookback));
        let told = if let Some(under_way) = under_way {
            match under_way.exhaustion(rate) {
                Some(Exhaustion::In(after)) => format!("in {}", show::time(after)),
                other => show::exhaustion(other),
            }
        } else {
            let earliest = Exhaustion::earliest(left, rate, status.slo.window.length(status.at));
            let exact = course.and_then(|course| course.exhaustion(status, rate));
            match (earliest, exact) {
                (
                    Some(Exhaustion::In(_)),
                    Some(exact @ (Exhaustion::NotWithinWindow(_) | Exhaustion::Never)),
                ) => show::exhaustion(Some(exact)),
                (Some(Exhaustion::In(soon)), Some(exact)) => {
                    let (soon, exact) = (show::time(soon), show::exhaustion(Some(exact)));
                    if soon == exact {
                        format!("in {soon}")
                    } else {
                        format!("at the earliest in {soon}, with what leaves the window {exact}")
                    }
                }
                (Some(Exhaustion::In(soon)), None) => format!("at the earliest in {}", show::time(soon)),
                (Some(Exhaustion::Exhausted), _) => {
                    let back = course.and_then(|course| course.back(rate));
                    let back = back.map_or_else(
                        || "not back within the window".to_owned(),
                        |after| format!("some is back in {}", show::time(after)),
                    );
                    format!("exhausted; {back}")
                }
                (earliest, _) => show::exhaustion(earliest),
            }
        };
        let forecast = if is_basis { "  (forecast)" } else { "" };
        page.pair(&head, &format!("{told}{forecast}"), role);
    }
    if let (Some(under_way), Some(course)) = (under_way, course)
        && under_way.left() <= 0.0
        && let Some(since) = course.exhausted_since()
    {
        page.pair("exhausted since", &moment(since.at, status.at, &state.look.zone), Role::Down);
    }
    if let Some(under_way) = under_way {
        let pace = format!(
            "{} of what the time so far allows, average burn {}",
            show::left(under_way.left_to_date()),
            show::burn(under_way.pace())
        );
        page.pair("left to date", &pace, Role::Text);
        if let Some(burn) = under_way.sustainable_burn() {
            let words = format!("{} until the reset in {}", show::burn(burn), show::time(under_way.reset()));
            page.pair("can bear", &words, Role::Text);
        }
    }
}

/// What ate the budget.
fn bites(state: &State, cx: &Cx<'_>, status: &SloStatus, course: &Course, page: &mut Page) {
    let mut bites = course.bites(state, status, WORST);
    bites.retain(|bite| bite.share >= LEAST);
    let slot = duration::short(course.spending.slot());
    page.title(&format!("What ate the budget: the worst {slot}, in {}", zone(cx, status)));
    if bites.is_empty() {
        page.line(vec![Run::new(format!("  no {slot} took {} or more", show::left(LEAST)), Role::Healthy)]);
    } else {
        let head = format!("  {:<22}  {:>6}  {:>6}  {}", "when", "spent", "burn", "incidents and alerts");
        page.line(vec![Run::new(head, Role::Muted)]);
    }
    for bite in bites {
        let here = |at: jiff::Timestamp| at.to_zoned(cx.zone.clone());
        let when =
            format!("{}-{}", here(bite.from).strftime("%a %b %d %H:%M"), here(bite.to).strftime("%H:%M"));
        let share = show::left(bite.share.min(1.0));
        let share = if bite.share > 1.0 { format!("{:.0}%", bite.share * 100.0) } else { share };
        let role = words::burn_role(&status.slo, course.spending.slot(), bite.burn);
        page.line(vec![
            Run::new(format!("  {when}  {share:>6}"), Role::Text),
            Run::new(format!("  {:>6}", show::burn(bite.burn)), role),
            Run::new(format!("  {}", bite.fired.join(", ")), Role::Muted),
        ]);
    }
    let unknown = course.spending.unknown();
    if unknown > 0 {
        let words = format!(
            "  {unknown} of {} have no data; they count as nothing spent",
            course.spending.shares().len()
        );
        page.line(vec![Run::new(words, Role::Stale)]);
    }
}

/// What the clock of the screen is called.
fn zone(cx: &Cx<'_>, status: &SloStatus) -> String {
    status.at.to_zoned(cx.zone.clone()).strftime("%Z").to_string()
}

/// Each group with its own budget, the worst first.
fn groups(state: &State, cx: &Cx<'_>, status: &SloStatus, page: &mut SloPage) {
    let list = &state.slo.groups;
    if list.rows().is_empty() {
        return;
    }
    page.page.title(&format!("Groups: {} (the charts show the one under the cursor)", list.rows().len()));
    let named: Vec<_> =
        list.rows().iter().map(|labels| status.groups.iter().find(|group| group.labels == *labels)).collect();
    let widest =
        named.iter().flatten().map(|group| text::width(&words::group(group))).max().unwrap_or(0).min(40);
    for (index, group) in named.into_iter().enumerate() {
        let Some(group) = group else {
            page.row(state, cx, (GROUPS, index), Vec::new());
            continue;
        };
        let role = Role::of_slo(group.state);
        let name = text::pad(&words::group(group), widest, cx.charset);
        let mut runs = vec![Run::new(format!(" {} {name}  ", cx.symbol(role)), role)];
        let left = words::left(Some(group));
        runs.push(Run::new(format!("left {:>6}", left.text), left.role));
        for lookback in [300, 3600, 21_600].map(std::time::Duration::from_secs) {
            let burn = words::burn(&status.slo, group, lookback);
            runs.push(Run::new(format!("  {} ", duration::short(lookback)), Role::Muted));
            runs.push(Run::new(format!("{:>6}", burn.text), burn.role));
        }
        runs.push(Run::new(format!("  {}", group.state.word()), role));
        page.row(state, cx, (GROUPS, index), runs);
    }
}

/// Its alerts that fire or are pending.
fn alerts(state: &State, cx: &Cx<'_>, page: &mut SloPage) {
    let list = &state.slo.alerts;
    page.page.title(&format!("Alerts of this SLO: {}", list.rows().len()));
    for (index, fingerprint) in list.rows().iter().enumerate() {
        let Some(alert) = state.world.alert(*fingerprint) else {
            page.row(state, cx, (ALERTS, index), Vec::new());
            continue;
        };
        let role = Role::of_alert(alert);
        let about = format!("{}  {} {}  ", alert.severity.word(), alert.state, ago(alert.starts_at, cx.now));
        let runs = vec![
            Run::new(format!(" {} {}  ", cx.symbol(role), alert.name()), role),
            Run::new(about, Role::Text),
            Run::new(alert.summary().map_or_else(String::new, ToString::to_string), Role::Muted),
        ];
        page.row(state, cx, (ALERTS, index), runs);
    }
}

fn definition(state: &State, status: &SloStatus, standing: Option<&Standing>, page: &mut Page) {
    let slo = &*status.slo;
    page.title("Definition");
    if !slo.description.is_empty() {
        page.paragraph(&slo.description, Role::Text);
    }
    let service = status.service.as_deref().unwrap_or("not known");
    page.pair("service", service, Role::Text);
    page.pair("objective", &format!("{}% over {}", slo.objective.percent_text(), slo.window), Role::Text);
    if let Window::Calendar(_) = slo.window {
        let bounds = slo.window.bounds(status.at);
        let zone = &state.look.zone;
        let words = format!(
            "{} to {} (your time)",
            moment(bounds.start, status.at, zone),
            moment(bounds.end, status.at, zone)
        );
        page.pair("period", &words, Role::Text);
    }
    let counted = match slo.budgeting {
        Budgeting::Occurrences => "each bad event counts".to_owned(),
        Budgeting::Timeslices { slice, least } => {
            format!(
                "each {} with less than {}% good counts",
                duration::short(slice),
                crate::app::number::plain(least * 100.0)
            )
        }
        Budgeting::RatioTimeslices { slice } => {
            format!("the mean of the ratios of each {}", duration::short(slice))
        }
    };
    page.pair("budget", &counted, Role::Text);
    if let Some(standing) = standing {
        ratios(state, status, standing, page);
    }
    for (name, value) in slo.labels.iter() {
        page.pair(name, value, Role::Text);
    }
    page.pair("from", &origin(status), Role::Text);
    let evaluated = match status.evaluation {
        Evaluation::Recorded => "recorded series".to_owned(),
        Evaluation::Live => "live: its own queries, no recording rules".to_owned(),
    };
    page.pair("measured by", &format!("{evaluated}, at {}", status.source), Role::Text);
    if let (Some(said), true) = (&status.trouble, standing.is_some_and(|standing| standing.doubt.is_none())) {
        page.pair("trouble", said, Role::Trouble);
    }
}

/// The SLI in both weights where they may differ, and the budget in events where they are counted.
fn ratios(state: &State, status: &SloStatus, standing: &Standing, page: &mut Page) {
    let objective = status.slo.objective;
    if let Some(error) = standing.window.error() {
        let sli = show::sli(1.0 - error, objective);
        if standing.is_time_weighted {
            page.pair(
                "SLI",
                &format!("{sli} time-weighted: the mean of ratios, busy and quiet times alike"),
                Role::Text,
            );
            let words = match course::by_events(state, status, standing) {
                Some(good) => format!(
                    "{} event-weighted, budget left {}",
                    show::sli(good, objective),
                    show::left(1.0 - (1.0 - good) / objective.budget() * elapsed(status))
                ),
                None => "event-weighted: not known without a definition that counts events".to_owned(),
            };
            page.pair("", &words, Role::Muted);
        } else {
            page.pair("SLI", &sli, Role::Text);
        }
    }
    if let (Some(all), Some(error)) = (standing.window.events(), standing.window.error()) {
        let allowed = all * objective.budget();
        let words = format!(
            "{} of {} bad, {} allowed",
            show::events((all * error).round()),
            show::events(all.round()),
            show::events(allowed)
        );
        page.pair("events", &words, Role::Text);
    }
}

/// The share of a calendar window that has passed; all of a rolling one.
fn elapsed(status: &SloStatus) -> f64 {
    let window = &status.slo.window;
    let (elapsed, length) = (window.elapsed(status.at).as_secs_f64(), window.length(status.at).as_secs_f64());
    if length > 0.0 { elapsed / length } else { 1.0 }
}

/// Where it was read.
fn origin(status: &SloStatus) -> String {
    match (&status.slo.origin, &status.slo.recorded) {
        (Origin::File { path, line, form }, _) => {
            let form = match form {
                Form::Own => "burnwatch's own form",
                Form::Sloth => "Sloth",
                Form::OpenSlo => "OpenSLO",
                Form::Pyrra => "Pyrra",
            };
            format!("{}:{line} ({form})", path.display())
        }
        (Origin::Series, Some(recorded)) => {
            format!(
                "recording rules of {}, {}={}",
                recorded.family.name(),
                recorded.family.identity(),
                recorded.id
            )
        }
        (Origin::Series, None) => format!("series at {}", status.source),
    }
}
