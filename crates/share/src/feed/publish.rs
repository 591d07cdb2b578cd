//! Feeds that are published from here, in MISP's form: `manifest.json`, `hashes.csv`, a file for each event and its
//! signature. A file changes as a whole or not at all; the manifest is the last one to change. Of events that are as
//! they were, the files stay.

use super::lines::hash;
use crate::Fault;
use crate::work::{End, Work};
use pisax_access::Actor;
use pisax_model::event::{Event, EventDraft};
use pisax_model::feed_run::ValueHash;
use pisax_model::filter::{Filter, Scope, Tri};
use pisax_model::ids::Ref;
use pisax_model::published_feed::PublishedFeed;
use pisax_model::transit::{self, Guard, Outgoing, Rules, Tlp};
use pisax_model::{AttributeType, Distribution, Uuid};
use pisax_service::Service;
use pisax_service::event::{Carried, carry};
use pisax_service::feed::published::audience;
use pisax_wire::feed_out::{write_feed_event, write_manifest_entry};
use pisax_wire::{JsonWriter, read_manifest};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Events looked at in one go.
const EVENTS: usize = 200;
/// Seconds after which every event is written anew: what changes besides events (members of a sharing group, the role
/// of the audience) changes nobody's timestamp.
const WHOLE: i64 = 24 * 3600;

/// Where the files of a feed are, below the data folder.
pub fn folder(data: &Path, feed_id: i64) -> PathBuf {
    data.join("published").join(feed_id.to_string())
}

fn system() -> Actor {
    Actor::system("publish a feed")
}

/// The job `publish_feed`: its input is the number of the feed, `whole` behind it where every event is to be written
/// anew.
pub(crate) fn perform(work: &Work) -> Result<End, Fault> {
    let service = &work.service;
    let (id, whole) = work.job.job_input.split_once(' ').unwrap_or((&work.job.job_input, ""));
    let id: i64 = id.parse().map_err(|_| Fault::Setup("the job names no feed".into()))?;
    let data = service.policy.data.as_ref();
    let data = data.ok_or_else(|| Fault::Setup("there is no folder for what is published".into()))?;
    let folder = folder(data, id);
    let Some(mut feed) = service.read(&system(), |r| Ok(r.published_feed(id)?))? else {
        // What nobody publishes any more does not lie around.
        match std::fs::remove_dir_all(&folder) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(disk(e)),
        }
        return Ok(End::Done("There is no such feed.".into()));
    };
    if !feed.enabled {
        return Ok(End::Done("The feed is not enabled.".into()));
    }
    let now = service.now();
    let anew = whole == "whole" || feed.revision != feed.published_revision || feed.whole_at + WHOLE <= now;
    let done = publish(work, &feed, &folder, anew);
    match &done {
        Ok(written) => {
            feed.published_revision = feed.revision;
            (feed.events, feed.attributes) = (written.events, written.hashes);
            feed.error = String::new();
            if anew {
                feed.whole_at = now;
            }
        }
        Err(Fault::Stopped) => return Err(Fault::Stopped),
        Err(fault) => feed.error = fault.to_string(),
    }
    feed.published_at = now;
    service.note_published_feed(&feed)?;
    let written = done?;
    Ok(End::Done(format!(
        "{} events published, {} of them written anew, {} left out.",
        written.events, written.anew, written.left_out
    )))
}

#[derive(Default)]
struct Written {
    events: i64,
    hashes: i64,
    anew: i64,
    left_out: i64,
}

/// An event as it was published before.
struct Before {
    timestamp: i64,
    publish_timestamp: i64,
    json: String,
}

