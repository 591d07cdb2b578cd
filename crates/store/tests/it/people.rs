//! Organisations, roles, users, keys, sessions, sharing groups, blocklist.

use crate::tags::tag;
use crate::{NOW, Trial, event, filled_event, member, on_each_engine, org, user, uuid};
use pisax_model::ids::Ref;
use pisax_model::org::{OrgDraft, OrgRef};
use pisax_model::permission::Permission;
use pisax_model::sharing::{GroupServer, Member, SharingGroup};
use pisax_model::tag::Tag;
use pisax_model::user::AuthKey;
use pisax_store::Error;
use pisax_store::dashboards::Dashboard;
use pisax_store::sessions::Session;

fn named(name: &str) -> OrgDraft {
    OrgDraft { name: Some(name.into()), ..OrgDraft::default() }
}

#[test]
fn an_organisation_is_added_changed_found_and_removed() {
    on_each_engine("orgs", |t| {
        let draft = OrgDraft {
            description: Some("IXP Zürich".into()),
            sector: Some("Telecom".into()),
            restricted_to_domain: Some(vec!["ix.example".into(), "ix.test".into()]),
            ..named(" IX One ")
        };
        let id = t.write(|w| w.add_org(&draft, uuid(1), true));
        let found = t.read(|r| r.org_by_name("IX One")).unwrap();
        assert_eq!((found.id, found.uuid, found.date_created), (id, uuid(1), NOW));
        assert_eq!(found.restricted_to_domain, ["ix.example", "ix.test"]);
        t.write(|w| w.edit_org(id, &OrgDraft { nationality: Some("Switzerland".into()), ..named("IX Two") }));
        let changed = t.read(|r| r.org(Ref::Id(id))).unwrap();
        assert_eq!((changed.name.as_str(), changed.sector.as_str()), ("IX Two", "Telecom"));
        assert_eq!(changed.description.as_deref(), Some("IXP Zürich"));
        let search = |text: &str, local| t.read(|r| r.orgs(local, Some(text))).len();
        assert_eq!(
            [
                search("zurich", None),
                search("ZÜRICH", Some(true)),
                search("zurich", Some(false)),
                search("%", None)
            ],
            [1, 1, 0, 0]
        );
        assert_eq!(t.read(|r| r.org_names(&[id, 999]))[&id].name, "IX Two");
        t.write(|w| w.delete_org(id));
        assert!(t.read(|r| r.orgs(None, None)).is_empty());
    });
}

#[test]
fn texts_compare_alike_on_both_engines() {
    on_each_engine("fold", |t| {
        let pairs = [
            ("STRAẞE", "straße"),
            ("ΟΔΟΣ", "οδος"),
            ("İstanbul", "istanbul"),
            ("Ёлка", "ЕЛКА"),
            ("ÉCOLE", "école"),
        ];
        for (name, search) in pairs {
            t.write(|w| org(w, name));
            let found = t.read(|r| r.orgs(None, Some(search)));
            assert_eq!(found.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(), [name]);
        }
        assert!(t.read(|r| r.orgs(None, Some("Øl"))).is_empty());
    });
}

#[test]
fn a_name_or_uuid_that_is_taken_is_refused() {
    on_each_engine("taken", |t| {
        t.write(|w| w.add_org(&named("A"), uuid(1), true));
        let b = t.write(|w| w.add_org(&named("B"), uuid(2), true));
        let conflict = |e: Error| match e {
            Error::Conflict(field) => field,
            e => panic!("{e}"),
        };
        assert_eq!(conflict(t.refusal(|w| w.add_org(&named("A"), uuid(3), true))), "name");
        assert_eq!(conflict(t.refusal(|w| w.add_org(&named("C"), uuid(1), true))), "uuid");
        assert_eq!(conflict(t.refusal(|w| w.edit_org(b, &named("A")))), "name");
        t.write(|w| w.edit_org(b, &named("B")));
        assert!(matches!(t.refusal(|w| w.edit_org(77, &named("Z"))), Error::NotFound(_)));
    });
}

