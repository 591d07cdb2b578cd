//! What travels through a workflow: a tree in MISP's core format. [`super::path`] picks from it.

/// A value of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Data {
    #[default]
    Null,
    Flag(bool),
    Number(i64),
    Text(String),
    List(Vec<Data>),
    /// Members in the order they came in.
    Map(Vec<(String, Data)>),
}

impl From<&str> for Data {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Data {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Data {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// Numbers are texts in MISP's core format.
impl From<i64> for Data {
    fn from(number: i64) -> Self {
        Self::Text(number.to_string())
    }
}

impl Data {
    /// A map of these members.
    pub fn map<const N: usize>(members: [(&str, Data); N]) -> Self {
        Self::Map(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    pub fn member(&self, key: &str) -> Option<&Data> {
        match self {
            Self::Map(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            Self::List(items) => key.parse::<usize>().ok().and_then(|i| items.get(i)),
            _ => None,
        }
    }

    /// Writes a member of a map, there or not.
    pub fn put(&mut self, key: &str, value: Data) {
        let Self::Map(members) = self else { return };
        match members.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => members.push((key.to_owned(), value)),
        }
    }

    /// The text of a scalar; a yes is `1`, a no and nothing are empty, as in the language of MISP.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Null => Some(String::new()),
            Self::Flag(flag) => Some(if *flag { "1".into() } else { String::new() }),
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The texts of a list, or of the one value that stands for it; an empty text is none.
    pub fn texts(&self) -> Vec<String> {
        match self {
            Self::List(items) => items.iter().filter_map(Data::text).collect(),
            Self::Map(members) => members.iter().filter_map(|(_, value)| value.text()).collect(),
            one => one.text().filter(|text| !text.is_empty()).into_iter().collect(),
        }
    }

    pub fn is_scalar(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Map(_))
    }

    /// Neither nothing nor an empty text, list or map, nor a no.
    pub fn is_filled(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Flag(flag) => *flag,
            Self::Number(number) => *number != 0,
            Self::Text(text) => !matches!(text.as_str(), "" | "0"),
            Self::List(items) => !items.is_empty(),
            Self::Map(members) => !members.is_empty(),
        }
    }

    /// Whether two scalars mean the same: `true`, `1` and `"1"` do.
    pub fn is_like(&self, other: &Data) -> bool {
        match (self, other) {
            (Self::Flag(one), other) | (other, Self::Flag(one)) => match other {
                Self::Text(text) if text.eq_ignore_ascii_case("false") => !*one,
                other => other.is_filled() == *one,
            },
            (one, other) => one.is_scalar() && other.is_scalar() && one.text() == other.text(),
        }
    }

    /// What stands at a path without choices (`Event.Orgc.name`, `Event.Tag.0`).
    pub fn at(&self, path: &str) -> Option<&Data> {
        path.split('.').filter(|key| !key.is_empty()).try_fold(self, |data, key| data.member(key))
    }

    /// Writes what stands at a path of keys; nothing happens where there is no way to it.
    pub fn put_at(&mut self, path: &str, value: Data) {
        let (above, key) = path.rsplit_once('.').unwrap_or(("", path));
        let mut place = self;
        for step in above.split('.').filter(|key| !key.is_empty()) {
            let Self::Map(members) = place else { return };
            let Some((_, next)) = members.iter_mut().find(|(name, _)| name == step) else { return };
            place = next;
        }
        place.put(key, value);
    }

    /// Does this to every attribute of the event with one of these numbers, wherever it stands.
    pub fn each_attribute(&mut self, wanted: &dyn Fn(i64) -> bool, change: &mut dyn FnMut(i64, &mut Data)) {
        let Some(event) = self.member_mut("Event") else { return };
        let mut all = |list: Option<&mut Data>| {
            let Some(Self::List(items)) = list else { return };
            for item in items {
                let id = item.member("id").and_then(Data::text).and_then(|id| id.parse().ok());
                if let Some(id) = id.filter(|id| wanted(*id)) {
                    change(id, item);
                }
            }
        };
        all(event.member_mut("Attribute"));
        all(event.member_mut("_AttributeFlattened"));
        if let Some(Self::List(objects)) = event.member_mut("Object") {
            objects.iter_mut().for_each(|object| all(object.member_mut("Attribute")));
        }
    }

    fn member_mut(&mut self, key: &str) -> Option<&mut Data> {
        let Self::Map(members) = self else { return None };
        members.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Data {
        let attribute = |kind: &str, value: &str| Data::map([("type", kind.into()), ("value", value.into())]);
        let tag = |name: &str| Data::map([("name", name.into())]);
        Data::map([(
            "Event",
            Data::map([
                ("info", "An event".into()),
                ("published", true.into()),
                ("threat_level_id", 1.into()),
                ("Tag", Data::List(vec![tag("tlp:red"), tag("pap:green")])),
                (
                    "Attribute",
                    Data::List(vec![attribute("domain", "a.example"), attribute("ip-src", "192.0.2.1")]),
                ),
            ]),
        )])
    }

    #[test]
    fn scalars_are_alike_in_every_spelling() {
        let alike = |one: Data, other: Data| one.is_like(&other);
        assert!(alike(true.into(), "1".into()) && alike("true".into(), true.into()));
        assert!(alike(false.into(), "0".into()) && alike(false.into(), "".into()));
        assert!(alike(Data::Number(4), "4".into()));
        assert!(!alike("4".into(), "04".into()) && !alike(Data::List(Vec::new()), "".into()));
    }

    #[test]
    fn what_stands_at_a_path_is_replaced() {
        let mut data = event();
        data.put_at("Event.Tag", Data::List(Vec::new()));
        assert!(data.pick("Event.Tag.{n}").is_empty());
        data.put_at("No.where", Data::Null);
        assert_eq!(data.at("No"), None);
    }

    #[test]
    fn an_attribute_is_changed_wherever_it_stands() {
        let attribute = |id: i64| Data::map([("id", id.into())]);
        let inside = Data::map([("Attribute", Data::List(vec![attribute(2)]))]);
        let mut data = Data::map([(
            "Event",
            Data::map([
                ("Attribute", Data::List(vec![attribute(1)])),
                ("Object", Data::List(vec![inside])),
                ("_AttributeFlattened", Data::List(vec![attribute(1), attribute(2)])),
            ]),
        )]);
        data.each_attribute(&|id| id == 2, &mut |_, attribute| attribute.put("comment", "x".into()));
        assert_eq!(data.pick("Event.Object.{n}.Attribute.{n}.comment"), [&Data::from("x")]);
        assert_eq!(data.pick("Event._AttributeFlattened.{n}[comment=x].id"), [&Data::from("2")]);
        assert!(data.pick("Event.Attribute.{n}[comment]").is_empty());
    }
}
