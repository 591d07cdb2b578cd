//! Lists that another server sends, read item by item: memory does not grow with them.

use crate::Fault;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::io::Read;

/// Hands the items of a list to `each`, bare or under `response`, as JSON texts. What `each` fails with ends it.
/// `false`: there was no list.
pub(crate) fn items(
    body: impl Read,
    mut each: impl FnMut(&RawValue) -> Result<(), Fault>,
) -> Result<bool, Fault> {
    let mut failure = None;
    let mut reader =
        serde_json::Deserializer::from_reader(std::io::BufReader::with_capacity(64 * 1024, body));
    let read = Items { each: &mut each, failure: &mut failure, deep: false }.deserialize(&mut reader);
    match (failure, read) {
        (Some(fault), _) => Err(fault),
        (None, Ok(found)) => Ok(found),
        // The connection, or a limit of it, ended the text.
        (None, Err(e)) if e.is_io() => Err(pisax_outbound::Error::from(std::io::Error::from(e)).into()),
        (None, Err(e)) => Err(Fault::Strange(e.to_string())),
    }
}

struct Items<'i, F> {
    each: &'i mut F,
    failure: &'i mut Option<Fault>,
    /// Inside `response`.
    deep: bool,
}

impl<'de, F: FnMut(&RawValue) -> Result<(), Fault>> DeserializeSeed<'de> for Items<'_, F> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(&RawValue) -> Result<(), Fault>> Visitor<'de> for Items<'_, F> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        while let Some(item) = list.next_element::<Box<RawValue>>()? {
            if let Err(fault) = (self.each)(&item) {
                *self.failure = Some(fault);
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "response" && !self.deep {
                found |= map.next_value_seed(Items {
                    each: &mut *self.each,
                    failure: &mut *self.failure,
                    deep: true,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, Fault> {
        let mut found = Vec::new();
        items(text.as_bytes(), |item| {
            found.push(item.get().to_owned());
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn a_list_is_found_in_both_wrappings() {
        for text in ["[{\"a\":1},2]", r#"{"x":[9],"response":[{"a":1},2]}"#] {
            assert_eq!(read(text).unwrap(), ["{\"a\":1}", "2"]);
        }
        assert_eq!(read("{}").unwrap(), Vec::<String>::new());
        for (text, found) in
            [("[]", true), (r#"{"response":[]}"#, true), ("{}", false), (r#"{"message":[1]}"#, false)]
        {
            assert_eq!(items(text.as_bytes(), |_| Ok(())).unwrap(), found, "{text}");
        }
        assert!(matches!(read("[1,"), Err(Fault::Strange(_))));
        assert!(matches!(read("hello"), Err(Fault::Strange(_))));
        assert!(matches!(read(r#"{"response":{"response":{"response":[1]}}}"#), Ok(list) if list.is_empty()));
        let stopped = items(&b"[1,2,3]"[..], |_| Err(Fault::Stopped));
        assert!(matches!(stopped, Err(Fault::Stopped)));
    }
}
