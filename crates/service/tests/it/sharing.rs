//! Feeds, servers, settings, protected events: who may do what, and what is refused.

use crate::*;
use pisax_auth::openpgp::{PublicKey, SecretKey, signed_text};
use pisax_model::cryptographic_key::{CryptographicKeyDraft, Proof};
use pisax_model::feed::FeedDraft;
use pisax_model::server::ServerDraft;
use pisax_service::{cryptographic_key, feed, job, server, setting};
use pisax_store::feeds::FeedFilter;

fn feed_draft(url: &str) -> FeedDraft {
    FeedDraft {
        name: Some("A feed".into()),
        provider: Some("Somebody".into()),
        url: Some(url.into()),
        ..FeedDraft::default()
    }
}

fn server_draft(org: i64) -> ServerDraft {
    ServerDraft {
        url: Some("https://there.example".into()),
        authkey: Some("k".repeat(40)),
        remote_org: Some(Ref::Id(org)),
        ..ServerDraft::default()
    }
}

#[test]
fn site_admins_alone_define_feeds_and_servers() {
    let here = here();
    let s = &here.service;
    let plain = here.member(here.service.policy.host_org_id, ORG_ADMIN);
    let id = feed::add(s, &here.admin(), feed_draft("https://a.example")).unwrap().id;
    let org = here.org("There");
    let connected = server::add(s, &here.admin(), server_draft(org)).unwrap();
    assert_eq!(connected.name, "https://there.example", "a server without a name is called by its address");
    fn forbidden<T>(result: Result<T, Error>) -> bool {
        matches!(result, Err(Error::Forbidden))
    }
    assert!(forbidden(feed::add(s, &plain, feed_draft("https://b.example"))));
    assert!(forbidden(feed::edit(s, &plain, id, FeedDraft::default())));
    assert!(forbidden(feed::delete(s, &plain, id)));
    assert!(forbidden(feed::toggle(s, &plain, &[id], true, false)));
    assert!(forbidden(feed::import(s, &plain, Vec::new())));
    assert!(forbidden(feed::load_defaults(s, &plain)));
    assert!(forbidden(feed::queue_caching(s, &plain, "all")));
    assert!(forbidden(server::add(s, &plain, server_draft(org))));
    assert!(forbidden(server::edit(s, &plain, connected.id, ServerDraft::default())));
    assert!(forbidden(server::delete(s, &plain, connected.id)));
    assert!(forbidden(job::clear(s, &plain, false)));
    assert!(forbidden(setting::edit(s, &plain, "MISP.live", "0")));
    assert_eq!(feed::list(s, &plain, &FeedFilter::default()).unwrap().len(), 1, "his organisation runs it");
}

#[test]
fn a_feed_is_shared_with_a_group_one_may_use() {
    let here = here();
    let to =
        |group| FeedDraft { distribution: Some(4), sharing_group: group, ..feed_draft("https://a.example") };
    for group in [None, Some(Ref::Id(0)), Some(Ref::Id(99))] {
        assert_eq!(field(feed::add(&here.service, &here.admin(), to(group))), "sharing_group_id");
    }
}

#[test]
fn internal_is_what_the_same_organisation_runs() {
    let here = here();
    let add = |org| {
        let draft = ServerDraft { internal: Some(true), ..server_draft(org) };
        server::add(&here.service, &here.admin(), draft).unwrap().internal
    };
    assert!(add(here.service.policy.host_org_id));
    assert!(!add(here.org("Others")));
}

#[test]
fn an_import_adds_what_is_new_and_right() {
    let here = here();
    let drafts = ["https://a.example", "https://b.example", "https://a.example", "nothing"].map(feed_draft);
    let done = feed::import(&here.service, &here.admin(), drafts.to_vec()).unwrap();
    assert_eq!((done.added, done.refused), (2, 2));
    let again = feed::import(&here.service, &here.admin(), drafts.to_vec()).unwrap();
    assert_eq!((again.added, again.refused), (0, 4));
    let first = feed::load_defaults(&here.service, &here.admin()).unwrap();
    assert!(first > 10);
    assert_eq!(feed::load_defaults(&here.service, &here.admin()).unwrap(), 0);
}

