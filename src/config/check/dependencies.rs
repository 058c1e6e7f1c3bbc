//! Checks `[services.depends_on]`: names that are empty or listed twice, services that depend on themselves, circles.

use std::collections::BTreeSet;

use crate::config::settings::ServiceSettings;

/// The problems, each with the service whose list has it.
pub(super) fn problems(services: &ServiceSettings) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (caller, called) in &services.depends_on {
        let mut problem = |message: String| found.push((caller.clone(), message));
        if caller.trim().is_empty() || called.iter().any(|name| name.trim().is_empty()) {
            problem("[services.depends_on] has an empty name".to_owned());
        }
        if called.contains(caller) {
            problem(format!("[services.depends_on] lists `{caller}` as a dependency of itself"));
        }
        let mut seen = BTreeSet::new();
        for name in called.iter().filter(|name| !seen.insert(*name)).collect::<BTreeSet<_>>() {
            problem(format!("[services.depends_on] lists `{name}` twice for `{caller}`"));
        }
    }
    for circle in services.dependencies().circles() {
        let path = circle.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" -> ");
        let caller = circle.first().map(ToString::to_string).unwrap_or_default();
        found.push((caller, format!("[services.depends_on] has a circle: {path}")));
    }
    found
}
