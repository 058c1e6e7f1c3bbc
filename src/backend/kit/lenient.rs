//! Lenient types for the fields of answers: a value of an unexpected type makes only that field, or that element of a list,
//! empty, and never fails the whole answer. The caller of a list type reports how many elements could not be read.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::model::warning::Warning;
pub(crate) use lists::{LenientItems, LenientPair, LenientTriple};

mod lists;

/// Defines the objects of an API as structs: a missing field gets its default, and an unlisted field is ignored. Structs with
/// a lifetime `'a` borrow from the bytes of the answer.
///
/// ```ignore
/// wire! {
///     /// A person.
///     struct User<'a> {
///         name: Word<'a>,
///         #[serde(rename = "type")]
///         kind: Word<'a>,
///     }
/// }
/// ```
macro_rules! wire {
    () => {};
    ($(#[$about:meta])* struct $Name:ident<'a> {
        $($(#[$note:meta])* $field:ident : $Type:ty,)*
    } $($rest:tt)*) => {
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(default, bound(deserialize = "'de: 'a"))]
        $(#[$about])*
        pub(super) struct $Name<'a> { $($(#[$note])* pub(super) $field: $Type,)* }
        wire! { $($rest)* }
    };
    ($(#[$about:meta])* struct $Name:ident {
        $($(#[$note:meta])* $field:ident : $Type:ty,)*
    } $($rest:tt)*) => {
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(default)]
        $(#[$about])*
        pub(super) struct $Name { $($(#[$note])* pub(super) $field: $Type,)* }
        wire! { $($rest)* }
    };
}
pub(crate) use wire;

/// A text, borrowed if it has no escapes. A number or a boolean becomes its JSON spelling; `null`, a list or an object
/// becomes the empty text.
#[derive(Debug, Default)]
pub(crate) struct LenientText<'a>(pub(crate) Cow<'a, str>);

impl LenientText<'_> {
    pub(crate) fn number(&self) -> Option<f64> {
        self.0.trim().parse().ok()
    }

    /// Whether the text is `true` or `1`.
    pub(crate) fn is_true(&self) -> bool {
        matches!(&*self.0, "true" | "1")
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for LenientText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalars;
        impl<'de> Lenient<'de> for Scalars {
            type Made = LenientText<'de>;

            fn of_text(self, text: Cow<'de, str>) -> Option<LenientText<'de>> {
                Some(LenientText(text))
            }

            fn of_integer(self, number: i128) -> Option<LenientText<'de>> {
                Some(LenientText(number.to_string().into()))
            }

            fn of_number(self, number: f64) -> Option<LenientText<'de>> {
                Some(LenientText(number.to_string().into()))
            }

            fn of_bool(self, yes: bool) -> Option<LenientText<'de>> {
                Some(LenientText(if yes { "true" } else { "false" }.into()))
            }
        }
        Ok(found(Scalars, deserializer)?.value().unwrap_or_default())
    }
}

/// Reads types by their function `of`, from a [`LenientText`].
macro_rules! read_as_text {
    ($($Type:ty $(, $PER_SECOND:ident)?;)*) => {
        $(impl<'de $(, const $PER_SECOND: i64)?> serde::Deserialize<'de> for $Type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                LenientText::deserialize(deserializer).map(|text| Self::of(&text))
            }
        })*
    };
}
pub(crate) use read_as_text;

read_as_text! {
    LenientString;
    Count;
}

/// An owned [`LenientText`].
#[derive(Debug, Default)]
pub(crate) struct LenientString(pub(crate) String);

impl LenientString {
    fn of(text: &LenientText<'_>) -> Self {
        Self(text.0.clone().into_owned())
    }
}

/// A number from 0 up, also in the form of a text; anything else is 0.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Count(pub(crate) u64);

impl Count {
    fn of(text: &LenientText<'_>) -> Self {
        Self(text.0.trim().parse().unwrap_or(0))
    }

    /// The number, at most `u32::MAX`.
    pub(crate) fn saturating(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

/// A number, also in the form of a text; anything else is `None`.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Number(pub(crate) Option<f64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl<'de> Lenient<'de> for Numbers {
            type Made = f64;

            fn of_number(self, number: f64) -> Option<f64> {
                Some(number)
            }

            fn of_text(self, text: Cow<'de, str>) -> Option<f64> {
                text.trim().parse().ok()
            }
        }
        Ok(Self(found(Numbers, deserializer)?.value()))
    }
}

