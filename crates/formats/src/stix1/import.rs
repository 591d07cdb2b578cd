//! Packages of STIX 1.1 and 1.2 in XML: incidents, indicators and observables of the common kinds. What has
//! no word in MISP is left out.

use crate::stix2::{Problem, hash_type};
use crate::xml::{Element, read};
use pisax_model::attribute::AttributeDraft;
use pisax_model::event::EventDraft;
use pisax_model::org::OrgRef;
use pisax_model::tag::TagDraft;
use pisax_model::{Uuid, time};

/// Reads a document: one draft per incident; a package without any becomes one event.
pub fn read_package(xml: &[u8]) -> Result<Vec<EventDraft>, Problem> {
    let problem = |message: String| Problem { path: "STIX_Package".into(), message };
    let text = std::str::from_utf8(xml).map_err(|_| problem("It is not XML in UTF-8.".into()))?;
    let root = read(text.trim_start_matches('\u{feff}')).map_err(problem)?;
    if root.name != "STIX_Package" {
        let message = format!("A STIX 1 document is a STIX_Package, not <{}>.", root.name);
        return Err(Problem { path: root.name, message });
    }
    let mut events = Vec::new();
    package(&root, &mut events);
    if events.is_empty() {
        return Err(Problem {
            path: "STIX_Package".into(),
            message: "There is no incident, indicator or observable in it.".into(),
        });
    }
    Ok(events)
}

fn package(package: &Element, events: &mut Vec<EventDraft>) {
    let mut own = EventDraft {
        uuid: uuid_of(package),
        info: package.text_at(&["STIX_Header", "Title"]).map(str::to_owned),
        timestamp: seconds(package.attribute("timestamp")),
        ..EventDraft::default()
    };
    if let Some(header) = package.child("STIX_Header") {
        tags_of(header, &mut own.tags);
        if let Some(text) = header.text_at(&["Description"]) {
            own.attributes.push(draft("comment", text, false));
        }
    }
    let from = events.len();
    for incident in package.at(&["Incidents"]).into_iter().flat_map(|list| list.all("Incident")) {
        events.push(incident_of(incident, &own));
    }
    let own_count = own.attributes.len();
    for list in ["Observables", "Indicators", "TTPs", "Exploit_Targets"] {
        for item in package.child(list).into_iter().flat_map(|list| &list.children) {
            match item.name.as_str() {
                "Observable" => observable(item, None, false, &mut own.attributes),
                "Indicator" => indicator(item, None, &mut own.attributes),
                _ => vulnerabilities(item, &mut own.attributes),
            }
        }
    }
    let found = own.attributes.len() > own_count;
    match (&mut events[from..], found) {
        // What stands beside the only incident is about it.
        ([only], _) => only.attributes.extend(own.attributes),
        (_, true) => {
            own.info.get_or_insert_with(|| "STIX package".to_owned());
            events.push(own);
        }
        _ => {}
    }
    for list in package.all("Related_Packages") {
        for related in list.all("Related_Package") {
            related.all("Package").for_each(|inner| self::package(inner, events));
        }
    }
}

fn incident_of(incident: &Element, package: &EventDraft) -> EventDraft {
    let name = incident.text_at(&["Reporter", "Identity", "Name"]).or(incident.text_at(&[
        "Information_Source",
        "Identity",
        "Name",
    ]));
    let mut event = EventDraft {
        uuid: uuid_of(incident).or(package.uuid),
        info: incident.text_at(&["Title"]).map(str::to_owned).or(package.info.clone()),
        date: incident.text_at(&["Time", "Incident_Discovery"]).and_then(time::parse_date),
        timestamp: seconds(incident.attribute("timestamp")).or(package.timestamp),
        orgc: name.map(|name| OrgRef { name: Some(name.to_owned()), ..OrgRef::default() }),
        tags: package.tags.clone(),
        ..EventDraft::default()
    };
    event.info.get_or_insert_with(|| "STIX incident".to_owned());
    tags_of(incident, &mut event.tags);
    if let Some(text) = incident.text_at(&["Description"]) {
        event.attributes.push(draft("comment", text, false));
    }
    for list in incident.all("Related_Indicators") {
        for related in list.all("Related_Indicator") {
            let category = related.text_at(&["Relationship"]);
            related.all("Indicator").for_each(|i| indicator(i, category, &mut event.attributes));
        }
    }
    for list in incident.all("Related_Observables") {
        for related in list.all("Related_Observable") {
            let category = related.text_at(&["Relationship"]);
            related.all("Observable").for_each(|o| observable(o, category, false, &mut event.attributes));
        }
    }
    let mut is_misp = false;
    for item in incident.child("History").into_iter().flat_map(|list| list.all("History_Item")) {
        if let Some(entry) = item.text_at(&["Journal_Entry"]) {
            is_misp |= entry.starts_with("MISP Tag: misp:tool=");
            journal(entry, &mut event);
        }
    }
    // Who a vendor is says nothing of whose event it is here; what a MISP wrote does.
    event.orgc = event.orgc.filter(|_| is_misp);
    event
}

