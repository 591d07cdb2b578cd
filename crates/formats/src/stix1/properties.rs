//! CybOX properties of the attribute types STIX 1 has words for, as one tree that is written as XML and as
//! JSON.

use crate::stix2::hash_label;
use pisax_model::attribute::AttributeView;
use serde_json::{Value, json};

/// A property in both tongues.
pub(super) struct Properties {
    /// `AddressObj`.
    pub prefix: &'static str,
    /// `AddressObjectType`.
    pub kind: &'static str,
    /// Attributes of the XML element.
    pub flags: String,
    pub inner: String,
    pub json: Value,
    /// What watches for it (IndicatorTypeVocab-1.1).
    pub watchlist: &'static str,
}

fn equals(prefix: &str, name: &str, value: &str) -> String {
    format!("<{prefix}:{name} condition=\"Equals\">{}</{prefix}:{name}>", crate::xml::escaped(value))
}

fn said(value: &str) -> Value {
    json!({"value": value, "condition": "Equals"})
}

fn plain(
    prefix: &'static str,
    kind: &'static str,
    element: &str,
    key: &str,
    value: &str,
    watchlist: &'static str,
) -> Properties {
    Properties {
        prefix,
        kind,
        flags: String::new(),
        inner: equals(prefix, element, value),
        json: json!({key: said(value), "xsi:type": kind}),
        watchlist,
    }
}

fn address(value: &str, source: bool) -> Properties {
    let category = if value.contains(':') { "ipv6-addr" } else { "ipv4-addr" };
    Properties {
        prefix: "AddressObj",
        kind: "AddressObjectType",
        flags: format!(" category=\"{category}\" is_source=\"{source}\" is_destination=\"{}\"", !source),
        inner: equals("AddressObj", "Address_Value", value),
        json: json!({
            "category": category,
            "address_value": said(value),
            "is_source": source,
            "is_destination": !source,
            "xsi:type": "AddressObjectType",
        }),
        watchlist: "IP Watchlist",
    }
}

fn email(member: &str, key: &str, value: &str) -> Properties {
    let is_address = matches!(member, "From" | "To" | "Reply_To");
    let (inner, json) = if is_address {
        let address = equals("AddressObj", "Address_Value", value);
        let kind = "xsi:type=\"AddressObj:AddressObjectType\" category=\"e-mail\"";
        let json =
            json!({"category": "e-mail", "address_value": said(value), "xsi:type": "AddressObjectType"});
        if member == "To" {
            let one = format!("<EmailMessageObj:Recipient {kind}>{address}</EmailMessageObj:Recipient>");
            (format!("<EmailMessageObj:To>{one}</EmailMessageObj:To>"), json!([json]))
        } else {
            (format!("<EmailMessageObj:{member} {kind}>{address}</EmailMessageObj:{member}>"), json)
        }
    } else {
        (equals("EmailMessageObj", member, value), said(value))
    };
    Properties {
        prefix: "EmailMessageObj",
        kind: "EmailMessageObjectType",
        flags: String::new(),
        inner: format!("<EmailMessageObj:Header>{inner}</EmailMessageObj:Header>"),
        json: json!({"header": {key: json}, "xsi:type": "EmailMessageObjectType"}),
        watchlist: "Malicious E-mail",
    }
}

fn file(name: Option<&str>, hash: Option<(&str, &str)>) -> Properties {
    let (mut inner, mut json) = (String::new(), json!({"xsi:type": "FileObjectType"}));
    if let Some(name) = name {
        inner.push_str(&equals("FileObj", "File_Name", name));
        json["file_name"] = said(name);
    }
    if let Some((kind, value)) = hash {
        let fuzzy = kind == "SSDEEP";
        let element = if fuzzy { "Fuzzy_Hash_Value" } else { "Simple_Hash_Value" };
        // Names outside of the vocabulary may stand there, but not as words of it.
        let known = matches!(kind, "MD5" | "SHA1" | "SHA224" | "SHA256" | "SHA384" | "SHA512" | "SSDEEP");
        let vocabulary = if known { " xsi:type=\"cyboxVocabs:HashNameVocab-1.0\"" } else { "" };
        inner.push_str(&format!(
            "<FileObj:Hashes><cyboxCommon:Hash><cyboxCommon:Type condition=\"Equals\"{vocabulary}>{kind}\
             </cyboxCommon:Type>{}</cyboxCommon:Hash></FileObj:Hashes>",
            equals("cyboxCommon", element, value)
        ));
        let member = if fuzzy { "fuzzy_hash_value" } else { "simple_hash_value" };
        let mut name = said(kind);
        if known {
            name["xsi:type"] = "cyboxVocabs:HashNameVocab-1.0".into();
        }
        json["hashes"] = json!([{"type": name, member: said(value)}]);
    }
    Properties {
        prefix: "FileObj",
        kind: "FileObjectType",
        flags: String::new(),
        inner,
        json,
        watchlist: "File Hash Watchlist",
    }
}

fn socket(ip: &str, port: &str, source: bool) -> Properties {
    let address = address(ip, source);
    let port_xml = equals("PortObj", "Port_Value", port);
    Properties {
        prefix: "SocketAddressObj",
        kind: "SocketAddressObjectType",
        flags: String::new(),
        inner: format!(
            "<SocketAddressObj:IP_Address xsi:type=\"AddressObj:AddressObjectType\"{}>{}</SocketAddressObj:IP_Address>\
             <SocketAddressObj:Port xsi:type=\"PortObj:PortObjectType\">{port_xml}</SocketAddressObj:Port>",
            address.flags, address.inner
        ),
        json: json!({
            "ip_address": address.json,
            "port": {"port_value": said(port), "xsi:type": "PortObjectType"},
            "xsi:type": "SocketAddressObjectType",
        }),
        watchlist: "IP Watchlist",
    }
}

