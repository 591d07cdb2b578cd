//! Who is written to, what he is told, and when: encryption, summaries, what keeps a publication from being told.

use crate::*;
use pisax_model::attribute::AttributeDraft;
use pisax_model::tag::TagDraft;
use pisax_service::attribute::{self, Twins};
use pisax_service::mail::digest::{self, Period};
use pisax_service::mail::outbox::{self, Way};
use pisax_service::{cryptographic_key, mail, proposal, setting, user_setting};
use pisax_store::mails::Mail;

const DAY: i64 = 86_400;

/// A clock that stands at this moment.
struct At(i64);

impl Clock for At {
    fn now_ms(&self) -> i64 {
        self.0 * 1000
    }
}

fn at(here: &mut Here, moment: i64) {
    here.service.clock = Arc::new(At(moment));
}

fn waiting(here: &Here) -> Vec<Mail> {
    mail::tell_alerts(&here.service).unwrap();
    here.service.read(&here.admin(), |r| Ok(r.mails(false, 100)?)).unwrap()
}

fn wants(here: &Here, actor: &Actor, draft: UserDraft) {
    user::edit(&here.service, &here.admin(), actor.user_id, draft).unwrap();
}

fn set(here: &Here, name: &str, value: &str) {
    setting::edit(&here.service, &here.admin(), name, value).unwrap();
}

fn tag(name: &str) -> TagDraft {
    TagDraft { name: name.into(), ..TagDraft::default() }
}

fn an_event(here: &Here, actor: &Actor, info: &str, distribution: i64, tags: &[&str]) -> i64 {
    let draft = EventDraft {
        info: Some(info.into()),
        distribution: Some(distribution),
        date: Some("2026-01-01".into()),
        tags: tags.iter().map(|name| tag(name)).collect(),
        ..EventDraft::default()
    };
    event::add(&here.service, actor, draft).unwrap().id
}

fn publish(here: &Here, actor: &Actor, id: i64) {
    mail::publish_and_alert(&here.service, actor, Ref::Id(id)).unwrap();
}

#[test]
fn a_summary_is_written_once_after_its_period_with_what_its_reader_sees() {
    let mut here = here();
    here.service.send_mail();
    let (owner, reader) = (here.member(here.org("One"), ORG_ADMIN), here.member(here.org("Other"), USER));
    wants(&here, &reader, UserDraft { notification_daily: Some(true), ..UserDraft::default() });
    let summaries = |here: &Here| {
        digest::send(&here.service).unwrap();
        digest::send(&here.service).unwrap();
        waiting(here)
    };
    assert!(summaries(&here).is_empty(), "he has only just asked");
    at(&mut here, NOW + 3600);
    for (info, distribution, tags) in
        [("Flood of Tuesday", 3, &["tlp:green"][..]), ("Nobody's business", 0, &[]), ("Other flood", 3, &[])]
    {
        let id = an_event(&here, &here.admin(), info, distribution, tags);
        publish(&here, &here.admin(), id);
    }
    an_event(&here, &owner, "Unfinished", 3, &[]);
    assert!(summaries(&here).is_empty(), "the day is not over");
    at(&mut here, NOW + DAY + 5);
    let mails = summaries(&here);
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].subject, "[ORGNAME MISP] Daily Notification - 2026-01-02");
    let body = &mails[0].body;
    assert!(body.contains("2026-01-01 (UTC)") && body.contains("that you see: 2"), "{body}");
    assert!(body.contains("Flood of Tuesday") && body.contains("Other flood"));
    assert!(!body.contains("business") && !body.contains("Unfinished"), "{body}");
    assert!(body.contains("1 (0)  tlp:green"), "{body}");
    at(&mut here, NOW + 2 * DAY + 5);
    assert_eq!(summaries(&here).len(), 1, "nothing was published: no mail");

    let wishes = r#"{"tags":["tlp:green"]}"#;
    user_setting::set(&here.service, &reader, reader.user_id, digest::SETTING, wishes).unwrap();
    for (info, tags) in [("Plain", &[][..]), ("Green", &["tlp:green"])] {
        let id = an_event(&here, &here.admin(), info, 3, tags);
        publish(&here, &here.admin(), id);
    }
    at(&mut here, NOW + 3 * DAY);
    let mails = summaries(&here);
    let body = &mails[1].body;
    assert!(mails.len() == 2 && body.contains("Green") && !body.contains("Plain"), "{body}");
    let wrong = user_setting::set(&here.service, &reader, reader.user_id, digest::SETTING, r#"{"x":1}"#);
    assert_eq!(field(wrong), "value");
    assert_eq!(digest::begin(Period::Daily, NOW), NOW);
}

