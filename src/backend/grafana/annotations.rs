//! Annotations that people and tools write, as changes; not those that Grafana writes about alerts.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::rights::ANNOTATIONS_READ;
use super::{Grafana, wire};
use crate::backend::kit::http::segment;
use crate::backend::kit::lenient::{LenientList, RequiredList, unreadable_warning};
use crate::backend::kit::parts::AnswerParts;
use crate::model::ask::{Answer, Answered, Weight};
use crate::model::change::{Change, ChangeKind, ChangeSnapshot, ChangeState};
use crate::model::labels::{Labels, Text};
use crate::model::source::SourceError;
use crate::model::warning::Warning;

/// The annotations of one request.
const PAGE: usize = 500;
/// The most requests for one answer.
const MOST_PAGES: usize = 4;
/// The longest title, in characters.
const MOST_TITLE: usize = 300;
/// The most tags that become labels.
const MOST_TAGS: usize = 20;
/// Tags that name an environment, not a service.
const ENVIRONMENTS: [&str; 8] =
    ["prod", "production", "staging", "stage", "dev", "development", "test", "testing"];

impl Grafana {
    /// Answers the question for changes: the newest annotations first, back to `since`.
    pub(super) async fn changes(&self, since: Timestamp) -> Answered {
        let now = self.clock.now();
        let mut parts = AnswerParts::default();
        let (mut changes, mut seen) = (Vec::new(), BTreeSet::new());
        let (mut until, mut complete) = (self.skew.there(now), since);
        for page in 0..=MOST_PAGES {
            if page == MOST_PAGES {
                // the older ones were not read
                complete = until.max(since);
                parts.warnings.push(Warning::missing(format!(
                    "only the newest {} annotations are shown",
                    changes.len()
                )));
                break;
            }
            let read = self.annotations(self.skew.there(since), until).await;
            let read = read.map_err(|error| self.lacking(error, ANNOTATIONS_READ))?;
            parts.warnings.extend(unreadable_warning(read.lost, "annotations"));
            let count = read.all.len() + read.lost;
            let oldest = read.all.iter().filter_map(|one| one.at).min();
            let before = changes.len();
            for read in read.all {
                let is_new = read.id.is_empty() || seen.insert(read.id);
                changes.extend(read.change.filter(|_| is_new));
            }
            let is_stuck = changes.len() == before && oldest.is_none_or(|oldest| oldest >= until);
            match oldest {
                Some(oldest) if count >= PAGE && !is_stuck => until = oldest,
                Some(_) if count >= PAGE => {
                    complete = until.max(since);
                    let words = format!("more than {PAGE} annotations at one time: older ones are not shown");
                    parts.warnings.push(Warning::missing(words));
                }
                Some(_) | None => break,
            }
            if is_stuck {
                break;
            }
        }
        let covers = vec!["annotations".into()];
        let snapshot =
            ChangeSnapshot { wanted: since, ..ChangeSnapshot::new(changes, complete, now, covers) };
        Ok(parts.reply(Answer::Changes(snapshot)))
    }

    async fn annotations(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<LenientList<ReadAnnotation>, SourceError> {
        let (from, to) = (from.as_millisecond().to_string(), to.as_millisecond().to_string());
        let limit = PAGE.to_string();
        // without the type, changes of alerts come too, and an alert would be its own cause
        let query = [("from", &*from), ("to", &to), ("type", "annotation"), ("limit", &limit)];
        let body = self.get(Weight::Page, "api/annotations", &query).await?;
        let list: LenientList<wire::AnnotationItem<'_>> = body.json::<RequiredList<_>>()?.0;
        let all = list.all.iter().map(|one| self.annotation(one)).collect();
        Ok(LenientList { all, lost: list.lost })
    }

    fn annotation(&self, item: &wire::AnnotationItem<'_>) -> ReadAnnotation {
        let at = item.time.0;
        ReadAnnotation { id: item.id.0.to_string(), at, change: at.and_then(|at| self.change_of(item, at)) }
    }

    /// The annotation as a change; `None` for one about an alert.
    fn change_of(&self, item: &wire::AnnotationItem<'_>, at: Timestamp) -> Option<Change> {
        let is_of_alert = !matches!(&*item.alert_id.0, "" | "0") || !item.new_state.0.is_empty();
        if is_of_alert {
            return None;
        }
        let here = |there: Timestamp| there.checked_sub(self.skew.ahead()).unwrap_or(there);
        let tags = Tags::of(item.tags.0.iter().map(|tag| &*tag.0), &self.service_labels);
        let (words, link) = plain(&item.text.0);
        let title = words.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("annotation");
        let title: String = title.chars().take(MOST_TITLE).collect();
        let end = item.time_end.0.filter(|end| *end > at).map(here);
        let labels = tags.labels.with(end.map(|end| ("until", Text::from(end.to_string()))));
        let panel = Some(&item.panel_id.0).filter(|panel| !matches!(&***panel, "" | "0"));
        let page = Some(&item.dashboard_uid.0).filter(|uid| !uid.is_empty()).map(|uid| {
            let panel = panel.map(|panel| format!("?viewPanel={panel}")).unwrap_or_default();
            self.page(&format!("/d/{}{panel}", segment(uid)))
        });
        let who = [&item.login.0, &item.email.0].into_iter().find(|who| !who.is_empty());
        let state = match end {
            Some(end) if end > self.clock.now() => ChangeState::Running,
            Some(_) | None => ChangeState::Done,
        };
        Some(Change {
            state,
            service: tags.service,
            labels,
            who: who.map(|who| Text::from(&**who)),
            link: link.map(Text::from).or(page),
            id: Some(Text::from(&*item.id.0)).filter(|id| !id.is_empty()),
            ..Change::new(here(at), tags.kind, title, self.info.id.clone())
        })
    }
}

/// An annotation that was read.
#[derive(Debug)]
struct ReadAnnotation {
    id: String,
    at: Option<Timestamp>,
    /// `None` if it is about an alert or has no time.
    change: Option<Change>,
}

/// What the tags of an annotation say.
#[derive(Debug, PartialEq)]
struct Tags {
    kind: ChangeKind,
    service: Option<Text>,
    labels: Labels,
}

impl Tags {
    /// Tags such as `deploy`, `service:checkout`, `version=4.19.0`. The one tag that is neither a kind of change nor an environment
    /// beside a kind is the service: `deploy`, `checkout`.
    fn of<'t>(tags: impl Iterator<Item = &'t str>, service_labels: &[String]) -> Self {
        let (mut kind, mut plain, mut pairs) = (None, Vec::new(), Vec::new());
        for tag in tags.map(str::trim).filter(|tag| !tag.is_empty()).take(MOST_TAGS) {
            let pair =
                tag.split_once(['=', ':']).filter(|(name, value)| !name.is_empty() && !value.is_empty());
            match (pair, ChangeKind::of_word(tag)) {
                (Some((name, value)), _) => pairs.push((Text::from(name.trim()), Text::from(value.trim()))),
                (None, Some(word)) => kind = kind.or(Some(word)),
                (None, None) => plain.push(tag),
            }
        }
        let labels = Labels::new(pairs);
        let named = service_labels.iter().map(String::as_str).chain(["service", "app"]);
        let mut named = named;
        let named = named.find_map(|name| labels.get(name)).cloned();
        let is_service = |tag: &&&str| !ENVIRONMENTS.contains(&tag.to_ascii_lowercase().as_str());
        let mut services = plain.iter().filter(is_service);
        let alone = match (services.next(), services.next()) {
            (Some(one), None) if kind.is_some() => Some(Text::from(*one)),
            (Some(_) | None, _) => None,
        };
        let labels = labels.with((!plain.is_empty()).then(|| ("tags", Text::from(plain.join(", ")))));
        let word =
            labels.get("type").or_else(|| labels.get("kind")).and_then(|word| ChangeKind::of_word(word));
        Self { kind: kind.or(word).unwrap_or(ChangeKind::Other), service: named.or(alone), labels }
    }
}

