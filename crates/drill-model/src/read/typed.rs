//! Nodes to types: a deserializer whose errors know the node that they are about.
//!
//! It is stricter than serde: unknown fields are told all at once, with the one that was probably meant.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor, value::StrDeserializer,
};
use serde::forward_to_deserialize_any;

use super::finding::{Finding, Kind, Step, Wrong};
use super::scalar::Scalar;
use super::tree::{Key, Node, Value};
use super::{MOST_TOLD, words};

/// Reads one node.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'n> {
    node: &'n Node,
    /// What a mapping is called in messages, where its type does not say.
    noun: Option<&'n str>,
    /// Fields that are read elsewhere, to be named with those that are allowed.
    beside: &'static [&'static str],
}

impl<'n> Reader<'n> {
    /// Reads this node.
    pub const fn new(node: &'n Node) -> Self {
        Self { node, noun: None, beside: &[] }
    }

    /// Reads this mapping, which is a part of something called `noun` that also has the fields `beside`.
    pub const fn part(node: &'n Node, noun: &'n str, beside: &'static [&'static str]) -> Self {
        Self { node, noun: Some(noun), beside }
    }

    fn unexpected(&self) -> Unexpected<'n> {
        match &self.node.value {
            Value::List(_) => Unexpected::Seq,
            Value::Map(_) => Unexpected::Map,
            Value::Scalar(scalar, text) => match scalar {
                Scalar::Truth(truth) => Unexpected::Bool(*truth),
                Scalar::Whole(number) => Unexpected::Unsigned(*number),
                Scalar::Negative(number) => Unexpected::Signed(*number),
                Scalar::Real(number) => Unexpected::Float(*number),
                Scalar::Text => Unexpected::Str(text),
                Scalar::Nothing | Scalar::NotFinite | Scalar::Ambiguous => Unexpected::Other(text),
            },
        }
    }

    /// What a visitor that takes anything is shown.
    fn any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.node.value {
            Value::List(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            Value::Map(entries) => visitor.visit_map(Entries { entries: entries.iter(), value: None }),
            Value::Scalar(scalar, text) => match scalar {
                Scalar::Truth(truth) => visitor.visit_bool(*truth),
                Scalar::Whole(number) => visitor.visit_u64(*number),
                Scalar::Negative(number) => visitor.visit_i64(*number),
                Scalar::Real(number) => visitor.visit_f64(*number),
                Scalar::Text => visitor.visit_str(text),
                Scalar::Nothing | Scalar::NotFinite | Scalar::Ambiguous => {
                    Err(Wrong::invalid_type(self.unexpected(), &visitor))
                }
            },
        }
    }

    /// Refuses the fields that a struct does not have, all of them.
    fn refuse_unknown(&self, noun: &str, fields: &[&str]) -> Result<(), Wrong> {
        let Value::Map(entries) = &self.node.value else { return Ok(()) };
        let allowed: Vec<&str> = self.beside.iter().chain(fields).copied().collect();
        let unknown = |(key, _): &(Key, Node)| {
            (!fields.contains(&key.text.as_str())).then(|| Finding {
                at: Some(key.at.clone()),
                steps: vec![key.step()],
                kind: Kind::UnknownField,
                message: format!("unknown field `{}` in {noun}", key.text),
                help: Some(words::choose(&key.text, &allowed)),
            })
        };
        let findings: Vec<Finding> = entries.iter().filter_map(unknown).take(MOST_TOLD).collect();
        if findings.is_empty() { Ok(()) } else { Err(Wrong(findings)) }
    }
}

impl Wrong {
    /// The same, about this node where it is not known to be about one inside it.
    pub(super) fn at(mut self, node: &Node) -> Self {
        for finding in &mut self.0 {
            if finding.at.is_none() {
                let inside = if finding.kind == Kind::Custom { named_key(node, &finding.message) } else { None };
                finding.at = Some(inside.map_or_else(|| node.at.clone(), |key| key.at.clone()));
            }
        }
        self
    }

    /// The same, about this key where it is not known to be about anything else.
    pub(super) fn about(mut self, key: &Key) -> Self {
        for finding in &mut self.0 {
            finding.at.get_or_insert_with(|| key.at.clone());
        }
        self
    }
}

/// The last key of a mapping that a message names: of two fields that exclude each other, the second is pointed at.
fn named_key<'n>(node: &'n Node, message: &str) -> Option<&'n Key> {
    let Value::Map(entries) = &node.value else { return None };
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    entries.iter().rev().map(|(key, _)| key).find(|key| words.contains(&key.text.as_str()))
}

macro_rules! as_any {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Wrong> {
            self.deserialize_any(visitor)
        }
    )*};
}

