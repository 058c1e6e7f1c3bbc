//! Silences at the demo's Alertmanager.

use super::*;

fn silence(matchers: &str, until: Timestamp) -> Operation {
    let draft = SilenceDraft {
        matchers: parse(matchers).unwrap(),
        starts_at: None,
        ends_at: until,
        created_by: "ana".into(),
        comment: "rolling back".into(),
    };
    Operation::Silence { draft }
}

#[test]
fn a_silence_hides_alerts_until_it_is_over() {
    let demo = Demo::new();
    let minutes = |count: i64| demo.now() + jiff::Span::new().minutes(count);
    let quiet = |id: &Text| demo.alerts().iter().filter(|alert| alert.silenced_by.contains(id)).count();
    let matching = demo.alerts().iter().filter(|alert| alert.labels.value("service") == "payments").count();
    assert!(matching > 0);
    let make = silence("service=payments", minutes(10));
    let Ok(ActionResult::Done { id: Some(id) }) = demo.act("alertmanager", plain(""), make) else {
        panic!("not made")
    };
    assert_eq!(quiet(&id), matching);
    assert!(demo.alerts().iter().any(|alert| alert.state == AlertState::Silenced));
    assert!(demo.silences().iter().any(|silence| silence.id == id && &*silence.created_by == "ana"));
    let until = minutes(60);
    let extended = demo.act("alertmanager", plain(&id), Operation::Extend { until });
    assert_eq!(extended, Ok(ActionResult::Done { id: Some(Text::clone(&id)) }));
    assert!(demo.silences().iter().any(|silence| silence.id == id && silence.ends_at == until));
    assert_eq!(demo.act("alertmanager", plain(&id), Operation::Expire), DONE);
    assert_eq!(quiet(&id), 0);
    let is_over = |silence: &Arc<Silence>| silence.id == id && silence.state == SilenceState::Expired;
    assert!(demo.silences().iter().any(is_over), "what has ended stays in the list");
    let expired = demo.act("alertmanager", plain(&id), Operation::Expire);
    assert!(matches!(expired, Ok(ActionResult::Already { .. })));
    let late = demo.act("alertmanager", plain(&id), Operation::Extend { until });
    assert!(matches!(late, Ok(ActionResult::Conflict { .. })));
    let unknown = demo.act("alertmanager", plain("x"), Operation::Expire);
    assert!(matches!(unknown, Ok(ActionResult::Conflict { .. })));
    for wrong in [silence("a=~\".*\"", minutes(10)), silence("a=b", minutes(-1))] {
        assert!(!demo.act("alertmanager", plain(""), wrong).unwrap_err().is_unclear);
    }
}

#[test]
fn a_silence_of_the_story_can_be_ended_and_moved() {
    let demo = Demo::new();
    let reported = demo.silences();
    assert!(!reported.is_empty());
    let later = demo.now() + jiff::Span::new().hours(9000);
    let extended = demo.act("alertmanager", plain(&reported[0].id), Operation::Extend { until: later });
    assert_eq!(extended, Ok(ActionResult::Done { id: Some(Text::clone(&reported[0].id)) }));
    assert_eq!(demo.silences().len(), reported.len());
    assert_eq!(demo.act("alertmanager", plain(&reported[0].id), Operation::Expire), DONE);
    let lasting = demo.silences().iter().filter(|one| one.state != SilenceState::Expired).count();
    assert_eq!(lasting, reported.len() - 1);
}
