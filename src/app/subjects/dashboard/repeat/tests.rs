use super::*;

#[test]
fn every_kind_of_panel_has_a_least_size_that_a_small_terminal_has() {
    let kinds = [
        PanelKind::DashboardList,
        PanelKind::Heatmap { calculates: true },
        PanelKind::Histogram { buckets: None },
        PanelKind::Unknown { plugin: "x".into(), reason: "y".into() },
    ];
    for kind in kinds {
        let (width, height) = least(&kind);
        assert!(width <= 40 && height <= 10, "{kind:?}");
    }
}
