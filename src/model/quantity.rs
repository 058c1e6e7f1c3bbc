//! Numbers of things and sizes, as short texts.

/// A number with up to two decimals: three significant digits where possible.
pub fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 99.5 || (v - v.round()).abs() < 0.005 => format!("{value:.0}"),
        v if v >= 9.95 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A size in binary units.
pub fn bytes(value: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let (mut left, mut unit) = (value, 0);
    while left.abs() >= 1024.0 && unit + 1 < units.len() {
        left /= 1024.0;
        unit += 1;
    }
    format!("{} {}", short(left), units.get(unit).copied().unwrap_or_default())
}
