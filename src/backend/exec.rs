//! The kind `exec`: a program whose output burnwatch reads, for what has no interface of its own: Terraform, Ansible, cron, CI,
//! `journalctl`, `kubectl logs`.

mod kind;
mod printed;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::handlers::{Handler, kinds, reads};
use super::kit::change_lines::{BadLines, read_all};
use super::kit::probe;
use super::kit::process::{ProgramOutput, SourceProgram as Program};
use super::logs::{self, LogStoreState};
use super::{Clock, SourceDeps, own};
use crate::config::process::is_program;
use crate::config::settings::SourceSettings;
use crate::model::ask::{Answer, Answered, AskKind, Reply};
use crate::model::change::ChangeSnapshot;
use crate::model::duration;
use crate::model::source::{ErrorKind, SourceError, SourceId};
use crate::model::source_info::SourceInfo;
use crate::model::text::{clean, counted};
use crate::model::warning::Warning;
pub(super) use kind::SPEC;
use kind::{Gives, Settings};

/// A run may begin this much before the time that was asked about, so that the next, slightly earlier question needs no other run.
const SLACK: Duration = Duration::from_secs(60);

const HANDLERS: &[Handler<Exec>] = {
    let [probe, lines, counts, patterns] = logs::handlers();
    let changes = Handler::Changes(|source: &Exec, _, since| Box::pin(source.changes(*since)));
    &[probe, changes, lines, counts, patterns]
};

/// The kinds of questions that some source of this kind answers; which ones depends on `gives`.
const ANSWERS: &[AskKind] = &kinds::<_, { HANDLERS.len() }>(HANDLERS);

/// The changes of the last run.
struct LastRun {
    begun: Instant,
    /// What the run was asked for.
    since: Timestamp,
    took: Duration,
    result: Result<(ChangeSnapshot, Vec<Warning>), ErrorKind>,
}

pub(super) struct Exec {
    info: SourceInfo,
    settings: Settings,
    clock: Clock,
    last: Mutex<Option<LastRun>>,
    log_state: LogStoreState,
    log_run: Mutex<Option<printed::LogRun>>,
}

