use proptest::prelude::*;

use super::*;
use crate::model::dashboard::display::naming::default_name;
use crate::model::dashboard::field::{FieldKind, Reducer};
use crate::model::dashboard::panel::SortDirection;
use crate::model::dashboard::reduce::{reduce, reduce_numbers};
use crate::model::dashboard::transformation::{Calculation, GroupUse, RowCondition};
use crate::model::frame::{FieldValues, FrameCell, FrameField};
use crate::model::labels::Labels;

fn times(name: &str, values: &[i64]) -> FrameField {
    FrameField::named(name, FieldValues::Times(values.iter().copied().map(Some).collect()))
}

fn numbers(name: &str, values: &[f64]) -> FrameField {
    let some = |value: f64| (!value.is_nan()).then_some(value);
    FrameField::named(name, FieldValues::Numbers(values.iter().copied().map(some).collect()))
}

fn words(name: &str, values: &[&str]) -> FrameField {
    let some = |value: &str| (!value.is_empty()).then(|| value.into());
    FrameField::named(name, FieldValues::Texts(values.iter().copied().map(some).collect()))
}

fn labelled(field: FrameField, labels: &[(&str, &str)]) -> FrameField {
    FrameField { labels: labels.iter().copied().collect::<Labels>(), ..field }
}

fn frame(id: &str, fields: Vec<FrameField>) -> DataFrame {
    DataFrame { ref_id: id.into(), fields, ..DataFrame::default() }
}

fn run(frames: Vec<DataFrame>, step: TransformationStep) -> Vec<DataFrame> {
    let (frames, notes) = transform(frames, &[Transformation { step, only: None }]);
    assert!(notes.is_empty(), "{notes:?}");
    frames
}

/// The columns of a frame as text: the name that is shown, and the values.
fn shown(frames: &[DataFrame], index: usize) -> Vec<(String, Vec<String>)> {
    let frame = &frames[index];
    let field = |field: &FrameField| {
        (default_name(frames, frame, field), field.values.cells().map(|cell| cell.plain()).collect())
    };
    frame.fields.iter().map(field).collect()
}

fn table(columns: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    columns
        .iter()
        .map(|(name, values)| ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect()))
        .collect()
}

#[test]
fn reducers_give_what_grafana_gives() {
    // expectations of Grafana's tests of fieldReducer
    let some =
        |values: &[f64]| values.iter().map(|value| (!value.is_nan()).then_some(*value)).collect::<Vec<_>>();
    for (values, reducer, expected) in [
        (vec![10.0, 20.0], Reducer::Mean, Some(15.0)),
        (vec![10.0, 20.0], Reducer::Count, Some(2.0)),
        (vec![100.0, 200.0, 300.0, 400.0], Reducer::Step, Some(100.0)),
        (vec![100.0, 200.0, 300.0, 400.0], Reducer::Delta, Some(300.0)),
        (vec![100.0, 200.0, 10.0, 20.0], Reducer::Delta, Some(120.0)),
        (vec![f64::NAN, 200.0, f64::NAN], Reducer::Last, None),
        (vec![f64::NAN, 200.0, f64::NAN], Reducer::LastNotNull, Some(200.0)),
        (vec![f64::NAN, 200.0, f64::NAN], Reducer::FirstNotNull, Some(200.0)),
        (vec![f64::NAN, 200.0, f64::NAN], Reducer::DiffPercent, Some(0.0)),
        (vec![f64::NAN, f64::NAN], Reducer::Sum, None),
        (vec![], Reducer::Max, None),
        (vec![1.0, 2.0, 2.0, 3.0, 1.0], Reducer::DistinctCount, Some(3.0)),
        (vec![1.0, 2.0, 2.0, 3.0, 1.0], Reducer::ChangeCount, Some(3.0)),
        (vec![3.0, 1.0, 2.0], Reducer::Median, Some(2.0)),
        (vec![1.0, 5.0], Reducer::Range, Some(4.0)),
        (vec![5.0, 1.0], Reducer::Diff, Some(-4.0)),
        (vec![-1.0, 0.0, 0.5, 2.0], Reducer::MinAboveZero, Some(0.5)),
        (vec![2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], Reducer::StandardDeviation, Some(2.0)),
        (vec![2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], Reducer::Variance, Some(4.0)),
        (vec![0.0, 0.0], Reducer::AllIsZero, Some(1.0)),
        (vec![f64::NAN], Reducer::AllIsNull, Some(1.0)),
        ((1..=100).map(f64::from).collect(), Reducer::Percentile(95), Some(95.0)),
    ] {
        assert_eq!(reduce_numbers(&some(&values), reducer), expected, "{values:?} {reducer:?}");
    }
    let text = words("a", &["x", "y", ""]).values;
    assert_eq!(reduce(&text, Reducer::LastNotNull), FrameCell::Text("y".into()));
    assert_eq!(reduce(&text, Reducer::Mean), FrameCell::Nothing);
}