fn publish(work: &Work, feed: &PublishedFeed, folder: &Path, anew: bool) -> Result<Written, Fault> {
    let service = &*work.service;
    std::fs::create_dir_all(folder).map_err(disk)?;
    let reader = audience(service, feed)?.ok_or_else(|| {
        Fault::Setup("the user with whose eyes the feed is read is gone or disabled".into())
    })?;
    let ids = service.read(&reader, |r| Ok(r.find(Scope::Events, &filter(service, feed)?)?));
    let ids = ids?;
    let mut before = if anew { FxHashMap::default() } else { before(folder) };
    let guard = guard(feed);
    let mut manifest = Fresh::begin(folder, "manifest.json")?;
    let mut hashes = Fresh::begin(folder, "hashes.csv")?;
    let (mut kept, mut published) = (FxHashSet::default(), FxHashSet::default());
    let mut written = Written::default();
    manifest.write(b"{")?;
    for (at, chunk) in ids.chunks(EVENTS).enumerate() {
        let percent = (at * EVENTS * 95 / ids.len().max(1)) as i64;
        work.tell(percent, &format!("Event {} of {}.", at * EVENTS, ids.len()))?;
        let events = service.read(&reader, |r| Ok(r.events_by_ids(chunk)?))?;
        for event in events.iter().filter(|event| event.published) {
            work.go_on()?;
            let entry = match before.remove(&event.uuid).filter(|before| before.is(event, folder, feed)) {
                Some(before) => {
                    kept.insert(event.uuid);
                    before.json
                }
                None => match outgoing(service, &reader, &guard, event)? {
                    Some(draft) => {
                        let anew = write_event(service, feed, folder, event.uuid, &draft)?;
                        written.anew += i64::from(anew);
                        written.hashes += write_hashes(&mut hashes, event.uuid, &draft)?;
                        let mut json = Vec::new();
                        write_manifest_entry(&mut JsonWriter::new(&mut json), &draft);
                        String::from_utf8_lossy(&json).into_owned()
                    }
                    None => {
                        written.left_out += 1;
                        continue;
                    }
                },
            };
            let comma = if written.events > 0 { "," } else { "" };
            manifest.write(format!("{comma}\n\"{}\":{entry}", event.uuid).as_bytes())?;
            published.insert(event.uuid);
            written.events += 1;
        }
    }
    manifest.write(b"\n}\n")?;
    written.hashes += copy_hashes(folder, &kept, &mut hashes)?;
    hashes.put()?;
    manifest.put()?;
    sweep(folder, &published, feed.signed)?;
    Ok(written)
}

fn filter(service: &Service, feed: &PublishedFeed) -> pisax_service::Result<Filter> {
    let published = [("published".to_owned(), "1".to_owned())];
    let search = pisax_wire::read_search(Scope::Events, feed.filter.as_bytes(), &published, service.now());
    let mut filter = search
        .map_err(|e| pisax_service::Error::Refused(format!("the filter of the feed cannot be read: {e:?}")))?
        .filter;
    // What is not published is nobody's.
    filter.published = Tri::Only(true);
    Ok(filter)
}

/// What leaves by a feed: for everybody, what everybody may have.
fn guard(feed: &PublishedFeed) -> Guard {
    if feed.user_id > 0 {
        return Guard::default();
    }
    Guard {
        ceiling: (!feed.any_tlp).then_some(Tlp::Clear),
        blocked_distributions: vec![
            Distribution::Organisation,
            Distribution::Community,
            Distribution::Connected,
            Distribution::SharingGroup,
        ],
        ..Guard::default()
    }
}

/// The event as the feed holds it; none: nothing of it leaves.
fn outgoing(
    service: &Service,
    reader: &Actor,
    guard: &Guard,
    event: &Event,
) -> Result<Option<EventDraft>, Fault> {
    let what = Carried { attachments: true, tombstones: false };
    let Some(carried) = carry(service, reader, Ref::Id(event.id), what)? else { return Ok(None) };
    let link = Outgoing {
        // The distribution is what it says here: who fetches decides on his own.
        internal: true,
        rules: &Rules::default(),
        guard,
        // The reader sees the group.
        admits: &|_| true,
        with_reports: true,
        unpublish: false,
    };
    let Ok(passed) = transit::outgoing(carried.draft, &link) else { return Ok(None) };
    let mut draft = passed.event;
    draft.tags.retain(|tag| tag.local != Some(true));
    let inside = draft.objects.iter_mut().flat_map(|object| &mut object.attributes);
    for attribute in draft.attributes.iter_mut().chain(inside) {
        attribute.tags.retain(|tag| tag.local != Some(true));
    }
    (draft.locked, draft.protected) = (None, None);
    draft.keys = Vec::new();
    Ok(Some(draft))
}

/// The manifest of the last time. One that cannot be read was none.
fn before(folder: &Path) -> FxHashMap<Uuid, Before> {
    let mut all = FxHashMap::default();
    let Ok(file) = File::open(folder.join("manifest.json")) else { return all };
    let read = read_manifest(file, |listed| {
        if let Some(uuid) = listed.uuid {
            let (timestamp, publish_timestamp) = (listed.timestamp, listed.publish_timestamp);
            all.insert(uuid, Before { timestamp, publish_timestamp, json: listed.json });
        }
        Ok(())
    });
    if read.is_ok() { all } else { FxHashMap::default() }
}

