//! Notes, opinions and relationships that are missing here or newer there.

use super::{Pull, receiver};
use crate::peer::{LARGE, LONG, Peer};
use crate::{Fault, hop};
use pisax_model::Uuid;
use pisax_model::analyst::{AnalystDraft, AnalystKind};
use pisax_model::time;
use pisax_service::analyst::{self, Offered};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::sync::atomic::Ordering;

/// Records fetched at a time: their uuids stand in the path.
const AT_ONCE: usize = 50;

pub(crate) fn pull(pull: &Pull<'_>) -> Result<(), Fault> {
    let answer = match pull.peer.post("analyst_data/indexMinimal", b"{}", (LONG, LARGE)) {
        Ok(answer) => answer,
        // An older MISP has none.
        Err(Fault::Status { status: 403..=405, .. }) => return Ok(()),
        Err(fault) => return Err(fault),
    };
    let offered = read_times(&answer.body)?;
    let wanted = pull.service().read(&receiver(pull.server()), |r| analyst::wanted(r, &offered))?;
    for kind in AnalystKind::ALL {
        for chunk in wanted.of(kind).chunks(AT_ONCE) {
            pull.work.tell(99, "Pulling analyst data.")?;
            let mut drafts = fetch(&pull.peer, kind, chunk)?;
            for draft in &mut drafts {
                arrive(draft, pull.server().internal);
            }
            let captured = analyst::push(pull.service(), &receiver(pull.server()), drafts)?;
            pull.tally.analyst_data.fetch_add(captured.imported, Ordering::Relaxed);
        }
    }
    Ok(())
}

fn arrive(draft: &mut AnalystDraft, internal: bool) {
    hop::received(&mut draft.distribution, internal);
    draft.locked = Some(true);
    for child in &mut draft.children {
        arrive(child, internal);
    }
}

fn fetch(peer: &Peer, kind: AnalystKind, chunk: &[(Uuid, i64)]) -> Result<Vec<AnalystDraft>, Fault> {
    let uuids: Vec<String> = chunk.iter().map(|(uuid, _)| format!("uuid[]:{uuid}")).collect();
    let path = format!("analyst_data/index/{}/{}.json", kind.name(), uuids.join("/"));
    let body = peer.get(&path, (LONG, LARGE))?.body;
    let strange = |e: String| Fault::Strange(format!("its analyst data: {e}"));
    let drafts = pisax_wire::read_pushed_analyst_data(&body).map_err(|e| strange(e.to_string()))?;
    let asked = |draft: &AnalystDraft| chunk.iter().any(|(uuid, _)| draft.uuid == Some(*uuid));
    Ok(drafts.into_iter().filter(asked).collect())
}

/// `{"Note":{uuid: "2026-01-01 00:00:00"},…}`; an empty one, and the empty whole, may be lists. Read without holding the texts.
pub(crate) fn read_times(body: &[u8]) -> Result<Offered, Fault> {
    let strange = |e: serde_json::Error| Fault::Strange(format!("its analyst data: {e}"));
    let mut reader = serde_json::Deserializer::from_slice(body);
    let mut offered = Offered::default();
    reader.deserialize_any(Kinds(&mut offered)).map_err(strange)?;
    reader.end().map_err(strange)?;
    Ok(offered)
}

struct Kinds<'o>(&'o mut Offered);

impl<'de> Visitor<'de> for Kinds<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("times by kind")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            match AnalystKind::ALL.into_iter().find(|kind| kind.name() == name) {
                Some(kind) => map.next_value_seed(Rows(&mut self.0.0[kind as usize]))?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Moments by uuid; what is none of either is left out.
struct Rows<'o>(&'o mut Vec<(Uuid, i64)>);

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("times by uuid")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(uuid) = map.next_key::<String>()? {
            let modified = map.next_value::<Moment>()?;
            let modified = modified.0.and_then(|text| time::parse_micros(&text));
            if let (Ok(uuid), Some(modified)) = (Uuid::try_parse(&uuid), modified) {
                self.0.push((uuid, modified.div_euclid(1_000_000)));
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// A text, or something else that says nothing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Either {
    Text(String),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(from = "Either")]
struct Moment(Option<String>);

impl From<Either> for Moment {
    fn from(either: Either) -> Self {
        match either {
            Either::Text(text) => Self(Some(text)),
            Either::Other(_) => Self(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_by_kind_and_what_is_none_is_left_out() {
        let uuid = "11111111-0000-4000-8000-000000000001";
        let body = format!(
            r#"{{"Note":{{"{uuid}":"2026-01-01 00:00:00","7":"2026-01-01 00:00:00"}},
                "Opinion":[],"Relationship":{{"{uuid}":7}},"Elsewhere":{{"a":[1]}}}}"#
        );
        let offered = read_times(body.as_bytes()).unwrap();
        let count = |kind| offered.of(kind).len();
        assert_eq!(AnalystKind::ALL.map(count).iter().sum::<usize>(), 1);
        assert_eq!(offered.of(AnalystKind::Note)[0].1, 1_767_225_600);
        for bad in [&b"hello"[..], b"7", b"{\"Note\":7}", b"{\"Note\":{\"\xff\":\"\"}}", b"{} {}"] {
            assert!(matches!(read_times(bad), Err(Fault::Strange(_))), "{bad:?}");
        }
        // PHP writes what is empty as a list.
        assert!(read_times(b"{}").is_ok() && read_times(b"[]").is_ok());
    }
}
