//! `/communities/…`: public sharing communities that one may ask to join.

use crate::answer::Answer;
use crate::compat::MISP_VERSION;
use crate::failure::Failure;
use crate::reply::{document, flag_member, list, member, number_member};
use crate::request::{Request, flag, text};
use pisax_model::ids::Ref;
use pisax_wire::JsonWriter;

/// A community, as the MISP project's public list has it; descriptions are our own.
struct Community {
    name: &'static str,
    uuid: &'static str,
    org_uuid: &'static str,
    org_name: &'static str,
    description: &'static str,
    url: &'static str,
    sector: &'static str,
    nationality: &'static str,
    kind: &'static str,
    email: &'static str,
    vetted: bool,
    scope: &'static str,
}

const INDICATORS: &str = "Indicators, reports and their context: who attacks whom, how, and with what.";

/// Clients know the first ones by their place.
const COMMUNITIES: &[Community] = &[
    Community {
        name: "CIRCL Private Sector Information Sharing Community - aka MISPPRIV",
        uuid: "3ab3a65a-0171-401a-9895-8d42bc7bed7c",
        org_uuid: "55f6ea5e-2c60-40e5-964f-47a8950d210f",
        org_name: "CIRCL",
        description: "The community of Luxembourg's CIRCL for companies, banks and security firms, with more than a thousand member organisations of many countries.",
        url: "https://www.circl.lu/misp/",
        sector: "Various",
        nationality: "International",
        kind: "Vetted Information Sharing Community",
        email: "info@circl.lu",
        vetted: true,
        scope: INDICATORS,
    },
    Community {
        name: "CIRCL n/g CSIRT information sharing community - aka MISP",
        uuid: "6201a65a-38fa-4b4a-bea7-cf1fb7bc1563",
        org_uuid: "55f6ea5e-2c60-40e5-964f-47a8950d210f",
        org_name: "CIRCL",
        description: "For national and governmental CSIRTs of the European Economic Area.",
        url: "https://www.circl.lu/misp/",
        sector: "n/g CSIRTs in EEA",
        nationality: "International",
        kind: "Vetted Information Sharing Community",
        email: "info@circl.lu",
        vetted: true,
        scope: INDICATORS,
    },
    Community {
        name: "CIRCL financial information sharing community - aka Financial Sector MISP sharing groups",
        uuid: "79e28013-747a-4430-b7ba-ed92d053b221",
        org_uuid: "55f6e5ae-2c60-40e5-964f-47a8950d210f",
        org_name: "CIRCL",
        description: "For banks, payment processors and other financial institutions.",
        url: "https://www.circl.lu/misp/",
        sector: "Financial sector including banks, financial institutions and payment processing organisations",
        nationality: "International",
        kind: "Vetted Information Sharing Community",
        email: "info@circl.lu",
        vetted: true,
        scope: "Financial fraud.",
    },
    Community {
        name: "X-ISAC sharing community",
        uuid: "bded6aa2-c05d-4266-aee5-23541784fed7",
        org_uuid: "5a4e34f1-06b8-4a45-9bdc-4fbe950d2111",
        org_name: "X-ISAC",
        description: "For ISACs and CSIRT networks: what one sector sees and others should know of.",
        url: "https://www.x-isac.org/",
        sector: "ISACs and ISAOs",
        nationality: "International",
        kind: "ISAC",
        email: "info@circl.lu",
        vetted: true,
        scope: INDICATORS,
    },
    Community {
        name: "PISAX -  pan-European Information Sharing and Analysis Center (ISAC) to IXPs and GRXs",
        uuid: "1c8793f0-5f91-4213-84b1-a038692a3e5c",
        org_uuid: "5ebd3e6c-b97c-4e3b-868a-4ebc02de0b81",
        org_name: "PISAX.org",
        description: "For Internet exchange points and GPRS roaming exchanges of Europe.",
        url: "https://misp.pisax.org/",
        sector: "IXPs/GRXs",
        nationality: "International",
        kind: "Vetted Information Sharing Community",
        email: "",
        vetted: true,
        scope: "Whatever concerns the security of exchange points.",
    },
    Community {
        name: "FIRST MISP Community",
        uuid: "b252a185-f84e-4632-a929-34d02872c97a",
        org_uuid: "",
        org_name: "FIRST",
        description: "For the members of FIRST, the forum of incident response teams.",
        url: "https://www.first.org/global/sigs/information-sharing/misp",
        sector: "undefined",
        nationality: "International",
        kind: "Vetted Information Sharing Community",
        email: "",
        vetted: true,
        scope: INDICATORS,
    },
    Community {
        name: "ICS-CSIRT.io",
        uuid: "d02ef5aa-0fc8-4654-846d-c22f751108be",
        org_uuid: "019e8d5f-83da-4d59-982d-e94cdcc7dbc7",
        org_name: "ICS-CSIRT.io",
        description: "Of volunteers, on the security of industrial control systems.",
        url: "https://misp.ics-csirt.io/",
        sector: "Industry",
        nationality: "International",
        kind: "Information Sharing Community",
        email: "info@ics-csirt.io",
        vetted: false,
        scope: INDICATORS,
    },
];

