//! The form of a connection: /servers/add, /servers/edit/{id} and /servers/delete/{id}.

use axum::response::Response;
use http::StatusCode;
use pisax_model::ids::Ref;
use pisax_model::org::OrgRef;
use pisax_model::server::{Server, ServerDraft};
use pisax_model::transit::{Choice as Chosen, Rules};
use pisax_model::{AttributeType, FieldError, Uuid};
use pisax_service::{Error, peer, server as service};
use pisax_share::terms;

use super::failure::Failure;
use super::fields::Fields;
use super::notice::Notice;
use super::reply;
use super::server_page::server;
use super::visit::Visit;
use crate::server_form::RuleTexts;
use crate::server_page::disconnecting;
use crate::{Area, Choice, Errors, ServerForm, links, words};

type Answer = Result<Response, Failure>;

/// GET /servers/add
pub(crate) fn new(visit: &Visit<'_>) -> Answer {
    let form = ServerForm { chrome: visit.chrome(Area::Servers), ..ServerForm::default() };
    again(visit, form, Vec::new(), StatusCode::OK)
}

/// POST /servers/add
pub(crate) fn add(visit: &Visit<'_>) -> Answer {
    let bare = ServerForm { chrome: visit.chrome(Area::Servers), ..ServerForm::default() };
    let form = typed(visit, bare);
    let files = Files::of(&visit.form);
    let added = files.check().and_then(|()| {
        let draft = draft(visit, &form)?;
        if draft.remote_org.is_some() {
            return service::add(visit.service(), visit.actor(), draft);
        }
        service::import(visit.service(), visit.actor(), draft, &named_org(&form)?)
    });
    match added {
        Ok(server) => {
            files.keep(visit, server.id)?;
            Ok(Notice::ServerAdded.on(reply::redirect(&links::server(server.id)), visit.pages))
        }
        Err(Error::Invalid(wrong)) => again(visit, form, wrong, StatusCode::UNPROCESSABLE_ENTITY),
        Err(other) => Err(other.into()),
    }
}

/// GET /servers/edit/{id}
pub(crate) fn change(visit: &Visit<'_>) -> Answer {
    let server = server(visit)?;
    let mut wrong = Vec::new();
    let mut rules = |field, read: Result<Rules, pisax_share::Fault>| match read {
        Ok(rules) => texts(&rules),
        Err(fault) => {
            wrong.push(FieldError::new(field, words::sentence(&fault.to_string())));
            RuleTexts::default()
        }
    };
    let pull_rules = rules("pull_rules", terms::pull_rules(&server));
    let push_rules = rules("push_rules", terms::push_rules(visit.service(), visit.actor(), &server));
    let files = visit.service().server_files(server.id)?;
    let form = ServerForm {
        name: server.name.clone(),
        url: server.url.clone(),
        remote_org_id: server.remote_org_id.to_string(),
        pull: server.pull,
        pull_galaxy_clusters: server.pull_galaxy_clusters,
        pull_analyst_data: server.pull_analyst_data,
        push: server.push,
        push_sightings: server.push_sightings,
        push_galaxy_clusters: server.push_galaxy_clusters,
        push_analyst_data: server.push_analyst_data,
        internal: server.internal,
        unpublish_event: server.unpublish_event,
        publish_without_email: server.publish_without_email,
        self_signed: server.self_signed,
        skip_proxy: server.skip_proxy,
        pull_rules,
        push_rules,
        authority: files.authority.map(|pem| String::from_utf8_lossy(&pem).into_owned()).unwrap_or_default(),
        ..bare(visit, &server)?
    };
    again(visit, form, wrong, StatusCode::OK)
}

/// POST /servers/edit/{id}
pub(crate) fn edit(visit: &Visit<'_>) -> Answer {
    let server = server(visit)?;
    let form = typed(visit, bare(visit, &server)?);
    let files = Files::of(&visit.form);
    let edited = files.check().and_then(|()| {
        let draft = draft(visit, &form)?;
        service::edit(visit.service(), visit.actor(), server.id, draft)
    });
    match edited {
        Ok(_) => {
            files.keep(visit, server.id)?;
            Ok(Notice::ServerSaved.on(reply::redirect(&links::server(server.id)), visit.pages))
        }
        Err(Error::Invalid(wrong)) => again(visit, form, wrong, StatusCode::UNPROCESSABLE_ENTITY),
        Err(other) => Err(other.into()),
    }
}

