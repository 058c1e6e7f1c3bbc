//! The form of a silence: for marked alerts, without alerts, to edit a silence, or to create an expired one again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{ActionForm, Field, FormKind, SHORT};
use crate::app::number::plural;
use crate::app::planner::consequences::silences::preview_at;
use crate::app::planner::{ActionProposal, Planner};
use crate::app::shared::Shared;
use crate::model::action::{OperationKind, SilenceDraft};
use crate::model::alert::Alert;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::matcher::{self, Matcher};
use crate::model::remote::age;
use crate::model::silence::{Silence, SilencePreview, SilenceState, can_be_hidden, refusal};
use crate::model::source::SourceId;
use crate::model::{duration, when};

pub(in crate::app) const SILENCED: Duration = Duration::from_secs(2 * 3600);
/// The durations that `+` and `-` go through.
const PRESETS: [&str; 10] = ["15m", "30m", "1h", "2h", "4h", "8h", "1d", "3d", "1w", "4w"];
/// The maximum length of the matchers in characters: room for thousands of values in one alternation.
const MATCHERS: usize = 400_000;

const LISTS: &str = "matchers";
const LASTS: &str = "for";
const COMMENT: &str = "comment";
pub(super) const BY: &str = "by";
pub(super) const STARTS: &str = "starts";
pub(super) const WITHOUT: &str = "without";

#[derive(Debug, Clone, Default)]
pub struct Silencing {
    pub at: Vec<SourceId>,
    pub marked: BTreeSet<Fingerprint>,
    /// The proposed matchers. While the field still has this text, the silences match only the label combinations of the alerts.
    pub proposed: String,
    /// The silence that is replaced.
    pub instead_of: Option<Arc<Silence>>,
    /// The alerts that the silences would affect now.
    pub preview: SilencePreview,
    pub lists: Vec<Vec<Matcher>>,
    pub wrong: Option<String>,
}

fn fields(matchers: &str, lasts: &str, comment: &str, by: &str, starts: &str) -> Vec<Field> {
    vec![
        Field::new(LISTS, matchers, MATCHERS),
        Field::new(LASTS, lasts, SHORT).choices(&PRESETS),
        Field::new(COMMENT, comment, SHORT),
        Field::new(BY, by, SHORT),
        Field::new(STARTS, starts, SHORT),
    ]
}

/// The marked alerts that a silence can affect.
fn marked<'a>(shared: &'a Shared, alerts: impl IntoIterator<Item = &'a Fingerprint>) -> Vec<&'a Arc<Alert>> {
    let known = alerts.into_iter().filter_map(|fingerprint| shared.world.alert(*fingerprint));
    known.filter(|alert| can_be_hidden(alert)).collect()
}

/// The form of silences for these alerts, with proposed matchers.
///
/// # Errors
/// The reason why no silence can be created.
pub(in crate::app) fn for_alerts(
    shared: &Shared,
    alerts: &[Fingerprint],
    lasts: Duration,
    comment: &str,
) -> Result<ActionForm, Text> {
    let marked = marked(shared, alerts);
    if marked.is_empty() {
        return Err("none of these alerts is pending or firing any more".into());
    }
    let plain: Vec<&Alert> = marked.iter().map(|alert| &***alert).collect();
    let at = Planner::of(shared).silenced_at(&plain)?;
    let labels = &shared.world.health_policy.service_labels;
    let proposal = Planner::of(shared).proposed(&marked, at.len(), labels, None)?;
    let title = format!("Silence {} at", plural(marked.len(), "alert"));
    let proposed = matcher::lists(&proposal.silences);
    let mut fields = fields(&proposed, &duration::text(lasts), comment, &shared.person, "now");
    let without = Field::new(WITHOUT, &proposal.left_out.join(", "), SHORT);
    fields.push(Field { is_optional: true, ..without });
    let marked = marked.iter().map(|alert| alert.fingerprint).collect();
    let silencing = Silencing { at, marked, proposed, ..Silencing::default() };
    // the focus is on the comment: only the user knows the reason
    Ok(form(shared, &title, silencing, fields, 2))
}