#[test]
fn reduce_makes_a_row_for_each_field() {
    let series = |name: &str, by: f64| DataFrame {
        name: Some(name.into()),
        ..frame(
            "A",
            vec![
                times("time", &[3000, 4000]),
                numbers("temperature", &[3.0 * by, 4.0 * by]),
                numbers("humidity", &[10.0, 9.0]),
            ],
        )
    };
    let step = TransformationStep::Reduce {
        reducers: vec![Reducer::First, Reducer::Max],
        in_fields: false,
        labels_to_fields: false,
    };
    let frames = run(vec![series("A", 1.0), series("B", 2.0)], step);
    let expected = [
        ("Field", &["A temperature", "A humidity", "B temperature", "B humidity"][..]),
        ("First", &["3", "10", "6", "10"]),
        ("Max", &["4", "10", "8", "10"]),
    ];
    assert_eq!(shown(&frames, 0), table(&expected));
    let labels = vec![
        frame("A", vec![labelled(numbers("Value", &[1.0]), &[("pod", "a")])]),
        frame("A", vec![labelled(numbers("Value", &[2.0]), &[("pod", "b")])]),
    ];
    let step = TransformationStep::Reduce {
        reducers: vec![Reducer::LastNotNull],
        in_fields: false,
        labels_to_fields: true,
    };
    let frames = run(labels, step);
    assert_eq!(
        shown(&frames, 0),
        table(&[("Field", &["Value", "Value"]), ("pod", &["a", "b"]), ("Last *", &["1", "2"])])
    );
    let step =
        TransformationStep::Reduce { reducers: vec![Reducer::Sum], in_fields: true, labels_to_fields: false };
    let frames = run(vec![frame("A", vec![times("t", &[1, 2]), numbers("x", &[1.0, 2.0])])], step);
    assert_eq!(shown(&frames, 0), table(&[("x", &["3"])]));
}

#[test]
fn organise_renames_orders_and_hides() {
    let step = TransformationStep::Organise {
        renames: vec![("b".into(), "Bee".into())],
        order: vec![("b".into(), 0), ("a".into(), 1)],
        excluded: vec!["Time".into()],
        included: Vec::new(),
    };
    let frames = run(
        vec![frame(
            "A",
            vec![times("Time", &[1]), numbers("a", &[1.0]), numbers("b", &[2.0]), numbers("c", &[3.0])],
        )],
        step,
    );
    assert_eq!(shown(&frames, 0), table(&[("Bee", &["2"]), ("a", &["1"]), ("c", &["3"])]));
}

