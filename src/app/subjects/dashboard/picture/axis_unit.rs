//! The unit of a chart's axis. Legends and values have Grafana's exact text; an axis has few round labels in a unit of the charts.

use crate::app::widgets::unit::ValueUnit;

const MINUTE: f64 = 60.0;
const KIB: f64 = 1024.0;

/// The unit of an axis for values in a unit of Grafana, and the factor for the values. Units that charts do not know are plain
/// numbers: the legend names the unit.
pub fn axis_unit(unit: Option<&str>) -> (ValueUnit, f64) {
    match unit.unwrap_or_default() {
        "percentunit" => (ValueUnit::Ratio, 1.0),
        "percent" => (ValueUnit::Ratio, 0.01),
        "ns" => (ValueUnit::Seconds, 1e-9),
        "µs" | "us" => (ValueUnit::Seconds, 1e-6),
        "ms" | "dtdurationms" | "clockms" => (ValueUnit::Seconds, 1e-3),
        "s" | "dtdurations" | "dthms" | "dtdhms" | "clocks" => (ValueUnit::Seconds, 1.0),
        "m" => (ValueUnit::Seconds, MINUTE),
        "h" => (ValueUnit::Seconds, 60.0 * MINUTE),
        "d" => (ValueUnit::Seconds, 24.0 * 60.0 * MINUTE),
        "bytes" | "binBps" => (ValueUnit::Bytes, 1.0),
        "kbytes" | "KiBs" => (ValueUnit::Bytes, KIB),
        "mbytes" | "MiBs" => (ValueUnit::Bytes, KIB * KIB),
        "gbytes" | "GiBs" => (ValueUnit::Bytes, KIB * KIB * KIB),
        "tbytes" | "TiBs" => (ValueUnit::Bytes, KIB * KIB * KIB * KIB),
        "reqps" | "rps" | "ops" | "wps" | "cps" | "iops" | "eps" | "mps" | "recps" | "rowsps" | "pps" => {
            (ValueUnit::PerSecond, 1.0)
        }
        _ => (ValueUnit::Plain, 1.0),
    }
}