#[test]
fn an_organisation_with_users_or_events_stays() {
    on_each_engine("org_used", |t| {
        let (busy, owner) = t.write(|w| {
            w.seed_roles()?;
            let (busy, owner) = (org(w, "busy")?, org(w, "owner")?);
            w.add_user(&user("u@busy.example", busy, 3), "hash")?;
            w.insert_event(&event(owner, 0, 0))?;
            Ok((busy, owner))
        });
        assert!(matches!(t.refusal(|w| w.delete_org(busy)), Error::Conflict(_)));
        assert!(matches!(t.refusal(|w| w.delete_org(owner)), Error::Conflict(_)));
        let (kept, shown) = t.write(|w| Ok((org(w, "kept")?, org(w, "shown")?)));
        let tag = t.write(|w| w.add_tag(&Tag { org_id: kept, ..tag("for:them") }));
        let board = Dashboard {
            uuid: uuid(77),
            name: "Board".into(),
            user_id: 1,
            selectable: true,
            restrict_to_org_id: shown,
            ..Dashboard::default()
        };
        t.write(|w| w.put_dashboard(&board));
        let refused = |id| match t.refusal(|w| w.delete_org(id)) {
            Error::Conflict(what) => what,
            e => panic!("{e}"),
        };
        assert_eq!(refused(kept), "organisation (tags are kept for it)");
        assert_eq!(refused(shown), "organisation (dashboards are kept for it)");
        t.write(|w| w.delete_tag(tag));
        t.write(|w| w.delete_org(kept));
        assert_eq!(t.read(|r| r.org_user_count(busy)), 1);
        assert_eq!(t.read(|r| r.org_user_counts()).get(&owner), None);
    });
}

#[test]
fn an_unknown_organisation_of_a_peer_becomes_known_but_not_local() {
    on_each_engine("capture", |t| {
        let known = t.write(|w| w.add_org(&named("Known"), uuid(1), true));
        let capture = |uuid, name: Option<&str>, id| {
            t.write(|w| w.capture_org(&OrgRef { id, uuid, name: name.map(str::to_owned) }))
        };
        assert_eq!(capture(Some(uuid(1)), Some("Other name"), None), Some(known));
        assert_eq!(capture(None, Some("Known"), None), Some(known));
        assert_eq!(capture(None, None, Some(known)), Some(known));
        assert_eq!(capture(None, Some("Nobody"), None), None);
        assert_eq!(
            capture(Some(uuid(9)), None, Some(known)),
            None,
            "a number means nothing beside a foreign uuid"
        );
        let new = capture(Some(uuid(2)), Some("Peer"), None).unwrap();
        assert_eq!(capture(Some(uuid(2)), Some("Peer"), None), Some(new));
        assert!(!t.read(|r| r.org(Ref::Id(new))).unwrap().local);
        let twin = capture(Some(uuid(3)), Some("Known"), None).unwrap();
        assert!(t.read(|r| r.org(Ref::Id(twin))).unwrap().name.starts_with("Known_"));
    });
}

#[test]
fn the_stock_roles_have_the_numbers_and_rights_clients_expect() {
    on_each_engine("roles", |t| {
        t.write(|w| w.seed_roles());
        t.write(|w| w.seed_roles());
        let roles = t.read(|r| r.roles());
        let names: Vec<(i64, &str, i64)> =
            roles.iter().map(|r| (r.id, r.name.as_str(), r.permission)).collect();
        assert_eq!(
            names,
            [
                (1, "admin", 3),
                (2, "Org Admin", 3),
                (3, "User", 2),
                (4, "Publisher", 3),
                (5, "Sync user", 3),
                (6, "Read Only", 0)
            ]
        );
        let rights = |i: usize| -> Vec<&str> {
            Permission::ALL.iter().filter(|p| roles[i].permissions.has(**p)).map(|p| p.name()).collect()
        };
        assert_eq!(rights(0).len(), Permission::ALL.len() - 1);
        assert_eq!(
            rights(2),
            [
                "perm_add",
                "perm_modify",
                "perm_modify_org",
                "perm_audit",
                "perm_auth",
                "perm_tagger",
                "perm_sighting",
                "perm_decaying",
                "perm_galaxy_editor",
                "perm_analyst_data"
            ]
        );
        assert_eq!(rights(5), ["perm_audit", "perm_auth"]);
        assert_eq!(t.read(|r| r.default_role_id()), Some(3));
        t.write(|w| w.set_default_role(6));
        assert_eq!(t.read(|r| r.default_role_id()), Some(6));
        let mut role = roles[5].clone();
        role.name = "Guest".into();
        role.rate_limit_count = 5;
        t.write(|w| w.edit_role(&role));
        assert_eq!(t.read(|r| r.role(6)).unwrap().rate_limit_count, 5);
        assert_eq!(t.read(|r| r.default_role_id()), None, "it was written as not the default");
        assert!(matches!(t.refusal(|w| w.add_role(&role)), Error::Conflict("name")));
        t.write(|w| w.delete_role(6));
        assert!(matches!(t.refusal(|w| w.delete_role(6)), Error::NotFound(_)));
    });
}

