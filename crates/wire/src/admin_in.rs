//! Tags, organisations, users and sharing groups as administrators send them.

use crate::ReadError;
use crate::context_in::{OrgRefRecord, seconds};
use crate::record::{
    Record, Shape, clearable, flag, integer, list, one, read_one, reference, row, skip, text, texts, uuid,
    uuid_or_nothing, word,
};
use pisax_model::org::OrgDraft;
use pisax_model::sharing::{MemberDraft, ServerDraft, SharingGroupDraft};
use pisax_model::user::UserDraft;
use serde::de::MapAccess;

/// A tag as `tags/add` and `tags/edit` are sent it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TagIn {
    pub name: Option<String>,
    pub colour: Option<String>,
    pub exportable: Option<bool>,
    /// Only this organisation may attach it; 0: any.
    pub org_id: Option<i64>,
    pub user_id: Option<i64>,
    pub hide_tag: Option<bool>,
    /// `Some(None)`: sent as null or empty, which clears it.
    pub numerical_value: Option<Option<i64>>,
    pub local_only: Option<bool>,
}

/// Reads what `tags/add` and `tags/edit` are sent.
pub fn read_tag(body: &[u8]) -> Result<TagIn, ReadError> {
    read_one::<Wrapped<TagInRecord>>("Tag", body)
}

/// Reads what `admin/organisations/add` and `edit` are sent.
pub fn read_org(body: &[u8]) -> Result<OrgDraft, ReadError> {
    read_one::<Wrapped<OrgRecord>>("Organisation", body)
}

/// Reads what `admin/users/add`, `edit`, `users/edit` and `users/change_pw` are sent.
pub fn read_user(body: &[u8]) -> Result<UserDraft, ReadError> {
    read_one::<Wrapped<UserRecord>>("User", body)
}

/// Reads what `sharing_groups/add` and `edit` are sent: the lists of organisations and servers may stand in
/// the group or beside it.
pub fn read_sharing_group(body: &[u8]) -> Result<SharingGroupDraft, ReadError> {
    read_one::<SharingGroupRecord>("SharingGroup", body)
}

/// A record that may be wrapped in its own name or in `request`.
struct Wrapped<R: Record> {
    bare: R,
    wrapped: Vec<R::Draft>,
}

impl<R: Record> Default for Wrapped<R> {
    fn default() -> Self {
        Self { bare: R::default(), wrapped: Vec::new() }
    }
}

/// The name of the wrapper around a record.
trait Named: Record {
    const NAME: &'static str;
}

impl<R: Named> Record for Wrapped<R> {
    type Draft = R::Draft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if key == R::NAME || key == "request" {
            return list::<Self, A>(map, &mut self.wrapped).map(|_| ());
        }
        self.bare.member(key, map)
    }

    fn finish(mut self, out: &mut Vec<Self::Draft>) -> Shape {
        if !self.wrapped.is_empty() {
            let shape = if self.wrapped.len() > 1 { Shape::List } else { Shape::One };
            out.append(&mut self.wrapped);
            return shape;
        }
        self.bare.finish(out)
    }
}

#[derive(Default)]
struct TagInRecord(TagIn);

impl Named for TagInRecord {
    const NAME: &'static str = "Tag";
}

impl Record for TagInRecord {
    type Draft = TagIn;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let tag = &mut self.0;
        match key {
            "name" => text("name", map, &mut tag.name),
            "colour" => text("colour", map, &mut tag.colour),
            "exportable" => flag("exportable", map, &mut tag.exportable),
            "org_id" => integer("org_id", map, &mut tag.org_id),
            "user_id" => integer("user_id", map, &mut tag.user_id),
            "hide_tag" => flag("hide_tag", map, &mut tag.hide_tag),
            "numerical_value" => {
                let mut number = None;
                integer("numerical_value", map, &mut number)?;
                tag.numerical_value = Some(number);
                Ok(())
            }
            "local_only" => flag("local_only", map, &mut tag.local_only),
            _ => skip(map),
        }
    }

    fn finish(self, out: &mut Vec<TagIn>) -> Shape {
        out.push(self.0);
        Shape::One
    }
}

#[derive(Default)]
struct OrgRecord(OrgDraft);

impl Named for OrgRecord {
    const NAME: &'static str = "Organisation";
}

