//! Firing alerts and silences, from Grafana's own Alertmanager; with many alerts, from the rules and the silences.

use std::sync::{Arc, PoisonError};

use super::Grafana;
use super::rights::INSTANCES_READ;
use super::rules::{FoundRule, RULE_UID, RulePoll};
use crate::backend::alertmanager_api::alerts::{AlertListShape, AlertReader, read_silences};
use crate::backend::alertmanager_api::derived;
use crate::backend::kit::http::segment;
use crate::backend::kit::lenient::unreadable_warning;
use crate::backend::kit::parts::AnswerParts;
use crate::model::alert::{Alert, AlertSnapshot};
use crate::model::ask::{Answer, Answered, Reply, Weight};
use crate::model::labels::{Labels, Text};
use crate::model::source::ErrorKind;
use crate::model::warning::Warning;

/// Grafana's own Alertmanager, below the address.
pub(super) const ALERTMANAGER: &str = "api/alertmanager/grafana/api/v2";
/// The most alerts that are read from the Alertmanager, which lists all of them, each with about 1 kB.
const MOST_LISTED: u64 = 300;

impl Grafana {
    /// Answers the question for alerts.
    pub(super) async fn alerts(&self, known: Option<u64>) -> Answered {
        let poll = match self.polled().await {
            Ok(poll) => Some(poll),
            Err(error) if error.kind.is_source_wide() => return Err(error),
            // the Alertmanager has another right
            Err(_) => None,
        };
        match poll {
            Some(poll) if !poll.is_whole || poll.notifying() > MOST_LISTED => {
                self.derived_alerts(&poll, known).await
            }
            Some(_) | None => self.listed_alerts(known).await,
        }
    }

