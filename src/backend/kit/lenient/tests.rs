use super::*;

wire! {
    struct Thing<'a> {
        name: LenientText<'a>,
        #[serde(deserialize_with = "or_default")]
        inner: Inner<'a>,
        list: LenientList<Inner<'a>>,
        words: LenientTexts<'a>,
        labels: LenientPairs<'a>,
    }

    struct Inner<'a> {
        value: LenientText<'a>,
    }
}

/// A value of every JSON type, some of them nested.
const ANY: [&str; 11] = [
    "null",
    "true",
    "7",
    "-7",
    "1.5",
    "1e3",
    r#""text""#,
    r#""a\n""#,
    "[]",
    r#"[{"a":[1]},null]"#,
    r#"{"a":{"b":[]}}"#,
];

#[test]
fn a_field_of_any_type_costs_that_field_alone() {
    for field in ["name", "inner", "list", "words", "labels", "unknown"] {
        for value in ANY {
            let json = format!(r#"{{"{field}":{value},"more":1}}"#);
            let read = serde_json::from_str::<Thing<'_>>(&json);
            assert!(read.is_ok(), "{json}: {read:?}");
            let whole = format!("[{json},{value},{{\"name\":\"last\"}}]");
            let list: LenientList<Thing<'_>> = serde_json::from_str(&whole).unwrap();
            assert_eq!(list.all.last().unwrap().name.0, "last", "{whole}");
            assert_eq!(list.all.len() + list.lost, 3, "{whole}");
        }
    }
}

#[test]
fn what_can_be_read_is_read_and_what_cannot_is_counted() {
    let json = r#"{"name":1e3,"inner":null,"list":[{"value":2},null,"x",{"value":"3"}],"words":["a",null,7],"labels":{"a":1,"b":null}}"#;
    let thing: Thing<'_> = serde_json::from_str(json).unwrap();
    assert_eq!((thing.name.number(), &*thing.inner.value.0), (Some(1000.0), ""));
    let values: Vec<_> = thing.list.all.iter().map(|inner| &*inner.value.0).collect();
    assert_eq!((values, thing.list.lost), (vec!["2", "3"], 2));
    let words: Vec<_> = thing.words.0.iter().map(|word| &*word.0).collect();
    assert_eq!(words, ["a", "7"]);
    let pairs: Vec<_> = thing.labels.0.iter().map(|(name, value)| (&*name.0, &*value.0)).collect();
    assert_eq!(pairs, [("a", "1"), ("b", "")]);
    let lists = [("null", 0), ("[]", 0), ("7", 1), (r#"{"a":1}"#, 1)];
    for (json, lost) in lists {
        assert_eq!(serde_json::from_str::<LenientList<Inner<'_>>>(json).unwrap().lost, lost, "{json}");
    }
}
