//! Signals over time.

use super::*;

#[tokio::test]
async fn histories_have_a_line_for_each_service_and_ratios_where_there_is_traffic() {
    let double = Double::start(shop).await;
    let reply = ask(&source(&double), Query::Trends { time_range: time_range() }.now()).await;
    let Answer::Trends(ServiceTrends { request_rate, error_ratio, p95 }) = reply.answer else { panic!() };
    let (cart, idle) = ("{service=\"cart\"}".to_owned(), "{service=\"idle\"}".to_owned());
    assert_eq!(lines(&request_rate), [(cart.clone(), 10.0), (idle, 0.0)]);
    assert_eq!(error_ratio.lines[0].last(), Some(0.1));
    assert!(error_ratio.lines[1].values.iter().all(|value| value.is_nan()));
    assert_eq!(lines(&p95), [(cart, 0.4)]);
    assert_eq!(request_rate.lines[0].values.len(), time_range().tail.count());
}

#[tokio::test]
async fn a_detail_has_all_charts_of_one_service_with_buckets_of_their_own() {
    let double = Double::start(shop).await;
    let reply =
        ask(&source(&double), Query::Detail { service: "cart".into(), time_range: time_range() }.now()).await;
    let Answer::Detail(ServiceDetail { request_rate, error_ratio, latency, saturation, buckets, .. }) =
        reply.answer
    else {
        panic!()
    };
    assert_eq!(lines(&request_rate), [("{}".into(), 10.0)]);
    assert_eq!(lines(&error_ratio), [("{}".into(), 0.1)]);
    assert_eq!(lines(&latency), [("{quantile=\"0.95\"}".into(), 0.4)]);
    assert_eq!(lines(&saturation), [("{resource=\"queue\"}".into(), 0.5)]);
    let own = [("{le=\"+Inf\"}".into(), 2.0), ("{le=\"0.25\"}".into(), 6.0), ("{le=\"1\"}".into(), 2.0)];
    assert_eq!(lines(&buckets), own);
    let asked = double.asked();
    let ranges: Vec<_> = asked.iter().filter(|asked| asked.path.ends_with("range")).collect();
    assert!(ranges.iter().all(|asked| asked.parameter("query").contains("service=\"cart\"")));
}
