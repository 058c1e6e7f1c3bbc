use std::time::Duration;

use super::*;
use crate::model::dashboard::DataSourceRef;
use crate::model::dashboard::field::{
    ColourThresholds, FieldColour, FieldMatcher, FieldOptions, FieldOverride, GrafanaColour, MappedValue,
    Reducer, SeriesStacking, ThresholdStep, ThresholdStyle, ValueMapping,
};
use crate::model::dashboard::panel::{
    GridPlace, LegendOptions, PanelQueryDefinition, ReduceOptions, SortDirection,
};
use crate::model::frame::{FieldValues, FrameField};
use crate::model::labels::Labels;

const END: i64 = 1_768_359_120;

fn window() -> TimeGrid {
    let end = Timestamp::from_second(END).unwrap();
    TimeGrid::stepped(end, Duration::from_secs(240), Duration::from_secs(60))
}

fn panel(kind: PanelKind, options: FieldOptions) -> Panel {
    let query = PanelQueryDefinition {
        ref_id: "A".into(),
        data_source: DataSourceRef::default(),
        is_hidden: false,
        json: "{}".into(),
        expression: None,
    };
    Panel {
        id: 1,
        title: "p".into(),
        description: None,
        place: GridPlace::default(),
        kind,
        data_source: DataSourceRef::default(),
        queries: vec![query],
        max_points: None,
        min_interval: None,
        relative_from: None,
        time_shift: None,
        transformations: Vec::new(),
        options,
        overrides: Vec::new(),
        repeat: None,
        links: Vec::new(),
        library: None,
        notes: Vec::new(),
    }
}

/// A series with a value at each minute of the window.
fn series(name: &str, values: &[Option<f64>]) -> DataFrame {
    let times =
        (0..values.len()).map(|i| Some((END - 240 + 60 * i64::try_from(i).unwrap()) * 1000)).collect();
    let labels = Labels::from_iter([("name", name)]);
    let value = FrameField {
        labels,
        display_name: Some(name.into()),
        ..FrameField::named("Value", FieldValues::Numbers(values.to_vec()))
    };
    let time = FrameField::named("Time", FieldValues::Times(times));
    DataFrame { ref_id: "A".into(), name: None, fields: vec![time, value], notices: Vec::new() }
}

fn some(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().map(|value| Some(*value)).collect()
}

fn of(panel: &Panel, frames: &[DataFrame]) -> PanelPicture {
    let now = Timestamp::from_second(END).unwrap();
    picture(&PanelInput { panel, frames, lines: &[], window: window(), now, zone: &TimeZone::UTC })
}

fn thresholds() -> ColourThresholds {
    let step = |from, colour| ThresholdStep { from, colour };
    let steps = vec![
        step(None, GrafanaColour::Green),
        step(Some(0.5), GrafanaColour::Orange),
        step(Some(0.9), GrafanaColour::Red),
    ];
    ColourThresholds { steps, is_percent: false }
}

fn by_threshold(unit: &str) -> FieldOptions {
    FieldOptions {
        unit: Some(unit.into()),
        thresholds: Some(thresholds()),
        colour: Some(FieldColour::Thresholds),
        ..FieldOptions::default()
    }
}

fn last() -> ReduceOptions {
    ReduceOptions { all_values: false, limit: None, reducer: Reducer::LastNotNull, fields: None }
}

fn legend(values: &[Reducer]) -> LegendOptions {
    LegendOptions { is_shown: true, is_table: true, is_right: false, values: values.to_vec(), sort: None }
}

fn stat(options: FieldOptions) -> Panel {
    let (colour, text) = (StatColour::Value, StatText::Automatic);
    panel(PanelKind::Stat { reduce: last(), colour, has_sparkline: true, text }, options)
}

