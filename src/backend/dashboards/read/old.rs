//! Panels of plug-ins that Grafana replaced: they are read as what Grafana migrates them to.

pub(super) mod graph;
pub(super) mod heatmap;
pub(super) mod series;
pub(super) mod single_stat;
pub(super) mod six;
pub(super) mod table;