/// Names and values of a JSON object, in their order; empty for any other type.
#[derive(Debug, Default)]
pub(crate) struct LenientPairs<'a>(pub(crate) Vec<(LenientText<'a>, LenientText<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for LenientPairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Maps;
        impl<'de> Lenient<'de> for Maps {
            type Made = Vec<(LenientText<'de>, LenientText<'de>)>;

            fn of_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Self::Made>, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(16));
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Some(pairs))
            }
        }
        Ok(Self(found(Maps, deserializer)?.value().unwrap_or_default()))
    }
}

/// An object; `None` for any other type.
#[derive(Debug)]
pub(crate) struct LenientObject<T>(pub(crate) Option<T>);

impl<T> Default for LenientObject<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for LenientObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Objects<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Lenient<'de> for Objects<T> {
            type Made = T;

            fn of_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Some)
            }
        }
        Ok(Self(found(Objects(PhantomData), deserializer)?.value()))
    }
}

/// For `deserialize_with`: an object, or the default for any other type.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(LenientObject::deserialize(deserializer)?.0.unwrap_or_default())
}

/// For `deserialize_with`: the non-empty texts of a list, see [`LenientTexts`], owned.
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let words = LenientTexts::deserialize(deserializer)?.0;
    Ok(words.into_iter().map(|word| word.0.into_owned()).collect())
}

/// Decodes the objects of a list, and counts the elements that are not objects of this shape.
pub(crate) fn objects<T: DeserializeOwned>(list: Vec<Value>) -> LenientList<T> {
    let count = list.len();
    let read =
        list.into_iter().filter(Value::is_object).filter_map(|value| serde_json::from_value(value).ok());
    let all: Vec<T> = read.collect();
    LenientList { lost: count - all.len(), all }
}

/// Decodes the object under `key` of an answer; `None` if there is none.
pub(crate) fn object<T: DeserializeOwned>(mut answer: Map<String, Value>, key: &str) -> Option<T> {
    answer.remove(key).filter(Value::is_object).and_then(|value| serde_json::from_value(value).ok())
}

/// A list of objects; empty if the field is missing or `null`. Elements that are not objects are left out and counted.
#[derive(Debug)]
pub(crate) struct LenientList<T> {
    pub(crate) all: Vec<T>,
    /// The number of elements that could not be read; 1 if the value is not a list.
    pub(crate) lost: usize,
}

impl<T> Default for LenientList<T> {
    fn default() -> Self {
        Self { all: Vec::new(), lost: 0 }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for LenientList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match found(Lists(PhantomData), deserializer)? {
            LenientSlot::This(list) => list,
            LenientSlot::Null => Self::default(),
            LenientSlot::Other => Self { all: Vec::new(), lost: 1 },
        })
    }
}

struct Lists<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Lenient<'de> for Lists<T> {
    type Made = LenientList<T>;

    fn of_list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<LenientList<T>>, A::Error> {
        let mut list = LenientList::default();
        while let Some(LenientObject(one)) = seq.next_element()? {
            match one {
                Some(one) => list.all.push(one),
                None => list.lost += 1,
            }
        }
        Ok(Some(list))
    }
}

/// A list that is the whole answer: any other type than a list or `null` is an error.
#[derive(Debug)]
pub(crate) struct RequiredList<T>(pub(crate) LenientList<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for RequiredList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match found(Lists(PhantomData), deserializer)? {
            LenientSlot::This(list) => Ok(Self(list)),
            LenientSlot::Null => Ok(Self(LenientList::default())),
            LenientSlot::Other => Err(D::Error::custom("no list")),
        }
    }
}