fn with_user(t: &Trial) -> (i64, i64) {
    t.write(|w| {
        w.seed_roles()?;
        let org = org(w, "Org")?;
        Ok((org, w.add_user(&user(" Ana@Example.ORG ", org, 2), "argon2 hash")?))
    })
}

#[test]
fn a_user_is_known_by_his_address_in_any_case() {
    on_each_engine("users", |t| {
        let (org, id) = with_user(t);
        let mut found = t.read(|r| r.user_by_email("ANA@example.org")).unwrap();
        assert_eq!((found.id, found.email.as_str()), (id, "ana@example.org"));
        assert!(matches!(
            t.refusal(|w| w.add_user(&user("ana@EXAMPLE.org", org, 3), "x")),
            Error::Conflict("email")
        ));
        found.disabled = true;
        found.gpgkey = Some("-----BEGIN".into());
        t.write(|w| w.edit_user(&found));
        t.write(|w| w.set_password(id, "new hash"));
        t.write(|w| w.note_login(id));
        t.write(|w| w.note_api_access(id));
        let after = t.read(|r| r.user(id)).unwrap();
        assert!(after.disabled && after.notification_weekly);
        assert_eq!((after.last_pw_change, after.current_login, after.last_login), (Some(NOW), NOW, 0));
        assert_eq!(t.read(|r| r.password_hash(id)).as_deref(), Some("new hash"));
        assert_eq!(t.read(|r| r.users(Some(org), Some("ANA"))).len(), 1);
        assert_eq!(t.read(|r| r.users(Some(org + 1), None)).len(), 0);
        assert!(matches!(t.refusal(|w| w.delete_role(2)), Error::Conflict(_)));
    });
}

fn key(user_id: i64) -> AuthKey {
    AuthKey {
        id: 0,
        uuid: uuid(70),
        start: "abcd".into(),
        end: "wxyz".into(),
        created: 0,
        expiration: 0,
        read_only: true,
        user_id,
        comment: "sensor".into(),
        allowed_ips: vec!["192.0.2.0/24".into(), "2001:db8::1".into()],
        last_used: 0,
    }
}

#[test]
fn a_key_leads_to_its_owner_in_one_step() {
    on_each_engine("keys", |t| {
        let (org, user_id) = with_user(t);
        let id = t.write(|w| w.add_key(&key(user_id), &[7; 32]));
        assert_eq!(t.read(|r| r.key_by_hash(&[8; 32])), None);
        let owner = t.read(|r| r.key_by_hash(&[7; 32])).unwrap();
        assert_eq!(
            (owner.key.id, owner.user.id, owner.role.name.as_str(), owner.org.id),
            (id, user_id, "Org Admin", org)
        );
        assert_eq!(owner.key.allowed_ips, ["192.0.2.0/24", "2001:db8::1"]);
        assert_eq!(owner.key.created, NOW);
        let changed = AuthKey { comment: "tap".into(), read_only: false, allowed_ips: vec![], ..owner.key };
        t.write(|w| w.edit_key(&changed));
        t.write(|w| w.touch_key(id));
        let found = t.read(|r| r.key(Ref::Uuid(uuid(70)))).unwrap();
        assert_eq!(found, AuthKey { last_used: NOW, ..changed });
        assert_eq!(t.read(|r| r.keys(Some(user_id), None)).len(), 1);
        assert_eq!(t.read(|r| r.keys(None, Some(org + 1))).len(), 0);
        assert!(matches!(t.refusal(|w| w.add_key(&key(user_id), &[9; 32])), Error::Conflict("uuid")));
        t.write(|w| w.delete_key(id));
        assert!(matches!(t.refusal(|w| w.delete_key(id)), Error::NotFound(_)));
    });
}

