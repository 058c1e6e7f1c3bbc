//! What Alertmanager sends to PagerDuty for a firing, with its default details, and as PagerDuty returns it.
//!
//! Source: Alertmanager's `template/default.tmpl` (`__text_alert_list`) and `notify/pagerduty` (`alert_key` is the SHA-256 of
//! the group key).

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::noise::mix_text;
use crate::model::incident::Incident;
use crate::model::labels::{Labels, Text};

/// The web page of the demo's Alertmanager.
const PAGE: &str = "https://alerts.shop.example/#/alerts?receiver=pagerduty";

/// The data of a firing in Alertmanager's templates.
#[derive(Debug, Clone)]
pub(super) struct SentAlert {
    pub(super) labels: Labels,
    pub(super) annotations: Labels,
    /// The graph page of the expression.
    pub(super) generator: Text,
}

impl SentAlert {
    /// The title, as in the receiver's `description`: `ErrorBudgetBurn: payments is failing users`.
    pub(super) fn title(&self) -> String {
        let summary = self.annotations.get("summary").map_or("", |summary| summary);
        format!("{}: {summary}", self.labels.value("alertname"))
    }

    /// The key that identifies the alert group at PagerDuty.
    pub(super) fn key(&self) -> String {
        let group = self.labels.to_string();
        (0..4).fold(String::new(), |mut key, part| {
            write!(key, "{:016x}", mix_text(part, &group)).expect("a String takes everything");
            key
        })
    }

    /// The default text of one alert.
    fn text(&self) -> String {
        let lines = |pairs: &Labels| {
            pairs.iter().fold(String::new(), |mut lines, (name, value)| {
                writeln!(lines, " - {name} = {value}").expect("a String takes everything");
                lines
            })
        };
        let (labels, annotations) = (lines(&self.labels), lines(&self.annotations));
        format!("Labels:\n{labels}Annotations:\n{annotations}Source: {}\n", self.generator)
    }

    /// The details of the event.
    pub(super) fn details(&self) -> Value {
        json!({ "firing": self.text(), "num_firing": "1", "num_resolved": "0", "resolved": "" })
    }

    /// The alert of an incident, as in `GET /incidents/{id}/alerts`.
    pub(super) fn alert(&self, incident: &Incident) -> Value {
        json!({
            "id": format!("{}A", incident.id),
            "type": "alert",
            "summary": self.title(),
            "status": if incident.is_open() { "triggered" } else { "resolved" },
            "severity": "critical",
            "created_at": incident.created_at.to_string(),
            "alert_key": self.key(),
            "body": {
                "type": "alert_body",
                "client": "Alertmanager",
                "client_url": PAGE,
                "details": self.details(),
            },
        })
    }
}