impl Before {
    /// Whether the event is as it was, and its files are there.
    fn is(&self, event: &Event, folder: &Path, feed: &PublishedFeed) -> bool {
        // In the second of the last publication more may have happened after it.
        event.timestamp.max(event.publish_timestamp) < feed.published_at
            && self.timestamp == event.timestamp
            && self.publish_timestamp == event.publish_timestamp
            && folder.join(format!("{}.json", event.uuid)).is_file()
            && (!feed.signed || folder.join(format!("{}.asc", event.uuid)).is_file())
    }
}

/// Writes the file of an event, and its signature. `false`: it was the same.
fn write_event(
    service: &Service,
    feed: &PublishedFeed,
    folder: &Path,
    uuid: Uuid,
    draft: &EventDraft,
) -> Result<bool, Fault> {
    let mut json = Vec::new();
    write_feed_event(&mut JsonWriter::new(&mut json), draft);
    let name = format!("{uuid}.json");
    // Rewriting what is the same would change its date, and have everybody fetch it again.
    let same = std::fs::read(folder.join(&name)).is_ok_and(|there| there == json);
    if !same {
        let mut file = Fresh::begin(folder, &name)?;
        file.write(&json)?;
        file.put()?;
    }
    let beside = format!("{uuid}.asc");
    if feed.signed && !(same && folder.join(&beside).is_file()) {
        let mut file = Fresh::begin(folder, &beside)?;
        file.write(service.sign_file(&json)?.as_bytes())?;
        file.put()?;
    }
    Ok(!same)
}

/// The MD5 of each value, of each half where there are two, as MISP's generators publish them.
fn write_hashes(file: &mut Fresh, uuid: Uuid, draft: &EventDraft) -> Result<i64, Fault> {
    let mut all: Vec<ValueHash> = Vec::new();
    let inside = draft.objects.iter().flat_map(|object| &object.attributes);
    for attribute in draft.attributes.iter().chain(inside) {
        let kind = attribute.kind.as_deref().and_then(AttributeType::parse);
        let (Some(kind), Some(value)) = (kind, attribute.value.as_deref()) else { continue };
        match value.split_once('|').filter(|_| kind.is_composite()) {
            Some((first, second)) => {
                all.push(hash(first));
                if !kind.primary_only() {
                    all.push(hash(second));
                }
            }
            None => all.push(hash(value)),
        }
    }
    all.sort_unstable();
    all.dedup();
    for hash in &all {
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        file.write(format!("{hex},{uuid}\n").as_bytes())?;
    }
    Ok(all.len() as i64)
}

/// The hashes of events that are as they were.
fn copy_hashes(folder: &Path, kept: &FxHashSet<Uuid>, into: &mut Fresh) -> Result<i64, Fault> {
    let mut count = 0;
    if kept.is_empty() {
        return Ok(count);
    }
    for line in BufReader::new(File::open(folder.join("hashes.csv")).map_err(disk)?).lines() {
        let line = line.map_err(disk)?;
        if pisax_wire::read_hash_line(&line).is_some_and(|(_, uuid)| kept.contains(&uuid)) {
            into.write(line.as_bytes())?;
            into.write(b"\n")?;
            count += 1;
        }
    }
    Ok(count)
}

/// Removes what is not in the feed any more.
fn sweep(folder: &Path, published: &FxHashSet<Uuid>, signed: bool) -> Result<(), Fault> {
    for entry in std::fs::read_dir(folder).map_err(disk)? {
        let path = entry.map_err(disk)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let stays = match name.rsplit_once('.') {
            Some((_, "tmp")) => false,
            Some((stem, "json")) => {
                Uuid::try_parse(stem).map_or(stem == "manifest", |u| published.contains(&u))
            }
            Some((stem, "asc")) => signed && Uuid::try_parse(stem).is_ok_and(|u| published.contains(&u)),
            _ => name == "hashes.csv",
        };
        if !stays {
            std::fs::remove_file(&path).map_err(disk)?;
        }
    }
    Ok(())
}

/// A file while it is written; it takes its place as a whole.
struct Fresh {
    file: BufWriter<File>,
    at: PathBuf,
    to: PathBuf,
}

impl Fresh {
    fn begin(folder: &Path, name: &str) -> Result<Self, Fault> {
        let at = folder.join(format!("{name}.tmp"));
        let file = BufWriter::new(File::create(&at).map_err(disk)?);
        Ok(Self { file, at, to: folder.join(name) })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.file.write_all(bytes).map_err(disk)
    }

    fn put(self) -> Result<(), Fault> {
        let file = self.file.into_inner().map_err(|e| disk(e.into_error()))?;
        file.sync_all().map_err(disk)?;
        std::fs::rename(&self.at, &self.to).map_err(disk)
    }
}

fn disk(error: io::Error) -> Fault {
    Fault::Setup(format!("the feed cannot be written: {error}"))
}