impl Record for OrgRecord {
    type Draft = OrgDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let org = &mut self.0;
        match key {
            "uuid" => uuid("uuid", map, &mut org.uuid, &mut org.bad_uuid),
            "name" => text("name", map, &mut org.name),
            "description" => text("description", map, &mut org.description),
            "type" => text("type", map, &mut org.kind),
            "nationality" => text("nationality", map, &mut org.nationality),
            "sector" => text("sector", map, &mut org.sector),
            "contacts" => text("contacts", map, &mut org.contacts),
            "local" => flag("local", map, &mut org.local),
            "restricted_to_domain" => {
                // The form sends one domain per line, the API a list.
                if let Some(domains) = texts(map)? {
                    let domains = domains.iter().flat_map(|text| text.split(['\n', ',']));
                    let domains = domains.map(|d| d.trim().to_owned()).filter(|d| !d.is_empty());
                    org.restricted_to_domain = Some(domains.collect());
                }
                Ok(())
            }
            "landingpage" => text("landingpage", map, &mut org.landingpage),
            _ => skip(map),
        }
    }

    fn finish(self, out: &mut Vec<OrgDraft>) -> Shape {
        out.push(self.0);
        Shape::One
    }
}

#[derive(Default)]
struct UserRecord(UserDraft);

impl Named for UserRecord {
    const NAME: &'static str = "User";
}

impl Record for UserRecord {
    type Draft = UserDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let user = &mut self.0;
        match key {
            "email" => text("email", map, &mut user.email),
            "org_id" => row(map, &mut user.org_id),
            "role_id" => row(map, &mut user.role_id),
            "password" => text("password", map, &mut user.password),
            "autoalert" => flag("autoalert", map, &mut user.autoalert),
            "contactalert" => flag("contactalert", map, &mut user.contactalert),
            "disabled" => flag("disabled", map, &mut user.disabled),
            "change_pw" => flag("change_pw", map, &mut user.change_pw),
            "termsaccepted" => flag("termsaccepted", map, &mut user.termsaccepted),
            "gpgkey" => text("gpgkey", map, &mut user.gpgkey),
            "certif_public" => text("certif_public", map, &mut user.certif_public),
            "nids_sid" => integer("nids_sid", map, &mut user.nids_sid),
            "expiration" => clearable("expiration", map, &mut user.expiration),
            "notification_daily" => flag("notification_daily", map, &mut user.notification_daily),
            "notification_weekly" => flag("notification_weekly", map, &mut user.notification_weekly),
            "notification_monthly" => flag("notification_monthly", map, &mut user.notification_monthly),
            _ => skip(map),
        }
    }

    fn finish(self, out: &mut Vec<UserDraft>) -> Shape {
        out.push(self.0);
        Shape::One
    }
}

/// A sharing group, sent alone or along with an event.
#[derive(Default)]
pub(crate) struct SharingGroupRecord {
    draft: SharingGroupDraft,
    wrapped: Vec<SharingGroupDraft>,
}

impl Record for SharingGroupRecord {
    type Draft = SharingGroupDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let group = &mut self.draft;
        match key {
            "SharingGroup" | "request" => list::<Self, A>(map, &mut self.wrapped).map(|_| ()),
            "uuid" => uuid("uuid", map, &mut group.uuid, &mut group.bad_uuid),
            "name" => text("name", map, &mut group.name),
            "releasability" => text("releasability", map, &mut group.releasability),
            "description" => text("description", map, &mut group.description),
            "active" => flag("active", map, &mut group.active),
            "roaming" => flag("roaming", map, &mut group.roaming),
            "Organisation" => {
                group.organisation = one::<OrgRefRecord, A>(map)?.or(group.organisation.take());
                Ok(())
            }
            "modified" => {
                let mut moment = None;
                text("modified", map, &mut moment)?;
                group.modified = moment.and_then(|m| seconds(&m)).or(group.modified);
                Ok(())
            }
            "organisation_uuid" => uuid_or_nothing("organisation_uuid", map, &mut group.organisation_uuid),
            "SharingGroupOrg" => list::<MemberRecord, A>(map, group.orgs.get_or_insert_default()).map(|_| ()),
            "SharingGroupServer" => {
                list::<ServerRecord, A>(map, group.servers.get_or_insert_default()).map(|_| ())
            }
            _ => skip(map),
        }
    }

    fn finish(mut self, out: &mut Vec<SharingGroupDraft>) -> Shape {
        if let [only] = self.wrapped.as_mut_slice() {
            only.orgs = only.orgs.take().or(self.draft.orgs.take());
            only.servers = only.servers.take().or(self.draft.servers.take());
        }
        if !self.wrapped.is_empty() {
            let shape = if self.wrapped.len() > 1 { Shape::List } else { Shape::One };
            out.append(&mut self.wrapped);
            return shape;
        }
        out.push(self.draft);
        Shape::One
    }
}

/// A group that came along whole with something else: known by its uuid, or not at all.
pub(crate) fn whole_group<'de, A: MapAccess<'de>>(
    map: &mut A,
    into: &mut Option<Box<SharingGroupDraft>>,
) -> Result<(), A::Error> {
    let group = one::<SharingGroupRecord, A>(map)?.filter(|group| group.uuid.is_some());
    *into = group.map(Box::new).or(into.take());
    Ok(())
}

