//! The columns of alerts: on the screen, in `burnwatch alerts` and in its JSON.

use std::sync::Arc;

use super::Alerts;
use super::ranking::group_of;
use crate::app::prelude::*;
use crate::model::alert::AlertState;

pub enum AlertList {}

/// An alert with data that depend on the other alerts.
pub struct AlertItem<'a> {
    pub alert: &'a Alert,
    /// The service of the alert.
    pub service: Option<&'a Text>,
    /// The labels that distinguish the alert from others of its name and service.
    pub distinguishing: Value,
}

/// An alert as the screen shows it.
pub struct AlertRow<'a> {
    alert: &'a Alert,
    service: Option<&'a Text>,
    role: Role,
    /// The role of the less important cells.
    plain: Role,
    /// The optimistic state of an action in progress.
    sending: Option<String>,
    /// The labels that distinguish the alert from others of its group.
    differing: String,
    found: &'a ListFilter,
    cx: Cx<'a>,
}

/// The input for the column widths.
pub struct Widths {
    /// The longest name, in cells.
    pub(super) name: u16,
    /// The longest service, in cells.
    pub(super) service: u16,
    /// The width of the table, in cells.
    pub(super) width: u16,
}

impl Listed for AlertList {
    type Item<'a> = AlertItem<'a>;
    type Row<'a> = AlertRow<'a>;
    type Widths = Widths;
}

type Column = ListColumn<AlertList>;

/// Names and services get the width that they need; the summary gets the rest.
pub const COLUMNS: &[Column] = &[
    Column::drawn(0, "", Size::words(1, 1, 0), |row| Cell::symbol(&row.cx, row.role)),
    Column::text("state", "STATE", |item| Value::Text(item.alert.state.word().to_owned())).on_screen(
        3,
        "state",
        Size::words(9, 9, 4),
        |row| match &row.sending {
            Some(sending) => Cell::text(sending.as_str(), Role::Sending),
            None => Cell::text(row.alert.state.word(), row.role),
        },
    ),
    Column::text("severity", "SEVERITY", |item| Value::Text(item.alert.severity.word().to_owned()))
        .on_screen(2, "severity", Size::words(9, 9, 5), |row| {
            Cell::text(row.alert.severity.word(), Role::of_severity(row.alert.severity))
        }),
    Column::text("starts_at", "FOR", |item| Value::Since(item.alert.starts_at)).on_screen(
        4,
        "since",
        Size::numbers(6, 1),
        |row| Cell::text(ago(row.alert.resolved_at.unwrap_or(row.alert.starts_at), row.cx.now), row.plain),
    ),
    Column::text("name", "ALERT", |item| Value::Text(item.alert.name().to_owned())).on_screen_by(
        1,
        "alert",
        |w| {
            let name = w.name.clamp(16, (w.width * 2 / 5).clamp(16, 44));
            Some(Size::words(name, name, 0))
        },
        |row| Cell::Runs(row.found.highlighted(row.alert.name(), row.role)),
    ),
    Column::text("service", "SERVICE", |item| text_of(item.service)).on_screen_by(
        5,
        "service",
        |w| {
            let service = w.service.clamp(10, (w.width / 5).clamp(10, 30));
            Some(Size::words(service, service, 2))
        },
        |row| Cell::Runs(row.found.highlighted(row.service.map_or("", |name| name), row.plain)),
    ),
    Column::distinguishing("", "LABELS", |item| item.distinguishing.clone()).on_screen(
        6,
        "labels",
        Size::words(28, 44, 6),
        |row| Cell::text(row.differing.as_str(), Role::Muted),
    ),
    Column::hidden("fingerprint", |item| Value::Text(item.alert.fingerprint.to_string())),
    Column::hidden("labels", |item| Value::Labels(item.alert.labels.clone())),
    Column::hidden("annotations", |item| Value::Labels(item.alert.annotations.clone())),
    Column::hidden("value", |item| Value::maybe(item.alert.value, Value::Number)),
    Column::hidden("receivers", |item| texts(&item.alert.receivers)).on_screen(
        7,
        "receiver",
        Size::words(8, 20, 7),
        |row| {
            let receivers: Vec<&str> = row.alert.receivers.iter().map(|receiver| &**receiver).collect();
            Cell::text(receivers.join(", "), Role::Muted)
        },
    ),
    Column::hidden("silenced_by", |item| texts(&item.alert.silenced_by)),
    Column::hidden("inhibited_by", |item| texts(&item.alert.inhibited_by)),
    Column::hidden("silenced_by_is_derived", |item| Value::Switch(item.alert.is_derived)),
    Column::hidden("runbook_url", |item| text_of(item.alert.runbook())),
    Column::hidden("generator_url", |item| text_of(item.alert.generator_url.as_ref())),
    Column::hidden("resolved_at", |item| item.alert.resolved_at.map_or(Value::Nothing, Value::Since)),
    Column::hidden("sources", |item| {
        Value::Texts(item.alert.sources.iter().map(ToString::to_string).collect())
    }),
    Column::text("summary", "SUMMARY", |item| text_of(item.alert.summary())).on_screen(
        8,
        "summary",
        Size::words(20, 160, 3),
        |row| Cell::text(row.alert.summary().map_or("", |summary| summary), row.plain),
    ),
];

fn text_of(text: Option<&Text>) -> Value {
    text.map_or(Value::Nothing, |text| Value::words(text.to_string()))
}

fn texts(list: &[Text]) -> Value {
    Value::Texts(list.iter().map(ToString::to_string).collect())
}

impl<'a> AlertRow<'a> {
    /// An alert with the state of the screen.
    pub(super) fn new(screen: &'a Alerts, shared: &'a Shared, cx: Cx<'a>, alert: &'a Arc<Alert>) -> Self {
        let common = screen.common(&shared.world, &group_of(alert, &screen.rows.grouping));
        let differs = |name: &str| {
            !matches!(name, "alertname" | "severity")
                && common.is_none_or(|common| common.get(name).is_none())
        };
        let service = shared.world.service_of(&alert.labels);
        let names_the_service = |name: &str| {
            shared.world.health_policy.service_labels.iter().any(|label| label == name)
                && alert.labels.get(name) == service
        };
        let sending = shared.world.silencing(alert.fingerprint);
        Self {
            alert,
            service,
            role: Role::of_alert(alert),
            plain: if alert.state == AlertState::Firing { Role::Text } else { Role::Muted },
            sending: sending.map(|stage| format!("{}{}", text::ellipsis(cx.charset), stage.word())),
            differing: pairs(shared, &alert.labels, |name| differs(name) && !names_the_service(name)),
            found: &screen.rows.found,
            cx,
        }
    }
}

/// `name=value name=value` for the given labels, those that name the service first.
pub(super) fn pairs(shared: &Shared, labels: &Labels, wanted: impl Fn(&str) -> bool) -> String {
    let rank = |name: &str| {
        shared.world.health_policy.service_labels.iter().position(|label| label == name).unwrap_or(usize::MAX)
    };
    let mut shown: Vec<_> = labels.iter().filter(|(name, _)| wanted(name)).collect();
    shown.sort_by_key(|(name, _)| rank(name));
    shown.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}
