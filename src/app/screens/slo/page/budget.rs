//! The budget of an SLO: when it is exhausted, and which time slots spent most of it.

use crate::app::prelude::*;
use crate::app::screens::slo::OpenSlo;
use crate::app::screens::slo::forecast_burns;
use crate::app::subjects::slo::course::{self, BudgetCourse};
use crate::app::subjects::slo::words;
use crate::model::slo::{Exhaustion, GroupStatus, show};

/// Most slots in the list.
const MAX_SPENDING_SLOTS: usize = 8;
/// A slot that spent less than this share of the budget is left out.
const MIN_SHARE: f64 = 0.001;

/// The time to exhaustion at each burn rate; for a calendar window also the budget to date.
pub(super) fn exhaustion(
    screen: &OpenSlo,
    shared: &Shared,
    status: &SloStatus,
    group_status: &GroupStatus,
    course: Option<&BudgetCourse>,
    page: &mut PageContent,
) {
    let Some(left) = group_status.left() else { return };
    page.title("Budget exhaustion");
    let basis = group_status.burn_near(screen.basis).map(|burn| burn.lookback);
    let current_period = course::current_period(status, group_status);
    for burn in forecast_burns(group_status, screen.basis) {
        let Some(rate) = burn.rate else { continue };
        let is_basis = basis == Some(burn.lookback);
        let role = if is_basis { Role::Accent } else { Role::Text };
        let head = format!("at {} ({})", show::burn(rate), duration::short(burn.lookback));
        let reported = if let Some(current_period) = current_period {
            let exhaustion = current_period.exhaustion(rate);
            if let Some(Exhaustion::In(after)) = exhaustion {
                format!("in {}", show::time(after))
            } else {
                show::exhaustion(exhaustion)
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
                        format!("in {soon} at the earliest, in {exact} as old errors leave the window")
                    }
                }
                (Some(Exhaustion::In(soon)), None) => format!("in {} at the earliest", show::time(soon)),
                (Some(Exhaustion::Exhausted), _) => {
                    let back = course.and_then(|course| course.back(rate));
                    let back = back.map_or_else(
                        || "nothing recovers within the window".to_owned(),
                        |after| format!("recovery begins in {}", show::time(after)),
                    );
                    format!("exhausted; {back}")
                }
                (
                    None
                    | Some(Exhaustion::NotWithinWindow(_) | Exhaustion::NotBeforeReset(_) | Exhaustion::Never),
                    _,
                ) => show::exhaustion(earliest),
            }
        };
        let forecast = if is_basis { "  (forecast)" } else { "" };
        page.pair(&head, &format!("{reported}{forecast}"), role);
    }
    if let (Some(current_period), Some(course)) = (current_period, course)
        && current_period.left() <= 0.0
        && let Some(since) = course.exhausted_since()
    {
        page.pair("exhausted since", &moment(since.at, status.at, &shared.look.zone), Role::Down);
    }
    if let Some(current_period) = current_period {
        let pace = format!(
            "{} of the budget allowed so far is left, average burn rate {}",
            show::left(current_period.left_to_date()),
            show::burn(current_period.pace())
        );
        page.pair("budget to date", &pace, Role::Text);
        if let Some(burn) = current_period.sustainable_burn() {
            let words =
                format!("{} until the reset in {}", show::burn(burn), show::time(current_period.reset()));
            page.pair("sustainable burn", &words, Role::Text);
        }
    }
}

/// The slots that spent most of the budget, with the incidents and alerts of that time.
pub(super) fn worst_slots(
    cx: &ScreenCx<'_>,
    status: &SloStatus,
    course: &BudgetCourse,
    page: &mut PageContent,
) {
    let mut worst_slots = course.worst_slots(cx.shared, status, MAX_SPENDING_SLOTS);
    worst_slots.retain(|bite| bite.share >= MIN_SHARE);
    let slot = duration::short(course.spending.slot);
    page.title(&format!("Budget spent: the worst slots of {slot}, times in {}", zone(cx, status)));
    if worst_slots.is_empty() {
        page.line(vec![StyledRun::new(
            format!("  no slot of {slot} spent {} or more", show::left(MIN_SHARE)),
            Role::Healthy,
        )]);
    } else {
        let head = format!("  {:<22}  {:>6}  {:>6}  {}", "when", "spent", "burn", "incidents and alerts");
        page.line(vec![StyledRun::new(head, Role::Muted)]);
    }
    for bite in worst_slots {
        let here = |at: jiff::Timestamp| at.to_zoned(cx.zone.clone());
        let when =
            format!("{}-{}", here(bite.from).strftime("%a %b %d %H:%M"), here(bite.to).strftime("%H:%M"));
        let share = show::left(bite.share.min(1.0));
        let share = if bite.share > 1.0 { format!("{:.0}%", bite.share * 100.0) } else { share };
        let role = words::burn_role(&status.slo, course.spending.slot, bite.burn);
        page.line(vec![
            StyledRun::new(format!("  {when}  {share:>6}"), Role::Text),
            StyledRun::new(format!("  {:>6}", show::burn(bite.burn)), role),
            StyledRun::new(format!("  {}", bite.fired.join(", ")), Role::Muted),
        ]);
    }
    let unknown = course.spending.unknown();
    if unknown > 0 {
        let words =
            format!("  {unknown} of {} slots have no data and count as zero", course.spending.shares.len());
        page.line(vec![StyledRun::new(words, Role::Stale)]);
    }
}

/// The abbreviation of the displayed time zone.
fn zone(cx: &Cx<'_>, status: &SloStatus) -> String {
    status.at.to_zoned(cx.zone.clone()).strftime("%Z").to_string()
}