/// What MISP's writers tell in the history of an incident.
fn journal(entry: &str, event: &mut EventDraft) {
    if let Some(tag) = entry.strip_prefix("MISP Tag: ") {
        if !tag.starts_with("misp:tool=") {
            add_tag(tag, &mut event.tags);
        }
    } else if let Some(level) = entry.strip_prefix("Event Threat Level: ") {
        let levels = ["High", "Medium", "Low", "Undefined"];
        let place = levels.iter().position(|name| *name == level.trim());
        event.threat_level_id = place.map(|place| place as i64 + 1).or(event.threat_level_id);
    } else if let Some((head, value)) = entry.split_once("): ")
        && let Some((category, kind)) = head.strip_prefix("Attribute (").and_then(|h| h.split_once(" - "))
    {
        let category = Some(category.to_owned());
        event.attributes.push(AttributeDraft { category, ..draft(kind, value, false) });
    }
}

fn uuid_of(element: &Element) -> Option<Uuid> {
    let id = element.attribute("id")?;
    Uuid::parse_str(id.get(id.len().checked_sub(36)?..)?).ok()
}

fn seconds(text: Option<&str>) -> Option<i64> {
    Some(time::parse_micros(text?)?.div_euclid(1_000_000))
}

fn draft(kind: &str, value: &str, to_ids: bool) -> AttributeDraft {
    AttributeDraft {
        kind: Some(kind.to_owned()),
        value: Some(value.to_owned()),
        to_ids: Some(to_ids),
        ..AttributeDraft::default()
    }
}

fn add_tag(name: &str, tags: &mut Vec<TagDraft>) {
    if !name.trim().is_empty() && !tags.iter().any(|tag| tag.name == name) {
        tags.push(TagDraft { name: name.to_owned(), ..TagDraft::default() });
    }
}

/// Markings: TLP colours and plain statements, which are tags of MISP's.
fn tags_of(element: &Element, tags: &mut Vec<TagDraft>) {
    for handling in element.all("Handling") {
        for structure in handling.all("Marking").flat_map(|marking| marking.all("Marking_Structure")) {
            if let Some(colour) = structure.attribute("color") {
                add_tag(&format!("tlp:{}", colour.to_ascii_lowercase()), tags);
            }
            if let Some(statement) = structure.text_at(&["Statement"]) {
                add_tag(statement, tags);
            }
        }
    }
}

fn indicator(indicator: &Element, category: Option<&str>, out: &mut Vec<AttributeDraft>) {
    let confidence = indicator.text_at(&["Confidence", "Value"]);
    let to_ids = confidence.is_none_or(|value| value != "None");
    let from = out.len();
    indicator.all("Observable").for_each(|o| observable(o, category, to_ids, out));
    for list in indicator.all("Test_Mechanisms") {
        for mechanism in list.all("Test_Mechanism") {
            let kind = mechanism.attribute("type").unwrap_or_default().to_ascii_lowercase();
            let kind = if kind.contains("yara") { "yara" } else { "snort" };
            mechanism
                .all("Rule")
                .filter(|rule| !rule.text.trim().is_empty())
                .for_each(|rule| out.push(draft(kind, rule.text.trim(), to_ids)));
        }
    }
    for list in indicator.all("Composite_Indicator_Expression") {
        list.all("Indicator").for_each(|inner| self::indicator(inner, category, out));
    }
    let said = indicator.text_at(&["Description"]);
    let timestamp = seconds(indicator.attribute("timestamp"));
    let mut tags = Vec::new();
    tags_of(indicator, &mut tags);
    for (n, attribute) in out[from..].iter_mut().enumerate() {
        if n == 0 {
            attribute.uuid = uuid_of(indicator).or(attribute.uuid);
        }
        attribute.comment = said.map(str::to_owned).or(attribute.comment.take());
        attribute.timestamp = timestamp.or(attribute.timestamp);
        attribute.tags.extend(tags.clone());
    }
}

