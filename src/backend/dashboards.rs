//! The kind `dashboards`: Grafana dashboards from files, and the reader of their JSON that the source `grafana` uses, too.

mod files;
mod kind;
pub(super) mod read;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use super::handlers::{Handler, kinds, reads};
use super::kit::cost::digest;
use super::kit::probe;
use super::{SourceDeps, own};
use crate::config::process::expand_home;
use crate::config::settings::SourceSettings;
use crate::model::ask::{Answer, Answered, AskKind, Reply};
use crate::model::labels::Text;
use crate::model::source::{ErrorKind, SourceError, SourceId};
use crate::model::source_info::SourceInfo;
use crate::model::text::clean;
use crate::model::warning::Warning;
use files::DashboardFiles;
pub(super) use kind::SPEC;
use kind::Settings;

const HANDLERS: &[Handler<DashboardFolder>] = &[
    Handler::Probe(|source, _| Box::pin(source.probe())),
    Handler::Dashboards(|source, put| Box::pin(source.list(put.known))),
    Handler::Dashboard(|source, _, uid| Box::pin(source.dashboard(uid))),
];

const ANSWERS: &[AskKind] = &kinds::<_, { HANDLERS.len() }>(HANDLERS);

/// Dashboards in files and folders.
pub(super) struct DashboardFolder {
    info: SourceInfo,
    time_limit: Duration,
    files: Arc<Mutex<DashboardFiles>>,
}

impl DashboardFolder {
    /// Opens nothing.
    ///
    /// # Errors
    /// If the options are invalid.
    pub(super) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        let Settings { paths } = own(id, source)?;
        let info = super::info(id, source, &clean(&paths.join(", ")));
        let paths: Vec<PathBuf> = paths.iter().map(|path| expand_home(path)).collect();
        let files = Arc::new(Mutex::new(DashboardFiles::new(paths)));
        Ok(Self { info, time_limit: deps.settings.limits.timeout.0, files })
    }

    fn failed(&self, problem: impl Into<String>) -> SourceError {
        let what = self.info.address.to_string();
        SourceError::new(self.info.id.clone(), ErrorKind::Local { what, problem: problem.into() })
    }

    /// Reads files in a blocking task with a time limit: a file on an unreachable network mount can block for ever.
    async fn read<T: Send + 'static>(
        &self,
        with: impl FnOnce(&mut DashboardFiles) -> T + Send + 'static,
    ) -> Result<T, SourceError> {
        let files = Arc::clone(&self.files);
        let reading = async {
            let mut files = files.lock_owned().await;
            tokio::task::spawn_blocking(move || with(&mut files)).await
        };
        match timeout(self.time_limit, reading).await {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(error)) => Err(self.failed(format!("cannot be read: {error}"))),
            Err(_) => Err(self.failed(format!("could not be read within {} s", self.time_limit.as_secs()))),
        }
    }

    async fn list(&self, known: Option<u64>) -> Answered {
        let (list, problems) = self
            .read(|files| {
                files.update();
                (files.list(), files.problems.clone())
            })
            .await?;
        if list.entries.is_empty()
            && let Some(first) = problems.first()
        {
            return Err(self.failed(first.clone()));
        }
        let warnings: Vec<Warning> = problems.into_iter().map(Warning::missing).collect();
        let digest = digest(&list);
        let answer = if known == Some(digest) { Answer::Unchanged } else { Answer::Dashboards(list) };
        Ok(Reply { warnings, digest: Some(digest), ..Reply::free(answer) })
    }

    async fn dashboard(&self, uid: &Text) -> Answered {
        let wanted = uid.clone();
        let found = self
            .read(move |files| {
                files.update();
                files.find(&wanted)
            })
            .await?;
        match found {
            Some(dashboard) => Ok(Reply::free(Answer::Dashboard(dashboard))),
            None => Err(self.failed(format!("no file has the dashboard {}", clean(uid)))),
        }
    }

    async fn probe(&self) -> Answered {
        let report = self
            .read(|files| {
                files.update();
                let mut report = probe::probe_report("Grafana dashboards", "");
                let list = files.list();
                let panels: usize = files.dashboards().map(|dashboard| dashboard.panels()).sum();
                report.fact("dashboards", list.entries.len().to_string());
                report.fact("panels", panels.to_string());
                for problem in &files.problems {
                    report.warn(problem.clone());
                }
                report
            })
            .await?;
        Ok(Reply::free(Answer::Probe(report)))
    }
}

reads!(DashboardFolder);
