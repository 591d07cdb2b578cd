//! `openioc`: OpenIOC 1.0, one indicator of which any item is enough.

use super::{AttributeFormat, ExportOptions, ExportRow};
use crate::xml::escaped;
use pisax_model::time;

pub(super) struct OpenIoc {
    org: String,
    now: i64,
    id: pisax_model::Uuid,
}

impl OpenIoc {
    pub(super) fn new(options: &ExportOptions) -> Self {
        let id = crate::stix2::derived_id(&format!("ioc {} {}", options.base_url, options.now));
        Self { org: options.org.clone(), now: options.now, id }
    }
}

/// Document, search term and type of content.
type Term = (&'static str, &'static str, &'static str);

const NAME: Term = ("FileItem", "FileItem/FileName", "string");

fn simple(kind: &str) -> Option<Term> {
    Some(match kind {
        "md5" => ("FileItem", "FileItem/Md5sum", "md5"),
        "sha1" => ("FileItem", "FileItem/Sha1sum", "sha1"),
        "sha256" => ("FileItem", "FileItem/Sha256sum", "sha256"),
        "filename" | "attachment" => NAME,
        "ip-src" => ("PortItem", "PortItem/remoteIP", "IP"),
        "ip-dst" => ("RouteEntryItem", "RouteEntryItem/Destination", "IP"),
        "hostname" => ("RouteEntryItem", "RouteEntryItem/Destination", "string"),
        "email" | "email-src" => ("Email", "Email/From", "string"),
        "email-dst" => ("Email", "Email/To", "string"),
        "email-subject" => ("Email", "Email/Subject", "string"),
        "email-attachment" => ("Email", "Email/Attachment/Name", "string"),
        "domain" => ("Network", "Network/DNS", "string"),
        "url" | "link" => ("UrlHistoryItem", "UrlHistoryItem/URL", "string"),
        "user-agent" => ("Network", "Network/UserAgent", "string"),
        "regkey" => ("RegistryItem", "RegistryItem/KeyPath", "string"),
        "snort" => ("Snort", "Snort/Snort", "string"),
        _ => return None,
    })
}

fn composite(kind: &str) -> Option<[Term; 2]> {
    Some(match kind {
        "regkey|value" => [
            ("RegistryItem", "RegistryItem/KeyPath", "string"),
            ("RegistryItem", "RegistryItem/Value", "string"),
        ],
        "domain|ip" => [("Network", "Network/DNS", "string"), ("PortItem", "PortItem/remoteIP", "IP")],
        "malware-sample" => [NAME, simple("md5")?],
        "filename|md5" | "filename|sha1" | "filename|sha256" => [NAME, simple(&kind["filename|".len()..])?],
        _ => return None,
    })
}

fn item(term: Term, uuid: pisax_model::Uuid, value: &str, out: &mut Vec<u8>) {
    let (document, search, kind) = term;
    let text = format!(
        "      <IndicatorItem id=\"{uuid}\" condition=\"is\">\n        \
         <Context document=\"{document}\" search=\"{search}\" type=\"mir\" />\n        \
         <Content type=\"{kind}\">{}</Content>\n      </IndicatorItem>\n",
        escaped(value)
    );
    out.extend_from_slice(text.as_bytes());
}

impl AttributeFormat for OpenIoc {
    fn begin(&mut self, out: &mut Vec<u8>) {
        let stamp = time::format_datetime(self.now).replace(' ', "T");
        let (id, org) = (self.id, escaped(&self.org));
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <ioc xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
             id=\"{id}\" last-modified=\"{stamp}\" xmlns=\"http://schemas.mandiant.com/2010/ioc\">\n  \
             <short_description>Filtered indicator list</short_description>\n  \
             <description>Filtered indicator list</description>\n  <keywords />\n  <authored_by>{org}</authored_by>\n  \
             <authored_date>{stamp}</authored_date>\n  <links />\n  <definition>\n    \
             <Indicator operator=\"OR\" id=\"{id}\">\n"
        );
        out.extend_from_slice(text.as_bytes());
    }

    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>) {
        let attribute = &row.attribute;
        let category = matches!(
            attribute.category.name(),
            "Payload delivery"
                | "Artifacts dropped"
                | "Payload installation"
                | "Persistence mechanism"
                | "Network activity"
        );
        if !category || !attribute.to_ids {
            return;
        }
        let kind = attribute.kind.name();
        if let Some([one, two]) = composite(kind) {
            let head = format!("      <Indicator operator=\"AND\" id=\"{}\">\n", attribute.uuid);
            out.extend_from_slice(head.as_bytes());
            item(one, attribute.uuid, attribute.value1, out);
            item(two, attribute.uuid, attribute.value2, out);
            out.extend_from_slice(b"      </Indicator>\n");
        } else if let Some(term) = simple(kind) {
            item(term, attribute.uuid, attribute.value1, out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"    </Indicator>\n  </definition>\n</ioc>\n");
    }

    fn content_type(&self) -> &'static str {
        "application/xml; charset=UTF-8"
    }

    fn extension(&self) -> &'static str {
        "ioc"
    }

    fn restrictive(&self) -> bool {
        true
    }
}