#[test]
fn a_join_keeps_all_rows_or_those_that_all_have() {
    let frames = || {
        vec![
            frame("A", vec![words("pod", &["a", "b"]), numbers("Value #A", &[1.0, 2.0])]),
            frame("B", vec![words("pod", &["b", "c"]), numbers("Value #B", &[20.0, 30.0])]),
        ]
    };
    let join = |is_inner| TransformationStep::Join { by: Some("pod".into()), is_inner };
    let outer = run(frames(), join(false));
    assert_eq!(
        shown(&outer, 0),
        table(&[("pod", &["a", "b", "c"]), ("Value #A", &["1", "2", ""]), ("Value #B", &["", "20", "30"])])
    );
    let inner = run(frames(), join(true));
    assert_eq!(shown(&inner, 0), table(&[("pod", &["b"]), ("Value #A", &["2"]), ("Value #B", &["20"])]));
    let series = vec![
        frame(
            "A",
            vec![times("Time", &[2000, 3000]), labelled(numbers("Value", &[2.0, 3.0]), &[("pod", "a")])],
        ),
        frame(
            "A",
            vec![times("Time", &[1000, 3000]), labelled(numbers("Value", &[10.0, 30.0]), &[("pod", "b")])],
        ),
    ];
    let joined = run(series, TransformationStep::Join { by: None, is_inner: false });
    assert_eq!(
        shown(&joined, 0),
        table(&[("Time", &["1000", "2000", "3000"]), ("a", &["", "2", "3"]), ("b", &["10", "", "30"])])
    );
    let (_, notes) = transform(
        frames(),
        &[Transformation {
            step: TransformationStep::Join { by: Some("nope".into()), is_inner: true },
            only: None,
        }],
    );
    assert!(notes[0].contains("nope"));
}

#[test]
fn merge_joins_rows_that_do_not_contradict_each_other() {
    // expectations of Grafana's tests of the transformer `merge`
    let country = || {
        frame(
            "A",
            vec![
                words(
                    "Country",
                    &["United States", "United States", "Mexico", "Germany", "Canada", "Canada"],
                ),
                words("AgeGroup", &["50 or over", "35 - 49", "0 - 17", "35 - 49", "35 - 49", "25 - 34"]),
                numbers("Sum", &[998.0, 1193.0, 1675.0, 146.0, 166.0, 219.0]),
            ],
        )
    };
    let age = || {
        frame(
            "B",
            vec![
                words("AgeGroup", &["0 - 17", "18 - 24", "25 - 34", "35 - 49", "50 or over"]),
                numbers("Count", &[1.0, 3.0, 2.0, 4.0, 2.0]),
            ],
        )
    };
    let merged = run(vec![country(), age()], TransformationStep::Merge);
    assert_eq!(
        shown(&merged, 0),
        table(&[
            ("Country", &["United States", "United States", "Mexico", "Germany", "Canada", "Canada", ""]),
            ("AgeGroup", &["50 or over", "35 - 49", "0 - 17", "35 - 49", "35 - 49", "25 - 34", "18 - 24"]),
            ("Sum", &["998", "1193", "1675", "146", "166", "219", ""]),
            ("Count", &["2", "4", "1", "4", "4", "2", "3"]),
        ])
    );
    let merged = run(vec![age(), country()], TransformationStep::Merge);
    assert_eq!(
        shown(&merged, 0),
        table(&[
            ("AgeGroup", &["0 - 17", "18 - 24", "25 - 34", "35 - 49", "50 or over", "35 - 49", "35 - 49"]),
            ("Count", &["1", "3", "2", "4", "2", "", ""]),
            ("Country", &["Mexico", "", "Canada", "United States", "United States", "Germany", "Canada"]),
            ("Sum", &["1675", "", "219", "1193", "998", "146", "166"]),
        ])
    );
    let series =
        |id: &str, time: i64, value: f64| frame(id, vec![times("Time", &[time]), numbers("Temp", &[value])]);
    let merged = run(
        vec![series("A", 1000, 1.0), series("B", 2000, -1.0), series("C", 500, 2.0)],
        TransformationStep::Merge,
    );
    assert_eq!(shown(&merged, 0), table(&[("Time", &["1000", "2000", "500"]), ("Temp", &["1", "-1", "2"])]));
}

#[test]
fn labels_become_fields() {
    // expectations of Grafana's tests of the transformer `labelsToFields`
    let of = |labels: &[(&str, &str)]| {
        vec![frame("A", vec![times("time", &[1000, 2000]), labelled(numbers("Value", &[1.0, 2.0]), labels)])]
    };
    let step = |value_label: Option<&str>| TransformationStep::LabelsToFields {
        keep: Vec::new(),
        as_rows: false,
        value_label: value_label.map(Into::into),
    };
    let frames = run(of(&[("location", "inside"), ("feelsLike", "ok")]), step(None));
    assert_eq!(
        shown(&frames, 0),
        table(&[
            ("time", &["1000", "2000"]),
            ("Value", &["1", "2"]),
            ("feelsLike", &["ok", "ok"]),
            ("location", &["inside", "inside"])
        ])
    );
    let frames = run(of(&[("location", "inside"), ("name", "Request")]), step(Some("name")));
    assert_eq!(
        shown(&frames, 0),
        table(&[("time", &["1000", "2000"]), ("Request", &["1", "2"]), ("location", &["inside", "inside"])])
    );
}

