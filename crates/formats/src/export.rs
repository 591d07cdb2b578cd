//! The `returnFormat`s of restSearch that are written attribute by attribute (all but JSON, which is
//! `pisax-wire`'s): the caller streams rows in and bytes out, nothing is kept but what a format must know
//! to leave out repetitions, at eight bytes a value.

mod cache;
mod context;
mod count;
mod csv;
mod hashes;
#[cfg(test)]
mod hostile;
mod hosts;
mod kunai;
mod netfilter;
mod nids;
mod openioc;
mod rpz;
#[cfg(test)]
mod tests;
mod text;
mod unique;
mod yara;
mod zeek;

pub use rpz::RpzOptions;

use crate::stix1::{Form, Stix1};
use pisax_model::Uuid;
use pisax_model::attribute::AttributeView;

/// One row of a search, with what formats tell about where it stands.
#[derive(Debug, Clone, Copy)]
pub struct ExportRow<'a> {
    pub attribute: AttributeView<'a>,
    pub event: EventSummary<'a>,
    /// Names of the attribute's tags.
    pub tags: &'a [&'a str],
    /// Names of the event's tags; only asked for with context.
    pub event_tags: &'a [&'a str],
    /// The object it is part of.
    pub object: Option<ObjectSummary<'a>>,
    /// Its mean decay score, and whether a model calls it decayed; only asked for with scores.
    pub decay: (f64, bool),
    /// When it was seen, in unix seconds; only asked for by some.
    pub sighted: &'a [i64],
}

/// What a row says of its event.
#[derive(Debug, Clone, Copy)]
pub struct EventSummary<'a> {
    pub id: i64,
    pub uuid: Uuid,
    pub info: &'a str,
    /// Name of the owner here (`org`).
    pub org: &'a str,
    /// Name of the creator (`orgc`).
    pub orgc: &'a str,
    pub distribution: i64,
    pub threat_level_id: i64,
    pub analysis: i64,
    /// `YYYY-MM-DD`.
    pub date: &'a str,
    pub timestamp: i64,
}

/// What a row says of its object.
#[derive(Debug, Clone, Copy)]
pub struct ObjectSummary<'a> {
    pub id: i64,
    pub uuid: Uuid,
    pub name: &'a str,
    pub meta_category: &'a str,
    pub description: &'a str,
    pub template_uuid: &'a str,
    pub template_version: &'a str,
    pub timestamp: i64,
    pub distribution: i64,
    pub comment: &'a str,
}

/// What a search can be asked to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    Events,
    #[default]
    Attributes,
}

/// What a client may say about a format; each looks at its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExportOptions {
    pub scope: Scope,
    /// Unix seconds, for formats that say when they were made.
    pub now: i64,
    /// csv: columns about the event.
    pub include_context: bool,
    /// csv: columns of the decay score.
    pub include_decay_score: bool,
    /// csv: no line of column names.
    pub headerless: bool,
    /// csv: these columns in place of the usual ones; empty for the usual ones.
    pub requested_attributes: Vec<String>,
    /// csv: these columns about the object, without their prefix `object_`.
    pub requested_obj_attributes: Vec<String>,
    /// cache: the event's uuid after each hash.
    pub include_event_uuid: bool,
    /// cache: `md5` or `sha256`; md5 when absent.
    pub hash_type: Option<String>,
    /// hosts: where names lead; `0.0.0.0` when absent.
    pub ip_address: Option<String>,
    /// netfilter: the rule's target; `DROP` when absent.
    pub netfilter_action: Option<String>,
    pub rpz: RpzOptions,
    /// stix: the version asked for.
    pub stix_version: Option<String>,
    /// Address of this instance, for formats that link back.
    pub base_url: String,
    /// Name of the reader's organisation.
    pub org: String,
    /// snort, suricata: the number that rules count from.
    pub nids_sid: i64,
    /// bro: the group of indicators wanted.
    pub zeek_type: Option<String>,
    /// attack: the galaxy counted.
    pub attack_galaxy: Option<String>,
}

/// A format, told the rows one by one. Bytes are appended to `out`, which the caller sends and clears.
pub trait AttributeFormat {
    /// What comes before the first row.
    fn begin(&mut self, _out: &mut Vec<u8>) {}

