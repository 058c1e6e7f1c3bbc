//! A minimal kind of source: alerts and services from one JSON file. Only compiled for tests; a real kind needs no more than
//! a file like this and a line in the registry.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::backend::handlers::{Handler, answer_by, kinds};
use crate::backend::{Answering, Clock, Source, SourceDeps, info, own};
use crate::config::kind::{KindSpec, Options, OwnSettings};
use crate::config::settings::SourceSettings;
use crate::model::action::WriteSupport;
use crate::model::alert::{Alert, AlertSnapshot, SeverityMap};
use crate::model::ask::{Answer, Answered, Ask, Reply};
use crate::model::labels::Labels;
use crate::model::service::{ServiceReading, ServiceSnapshot, Signals};
use crate::model::source::{ErrorKind, SourceError, SourceId};
use crate::model::source_info::SourceInfo;

pub(in crate::backend) static SPEC: KindSpec = KindSpec {
    name: "json",
    title: "JSON file",
    summary: "alerts and services out of one file",
    about: "The file holds `alerts` (labels, and since when) and `services` (a name, and the share of failed requests).",
    example: r#"
[sources.file]
kind = "json"
# The file.
path = "world.json"
"#,
    address: None,
    is_https_only: false,
    auth: &[],
    is_auth_needed: false,
    answers: &kinds::<_, { HANDLERS.len() }>(HANDLERS),
    writes: WriteSupport::NONE,
    flag: None,
    options: Options::of::<Settings>(),
};

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The path of the file, relative to the configuration file.
    path: String,
}

impl OwnSettings for Settings {
    const FILES: &'static [&'static str] = &["path"];
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct World {
    alerts: Vec<Firing>,
    services: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Firing {
    labels: BTreeMap<String, String>,
    since: Timestamp,
}

const HANDLERS: &[Handler<JsonFile>] = &[
    Handler::Alerts(|source, _| Box::pin(ready(source.alerts()))),
    Handler::Services(|source, _| Box::pin(ready(source.services()))),
];

pub(super) struct JsonFile {
    info: SourceInfo,
    path: String,
    severities: SeverityMap,
    clock: Clock,
}

impl JsonFile {
    pub(super) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        let Settings { path } = own(id, source)?;
        let info = info(id, source, &path);
        Ok(Self { info, path, severities: deps.settings.severity_map(), clock: deps.clock })
    }

    fn error(&self, failure: ErrorKind) -> SourceError {
        SourceError::new(self.info.id.clone(), failure)
    }

    fn read(&self) -> Result<World, SourceError> {
        let text = std::fs::read(&self.path)
            .map_err(|error| self.error(ErrorKind::Unreachable { reason: error.to_string() }))?;
        serde_json::from_slice(&text)
            .map_err(|error| self.error(ErrorKind::Garbled { reason: error.to_string() }))
    }

    fn alert(&self, firing: &Firing) -> Arc<Alert> {
        let labels = Labels::from_iter(&firing.labels);
        let severity = self.severities.of(&labels);
        let alert = Alert::new(labels, severity, self.info.id.clone());
        Arc::new(Alert { starts_at: firing.since, updated_at: self.clock.now(), ..alert })
    }

    fn alerts(&self) -> Answered {
        let alerts = self.read()?.alerts.iter().map(|firing| self.alert(firing)).collect();
        Ok(Reply::free(Answer::Alerts(AlertSnapshot { alerts })))
    }

    fn services(&self) -> Answered {
        let reading = |(name, ratio): (&String, &f64)| {
            let signals = Signals { error_ratio: Some(*ratio), ..Signals::default() };
            ServiceReading { name: name.as_str().into(), signals, ..ServiceReading::default() }
        };
        let readings = self.read()?.services.iter().map(reading).collect();
        Ok(Reply::free(Answer::Services(ServiceSnapshot { readings, lookback: Duration::ZERO })))
    }
}

impl Source for JsonFile {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn answer<'a>(&'a self, ask: &'a Ask, known: Option<u64>) -> Answering<'a> {
        answer_by(self, HANDLERS, ask, known)
    }
}