impl<'n> Deserializer<'n> for Reader<'n> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.any(visitor).map_err(|wrong| wrong.at(self.node))
    }

    as_any! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16
        deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_seq deserialize_map
        deserialize_identifier deserialize_ignored_any
    }

    /// A value that is there is there: an empty one was refused with the text.
    fn deserialize_option<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_unit_struct<V: Visitor<'n>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'n>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self).map_err(|wrong| wrong.at(self.node))
    }

    fn deserialize_tuple<V: Visitor<'n>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'n>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        // A derived struct would also take a list, field by field.
        if !matches!(self.node.value, Value::Map(_)) {
            let noun = self.noun.unwrap_or_else(|| words::noun(name));
            let message = format!("{} is not {noun}", words::found(self.unexpected()));
            return Err(Wrong(vec![Finding {
                at: Some(self.node.at.clone()),
                steps: Vec::new(),
                kind: Kind::Other,
                message,
                help: None,
            }]));
        }
        self.refuse_unknown(self.noun.unwrap_or_else(|| words::noun(name)), fields)?;
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'n>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let choice = match &self.node.value {
            Value::Scalar(Scalar::Text, word) => Ok(Choice { word, at: self.node, value: None }),
            Value::Map(entries) => match entries.as_slice() {
                [(key, value)] if variants.contains(&key.text.as_str()) => {
                    Ok(Choice { word: &key.text, at: self.node, value: Some((key, value)) })
                }
                [(key, _)] => Err(Wrong::unknown_variant(&key.text, variants).about(key)),
                [] => Err(Wrong::custom("nothing is chosen here")),
                [_, (second, _), ..] => {
                    Err(Wrong::custom(format!("one of these can be chosen, and {} are", entries.len())).about(second))
                }
            },
            Value::Scalar(..) | Value::List(_) => {
                let message = format!("{} is not one of the choices here", words::found(self.unexpected()));
                Err(Wrong::custom(message))
            }
        };
        choice.and_then(|choice| visitor.visit_enum(choice)).map_err(|wrong| wrong.at(self.node))
    }
}

/// The items of a list.
struct Items<'n> {
    items: std::iter::Enumerate<std::slice::Iter<'n, Node>>,
}

impl<'n> SeqAccess<'n> for Items<'n> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'n>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        seed.deserialize(Reader::new(node)).map(Some).map_err(|wrong| wrong.at(node).under(&Step::Item(index)))
    }
}

/// The entries of a mapping.
struct Entries<'n> {
    entries: std::slice::Iter<'n, (Key, Node)>,
    value: Option<(&'n Key, &'n Node)>,
}

impl<'n> MapAccess<'n> for Entries<'n> {
    type Error = Wrong;

    fn next_key_seed<T: DeserializeSeed<'n>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        let Some((key, node)) = self.entries.next() else { return Ok(None) };
        self.value = Some((key, node));
        seed.deserialize(Word(&key.text)).map(Some).map_err(|wrong| wrong.about(key).under(&key.step()))
    }

    fn next_value_seed<T: DeserializeSeed<'n>>(&mut self, seed: T) -> Result<T::Value, Wrong> {
        let Some((key, node)) = self.value.take() else { return Err(Wrong::custom("a value without its key")) };
        seed.deserialize(Reader::new(node)).map_err(|wrong| wrong.at(node).under(&key.step()))
    }
}

/// A key, or the name of a choice.
struct Word<'n>(&'n str);

impl<'n> Deserializer<'n> for Word<'n> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'n>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        <V: Visitor<'n>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// One of the choices of an enum: a word alone, or a word with a value.
struct Choice<'n> {
    word: &'n str,
    at: &'n Node,
    value: Option<(&'n Key, &'n Node)>,
}

impl<'n> EnumAccess<'n> for Choice<'n> {
    type Error = Wrong;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'n>>(self, seed: T) -> Result<(T::Value, Self), Wrong> {
        let word: StrDeserializer<'_, Wrong> = self.word.into_deserializer();
        let variant = seed.deserialize(word).map_err(|wrong| wrong.at(self.at))?;
        Ok((variant, self))
    }
}

impl<'n> VariantAccess<'n> for Choice<'n> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        match self.value {
            None => Ok(()),
            Some((key, _)) => Err(Wrong::custom(format!("`{}` has no value of its own", key.text)).about(key)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'n>>(self, seed: T) -> Result<T::Value, Wrong> {
        match self.value {
            None => Err(Wrong::custom(format!("`{}` needs a value", self.word)).at(self.at)),
            Some((key, node)) => seed.deserialize(Reader::new(node)).map_err(|wrong| wrong.at(node).under(&key.step())),
        }
    }

    fn tuple_variant<V: Visitor<'n>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.newtype_variant_seed(Content(visitor))
    }

    fn struct_variant<V: Visitor<'n>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Wrong> {
        self.newtype_variant_seed(Content(visitor))
    }
}

/// Shows a visitor the value of a choice.
struct Content<V>(V);

impl<'n, V: Visitor<'n>> DeserializeSeed<'n> for Content<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'n>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_any(self.0)
    }
}
