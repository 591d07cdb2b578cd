//! `stix`, `stix-xml` and `stix-json`: a package with one related package per event, or one package of
//! indicators and observables for attributes.

use super::properties::{self, Properties};
use crate::export::{AttributeFormat, EventSummary, ExportOptions, ExportRow, Scope};
use crate::xml::escaped;
use pisax_model::attribute::AttributeView;
use pisax_model::time;
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Xml,
    Json,
}

/// Detection first, as the schema has it; then what was observed, then what STIX 1 can only tell.
const INDICATORS: usize = 0;
const OBSERVABLES: usize = 1;
const HISTORY: usize = 2;

pub struct Stix1 {
    form: Form,
    scope: Scope,
    version: &'static str,
    now: i64,
    base_url: String,
    /// Namespace of the ids.
    org: String,
    pass: usize,
    /// What the history of the event begins with.
    entries: Vec<String>,
    /// The list of this pass is open.
    open: bool,
    first_event: bool,
    first_item: bool,
}

impl Stix1 {
    pub fn new(form: Form, options: &ExportOptions) -> Self {
        let version = match options.stix_version.as_deref().map(str::trim) {
            Some("1.2") => "1.2",
            _ => "1.1.1",
        };
        let mut org: String =
            options.org.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        // The name of a namespace begins with a letter.
        if !org.starts_with(|c: char| c.is_ascii_alphabetic()) {
            org.insert_str(0, "org_");
        }
        Self {
            form,
            scope: options.scope,
            version,
            now: options.now,
            base_url: options.base_url.clone(),
            org,
            pass: 0,
            entries: Vec::new(),
            open: false,
            first_event: true,
            first_item: true,
        }
    }

    fn xml(&self) -> bool {
        self.form == Form::Xml
    }

    fn put(&self, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(text.as_bytes());
    }

    /// The members of an incident that come before its lists.
    fn begin_event(&mut self, event: &EventSummary<'_>, out: &mut Vec<u8>) {
        let org = &self.org;
        let (stamp, day) = (moment(event.timestamp), format!("{}T00:00:00+00:00", event.date));
        let status = if event.analysis == 2 { "Closed" } else { "New" };
        if self.xml() {
            let (info, orgc) = (escaped(event.info), escaped(event.orgc));
            self.put(
                &format!(
                    "<stix:Related_Package><stix:Package id=\"{org}:STIXPackage-{0}\" version=\"{1}\" timestamp=\"{stamp}\">\
                     <stix:STIX_Header><stix:Title>Export from {orgc}'s MISP</stix:Title>\
                     <stix:Package_Intent xsi:type=\"stixVocabs:PackageIntentVocab-1.0\">Threat Report</stix:Package_Intent></stix:STIX_Header>\
                     <stix:Incidents><stix:Incident id=\"{org}:Incident-{0}\" timestamp=\"{stamp}\" xsi:type=\"incident:IncidentType\">\
                     <incident:Title>{info}</incident:Title><incident:Time><incident:Incident_Discovery precision=\"second\">{day}</incident:Incident_Discovery></incident:Time>\
                     <incident:Reporter><stixCommon:Identity><stixCommon:Name>{orgc}</stixCommon:Name></stixCommon:Identity></incident:Reporter>\
                     <incident:Status xsi:type=\"stixVocabs:IncidentStatusVocab-1.0\">{status}</incident:Status>",
                    event.uuid, self.version
                ),
                out,
            );
            return;
        }
        let incident = json!({
            "id": format!("{org}:Incident-{}", event.uuid),
            "title": event.info,
            "timestamp": stamp,
            "time": {"incident_discovery": day},
            "reporter": {"identity": {"name": event.orgc}},
            "information_source": {"identity": {"name": event.orgc}},
            "status": {"value": status, "xsi:type": "stixVocabs:IncidentStatusVocab-1.0"},
        });
        let mut incident = incident.to_string();
        incident.pop();
        let mut package = json!({
            "id": format!("{org}:STIXPackage-{}", event.uuid),
            "version": self.version,
            "timestamp": stamp,
            "stix_header": header(&format!("Export from {}'s MISP", event.orgc)),
        })
        .to_string();
        package.pop();
        let comma = if self.first_event { "" } else { "," };
        self.first_event = false;
        self.put(&format!("{comma}{{\"package\":{package},\"incidents\":[{incident}"), out);
    }

