//! Publishing to NATS JetStream: a reader of the change log with a cursor in the database, moved on when the stream
//! has acknowledged.
//!
//! Each change is published twice: whole, as the system sees it, under its kind (`pisax.attribute`), for consumers
//! who may read everything; and as its audience sees it, under `pisax.audience.…`, for the others. What comes again
//! after a crash has the same `Nats-Msg-Id`, by which the stream leaves it out.

use super::audience;
use super::cursor;
use super::messages::{self, Message, Wanted};
use crate::failure::Failure;
use async_nats::jetstream::{self, Context, message::PublishMessage, stream};
use async_nats::{Client, ConnectOptions};
use bytes::Bytes;
use pisax_access::Actor;
use pisax_model::stream::Kind;
use pisax_service::Service;
use pisax_service::setting::Nats;
use pisax_store::streams::Place;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::watch::Receiver;

/// How long a commit is waited for before the change log is looked at all the same.
const LOOK: Duration = Duration::from_secs(1);
/// How long a server may take to let us in, and to acknowledge.
const CONNECT: Duration = Duration::from_secs(5);
const ACKNOWLEDGE: Duration = Duration::from_secs(10);
/// The wait after something failed, twice as long each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A stream that we make keeps messages for so long, and knows one that comes again for so long.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
const KNOWN: Duration = Duration::from_secs(3600);
/// What headers may take of the largest message a server accepts.
const HEADERS: usize = 1024;
/// The cursor's name.
const CURSOR: &str = "nats";

/// What goes to one subject.
struct Post {
    /// After the prefix.
    subject: String,
    id: String,
    message: Message,
}

/// A connection, with what it was made from.
struct Open {
    settings: Nats,
    client: Client,
    stream: Context,
    place: Place,
}

/// Publishes until the server stops, whenever there is an address to publish to.
pub async fn publish(service: Arc<Service>, permits: Arc<Semaphore>, mut stopping: Receiver<bool>) {
    let commits = service.store.commits().clone();
    let mut open = None;
    let mut wait = FIRST_WAIT;
    let mut off = false;
    loop {
        let mark = commits.mark();
        let turn = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            turn = turn(&service, &permits, &mut open, &mut off) => turn,
        };
        let pause = match turn {
            Ok(true) => continue,
            Ok(false) => {
                wait = FIRST_WAIT;
                None
            }
            Err(reason) => {
                tracing::warn!(reason, "publishing to NATS failed for now");
                open = None;
                wait = (wait * 2).min(LONGEST_WAIT);
                Some(wait)
            }
        };
        let next = async {
            match pause {
                Some(wait) => tokio::time::sleep(wait).await,
                // Over when it was long enough without a commit.
                None => drop(tokio::time::timeout(LOOK, commits.after(mark)).await),
            }
        };
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = next => {}
        }
    }
}

/// Runs on the blocking pool; what fails is told in words.
async fn on_pool<T: Send + 'static>(
    permits: &Arc<Semaphore>,
    f: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, String> {
    let done = crate::serve::on_pool(Arc::clone(permits), f).await;
    done.and_then(|done| done).map_err(|failure| format!("{failure:?}"))
}

/// Publishes what there is; returns whether there may be more.
async fn turn(
    service: &Arc<Service>,
    permits: &Arc<Semaphore>,
    open: &mut Option<Open>,
    off: &mut bool,
) -> Result<bool, String> {
    let settings = {
        let (service, off) = (Arc::clone(service), *off);
        let look = move || {
            let settings = service.settings().nats;
            if settings.url.is_empty() && !off {
                // Whoever switches it on again hears of what changes from then on.
                cursor::forget(&service, CURSOR)?;
            }
            Ok(settings)
        };
        on_pool(permits, look).await?
    };
    *off = settings.url.is_empty();
    if *off {
        *open = None;
        return Ok(false);
    }
    if open.as_ref().is_some_and(|open| open.settings != settings) {
        *open = None;
    }
    let open = match open {
        Some(open) => open,
        None => {
            let began = {
                let service = Arc::clone(service);
                on_pool(permits, move || cursor::begin(&service, CURSOR)).await?
            };
            open.insert(connect(settings, began.0).await?)
        }
    };
    let (posts, place, more) = {
        let (service, from, kinds) = (Arc::clone(service), open.place, open.settings.kinds);
        on_pool(permits, move || posts(&service, from, kinds)).await?
    };
    let most = open.client.server_info().max_payload.saturating_sub(HEADERS);
    let mut sent = Ok(());
    let mut reached = open.place;
    for post in posts {
        let at = post.message.place;
        sent = send(open, post, most).await;
        if sent.is_err() {
            break;
        }
        // Whatever else is about this message comes again, and is known.
        reached = reached.max(Place { seq: at.seq - 1, part: i64::MAX });
    }
    if sent.is_ok() {
        reached = place;
    }
    if reached > open.place {
        let reached = if reached.part == i64::MAX { Place::after(reached.seq) } else { reached };
        let service = Arc::clone(service);
        on_pool(permits, move || cursor::set(&service, CURSOR, reached)).await?;
        open.place = reached;
    }
    sent.map(|()| more)
}

