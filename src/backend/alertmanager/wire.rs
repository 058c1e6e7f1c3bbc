//! Alertmanager's own shapes, API v2, borrowed from the bytes they came in; whatever else is sent is passed over.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A text; a number counts as its digits, and anything else (`null`, a list) as the empty text.
#[derive(Debug, Default)]
pub(super) struct Word<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Words<'a> {
            type Value = Word<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Word(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Word(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Word(Cow::Owned(number.to_string())))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Word(Cow::Owned(number.to_string())))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Word(Cow::Owned(number.to_string())))
            }

            fn visit_bool<E>(self, yes: bool) -> Result<Self::Value, E> {
                Ok(Word(Cow::Borrowed(if yes { "true" } else { "false" })))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Word::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Word::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Word::default())
            }
        }
        deserializer.deserialize_any(Words(PhantomData))
    }
}

/// A JSON object as it stands, or nothing for `null`.
#[derive(Debug, Default)]
pub(super) struct Pairs<'a>(pub(super) Vec<(Word<'a>, Word<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Maps<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Maps<'a> {
            type Value = Pairs<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Pairs::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(16);
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_any(Maps(PhantomData))
    }
}

/// A list that may be missing or `null`.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Option::deserialize(deserializer)?.unwrap_or_default()))
    }
}

/// One alert. `endsAt` is not read: for an active alert it is only when it would time out.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Alert<'a> {
    #[serde(borrow)]
    pub(super) labels: Pairs<'a>,
    #[serde(borrow)]
    pub(super) annotations: Pairs<'a>,
    #[serde(borrow)]
    pub(super) starts_at: Word<'a>,
    #[serde(borrow)]
    pub(super) updated_at: Word<'a>,
    #[serde(borrow)]
    pub(super) fingerprint: Word<'a>,
    #[serde(borrow, rename = "generatorURL")]
    pub(super) generator_url: Word<'a>,
    #[serde(borrow)]
    pub(super) receivers: List<Receiver<'a>>,
    #[serde(borrow)]
    pub(super) status: Status<'a>,
}

/// Whether an alert notifies. `state` is `active`, `suppressed` or `unprocessed`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status<'a> {
    #[serde(borrow)]
    pub(super) state: Word<'a>,
    #[serde(borrow)]
    pub(super) silenced_by: List<Word<'a>>,
    #[serde(borrow)]
    pub(super) inhibited_by: List<Word<'a>>,
    /// Names of time intervals, since 0.28.
    #[serde(borrow)]
    pub(super) muted_by: List<Word<'a>>,
}

/// Who is told.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Receiver<'a> {
    #[serde(borrow)]
    pub(super) name: Word<'a>,
}

/// One silence.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Silence<'a> {
    #[serde(borrow)]
    pub(super) id: Word<'a>,
    #[serde(borrow)]
    pub(super) status: SilenceStatus<'a>,
    #[serde(borrow)]
    pub(super) starts_at: Word<'a>,
    #[serde(borrow)]
    pub(super) ends_at: Word<'a>,
    #[serde(borrow)]
    pub(super) created_by: Word<'a>,
    #[serde(borrow)]
    pub(super) comment: Word<'a>,
    #[serde(borrow)]
    pub(super) matchers: List<Matcher<'a>>,
}

/// `active`, `pending` or `expired`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SilenceStatus<'a> {
    #[serde(borrow)]
    pub(super) state: Word<'a>,
}

/// One condition of a silence; `isEqual` is missing before 0.22 and then true.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Matcher<'a> {
    #[serde(borrow)]
    pub(super) name: Word<'a>,
    #[serde(borrow)]
    pub(super) value: Word<'a>,
    pub(super) is_regex: Option<bool>,
    pub(super) is_equal: Option<bool>,
}

/// What the server says of itself. Its configuration (`config.original`) is not read: it may hold secrets.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct About<'a> {
    /// Must be there: this is how an Alertmanager is told from something else that answers in JSON.
    #[serde(borrow)]
    pub(super) version_info: Version<'a>,
    #[serde(borrow, default)]
    pub(super) cluster: Cluster<'a>,
    /// When it started.
    #[serde(borrow, default)]
    pub(super) uptime: Word<'a>,
}

/// Its version.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Version<'a> {
    #[serde(borrow)]
    pub(super) version: Word<'a>,
}

/// Its cluster; `status` is `ready`, `settling` or `disabled`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Cluster<'a> {
    #[serde(borrow)]
    pub(super) status: Word<'a>,
    #[serde(borrow)]
    pub(super) peers: List<Peer<'a>>,
}

/// One member of the cluster, itself included.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Peer<'a> {
    #[serde(borrow)]
    pub(super) address: Word<'a>,
}
