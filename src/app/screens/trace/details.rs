//! The details of a span: times, status, attributes, events, links.

use super::OpenTrace;
use crate::app::number::{latency, percent};
use crate::app::prelude::*;
use crate::model::trace::{SpanNode, SpanStatus, Trace};

/// The longest value that is shown, in characters.
const LONGEST: usize = 4_000;

/// A length in nanoseconds as text.
pub(super) fn time(nanoseconds: u64) -> String {
    latency(Duration::from_nanos(nanoseconds).as_secs_f64())
}

/// The page about the span under the cursor.
pub(super) fn page(screen: &OpenTrace, cx: &ScreenCx<'_>, width: u16) -> PageContent {
    let mut page = PageContent::new(width);
    let Some((trace, (_, node))) = screen.trace().zip(screen.rows.current()) else { return page };
    let span = &node.span;
    page.title(&format!("{} {}", span.service, span.operation));
    let of_error = if span.is_error() { Role::Trouble } else { Role::Text };
    let status = if span.message.trim().is_empty() {
        span.status.word().to_owned()
    } else {
        format!("{}: {}", span.status.word(), cut(&span.message))
    };
    if span.status != SpanStatus::Unset || !span.message.is_empty() {
        attribute(&mut page, "status", &status, of_error);
    }
    times(cx, trace, node, &mut page);
    attribute(&mut page, "kind", span.kind.word(), Role::Text);
    if !span.scope.is_empty() {
        attribute(&mut page, "library", &span.scope, Role::Text);
    }
    attribute(&mut page, "span id", &span.id.to_string(), Role::Muted);
    if let Some(parent) = span.parent {
        let missing = if node.is_orphan { " (missing here)" } else { "" };
        attribute(&mut page, "parent", &format!("{parent}{missing}"), Role::Muted);
    }
    if span.dropped > 0 {
        let words = format!("{} attributes, events or links, before the span was sent", span.dropped);
        attribute(&mut page, "dropped", &words, Role::Stale);
    }
    for event in &span.events {
        let offset = event.at.as_nanosecond() - trace.starts_at.as_nanosecond();
        let at = u64::try_from(offset)
            .map_or_else(|_before| "before the start".to_owned(), |at| format!("at {}", time(at)));
        page.title(&format!("Event {} {at}", event.name));
        for (name, value) in &event.attributes {
            attribute(&mut page, name, value, Role::Text);
        }
    }
    for (title, all) in [("Attributes", span.attributes.as_slice()), ("Process", &*span.resource)] {
        if !all.is_empty() {
            page.title(title);
        }
        for (name, value) in all {
            attribute(&mut page, name, value, Role::Text);
        }
    }
    if !span.links.is_empty() {
        page.title("Linked spans");
    }
    for link in &span.links {
        attribute(&mut page, "trace", &format!("{} span {}", link.trace, link.span), Role::Text);
        for (name, value) in &link.attributes {
            attribute(&mut page, name, value, Role::Text);
        }
    }
    page
}

/// The duration, its part on the critical path, the span's own time and its start.
fn times(cx: &ScreenCx<'_>, trace: &Trace, node: &SpanNode, page: &mut PageContent) {
    let share = |part: u64, whole: u64| percent(part as f64 / (whole as f64).max(1.0));
    let root = trace.root().map_or(0, |root| root.length);
    attribute(page, "duration", &time(node.length), Role::Text);
    let own = format!("{} ({} of the span)", time(node.self_time), share(node.self_time, node.length));
    attribute(page, "own time", &own, Role::Text);
    let critical = if node.critical_time > 0 {
        format!("{} ({} of the trace)", time(node.critical_time), share(node.critical_time, root))
    } else {
        "nothing waits for it".to_owned()
    };
    attribute(page, "critical path", &critical, Role::Text);
    let at = node.span.starts_at.to_zoned(cx.zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string();
    attribute(page, "start", &format!("{at} ({} into the trace)", time(node.from)), Role::Text);
    if node.early_by > 0 {
        let words = format!("begins {} before its parent: clocks differ", time(node.early_by));
        attribute(page, "clock", &words, Role::Stale);
    }
}

/// A name with its value. Names are never cut: one that leaves too little room stands alone on its line.
fn attribute(page: &mut PageContent, name: &str, value: &str, role: Role) {
    let head = format!(
        "  {} ",
        text::pad(name, text::width(name).max(13), crate::app::display_settings::Charset::Unicode)
    );
    let value = cut(value);
    if text::width(&head) > page.width / 2 {
        page.lines.extend(text::beside("  ", name, page.width, Role::Muted));
        page.lines.extend(text::beside("    ", &value, page.width, role));
    } else {
        page.lines.extend(text::beside(&head, &value, page.width, role));
    }
}

/// A value, cut if it is very long. An empty one is shown as such.
fn cut(value: &str) -> String {
    if value.is_empty() {
        return "\"\"".to_owned();
    }
    let count = value.chars().count();
    if count <= LONGEST {
        return value.to_owned();
    }
    let head: String = value.chars().take(LONGEST).collect();
    format!("{head} ... {} characters more", count - LONGEST)
}