fn registry(key: &str, data: Option<&str>) -> Properties {
    let mut of =
        plain("WinRegistryKeyObj", "WindowsRegistryKeyObjectType", "Key", "key", key, "Host Characteristics");
    if let Some(data) = data {
        of.inner.push_str(&format!(
            "<WinRegistryKeyObj:Values><WinRegistryKeyObj:Value>{}</WinRegistryKeyObj:Value></WinRegistryKeyObj:Values>",
            equals("WinRegistryKeyObj", "Data", data)
        ));
        of.json["values"] = json!([{"data": said(data)}]);
    }
    of
}

fn http(path: &[&str], keys: &[&str], value: &str) -> Properties {
    const ROOT: &str = "HTTPSessionObj";
    let mut inner = equals(ROOT, path[path.len() - 1], value);
    for name in path[..path.len() - 1].iter().rev() {
        inner = format!("<{ROOT}:{name}>{inner}</{ROOT}:{name}>");
    }
    let json = keys.iter().rev().fold(said(value), |json, key| json!({*key: json}));
    Properties {
        prefix: ROOT,
        kind: "HTTPSessionObjectType",
        flags: String::new(),
        inner: format!(
            "<{ROOT}:HTTP_Request_Response><{ROOT}:HTTP_Client_Request>{inner}</{ROOT}:HTTP_Client_Request></{ROOT}:HTTP_Request_Response>"
        ),
        json: json!({"http_request_response": [{"http_client_request": json}], "xsi:type": "HTTPSessionObjectType"}),
        watchlist: "Malware Artifacts",
    }
}

/// The properties of an attribute; several for a composite of two different things, none when STIX 1 has
/// no word for it.
pub(super) fn of(view: &AttributeView<'_>) -> Vec<Properties> {
    let (one, two) = (view.value1, view.value2);
    let domain =
        |value| plain("DomainNameObj", "DomainNameObjectType", "Value", "value", value, "Domain Watchlist");
    let host = |value| {
        plain(
            "HostnameObj",
            "HostnameObjectType",
            "Hostname_Value",
            "hostname_value",
            value,
            "Domain Watchlist",
        )
    };
    let port = |value| plain("PortObj", "PortObjectType", "Port_Value", "port_value", value, "IP Watchlist");
    match view.kind.name() {
        "ip-src" => vec![address(one, true)],
        "ip-dst" => vec![address(one, false)],
        "ip-src|port" => vec![socket(one, two, true)],
        "ip-dst|port" => vec![socket(one, two, false)],
        "domain" => vec![domain(one)],
        "domain|ip" => vec![domain(one), address(two, false)],
        "hostname" => vec![host(one)],
        "hostname|port" => vec![host(one), port(two)],
        "port" => vec![port(one)],
        "url" | "link" | "uri" => {
            let mut uri = plain("URIObj", "URIObjectType", "Value", "value", one, "URL Watchlist");
            uri.flags = " type=\"URL\"".into();
            uri.json["type"] = "URL".into();
            vec![uri]
        }
        "AS" => vec![plain("ASObj", "ASObjectType", "Handle", "handle", one, "IP Watchlist")],
        "email-src" | "email" => vec![email("From", "from", one)],
        "email-dst" => vec![email("To", "to", one)],
        "email-subject" => vec![email("Subject", "subject", one)],
        "email-reply-to" => vec![email("Reply_To", "reply_to", one)],
        "mutex" => vec![plain("MutexObj", "MutexObjectType", "Name", "name", one, "Host Characteristics")],
        "regkey" => vec![registry(one, None)],
        "regkey|value" => vec![registry(one, Some(two))],
        "named pipe" => vec![plain("PipeObj", "PipeObjectType", "Name", "name", one, "Host Characteristics")],
        "user-agent" => {
            let path = ["HTTP_Request_Header", "Parsed_Header", "User_Agent"];
            vec![http(&path, &["http_request_header", "parsed_header", "user_agent"], one)]
        }
        "http-method" => {
            let path = ["HTTP_Request_Line", "HTTP_Method"];
            vec![http(&path, &["http_request_line", "http_method"], one)]
        }
        "filename" | "attachment" => vec![file(Some(one), None)],
        "malware-sample" => vec![file(Some(one), Some(("MD5", two)))],
        kind => match (kind.strip_prefix("filename|"), kind.strip_prefix("x509-fingerprint-")) {
            (Some(hash), _) => {
                hash_label(hash).map(|hash| file(Some(one), Some((&hash, two)))).into_iter().collect()
            }
            (_, Some(hash)) => {
                let algorithm = hash.to_ascii_uppercase();
                const X509: &str = "X509CertificateObj";
                let inner = format!(
                    "<{X509}:Certificate_Signature>{}{}</{X509}:Certificate_Signature>",
                    equals(X509, "Signature_Algorithm", &algorithm),
                    equals(X509, "Signature", one)
                );
                let signature = json!({"signature_algorithm": said(&algorithm), "signature": said(one)});
                vec![Properties {
                    prefix: X509,
                    kind: "X509CertificateObjectType",
                    flags: String::new(),
                    inner,
                    json: json!({"certificate_signature": signature, "xsi:type": "X509CertificateObjectType"}),
                    watchlist: "Malware Artifacts",
                }]
            }
            _ => hash_label(kind).map(|hash| file(None, Some((&hash, one)))).into_iter().collect(),
        },
    }
}
