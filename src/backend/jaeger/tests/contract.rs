//! The vendor's description of the API v3.

use super::*;
use crate::backend::kit::tests::contract::Description;

#[tokio::test]
async fn every_question_is_valid_by_the_vendors_description() {
    let Some(description) = Description::find("jaeger") else { return };
    let mut requests = Vec::new();
    for newest in [Api::Summaries, Api::V3] {
        let traces = (0..150).map(|millis| (millis, millis % 9 == 0)).collect();
        let double = ServerState::new(newest, traces).start().await;
        let source = jaeger(&double);
        for ask in [Query::Probe.now(), search("shop"), search("unknown"), one(1)] {
            source.answer(&ask, None).await.unwrap();
        }
        requests.extend(double.asked());
    }
    assert!(requests.iter().any(|asked| !asked.parameter("query.durationMin").is_empty()));
    assert!(requests.iter().any(|asked| !asked.parameter("query.filter").is_empty()));
    let failures: Vec<_> = requests.iter().filter_map(|asked| description.failure(asked)).collect();
    assert_eq!(failures, Vec::<String>::new());
}