    /// The alerts of the Alertmanager.
    async fn listed_alerts(&self, known: Option<u64>) -> Answered {
        let body = self.get(Weight::Vital, &format!("{ALERTMANAGER}/alerts"), &[]).await;
        let body = body.map_err(|error| self.lacking(error, INSTANCES_READ))?;
        let (severities, texts) = (Arc::clone(&self.severities), Arc::clone(&self.texts));
        let id = self.info.id.clone();
        // a page of login answers 200 with HTML
        let bytes = body.bytes.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut texts = texts.lock().unwrap_or_else(PoisonError::into_inner);
            AlertReader::new(&mut texts, &severities, &id).read(&bytes, AlertListShape::Flat, known)
        });
        let read =
            read.await.map_err(|error| self.http.error(ErrorKind::Internal { reason: error.to_string() }))?;
        let Ok(read) = read else {
            body.json::<Vec<serde_json::Value>>()?;
            let reason = "not a list of alerts".to_owned();
            return Err(self.http.error(ErrorKind::Garbled { reason }));
        };
        let mut parts = AnswerParts::default();
        parts.warnings.extend(unreadable_warning(read.lost, "alerts"));
        let answer = read.snapshot.map_or(Answer::Unchanged, |snapshot| {
            let named = snapshot.alerts.iter().map(|alert| Arc::new(self.named_alert(Alert::clone(alert))));
            Answer::Alerts(AlertSnapshot { alerts: named.collect() })
        });
        Ok(parts.reply_if_new(answer, read.digest, None))
    }

    /// The loaded firing instances of rules, with the silences that match them.
    async fn derived_alerts(&self, poll: &RulePoll, known: Option<u64>) -> Answered {
        let mut parts = AnswerParts::default();
        let derived = |rule: &FoundRule, alert: &Alert| {
            let receivers = rule.receiver.iter().cloned().collect::<Vec<_>>().into();
            Arc::new(Alert { is_derived: true, receivers, ..self.named_alert(alert.clone()) })
        };
        let of_rule = |rule: &FoundRule| {
            let firing = rule.instances.iter().filter(|alert| alert.is_firing());
            firing.map(|alert| derived(rule, alert)).collect::<Vec<_>>()
        };
        let mut alerts: Vec<Arc<Alert>> = poll.active.iter().flat_map(of_rule).collect();
        alerts.sort_by_key(|alert| alert.fingerprint);
        alerts.dedup_by_key(|alert| alert.fingerprint);
        let mut snapshot = AlertSnapshot { alerts };
        match self.silences(None).await {
            Ok(Reply { answer: Answer::Silences(silences), warnings, .. }) => {
                parts.warnings.extend(warnings);
                parts.warnings.extend(derived::apply(&mut snapshot, &silences, self.clock.now()));
            }
            Ok(_) => {}
            Err(error) => {
                let words = format!("which alerts are silenced is not known: {}", error.kind);
                parts.warnings.push(Warning::missing(words));
            }
        }
        parts.warnings.push(Warning::notice(format!(
            "more than {MOST_LISTED} alerts: what is silenced is found from the silences; inhibitions, mute timings and contact \
             points are not shown"
        )));
        parts.warnings.extend(poll.gaps.iter().map(|gap| Warning::missing(&**gap)));
        let digest = derived::digest(digest(&snapshot), &snapshot, &parts.warnings);
        Ok(parts.reply_if_new(Answer::Alerts(snapshot), digest, known))
    }

    /// Answers the question for silences.
    pub(super) async fn silences(&self, known: Option<u64>) -> Answered {
        let body = self.get(Weight::Vital, &format!("{ALERTMANAGER}/silences"), &[]).await;
        let body = body.map_err(|error| self.lacking(error, INSTANCES_READ))?;
        let ahead = self.skew.ahead();
        let Ok((all, lost)) = read_silences(&body.bytes, &self.info.id, ahead) else {
            body.json::<Vec<serde_json::Value>>()?;
            return Err(self.http.error(ErrorKind::Garbled { reason: "not a list of silences".to_owned() }));
        };
        let mut parts = AnswerParts::default();
        parts.warnings.extend(unreadable_warning(lost, "silences"));
        // with another clock offset, the same list has other times
        let digest = body.digest() ^ ahead.as_secs().unsigned_abs();
        Ok(parts.reply_if_new(Answer::Silences(all), digest, known))
    }

    /// The alert with links to its rule, dashboard and panel; alerts about a rule say so.
    pub(super) fn named_alert(&self, alert: Alert) -> Alert {
        let mut more: Vec<(&str, Text)> = Vec::new();
        let uid = alert.labels.value(RULE_UID);
        let rule_page =
            (!uid.is_empty()).then(|| self.page(&format!("/alerting/grafana/{}/view", segment(uid))));
        let dashboard = alert.annotations.value("__dashboardUid__");
        let panel = alert.annotations.value("__panelId__");
        if !dashboard.is_empty() {
            let path = format!("/d/{}", segment(dashboard));
            more.push(("dashboard", self.page(&path)));
            if panel.parse::<u64>().is_ok() {
                more.push(("panel", self.page(&format!("{path}?viewPanel={panel}"))));
            }
        }
        if let Some(words) = about_a_rule(&alert.labels) {
            let own = alert.annotations.get("summary").cloned();
            more.push(("summary", words));
            more.extend(own.map(|own| ("summary_of_the_rule", own)));
        }
        let generator_url = rule_page.or_else(|| alert.generator_url.clone());
        let annotations =
            if more.is_empty() { alert.annotations.clone() } else { alert.annotations.with(more) };
        Alert { annotations, generator_url, ..alert }
    }
}

/// What an alert about a rule means; `None` for other alerts.
fn about_a_rule(labels: &Labels) -> Option<Text> {
    let problem = match labels.value("alertname") {
        "DatasourceNoData" => "has no data",
        "DatasourceError" => "cannot be evaluated",
        _ => return None,
    };
    let rule = Some(labels.value("rulename")).filter(|name| !name.is_empty()).unwrap_or("(no name)");
    let of = |name: &str, words: &str| {
        Some(labels.value(name)).filter(|value| !value.is_empty()).map(|value| format!("{words} {value}"))
    };
    let query = [of("ref_id", "query"), of("datasource_uid", "data source")];
    let query = query.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let query = if query.is_empty() { query } else { format!(" ({query})") };
    Some(format!("the alert rule {rule} {problem}{query}: its alerts cannot fire").into())
}

/// A digest of the alerts' displayed parts.
fn digest(snapshot: &AlertSnapshot) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    for alert in &snapshot.alerts {
        (alert.fingerprint, &alert.annotations, alert.state, alert.starts_at).hash(&mut hasher);
        alert.value.map(f64::to_bits).hash(&mut hasher);
    }
    hasher.finish()
}