fn observable(observable: &Element, category: Option<&str>, to_ids: bool, out: &mut Vec<AttributeDraft>) {
    let mut found: Vec<(String, String)> = Vec::new();
    parts(observable, &mut found);
    // A name and the address it leads to, a name and a port: one value in MISP.
    if let [(one, first), (two, second)] = &found[..] {
        let joined = match (one.as_str(), two.as_str()) {
            ("domain", "ip-dst" | "ip-src") => Some("domain|ip"),
            ("hostname", "port") => Some("hostname|port"),
            ("ip-dst", "port") => Some("ip-dst|port"),
            ("ip-src", "port") => Some("ip-src|port"),
            _ => None,
        };
        if let Some(kind) = joined {
            found = vec![(kind.to_owned(), format!("{first}|{second}"))];
        }
    }
    let uuid = uuid_of(observable);
    let comment = observable.text_at(&["Description"]);
    for (n, (kind, value)) in found.into_iter().enumerate() {
        let mut attribute = draft(&kind, &value, to_ids);
        attribute.uuid = uuid.filter(|_| n == 0);
        attribute.comment = comment.map(str::to_owned);
        let allowed = |name: &&str| {
            let kind = pisax_model::AttributeType::parse(&kind);
            let category = pisax_model::Category::parse(name);
            kind.zip(category).is_some_and(|(kind, category)| kind.allows(category))
        };
        attribute.category = category.filter(allowed).map(str::to_owned);
        out.push(attribute);
    }
}

fn parts(observable: &Element, out: &mut Vec<(String, String)>) {
    for composition in observable.all("Observable_Composition") {
        composition.all("Observable").for_each(|inner| parts(inner, out));
    }
    for object in observable.all("Object") {
        if let Some(properties) = object.child("Properties") {
            values(properties, out);
        }
        for related in object.child("Related_Objects").into_iter().flat_map(|list| list.all("Related_Object"))
        {
            if let Some(properties) = related.child("Properties") {
                values(properties, out);
            }
        }
    }
}

/// The values in the properties of an object.
fn values(of: &Element, out: &mut Vec<(String, String)>) {
    let kind = of.attribute("type").unwrap_or_default();
    let kind = kind.rsplit(':').next().unwrap_or_default();
    let mut put = |kind: &str, value: Option<&str>| {
        // Lists of values in one element are joined by this.
        for value in value.unwrap_or_default().split("##comma##") {
            if !value.trim().is_empty() {
                out.push((kind.to_owned(), value.trim().to_owned()));
            }
        }
    };
    match kind {
        "AddressObjectType" => address(of, &mut put),
        "DomainNameObjectType" => put("domain", of.text_at(&["Value"])),
        "HostnameObjectType" => put("hostname", of.text_at(&["Hostname_Value"])),
        "URIObjectType" | "LinkObjectType" => match uri_type(of) {
            Some("Domain Name") => put("domain", of.text_at(&["Value"])),
            _ => put("url", of.text_at(&["Value"])),
        },
        "FileObjectType" | "WindowsExecutableFileObjectType" | "WindowsFileObjectType" => file(of, &mut put),
        "EmailMessageObjectType" => {
            let header = |path: &[&str]| of.child("Header").and_then(|header| header.text_at(path));
            put("email-src", header(&["From", "Address_Value"]).or(header(&["Sender", "Address_Value"])));
            for list in of.child("Header").into_iter().flat_map(|header| header.all("To")) {
                list.all("Recipient").for_each(|to| put("email-dst", to.text_at(&["Address_Value"])));
            }
            put("email-subject", header(&["Subject"]));
            put("email-reply-to", header(&["Reply_To", "Address_Value"]));
            put("email-x-mailer", header(&["X_Mailer"]));
        }
        "MutexObjectType" => put("mutex", of.text_at(&["Name"])),
        "PipeObjectType" => put("named pipe", of.text_at(&["Name"])),
        "ASObjectType" => {
            let number = of.text_at(&["Number"]).map(|number| format!("AS{number}"));
            put("AS", of.text_at(&["Handle"]).or(number.as_deref()));
        }
        "PortObjectType" => put("port", of.text_at(&["Port_Value"])),
        "WindowsRegistryKeyObjectType" => {
            let key = of.text_at(&["Key"]);
            let key = match (of.text_at(&["Hive"]), key) {
                (Some(hive), Some(key)) => Some(format!("{hive}\\{key}")),
                (_, key) => key.map(str::to_owned),
            };
            match (&key, of.text_at(&["Values", "Value", "Data"])) {
                (Some(key), Some(data)) => put("regkey|value", Some(&format!("{key}|{data}"))),
                _ => put("regkey", key.as_deref()),
            }
        }
        "SocketAddressObjectType" => socket(of, &mut put),
        "NetworkConnectionObjectType" => {
            for side in ["Source_Socket_Address", "Destination_Socket_Address"] {
                of.child(side).into_iter().for_each(|of| socket(of, &mut put));
            }
        }
        "HTTPSessionObjectType" => {
            put("user-agent", of.find("User_Agent").map(|e| e.text.trim()));
            put("http-method", of.find("HTTP_Method").map(|e| e.text.trim()));
        }
        "SystemObjectType" => put("mac-address", of.find("MAC").map(|e| e.text.trim())),
        "X509CertificateObjectType" => {
            let signature = of.child("Certificate_Signature");
            let algorithm = signature.and_then(|s| s.text_at(&["Signature_Algorithm"])).unwrap_or_default();
            let kind = format!("x509-fingerprint-{}", algorithm.to_ascii_lowercase());
            if pisax_model::AttributeType::parse(&kind).is_some() {
                put(&kind, signature.and_then(|s| s.text_at(&["Signature"])));
            }
        }
        "CustomObjectType" => {
            for property in of.child("Custom_Properties").into_iter().flat_map(|list| list.all("Property")) {
                let name = property.attribute("name").unwrap_or_default();
                if pisax_model::AttributeType::parse(name).is_some() {
                    put(name, Some(property.text.trim()));
                }
            }
        }
        _ => {}
    }
}

