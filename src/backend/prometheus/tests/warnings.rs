//! What an answer says beside its data.

use super::*;

/// Answers each query with these fields in addition to its data.
async fn beside(more: serde_json::Value) -> Double {
    Double::start(move |asked| {
        let mut answer: serde_json::Value = serde_json::from_slice(&shop(asked).body).unwrap_or_default();
        if asked.path.ends_with("/query")
            && let (Some(answer), Some(more)) = (answer.as_object_mut(), more.as_object())
        {
            answer.extend(more.clone());
        }
        CannedResponse::json(&answer.to_string())
    })
    .await
}

#[tokio::test]
async fn what_stands_beside_an_answer_is_missing_data_unless_the_engine_remarks_it() {
    let store = "receive series from Addr: store-b:10901: rpc error: code = Unavailable";
    let le = "PromQL warning: bucket label \"le\" is missing (1:20)";
    let counter = "PromQL info: metric might not be a counter (1:6)";
    let node = "the answer is partial: a storage node did not answer";
    for (more, expected) in [
        (json!({}), vec![]),
        (json!({ "warnings": null, "infos": null, "isPartial": false }), vec![]),
        (json!({ "warnings": [store, store] }), vec![Warning::missing(store)]),
        (json!({ "isPartial": true }), vec![Warning::missing(node)]),
        (json!({ "infos": ["whatever"] }), vec![Warning::annotation("whatever")]),
        (json!({ "warnings": [le, counter] }), vec![Warning::annotation(le), Warning::annotation(counter)]),
        (
            json!({ "warnings": [le, "results truncated due to limit"], "infos": [counter] }),
            vec![
                Warning::annotation(le),
                Warning::missing("results truncated due to limit"),
                Warning::annotation(counter),
            ],
        ),
    ] {
        let double = beside(more.clone()).await;
        assert_eq!(services(&source(&double)).await.warnings, expected, "{more}");
    }
}