#[test]
fn every_setting_takes_what_it_shows() {
    let here = here();
    for one in setting::all() {
        let text = match one.value(&here.service) {
            setting::Value::Flag(on) => i64::from(on).to_string(),
            setting::Value::Number(number) => number.to_string(),
            setting::Value::Text(text) => text,
        };
        setting::edit(&here.service, &here.admin(), one.name, &text).unwrap();
        assert!(!one.description.is_empty());
        if one.is_fixed() {
            let changed = setting::edit(&here.service, &here.admin(), one.name, "another value");
            assert_eq!(field(changed), "value", "{}", one.name);
        }
    }
    assert_eq!(here.service.settings(), setting::Settings::default());
}

#[test]
fn what_one_sees_is_published_on_request_once_that_is_switched_on() {
    let here = here();
    let owner = here.member(here.org("Own"), pisax_publisher());
    let (id, _) = here.seen_by_all(&owner, "x");
    let send = |actor: &Actor| event::send(&here.service, actor, Ref::Id(id));
    assert!(matches!(send(&owner), Err(Error::Refused(_))));
    setting::edit(&here.service, &here.admin(), "Plugin.ZeroMQ_enable", "1").unwrap();
    assert_eq!(send(&owner).unwrap(), id);
    assert!(matches!(send(&here.member(here.org("Other"), USER)), Err(Error::Forbidden)));
}

/// The stock role Publisher.
fn pisax_publisher() -> i64 {
    4
}

#[test]
fn the_instance_signs_with_one_key() {
    let here = here();
    let (fingerprint, armour) = cryptographic_key::public(&here.service).unwrap();
    let key = PublicKey::parse(&armour).unwrap();
    assert_eq!(key.fingerprint(), fingerprint);
    let signature = cryptographic_key::sign(&here.service, b"a b").unwrap();
    assert!(key.verifies(b"ab", &signature));
    assert_eq!(cryptographic_key::public(&here.service).unwrap().0, fingerprint);
}

#[test]
fn a_protected_event_comes_from_others_signed_or_not_at_all() {
    let here = here();
    let sync = here.member(here.org("Peer"), SYNC);
    let (theirs, another) =
        (SecretKey::generate("theirs", NOW).unwrap(), SecretKey::generate("x", NOW).unwrap());
    let key = CryptographicKeyDraft { key_data: Some(theirs.public_armour().unwrap()), ..Default::default() };
    let draft = |proof: Option<&SecretKey>| EventDraft {
        info: Some("From elsewhere".into()),
        protected: Some(true),
        locked: Some(true),
        keys: vec![key.clone()],
        proof: proof.map(|secret| Proof {
            text: b"the text".to_vec(),
            signature: secret.sign(&signed_text(b"the text")).unwrap(),
        }),
        ..EventDraft::default()
    };
    let add = |actor: &Actor, proof| event::add(&here.service, actor, draft(proof)).map(|a| a.id);
    assert!(matches!(add(&sync, None), Err(Error::NotSigned(_))));
    assert!(matches!(add(&sync, Some(&another)), Err(Error::NotSigned(_))));
    let id = add(&sync, Some(&theirs)).unwrap();
    assert_eq!(cryptographic_key::list(&here.service, &sync, Ref::Id(id)).unwrap().len(), 1);
    assert!(add(&here.admin(), None).is_ok(), "a site admin answers for himself");
    assert!(add(&here.member(here.org("Users"), USER), None).is_ok(), "so does who makes an event here");

    let edit = |proof| event::edit(&here.service, &sync, Ref::Id(id), draft(proof));
    assert!(matches!(edit(None), Err(Error::NotSigned(_))));
    assert!(edit(Some(&theirs)).is_ok());
    let stored = cryptographic_key::list(&here.service, &sync, Ref::Id(id)).unwrap().remove(0);
    cryptographic_key::revoke(&here.service, &sync, Ref::Id(stored.id)).unwrap();
    assert!(matches!(edit(Some(&theirs)), Err(Error::NotSigned(_))), "the key is revoked");
}
