//! Lists and tuples of lenient values, as APIs write points (`[time, value]`) and rows.

use serde::de::{IgnoredAny, SeqAccess};
use serde::{Deserialize, Deserializer};

use super::{Lenient, found};

/// A list whose elements are lenient themselves; empty for any other type.
#[derive(Debug)]
pub(crate) struct LenientItems<T>(pub(crate) Vec<T>);

impl<T> Default for LenientItems<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for LenientItems<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Lenient<'de> for Items<T> {
            type Made = Vec<T>;

            fn of_list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Vec<T>>, A::Error> {
                let mut all = Vec::with_capacity(seq.size_hint().unwrap_or(0));
                while let Some(one) = seq.next_element()? {
                    all.push(one);
                }
                Ok(Some(all))
            }
        }
        Ok(Self(found(Items(std::marker::PhantomData), deserializer)?.value().unwrap_or_default()))
    }
}

/// A list of three values; a missing one has its default, further ones are ignored, and any other type is three defaults.
#[derive(Debug, Default)]
pub(crate) struct LenientTriple<A, B, C>(pub(crate) A, pub(crate) B, pub(crate) C);

/// A [`LenientTriple`] without the third value.
pub(crate) type LenientPair<A, B> = LenientTriple<A, B, IgnoredAny>;

impl<'de, A, B, C> Deserialize<'de> for LenientTriple<A, B, C>
where
    A: Deserialize<'de> + Default,
    B: Deserialize<'de> + Default,
    C: Deserialize<'de> + Default,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Triples<T>(std::marker::PhantomData<T>);
        impl<'de, A, B, C> Lenient<'de> for Triples<(A, B, C)>
        where
            A: Deserialize<'de> + Default,
            B: Deserialize<'de> + Default,
            C: Deserialize<'de> + Default,
        {
            type Made = LenientTriple<A, B, C>;

            fn of_list<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Option<Self::Made>, S::Error> {
                let first = seq.next_element()?.unwrap_or_default();
                let second = seq.next_element()?.unwrap_or_default();
                let third = seq.next_element()?.unwrap_or_default();
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Some(LenientTriple(first, second, third)))
            }
        }
        let read = found(Triples(std::marker::PhantomData::<(A, B, C)>), deserializer)?;
        Ok(read.value().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LenientText, Number};
    use super::*;

    #[test]
    fn what_is_no_list_or_too_short_gets_defaults_and_what_is_too_long_is_ignored() {
        let read = |text: &str| {
            let pairs: LenientItems<LenientPair<Number, LenientText<'_>>> =
                serde_json::from_str(text).unwrap();
            let pairs = pairs.0.into_iter().map(|pair| (pair.0.0, pair.1.0.into_owned()));
            pairs.collect::<Vec<_>>()
        };
        let pair = |number: Option<f64>, text: &str| (number, text.to_owned());
        assert_eq!(
            read(r#"[[1, "a", {}, 3], ["2"], 7, null]"#)[..2],
            [pair(Some(1.0), "a"), pair(Some(2.0), "")]
        );
        assert_eq!(read("[7, null]"), [pair(None, ""), pair(None, "")]);
        assert_eq!(read(r#"{"a": []}"#), []);
    }
}
