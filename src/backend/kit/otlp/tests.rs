use super::*;

fn read(json: &str) -> SpansRead {
    let mut read = SpansRead::default();
    read.add(&serde_json::from_str(json).unwrap());
    read
}

/// One span with these fields besides its ids and times.
fn one(fields: &str) -> Span {
    let json = format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"pay"}}}}]}},
        "scopeSpans":[{{"scope":{{"name":"lib"}},"spans":[{{"traceId":"1f","spanId":"2a",
        "startTimeUnixNano":"1795962726162147001","endTimeUnixNano":"1795962726162148001",{fields}}}]}}]}}]}}"#
    );
    let read = read(&json);
    assert_eq!((read.traces.len(), read.lost), (1, 0), "{json}");
    read.traces.into_values().next().unwrap().remove(0)
}

#[test]
fn ids_are_read_in_base64_and_in_hexadecimal_digits() {
    let id = TraceId::parse("db5b5fab8f4d3e27dda1494c73cf256d");
    assert!(id.is_some());
    for same in [
        "db5b5fab8f4d3e27dda1494c73cf256d",
        "DB5B5FAB8F4D3E27DDA1494C73CF256D",
        "21tfq49NPifdoUlMc88lbQ==",
        "21tfq49NPifdoUlMc88lbQ",
    ] {
        assert_eq!(trace_id(same), id, "{same}");
    }
    let span = SpanId::parse("c7fda805ec99908d");
    for same in ["c7fda805ec99908d", "x/2oBeyZkI0=", "x_2oBeyZkI0"] {
        assert_eq!(span_id(same), span, "{same}");
    }
    for none in ["", "0000", "not an id", "AAAAAAAAAAA="] {
        assert_eq!((trace_id(none), span_id(none)), (None, None), "{none}");
    }
    // these digits are both: the length tells
    assert_eq!(span_id("deadbeefdeadbeef"), SpanId::parse("deadbeefdeadbeef"));
}

#[test]
fn values_of_any_type_become_text() {
    for (json, text) in [
        (r#"{"stringValue":"a b"}"#, "a b"),
        (r#"{"intValue":"503"}"#, "503"),
        (r#"{"intValue":503}"#, "503"),
        (r#"{"boolValue":true}"#, "true"),
        (r#"{"doubleValue":0.5}"#, "0.5"),
        (r#"{"bytesValue":"AAE="}"#, "AAE="),
        (r#"{"arrayValue":{"values":[{"stringValue":"a"},{"intValue":"1"}]}}"#, "[a, 1]"),
        (r#"{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}}]}}"#, "{k: v}"),
        (r#"{"arrayValue":{}}"#, "[]"),
        ("{}", ""),
        ("null", ""),
        (r#""plain""#, "plain"),
    ] {
        assert_eq!(any_value(&serde_json::from_str(json).unwrap()), text, "{json}");
    }
}

#[test]
fn a_span_keeps_its_nanoseconds_kind_status_events_and_links() {
    let span = one(
        r#""parentSpanId":"0000000000000009","name":"charge","kind":3,"status":{"code":2,"message":"timed out"},
        "attributes":[{"key":"http.response.status_code","value":{"intValue":"503"}}],
        "events":[{"timeUnixNano":"1795962726162147501","name":"exception","attributes":[{"key":"exception.type","value":{"stringValue":"Timeout"}}]},{"name":"no time"}],
        "links":[{"traceId":"ff","spanId":"ee"},{"traceId":""}],"droppedAttributesCount":2,"droppedEventsCount":"1""#,
    );
    assert_eq!((span.id, span.parent), (SpanId::parse("2a").unwrap(), SpanId::parse("9")));
    assert_eq!((&*span.service, &*span.operation, &*span.scope), ("pay", "charge", "lib"));
    assert_eq!((span.kind, span.status, &*span.message), (SpanKind::Client, SpanStatus::Error, "timed out"));
    assert_eq!(
        (span.starts_at.as_nanosecond(), span.duration),
        (1_795_962_726_162_147_001, Duration::from_micros(1))
    );
    assert_eq!(span.events[0].at.as_nanosecond(), 1_795_962_726_162_147_501);
    assert_eq!(span.events[1].at, span.starts_at);
    assert_eq!((span.links.len(), span.dropped), (1, 3));
    assert_eq!(span.attributes, [("http.response.status_code".into(), "503".into())]);
}

#[test]
fn words_of_every_spelling_are_known_and_unknown_ones_are_none() {
    assert_eq!(
        (kind("SPAN_KIND_SERVER"), kind("server"), kind("9"), kind("")),
        (SpanKind::Server, SpanKind::Server, SpanKind::Unspecified, SpanKind::Unspecified)
    );
    assert_eq!(
        (status("STATUS_CODE_ERROR"), status("OK"), status("7")),
        (SpanStatus::Error, SpanStatus::Ok, SpanStatus::Unset)
    );
}

#[test]
fn older_names_and_a_wrapper_are_read_and_what_cannot_be_read_is_counted() {
    let span =
        |id: &str| format!(r#"{{"traceId":"1f","spanId":"{id}","startTimeUnixNano":1795962726162147000}}"#);
    let read = read(&format!(
        r#"{{"batches":[{{"instrumentationLibrarySpans":[{{"spans":[{}]}}]}}],
        "result":{{"resourceSpans":[{{"resource":null,"scopeSpans":[{{"spans":[{},{{"traceId":"1f","spanId":"3"}},7,null]}},"x"]}}]}}}}"#,
        span("1"),
        span("2")
    ));
    assert_eq!(read.lost, 4, "without a start, a number, null, and a text in place of a scope");
    let (spans, lost) = read.into_trace(TraceId::parse("1f").unwrap());
    assert_eq!((spans.len(), lost), (2, 4));
    assert_eq!((&*spans[0].service, spans[0].duration), ("", Duration::ZERO));
}

#[test]
fn a_span_that_ends_before_it_begins_has_no_length() {
    let read = read(
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"1f","spanId":"2a","startTimeUnixNano":"1795962726162147000","endTimeUnixNano":"1795962726162146000"}]}]}]}"#,
    );
    assert_eq!(read.traces.into_values().next().unwrap()[0].duration, Duration::ZERO);
}