/// POST /servers/delete/{id}
pub(crate) fn delete(visit: &Visit<'_>) -> Answer {
    service::delete(visit.service(), visit.actor(), visit.number()?)?;
    Ok(Notice::ServerDeleted.on(reply::redirect(links::SERVERS), visit.pages))
}

/// What the form of a connection has that nobody types.
fn bare(visit: &Visit<'_>, server: &Server) -> Result<ServerForm, Failure> {
    Ok(ServerForm {
        chrome: visit.chrome(Area::Servers),
        id: Some(server.id),
        has_identity: visit.service().server_files(server.id)?.identity.is_some(),
        delete: Some(disconnecting(server.id, &server.name)),
        ..ServerForm::default()
    })
}

/// The form as it was filled in; secrets are typed anew.
fn typed(visit: &Visit<'_>, form: ServerForm) -> ServerForm {
    let fields = &visit.form;
    let text = |name: &str| fields.get(name).trim().to_owned();
    let rules = |way: &str| {
        let lines = |name: &str| fields.lines(&format!("{way}_{name}"));
        RuleTexts {
            tags: lines("tags"),
            not_tags: lines("not_tags"),
            orgs: lines("orgs"),
            not_orgs: lines("not_orgs"),
            types: lines("types"),
            templates: lines("templates"),
            url_params: lines("url_params"),
        }
    };
    ServerForm {
        name: text("name"),
        url: text("url"),
        remote_org_id: text("remote_org_id"),
        org_name: text("org_name"),
        org_uuid: text("org_uuid"),
        pull: fields.ticked("pull"),
        pull_galaxy_clusters: fields.ticked("pull_galaxy_clusters"),
        pull_analyst_data: fields.ticked("pull_analyst_data"),
        push: fields.ticked("push"),
        push_sightings: fields.ticked("push_sightings"),
        push_galaxy_clusters: fields.ticked("push_galaxy_clusters"),
        push_analyst_data: fields.ticked("push_analyst_data"),
        internal: fields.ticked("internal"),
        unpublish_event: fields.ticked("unpublish_event"),
        publish_without_email: fields.ticked("publish_without_email"),
        self_signed: fields.ticked("self_signed"),
        skip_proxy: fields.ticked("skip_proxy"),
        pull_rules: rules("pull"),
        push_rules: rules("push"),
        authority: fields.lines("cert"),
        ..form
    }
}

/// What the form asks for; the key is empty where it stays.
fn draft(visit: &Visit<'_>, form: &ServerForm) -> Result<ServerDraft, Error> {
    let pull_rules = terms::written_pull_rules(&rules("pull_rules", &form.pull_rules)?)?;
    let push_rules = rules("push_rules", &form.push_rules)?;
    let push_rules = terms::written_push_rules(visit.service(), visit.actor(), push_rules)?;
    let key = visit.form.get("authkey").trim().to_owned();
    Ok(ServerDraft {
        name: Some(form.name.clone()),
        url: Some(form.url.clone()),
        authkey: Some(key),
        remote_org: Ref::parse(&form.remote_org_id),
        push: Some(form.push),
        pull: Some(form.pull),
        push_sightings: Some(form.push_sightings),
        push_galaxy_clusters: Some(form.push_galaxy_clusters),
        push_analyst_data: Some(form.push_analyst_data),
        pull_analyst_data: Some(form.pull_analyst_data),
        pull_galaxy_clusters: Some(form.pull_galaxy_clusters),
        publish_without_email: Some(form.publish_without_email),
        unpublish_event: Some(form.unpublish_event),
        self_signed: Some(form.self_signed),
        pull_rules: Some(pull_rules),
        push_rules: Some(push_rules),
        internal: Some(form.internal),
        skip_proxy: Some(form.skip_proxy),
        ..ServerDraft::default()
    })
}

/// The organisation that is not known here yet.
fn named_org(form: &ServerForm) -> Result<OrgRef, Error> {
    let wrong = |message: &str| Error::from(FieldError::new("Organisation", message));
    if form.org_name.is_empty() {
        return Err(wrong("Choose who runs the server, or name the organisation."));
    }
    let uuid = Uuid::try_parse(&form.org_uuid)
        .map_err(|_| wrong("Give the UUID that the organisation has on its own server."))?;
    Ok(OrgRef { id: None, uuid: Some(uuid), name: Some(form.org_name.clone()) })
}