fn write(w: &mut JsonWriter<'_>, id: usize, community: &Community) {
    w.begin_object();
    for (key, text) in [
        ("name", community.name),
        ("uuid", community.uuid),
        ("org_uuid", community.org_uuid),
        ("org_name", community.org_name),
        ("description", community.description),
        ("url", community.url),
        ("sector", community.sector),
        ("nationality", community.nationality),
        ("type", community.kind),
        ("email", community.email),
    ] {
        member(w, key, text);
    }
    flag_member(w, "misp_project_vetted", community.vetted);
    member(w, "scope_of_data_to_be_shared", community.scope);
    number_member(w, "id", id as i64);
    w.key("Org");
    w.begin_object();
    member(w, "uuid", community.org_uuid);
    member(w, "name", community.org_name);
    w.end_object();
    w.end_object();
}

/// GET /communities/index[/context:{vetted|unvetted}][/value:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let sent = request.value()?;
    let named = |name: &str| request.path.named(name).map(str::to_owned).or_else(|| text(&sent, name));
    let vetted = named("context").is_none_or(|context| matches!(context.as_str(), "" | "vetted"));
    let wanted = named("value").unwrap_or_default().to_lowercase();
    let numbered = COMMUNITIES.iter().enumerate().filter(|(_, c)| c.vetted == vetted);
    let found: Vec<(usize, &Community)> = numbered
        .filter(|(_, c)| {
            let texts = [c.name, c.uuid, c.description, c.url, c.sector, c.nationality, c.kind, c.org_name];
            texts.iter().any(|text| text.to_lowercase().contains(&wanted))
        })
        .collect();
    Ok(list(&found, |w, (place, community)| write(w, place + 1, community)))
}

fn find(request: &Request) -> Result<(usize, &'static Community), Failure> {
    let missing = "Community not found.";
    let place = match request.reference(0, missing)? {
        Ref::Id(id) => usize::try_from(id).ok().and_then(|id| id.checked_sub(1)),
        Ref::Uuid(uuid) => COMMUNITIES.iter().position(|c| c.uuid == uuid.to_string()),
    };
    let found = place.and_then(|place| Some((place + 1, COMMUNITIES.get(place)?)));
    found.ok_or(Failure::NotFound(missing))
}

/// GET /communities/view/{uuid|id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let (id, community) = find(request)?;
    Ok(document(|w| write(w, id, community)))
}

/// POST /communities/requestAccess/{uuid|id} `{org_description, email, message, sync, anonymise}`: the text of
/// the request, to be sent by oneself. MISP answers so where it sends no mail.
pub(crate) fn request_access(request: &Request) -> Result<Answer, Failure> {
    let (_, community) = find(request)?;
    let sent = request.unwrapped("Server")?;
    let org = request.service.read(&request.actor, |r| Ok(r.org(Ref::Id(request.actor.org_id))?))?;
    let org = org.ok_or(Failure::NotFound("Invalid organisation"))?;
    let given = |name: &str| text(&sent, name).filter(|t| !t.trim().is_empty());
    let email = given("email").unwrap_or_else(|| request.owner.user.email.clone());
    let name = given("org_name").unwrap_or_else(|| org.name.clone());
    let uuid = given("org_uuid").unwrap_or_else(|| org.uuid.to_string());
    let what = if flag(&sent, "sync").unwrap_or(false) { "to synchronise with" } else { "access to" };
    let mut message = format!(
        "To whom it may concern,\n\nthe organisation {name} ({uuid}) asks for {what} your community:\n{}\n\n",
        community.name
    );
    if let Some(description) = given("org_description") {
        message.push_str(&format!("About the organisation:\n{description}\n\n"));
    }
    message.push_str(&format!("The account is for:\n{email}\n\n"));
    if let Some(more) = given("message") {
        message.push_str(&format!("In addition:\n{more}\n\n"));
    }
    if !flag(&sent, "anonymise").unwrap_or(false) {
        let policy = &request.service.policy;
        let (url, uuid) = (&policy.base_url, policy.instance_uuid);
        message.push_str(&format!("Asked from the server {url} ({uuid}, MISP {MISP_VERSION}).\n\n"));
    }
    message.push_str("With kind regards\n");
    // A line break in an address would begin a header of its own.
    let one_line = |text: &str| text.replace(['\r', '\n'], " ");
    let subject = format!("[{}] Requesting MISP access", community.name);
    let headers = format!("To: {}\nReply-To: {}\nSubject: {subject}\n", community.email, one_line(&email));
    Ok(document(|w| {
        w.begin_object();
        member(w, "to", community.email);
        member(w, "reply-to", &one_line(&email));
        member(w, "subject", &subject);
        member(w, "headers", &headers);
        member(w, "message", &message);
        w.end_object();
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_written_as_they_are_looked_up_and_clients_find_the_first_ones_in_place() {
        for community in COMMUNITIES {
            let uuid = pisax_model::Uuid::try_parse(community.uuid).unwrap();
            assert_eq!(uuid.to_string(), community.uuid);
        }
        assert!(COMMUNITIES[0].name.ends_with("aka MISPPRIV") && COMMUNITIES[1].name.ends_with("aka MISP"));
    }
}