    fn close_list(&mut self, out: &mut Vec<u8>) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let text = match (self.form, self.scope, self.pass) {
            (Form::Xml, Scope::Events, INDICATORS) => "</incident:Related_Indicators>",
            (Form::Xml, Scope::Events, OBSERVABLES) => "</incident:Related_Observables>",
            (Form::Xml, Scope::Events, _) => "</incident:History>",
            (Form::Xml, Scope::Attributes, OBSERVABLES) => "</stix:Observables>",
            (Form::Xml, Scope::Attributes, _) => "</stix:Indicators>",
            (Form::Json, Scope::Attributes, INDICATORS) => "]",
            (Form::Json, _, _) => "]}",
        };
        self.put(text, out);
    }

    fn open_list(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.open, true) {
            return;
        }
        self.first_item = true;
        let text = match (self.form, self.scope, self.pass) {
            (Form::Xml, Scope::Events, INDICATORS) => "<incident:Related_Indicators>",
            (Form::Xml, Scope::Events, OBSERVABLES) => "<incident:Related_Observables>",
            (Form::Xml, Scope::Events, _) => "<incident:History>",
            (Form::Xml, Scope::Attributes, OBSERVABLES) => {
                "<stix:Observables cybox_major_version=\"2\" cybox_minor_version=\"1\" cybox_update_version=\"0\">"
            }
            (Form::Xml, Scope::Attributes, _) => "<stix:Indicators>",
            (Form::Json, Scope::Events, INDICATORS) => ",\"related_indicators\":{\"indicators\":[",
            (Form::Json, Scope::Events, OBSERVABLES) => ",\"related_observables\":{\"observables\":[",
            (Form::Json, Scope::Events, _) => ",\"history\":{\"history_items\":[",
            (Form::Json, Scope::Attributes, INDICATORS) => ",\"indicators\":[",
            (Form::Json, Scope::Attributes, _) => ",\"observables\":{\"observables\":[",
        };
        self.put(text, out);
    }

    fn item(&mut self, xml: String, json: impl FnOnce() -> Value, out: &mut Vec<u8>) {
        self.open_list(out);
        if self.xml() {
            return self.put(&xml, out);
        }
        if !std::mem::take(&mut self.first_item) {
            out.push(b',');
        }
        let json = json();
        self.put(&json.to_string(), out);
    }

    fn observable(&self, view: &AttributeView<'_>, list: &[Properties]) -> (String, Value) {
        let (org, uuid) = (&self.org, view.uuid);
        let one = |of: &Properties, tag: &str| {
            let name = of.kind.trim_end_matches("ObjectType");
            let xml = format!(
                "<cybox:Object id=\"{org}:{name}{tag}-{uuid}\"><cybox:Properties xsi:type=\"{}:{}\"{}>{}</cybox:Properties></cybox:Object>",
                of.prefix, of.kind, of.flags, of.inner
            );
            (xml, json!({"id": format!("{org}:{name}{tag}-{uuid}"), "properties": of.json}))
        };
        if let [only] = list {
            let (xml, object) = one(only, "");
            return (xml, json!({"id": format!("{org}:Observable-{uuid}"), "object": object}));
        }
        let mut xml = String::from("<cybox:Observable_Composition operator=\"AND\">");
        let mut parts = Vec::new();
        for (n, of) in list.iter().enumerate() {
            let (part, object) = one(of, "");
            let own = format!("{org}:ObservablePart{n}-{uuid}");
            xml.push_str(&format!("<cybox:Observable id=\"{own}\">{part}</cybox:Observable>"));
            parts.push(json!({"id": own, "object": object}));
        }
        xml.push_str("</cybox:Observable_Composition>");
        let composition = json!({"operator": "AND", "observables": parts});
        (xml, json!({"id": format!("{org}:Observable-{uuid}"), "observable_composition": composition}))
    }

    fn write_indicator(
        &mut self,
        row: &ExportRow<'_>,
        list: &[Properties],
        rule: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        let view = &row.attribute;
        let (org, uuid, stamp) = (self.org.clone(), view.uuid, moment(view.timestamp));
        let category = view.category.name();
        let title = format!("{category}: {} (MISP Attribute)", view.value());
        let watchlist = list.first().map_or("Malware Artifacts", |of| of.watchlist);
        let (inner, observable) = self.observable(view, list);
        let comment = match view.comment {
            "" => String::new(),
            text => format!("<indicator:Description>{}</indicator:Description>", escaped(text)),
        };
        let about = match rule {
            Some(prefix) => format!(
                "<indicator:Test_Mechanisms><indicator:Test_Mechanism xsi:type=\"{prefix}TM:{}TestMechanismType\">\
                 <{prefix}TM:Rule>{}</{prefix}TM:Rule></indicator:Test_Mechanism></indicator:Test_Mechanisms>",
                if prefix == "yara" { "Yara" } else { "Snort" },
                escaped(view.value1)
            ),
            None => {
                format!("<indicator:Observable id=\"{org}:Observable-{uuid}\">{inner}</indicator:Observable>")
            }
        };
        let confidence = format!(
            "<indicator:Confidence timestamp=\"{stamp}\"><stixCommon:Value>High</stixCommon:Value></indicator:Confidence>"
        );
        // The schema wants the observable before the confidence, test mechanisms between.
        let body = format!(
            "id=\"{org}:Indicator-{uuid}\" timestamp=\"{stamp}\" xsi:type=\"indicator:IndicatorType\">\
             <indicator:Title>{}</indicator:Title><indicator:Type xsi:type=\"stixVocabs:IndicatorTypeVocab-1.1\">{watchlist}</indicator:Type>\
             {comment}{about}{confidence}<indicator:Producer><stixCommon:Identity><stixCommon:Name>{}</stixCommon:Name>\
             </stixCommon:Identity></indicator:Producer>",
            escaped(&title),
            escaped(row.event.orgc)
        );
        let events = self.scope == Scope::Events;
        let xml = if events {
            format!(
                "<incident:Related_Indicator><stixCommon:Relationship>{category}</stixCommon:Relationship>\
                 <stixCommon:Indicator {body}</stixCommon:Indicator></incident:Related_Indicator>"
            )
        } else {
            format!("<stix:Indicator {body}</stix:Indicator>")
        };
        let json = || {
            let mut indicator = json!({
                "id": format!("{org}:Indicator-{uuid}"),
                "title": title,
                "timestamp": stamp,
                "indicator_types": [{"value": watchlist, "xsi:type": "stixVocabs:IndicatorTypeVocab-1.1"}],
                "producer": {"identity": {"name": row.event.orgc}},
                "confidence": {"timestamp": stamp, "timestamp_precision": "second", "value": "High"},
            });
            if !view.comment.is_empty() {
                indicator["description"] = view.comment.into();
            }
            match rule {
                Some(prefix) => {
                    let kind = if prefix == "yara" {
                        "yaraTM:YaraTestMechanismType"
                    } else {
                        "snortTM:SnortTestMechanismType"
                    };
                    let rule =
                        if prefix == "yara" { json!({"value": view.value1}) } else { json!([view.value1]) };
                    let key = if prefix == "yara" { "rule" } else { "rules" };
                    indicator["test_mechanisms"] = json!([{key: rule, "xsi:type": kind}]);
                }
                None => indicator["observable"] = observable,
            }
            if events { json!({"relationship": category, "indicator": indicator}) } else { indicator }
        };
        self.item(xml, json, out);
    }

    fn write_observable(&mut self, view: &AttributeView<'_>, list: &[Properties], out: &mut Vec<u8>) {
        let (inner, mut observable) = self.observable(view, list);
        let comment = match view.comment {
            "" => String::new(),
            text => format!("<cybox:Description>{}</cybox:Description>", escaped(text)),
        };
        if !view.comment.is_empty() {
            observable["description"] = view.comment.into();
        }
        let own = format!("id=\"{}:Observable-{}\"", self.org, view.uuid);
        let category = view.category.name();
        let events = self.scope == Scope::Events;
        let xml = if events {
            format!(
                "<incident:Related_Observable><stixCommon:Relationship>{category}</stixCommon:Relationship>\
                 <stixCommon:Observable {own}>{comment}{inner}</stixCommon:Observable></incident:Related_Observable>"
            )
        } else {
            format!("<cybox:Observable {own}>{comment}{inner}</cybox:Observable>")
        };
        let json = || match events {
            true => json!({"relationship": category, "observable": observable}),
            false => observable,
        };
        self.item(xml, json, out);
    }

    fn journal(&mut self, text: &str, out: &mut Vec<u8>) {
        let xml = format!(
            "<incident:History_Item><incident:Journal_Entry time_precision=\"second\">{}</incident:Journal_Entry></incident:History_Item>",
            escaped(text)
        );
        let json = || json!({"journal_entry": {"value": text, "time_precision": "second"}});
        self.item(xml, json, out);
    }

    fn close_event(&mut self, out: &mut Vec<u8>) {
        self.close_list(out);
        match self.form {
            Form::Xml => {
                self.put("</stix:Incident></stix:Incidents></stix:Package></stix:Related_Package>", out)
            }
            Form::Json => self.put("}]}}", out),
        }
    }
}