impl Exec {
    /// Runs nothing.
    ///
    /// # Errors
    /// If the options are invalid.
    pub(super) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        let settings: Settings = own(id, source)?;
        // arguments may contain secrets
        let name = settings.command.first().map_or("", String::as_str);
        let mut info = super::info(id, source, &clean(name));
        info.answers.retain(|kind| match kind {
            AskKind::Changes => settings.gives == Gives::Changes,
            AskKind::LogLines | AskKind::LogCounts | AskKind::LogPatterns => settings.gives == Gives::Logs,
            _other => true,
        });
        let log_state = LogStoreState::new(deps.clock);
        let (last, log_run) = (Mutex::new(None), Mutex::new(None));
        Ok(Self { info, settings, clock: deps.clock, last, log_state, log_run })
    }

    fn error(&self, kind: ErrorKind) -> SourceError {
        SourceError::new(self.info.id.clone(), kind)
    }

    fn program<'a>(&'a self, command: &'a [String], since: Timestamp, until: Timestamp) -> Program<'a> {
        let variables = vec![
            ("BURNWATCH_SOURCE", self.info.id.to_string()),
            ("BURNWATCH_SINCE", since.to_string()),
            ("BURNWATCH_UNTIL", until.to_string()),
            ("BURNWATCH_SINCE_EPOCH", since.as_second().to_string()),
            ("BURNWATCH_UNTIL_EPOCH", until.as_second().to_string()),
        ];
        let Settings { timeout, max_bytes, .. } = &self.settings;
        Program { command, variables, timeout: timeout.0, max_bytes: *max_bytes }
    }

    /// Runs the program for this time range, and returns its output.
    ///
    /// # Errors
    /// The errors of [`Program::run`].
    async fn output(&self, since: Timestamp, until: Timestamp) -> Result<ProgramOutput, ErrorKind> {
        self.program(&self.settings.command, since, until).run().await
    }

    /// The changes since then, of a run that is younger than `interval` or of a new one.
    async fn changes(&self, since: Timestamp) -> Answered {
        let mut last = self.last.lock().await;
        let is_enough = |run: &LastRun| {
            let has_range = run.since <= since.checked_add(SLACK).unwrap_or(since);
            run.begun.elapsed() < self.settings.interval.0 && (has_range || run.result.is_err())
        };
        if !last.as_ref().is_some_and(is_enough) {
            *last = Some(self.run(since).await);
        }
        match last.as_ref().map(|run| &run.result) {
            Some(Ok((snapshot, warnings))) => {
                Ok(Reply { warnings: warnings.clone(), ..Reply::free(Answer::Changes(snapshot.clone())) })
            }
            Some(Err(kind)) => Err(self.error(kind.clone())),
            None => Err(self.error(ErrorKind::Internal { reason: "no run".to_owned() })),
        }
    }

    async fn run(&self, since: Timestamp) -> LastRun {
        let (begun, until) = (Instant::now(), self.clock.now());
        let result = self.output(since, until).await.and_then(|output| self.read(&output, since, until));
        LastRun { begun, since, took: begun.elapsed(), result }
    }

    /// Reads the output as JSON lines, or as one JSON list of objects.
    fn read(
        &self,
        output: &ProgramOutput,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<(ChangeSnapshot, Vec<Warning>), ErrorKind> {
        let mut bad = BadLines::default();
        let id = &self.info.id;
        let list: Option<Vec<serde_json::Value>> = serde_json::from_slice(&output.bytes).ok();
        let changes = if let Some(list) = list {
            let lines: Vec<Vec<u8>> = list.iter().map(|item| item.to_string().into_bytes()).collect();
            read_all(lines.iter().map(Vec::as_slice), id, until, &mut bad)
        } else {
            // the last line of a cut output is not a whole one
            let last = output.bytes.iter().rposition(|byte| *byte == b'\n').filter(|_| output.is_cut);
            let bytes = output.bytes.get(..last.unwrap_or(output.bytes.len())).unwrap_or_default();
            read_all(bytes.split(|byte| *byte == b'\n'), id, until, &mut bad)
        };
        if changes.is_empty() && !bad.is_empty() {
            let reason = bad.warning().map(|warning| warning.text.to_string()).unwrap_or_default();
            let said = if output.complaint.is_empty() {
                String::new()
            } else {
                format!("; it said: {}", output.complaint)
            };
            return Err(ErrorKind::Garbled { reason: format!("no changes as JSON lines: {reason}{said}") });
        }
        let mut warnings: Vec<Warning> = bad.warning().into_iter().collect();
        warnings.extend(self.flood_warning(output.is_cut));
        if !output.complaint.is_empty() {
            warnings.push(Warning::notice(format!("it said: {}", output.complaint)));
        }
        let covers = vec![self.program(&self.settings.command, since, until).name().into()];
        Ok((ChangeSnapshot::new(changes, since, until, covers), warnings))
    }

    /// Checks that the program exists, without running it.
    fn check(&self) -> Answered {
        let name = self.settings.command.first().map_or("", String::as_str);
        if !is_program(name) {
            let what = clean(name).into_owned();
            let problem = "is not an executable program".to_owned();
            return Err(self.error(ErrorKind::Local { what, problem }));
        }
        let mut report = probe::probe_report("program", "");
        report.fact("gives", self.settings.gives.word());
        report.fact("every", duration::text(self.settings.interval.0));
        // a run may take long, and a probe must not
        if let Some(run) = self.last.try_lock().ok().as_ref().and_then(|last| last.as_ref()) {
            report.fact("last run took", format!("{:.1} s", run.took.as_secs_f64()));
            if let Ok((snapshot, _)) = &run.result {
                report.fact("gave", counted(snapshot.changes.len(), "change"));
            }
        }
        Ok(Reply::free(Answer::Probe(report)))
    }
}

reads!(Exec);
