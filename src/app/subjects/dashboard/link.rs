//! The dashboard that an alert is linked with: by the annotations of Grafana's rules, or by the address of a dashboard.

use std::sync::Arc;

use url::Url;

use crate::app::identity::{DashboardKey, DashboardTarget};
use crate::app::shared::Shared;
use crate::model::alert::Alert;
use crate::model::ask::AskKind;
use crate::model::labels::Text;
use crate::model::source::SourceId;

/// The names under which Grafana's rules have the uid of their dashboard and the id of the panel.
const UID: &str = "__dashboardUid__";
const PANEL: &str = "__panelId__";

/// What an alert says about its dashboard.
#[derive(Debug, PartialEq, Eq)]
struct LinkedDashboard {
    uid: Text,
    panel: Option<u32>,
    variables: Vec<(Text, Vec<Text>)>,
}

/// The dashboard or panel that an alert is linked with, with the alert's labels as values of the variables of those names.
/// `None` if the alert names none, or no source has dashboards.
pub fn of_alert(shared: &Shared, alert: &Alert) -> Option<Arc<DashboardTarget>> {
    let linked = linked(alert)?;
    let source = source(shared, alert, &linked.uid)?;
    let named = |name: &Text| linked.variables.iter().any(|(known, _)| known == name);
    let labels = alert.labels.iter().map(|(name, value)| (name.clone(), vec![value.clone()]));
    let labels = labels.filter(|(name, _)| !named(name) && !name.starts_with("__"));
    let variables = labels.chain(linked.variables.clone()).collect();
    let key = DashboardKey { source, uid: linked.uid };
    Some(Arc::new(DashboardTarget { key, panel: linked.panel, variables, is_unfolded: false }))
}

fn linked(alert: &Alert) -> Option<LinkedDashboard> {
    let of = |name: &str| {
        let values = [alert.annotations.value(name), alert.labels.value(name)];
        values.into_iter().find(|value| !value.is_empty())
    };
    if let Some(uid) = of(UID) {
        let panel = of(PANEL).and_then(|id| id.parse().ok());
        return Some(LinkedDashboard { uid: uid.into(), panel, variables: Vec::new() });
    }
    let mut named: Vec<_> = alert.annotations.iter().filter(|(_, value)| value.contains("/d/")).collect();
    // of several addresses, the one that says so comes first
    named.sort_by_key(|(name, _)| !name.to_lowercase().contains("dashboard"));
    named.into_iter().find_map(|(_, value)| of_address(value))
}

/// The dashboard of an address such as `https://grafana/d/UID/slug?viewPanel=4&var-job=api`.
fn of_address(address: &str) -> Option<LinkedDashboard> {
    let url = Url::parse(address.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let mut segments = url.path_segments()?.skip_while(|segment| *segment != "d" && *segment != "d-solo");
    segments.next()?;
    let uid = segments.next().filter(|uid| !uid.is_empty())?;
    let mut linked = LinkedDashboard { uid: uid.into(), panel: None, variables: Vec::new() };
    for (name, value) in url.query_pairs() {
        if matches!(&*name, "viewPanel" | "panelId" | "editPanel") {
            // from version 11 on `panel-4`, before that `4`
            linked.panel = value.trim_start_matches("panel-").parse().ok().or(linked.panel);
        } else if let Some(name) = name.strip_prefix("var-") {
            let known = linked.variables.iter_mut().find(|(known, _)| **known == *name);
            match known {
                Some((_, values)) => values.push((&*value).into()),
                None => linked.variables.push((name.into(), vec![(&*value).into()])),
            }
        }
    }
    Some(linked)
}

/// The source of a dashboard: one that lists it, else the source of the alert, else the first one that has dashboards.
fn source(shared: &Shared, alert: &Alert, uid: &str) -> Option<SourceId> {
    let lists = |source: &SourceId| {
        let list = shared.world.cache(source).and_then(|cache| cache.dashboards().value());
        list.is_some_and(|list| list.entries.iter().any(|entry| *entry.uid == *uid))
    };
    let mut all = shared.answering(AskKind::Dashboard).map(|source| &source.id);
    let is_own = |source: &&SourceId| alert.sources.contains(*source);
    let found = all.clone().find(|source| lists(source)).or_else(|| all.clone().find(is_own));
    found.or_else(|| all.next()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixtures;
    use crate::model::labels::Labels;

    fn alert(annotations: &[(&str, &str)]) -> Alert {
        let annotations = annotations.iter().copied().collect::<Labels>();
        let labels = Labels::from_iter([("alertname", "HighErrors"), ("service", "cart")]);
        Alert { annotations, ..fixtures::alert(labels, jiff::Timestamp::UNIX_EPOCH, "am") }
    }

    #[test]
    fn annotations_of_rules_and_addresses_name_a_dashboard_and_a_panel() {
        let of = |annotations: &[(&str, &str)]| linked(&alert(annotations)).map(|one| (one.uid, one.panel));
        let some = |uid: &str, panel| Some((uid.into(), panel));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("__dashboardUid__", "a1"), ("__panelId__", "7")]), some("a1", Some(7)));
        assert_eq!(of(&[("__dashboardUid__", "a1"), ("__panelId__", "x")]), some("a1", None));
        let long = "https://g.example/sub/d/k8s-1/pods?orgId=1&viewPanel=panel-12";
        assert_eq!(of(&[("summary", "see /d/ there"), ("dashboard", long)]), some("k8s-1", Some(12)));
        assert_eq!(of(&[("dashboard", "https://g.example/d/")]), None);
        assert_eq!(of(&[("dashboard", "javascript:/d/x")]), None);
    }

    #[test]
    fn an_address_has_values_of_variables() {
        let linked = of_address("http://g/d/u?var-job=api&var-job=web&var-ns=shop%2Feu").unwrap();
        let of = |values: &[&str]| values.iter().map(|value| Text::from(*value)).collect::<Vec<_>>();
        assert_eq!(linked.variables, [("job".into(), of(&["api", "web"])), ("ns".into(), of(&["shop/eu"]))]);
    }
}
