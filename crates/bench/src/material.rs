//! The events that are measured with: invented, the same in every run, like what is shared in kind and length.

use crate::random::Random;
use anyhow::{Context as _, Result};
use pisax_model::{AttributeType, Category, Uuid};
use pisax_wire::JsonWriter;
use std::collections::HashSet;

/// An indicator as it is stored: normalised, both halves apart.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// Version 4, as clients make them: in random order.
    pub uuid: Uuid,
    /// Its type.
    pub kind: AttributeType,
    /// The type's default one.
    pub category: Category,
    /// The value, or its first half.
    pub value1: String,
    /// The second half of a composite, else empty.
    pub value2: String,
    /// What an analyst noted; often nothing.
    pub comment: String,
    /// Unix seconds.
    pub timestamp: i64,
}

impl Attribute {
    /// The value as clients write it.
    pub fn value(&self) -> String {
        if self.value2.is_empty() { self.value1.clone() } else { format!("{}|{}", self.value1, self.value2) }
    }

    fn write(&self, w: &mut JsonWriter<'_>) {
        w.begin_object();
        w.key("uuid");
        w.uuid(self.uuid);
        w.key("type");
        w.str(self.kind.name());
        w.key("category");
        w.str(self.category.name());
        w.key("value");
        w.str(&self.value());
        w.key("to_ids");
        w.bool(true);
        w.key("comment");
        w.str(&self.comment);
        w.key("timestamp");
        w.str_num(self.timestamp);
        w.key("distribution");
        w.str_num(5);
        w.end_object();
    }

    /// The body of `attributes/add`.
    pub fn json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(400);
        self.write(&mut JsonWriter::new(&mut out));
        out
    }
}

/// An event with its attributes.
#[derive(Debug, Clone)]
pub struct Event {
    /// Version 4.
    pub uuid: Uuid,
    /// Its title.
    pub info: String,
    /// `YYYY-MM-DD`.
    pub date: String,
    /// Unix seconds.
    pub timestamp: i64,
    /// No two with the same type and value.
    pub attributes: Vec<Attribute>,
}

impl Event {
    /// The body of `events/add`, which is also what a file to import holds.
    pub fn json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(300 + self.attributes.len() * 320);
        let mut w = JsonWriter::new(&mut out);
        w.begin_object();
        w.key("Event");
        w.begin_object();
        for (key, text) in [("info", &self.info), ("date", &self.date)] {
            w.key(key);
            w.str(text);
        }
        w.key("uuid");
        w.uuid(self.uuid);
        for (key, number) in
            [("timestamp", self.timestamp), ("distribution", 1), ("threat_level_id", 2), ("analysis", 1)]
        {
            w.key(key);
            w.str_num(number);
        }
        w.key("Attribute");
        w.begin_array();
        for attribute in &self.attributes {
            attribute.write(&mut w);
        }
        w.end_array();
        w.end_object();
        w.end_object();
        out
    }
}

/// A sequence of events of one size. One attribute in ten carries a value that about three other events of
/// the same weeks carry too, however long the sequence grows: what correlates stays the same, what is stored
/// grows.
#[derive(Debug, Clone, Copy)]
pub struct Series {
    number: u64,
    size: usize,
}

/// Shared values in circulation at any moment.
const CIRCULATING: u64 = 1_000;
const SERIES_START: i64 = 1_735_689_600;

impl Series {
    /// Series of different numbers have no uuid and no value in common.
    pub fn new(number: u64, size: usize) -> Self {
        Self { number, size }
    }

    /// Attributes in each event.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The event at a place of the sequence.
    pub fn event(&self, place: u64) -> Result<Event> {
        self.event_of(place, self.size)
    }

    /// The same event cut or grown to another size.
    pub fn event_of(&self, place: u64, size: usize) -> Result<Event> {
        let mut random = Random::of(&[self.number, place]);
        let timestamp = SERIES_START + place as i64 * 60;
        // Forty events pass while the circulating values are replaced by new ones.
        let newest = place * (size as u64 / 40).max(1);
        let mut attributes = Vec::with_capacity(size);
        let mut there = HashSet::with_capacity(size);
        while attributes.len() < size {
            let shared = (random.below(10) == 0).then(|| newest + random.below(CIRCULATING));
            let (kind, value1, value2) = match shared {
                Some(value) => value_of(&mut Random::of(&[self.number, u64::MAX, value]))?,
                None => value_of(&mut random)?,
            };
            if !there.insert((kind, value1.clone())) {
                continue;
            }
            attributes.push(Attribute {
                uuid: uuid(&mut random),
                kind,
                category: kind.default_category(),
                value1,
                value2,
                comment: comment(&mut random),
                timestamp: timestamp - random.below(3600) as i64,
            });
        }
        Ok(Event {
            uuid: uuid(&mut random),
            info: format!("Campaign {}: {}", 1000 + place, random.one_of(&TITLES)),
            date: format!("2025-{:02}-{:02}", 1 + random.below(12), 1 + random.below(28)),
            timestamp,
            attributes,
        })
    }