/// The language of a rule that is an indicator by itself.
fn rule(view: &AttributeView<'_>) -> Option<&'static str> {
    match view.kind.name() {
        "yara" => Some("yara"),
        "snort" => Some("snort"),
        _ => None,
    }
}

fn moment(secs: i64) -> String {
    time::format_datetime(secs).replace(' ', "T") + "+00:00"
}

fn header(title: &str) -> Value {
    let intent = json!([{"value": "Threat Report", "xsi:type": "stixVocabs:PackageIntentVocab-1.0"}]);
    json!({"title": title, "package_intent": intent})
}

/// Prefixes that the documents use.
const NAMESPACES: &[(&str, &str)] = &[
    ("cybox", "http://cybox.mitre.org/cybox-2"),
    ("cyboxCommon", "http://cybox.mitre.org/common-2"),
    ("cyboxVocabs", "http://cybox.mitre.org/default_vocabularies-2"),
    ("ASObj", "http://cybox.mitre.org/objects#ASObject-1"),
    ("AddressObj", "http://cybox.mitre.org/objects#AddressObject-2"),
    ("DomainNameObj", "http://cybox.mitre.org/objects#DomainNameObject-1"),
    ("EmailMessageObj", "http://cybox.mitre.org/objects#EmailMessageObject-2"),
    ("FileObj", "http://cybox.mitre.org/objects#FileObject-2"),
    ("HTTPSessionObj", "http://cybox.mitre.org/objects#HTTPSessionObject-2"),
    ("HostnameObj", "http://cybox.mitre.org/objects#HostnameObject-1"),
    ("MutexObj", "http://cybox.mitre.org/objects#MutexObject-2"),
    ("PipeObj", "http://cybox.mitre.org/objects#PipeObject-2"),
    ("PortObj", "http://cybox.mitre.org/objects#PortObject-2"),
    ("SocketAddressObj", "http://cybox.mitre.org/objects#SocketAddressObject-1"),
    ("URIObj", "http://cybox.mitre.org/objects#URIObject-2"),
    ("WinRegistryKeyObj", "http://cybox.mitre.org/objects#WinRegistryKeyObject-2"),
    ("X509CertificateObj", "http://cybox.mitre.org/objects#X509CertificateObject-2"),
    ("incident", "http://stix.mitre.org/Incident-1"),
    ("indicator", "http://stix.mitre.org/Indicator-2"),
    ("snortTM", "http://stix.mitre.org/extensions/TestMechanism#Snort-1"),
    ("yaraTM", "http://stix.mitre.org/extensions/TestMechanism#YARA-1"),
    ("stix", "http://stix.mitre.org/stix-1"),
    ("stixCommon", "http://stix.mitre.org/common-1"),
    ("stixVocabs", "http://stix.mitre.org/default_vocabularies-1"),
    ("xsi", "http://www.w3.org/2001/XMLSchema-instance"),
];

impl AttributeFormat for Stix1 {
    fn begin(&mut self, out: &mut Vec<u8>) {
        let uuid = crate::stix2::derived_id(&format!("{} {}", self.base_url, self.now));
        let (org, stamp, title) = (&self.org, moment(self.now), "Export from MISP");
        let events = self.scope == Scope::Events;
        if self.xml() {
            let mut head = String::from("<stix:STIX_Package");
            for (prefix, uri) in NAMESPACES {
                head.push_str(&format!(" xmlns:{prefix}=\"{uri}\""));
            }
            head.push_str(&format!(
                " xmlns:{org}=\"{}\" id=\"{org}:STIXPackage-{uuid}\" version=\"{}\" timestamp=\"{stamp}\">\
                 <stix:STIX_Header><stix:Title>{title}</stix:Title>\
                 <stix:Package_Intent xsi:type=\"stixVocabs:PackageIntentVocab-1.0\">Threat Report</stix:Package_Intent></stix:STIX_Header>",
                escaped(&self.base_url),
                self.version
            ));
            if events {
                head.push_str("<stix:Related_Packages>");
            }
            return self.put(&head, out);
        }
        let mut head = json!({
            "id": format!("{org}:STIXPackage-{uuid}"),
            "version": self.version,
            "timestamp": stamp,
            "stix_header": header(title),
        })
        .to_string();
        head.pop();
        if events {
            head.push_str(",\"related_packages\":{\"related_packages\":[");
        }
        self.put(&head, out);
    }

    fn passes(&self) -> usize {
        // Attributes without their event have nothing to tell a history of.
        if self.scope == Scope::Events { 3 } else { 2 }
    }

    fn event(&mut self, event: &EventSummary<'_>, tags: &[&str], out: &mut Vec<u8>) {
        self.begin_event(event, out);
        const LEVELS: [&str; 4] = ["High", "Medium", "Low", "Undefined"];
        let level = usize::try_from(event.threat_level_id - 1).ok().and_then(|at| LEVELS.get(at));
        self.entries = level.map(|level| format!("Event Threat Level: {level}")).into_iter().collect();
        self.entries.push(format!("MISP Tag: {}", crate::stix2::TOOL));
        self.entries.extend(tags.iter().map(|tag| format!("MISP Tag: {tag}")));
    }

    fn begin_pass(&mut self, pass: usize, out: &mut Vec<u8>) {
        self.close_list(out);
        // In a package observables come before indicators, in an incident behind them.
        self.pass = match (self.scope, pass) {
            (Scope::Attributes, 0) => OBSERVABLES,
            (Scope::Attributes, _) => INDICATORS,
            (_, pass) => pass,
        };
        if self.scope == Scope::Events && self.pass == HISTORY {
            for entry in std::mem::take(&mut self.entries) {
                self.journal(&entry, out);
            }
        }
    }

    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>) {
        let view = &row.attribute;
        let rule = rule(view).filter(|_| view.to_ids);
        let list = if rule.is_some() { Vec::new() } else { properties::of(view) };
        let known = rule.is_some() || !list.is_empty();
        match (self.pass, view.to_ids) {
            (INDICATORS, true) if known => self.write_indicator(row, &list, rule, out),
            (OBSERVABLES, false) if !list.is_empty() => self.write_observable(view, &list, out),
            (HISTORY, _) if !known => {
                let text =
                    format!("Attribute ({} - {}): {}", view.category.name(), view.kind.name(), view.value());
                self.journal(&text, out);
            }
            _ => {}
        }
    }

    fn end_event(&mut self, out: &mut Vec<u8>) {
        self.close_event(out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.close_list(out);
        let text = match (self.form, self.scope) {
            (Form::Xml, Scope::Events) => "</stix:Related_Packages></stix:STIX_Package>\n",
            (Form::Xml, Scope::Attributes) => "</stix:STIX_Package>\n",
            (Form::Json, Scope::Events) => "]}}",
            (Form::Json, Scope::Attributes) => "}",
        };
        self.put(text, out);
    }

    fn content_type(&self) -> &'static str {
        if self.xml() { "application/xml; charset=UTF-8" } else { "application/json; charset=UTF-8" }
    }

    fn extension(&self) -> &'static str {
        if self.xml() { "xml" } else { "json" }
    }

    fn wants_event_tags(&self) -> bool {
        true
    }
}
