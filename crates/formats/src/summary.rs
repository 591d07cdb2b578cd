//! What a user wants to have summed up: the JSON of `periodic_notification_filters`.

use serde_json::Value;

/// What somebody wants to have summed up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Creator organisations.
    pub orgs: Vec<String>,
    pub distribution: Option<i64>,
    pub sharing_groups: Vec<String>,
    pub info: String,
    /// Those that begin with `!` are not to be there.
    pub tags: Vec<String>,
    /// Beginnings of the tags that are counted; none: all.
    pub trending: Vec<String>,
    pub correlations: bool,
}

impl Wishes {
    /// Reads the user setting; the error says what would be right.
    pub fn read(json: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(json).map_err(|_| "Invalid JSON.")?;
        let mut wishes = Self::default();
        let members = match &value {
            Value::Object(members) => members,
            // An empty one, as PHP writes it.
            Value::Array(items) if items.is_empty() => return Ok(wishes),
            _ => return Err("Expected an object of orgc_id, distribution and the like.".into()),
        };
        for (key, value) in members {
            let list = || texts(value).ok_or_else(|| format!("{key}: expected a text or a list of texts."));
            match key.as_str() {
                "orgc_id" => wishes.orgs = list()?,
                "sharing_group_id" => wishes.sharing_groups = list()?,
                "tags" => wishes.tags = list()?,
                "trending_for_tags" => wishes.trending = list()?,
                "event_info" => wishes.info = list()?.into_iter().next().unwrap_or_default(),
                "distribution" => {
                    let level = list()?.into_iter().next().unwrap_or_default();
                    let number = match level.as_str() {
                        "" => -1,
                        text => text.parse().map_err(|_| "distribution: expected a number.".to_owned())?,
                    };
                    wishes.distribution = Some(number).filter(|n| *n >= 0);
                }
                "include_correlations" => {
                    let wanted = list()?.into_iter().next().unwrap_or_default();
                    wishes.correlations = !matches!(wanted.as_str(), "" | "0" | "false");
                }
                // How far MISP's page looks back for trends; a mail compares with the time before.
                "trending_period_amount" => {}
                other => return Err(format!("{other}: there is no such filter.")),
            }
        }
        Ok(wishes)
    }
}

/// One text, a list of them, or such a list written as JSON.
fn texts(value: &Value) -> Option<Vec<String>> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(i64::from(*flag).to_string()),
        _ => None,
    };
    match value {
        Value::Null => Some(Vec::new()),
        Value::Array(items) => items.iter().map(one).collect(),
        Value::String(text) if text.starts_with('[') => match serde_json::from_str(text).ok()? {
            Value::Array(items) => items.iter().map(one).collect(),
            _ => None,
        },
        Value::String(text) if text.is_empty() => Some(Vec::new()),
        other => Some(vec![one(other)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_in_every_form_clients_send() {
        let wishes = Wishes::read(
            r#"{"orgc_id":[1,"2"],"distribution":"3","sharing_group_id":"","event_info":"ddos",
                "tags":"[\"tlp:red\",\"!x\"]","include_correlations":"1","trending_period_amount":2}"#,
        );
        let expected = Wishes {
            orgs: vec!["1".into(), "2".into()],
            distribution: Some(3),
            info: "ddos".into(),
            tags: vec!["tlp:red".into(), "!x".into()],
            correlations: true,
            ..Wishes::default()
        };
        assert_eq!(wishes, Ok(expected));
        assert_eq!(Wishes::read("[]"), Ok(Wishes::default()));
        assert_eq!(Wishes::read(r#"{"distribution":-1}"#), Ok(Wishes::default()));
        for (bad, why) in [
            ("7", "orgc_id"),
            ("{", "JSON"),
            (r#"{"tags":{"a":1}}"#, "tags"),
            (r#"{"distribution":"far"}"#, "distribution"),
            (r#"{"tag":"x"}"#, "tag"),
        ] {
            assert!(Wishes::read(bad).unwrap_err().contains(why), "{bad}");
        }
    }
}