/// Rules as they were typed.
fn rules(field: &'static str, texts: &RuleTexts) -> Result<Rules, Error> {
    let list = |text: &str| -> Vec<String> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let wrong = |message: String| Error::from(FieldError::new(field, message));
    let refused_types = list(&texts.types);
    if let Some(name) = refused_types.iter().find(|name| AttributeType::parse(name).is_none()) {
        return Err(wrong(format!("There is no attribute type {name}.")));
    }
    let refused_templates = list(&texts.templates);
    if let Some(text) = refused_templates.iter().find(|text| Uuid::try_parse(text).is_err()) {
        return Err(wrong(format!("{text} is no UUID of a template.")));
    }
    Ok(Rules {
        tags: Chosen { or: list(&texts.tags), not: list(&texts.not_tags) },
        orgs: Chosen { or: list(&texts.orgs), not: list(&texts.not_orgs) },
        refused_types,
        refused_templates,
        url_params: texts.url_params.trim().to_owned(),
    })
}

fn texts(rules: &Rules) -> RuleTexts {
    RuleTexts {
        tags: rules.tags.or.join("\n"),
        not_tags: rules.tags.not.join("\n"),
        orgs: rules.orgs.or.join("\n"),
        not_orgs: rules.orgs.not.join("\n"),
        types: rules.refused_types.join("\n"),
        templates: rules.refused_templates.join("\n"),
        url_params: rules.url_params.clone(),
    }
}

/// The PEM texts of a form; none stays as it is, an empty one is taken off.
struct Files {
    authority: String,
    identity: Option<String>,
}

impl Files {
    fn of(form: &Fields) -> Self {
        let identity = form.lines("client_cert").trim().to_owned();
        Self {
            authority: form.lines("cert").trim().to_owned(),
            identity: if form.ticked("remove_client_cert") {
                Some(String::new())
            } else {
                Some(identity).filter(|pem| !pem.is_empty())
            },
        }
    }

    fn check(&self) -> Result<(), Error> {
        peer::check_files(Some(&self.authority), self.identity.as_deref())
    }

    /// Writes down what is another than before.
    fn keep(&self, visit: &Visit<'_>, id: i64) -> Result<(), Error> {
        let kept = visit.service().server_files(id)?.authority.unwrap_or_default();
        let authority = Some(self.authority.as_str()).filter(|pem| pem.as_bytes() != kept);
        if authority.is_none() && self.identity.is_none() {
            return Ok(());
        }
        peer::set_files(visit.service(), visit.actor(), id, authority, self.identity.as_deref())
    }
}

/// The form with what is wrong in it, if anything is.
fn again(visit: &Visit<'_>, form: ServerForm, wrong: Vec<FieldError>, status: StatusCode) -> Answer {
    let orgs = visit.service().read(visit.actor(), |r| Ok(r.orgs(None, None)?))?;
    let mut orgs: Vec<Choice> =
        orgs.into_iter().map(|org| Choice::new(org.id.to_string(), org.name)).collect();
    orgs.sort_by_key(|choice| choice.label.to_lowercase());
    let errors: Errors = wrong.into_iter().map(|e| (e.field.to_owned(), said(e.field, e.message))).collect();
    reply::page(status, &ServerForm { orgs, errors, ..form })
}

/// MISP's messages, where they do not say what to do.
fn said(field: &str, message: String) -> String {
    match field {
        "url" => "Give the address with https:// in front, without a path.".to_owned(),
        "authkey" => "A key has 40 letters and digits: copy it once more.".to_owned(),
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_survive_the_form() {
        let typed = RuleTexts {
            tags: "tlp:green\n\n tlp:clear ".to_owned(),
            types: "sha256".to_owned(),
            ..RuleTexts::default()
        };
        let read = rules("pull_rules", &typed).unwrap();
        assert_eq!(read.tags.or, ["tlp:green", "tlp:clear"]);
        assert_eq!(texts(&read).tags, "tlp:green\ntlp:clear");
        assert!(matches!(rules("pull_rules", &RuleTexts { types: "sha-256x".into(), ..typed.clone() }),
            Err(Error::Invalid(wrong)) if wrong[0].message.contains("sha-256x")));
        assert!(rules("push_rules", &RuleTexts { templates: "file".into(), ..typed }).is_err());
    }

    #[test]
    fn a_client_certificate_stays_unless_another_is_typed_or_it_is_taken_off() {
        let files = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            Files::of(&Fields::new(pairs)).identity
        };
        assert_eq!(files(&[("client_cert", " ")]), None);
        assert_eq!(files(&[("client_cert", "PEM")]).as_deref(), Some("PEM"));
        assert_eq!(files(&[("remove_client_cert", "1")]).as_deref(), Some(""));
    }
}
