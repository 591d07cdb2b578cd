//! What a module is asked.

use crate::description::{Format, Module};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pisax_model::Uuid;
use pisax_model::attribute::AttributeView;
use pisax_wire::JsonWriter;
use pisax_wire::attribute_out::{AttributeContext, Data, write_viewed_attribute};

/// The attribute a question is about.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub attribute: AttributeView<'a>,
    pub event_uuid: Option<Uuid>,
    /// What is attached to it.
    pub data: Option<&'a [u8]>,
}

/// A question in a client's own words.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent(serde_json::Map<String, serde_json::Value>);

impl Sent {
    /// `None`: no JSON object.
    pub fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().map(Self)
    }

    /// To make text of the page at an address.
    pub fn page(module: &str, event_id: i64, url: &str) -> Self {
        let mut sent = Self::for_event(module, event_id);
        sent.0.insert("url".to_owned(), url.into());
        sent
    }

    /// To make text of a file.
    pub fn file(module: &str, event_id: i64, bytes: &[u8]) -> Self {
        let mut sent = Self::for_event(module, event_id);
        sent.0.insert("attachment".to_owned(), "temp.foo".into());
        sent.0.insert("data".to_owned(), STANDARD.encode(bytes).into());
        sent
    }

    fn for_event(module: &str, event_id: i64) -> Self {
        let mut sent = serde_json::Map::new();
        sent.insert("module".to_owned(), module.into());
        sent.insert("event_id".to_owned(), event_id.to_string().into());
        Self(sent)
    }

    /// The module it is for; empty when it names none.
    pub fn module(&self) -> &str {
        self.0.get("module").and_then(serde_json::Value::as_str).unwrap_or_default()
    }
}

/// One question for one module.
pub struct Question {
    pub(crate) body: Vec<u8>,
}

impl Question {
    /// About an attribute, in the form the module takes, with the module's settings.
    pub fn about(module: &Module, subject: Subject<'_>, config: &[(String, String)]) -> Self {
        let mut body = Vec::with_capacity(512);
        let mut w = JsonWriter::new(&mut body);
        let attribute = &subject.attribute;
        w.begin_object();
        w.key("module");
        w.str(&module.name);
        w.key("event_id");
        w.str_num(attribute.event_id);
        w.key("attribute_uuid");
        w.uuid(attribute.uuid);
        if !module.config.is_empty() {
            w.key("config");
            w.begin_object();
            for name in &module.config {
                w.key(name);
                match config.iter().find(|(known, _)| known == name) {
                    Some((_, value)) => w.str(value),
                    None => w.null(),
                }
            }
            w.end_object();
        }
        match module.format {
            Format::Standard => {
                w.key("attribute");
                let context = AttributeContext {
                    event_uuid: subject.event_uuid,
                    data: subject.data.map(Data::Bytes),
                    ..AttributeContext::default()
                };
                write_viewed_attribute(&mut w, attribute, &context);
            }
            Format::Simplified => {
                w.key(attribute.kind.name());
                w.str(&attribute.value());
                if let Some(data) = subject.data {
                    w.key("data");
                    w.base64(data);
                }
            }
        }
        w.end_object();
        Self { body }
    }

    /// As a client wrote it, with the module's settings in place of any it sent.
    pub fn relayed(module: &Module, sent: &Sent, config: &[(String, String)]) -> Self {
        let mut body = sent.0.clone();
        let settings: serde_json::Map<_, _> = module
            .config
            .iter()
            .map(|name| {
                let value = config.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
                (name.clone(), value.into())
            })
            .collect();
        body.remove("config");
        if !settings.is_empty() {
            body.insert("config".to_owned(), settings.into());
        }
        Self { body: serde_json::Value::Object(body).to_string().into_bytes() }
    }
}
