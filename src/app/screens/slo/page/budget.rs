//! The budget of an SLO: when it is gone, and what ate it.

use crate::app::prelude::*;
use crate::app::screens::slo::OpenSlo;
use crate::app::screens::slo::bases;
use crate::app::subjects::slo::course::{self, Course};
use crate::app::subjects::slo::words;
use crate::model::slo::{Exhaustion, Standing, show};

/// Most slots that are listed.
const WORST: usize = 8;
/// Less than this share of the budget is not worth a line.
const LEAST: f64 = 0.001;

/// When the budget is gone, by each burn; of a calendar period also how it goes to date.
pub(super) fn exhaustion(
    screen: &OpenSlo,
    shared: &Shared,
    status: &SloStatus,
    standing: &Standing,
    course: Option<&Course>,
    page: &mut Page,
) {
    let Some(left) = standing.left() else { return };
    page.title("Budget gone");
    let basis = standing.burn_near(screen.basis).map(|burn| burn.lookback);
    let under_way = course::under_way(status, standing);
    for burn in bases(standing, screen.basis) {
        let Some(rate) = burn.rate else { continue };
        let is_basis = basis == Some(burn.lookback);
        let role = if is_basis { Role::Accent } else { Role::Text };
        let head = format!("at {} ({})", show::burn(rate), duration::short(burn.lookback));
        let told = if let Some(under_way) = under_way {
            let exhaustion = under_way.exhaustion(rate);
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
                (
                    None
                    | Some(Exhaustion::NotWithinWindow(_) | Exhaustion::NotBeforeReset(_) | Exhaustion::Never),
                    _,
                ) => show::exhaustion(earliest),
            }
        };
        let forecast = if is_basis { "  (forecast)" } else { "" };
        page.pair(&head, &format!("{told}{forecast}"), role);
    }
    if let (Some(under_way), Some(course)) = (under_way, course)
        && under_way.left() <= 0.0
        && let Some(since) = course.exhausted_since()
    {
        page.pair("exhausted since", &moment(since.at, status.at, &shared.look.zone), Role::Down);
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
pub(super) fn bites(shared: &Shared, cx: &Cx<'_>, status: &SloStatus, course: &Course, page: &mut Page) {
    let mut bites = course.bites(shared, status, WORST);
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