#[test]
fn keys_and_sessions_go_with_their_user() {
    on_each_engine("sessions", |t| {
        let (_, user_id) = with_user(t);
        let session = |n: u8, last_seen| Session {
            hash: [n; 32],
            user_id,
            created: NOW,
            last_seen,
            expires: NOW + 100,
        };
        t.write(|w| {
            w.add_key(&key(user_id), &[7; 32])?;
            w.add_session(&session(1, NOW - 50))?;
            w.add_session(&session(2, NOW - 500))?;
            w.touch_session(&[1; 32])
        });
        let owner = t.read(|r| r.session_owner(&[1; 32])).unwrap();
        assert_eq!((owner.session, owner.user.id, owner.role.id), (session(1, NOW), user_id, 2));
        assert_eq!(t.write(|w| w.sweep_sessions(NOW - 100)), 1);
        assert_eq!(t.read(|r| r.session_owner(&[2; 32])), None);
        t.write(|w| w.delete_user(user_id));
        assert_eq!(t.read(|r| r.session_owner(&[1; 32])), None);
        assert_eq!(t.read(|r| r.key_by_hash(&[7; 32])), None);
        assert_eq!(t.read(|r| r.user_count()), 0);
    });
}

fn group(name: &str, number: u128, org_id: i64, members: &[i64], open: bool) -> SharingGroup {
    let member = |org_id: &i64| Member {
        id: 0,
        org_id: *org_id,
        org_name: String::new(),
        org_uuid: uuid(0),
        org_local: true,
        extend: false,
    };
    SharingGroup {
        id: 0,
        uuid: uuid(number),
        name: name.into(),
        releasability: "members".into(),
        description: String::new(),
        organisation_uuid: uuid(0),
        org_id,
        sync_user_id: 0,
        active: true,
        local: true,
        roaming: false,
        created: 0,
        modified: 0,
        members: members.iter().map(member).collect(),
        servers: if open { vec![GroupServer { id: 0, server_id: 0, all_orgs: true }] } else { vec![] },
    }
}

#[test]
fn a_sharing_group_is_visible_to_owner_members_and_when_open_to_all() {
    on_each_engine("groups", |t| {
        let (ids, closed, open) = t.write(|w| {
            let ids = [org(w, "owner")?, org(w, "member")?, org(w, "stranger")?];
            let closed = w.add_sharing_group(&group("closed", 1, ids[0], &[ids[1]], false))?;
            let open = w.add_sharing_group(&group("Open", 2, ids[0], &[], true))?;
            Ok((ids, closed, open))
        });
        let sees = |org_id: i64, group: i64| {
            t.store.read(&member(org_id), |r| {
                let visible = r.sharing_group(Ref::Id(group))?.is_some();
                assert_eq!(r.may_use_group(group)?, visible);
                assert_eq!(r.sharing_groups()?.iter().any(|g| g.id == group), visible);
                assert_eq!(r.sharing_groups_by_ids(&[group])?.contains_key(&group), visible);
                Ok::<_, Error>(visible)
            })
        };
        let matrix: Vec<[bool; 2]> =
            ids.iter().map(|id| [sees(*id, closed).unwrap(), sees(*id, open).unwrap()]).collect();
        assert_eq!(matrix, [[true, true], [true, true], [false, true]]);
        let found = t.read(|r| r.sharing_group_named("closed")).unwrap();
        assert_eq!(found.members.len(), 1);
        assert_eq!((found.members[0].org_name.as_str(), found.members[0].org_id), ("member", ids[1]));
        assert_eq!(t.read(|r| r.sharing_groups()).iter().map(|g| g.id).collect::<Vec<_>>(), [closed, open]);
        assert!(!t.read(|r| r.may_use_group(99)), "nobody uses a group that does not exist");
    });
}

