//! Silences of the command line: new ones for matchers or alerts, and operations on existing ones.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::{NotPlanned, PlanInputs, PlannedActions, incomplete, later, misused, nothing, said};
use crate::app::planner::consequences::silences::hidden;
use crate::cli::args::{NewSilence, SilenceFlags, SilenceSpan, SilenceVerb};
use crate::model::action::{Operation, SilenceDraft};
use crate::model::alert::Alert;
use crate::model::ask::AskKind;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::matcher::{self, Matcher};
use crate::model::silence::{Silence, SilenceState, can_be_hidden, preview};
use crate::model::source::SourceId;
use crate::model::when;

/// The maximum number of alerts that are listed before a silence is created.
const NAMED: usize = 15;
/// The minimum length of the start of an id that identifies a silence.
const LETTERS: usize = 4;

impl PlanInputs<'_> {
    pub(super) fn silence(&self, new: &NewSilence) -> Result<PlannedActions, NotPlanned> {
        let draft = self.draft(&new.flags.span, said(new.flags.comment.as_deref().unwrap_or_default())?)?;
        let matchers = matchers(&new.matchers)?;
        self.known_alerts()?;
        let alerts = self.alerts(&new.alerts)?;
        if alerts.is_empty() {
            return self.shown([(SilenceDraft { matchers, ..draft }, None)]);
        }
        let plain: Vec<&Alert> = alerts.iter().map(|alert| &***alert).collect();
        let sources = self.at(&plain)?.len();
        let proposal = self.planner.proposed(&alerts, sources, self.service_labels, None);
        let proposal = proposal.map_err(misused)?;
        let drafts: Result<Vec<_>, NotPlanned> = proposal
            .silences
            .into_iter()
            .map(|matchers| {
                let is_its = |alert: &&&Alert| matchers.iter().all(|one| one.matches(&alert.labels));
                let its: Vec<&Alert> = plain.iter().filter(is_its).copied().collect();
                let at = self.at(&its)?;
                Ok((SilenceDraft { matchers, ..draft.clone() }, Some(at)))
            })
            .collect();
        let mut planned = self.shown(drafts?)?;
        if !proposal.left_out.is_empty() {
            planned.preview.push(format!("  Whatever their {}.", proposal.left_out.join(", ")));
        }
        Ok(planned)
    }

    /// Plans an operation on existing or expired silences.
    pub(super) fn on_silence(&self, verb: &SilenceVerb) -> Result<PlannedActions, NotPlanned> {
        match verb {
            SilenceVerb::Extend { ids, length, .. } => {
                // as on the screen, the duration is added to the current end
                let operation = |silence: &Silence| Operation::Extend {
                    until: later(silence.ends_at.max(self.view.now), *length),
                };
                let silences = self.silences(ids)?;
                if let Some(over) = silences.iter().find(|silence| silence.state == SilenceState::Expired) {
                    let id = &over.id;
                    return Err(misused(format!(
                        "silence {id} has ended: `burnwatch silence again {id} --for TIME` makes it once more"
                    )));
                }
                self.planner.on_silences(&silences, operation).map(PlannedActions::from).map_err(nothing)
            }
            SilenceVerb::Expire { ids, .. } => self.expire(&self.silences(ids)?),
            SilenceVerb::Edit { id, matchers, flags } => {
                let silence = self.the_silence(id)?;
                let given = self::matchers(matchers)?;
                let (starts_at, ends_at) = self.span(&flags.span, Some(&silence))?;
                let draft = SilenceDraft {
                    matchers: if given.is_empty() { silence.matchers.clone() } else { given },
                    starts_at,
                    ends_at: ends_at.unwrap_or(silence.ends_at),
                    created_by: Text::clone(self.who),
                    comment: comment(flags, &silence)?,
                };
                self.known_alerts()?;
                let planned = self.planner.edit(&silence, draft, self.view.now).map_err(misused)?;
                Ok(self.with_silence_effect(planned.into()))
            }
            SilenceVerb::Again { id, flags } => {
                let silence = self.the_silence(id)?;
                let draft = self.draft(&flags.span, comment(flags, &silence)?)?;
                let draft = SilenceDraft { matchers: silence.matchers.clone(), ..draft };
                self.known_alerts()?;
                self.shown([(draft, Some(vec![silence.source.clone()]))])
            }
        }
    }

    /// Expired silences are already in the wanted state.
    fn expire(&self, silences: &[Arc<Silence>]) -> Result<PlannedActions, NotPlanned> {
        let (over, lasting): (Vec<_>, Vec<_>) =
            silences.iter().cloned().partition(|silence| silence.state == SilenceState::Expired);
        let how = |silence: &Arc<Silence>| {
            let at = silence.ends_at.strftime("%Y-%m-%d %H:%M:%S UTC");
            format!("silence {}: it expired at {at}", silence.id)
        };
        let already = over.iter().map(how).collect();
        if lasting.is_empty() {
            return Ok(PlannedActions { already, ..PlannedActions::default() });
        }
        let planned = self.planner.on_silences(&lasting, |_| Operation::Expire).map_err(nothing)?;
        Ok(PlannedActions { already, ..planned.into() })
    }

    /// A silence of this duration, without matchers.
    fn draft(&self, span: &SilenceSpan, comment: Text) -> Result<SilenceDraft, NotPlanned> {
        let (starts_at, ends_at) = self.span(span, None)?;
        let ends_at =
            ends_at.ok_or_else(|| misused("set the duration or the end: --for 2h or --until 22:00"))?;
        let created_by = Text::clone(self.who);
        Ok(SilenceDraft { matchers: Vec::new(), starts_at, ends_at, created_by, comment })
    }

    /// The start (`None`: at once) and the end of a silence, as far as the arguments give them.
    fn span(
        &self,
        span: &SilenceSpan,
        instead_of: Option<&Silence>,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), NotPlanned> {
        let (now, zone) = (self.view.now, self.view.zone);
        let at = |text: &String, from: Timestamp| {
            when::parse(text, from, zone).map_err(|error| misused(error.to_string()))
        };
        let start = span.start.as_ref().map(|text| at(text, now)).transpose()?;
        let start = start.filter(|start| *start > now || instead_of.is_some());
        let begins = start.or(instead_of.map(|silence| silence.starts_at)).unwrap_or(now).max(now);
        let until = span.until.as_ref().map(|text| at(text, begins)).transpose()?;
        Ok((start, until.or(span.length.map(|length| later(begins, length)))))
    }

    /// Checks that the alerts are known, because the preview needs them.
    fn known_alerts(&self) -> Result<(), NotPlanned> {
        let unknown = self.view.why_unknown(AskKind::Alerts);
        unknown
            .map_or(Ok(()), |why| Err(incomplete(format!("the alerts it would affect are not known: {why}"))))
    }

    /// The alerts with these fingerprints.
    fn alerts(&self, prints: &[String]) -> Result<Vec<&Arc<Alert>>, NotPlanned> {
        let find = |text: &String| {
            let known = Fingerprint::parse(text).and_then(|print| self.view.world.alert(print));
            known.filter(|alert| can_be_hidden(alert)).ok_or_else(|| {
                misused(format!("no alert {text} is pending or firing (burnwatch alerts -o json)"))
            })
        };
        prints.iter().map(find).collect()
    }

    /// The sources at which these alerts are silenced.
    fn at(&self, alerts: &[&Alert]) -> Result<Vec<SourceId>, NotPlanned> {
        match self.source {
            Some(name) => Ok(vec![SourceId::new(name)]),
            None => self.planner.silenced_at(alerts).map_err(misused),
        }
    }

    /// Creates each silence at the sources in `at`, or else at the sources that have its alerts.
    fn shown(
        &self,
        drafts: impl IntoIterator<Item = (SilenceDraft, Option<Vec<SourceId>>)>,
    ) -> Result<PlannedActions, NotPlanned> {
        let mut wanted = Vec::new();
        for (draft, at) in drafts {
            let all = self.view.world.alerts().iter();
            let found = preview([draft.matchers.as_slice()], all, &BTreeSet::new());
            let plain: Vec<&Alert> = found.hidden.iter().map(|alert| &**alert).collect();
            let at = at.map_or_else(|| self.at(&plain), Ok)?;
            let name = format!("{{{}}}", matcher::list(&draft.matchers)).into();
            wanted.push((draft, name, at));
        }
        let planned = self.planner.silence(&wanted, self.view.now).map_err(misused)?;
        Ok(self.with_silence_effect(planned.into()))
    }

    /// Adds the preview of silenced alerts, and whether the context's name is required.
    fn with_silence_effect(&self, planned: PlannedActions) -> PlannedActions {
        let found = hidden(self.view.world, &planned.actions);
        let mut preview = match (found.hidden.len(), found.all) {
            // the reason is printed below
            (0, _) if found.unevaluated.is_some() => Vec::new(),
            (0, all) => vec![format!("  Matches none of {all} alerts now.")],
            (count, all) => vec![format!("  Matches {count} of {all} alerts:")],
        };
        preview.extend(found.hidden.iter().take(NAMED).map(|alert| {
            let service = self.view.world.service_of(&alert.labels).map(|name| format!(" of {name}"));
            format!("    {}{}", alert.name(), service.unwrap_or_default())
        }));
        if found.hidden.len() > NAMED {
            preview.push(format!("    and {} more", found.hidden.len() - NAMED));
        }
        if planned.actions.len() > 1 {
            let each = planned.actions.iter().zip(&found.each);
            preview.extend(each.map(|(action, count)| {
                format!("  affects {count} at {}: {}", action.source, action.target.name)
            }));
        }
        // a matcher that burnwatch cannot evaluate may match many alerts
        let is_much = self.planner.guard.requires_context_name(found.hidden.len(), found.all);
        PlannedActions { preview, requires_context_name: is_much || found.unevaluated.is_some(), ..planned }
    }

    fn silences(&self, ids: &[String]) -> Result<Vec<Arc<Silence>>, NotPlanned> {
        self.few(ids.len())?;
        let mut found: Vec<Arc<Silence>> = Vec::new();
        for id in ids {
            let one = self.the_silence(id)?;
            if !found.iter().any(|known| known.id == one.id) {
                found.push(one);
            }
        }
        Ok(found)
    }

    /// The silence with this id, or the only one whose id starts with this text.
    fn the_silence(&self, id: &str) -> Result<Arc<Silence>, NotPlanned> {
        let is_there =
            |silence: &&Arc<Silence>| self.source.is_none_or(|name| silence.source.as_str() == name);
        let begins = |silence: &&Arc<Silence>| {
            silence.id.get(..id.len()).is_some_and(|start| start.eq_ignore_ascii_case(id))
        };
        let mut seen = BTreeSet::new();
        // members of a cluster list the same silences
        let all = self.view.world.silences().filter(is_there).filter(begins);
        let mut found: Vec<&Arc<Silence>> = all.filter(|silence| seen.insert(&silence.id)).collect();
        let is_whole = |silence: &Silence| silence.id.len() == id.len();
        if found.iter().any(|silence| is_whole(silence)) {
            found.retain(|silence| is_whole(silence));
        }
        match found.as_slice() {
            [one] if is_whole(one) || id.len() >= LETTERS => Ok(Arc::clone(one)),
            [_] => Err(misused(format!("{id} is too short for an id: give at least {LETTERS} letters"))),
            [] => {
                let words = format!("no silence {id} is known (burnwatch silences --all)");
                Err(self.missing(&words, AskKind::Silences))
            }
            several => {
                let named = several.iter().take(NAMED).map(|silence| {
                    let state = silence.state.word();
                    format!("{} ({state} at {}: {})", silence.id, silence.source, silence.comment)
                });
                let named: Vec<String> = named.collect();
                Err(misused(format!("several silences begin with {id}: {}", named.join("; "))))
            }
        }
    }
}

/// The new comment, or that of the silence.
fn comment(flags: &SilenceFlags, silence: &Silence) -> Result<Text, NotPlanned> {
    flags.comment.as_deref().map_or_else(|| Ok(Text::clone(&silence.comment)), said)
}

fn matchers(texts: &[String]) -> Result<Vec<Matcher>, NotPlanned> {
    let mut matchers = Vec::new();
    for text in texts {
        matchers.extend(matcher::parse(text).map_err(|error| misused(format!("{text}: {error}")))?);
    }
    Ok(matchers)
}
