//! The columns of alerts: on the screen, in `burnwatch alerts` and in its JSON.

use super::Alerts;
use crate::app::prelude::*;

/// An alert with data that depend on the other alerts.
pub struct AlertItem<'a> {
    pub alert: &'a Alert,
    pub service: Option<&'a Text>,
    /// The labels that distinguish the alert from others of its name and service, or of its group.
    pub distinguishing: Labels,
}

impl Listed for Alerts {
    type Item<'a> = AlertItem<'a>;
    /// The longest name and the longest service, in cells.
    type Widths = (u16, u16);
}

type Column = ListColumn<Alerts>;

/// Names and services get the width that they need; the summary gets the rest.
pub const COLUMNS: &[Column] = &[
    Column::symbol(0),
    Column::text("state", "STATE", |item| Value::Text(item.alert.state.word().to_owned()))
        .on_screen((3, "state", Size::words(9, 9, 4)), |row| row.state(row.alert.state.word())),
    Column::text("severity", "SEVERITY", |item| Value::Text(item.alert.severity.word().to_owned()))
        .on_screen((2, "severity", Size::words(9, 9, 5)), |row| {
            Cell::text(row.alert.severity.word(), Role::of_severity(row.alert.severity))
        }),
    Column::text("starts_at", "FOR", |item| Value::Since(item.alert.starts_at))
        .on_screen((4, "since", Size::numbers(6, 1)), |row| {
            row.ago(row.alert.resolved_at.unwrap_or(row.alert.starts_at))
        }),
    Column::text("name", "ALERT", |item| Value::Text(item.alert.name().to_owned()))
        .on_screen((1, "alert", Size::BY_ROWS), |row| row.highlighted(row.alert.name(), row.role))
        .sized_by(|(name, _), width| {
            let name = name.clamp(16, (width * 2 / 5).clamp(16, 44));
            Some(Size::words(name, name, 0))
        }),
    Column::text("service", "SERVICE", |item| Value::optional(item.service))
        .on_screen((5, "service", Size::BY_ROWS), |row| {
            row.highlighted(row.service.map_or("", |name| name), row.plain)
        })
        .sized_by(|(_, service), width| {
            let service = service.clamp(10, (width / 5).clamp(10, 30));
            Some(Size::words(service, service, 2))
        }),
    Column::distinguishing("", "LABELS", |item| labels_of(&item.distinguishing))
        .on_screen((6, "labels", Size::words(28, 44, 6)), |row| {
            Cell::text(pairs(row.cx.shared, &row.distinguishing), Role::Muted)
        }),
    Column::hidden("fingerprint", |item| Value::Text(item.alert.fingerprint.to_string())),
    Column::hidden("labels", |item| Value::Labels(item.alert.labels.clone())),
    Column::hidden("annotations", |item| Value::Labels(item.alert.annotations.clone())),
    Column::hidden("value", |item| Value::maybe(item.alert.value, Value::Number)),
    Column::hidden("receivers", |item| Value::texts(item.alert.receivers.iter())).on_screen(
        (7, "receiver", Size::words(8, 20, 7)),
        |row| {
            let receivers: Vec<&str> = row.alert.receivers.iter().map(|receiver| &**receiver).collect();
            Cell::text(receivers.join(", "), Role::Muted)
        },
    ),
    Column::hidden("silenced_by", |item| Value::texts(item.alert.silenced_by.iter())),
    Column::hidden("inhibited_by", |item| Value::texts(item.alert.inhibited_by.iter())),
    Column::hidden("silenced_by_is_derived", |item| Value::Switch(item.alert.is_derived)),
    Column::hidden("runbook_url", |item| Value::optional(item.alert.runbook())),
    Column::hidden("generator_url", |item| Value::optional(item.alert.generator_url.as_ref())),
    Column::hidden("resolved_at", |item| item.alert.resolved_at.map_or(Value::Nothing, Value::Since)),
    Column::hidden("sources", |item| Value::texts(item.alert.sources.iter())),
    Column::text("summary", "SUMMARY", |item| Value::optional(item.alert.summary()))
        .on_screen((8, "summary", Size::words(20, 160, 3)), |row| {
            Cell::text(row.alert.summary().map_or("", |summary| summary), row.plain)
        }),
];

fn labels_of(labels: &Labels) -> Value {
    if labels.is_empty() { Value::Nothing } else { Value::Labels(labels.clone()) }
}

/// `name=value name=value`, those that name the service first.
pub(super) fn pairs(shared: &Shared, labels: &Labels) -> String {
    let rank = |name: &str| {
        shared.world.health_policy.service_labels.iter().position(|label| label == name).unwrap_or(usize::MAX)
    };
    let mut shown: Vec<_> = labels.shown().collect();
    shown.sort_by_key(|(name, _)| rank(name));
    shown.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}
