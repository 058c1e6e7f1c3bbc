//! Converts the configuration to the model's [`HealthPolicy`].

use crate::model::alert::{Severity, SeverityMap};
use crate::model::world::HealthPolicy;

use super::settings::Settings;

impl Settings {
    pub fn health_policy(&self) -> HealthPolicy {
        HealthPolicy {
            thresholds: self.health,
            service_labels: self.services.labels.clone(),
            watchdogs: self.severity.watchdogs.clone(),
            severities: self.severity_map(),
            dependencies: self.services.dependencies(),
        }
    }

    /// The meaning of severity values: the built-in ones and the configured ones, which take precedence.
    pub fn severity_map(&self) -> SeverityMap {
        let own = &self.severity;
        let mut map = SeverityMap { labels: own.labels.clone(), ..SeverityMap::default() };
        let words = [
            (Severity::Critical, &own.critical),
            (Severity::Warning, &own.warning),
            (Severity::Info, &own.info),
        ];
        for (severity, values) in words {
            map.values.extend(values.iter().map(|value| (value.to_lowercase(), severity)));
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::labels::Labels;

    #[test]
    fn the_defaults_of_the_configuration_are_those_of_the_model() {
        assert_eq!(Settings::default().health_policy(), HealthPolicy::default());
        assert_eq!(Settings::default().severity_map(), SeverityMap::default());
    }

    #[test]
    fn a_teams_own_word_for_critical_counts() {
        let mut settings = Settings::default();
        settings.severity.critical = vec!["Blocker".into()];
        let labels = Labels::from_iter([("severity", "blocker")]);
        assert_eq!(settings.severity_map().of(&labels), Severity::Critical);
    }
}