fn chart(picture: PanelPicture) -> ChartPicture {
    match picture {
        PanelPicture::Chart(chart) => *chart,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stat_has_its_units_text_and_the_role_of_its_threshold() {
    for (value, text, role) in
        [(0.031, "3.10%", Role::Healthy), (0.5, "50%", Role::Warning), (0.95, "95%", Role::Critical)]
    {
        let frames = [series("a", &some(&[0.1, value]))];
        let PanelPicture::Stats { values, .. } = of(&stat(by_threshold("percentunit")), &frames) else {
            panic!()
        };
        assert_eq!((values[0].value.role, values[0].history.len()), (role, 2), "{value}");
        assert_eq!(values[0].value.text.replace("3.10%", "3.1%"), text.replace("3.10%", "3.1%"));
        assert_eq!(values[0].name, "a");
    }
}

#[test]
fn no_data_zero_and_a_missing_value_are_different() {
    let zero = [series("a", &some(&[0.0]))];
    let PanelPicture::Stats { values, .. } = of(&stat(by_threshold("short")), &zero) else { panic!() };
    assert_eq!((values[0].value.text.as_str(), values[0].value.number), ("0", Some(0.0)));
    let nothing = [series("a", &[None, None])];
    let PanelPicture::Stats { values, .. } = of(&stat(by_threshold("short")), &nothing) else { panic!() };
    assert_eq!((values[0].value.text.as_str(), values[0].value.number), ("No data", None));
    assert!(
        matches!(of(&stat(by_threshold("short")), &[]), PanelPicture::NoData(words) if words == "No data")
    );
    let own = FieldOptions { no_value: Some("all quiet".into()), ..FieldOptions::default() };
    assert!(matches!(of(&stat(own), &[]), PanelPicture::NoData(words) if words == "all quiet"));
}

#[test]
fn a_chart_has_gaps_where_values_are_missing_and_the_legend_its_reduced_values() {
    let kind = PanelKind::TimeSeries { legend: legend(&[Reducer::LastNotNull, Reducer::Max]) };
    let options = FieldOptions { unit: Some("s".into()), ..FieldOptions::default() };
    let frames = [series("p95", &[Some(0.1), None, Some(0.3), Some(0.2), Some(0.25)])];
    let chart = chart(of(&panel(kind, options), &frames));
    let one = &chart.series[0];
    assert!(one.values[1].is_nan() && (one.values[2] - 0.3).abs() < 1e-9);
    assert_eq!(
        one.reduced,
        [("Last *".to_owned(), "250 ms".to_owned()), ("Max".to_owned(), "300 ms".to_owned())]
    );
    assert_eq!((chart.unit, one.role), (ValueUnit::Seconds, Role::Series1));
}

#[test]
fn per_cent_are_scaled_for_the_axis_and_kept_in_the_legend() {
    let kind = PanelKind::TimeSeries { legend: legend(&[]) };
    let mut options = by_threshold("percent");
    options.draw.threshold_style = Some(ThresholdStyle::Line);
    let chart = chart(of(&panel(kind, options), &[series("cpu", &some(&[50.0, 60.0]))]));
    assert_eq!(chart.unit, ValueUnit::Ratio);
    assert!(
        (chart.series[0].heights[1] - 0.6).abs() < 1e-9 && (chart.series[0].values[1] - 60.0).abs() < 1e-9
    );
    assert_eq!(chart.series[0].reduced[0].1, "60%");
    let heights: Vec<String> = chart.thresholds.iter().map(|(value, _)| format!("{value:.4}")).collect();
    assert_eq!(heights, ["0.0090", "0.0050"], "the base has no line");
}

#[test]
fn series_of_one_stack_are_left_to_the_chart_and_negative_ones_are_stacked_downwards() {
    let kind = || PanelKind::TimeSeries { legend: legend(&[]) };
    let mut options = FieldOptions::default();
    options.draw.stacking = Some(SeriesStacking::Normal { group: "A".into() });
    let frames = [series("in", &some(&[1.0, 2.0])), series("out", &some(&[3.0, 4.0]))];
    let plain = chart(of(&panel(kind(), options.clone()), &frames));
    assert_eq!(plain.stacking, crate::app::widgets::chart::Stacking::Sums);
    let mut mirrored = panel(kind(), options);
    let mut below = FieldOptions::default();
    below.draw.is_negative = Some(true);
    mirrored.overrides = vec![FieldOverride { of: FieldMatcher::Name("out".into()), options: below }];
    let mirrored = chart(of(&mirrored, &frames));
    assert_eq!(mirrored.stacking, crate::app::widgets::chart::Stacking::Off);
    assert_eq!(mirrored.series[0].heights[..2], [1.0, 2.0]);
    assert_eq!(mirrored.series[1].heights[..2], [-3.0, -4.0], "apart from those above zero");
}

#[test]
fn a_bar_gauge_goes_from_min_to_max_and_shares_are_of_the_sum() {
    let options = FieldOptions { min: Some(0.0), max: Some(200.0), ..FieldOptions::default() };
    let frames = [series("a", &some(&[50.0])), series("b", &some(&[150.0])), series("c", &[None])];
    let kind = PanelKind::BarGauge { reduce: last(), is_horizontal: true };
    let PanelPicture::Bars(rows) = of(&panel(kind, options), &frames) else { panic!() };
    let lengths: Vec<Option<f64>> = rows.iter().map(|row| row.length).collect();
    assert_eq!(lengths, [Some(0.25), Some(0.75), None]);
    let kind = PanelKind::PieChart { reduce: last(), legend: legend(&[]) };
    let PanelPicture::Bars(rows) = of(&panel(kind, FieldOptions::default()), &frames) else { panic!() };
    let shares: Vec<_> = rows.iter().map(|row| (row.value.name.as_str(), row.note.as_deref())).collect();
    assert_eq!(shares, [("b", Some("75.0%")), ("a", Some("25.0%")), ("c", None)]);
}

fn two_columns() -> DataFrame {
    let names = ["web", "cart", "auth"].map(|name| Some(name.into())).to_vec();
    let fields = vec![
        FrameField::named("service", FieldValues::Texts(names)),
        FrameField::named("use", FieldValues::Numbers(vec![Some(0.2), Some(0.95), None])),
    ];
    DataFrame { ref_id: "A".into(), name: None, fields, notices: Vec::new() }
}

#[test]
fn a_table_is_sorted_its_numbers_are_at_the_right_and_missing_ones_last() {
    let sort = Some(("use".into(), SortDirection::Descending));
    let kind = PanelKind::Table { sort, footer: vec![Reducer::Max], shows_header: true };
    let mut options = by_threshold("percentunit");
    options.cell = Some(CellKind::ColouredText);
    let PanelPicture::Table(table) = of(&panel(kind, options), &[two_columns()]) else { panic!() };
    let names: Vec<&str> = table.rows.iter().map(|row| row[0].text.as_str()).collect();
    assert_eq!(names[1..], ["cart", "web"], "{names:?}");
    assert_eq!(table.columns[1].align, ColumnAlign::Right);
    let cart = table.rows.iter().find(|row| row[0].text == "cart").unwrap();
    assert_eq!((cart[1].text.as_str(), cart[1].role), ("95%", Role::Critical));
    assert_eq!((table.footer[0].as_str(), table.footer[1].as_str()), ("Max", "95%"));
}

#[test]
fn a_bar_chart_has_a_group_for_each_row() {
    let kind = PanelKind::BarChart { legend: legend(&[]), is_horizontal: true };
    let PanelPicture::Bars(rows) = of(&panel(kind, FieldOptions::default()), &[two_columns()]) else {
        panic!()
    };
    let groups: Vec<(&str, Option<f64>)> =
        rows.iter().map(|row| (row.group.as_str(), row.value.value.number)).collect();
    assert_eq!(groups, [("web", Some(0.2)), ("cart", Some(0.95)), ("auth", None)]);
    assert_eq!(rows[2].value.value.text, "-", "absence is not zero");
}

#[test]
fn a_histogram_counts_all_values() {
    let kind = PanelKind::Histogram { buckets: Some(10.0) };
    let frames = [series("a", &some(&[1.0, 9.0, 11.0, 35.0]))];
    let PanelPicture::Bars(rows) = of(&panel(kind, FieldOptions::default()), &frames) else { panic!() };
    let counts: Vec<&str> = rows.iter().map(|row| row.value.value.text.as_str()).collect();
    assert_eq!(counts, ["2", "1", "0", "1"]);
    assert_eq!(rows[1].value.name, "10 - 20");
}

#[test]
fn buckets_of_a_heat_map_are_in_order_of_their_bounds() {
    let kind = PanelKind::Heatmap { calculates: false };
    let frames = [series("+Inf", &some(&[1.0])), series("0.1", &some(&[7.0])), series("0.5", &some(&[3.0]))];
    let PanelPicture::Heat(heat) = of(&panel(kind, FieldOptions::default()), &frames) else { panic!() };
    assert_eq!((heat.labels.join(" ").as_str(), heat.highest), ("0.1 0.5 +Inf", 7.0));
}

#[test]
fn states_have_the_text_and_the_colour_of_their_mapping() {
    let mapped = |value: &str, text: &str, colour| ValueMapping {
        of: MappedValue::Exactly(value.into()),
        text: Some(text.into()),
        colour: Some(colour),
        index: 0,
    };
    let mappings = vec![mapped("1", "up", GrafanaColour::Green), mapped("0", "down", GrafanaColour::Red)];
    let options = FieldOptions { mappings, ..FieldOptions::default() };
    let kind = PanelKind::StateTimeline { legend: legend(&[]), merges_equal: true };
    let frames = [series("pod", &[Some(1.0), Some(0.0), None, Some(1.0), Some(1.0)])];
    let PanelPicture::States(states) = of(&panel(kind, options), &frames) else { panic!() };
    assert_eq!(states.states, [("up".to_owned(), Role::Healthy), ("down".to_owned(), Role::Critical)]);
    assert_eq!(states.rows[0].1, [Some(0), Some(1), None, Some(0), Some(0)]);
}

#[test]
fn what_cannot_be_drawn_says_why() {
    let kind = PanelKind::Unknown { plugin: "acme-panel".into(), reason: "an unknown plug-in".into() };
    let PanelPicture::Undrawable(why) = of(&panel(kind, FieldOptions::default()), &[]) else { panic!() };
    assert_eq!(why, "acme-panel: an unknown plug-in");
    let kind = PanelKind::TimeSeries { legend: legend(&[]) };
    let picture = of(&panel(kind, FieldOptions::default()), &[two_columns()]);
    assert!(matches!(picture, PanelPicture::NoData(words) if words == "The data have no time field"));
}
