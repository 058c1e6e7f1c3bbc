use proptest::prelude::*;

use super::*;
use crate::model::fixtures::span;

const ID: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;

fn trace(spans: Vec<Span>) -> Trace {
    Trace::new(TraceId::new(ID).unwrap(), spans).unwrap()
}

fn failed(span: Span, message: &str) -> Span {
    Span { status: SpanStatus::Error, message: message.into(), ..span }
}

/// The operations of the nodes, each indented by its depth.
fn drawn(trace: &Trace) -> Vec<String> {
    let line = |node: &SpanNode| format!("{}{}", ".".repeat(node.depth), node.span.operation);
    trace.nodes.iter().map(line).collect()
}

/// The critical path: operation, from and to in milliseconds.
fn path(trace: &Trace) -> Vec<(&str, u64, u64)> {
    let one = |segment: &PathSegment| {
        (&*trace.nodes[segment.node].span.operation, segment.from / 1_000_000, segment.to / 1_000_000)
    };
    trace.path.iter().map(one).collect()
}

#[test]
fn trace_ids_are_numbers_however_they_are_written() {
    let id = TraceId::parse("4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
    assert_eq!(id, TraceId::new(ID).unwrap());
    for same in [
        "4BF92F3577B34DA6A3CE929D0E0E4736",
        " 4bf92f3577b34da6a3ce929d0e0e4736\n",
        "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ] {
        assert_eq!(TraceId::parse(same), Some(id), "{same}");
    }
    // Tempo and Jaeger write ids without leading zeros
    assert_eq!(
        TraceId::parse("2cdf2af19de2bc1b4ff00ae3f1347de"),
        TraceId::parse("02cdf2af19de2bc1b4ff00ae3f1347de")
    );
    assert_eq!(TraceId::parse("1f").unwrap().to_string(), "0000000000000000000000000000001f");
    for none in
        ["", "0", "00000000000000000000000000000000", "xyz", "-1", "+1", "0x1f", &"1".repeat(33), "1f 2"]
    {
        assert_eq!(TraceId::parse(none), None, "{none:?}");
    }
    let bytes =
        [0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36];
    assert_eq!(TraceId::of_bytes(&bytes), Some(id));
    assert_eq!(
        (TraceId::of_bytes(&[]), TraceId::of_bytes(&[1; 17]), SpanId::of_bytes(&[1; 9])),
        (None, None, None)
    );
    assert_eq!(SpanId::parse("f067aa0ba902b7").unwrap().to_string(), "00f067aa0ba902b7");
}

#[test]
fn spans_are_a_tree_with_siblings_in_the_order_of_time() {
    let trace = trace(vec![
        span(3, Some(1), "pay", "charge", 40, 50),
        span(4, Some(3), "cards", "authorise", 45, 30),
        span(1, None, "shop", "POST /order", 0, 100),
        span(2, Some(1), "cart", "read", 10, 20),
    ]);
    assert_eq!(drawn(&trace), ["POST /order", ".read", ".charge", "..authorise"]);
    assert_eq!(trace.nodes.iter().map(|node| node.below).collect::<Vec<_>>(), [3, 0, 1, 0]);
    assert_eq!(trace.duration, Duration::from_millis(100));
    assert_eq!(trace.root().map(|node| &*node.span.operation), Some("POST /order"));
    assert_eq!(trace.remarks(), Vec::<String>::new());
}

#[test]
fn what_has_no_parent_here_is_a_root_and_that_is_said() {
    let trace = trace(vec![
        span(2, Some(1), "cart", "read", 10, 20),
        span(5, Some(9), "mail", "send", 50, 300),
        span(6, Some(5), "smtp", "connect", 60, 10),
    ]);
    assert_eq!(drawn(&trace), ["read", "send", ".connect"]);
    assert_eq!((trace.orphans, trace.starts_at.as_millisecond() % 1000), (2, 10));
    assert_eq!(
        trace.root().map(|node| &*node.span.operation),
        Some("send"),
        "the longest root names the trace"
    );
    assert_eq!(trace.remarks(), ["2 spans name parents that are missing here"]);
}

#[test]
fn a_circle_is_cut_at_its_earliest_span_and_nothing_is_lost() {
    let trace = trace(vec![
        span(1, Some(3), "a", "one", 10, 5),
        span(2, Some(1), "a", "two", 5, 5),
        span(3, Some(2), "a", "three", 20, 5),
        span(4, Some(3), "a", "tail", 30, 5),
        span(7, Some(7), "a", "own parent", 40, 5),
    ]);
    assert_eq!(drawn(&trace), ["two", ".three", "..one", "..tail", "own parent"]);
    assert_eq!(trace.circles, 2);
    assert!(trace.remarks().contains(&"2 spans were their own ancestors".to_owned()));
}

#[test]
fn client_and_server_with_one_id_are_two_spans_one_below_the_other() {
    // as Zipkin's B3 headers propagate ids; the server's clock is behind
    let of = |kind, service: &str, operation: &str, from, length| Span {
        kind,
        ..span(2, Some(1), service, operation, from, length)
    };
    for server_from in [12, 8] {
        let trace = trace(vec![
            span(1, None, "shop", "POST /order", 0, 100),
            of(SpanKind::Client, "shop", "call", 10, 50),
            of(SpanKind::Server, "pay", "handle", server_from, 40),
            span(3, Some(2), "pay", "query", 20, 10),
        ]);
        assert_eq!(drawn(&trace), ["POST /order", ".call", "..handle", "...query"], "{server_from}");
    }
}

#[test]
fn a_span_that_was_sent_twice_is_one_and_others_with_its_id_stay() {
    let one = span(1, None, "shop", "POST /order", 0, 100);
    let trace = trace(vec![
        one.clone(),
        one.clone(),
        span(1, None, "shop", "other", 5, 1),
        span(2, Some(1), "pay", "charge", 10, 10),
    ]);
    assert_eq!(drawn(&trace), ["POST /order", ".charge", "other"]);
    assert_eq!(trace.remarks(), ["1 span was sent twice"]);
}

#[test]
fn clocks_that_differ_are_shown_as_they_are_and_said() {
    let trace =
        trace(vec![span(1, None, "shop", "POST /order", 100, 50), span(2, Some(1), "pay", "charge", 70, 40)]);
    assert_eq!(trace.starts_at.as_millisecond() % 1000, 70);
    assert_eq!(trace.nodes[0].from, 30_000_000);
    assert_eq!(trace.duration, Duration::from_millis(80));
    assert_eq!(trace.remarks(), ["pay charge begins 30ms before its parent: clocks differ"]);
    assert_eq!(path(&trace), [("charge", 30, 40), ("POST /order", 40, 80)], "only within the parent's time");
}

#[test]
fn the_critical_path_goes_through_what_ended_last() {
    // a calls b and c at the same time, waits for both, then calls d
    let trace = trace(vec![
        span(1, None, "a", "root", 0, 100),
        span(2, Some(1), "b", "fast", 10, 20),
        span(3, Some(1), "c", "slow", 10, 50),
        span(4, Some(3), "e", "query", 20, 30),
        span(5, Some(1), "d", "last", 65, 30),
    ]);
    let expected = [
        ("root", 0, 10),
        ("slow", 10, 20),
        ("query", 20, 50),
        ("slow", 50, 60),
        ("root", 60, 65),
        ("last", 65, 95),
        ("root", 95, 100),
    ];
    assert_eq!(path(&trace), expected);
    let shares: Vec<(&str, u64, u64)> = trace
        .services
        .iter()
        .map(|share| {
            let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap();
            (&*share.service, millis(share.critical), millis(share.self_time))
        })
        .collect();
    assert_eq!(shares, [("d", 30, 30), ("e", 30, 30), ("a", 20, 20), ("c", 20, 20), ("b", 0, 20)]);
}

#[test]
fn a_consumer_that_outlives_its_producer_is_not_waited_for() {
    let spans = |kind| {
        vec![
            span(1, None, "shop", "publish", 0, 10),
            Span { kind, ..span(2, Some(1), "mail", "send", 5, 500) },
        ]
    };
    assert_eq!(path(&trace(spans(SpanKind::Consumer))), [("publish", 0, 10)]);
    assert_eq!(path(&trace(spans(SpanKind::Server))), [("publish", 0, 5), ("send", 5, 10)]);
    assert_eq!(trace(spans(SpanKind::Consumer)).duration, Duration::from_millis(505));
}

#[test]
fn a_failure_began_in_the_deepest_span_whose_error_reached_the_root() {
    let handled = vec![
        failed(span(1, None, "shop", "POST /order", 0, 100), "could not charge"),
        span(2, Some(1), "cart", "read", 5, 10),
        failed(span(3, Some(2), "db", "first try", 5, 2), "connection reset"),
        failed(span(4, Some(3), "db", "socket", 5, 1), "reset"),
        failed(span(5, Some(1), "pay", "charge", 20, 70), "card service timed out"),
    ];
    let of = |spans: Vec<Span>| {
        let trace = trace(spans);
        trace.error_origin.map(|at| trace.nodes[at].span.operation.to_string())
    };
    assert_eq!(of(handled.clone()).as_deref(), Some("charge"), "a retry repaired the deeper one");
    assert_eq!(
        of(handled[1..4].to_vec()).as_deref(),
        Some("socket"),
        "nothing reaches a root: the deepest one"
    );
    assert_eq!(of(vec![span(1, None, "shop", "fine", 0, 1)]), None);
    let twice = vec![
        failed(span(1, None, "shop", "POST /order", 0, 100), ""),
        failed(span(2, Some(1), "b", "later", 20, 10), ""),
        failed(span(3, Some(1), "a", "earlier", 10, 10), ""),
    ];
    assert_eq!(of(twice).as_deref(), Some("earlier"));
}

#[test]
fn the_reason_of_an_error_is_its_message_or_its_exception() {
    let exception = SpanEvent {
        at: Timestamp::UNIX_EPOCH,
        name: "exception".into(),
        attributes: vec![
            ("exception.type".into(), "TimeoutError".into()),
            ("exception.message".into(), "no answer in 800 ms".into()),
        ],
    };
    let plain = failed(span(1, None, "pay", "charge", 0, 1), " ");
    let thrown = Span { events: vec![exception.clone()], ..plain.clone() };
    let typed = SpanEvent { attributes: vec![exception.attributes[0].clone()], ..exception };
    let only_type = Span { events: vec![typed], ..plain.clone() };
    let reason = |span: &Span| span.reason().map(ToString::to_string);
    assert_eq!(reason(&plain), None);
    assert_eq!(reason(&thrown).as_deref(), Some("no answer in 800 ms"));
    assert_eq!(reason(&only_type).as_deref(), Some("TimeoutError"));
    assert_eq!(reason(&failed(thrown, "timed out")).as_deref(), Some("timed out"));
}

#[test]
fn of_too_many_spans_errors_and_the_longest_stay() {
    let mut spans = vec![span(1, None, "shop", "root", 0, 100_000)];
    spans.extend((0..15_000).map(|n| span(n + 10, Some(1), "db", "query", n, 1 + n % 7)));
    spans.push(failed(span(2, Some(1), "pay", "charge", 50, 0), "declined"));
    let trace = trace(spans);
    assert_eq!((trace.nodes.len(), trace.omitted), (MAX_SPANS, 5002));
    assert_eq!(&*trace.nodes[0].span.operation, "root");
    assert_eq!(trace.error_origin.map(|at| &*trace.nodes[at].span.operation), Some("charge"));
    assert!(trace.remarks()[0].starts_with("5002 more spans left out"), "{:?}", trace.remarks());
}

#[test]
fn a_chain_of_ten_thousand_spans_needs_no_deep_stack() {
    let spans = (1..=10_000).map(|n| span(n, (n > 1).then(|| n - 1), "a", "step", n, 20_002 - 2 * n));
    let trace = trace(spans.collect());
    assert_eq!(trace.nodes.last().map(|node| node.depth), Some(9_999));
    assert_eq!(trace.path.len(), 19_999);
}

#[test]
fn a_row_of_the_list_is_made_from_a_whole_trace() {
    let trace = trace(vec![
        span(1, None, "shop", "POST /order", 0, 100),
        failed(span(2, Some(1), "pay", "charge", 20, 70), "declined"),
    ]);
    let row = TraceSummary::of(&trace, "pay");
    assert_eq!(
        (&*row.service, &*row.operation, row.spans, row.errors),
        ("shop", "POST /order", Some(2), Some(1))
    );
    assert!(row.is_failed && !TraceSummary::of(&trace, "shop").is_failed);
    let slow = TraceSummary { is_failed: false, duration: Duration::from_secs(9), ..row.clone() };
    assert!(row.rank() < slow.rank(), "failed ones come first");
}

fn any_span() -> impl Strategy<Value = Span> {
    let kinds = prop::sample::select(SpanKind::ALL.to_vec());
    let statuses = prop::sample::select(SpanStatus::ALL.to_vec());
    (1..25_u64, prop::option::of(1..30_u64), 0..4_usize, 0..200_u64, 0..120_u64, kinds, statuses).prop_map(
        |(id, parent, service, from, length, kind, status)| {
            let service = ["a", "b", "c", ""][service];
            Span { kind, status, ..span(id, parent, service, "work", from, length) }
        },
    )
}

proptest! {
    #[test]
    fn every_span_is_in_the_tree_once(spans in prop::collection::vec(any_span(), 1..60)) {
        let count = spans.len();
        let trace = trace(spans);
        prop_assert_eq!(trace.nodes.len() + trace.repeated, count);
        for (at, node) in trace.nodes.iter().enumerate() {
            match node.parent {
                None => prop_assert_eq!(node.depth, 0),
                Some(parent) => {
                    let above = &trace.nodes[parent];
                    prop_assert!(parent < at && at <= parent + above.below);
                    prop_assert_eq!(node.depth, above.depth + 1);
                }
            }
            let below = trace.nodes.iter().filter(|other| other.parent == Some(at)).map(|child| child.below + 1);
            prop_assert_eq!(node.below, below.sum::<usize>());
        }
    }

    #[test]
    fn the_critical_path_covers_the_longest_root_exactly_once(spans in prop::collection::vec(any_span(), 1..60)) {
        let trace = trace(spans);
        let root = trace.root().unwrap();
        let mut at = root.from;
        for segment in &trace.path {
            prop_assert_eq!(segment.from, at, "without gaps and in order");
            let node = &trace.nodes[segment.node];
            prop_assert!(segment.from < segment.to && node.from <= segment.from && segment.to <= node.to());
            at = segment.to;
        }
        prop_assert_eq!(at, root.to());
        let critical: u64 = trace.nodes.iter().map(|node| node.critical_time).sum();
        prop_assert_eq!(critical, root.length);
        let shared: Duration = trace.services.iter().map(|share| share.critical).sum();
        prop_assert_eq!(shared, Duration::from_nanos(root.length));
    }

    #[test]
    fn own_time_is_at_most_the_whole_and_services_have_all_spans(spans in prop::collection::vec(any_span(), 1..60)) {
        let trace = trace(spans);
        for node in &trace.nodes {
            prop_assert!(node.self_time <= node.length && node.critical_time <= node.length);
        }
        prop_assert_eq!(trace.services.iter().map(|share| share.spans).sum::<usize>(), trace.nodes.len());
        prop_assert_eq!(trace.services.iter().map(|share| share.errors).sum::<usize>(), trace.errors());
        prop_assert_eq!(trace.error_origin.is_some(), trace.errors() > 0);
    }

    #[test]
    fn the_order_in_which_spans_come_does_not_matter(
        (spans, other) in prop::collection::vec(any_span(), 1..40).prop_flat_map(|spans| (Just(spans.clone()), Just(spans).prop_shuffle()))
    ) {
        prop_assert_eq!(trace(spans), trace(other));
    }

    #[test]
    fn an_id_is_read_back_with_and_without_zeros(number in 1..u128::MAX) {
        let id = TraceId::new(number).unwrap();
        prop_assert_eq!(TraceId::parse(&id.to_string()), Some(id));
        prop_assert_eq!(TraceId::parse(id.to_string().trim_start_matches('0')), Some(id));
        prop_assert_eq!(TraceId::of_bytes(&number.to_be_bytes()), Some(id));
    }
}
