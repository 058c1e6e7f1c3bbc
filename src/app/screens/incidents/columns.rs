//! The columns of incidents: on the screen, in `burnwatch incidents` and in its JSON.

use super::Incidents;
use crate::app::prelude::*;
use crate::app::subjects::incident::{service, words};
use crate::model::incident::{PagerRef, Urgency};

/// An incident and the current time.
pub struct IncidentItem<'a> {
    pub known: &'a IncidentView,
    pub now: Timestamp,
}

impl Listed for Incidents {
    type Item<'a> = IncidentItem<'a>;
    /// The longest service and the longest name of a person, in cells.
    type Widths = (u16, u16);
}

type Column = ListColumn<Incidents>;

/// The service and the assignees get space first; the title gets the rest.
pub const COLUMNS: &[Column] = &[
    Column::symbol(0),
    Column::number("number", "#", |item| Value::Count(item.known.incident.number))
        .on_screen((1, "#", Size::numbers(6, 6)), |row| {
            Cell::text(row.known.incident.number.to_string(), Role::Muted)
        }),
    Column::text("status", "STATUS", |item| Value::Text(item.known.incident.status.word().to_owned()))
        .on_screen((2, "status", Size::words(12, 12, 4)), |row| row.state(row.known.incident.status.word())),
    Column::text("urgency", "URGENCY", |item| Value::Text(item.known.incident.urgency.word().to_owned()))
        .on_screen((3, "urgency", Size::words(7, 7, 7)), |row| {
            let role = match row.known.incident.urgency {
                Urgency::High => row.plain,
                Urgency::Low => Role::Muted,
            };
            Cell::text(row.known.incident.urgency.word(), role)
        }),
    Column::text("priority", "PRIO", |item| {
        name_of(item.known.incident.priority.as_ref().map(|priority| &priority.named))
    })
    .on_screen((4, "prio", Size::words(4, 8, 3)), |row| {
        let priority = row.known.incident.priority.as_ref();
        priority.map_or(Cell::Empty, |priority| Cell::text(&*priority.named.name, row.plain))
    }),
    Column::text("created_at", "FOR", |item| Value::Since(item.known.incident.created_at))
        .on_screen((9, "age", Size::numbers(6, 2)), |row| row.ago(row.known.incident.created_at)),
    Column::text("service", "SERVICE", |item| Value::optional(service(item.known)))
        .on_screen((6, "service", Size::BY_ROWS), |row| {
            service(row.known).map_or(Cell::Empty, |name| Cell::text(&**name, row.plain))
        })
        .sized_by(|(service, _), width| {
            let service = service.clamp(8, (width / 6).clamp(8, 26));
            Some(Size::words(service, service, 5))
        }),
    Column::hidden("services", |item| Value::texts(item.known.services.iter())),
    Column::text("who", "WHO", |item| Value::texts(item.known.holders().iter().map(|person| &person.name)))
        .on_screen((7, "assigned to", Size::BY_ROWS), |row| Cell::Text(words::who(&row.cx, row.known)))
        .sized_by(|(_, people), width| {
            // with `paged: ` before it or `, 2h05m ago!` after it
            let people = (people + 12).clamp(14, (width / 5).clamp(14, 40));
            Some(Size::words(people, people, 1))
        }),
    Column::number("alerts", "ALERTS", |item| Value::Count(item.known.incident.alerts.all.into())).on_screen(
        (8, "alerts", Size::numbers(6, 8)),
        |row| {
            let alerts = row.known.incident.alerts;
            let is_one_number = alerts.triggered == alerts.all || !row.known.incident.is_open();
            let open = if is_one_number { String::new() } else { format!("{}/", alerts.triggered) };
            Cell::text(format!("{open}{}", alerts.all), row.plain)
        },
    ),
    Column::hidden("alerts_open", |item| Value::Count(item.known.incident.alerts.triggered.into())),
    Column::hidden("id", |item| Value::Text(item.known.incident.id.to_string())),
    Column::hidden("url", |item| Value::optional(item.known.incident.url.as_ref())),
    Column::hidden("changed_at", |item| Value::Since(item.known.incident.changed_at)),
    Column::hidden("resolved_at", |item| {
        item.known.incident.resolved_at.map_or(Value::Nothing, Value::Since)
    }),
    Column::hidden("acknowledged_at", |item| {
        item.known.acknowledged_at().map_or(Value::Nothing, Value::Since)
    }),
    Column::hidden("is_forgotten", |item| Value::Switch(item.known.is_acknowledgement_old(item.now))),
    Column::hidden("paging_service", |item| name_of(item.known.incident.service.as_ref())),
    Column::hidden("policy", |item| name_of(item.known.incident.escalation_policy.as_ref())),
    Column::hidden("teams", |item| Value::texts(item.known.incident.teams.iter().map(|team| &team.name)))
        .on_screen((10, "team", Size::words(8, 18, 9)), |row| {
            let team = row.known.incident.teams.first();
            team.map_or(Cell::Empty, |team| Cell::text(&*team.name, Role::Muted))
        }),
    Column::hidden("fingerprints", |item| Value::texts(item.known.alerts.iter())),
    Column::hidden("pending", |item| {
        let pending = item.known.incident.pending.iter();
        Value::texts(pending.map(|pending| format!("{} at {}", pending.what, pending.at)))
    }),
    Column::distinguishing("sources", "SOURCES", |item| Value::texts(item.known.sources.iter()))
        .on_screen((11, "source", Size::words(8, 14, 10)), |row| {
            Cell::text(row.known.incident.source.as_str(), Role::Muted)
        }),
    Column::text("title", "TITLE", |item| Value::Text(item.known.incident.title.to_string()))
        .on_screen((5, "title", Size::BY_ROWS), |row| {
            row.highlighted(row.known.incident.subject(), row.plain)
        })
        .sized_by(
            // the title is the most important text: other columns make room for it
            |_, width| Some(Size::words((width * 2 / 7).clamp(16, 60), 120, 0)),
        ),
];

fn name_of(named: Option<&PagerRef>) -> Value {
    Value::optional(named.map(|named| &named.name))
}