/// The form of a silence without given alerts.
///
/// # Errors
/// The reason why no silence can be created.
pub(in crate::app) fn from_nothing(shared: &Shared) -> Result<ActionForm, Text> {
    let silencing = Silencing { at: Planner::of(shared).silenced_at(&[])?, ..Silencing::default() };
    let fields = fields("", &duration::text(SILENCED), "", &shared.person, "now");
    Ok(form(shared, "New silence at", silencing, fields, 0))
}

/// The form that creates an expired silence again.
///
/// # Errors
/// The reason why it cannot be created.
pub(in crate::app) fn again(shared: &Shared, silence: &Silence) -> Result<ActionForm, Text> {
    Planner::of(shared).unavailable(&silence.source, OperationKind::Silence).map_or(Ok(()), Err)?;
    let lasted = Duration::from_secs(age(silence.starts_at, silence.ends_at).as_secs());
    let lasts = if lasted.is_zero() { SILENCED } else { lasted };
    let (matchers, comment) = (matcher::list(&silence.matchers), &silence.comment);
    let fields = fields(&matchers, &duration::text(lasts), comment, &shared.person, "now");
    let silencing = Silencing { at: vec![silence.source.clone()], ..Silencing::default() };
    Ok(form(shared, "Create the silence again at", silencing, fields, 2))
}

/// The form that edits a silence.
///
/// # Errors
/// The reason why it cannot be edited.
pub(in crate::app) fn edit(shared: &Shared, silence: &Arc<Silence>) -> Result<ActionForm, Text> {
    Planner::of(shared).unavailable(&silence.source, OperationKind::Edit).map_or(Ok(()), Err)?;
    if silence.state == SilenceState::Expired {
        return Err("it has expired: create it again instead".into());
    }
    let zone = &shared.look.zone;
    let (start, end) = (when::text(silence.starts_at, zone), when::text(silence.ends_at, zone));
    let fields = fields(&matcher::list(&silence.matchers), &end, &silence.comment, &shared.person, &start);
    let instead_of = Some(Arc::clone(silence));
    let silencing = Silencing { at: vec![silence.source.clone()], instead_of, ..Silencing::default() };
    Ok(form(shared, "Edit the silence at", silencing, fields, 0))
}

/// The form with its preview, and the focus on the field with this index.
fn form(shared: &Shared, what: &str, silencing: Silencing, fields: Vec<Field>, focus: usize) -> ActionForm {
    let sources: Vec<&str> = silencing.at.iter().map(SourceId::as_str).collect();
    let title = format!("{what} {}", sources.join(", "));
    let mut form = ActionForm::new(FormKind::Silence(Box::new(silencing)), title, fields, focus);
    refresh(shared, &mut form);
    form
}

/// Recomputes the preview; if the field `without` changed, also the proposed matchers.
pub(in crate::app) fn refresh(shared: &Shared, form: &mut ActionForm) {
    let is_at_without = form.fields.get(form.at).is_some_and(|field| field.name == WITHOUT);
    let without: Vec<String> =
        form.text(WITHOUT).split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let FormKind::Silence(silencing) = &mut form.kind else { return };
    if is_at_without {
        let marked = marked(shared, &silencing.marked);
        let (sources, labels) = (silencing.at.len(), &shared.world.health_policy.service_labels);
        let proposal = Planner::of(shared).proposed(&marked, sources, labels, Some(&without));
        if let Ok(proposal) = proposal {
            let proposed = matcher::lists(&proposal.silences);
            if proposed != silencing.proposed {
                silencing.proposed.clone_from(&proposed);
                if let Some(field) = form.fields.iter_mut().find(|field| field.name == LISTS) {
                    *field = Field::new(LISTS, &proposed, MATCHERS);
                }
            }
        }
    }
    let text = form.fields.iter().find(|field| field.name == LISTS).map_or("", |field| field.text());
    match lists_of(text) {
        Ok(lists) => {
            let matchers = lists.iter().map(Vec::as_slice);
            silencing.preview = preview_at(&shared.world, &silencing.at, matchers, &silencing.marked);
            (silencing.lists, silencing.wrong) = (lists, None);
        }
        Err(why) => silencing.wrong = Some(why),
    }
}

fn lists_of(text: &str) -> Result<Vec<Vec<Matcher>>, String> {
    let lists = matcher::parse_lists(text).map_err(|error| error.to_string())?;
    match lists.iter().find_map(|matchers| refusal(matchers)) {
        Some(why) => Err(why.to_owned()),
        None => Ok(lists),
    }
}