/// HTML as text, with the first link in it.
fn plain(html: &str) -> (String, Option<String>) {
    let (mut text, mut link) = (String::new(), None);
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        // a lone `<` is no tag
        let is_tag =
            after.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '/' | '!'));
        let Some((tag, behind)) = after.split_once('>').filter(|_| is_tag) else {
            text.push('<');
            rest = after;
            continue;
        };
        let name: String =
            tag.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '/').collect();
        if matches!(
            name.to_ascii_lowercase().as_str(),
            "br" | "br/" | "p" | "/p" | "div" | "/div" | "li" | "tr"
        ) {
            text.push('\n');
        }
        link = link.or_else(|| href(tag));
        rest = behind;
    }
    text.push_str(rest);
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    (entities.iter().fold(text, |text, (entity, sign)| text.replace(entity, sign)), link)
}

/// The web address in a tag `a href="..."`.
fn href(tag: &str) -> Option<String> {
    let (_, after) = tag.split_once("href=")?;
    let quote = after.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let url = after.get(1..)?.split(quote).next()?.replace("&amp;", "&");
    (url.starts_with("https://") || url.starts_with("http://")).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tags_of_an_annotation_are_its_kind_its_service_and_labels() {
        for (tags, kind, service, labels) in [
            (
                &["deploy", "checkout-api"][..],
                ChangeKind::Deploy,
                Some("checkout-api"),
                &[("tags", "checkout-api")][..],
            ),
            (&["release", "prod", "search"], ChangeKind::Deploy, Some("search"), &[("tags", "prod, search")]),
            (&["deploy", "a", "b"], ChangeKind::Deploy, None, &[("tags", "a, b")]),
            (&["a"], ChangeKind::Other, None, &[("tags", "a")]),
            (
                &["service:store", "version=4.2", "rollback"],
                ChangeKind::Rollback,
                Some("store"),
                &[("service", "store"), ("version", "4.2")],
            ),
            (
                &["team:x", "squad:store"],
                ChangeKind::Other,
                Some("store"),
                &[("squad", "store"), ("team", "x")],
            ),
            (&["=", ":x", " "], ChangeKind::Other, None, &[("tags", "=, :x")]),
            (&[], ChangeKind::Other, None, &[]),
        ] {
            let read = Tags::of(tags.iter().copied(), &["squad".to_owned()]);
            let expected =
                Tags { kind, service: service.map(Text::from), labels: Labels::from_iter(labels.to_vec()) };
            assert_eq!(read, expected, "{tags:?}");
        }
    }

    #[test]
    fn html_becomes_text_and_its_link_is_kept() {
        for (html, text, link) in [
            ("<b>Deploy</b> 4.19 &amp; more", "Deploy 4.19 & more", None),
            (
                r#"<a href="https://ci.example.net/7?a=1&amp;b=2">run 7</a><br/>by ana"#,
                "run 7\nby ana",
                Some("https://ci.example.net/7?a=1&b=2"),
            ),
            ("a < b and c > d", "a < b and c > d", None),
            ("<a href='javascript:alert(1)'>x</a>", "x", None),
            ("<script>unclosed", "unclosed", None),
            ("<", "<", None),
            ("<a href=", "<a href=", None),
        ] {
            assert_eq!(plain(html), (text.to_owned(), link.map(str::to_owned)), "{html}");
        }
    }
}
