//! The definition of an SLO: objective, window, budgeting method, origin.

use crate::app::prelude::*;
use crate::app::subjects::slo::course;
use crate::model::slo::{BudgetingMethod, DefinitionOrigin, Evaluation, Form, GroupStatus, Window, show};

/// Writes the definition, the SLI, and where the definition was read.
pub(super) fn definition(
    shared: &Shared,
    status: &SloStatus,
    group_status: Option<&GroupStatus>,
    page: &mut PageContent,
) {
    let slo = &*status.slo;
    page.title("Definition");
    if !slo.description.is_empty() {
        page.paragraph(&slo.description, Role::Text);
    }
    let service = status.service.as_deref().unwrap_or("unknown");
    page.pair("service", service, Role::Text);
    page.pair("objective", &format!("{}% over {}", slo.objective.percent_text(), slo.window), Role::Text);
    if let Window::Calendar(_) = slo.window {
        let bounds = slo.window.bounds(status.at);
        let zone = &shared.look.zone;
        let words = format!(
            "{} to {} (local time)",
            moment(bounds.start, status.at, zone),
            moment(bounds.end, status.at, zone)
        );
        page.pair("period", &words, Role::Text);
    }
    let counted = match slo.budgeting {
        BudgetingMethod::Occurrences => "each bad event counts".to_owned(),
        BudgetingMethod::Timeslices { slice, least } => {
            format!(
                "each {} with less than {}% good events counts as bad",
                duration::short(slice),
                crate::app::number::plain(least * 100.0)
            )
        }
        BudgetingMethod::RatioTimeslices { slice } => {
            format!("the average of the ratios of each {}", duration::short(slice))
        }
    };
    page.pair("budget", &counted, Role::Text);
    if let Some(group_status) = group_status {
        ratios(shared, status, group_status, page);
    }
    for (name, value) in slo.labels.iter() {
        page.pair(name, value, Role::Text);
    }
    page.pair("defined in", &origin(status), Role::Text);
    let evaluated = match status.evaluation {
        Evaluation::Recorded => "recorded series".to_owned(),
        Evaluation::Live => "live queries, no recording rules".to_owned(),
    };
    page.pair("measured by", &format!("{evaluated}, at {}", status.source), Role::Text);
    if let (Some(said), true) =
        (&status.failure, group_status.is_some_and(|group_status| group_status.doubt.is_none()))
    {
        page.pair("error", said, Role::Trouble);
    }
}

/// Writes the SLI, time-weighted and event-weighted if they may differ, and the budget in events if they are counted.
fn ratios(shared: &Shared, status: &SloStatus, group_status: &GroupStatus, page: &mut PageContent) {
    let objective = status.slo.objective;
    if let Some(error) = group_status.window.error() {
        let sli = show::sli(1.0 - error, objective);
        if group_status.is_time_weighted {
            page.pair(
                "SLI",
                &format!("{sli} time-weighted: the average of ratios, whatever the traffic"),
                Role::Text,
            );
            let words = match course::by_events(shared, status, group_status) {
                Some(good) => format!(
                    "{} event-weighted, budget {}",
                    show::sli(good, objective),
                    show::left(
                        1.0 - (1.0 - good) / objective.budget()
                            * course::passed(&status.slo.window, status.at)
                    )
                ),
                None => "event-weighted: unknown without a definition that counts events".to_owned(),
            };
            page.pair("", &words, Role::Muted);
        } else {
            page.pair("SLI", &sli, Role::Text);
        }
    }
    if let (Some(all), Some(error)) = (group_status.window.events(), group_status.window.error()) {
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

/// Where the definition was read.
fn origin(status: &SloStatus) -> String {
    match (&status.slo.origin, &status.slo.recorded) {
        (DefinitionOrigin::File { path, line, form }, _) => {
            let form = match form {
                Form::Own => "burnwatch's own format",
                Form::Sloth => "Sloth",
                Form::OpenSlo => "OpenSLO",
                Form::Pyrra => "Pyrra",
            };
            format!("{}:{line} ({form})", path.display())
        }
        (DefinitionOrigin::Series, Some(recorded)) => {
            format!(
                "recording rules of {}, {}={}",
                recorded.family.name(),
                recorded.family.identity(),
                recorded.id
            )
        }
        (DefinitionOrigin::Series, None) => format!("series at {}", status.source),
    }
}
