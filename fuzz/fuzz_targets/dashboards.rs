//! Dashboards of Grafana, of all versions.
#![no_main]

use burnwatch::testing::backend::dashboards::read::dashboard;
use burnwatch::testing::model::dashboard::interpolation::Interpolation;
use burnwatch::testing::model::dashboard::transform::transform;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(dashboard) = dashboard(&String::from_utf8_lossy(input)) else { return };
    let values = Interpolation::default();
    for panel in dashboard.sections.iter().flat_map(|section| &section.panels) {
        values.title(&panel.title);
        for query in &panel.queries {
            values.query(&query.json, "prometheus");
        }
        transform(Vec::new(), &panel.transformations);
    }
});
