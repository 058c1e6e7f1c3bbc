use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::*;

const VECTOR: &str = r#"{"resultType":"vector","result":[
    {"metric":{"service":"a\u001b[31m","x":""},"value":[1.5,"NaN"]},
    {"metric":{"service":"a\u001b[31m"},"value":[1,"2e-3"],"unknown":{"a":[1]}},
    {"metric":{"service":"b"},"value":[1,"+Inf"]},
    {"metric":{"service":"n"},"histogram":[1,{"count":"3","sum":"1","buckets":[[0,"1","2","3"]]}]},
    {"metric":{"service":"a\u001b[31m"},"value":[1,"no number"]},
    {"metric":{},"value":[1,"-4"]}]}"#;

#[test]
fn numbers_come_in_as_they_are_and_texts_are_true_and_shared() {
    let reader = Reader::default();
    let samples = reader.samples(&serde_json::from_str(VECTOR).unwrap());
    let found: Vec<_> =
        samples.iter().map(|sample| (sample.labels.value("service"), sample.value.to_string())).collect();
    let a = "a\u{1b}[31m";
    let expected = [(a, "NaN"), (a, "0.002"), ("b", "inf"), ("", "-4")];
    assert_eq!(found, expected.map(|(service, value)| (service, value.to_owned())));
    assert_eq!(samples[1].labels.to_string(), r#"{service="a\u001b[31m"}"#);
    let again = reader.text("a\u{1b}[31m");
    assert!(Arc::ptr_eq(samples[0].labels.get("service").unwrap(), &again));
}

#[test]
fn what_cannot_be_read_costs_its_series_or_point_and_is_counted() {
    let reader = Reader::default();
    let data: Data<'_> = serde_json::from_str(VECTOR).unwrap();
    assert_eq!(data.lost(), 1, "the histogram is none, and NaN is a value");
    let unexpected = r#"{"resultType":"vector","result":[null,"x",{"metric":null,"value":["1.5",7]},{"metric":{"a":1},"value":null},
        {"metric":[1],"value":[1,1e3]},{"metric":{"b":"2"},"value":{"at":1}},[1,"2"]]}"#;
    let data: Data<'_> = serde_json::from_str(unexpected).unwrap();
    let found: Vec<_> = reader.samples(&data).iter().map(|sample| sample.value).collect();
    assert_eq!((found, data.lost()), (vec![7.0, 1000.0], 5));
    for (json, lost) in [
        (r#"{"resultType":"vector","result":null}"#, 0),
        (r#"{"resultType":"matrix","result":null}"#, 0),
        (
            r#"{"resultType":"matrix","result":[{"metric":{},"values":null},{"metric":{},"values":[[1,2],null,[3,"x"]]}]}"#,
            2,
        ),
        (r#"{"resultType":"matrix","result":[{"metric":{},"values":"x"}]}"#, 1),
        (r#"{"resultType":"matrix","result":{"a":1}}"#, 1),
    ] {
        assert_eq!(serde_json::from_str::<Data<'_>>(json).unwrap().lost(), lost, "{json}");
    }
    // not an answer at all
    for json in [r#""text""#, "[]", r#"{"resultType":"matrix"}"#, r#"{"resultType":null,"result":[]}"#] {
        assert!(serde_json::from_str::<Data<'_>>(json).is_err(), "{json}");
    }
}

#[test]
fn a_scalar_is_one_sample_in_whatever_order_its_fields_come() {
    let reader = Reader::default();
    let samples = reader
        .samples(&serde_json::from_str(r#"{"result":[1700000000.1,"3"],"resultType":"scalar"}"#).unwrap());
    assert_eq!((samples.len(), samples[0].value), (1, 3.0));
}

#[test]
fn a_range_lies_on_the_grid_and_gaps_stay_gaps() {
    let span = TimeGrid::ending(
        Timestamp::from_second(1040).unwrap(),
        Duration::from_secs(40),
        4,
        Duration::from_secs(10),
    );
    let data = r#"{"resultType":"matrix","result":[
        {"metric":{"s":"b"},"values":[[1000,"1"],[1020.4,"NaN"],[1030,"4"],[9999,"5"]]},
        {"metric":{"s":"native"},"histograms":[[1000,{"count":"1"}]]},
        {"metric":{"s":"a"},"values":[[1040,"2"]]}]}"#;
    let matrix = Reader::default().matrix(&serde_json::from_str(data).unwrap(), span);
    let found: Vec<_> =
        matrix.lines.iter().map(|line| format!("{} {:?}", line.labels, line.values)).collect();
    assert_eq!(found, [r#"{s="a"} [NaN, NaN, NaN, NaN, 2.0]"#, r#"{s="b"} [1.0, NaN, NaN, 4.0, NaN]"#]);
}