/// What is to be published about what changed after a place.
fn posts(
    service: &Service,
    from: Place,
    kinds: pisax_model::stream::Kinds,
) -> Result<(Vec<Post>, Place, bool), Failure> {
    /// Changes whose messages are held at a time.
    const HELD: usize = 50;
    let system = Actor::system("publish to NATS");
    let wanted = Wanted { kinds, attachments: false, pushed: false };
    let changes = messages::changes(service, from)?;
    let (mut posts, mut place, mut bytes) = (Vec::new(), from, 0);
    let instance = service.policy.instance_uuid;
    let mut seen = 0;
    for change in &changes {
        if seen >= HELD || bytes > messages::HELD {
            break;
        }
        seen += 1;
        let audience = audience::of(service, change)?;
        let mut add = |message: Message, subject: String| {
            if message.place > from {
                bytes += message.json.len();
                let id = format!("{instance}/{}/{subject}", message.place);
                posts.push(Post { subject, id, message });
            }
        };
        for message in messages::about(service, &system, change, wanted) {
            let subject = message.kind.name().to_owned();
            add(message, subject);
        }
        if let Some(audience) = audience {
            for message in messages::about(service, &audience.reader, change, wanted) {
                add(message, format!("audience.{}", audience.subject));
            }
        }
        place = place.max(Place::after(change.seq));
    }
    Ok((posts, place, seen < changes.len() || changes.len() as i64 == messages::CHANGES))
}

async fn connect(settings: Nats, place: Place) -> Result<Open, String> {
    let mut options = ConnectOptions::new()
        .name("PISAX")
        .connection_timeout(CONNECT)
        .request_timeout(Some(ACKNOWLEDGE))
        .require_tls(settings.tls || settings.url.starts_with("tls://"))
        // Who comes back is this loop: it knows how far it was.
        .max_reconnects(Some(1));
    if !settings.token.is_empty() {
        options = options.token(settings.token.to_string());
    } else if !settings.username.is_empty() {
        options = options.user_and_password(settings.username.to_string(), settings.password.to_string());
    }
    if !settings.credentials_file.is_empty() {
        let read = options.credentials_file(&*settings.credentials_file).await;
        options = read.map_err(|e| format!("PISAX.nats_credentials_file: {e}"))?;
    }
    if !settings.authority_file.is_empty() {
        options = options.add_root_certificates(settings.authority_file.to_string().into());
    }
    let client = options.connect(&*settings.url).await.map_err(|e| e.to_string())?;
    let stream = jetstream::new(client.clone());
    let config = stream::Config {
        name: settings.stream.to_string(),
        subjects: vec![format!("{}.>", settings.prefix)],
        max_age: KEPT,
        duplicate_window: KNOWN,
        ..stream::Config::default()
    };
    stream.get_or_create_stream(config).await.map_err(|e| format!("the stream {}: {e}", settings.stream))?;
    tracing::info!(stream = &*settings.stream, "publishing to NATS");
    Ok(Open { settings, client, stream, place })
}

/// Publishes one message, and returns when the stream has it.
async fn send(open: &Open, post: Post, most: usize) -> Result<(), String> {
    let Post { subject, id, message } = post;
    let place = message.place;
    let json = if message.json.len() > most { too_large(&message) } else { message.json };
    let publish = PublishMessage::build()
        .payload(Bytes::from(json))
        .message_id(id)
        .header("Pisax-Kind", message.kind.name())
        .header("Pisax-Sequence", place.to_string().as_str());
    let subject = format!("{}.{subject}", open.settings.prefix);
    let sent = open.stream.send_publish(subject, publish).await.map_err(|e| e.to_string())?;
    let acknowledged = tokio::time::timeout(ACKNOWLEDGE, sent.into_future()).await;
    acknowledged.map_err(|_| "no acknowledgement in time".to_owned())?.map_err(|e| e.to_string())?;
    Ok(())
}

/// What is said of an event that the server would not take whole: which one it is, to be fetched.
fn too_large(message: &Message) -> Vec<u8> {
    let action = if message.kind == Kind::Publish { "publish" } else { "edit" };
    format!("{{\"Event\":{{\"id\":\"{}\"}},\"action\":\"{action}\",\"too_large\":true}}", message.event_id)
        .into_bytes()
}