#[test]
fn the_settings_keep_publications_from_being_told() {
    let mut here = here();
    here.service.send_mail();
    let admin = here.admin();
    wants(&here, &admin, UserDraft { autoalert: Some(true), ..UserDraft::default() });
    let id = an_event(&here, &admin, "e", 3, &[]);
    let mut seen = 0;
    let mut told = |here: &Here, id: i64| {
        publish(here, &admin, id);
        let before = std::mem::replace(&mut seen, waiting(here).len());
        seen - before
    };
    set(&here, "MISP.event_alert_republish_ban", "1");
    set(&here, "MISP.event_alert_republish_ban_threshold", "10");
    assert_eq!((told(&here, id), told(&here, id)), (1, 0), "a moment after the first time");
    at(&mut here, NOW + 9 * 60);
    assert_eq!(told(&here, id), 0);
    at(&mut here, NOW + 11 * 60);
    assert_eq!(told(&here, id), 1, "what was not told does not count");
    set(&here, "MISP.event_alert_republish_ban_refresh_on_retry", "1");
    at(&mut here, NOW + 20 * 60);
    assert_eq!(told(&here, id), 0);
    at(&mut here, NOW + 25 * 60);
    assert_eq!(told(&here, id), 0, "now it counts");
    set(&here, "MISP.event_alert_republish_ban", "0");

    let quiet = an_event(&here, &admin, "e", 3, &["Quiet"]);
    set(&here, "MISP.block_event_alert_tag", "quiet");
    assert_eq!(told(&here, quiet), 1, "off");
    set(&here, "MISP.block_event_alert", "1");
    assert_eq!((told(&here, quiet), told(&here, id)), (0, 1));

    set(&here, "MISP.block_old_event_alert", "1");
    at(&mut here, NOW + 40 * DAY);
    assert_eq!(told(&here, id), 0, "not changed for more than the preset of 30 days");
    set(&here, "MISP.block_old_event_alert_age", "41");
    assert_eq!(told(&here, id), 1);
    set(&here, "MISP.block_old_event_alert_by_date", "39");
    assert_eq!(told(&here, id), 0, "of 40 days ago");
    set(&here, "MISP.block_old_event_alert_by_date", "41");
    assert_eq!(told(&here, id), 1);
}

#[test]
fn subject_and_text_are_as_the_settings_say_and_news_has_stars() {
    let mut here = here();
    here.service.send_mail();
    let admin = here.admin();
    wants(&here, &admin, UserDraft { autoalert: Some(true), ..UserDraft::default() });
    let id = an_event(&here, &admin, "A title", 3, &["tlp:green", "PAP:RED", "tlpx:no"]);
    let add = |here: &Here, value: &str| {
        let draft = AttributeDraft {
            kind: Some("domain".into()),
            value: Some(value.into()),
            ..AttributeDraft::default()
        };
        attribute::add(&here.service, &admin, Ref::Id(id), vec![draft], Twins::Refuse).unwrap();
    };
    add(&here, "old.example");
    publish(&here, &admin, id);
    let last = |here: &Here| waiting(here).pop().unwrap();
    let first = last(&here);
    assert!(first.body.contains("old[.]example") && !first.body.contains('*'), "all is new: {}", first.body);
    assert_eq!(first.link, format!("https://pisax.example/events/view/{id}"));
    assert!(first.body.contains("https://pisax.example/users/edit"));
    at(&mut here, NOW + 60);
    add(&here, "new.example");
    publish(&here, &admin, id);
    let star = |mail: &Mail, value: &str| {
        mail.body.lines().any(|line| line.starts_with('*') && line.contains(value))
    };
    let second = last(&here);
    assert!(star(&second, "new[.]example") && !star(&second, "old[.]example"), "{}", second.body);
    assert!(second.subject.ends_with(" - Undefined - TLP:GREEN"), "{}", second.subject);

    set(&here, "MISP.extended_alert_subject", "1");
    set(&here, "MISP.threatlevel_in_email_subject", "0");
    set(&here, "MISP.email_subject_tag", "pap");
    set(&here, "MISP.email_subject_include_tag_name", "0");
    set(&here, "MISP.event_alert_metadata_only", "1");
    publish(&here, &admin, id);
    let mail = last(&here);
    assert_eq!(mail.subject, format!("[ORGNAME MISP] Event {id} - A title - RED"));
    assert!(mail.body.contains("A title") && !mail.body.contains("example/x") && !mail.body.contains("[.]"));
    set(&here, "MISP.email_subject_tag", "level");
    set(&here, "MISP.email_subject_TLP_string", "for members");
    publish(&here, &admin, id);
    assert!(last(&here).subject.ends_with(" - FOR MEMBERS"));
}

