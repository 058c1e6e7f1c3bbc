//! Services that metric packs name by labels of their own, such as `HAProxy`'s backends by `proxy`: an alert with such a label
//! belongs to that service, whatever its general service labels say.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::labels::{Labels, Text};

/// Label names, each with the services that it names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct OwnNames(BTreeMap<Text, BTreeSet<Text>>);

impl OwnNames {
    /// From pairs of a service and the label that names it.
    pub(super) fn new<'a>(services: impl Iterator<Item = (&'a Text, &'a Text)>) -> Self {
        let mut all: BTreeMap<Text, BTreeSet<Text>> = BTreeMap::new();
        for (service, label) in services {
            all.entry(label.clone()).or_default().insert(service.clone());
        }
        Self(all)
    }

    /// The service that one of the labels names.
    pub(super) fn named<'a>(&self, labels: &'a Labels) -> Option<&'a Text> {
        self.0.iter().find_map(|(label, services)| labels.get(label).filter(|name| services.contains(*name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_about_a_backend_is_not_filed_under_its_proxy() {
        let (label, backend) = (Text::from("proxy"), Text::from("alldead"));
        let names = OwnNames::new([(&backend, &label)].into_iter());
        let of =
            |labels: &[(&str, &str)]| names.named(&labels.iter().copied().collect()).map(ToString::to_string);
        assert_eq!(of(&[("proxy", "alldead"), ("service", "edge-haproxy")]), Some("alldead".into()));
        assert_eq!(of(&[("proxy", "other"), ("service", "edge-haproxy")]), None);
        assert_eq!(of(&[("service", "alldead")]), None);
    }
}
