//! What a module says of itself.

use serde_json::Value;

/// How a module is asked and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A type and a value; types and values come back.
    Simplified,
    /// A whole attribute; attributes and objects come back.
    Standard,
}

/// A module, as its server lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    pub name: String,
    /// Attribute types it takes.
    pub input: Vec<String>,
    pub format: Format,
    /// `expansion`, `hover`, `import`, `export`, `action`.
    pub kinds: Vec<String>,
    /// Names of its settings.
    pub config: Vec<String>,
    /// All of it, for clients who ask; without the settings, whose values are nobody's business.
    pub listed: Value,
}

/// Most modules of one server; the MISP project's has 170.
const MOST: usize = 5000;

impl Module {
    /// What is no description of a module is left out.
    pub(crate) fn list(value: &Value) -> Vec<Self> {
        value.as_array().into_iter().flatten().take(MOST).filter_map(Self::read).collect()
    }

    fn read(value: &Value) -> Option<Self> {
        let name = value.get("name")?.as_str()?.to_owned();
        let attributes = value.get("mispattributes").unwrap_or(&Value::Null);
        let meta = value.get("meta").unwrap_or(&Value::Null);
        let format = match attributes.get("format").and_then(Value::as_str) {
            Some("misp_standard") => Format::Standard,
            _ => Format::Simplified,
        };
        let mut listed = value.clone();
        if let Some(meta) = listed.get_mut("meta").and_then(Value::as_object_mut) {
            meta.remove("config");
        }
        Some(Self {
            input: texts(attributes.get("input")),
            format,
            kinds: texts(meta.get("module-type")),
            config: texts(meta.get("config")),
            name,
            listed,
        })
    }

    pub fn is(&self, kind: &str) -> bool {
        self.kinds.iter().any(|k| k == kind)
    }

    pub fn takes(&self, attribute_type: &str) -> bool {
        self.input.iter().any(|input| input == attribute_type)
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|v| Some(v.as_str()?.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn modules_are_read_and_their_settings_are_not_shown() {
        let list = Module::list(&json!([
            {"name": "one", "type": "expansion", "mispattributes": {"input": ["url"], "format": "misp_standard"},
             "meta": {"module-type": ["expansion", "hover"], "config": ["apikey"]}},
            {"name": "two", "mispattributes": {"input": ["ip-src"]}, "meta": {"config": {"a": "b"}}},
            {"no": "name"}, 7,
        ]));
        assert_eq!(list.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!((list[0].format, list[1].format), (Format::Standard, Format::Simplified));
        assert!(list[0].is("hover") && list[0].takes("url") && !list[0].takes("ip-src"));
        assert_eq!(list[0].config, ["apikey"]);
        assert!(!list[0].listed.to_string().contains("apikey"));
        assert_eq!(Module::list(&json!({"error": "no"})), []);
    }
}