    /// Events of this size from one place to another.
    pub fn events(&self, places: std::ops::Range<u64>) -> Result<Vec<Event>> {
        places.map(|place| self.event(place)).collect()
    }
}

const TITLES: [&str; 4] = [
    "infrastructure seen in spam with loader attachments",
    "scanning and brute force against edge routers",
    "phishing kits behind one certificate",
    "samples and control servers from sandbox runs",
];
const TOP_LEVEL: [&str; 7] = ["com", "net", "org", "info", "top", "xyz", "ru"];
const WORDS: [&str; 10] =
    ["cdn", "update", "mail", "secure", "static", "login", "cloud", "sync", "support", "media"];

fn uuid(random: &mut Random) -> Uuid {
    let bits = u128::from(random.number()) << 64 | u128::from(random.number());
    // RFC 9562, 5.4: version 4 in four bits, variant 10 in two.
    let version = 0x4 << 76;
    let variant = 0x2 << 62;
    Uuid::from_u128(bits & !(0xf << 76) & !(0x3 << 62) | version | variant)
}

fn hexadecimal(random: &mut Random, digits: usize) -> String {
    let mut text: String = (0..digits.div_ceil(16)).map(|_| format!("{:016x}", random.number())).collect();
    text.truncate(digits);
    text
}

fn domain(random: &mut Random) -> String {
    let unique = hexadecimal(random, 12);
    format!("{}-{unique}.{}", random.one_of(&WORDS), random.one_of(&TOP_LEVEL))
}

fn comment(random: &mut Random) -> String {
    match random.below(10) {
        0..5 => String::new(),
        5..8 => format!("seen in sandbox run {}", random.below(1_000_000)),
        _ => "control server of the second stage, confirmed by two partners".to_owned(),
    }
}

/// Type and both halves: a quarter addresses, half names and links, the rest checksums.
fn value_of(random: &mut Random) -> Result<(AttributeType, String, String)> {
    let (name, value1, value2) = match random.below(100) {
        0..25 => ("ip-dst", address(random), String::new()),
        25..45 => ("domain", domain(random), String::new()),
        45..60 => {
            let place = format!("{}/{}", random.one_of(&WORDS), hexadecimal(random, 10));
            (
                "url",
                format!("http://{}/{place}.php?id={}", domain(random), random.below(100_000)),
                String::new(),
            )
        }
        60..75 => ("sha256", hexadecimal(random, 64), String::new()),
        75..85 => ("md5", hexadecimal(random, 32), String::new()),
        85..95 => (
            "hostname",
            format!("{}{}.{}", random.one_of(&WORDS), random.below(20), domain(random)),
            String::new(),
        ),
        _ => {
            let file = format!("{}_{}.exe", random.one_of(&WORDS), random.below(1_000_000));
            ("filename|md5", file, hexadecimal(random, 32))
        }
    };
    let kind = AttributeType::parse(name).with_context(|| format!("the model has no type {name}"))?;
    Ok((kind, value1, value2))
}

fn address(random: &mut Random) -> String {
    let bits = random.number();
    let [_, b, c, d] = (bits as u32).to_be_bytes();
    format!("{}.{b}.{c}.{d}", 11 + (bits >> 32) % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pisax_model::Distribution;
    use pisax_model::attribute::{AttributeDraft, Defaults, complete};

    #[test]
    fn every_attribute_is_accepted_as_it_stands() {
        let event = Series::new(1, 1_000).event(3).unwrap();
        assert_eq!(event.attributes.len(), 1_000);
        let defaults = Defaults { now_ms: 0, distribution: Distribution::Inherit };
        for attribute in &event.attributes {
            let draft = AttributeDraft {
                kind: Some(attribute.kind.name().into()),
                value: Some(attribute.value()),
                ..AttributeDraft::default()
            };
            let checked = complete(draft, false, 0, &defaults).unwrap();
            assert_eq!((&checked.value1, &checked.value2), (&attribute.value1, &attribute.value2));
            assert_eq!(checked.category, attribute.category);
            assert_eq!(attribute.uuid.get_version_num(), 4);
            assert_eq!(attribute.uuid.get_variant(), Uuid::from_u128(0x8 << 60).get_variant());
        }
    }

    #[test]
    fn a_tenth_of_the_values_is_shared_with_events_nearby() {
        let series = Series::new(1, 1_000);
        let values = |place| -> HashSet<String> {
            series.event(place).unwrap().attributes.iter().map(Attribute::value).collect()
        };
        let one = values(500);
        let others: HashSet<String> = (450..550).filter(|n| *n != 500).flat_map(values).collect();
        let shared = one.intersection(&others).count();
        assert!((70..130).contains(&shared), "{shared}");
        assert_eq!(one, values(500));
    }

    #[test]
    fn the_body_is_json_with_every_attribute() {
        let event = Series::new(1, 20).event(0).unwrap();
        let body: serde_json::Value = serde_json::from_slice(&event.json()).unwrap();
        assert_eq!(body["Event"]["Attribute"].as_array().unwrap().len(), 20);
        assert_eq!(body["Event"]["uuid"], event.uuid.to_string());
    }
}
