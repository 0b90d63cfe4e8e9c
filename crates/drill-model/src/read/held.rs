//! A part of a document that is kept aside until it is known what it must be.
//!
//! It has no text behind it, so that the path is all that is known of a place.

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::scalar::Scalar;
use super::tree::{Key, Node, Value};

impl<'de> serde::Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl Anything {
    fn scalar(scalar: Scalar, text: impl Into<String>) -> Node {
        Node { value: Value::Scalar(scalar, text.into()), at: 0..0 }
    }
}

impl<'de> Visitor<'de> for Anything {
    type Value = Node;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a value")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Node, E> {
        Ok(Self::scalar(Scalar::Truth(truth), truth.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Self::scalar(Scalar::Whole(number), number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        match u64::try_from(number) {
            Ok(whole) => Ok(Self::scalar(Scalar::Whole(whole), number.to_string())),
            Err(_) => Ok(Self::scalar(Scalar::Negative(number), number.to_string())),
        }
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        let scalar = if number.is_finite() { Scalar::Real(number) } else { Scalar::NotFinite };
        Ok(Self::scalar(scalar, number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Self::scalar(Scalar::Text, text))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Self::scalar(Scalar::Nothing, "null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node { value: Value::List(list), at: 0..0 })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Vec::<(Key, Node)>::new();
        while let Some((text, node)) = entries.next_entry::<String, Node>()? {
            if map.iter().any(|(key, _)| key.text == text) {
                return Err(serde::de::Error::custom(format!("`{text}` is written twice")));
            }
            map.push((Key { text, at: 0..0 }, node));
        }
        Ok(Node { value: Value::Map(map), at: 0..0 })
    }
}