#[derive(Default)]
struct MemberRecord(MemberDraft);

impl Record for MemberRecord {
    type Draft = MemberDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let member = &mut self.0;
        match key {
            "org_id" | "org_uuid" => reference("org_id", map, &mut member.org),
            "uuid" => uuid_or_nothing("uuid", map, &mut member.org_ref.uuid),
            "name" => text("name", map, &mut member.org_ref.name),
            "extend" => {
                let mut extend = None;
                flag("extend", map, &mut extend)?;
                member.extend = extend.unwrap_or(false);
                Ok(())
            }
            "Organisation" => {
                if let Some(org) = one::<OrgRefRecord, A>(map)? {
                    member.org_ref = org;
                }
                Ok(())
            }
            _ => skip(map),
        }
    }

    fn finish(self, out: &mut Vec<MemberDraft>) -> Shape {
        out.push(self.0);
        Shape::One
    }
}

#[derive(Default)]
struct ServerRecord(ServerDraft);

impl Record for ServerRecord {
    type Draft = ServerDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "server_id" => {
                let mut server = None;
                row(map, &mut server)?;
                self.0.server_id = server.unwrap_or(0);
                Ok(())
            }
            "all_orgs" => {
                let mut all = None;
                flag("all_orgs", map, &mut all)?;
                self.0.all_orgs = all.unwrap_or(false);
                Ok(())
            }
            "name" => word("name", map, &mut self.0.name),
            "url" => word("url", map, &mut self.0.url),
            "Server" => {
                if let Some(server) = one::<Self, A>(map)? {
                    self.0.name = server.name.or(self.0.name.take());
                    self.0.url = server.url.or(self.0.url.take());
                }
                Ok(())
            }
            _ => skip(map),
        }
    }

    fn finish(self, out: &mut Vec<ServerDraft>) -> Shape {
        out.push(self.0);
        Shape::One
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pisax_model::ids::Ref;

    #[test]
    fn a_tag_is_read_bare_or_wrapped() {
        let json = r##"{"name":"tlp:x","colour":"#112233","exportable":"0","hide_tag":0,"numerical_value":"7","org_id":"0"}"##;
        for json in
            [json.to_owned(), format!(r#"{{"Tag":{json}}}"#), format!(r#"{{"request":{{"Tag":{json}}}}}"#)]
        {
            let tag = read_tag(json.as_bytes()).unwrap();
            assert_eq!(tag.name.as_deref(), Some("tlp:x"));
            assert_eq!((tag.exportable, tag.hide_tag, tag.org_id), (Some(false), Some(false), Some(0)));
            assert_eq!(tag.numerical_value, Some(Some(7)));
        }
        assert_eq!(read_tag(br#"{"numerical_value":""}"#).unwrap().numerical_value, Some(None));
    }

    #[test]
    fn an_organisation_and_a_user_are_read() {
        let org = read_org(br#"{"Organisation":{"name":"O","type":"CSIRT","local":"1","restricted_to_domain":["a.example","b.example"]}}"#)
            .unwrap();
        assert_eq!(
            (org.name.as_deref(), org.kind.as_deref(), org.local),
            (Some("O"), Some("CSIRT"), Some(true))
        );
        assert_eq!(org.restricted_to_domain.unwrap(), ["a.example", "b.example"]);
        let lines = read_org(br#"{"restricted_to_domain":"a.example\nb.example"}"#).unwrap();
        assert_eq!(lines.restricted_to_domain.unwrap().len(), 2);
        let user = read_user(
            br#"{"email":"golden@example.org","org_id":"2","role_id":3,"disabled":false,"expiration":null}"#,
        )
        .unwrap();
        assert_eq!((user.org_id, user.role_id, user.disabled), (Some(2), Some(3), Some(false)));
        assert_eq!(user.expiration, Some(None));
    }

    #[test]
    fn the_lists_of_a_sharing_group_stand_in_it_or_beside_it() {
        for json in [
            r#"{"name":"G","SharingGroupOrg":[{"org_id":"2","extend":1}],"SharingGroupServer":[{"server_id":"0","all_orgs":true}]}"#,
            r#"{"SharingGroup":{"name":"G"},"SharingGroupOrg":{"0":{"org_id":2,"extend":"1"}},"SharingGroupServer":[{"server_id":0,"all_orgs":"1"}]}"#,
        ] {
            let group = read_sharing_group(json.as_bytes()).unwrap();
            let member = &group.orgs.as_ref().unwrap()[0];
            assert_eq!((member.org, member.extend), (Some(Ref::Id(2)), true));
            assert_eq!(group.servers.unwrap(), [ServerDraft { all_orgs: true, ..ServerDraft::default() }]);
        }
        assert_eq!(read_sharing_group(br#"{"name":"G"}"#).unwrap().orgs, None);
    }
}