#[test]
fn series_become_a_table_with_a_row_each() {
    let series = |pod: &str, value: f64| {
        frame("RPS", vec![times("Time", &[1, 2]), labelled(numbers("Value", &[0.0, value]), &[("pod", pod)])])
    };
    let frames = run(
        vec![series("a", 1.0), series("b", 2.0)],
        TransformationStep::TimeSeriesTable { reducer: Reducer::LastNotNull },
    );
    assert_eq!(shown(&frames, 0), table(&[("pod", &["a", "b"]), ("Trend #RPS", &["1", "2"])]));
    let frames = run(vec![series("a", 1.0), series("b", 2.0)], TransformationStep::Append);
    assert_eq!(
        shown(&frames, 0),
        table(&[
            ("Time", &["2", "2", "1", "1"]),
            ("Metric", &["a", "b", "a", "b"]),
            ("Value", &["1", "2", "0", "0"])
        ])
    );
}

fn people() -> Vec<DataFrame> {
    vec![frame("A", vec![words("team", &["x", "y", "x", ""]), numbers("age", &[30.0, f64::NAN, 10.0, 20.0])])]
}

#[test]
fn rows_are_filtered_sorted_limited_and_grouped() {
    let kept = |op: &str, operands: &[&str], field: &str| {
        let condition = RowCondition {
            field: field.into(),
            op: op.into(),
            operands: operands.iter().map(|one| (*one).into()).collect(),
        };
        let frames = run(
            people(),
            TransformationStep::FilterRows {
                conditions: vec![condition],
                needs_all: false,
                is_exclude: false,
            },
        );
        shown(&frames, 0)[1].1.join(",")
    };
    for (op, operands, field, expected) in [
        ("greater", vec!["15"], "age", "30,20"),
        ("isNull", vec![], "age", ""),
        ("equal", vec!["x"], "team", "30,10"),
        ("notEqual", vec!["x"], "team", ",20"),
        ("regex", vec!["^[xy]$"], "team", "30,,10"),
        ("range", vec!["5", "25"], "age", "10,20"),
        ("greater", vec!["15"], "nope", "30,,10,20"),
    ] {
        assert_eq!(kept(op, &operands, field), expected, "{op} {operands:?}");
    }
    let sorted = |direction| {
        shown(&run(people(), TransformationStep::Sort { field: "age".into(), direction }), 0)[1].1.join(",")
    };
    assert_eq!(sorted(SortDirection::Ascending), "10,20,30,");
    assert_eq!(sorted(SortDirection::Descending), "30,20,10,");
    assert_eq!(run(people(), TransformationStep::Limit { rows: 2 })[0].rows(), 2);
    let fields = vec![
        ("team".into(), GroupUse::Key),
        ("age".into(), GroupUse::Values(vec![Reducer::Sum, Reducer::Count])),
    ];
    let grouped = run(people(), TransformationStep::Group { fields });
    assert_eq!(
        shown(&grouped, 0),
        table(&[
            ("team", &["x", "y", ""]),
            ("age (sum)", &["40", "", "20"]),
            ("age (count)", &["2", "0", "1"])
        ])
    );
}

