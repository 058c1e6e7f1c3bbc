//! `burnwatch query`: evaluates an expression at the sources that answer queries, or checks it without one.

mod lint;
mod output;

use std::io::{Read, stdin};
use std::time::Duration;

use jiff::Timestamp;

use crate::app::event::{Effect, Event};
use crate::model::ask::{Answer, Answered, AskKind, Moment, Query, Question};
use crate::model::duration;
use crate::model::evaluation::EvaluationKey;
use crate::model::promql::{self, QueryParseError, QueryRemark};
use crate::model::query_language::QueryLanguage;
use crate::model::series::TimeGrid;
use crate::model::source::{ErrorKind, SourceId};
use crate::model::text::escaped_json;

use super::args::QueryArgs;
use super::printer::{ExitOutcome, print, print_as_is, print_stderr_plain};
use super::session::{Session, SessionError};
use super::{CliContext, VerbResult, formatted};

/// The points of a range without `--step`.
const POINTS: u16 = 240;
/// The most points of a range; servers refuse more than 11,000.
const MAX_POINTS: u64 = 11_000;
/// The longest expression that is read from standard input, in bytes.
const MAX_INPUT: u64 = 1024 * 1024;

pub(super) fn run(cx: &CliContext<'_>, wanted: &QueryArgs) -> VerbResult {
    let expr = expression(&wanted.expr).map_err(SessionError::Query)?;
    if wanted.lint {
        return Ok(lint::run(&expr, wanted));
    }
    let session = cx.session(true)?;
    session.require_source_of(&[AskKind::Evaluation])?;
    let (language, sources) = sources(&session, wanted.source.as_deref()).map_err(SessionError::Query)?;
    if let Some(remark) = error_of(language, &expr) {
        print_stderr_plain(&format!("{}\n", lint::error(&expr, &remark)));
        return Ok(ExitOutcome::UsageError);
    }
    if wanted.raw && sources.len() > 1 {
        let names: Vec<&str> = sources.iter().map(SourceId::as_str).collect();
        let words =
            format!("--raw prints the answer of one source; choose it with --source: {}", names.join(", "));
        return Err(SessionError::Query(words));
    }
    let now = session.active.clock.now();
    let at = wanted.time.as_deref().map(|text| moment(text, now)).transpose().map_err(SessionError::Query)?;
    let window = window(wanted, at.unwrap_or(now)).map_err(SessionError::Query)?;
    let evaluation = EvaluationKey::new(expr.as_str().into(), window);
    let query = Query::Evaluation { evaluation, window };
    let ask = query.at(at.map_or(Moment::Now, Moment::At));
    let question = |source| Question { context: 0, source, ask: ask.clone(), known: None };
    let mut asking = Asking::new(sources.into_iter().map(question).collect());
    let asked: Vec<SourceId> = asking.questions.iter().map(|question| question.source.clone()).collect();
    session.gather(&mut asking, Asking::update, Asking::is_complete, session.deadline())?;
    let answers = asking.answers;
    if let Some(message) = rejection(&answers) {
        print_stderr_plain(&format!("{}\n", lint::refusal(language, &expr, &message)));
        return Ok(ExitOutcome::UsageError);
    }
    if let (true, [(_, Ok(reply))]) = (wanted.raw, &answers[..])
        && let Answer::Evaluation(evaluation) = &reply.answer
    {
        return Ok(print_as_is(&(escaped_json(&evaluation.raw) + "\n"), ExitOutcome::Fine));
    }
    let document = output::document(&session, &expr, (at.unwrap_or(now), window), &asked, &answers);
    let outcome = if document.is_partial { ExitOutcome::Partial } else { ExitOutcome::Fine };
    Ok(print(&formatted(&document, wanted.listing.output), outcome))
}

/// The expression of the command line, or that of standard input.
fn expression(given: &str) -> Result<String, String> {
    let text = if given == "-" {
        let mut text = String::new();
        let read = stdin().take(MAX_INPUT).read_to_string(&mut text);
        read.map_err(|error| format!("standard input cannot be read: {error}"))?;
        text
    } else {
        given.to_owned()
    };
    Ok(text.trim().to_owned())
}

/// The first thing in an expression that no server of this language accepts.
fn error_of(language: QueryLanguage, expr: &str) -> Option<QueryRemark> {
    if language.is_of_logs() {
        return language.check(expr).err();
    }
    match promql::check(expr) {
        Err(QueryParseError::Refused(remark)) => Some(remark),
        Err(QueryParseError::Unknown(_)) | Ok(_) => None,
    }
}

