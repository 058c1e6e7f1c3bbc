//! One dashboard with its library panels: by the classic API, and by the newer one where that is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::Value;

use super::Grafana;
use super::rights::DASHBOARDS_READ;
use crate::backend::dashboards::read::{dashboard_of, library_panel};
use crate::backend::kit::http::segment;
use crate::model::ask::{Answer, Answered, Reply, Weight};
use crate::model::dashboard::Dashboard;
use crate::model::dashboard::panel::Panel;
use crate::model::labels::Text;
use crate::model::source::{ErrorKind, SourceError};

/// The versions of the newer API, the newest first.
const VERSIONS: [&str; 3] = ["v2beta1", "v1beta1", "v2alpha1"];
/// The most library panels that are read.
const MOST_LIBRARY_PANELS: usize = 60;
/// How many of them are asked for at once.
const AT_ONCE: usize = 4;

impl Grafana {
    /// Answers the question for a dashboard.
    pub(super) async fn dashboard(&self, uid: &str) -> Answered {
        let path = format!("api/dashboards/uid/{}", segment(uid));
        let body = match self.get(Weight::Page, &path, &[]).await {
            Err(error) if matches!(error.kind, ErrorKind::Refused { status: 404 | 406 | 410, .. }) => {
                self.newer_dashboard(uid, error).await?
            }
            body => body.map_err(|error| self.lacking(error, DASHBOARDS_READ))?.json::<Value>()?,
        };
        let read = dashboard_of(&body);
        let mut dashboard =
            read.map_err(|error| self.http.error(ErrorKind::Garbled { reason: error.to_string() }))?;
        dashboard.entry.uid = uid.into();
        // the address of the page is a path
        let url =
            dashboard.entry.url.as_deref().filter(|url| !url.contains("://")).map(|path| self.page(path));
        dashboard.entry.url = url.or_else(|| Some(self.page(&format!("/d/{}", segment(uid)))));
        self.fill_library_panels(&mut dashboard).await;
        Ok(Reply::free(Answer::Dashboard(Arc::new(dashboard))))
    }

    /// The dashboard by the API that replaces the classic one; `refused` is the error if neither has it.
    async fn newer_dashboard(&self, uid: &str, refused: SourceError) -> Result<Value, SourceError> {
        let namespace = self.namespace().await;
        for version in VERSIONS {
            let path = format!(
                "apis/dashboard.grafana.app/{version}/namespaces/{}/dashboards/{}",
                segment(&namespace),
                segment(uid)
            );
            match self.get(Weight::Page, &path, &[]).await {
                Ok(body) => return body.json(),
                Err(error) if error.kind.refused(404).is_some() => {}
                Err(error) => return Err(self.lacking(error, DASHBOARDS_READ)),
            }
        }
        Err(refused)
    }

    /// The namespace of the organisation: `default`, `org-N` or, in Grafana Cloud, `stacks-ID`.
    async fn namespace(&self) -> String {
        let told = self.get(Weight::Page, "api/frontend/settings", &[]).await;
        let told = told.ok().and_then(|body| body.json::<Value>().ok());
        let told = told.and_then(|settings| settings.get("namespace")?.as_str().map(str::to_owned));
        told.unwrap_or_else(|| match self.organisation {
            None | Some(1) => "default".to_owned(),
            Some(organisation) => format!("org-{organisation}"),
        })
    }

    /// Puts the content of library panels in their places; one that cannot be read keeps its reason, and is noted.
    async fn fill_library_panels(&self, dashboard: &mut Dashboard) {
        let panels = dashboard.sections.iter().flat_map(|section| &section.panels);
        let wanted = panels.filter_map(|panel| panel.library.as_ref().map(|library| library.uid.clone()));
        let wanted: BTreeSet<Text> = wanted.filter(|uid| !uid.is_empty()).collect();
        let mut models: BTreeMap<Text, Value> = BTreeMap::new();
        let all: Vec<&Text> = wanted.iter().take(MOST_LIBRARY_PANELS).collect();
        for some in all.chunks(AT_ONCE) {
            let read = join_all(some.iter().map(|uid| self.library_panel(uid))).await;
            for (uid, model) in some.iter().zip(read) {
                match model {
                    Ok(model) => drop(models.insert(Text::clone(uid), model)),
                    Err(error) => {
                        let words = format!("The library panel {uid} could not be read: {}", error.kind);
                        dashboard.notes.push(words.into());
                    }
                }
            }
        }
        if wanted.len() > all.len() {
            let words = format!("Only the first {MOST_LIBRARY_PANELS} library panels are shown.");
            dashboard.notes.push(words.into());
        }
        let filled = |panel: &Arc<Panel>| {
            let model = panel.library.as_ref().and_then(|library| models.get(&library.uid));
            model.map_or_else(|| Arc::clone(panel), |model| Arc::new(library_panel(panel, model)))
        };
        for section in &mut dashboard.sections {
            section.panels = section.panels.iter().map(filled).collect();
        }
    }

    async fn library_panel(&self, uid: &str) -> Result<Value, SourceError> {
        let path = format!("api/library-elements/{}", segment(uid));
        let body = self.get(Weight::Page, &path, &[]).await?;
        let mut answer: Value = body.json()?;
        Ok(answer.pointer_mut("/result/model").map(Value::take).unwrap_or_default())
    }
}