/// A URI has a `type` of its own beside the `xsi:type` of its properties.
fn uri_type(of: &Element) -> Option<&str> {
    of.attributes
        .iter()
        .filter(|(name, _)| name == "type")
        .map(|(_, value)| value.as_str())
        .find(|v| !v.contains("Obj"))
}

fn address(of: &Element, put: &mut impl FnMut(&str, Option<&str>)) {
    let value = of.text_at(&["Address_Value"]);
    match of.attribute("category").unwrap_or("ipv4-addr") {
        "e-mail" => put("email", value),
        "mac" => put("mac-address", value),
        "asn" => put("AS", value),
        _ if of.attribute("is_source") == Some("true") => put("ip-src", value),
        _ => put("ip-dst", value),
    }
}

fn socket(of: &Element, put: &mut impl FnMut(&str, Option<&str>)) {
    let port = of.text_at(&["Port", "Port_Value"]);
    let ip = of.text_at(&["IP_Address", "Address_Value"]);
    let source = of.at(&["IP_Address"]).is_some_and(|ip| ip.attribute("is_source") == Some("true"))
        || of.name == "Source_Socket_Address";
    let side = if source { "ip-src" } else { "ip-dst" };
    match (ip, of.text_at(&["Hostname", "Hostname_Value"]), port) {
        (Some(ip), _, Some(port)) => put(&format!("{side}|port"), Some(&format!("{ip}|{port}"))),
        (Some(ip), _, None) => put(side, Some(ip)),
        (None, Some(host), Some(port)) => put("hostname|port", Some(&format!("{host}|{port}"))),
        (None, Some(host), None) => put("hostname", Some(host)),
        (None, None, port) => put("port", port),
    }
}

fn file(of: &Element, put: &mut impl FnMut(&str, Option<&str>)) {
    let name = of.text_at(&["File_Name"]);
    let mut hashes = Vec::new();
    for hash in of.child("Hashes").into_iter().flat_map(|list| list.all("Hash")) {
        let value = hash.text_at(&["Simple_Hash_Value"]).or(hash.text_at(&["Fuzzy_Hash_Value"]));
        let Some(value) = value else { continue };
        // Without a name the length tells.
        let kind = hash.text_at(&["Type"]).and_then(hash_type).or(match value.len() {
            32 => Some("md5"),
            40 => Some("sha1"),
            64 => Some("sha256"),
            128 => Some("sha512"),
            _ => None,
        });
        hashes.extend(kind.map(|kind| (kind, value)));
    }
    match (name, &hashes[..]) {
        (Some(name), [(kind, value)]) => put(&format!("filename|{kind}"), Some(&format!("{name}|{value}"))),
        _ => {
            put("filename", name);
            hashes.iter().for_each(|(kind, value)| put(kind, Some(value)));
        }
    }
}

fn vulnerabilities(of: &Element, out: &mut Vec<AttributeDraft>) {
    for child in &of.children {
        match child.text_at(&["CVE_ID"]).filter(|_| child.name == "Vulnerability") {
            Some(cve) => out.push(AttributeDraft {
                comment: of.text_at(&["Description"]).map(str::to_owned),
                uuid: uuid_of(of),
                ..draft("vulnerability", cve, false)
            }),
            None => vulnerabilities(child, out),
        }
    }
}