    /// How often it is told the rows: of each event, or of the whole search. More than once for a form whose
    /// order is not that of the rows.
    fn passes(&self) -> usize {
        1
    }

    /// How often the whole search is gone through, for a form of several sections.
    fn sections(&self) -> usize {
        1
    }

    /// A section, from 0, begins.
    fn begin_section(&mut self, _section: usize, _out: &mut Vec<u8>) {}

    /// An event begins, in a search for events: what follows is in it.
    fn event(&mut self, _event: &EventSummary<'_>, _tags: &[&str], _out: &mut Vec<u8>) {}

    /// A pass, from 0, begins.
    fn begin_pass(&mut self, _pass: usize, _out: &mut Vec<u8>) {}

    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>);

    /// All passes over an event are done, in a search for events.
    fn end_event(&mut self, _out: &mut Vec<u8>) {}

    /// Whether rows are to have the tags of their event.
    fn wants_event_tags(&self) -> bool {
        false
    }

    /// Whether rows are to say when they were seen.
    fn wants_sightings(&self) -> bool {
        false
    }

    /// What comes after the last row.
    fn end(&mut self, _out: &mut Vec<u8>) {}

    /// `Content-Type` of the answer.
    fn content_type(&self) -> &'static str {
        "text/plain; charset=UTF-8"
    }

    /// `X-Response-Format` of the answer, and the ending of a file.
    fn extension(&self) -> &'static str {
        "txt"
    }

    /// Only published events and attributes meant for detection, unless the client asks for more.
    fn restrictive(&self) -> bool {
        false
    }

    /// The attribute types it writes, `None` for all: the search need not read the others.
    fn types(&self) -> Option<&'static [&'static str]> {
        None
    }
}

/// The names `by_name` knows.
pub const NAMES: [&str; 21] = [
    "attack",
    "attack-sightings",
    "bro",
    "cache",
    "context",
    "context-markdown",
    "count",
    "csv",
    "hashes",
    "hosts",
    "kunai",
    "netfilter",
    "openioc",
    "rpz",
    "snort",
    "stix-json",
    "stix-xml",
    "suricata",
    "text",
    "yara",
    "yara-json",
];

/// The format a client named in `returnFormat`; `None` for one this crate does not write attribute by
/// attribute.
pub fn by_name(name: &str, options: &ExportOptions) -> Option<Box<dyn AttributeFormat + Send>> {
    Some(match name {
        "attack" => Box::new(context::Attack::new(options)),
        "attack-sightings" => Box::new(context::AttackSightings::new()),
        "bro" => Box::new(zeek::Zeek::new(options)),
        "cache" => Box::new(cache::Cache::new(options)),
        "context" => Box::new(context::Context::new(false)),
        "context-markdown" => Box::new(context::Context::new(true)),
        "count" => Box::new(count::Count::new(options)),
        "csv" => Box::new(csv::Csv::new(options)),
        "hashes" => Box::new(hashes::Hashes::default()),
        "hosts" => Box::new(hosts::Hosts::new(options)),
        "kunai" => Box::new(kunai::Kunai::new(options)),
        "netfilter" => Box::new(netfilter::Netfilter::new(options)),
        "openioc" => Box::new(openioc::OpenIoc::new(options)),
        "rpz" => Box::new(rpz::Rpz::new(options)),
        "snort" => Box::new(nids::Nids::new(nids::Engine::Snort, options)),
        "stix-xml" => Box::new(Stix1::new(Form::Xml, options)),
        "stix-json" => Box::new(Stix1::new(Form::Json, options)),
        "suricata" => Box::new(nids::Nids::new(nids::Engine::Suricata, options)),
        "text" => Box::new(text::Text::default()),
        "yara" => Box::new(yara::Yara::new(false, options)),
        "yara-json" => Box::new(yara::Yara::new(true, options)),
        _ => return None,
    })
}

/// Whether text may stand as a host name in a line of its own: no blanks, quotes or signs that a resolver
/// or shell would read.
fn is_host_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label.chars().all(|c| c.is_alphanumeric() || "-_".contains(c))
        })
}