/// A list of non-empty texts; a single text is a list of one.
#[derive(Debug, Default)]
pub(crate) struct LenientTexts<'a>(pub(crate) Vec<LenientText<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for LenientTexts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Lenient<'de> for Texts {
            type Made = Vec<LenientText<'de>>;

            fn of_list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Self::Made>, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = seq.next_element::<LenientText<'de>>()? {
                    words.extend(Some(word).filter(|word| !word.0.is_empty()));
                }
                Ok(Some(words))
            }

            fn of_text(self, text: Cow<'de, str>) -> Option<Self::Made> {
                (!text.is_empty()).then(|| vec![LenientText(text)])
            }
        }
        Ok(Self(found(Texts, deserializer)?.value().unwrap_or_default()))
    }
}

/// A warning that `count` elements could not be read; `None` for 0.
pub(crate) fn unreadable_warning(count: usize, what: &str) -> Option<Warning> {
    (count > 0).then(|| Warning::missing(format!("{count} {what} could not be read and are left out")))
}

/// A reader for one value of an answer that accepts some of the JSON types; values of all other types are skipped.
pub(crate) trait Lenient<'de>: Sized {
    /// The result for an accepted value.
    type Made;

    fn of_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Self::Made>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    /// Reads a list to its end.
    fn of_list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Self::Made>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn of_integer(self, number: i128) -> Option<Self::Made> {
        self.of_number(number as f64)
    }

    fn of_number(self, _number: f64) -> Option<Self::Made> {
        None
    }

    fn of_bool(self, _yes: bool) -> Option<Self::Made> {
        None
    }

    fn of_text(self, _text: Cow<'de, str>) -> Option<Self::Made> {
        None
    }
}

/// The result of reading a value with [`found`].
pub(crate) enum LenientSlot<T> {
    /// The value had an accepted type.
    This(T),
    /// The value was `null`.
    Null,
    /// The value had another type.
    Other,
}

impl<T> LenientSlot<T> {
    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::This(value) => Some(value),
            Self::Null | Self::Other => None,
        }
    }

    pub(crate) fn is_other(&self) -> bool {
        matches!(self, Self::Other)
    }

    fn of(value: Option<T>) -> Self {
        value.map_or(Self::Other, Self::This)
    }
}

/// Makes a reader the seed of a value within a list or an object.
pub(crate) struct LenientSeed<S>(pub(crate) S);

impl<'de, S: Lenient<'de>> DeserializeSeed<'de> for LenientSeed<S> {
    type Value = LenientSlot<S::Made>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        found(self.0, deserializer)
    }
}

/// Reads a value of any JSON type; only invalid JSON is an error.
pub(crate) fn found<'de, S: Lenient<'de>, D: Deserializer<'de>>(
    shape: S,
    deserializer: D,
) -> Result<LenientSlot<S::Made>, D::Error> {
    struct Any<S>(S);
    impl<'de, S: Lenient<'de>> Visitor<'de> for Any<S> {
        type Value = LenientSlot<S::Made>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            self.0.of_map(map).map(LenientSlot::of)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
            self.0.of_list(seq).map(LenientSlot::of)
        }

        fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(LenientSlot::of(self.0.of_text(Cow::Borrowed(text))))
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(LenientSlot::of(self.0.of_text(Cow::Owned(text.to_owned()))))
        }

        fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
            Ok(LenientSlot::of(self.0.of_integer(number.into())))
        }

        fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
            Ok(LenientSlot::of(self.0.of_integer(number.into())))
        }

        fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
            Ok(LenientSlot::of(self.0.of_number(number)))
        }

        fn visit_bool<E>(self, yes: bool) -> Result<Self::Value, E> {
            Ok(LenientSlot::of(self.0.of_bool(yes)))
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(LenientSlot::Null)
        }
    }
    deserializer.deserialize_any(Any(shape))
}

#[cfg(test)]
mod tests;