/// The sources to ask and their language: the chosen one, or all that answer `PromQL`. Without one of these, all of the only
/// other language.
fn sources(session: &Session, chosen: Option<&str>) -> Result<(QueryLanguage, Vec<SourceId>), String> {
    let all =
        session.active.sources.infos().into_iter().filter(|info| info.answers.contains(&AskKind::Evaluation));
    let all: Vec<(QueryLanguage, SourceId)> = all.map(|info| (info.language, info.id)).collect();
    let names = || {
        let name = |(language, id): &(QueryLanguage, SourceId)| format!("{id} ({})", language.word());
        all.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    if let Some(chosen) = chosen {
        let found = all.iter().find(|(_, id)| id.as_str() == chosen).cloned();
        let found = found.map(|(language, id)| (language, vec![id]));
        return found.ok_or_else(|| format!("no source {chosen} answers queries; try one of {}", names()));
    }
    let of = |language| {
        let ids = all.iter().filter(move |(own, _)| *own == language).map(|(_, id)| id.clone());
        (language, ids.collect::<Vec<_>>())
    };
    let mut by_language: Vec<_> =
        QueryLanguage::ALL.into_iter().map(of).filter(|(_, ids)| !ids.is_empty()).collect();
    match &by_language[..] {
        [(first, _), _, ..] if first.is_of_logs() => {
            Err(format!("the sources have different languages; choose one with --source: {}", names()))
        }
        _ => Ok(by_language.drain(..1).next().unwrap_or_default()),
    }
}

/// A moment: RFC 3339, Unix seconds, or how long ago.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let of_seconds = || text.parse::<i64>().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let ago = || duration::parse(text).ok().and_then(|ago| now.checked_sub(ago).ok());
    let found = text.parse::<Timestamp>().ok().or_else(of_seconds).or_else(ago);
    found.ok_or_else(|| format!("{text}: write a time as 2026-01-15T02:52:00Z, 1768445520 or 10m (ago)"))
}

/// The grid of the range, if one is asked for.
fn window(wanted: &QueryArgs, end: Timestamp) -> Result<Option<TimeGrid>, String> {
    let Some(since) = wanted.since else { return Ok(None) };
    let Some(step) = wanted.step else {
        return Ok(Some(TimeGrid::ending(end, since, POINTS, Duration::from_secs(1))));
    };
    if since.as_secs() / step.as_secs().max(1) > MAX_POINTS {
        let longer = duration::text(Duration::from_secs(since.as_secs().div_ceil(MAX_POINTS)));
        return Err(format!(
            "the range has more than {MAX_POINTS} points, which servers refuse; use --step {longer} or more"
        ));
    }
    Ok(Some(TimeGrid::stepped(end, since, step)))
}

/// The server's message if every source rejects the expression itself.
fn rejection(answers: &[(SourceId, Answered)]) -> Option<String> {
    let message = |answered: &Answered| {
        if let ErrorKind::BadQuery { message: words } | ErrorKind::Unfit { reason: words } =
            &answered.as_ref().err()?.kind
        {
            return Some(words.clone());
        }
        None
    };
    let (_, first) = answers.first()?;
    let all = answers.iter().all(|(_, answered)| message(answered).is_some());
    message(first).filter(|_| all)
}

/// Asks each of its questions once and keeps the answers.
pub(super) struct Asking {
    questions: Vec<Question>,
    is_asked: bool,
    pub(super) answers: Vec<(SourceId, Answered)>,
}

impl Asking {
    pub(super) const fn new(questions: Vec<Question>) -> Self {
        Self { questions, is_asked: false, answers: Vec::new() }
    }

    /// Whether all answers are there.
    pub(super) const fn is_complete(&self) -> bool {
        self.questions.is_empty()
    }

    pub(super) fn update(&mut self, event: Event, _: Timestamp) -> Vec<Effect> {
        if let Event::Answered(arrival) = event {
            self.questions.retain(|question| *question != arrival.question);
            self.answers.push((arrival.question.source, arrival.answered));
        }
        if std::mem::replace(&mut self.is_asked, true) {
            return Vec::new();
        }
        self.questions.iter().cloned().map(Effect::Fetch).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_three_ways() {
        let now = Timestamp::from_second(1_768_445_520).unwrap();
        for text in ["2026-01-15T02:42:00Z", "1768444920", "10m"] {
            assert_eq!(moment(text, now), Ok(now - Duration::from_secs(600)), "{text}");
        }
        assert!(moment("yesterday", now).unwrap_err().contains("10m (ago)"));
    }
}