#[test]
fn fields_are_calculated_and_a_division_by_zero_has_no_value() {
    let frames = || {
        vec![frame("A", vec![times("Time", &[1, 2]), numbers("a", &[6.0, 1.0]), numbers("b", &[3.0, 0.0])])]
    };
    let last = |calculation, alias: Option<&str>| {
        let step =
            TransformationStep::Calculate { calculation, alias: alias.map(Into::into), replaces: false };
        shown(&run(frames(), step), 0).pop().unwrap()
    };
    let binary =
        |op: &str, right: &str| Calculation::Binary { left: "a".into(), op: op.into(), right: right.into() };
    assert_eq!(last(binary("/", "b"), None), ("a / b".to_owned(), vec!["2".to_owned(), String::new()]));
    assert_eq!(last(binary("*", "10"), Some("Ten")).1, ["60", "10"]);
    assert_eq!(
        last(Calculation::RowReduce { fields: Vec::new(), reducer: Reducer::Sum }, None),
        ("Total".to_owned(), vec!["9".to_owned(), "1".to_owned()])
    );
    assert_eq!(last(Calculation::Index, None).1, ["0", "1"]);
    assert_eq!(last(Calculation::Unary { op: "ln".into(), field: "b".into() }, None).1[1], "");
    let step =
        TransformationStep::Calculate { calculation: binary("+", "nope"), alias: None, replaces: true };
    let (same, notes) = transform(frames(), &[Transformation { step, only: None }]);
    assert_eq!((same, notes.len()), (frames(), 1));
}

#[test]
fn names_are_filtered_and_replaced_and_types_converted() {
    let frames =
        || vec![frame("A", vec![times("Time", &[1_000]), words("n", &["12"]), numbers("cpu_user", &[1.0])])];
    let step = TransformationStep::FilterFields {
        names: vec!["n".into()],
        pattern: Some("^cpu".into()),
        is_exclude: false,
    };
    assert_eq!(shown(&run(frames(), step), 0), table(&[("n", &["12"]), ("cpu_user", &["1"])]));
    let step = TransformationStep::Rename { pattern: "cpu_(.*)".into(), replacement: "$1x".into() };
    assert_eq!(shown(&run(frames(), step), 0)[2].0, "userx");
    let frame =
        &run(frames(), TransformationStep::Convert { fields: vec![("n".into(), FieldKind::Number)] })[0];
    assert_eq!(frame.fields[1].values, FieldValues::Numbers(vec![Some(12.0)]));
    let step = TransformationStep::FormatTime { field: "Time".into(), format: "YYYY".into() };
    assert_eq!(shown(&run(frames(), step), 0)[0].1, ["1970"]);
}

#[test]
fn tables_are_turned_and_counted() {
    let frames = || {
        vec![frame(
            "A",
            vec![
                words("day", &["mo", "mo", "tu"]),
                words("host", &["a", "b", "a"]),
                numbers("v", &[1.0, 2.0, 3.0]),
            ],
        )]
    };
    let step =
        TransformationStep::Matrix { columns: "host".into(), rows: Some("day".into()), values: "v".into() };
    assert_eq!(
        shown(&run(frames(), step), 0),
        table(&[("day\\host", &["mo", "tu"]), ("a", &["1", "3"]), ("b", &["2", ""])])
    );
    let frame = vec![frame("A", vec![words("name", &["up", "down"]), numbers("n", &[5.0, 1.0])])];
    let step = TransformationStep::Matrix { columns: "".into(), rows: None, values: "".into() };
    assert_eq!(shown(&run(frame, step), 0), table(&[("up", &["5"]), ("down", &["1"])]));
    let step = TransformationStep::Histogram { size: Some(2.0) };
    assert_eq!(
        shown(&run(frames(), step), 0),
        table(&[("xMin", &["0", "2"]), ("xMax", &["2", "4"]), ("v", &["1", "2"])])
    );
}

#[test]
fn a_step_is_only_for_the_frames_of_its_filter_and_an_unknown_one_says_so() {
    let frames =
        || vec![frame("A", vec![numbers("a", &[1.0, 2.0])]), frame("B", vec![numbers("b", &[1.0, 2.0])])];
    let steps = [
        Transformation {
            step: TransformationStep::Limit { rows: 1 },
            only: Some(FieldMatcher::RefId("B".into())),
        },
        Transformation { step: TransformationStep::Unknown { id: "regression".into() }, only: None },
    ];
    let (out, notes) = transform(frames(), &steps);
    let rows: Vec<(&str, usize)> = out.iter().map(|frame| (&*frame.ref_id, frame.rows())).collect();
    assert_eq!(rows, [("B", 1), ("A", 2)]);
    assert!(notes[0].contains("regression"));
}