#[test]
fn a_sharing_group_changes_its_members_and_stays_while_in_use() {
    on_each_engine("group_edit", |t| {
        let (ids, id) = t.write(|w| {
            let ids = [org(w, "a")?, org(w, "b")?, org(w, "c")?];
            Ok((ids, w.add_sharing_group(&group("g", 1, ids[0], &[ids[0], ids[1]], false))?))
        });
        let before = t.read(|r| r.sharing_group(Ref::Id(id))).unwrap();
        t.store
            .write(&crate::system(), crate::NOW_MS + 60_000, |w| {
                w.set_sharing_group_orgs(id, &[(ids[1], true), (ids[2], false)])
            })
            .unwrap();
        let after = t.read(|r| r.sharing_group(Ref::Uuid(uuid(1)))).unwrap();
        let members: Vec<(i64, bool)> = after.members.iter().map(|m| (m.org_id, m.extend)).collect();
        assert_eq!(members, [(ids[1], true), (ids[2], false)]);
        assert_eq!(after.members[0].id, before.members[1].id, "who stays keeps the row");
        assert_eq!(after.modified, NOW + 60);
        t.write(|w| w.set_sharing_group_orgs(id, &[]));
        t.write(|w| w.add_sharing_group_org(id, ids[0], true));
        assert!(!t.write(|w| w.remove_sharing_group_org(id, ids[2])));
        t.write(|w| w.add_sharing_group_server(id, 0, false));
        t.write(|w| w.set_sharing_group_servers(id, &[(0, true), (4, false)]));
        assert!(t.write(|w| w.remove_sharing_group_server(id, 4)));
        let now = t.read(|r| r.sharing_group(Ref::Id(id))).unwrap();
        assert_eq!((now.members.len(), now.servers.len(), now.servers[0].all_orgs), (1, 1, true));
        t.write(|w| w.edit_sharing_group(&SharingGroup { name: "h".into(), active: false, ..now.clone() }));
        assert!(!t.read(|r| r.sharing_group_named("h")).unwrap().active);
        assert!(matches!(
            t.refusal(|w| w.add_sharing_group(&group("h", 5, ids[0], &[], false))),
            Error::Conflict("name")
        ));
        assert!(matches!(
            t.refusal(|w| w.add_sharing_group(&group("i", 1, ids[0], &[], false))),
            Error::Conflict("uuid")
        ));
        let (event_id, _) = t.write(|w| filled_event(w, &event(ids[0], 4, id), &[]));
        assert!(matches!(t.refusal(|w| w.delete_sharing_group(id)), Error::Conflict(_)));
        t.write(|w| {
            let event = w.event(Ref::Id(event_id))?.expect("it was just added");
            w.remove_event(&event)
        });
        t.write(|w| w.delete_sharing_group(id));
        assert_eq!(t.read(|r| r.sharing_group(Ref::Id(id))), None);
        assert!(matches!(t.refusal(|w| w.delete_sharing_group(id)), Error::NotFound(_)));
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_blocked_event_is_known_by_its_uuid() {
    on_each_engine("blocklist", |t| {
        assert!(t.write(|w| w.block_event(uuid(1), "Phishing", "Org", "")));
        assert!(!t.write(|w| w.block_event(uuid(1), "again", "Org", "")));
        t.write(|w| w.block_event(uuid(2), "Malware", "Org", "ours"));
        let many: Vec<_> = (1..700).map(uuid).collect();
        assert_eq!(t.read(|r| r.blocked_among(&many)).len(), 2);
        assert!(t.read(|r| r.blocked_among(&[])).is_empty());
        let list = t.read(|r| r.event_blocklist());
        assert_eq!(
            (list[0].event_uuid, list[1].event_info.as_str(), list[1].created),
            (uuid(2), "Phishing", NOW)
        );
        assert_eq!(t.read(|r| r.blocked_event(Ref::Id(list[0].id))).as_ref(), Some(&list[0]));
        assert!(t.write(|w| w.unblock_event(&uuid(1))));
        assert!(!t.write(|w| w.unblock_event(&uuid(1))));
    });
}