#[test]
fn a_mail_leaves_as_its_receivers_key_and_the_settings_say() {
    let here = here();
    here.service.send_mail();
    let (owner, reader) = (here.member(here.org("One"), ORG_ADMIN), here.member(here.org("Other"), USER));
    let (id, _) = here.seen_by_all(&owner, "a");
    let question = mail::Question { message: "Who?", creator_only: true, anonymous: true };
    mail::contact(&here.service, &reader, Ref::Id(id), question).unwrap();
    let mail = waiting(&here).pop().unwrap();
    assert_eq!(mail.reply_to, "");
    assert!(!mail.body.contains(&format!("u{}@", reader.user_id)) && !mail.body.contains("@member.test"));
    let way = |mail: &Mail| outbox::way(&here.service, mail).unwrap();
    assert!(matches!(way(&mail), Way::Open));
    set(&here, "GnuPG.bodyonlyencrypted", "1");
    let Way::Notice(text) = way(&mail) else { panic!("{:?}", way(&mail)) };
    assert!(text.contains(&mail.link) && !text.contains("Who?"));
    let password = Mail { link: String::new(), ..mail.clone() };
    assert!(matches!(way(&password), Way::Open), "it says nothing that is to be read elsewhere");
    set(&here, "GnuPG.onlyencrypted", "1");
    assert!(matches!(way(&mail), Way::Refused(why) if why.contains("no PGP key")));

    // What signs for the instance does not encrypt.
    let (_, signs) = cryptographic_key::public(&here.service).unwrap();
    for key in ["no key", signs.as_str()] {
        let draft = UserDraft { gpgkey: Some(key.into()), ..UserDraft::default() };
        assert_eq!(field(user::edit_self(&here.service, &owner, draft)), "gpgkey");
    }
    // What was a good key once.
    let damage = |w: &mut pisax_store::Writer<'_>| {
        let user = w.user(owner.user_id)?.unwrap();
        w.edit_user(&pisax_model::user::User { gpgkey: Some(signs.clone()), ..user })
    };
    here.service.store.write(&here.admin(), NOW * 1000, damage).unwrap();
    for only in ["1", "0"] {
        set(&here, "GnuPG.onlyencrypted", only);
        assert!(matches!(way(&mail), Way::Held(why) if why.contains("encrypts")), "never open");
    }
    outbox::held(&here.service, &mail, "no part encrypts").unwrap();
    assert_eq!(waiting(&here)[0].failure, "no part encrypts");
    let late = Mail { attempts: 8, ..mail };
    outbox::held(&here.service, &late, "no part encrypts").unwrap();
    assert!(waiting(&here).is_empty(), "given up in the end");
}

#[test]
fn owners_are_told_of_proposals_once_until_they_have_dealt_with_them() {
    let here = here();
    here.service.send_mail();
    let (owner, other) = (here.member(here.org("One"), ORG_ADMIN), here.member(here.org("Other"), USER));
    wants(&here, &owner, UserDraft { contactalert: Some(true), ..UserDraft::default() });
    let (id, _) = here.seen_by_all(&owner, "a");
    let propose = |value: &str| {
        let draft = AttributeDraft {
            kind: Some("text".into()),
            value: Some(value.into()),
            ..AttributeDraft::default()
        };
        proposal::add(&here.service, &other, Ref::Id(id), draft).unwrap().id
    };
    let first = propose("x");
    let second = propose("y");
    let mails = waiting(&here);
    assert_eq!((mails.len(), mails[0].user_id), (1, owner.user_id));
    assert!(mails[0].subject.starts_with(&format!("[ORGNAME MISP] Proposal to event #{id} (uuid: ")));
    for proposal in [first, second] {
        proposal::discard(&here.service, &owner, Ref::Id(proposal)).unwrap();
    }
    propose("z");
    assert_eq!(waiting(&here).len(), 2);
}
