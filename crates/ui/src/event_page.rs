//! One event: what it is, what it is made of, what else is like it, who may see it.

use askama::Template;

use crate::{Chrome, Indicator, Paging, Tag, Time, filters, links, words};

/// The page of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "event_page.html")]
pub struct EventPage {
    pub chrome: Chrome,
    pub id: i64,
    pub uuid: String,
    pub info: String,
    /// `YYYY-MM-DD`.
    pub date: String,
    /// When it was published; `None`: it is not.
    pub published: Option<Time>,
    pub changed: Time,
    pub creator_org: String,
    pub owner_org: String,
    /// Only for those who may know.
    pub creator_user: Option<String>,
    /// From [`words::threat_level`].
    pub threat_level: String,
    /// From [`words::analysis`].
    pub analysis: String,
    /// From [`words::visibility_sentence`].
    pub visibility: String,
    pub extends: Option<EventLink>,
    /// Correlation is switched off for the whole event.
    pub no_correlation: bool,
    pub tags: Vec<Tag>,

    /// All the event's attributes, those of objects too, exactly.
    pub attribute_count: u64,
    pub object_count: u64,
    /// What stands in the filter box.
    pub filter: String,
    /// `total` counts what passes the filter. 500 a page.
    pub paging: Paging,
    /// This page's attributes outside objects.
    pub attributes: Vec<AttributeRow>,
    /// This page's objects with their attributes.
    pub objects: Vec<ObjectRow>,
    pub related: Related,

    /// Whether to offer what changes the event.
    pub may_edit: bool,
    /// Publishing, or taking it back: "Publish to 3 organisations".
    pub publish: Option<PostAction>,
}

/// One attribute, alone or in an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeRow {
    pub id: i64,
    pub uuid: String,
    pub category: String,
    /// MISP's type name.
    pub kind: String,
    /// Its part in its object; empty outside.
    pub relation: String,
    pub value: Indicator,
    pub comment: String,
    pub to_ids: bool,
    /// From [`words::visibility`].
    pub visibility: String,
    pub tags: Vec<Tag>,
    /// How many attributes of other events correlate with it, exactly.
    pub related_count: u64,
    /// The first few of those events.
    pub related: Vec<EventLink>,
    /// How many of the correlating attributes are beyond these events.
    pub related_rest: u64,
    pub seen: Seen,
    /// Warninglists the value is on.
    pub warnings: Vec<String>,
    pub deleted: bool,
    pub may_edit: bool,
}

/// When something was first and last seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    pub first: Option<Time>,
    pub last: Option<Time>,
}

/// An object with those of its attributes that are on this page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectRow {
    pub id: i64,
    pub uuid: String,
    /// The template's name.
    pub name: String,
    pub meta_category: String,
    pub comment: String,
    /// From [`words::visibility`].
    pub visibility: String,
    pub seen: Seen,
    pub references: Vec<ObjectReference>,
    pub attributes: Vec<AttributeRow>,
    pub deleted: bool,
}

/// What an object says of another object or attribute of the event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectReference {
    /// `connects-to`.
    pub relationship: String,
    /// What the target is called: an object's name, an attribute's value.
    pub target: String,
    pub target_uuid: String,
    /// The target is an object, not an attribute.
    pub to_object: bool,
    pub comment: String,
}

/// Another event, where only its name is needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventLink {
    pub id: i64,
    pub info: String,
}

/// Events that share a value with this one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Related {
    /// All of them, exactly.
    pub total: u64,
    /// Those shown, most shared values first.
    pub events: Vec<RelatedEvent>,
}

/// One event that shares values with this one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelatedEvent {
    pub id: i64,
    pub info: String,
    pub date: String,
    pub org: String,
    /// How many values they share, exactly.
    pub shared: u64,
}

/// A button that posts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostAction {
    pub url: String,
    /// What happens: "Publish to 3 organisations".
    pub label: String,
    /// The question asked before it does; empty: none.
    pub confirm: String,
}

impl EventLink {
    fn href(&self) -> String {
        links::event(self.id)
    }
}

impl RelatedEvent {
    fn href(&self) -> String {
        links::event(self.id)
    }

    fn shared_words(&self) -> String {
        words::counted(self.shared, "shared value", "shared values")
    }
}

impl Related {
    /// "1,234 events share values with this one; showing 50 of them".
    fn words(&self) -> String {
        let shown = self.events.len() as u64;
        if shown < self.total {
            format!("showing {} of {}", words::count(shown), words::count(self.total))
        } else {
            words::count(self.total)
        }
    }
}

impl AttributeRow {
    fn edit(&self) -> String {
        links::edit_attribute(self.id)
    }

    fn look_up(&self) -> String {
        links::search(&self.value.exact)
    }

    fn related_words(&self) -> String {
        match self.related_count {
            1 => "1 attribute of another event correlates with this one".to_owned(),
            count => format!("{} attributes of other events correlate with this one", words::count(count)),
        }
    }

    fn inherited(&self) -> bool {
        self.visibility == words::INHERITED
    }
}

impl ObjectRow {
    fn inherited(&self) -> bool {
        self.visibility == words::INHERITED
    }
}

impl ObjectReference {
    fn anchor(&self) -> String {
        format!("{}-{}", if self.to_object { "object" } else { "attribute" }, self.target_uuid)
    }
}

impl EventPage {
    fn path(&self) -> String {
        links::event(self.id)
    }

    fn edit(&self) -> String {
        links::edit_event(self.id)
    }

    fn add_attribute(&self) -> String {
        links::add_attribute(self.id)
    }

    fn freetext(&self) -> String {
        links::freetext(self.id)
    }

    fn same_org(&self) -> bool {
        self.owner_org == self.creator_org
    }

    fn no_rows(&self) -> bool {
        self.attributes.is_empty() && self.objects.is_empty()
    }

    fn contents(&self) -> String {
        let attributes = words::counted(self.attribute_count, "attribute", "attributes");
        match self.object_count {
            0 => attributes,
            objects => format!("{attributes}, {}", words::counted(objects, "object", "objects")),
        }
    }
}