/// The start (`None`: at once) and the end of the silence, as written in the form.
pub(super) fn span(
    shared: &Shared,
    form: &ActionForm,
    instead_of: Option<&Silence>,
    now: Timestamp,
) -> Result<(Option<Timestamp>, Timestamp), String> {
    let zone = &shared.look.zone;
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let (starts, lasts) = (form.text(STARTS), form.text(LASTS));
    let kept = |text: &str, moment: fn(&Silence) -> Timestamp| {
        instead_of.map(moment).filter(|moment| when::text(*moment, zone) == text)
    };
    let start = match kept(starts, |silence| silence.starts_at) {
        // unchanged: the server's value is kept
        Some(_) => None,
        None => Some(when::parse(starts, now, zone).map_err(|error| error.to_string())?),
    };
    let begins = start.or(instead_of.map(|silence| silence.starts_at)).unwrap_or(now).max(now);
    let start = if instead_of.is_some() { start } else { start.filter(|start| *start > now) };
    if let Some(end) = kept(lasts, |silence| silence.ends_at) {
        return Ok((start, end));
    }
    let end = match duration::parse(lasts) {
        Ok(lasts) => {
            let lasts = SignedDuration::try_from(lasts).map_err(|error| error.to_string())?;
            begins.checked_add(lasts).map_err(|error| error.to_string())?
        }
        Err(error) => {
            let until = lasts.strip_prefix("until ").unwrap_or(lasts);
            when::parse(until, begins, zone).map_err(|_error| error.to_string())?
        }
    };
    Ok((start, end))
}

impl ActionForm {
    /// The omitted labels, while the matchers are still the proposed ones; `None` if the user changed them.
    pub(super) fn left_out(&self, silencing: &Silencing) -> Option<&str> {
        let is_proposed = !silencing.marked.is_empty() && self.text(LISTS) == silencing.proposed;
        is_proposed.then(|| self.text(WITHOUT))
    }
}

pub(super) fn planned(
    shared: &Shared,
    form: &ActionForm,
    silencing: &Silencing,
    now: Timestamp,
) -> Result<ActionProposal, Text> {
    let lists = lists_of(form.text(LISTS)).map_err(Text::from)?;
    let instead_of = silencing.instead_of.as_deref();
    let (starts_at, ends_at) = span(shared, form, instead_of, now).map_err(Text::from)?;
    let draft = |matchers: &[Matcher]| SilenceDraft {
        matchers: matchers.to_vec(),
        starts_at,
        ends_at,
        created_by: form.text(BY).into(),
        comment: form.text(COMMENT).into(),
    };
    let planner = Planner::of(shared);
    if let Some(silence) = instead_of {
        let [matchers] = lists.as_slice() else {
            return Err("edit one set of matchers only: several sets would create several silences".into());
        };
        return planner.edit(silence, draft(matchers), now);
    }
    let known = marked(shared, &silencing.marked);
    let wanted = lists.iter().map(|matchers| {
        let its = |alert: &&&Arc<Alert>| matchers.iter().all(|one| one.matches(&alert.labels));
        let its: Vec<&Alert> = known.iter().filter(its).map(|alert| &***alert).collect();
        // a silence is created at the sources that have its alerts
        let at = planner.silenced_at(&its).unwrap_or_default();
        let mut at: Vec<SourceId> = at.into_iter().filter(|source| silencing.at.contains(source)).collect();
        if its.is_empty() || at.is_empty() {
            at.clone_from(&silencing.at);
        }
        let name = called(&preview_at(&shared.world, &at, [matchers.as_slice()], &silencing.marked));
        (draft(matchers), name, at)
    });
    planner.silence(&wanted.collect::<Vec<_>>(), now)
}

/// The name of a silence that has no id yet: the alerts that it affects.
fn called(preview: &SilencePreview) -> Text {
    let mut names: Vec<&str> = preview.hidden.iter().map(|alert| alert.name()).collect();
    names.dedup();
    let count = preview.hidden.len();
    let name = match (count, names.first()) {
        (0, _) | (_, None) => "no alert now".to_owned(),
        (1, Some(name)) => (*name).to_owned(),
        (_, Some(name)) if names.iter().all(|other| other == name) => format!("{count} x {name}"),
        (_, Some(name)) => format!("{count} alerts: {name}, ..."),
    };
    name.into()
}
