//! The kind `file`: changes from a growing file of JSON lines. New lines are read as they are appended, also after the file was
//! rotated or truncated.

mod follow;
mod kind;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::handlers::{Handler, kinds, reads};
use super::kit::probe;
use super::{Clock, SourceDeps, own};
use crate::config::process::expand_home;
use crate::config::settings::SourceSettings;
use crate::model::ask::{Answer, Answered, AskKind, Reply};
use crate::model::change::ChangeSnapshot;
use crate::model::source::{ErrorKind, ProbeReport, SourceError, SourceId};
use crate::model::source_info::SourceInfo;
use crate::model::text::clean;
use crate::model::warning::Warning;
use follow::FollowedFile;
pub(super) use kind::SPEC;
use kind::Settings;

/// A line may be appended this long after its change, and is told although its time is before the time that is asked about.
const LATE: Duration = Duration::from_secs(24 * 3600);

const HANDLERS: &[Handler<ChangeFile>] = &[
    Handler::Probe(|source, _| Box::pin(source.probe())),
    Handler::Changes(|source, _, since| Box::pin(source.changes(*since))),
];

const ANSWERS: &[AskKind] = &kinds::<_, { HANDLERS.len() }>(HANDLERS);

pub(super) struct ChangeFile {
    info: SourceInfo,
    path: PathBuf,
    time_limit: Duration,
    clock: Clock,
    followed: Arc<Mutex<FollowedFile>>,
}

impl ChangeFile {
    /// Opens nothing.
    ///
    /// # Errors
    /// If the options are invalid.
    pub(super) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        let Settings { path, max_bytes } = own(id, source)?;
        let info = super::info(id, source, &clean(&path));
        let path = expand_home(&path);
        let followed = FollowedFile::new(path.clone(), id.clone(), max_bytes);
        Ok(Self {
            info,
            path,
            time_limit: deps.settings.limits.timeout.0,
            clock: deps.clock,
            followed: Arc::new(Mutex::new(followed)),
        })
    }

    fn failed(&self, problem: impl Into<String>) -> SourceError {
        let what = clean(&self.path.display().to_string()).into_owned();
        SourceError::new(self.info.id.clone(), ErrorKind::Local { what, problem: problem.into() })
    }

    /// Reads what is new in a blocking task with a time limit: a file on an unreachable network mount can block for ever. One task
    /// reads at a time, and questions wait for it within their own limit, so that blocked ones do not pile up.
    async fn read<T: Send + 'static>(
        &self,
        with: impl FnOnce(&mut FollowedFile, Timestamp) -> Result<T, String> + Send + 'static,
    ) -> Result<T, SourceError> {
        let (followed, now) = (Arc::clone(&self.followed), self.clock.now());
        let reading = async {
            let mut followed = followed.lock_owned().await;
            tokio::task::spawn_blocking(move || with(&mut followed, now)).await
        };
        match timeout(self.time_limit, reading).await {
            Ok(Ok(read)) => read.map_err(|problem| self.failed(problem)),
            Ok(Err(error)) => Err(self.failed(format!("cannot be read: {error}"))),
            Err(_) => Err(self.failed(format!("could not be read within {} s", self.time_limit.as_secs()))),
        }
    }

    async fn changes(&self, since: Timestamp) -> Answered {
        let (snapshot, warnings) = self
            .read(move |followed, now| {
                let absence = followed.update(now)?;
                let earliest = since.checked_sub(LATE).unwrap_or(since);
                let changes = followed.changes.iter().filter(|change| change.at >= earliest).cloned();
                let complete = followed.complete_since.map_or(since, |complete| complete.max(since));
                let snapshot = ChangeSnapshot {
                    wanted: since,
                    ..ChangeSnapshot::new(changes.collect(), complete, now, vec!["file".into()])
                };
                let warnings: Vec<Warning> = followed.bad.warning().into_iter().chain(absence).collect();
                Ok((snapshot, warnings))
            })
            .await?;
        Ok(Reply { warnings, ..Reply::free(Answer::Changes(snapshot)) })
    }

    async fn probe(&self) -> Answered {
        let report = self
            .read(|followed, now| {
                let absence = followed.update(now)?;
                let mut report: ProbeReport = probe::probe_report("JSON lines", "");
                report.fact("lines", followed.lines.to_string());
                report.fact("changes", followed.changes.len().to_string());
                report.fact("left out", followed.bad.count().to_string());
                let newest = followed.changes.iter().map(|change| change.at).max();
                report.fact("newest", newest.map(|at| at.to_string()).unwrap_or_default());
                for warning in followed.bad.warning().into_iter().chain(absence) {
                    report.warn(warning.text);
                }
                Ok(report)
            })
            .await?;
        Ok(Reply::free(Answer::Probe(report)))
    }
}

reads!(ChangeFile);