fn any_frames() -> impl Strategy<Value = Vec<DataFrame>> {
    let name = prop::sample::select(vec!["Time", "Value", "a", "b"]);
    let values = prop_oneof![
        prop::collection::vec(prop::option::of(any::<i64>()), 0..5).prop_map(FieldValues::Times),
        prop::collection::vec(prop::option::of(any::<f64>()), 0..5).prop_map(FieldValues::Numbers),
        prop::collection::vec(prop::option::of("[ab]".prop_map(Text::from)), 0..5)
            .prop_map(FieldValues::Texts),
        prop::collection::vec(prop::option::of(any::<bool>()), 0..5).prop_map(FieldValues::Bools),
    ];
    let field = (name, values, prop::option::of("[xy]")).prop_map(|(name, values, label)| {
        let labels: Vec<(&str, String)> = label.into_iter().map(|label| ("l", label)).collect();
        FrameField {
            labels: labels.iter().map(|(name, value)| (*name, value.as_str())).collect(),
            ..FrameField::named(name, values)
        }
    });
    prop::collection::vec(prop::collection::vec(field, 0..4).prop_map(|fields| frame("A", fields)), 0..4)
}

fn every_step() -> Vec<TransformationStep> {
    let by = || Text::from("a");
    vec![
        TransformationStep::Organise {
            renames: vec![(by(), "z".into())],
            order: vec![(by(), 3)],
            excluded: vec!["b".into()],
            included: vec![by()],
        },
        TransformationStep::Reduce {
            reducers: vec![Reducer::Percentile(99), Reducer::Delta],
            in_fields: true,
            labels_to_fields: true,
        },
        TransformationStep::Reduce {
            reducers: vec![Reducer::Last],
            in_fields: false,
            labels_to_fields: true,
        },
        TransformationStep::Join { by: Some(by()), is_inner: true },
        TransformationStep::Join { by: None, is_inner: false },
        TransformationStep::Merge,
        TransformationStep::Append,
        TransformationStep::Concatenate,
        TransformationStep::FilterFields { names: vec![by()], pattern: Some("(".into()), is_exclude: true },
        TransformationStep::FilterRefIds { ids: vec!["/A/".into()], is_exclude: false },
        TransformationStep::FilterRows {
            conditions: vec![RowCondition { field: by(), op: "lower".into(), operands: vec![] }],
            needs_all: true,
            is_exclude: true,
        },
        TransformationStep::Sort { field: by(), direction: SortDirection::Descending },
        TransformationStep::Limit { rows: 1 },
        TransformationStep::Group {
            fields: vec![(by(), GroupUse::Key), ("b".into(), GroupUse::Values(vec![Reducer::Median]))],
        },
        TransformationStep::Calculate {
            calculation: Calculation::Binary { left: by(), op: "%".into(), right: "0".into() },
            alias: None,
            replaces: true,
        },
        TransformationStep::LabelsToFields { keep: vec![], as_rows: true, value_label: None },
        TransformationStep::LabelsToFields { keep: vec![], as_rows: false, value_label: Some("l".into()) },
        TransformationStep::TimeSeriesTable { reducer: Reducer::Max },
        TransformationStep::Convert { fields: vec![(by(), FieldKind::Time), ("b".into(), FieldKind::Bool)] },
        TransformationStep::FormatTime { field: by(), format: "x".into() },
        TransformationStep::Matrix { columns: by(), rows: Some("b".into()), values: "Value".into() },
        TransformationStep::Histogram { size: Some(1e-300) },
        TransformationStep::Histogram { size: None },
    ]
}

proptest! {
    #[test]
    fn any_frames_survive_every_step(frames in any_frames(), first in 0_usize..23, second in 0_usize..23) {
        let all = every_step();
        let steps: Vec<Transformation> = [first, second].iter().filter_map(|index| all.get(*index)).map(|step| Transformation { step: step.clone(), only: None }).collect();
        transform(frames, &steps);
    }

    #[test]
    fn filters_never_add_rows(frames in any_frames()) {
        let rows: usize = frames.iter().map(DataFrame::rows).sum();
        let (out, _) = transform(frames, &[Transformation { step: TransformationStep::Limit { rows: 2 }, only: None }]);
        prop_assert!(out.iter().map(DataFrame::rows).sum::<usize>() <= rows);
    }
}
