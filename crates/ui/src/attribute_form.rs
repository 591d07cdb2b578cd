//! The form for a new attribute, and for changing one.

use std::sync::LazyLock;

use askama::Template;
use pisax_model::{AttributeType, Category};

use crate::form::attribute_distributions;
use crate::{Choice, Chrome, Errors, EventLink, PostAction, links};

/// The form. Its fields carry MISP's names: `category`, `type`, `value`, `comment`, `to_ids` (`1` when
/// ticked), `distribution`, `sharing_group_id`, `first_seen`, `last_seen`.
///
/// An empty `category` asks for the type's usual one; the script narrows types by category and categories
/// by type, without it the server says what does not fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "attribute_form.html")]
pub struct AttributeForm {
    pub chrome: Chrome,
    pub event: EventLink,
    /// The attribute that is changed; `None`: a new one.
    pub id: Option<i64>,
    pub category: String,
    /// MISP's type name.
    pub kind: String,
    pub value: String,
    pub comment: String,
    pub to_ids: bool,
    /// MISP's code as text.
    pub distribution: String,
    pub sharing_group_id: String,
    pub first_seen: String,
    pub last_seen: String,
    /// The groups this user may share to.
    pub sharing_groups: Vec<Choice>,
    pub errors: Errors,
    /// Offered where the attribute may be deleted.
    pub delete: Option<PostAction>,
}

/// A type and where it may stand.
struct TypeChoice {
    name: &'static str,
    /// Numbers of categories, as the category options carry them.
    places: String,
    to_ids: bool,
}

/// The model's types as people look for them: by the alphabet, whatever the case.
static TYPES: LazyLock<Vec<TypeChoice>> = LazyLock::new(|| {
    let mut types: Vec<_> = AttributeType::all().map(TypeChoice::of).collect();
    types.sort_by_key(|choice| choice.name.to_ascii_lowercase());
    types
});

impl TypeChoice {
    fn of(kind: AttributeType) -> Self {
        let places: Vec<_> = kind.categories().map(|category| category.code().to_string()).collect();
        Self { name: kind.name(), places: places.join(" "), to_ids: kind.default_to_ids() }
    }
}

impl AttributeForm {
    fn types(&self) -> &'static [TypeChoice] {
        &TYPES
    }

    fn categories(&self) -> impl Iterator<Item = Category> {
        Category::all()
    }

    fn title(&self) -> &'static str {
        if self.id.is_some() { "Edit attribute" } else { "Add attribute" }
    }

    fn submit(&self) -> &'static str {
        if self.id.is_some() { "Save changes" } else { "Add attribute" }
    }

    fn action(&self) -> String {
        self.id.map_or_else(|| links::add_attribute(self.event.id), links::edit_attribute)
    }

    fn event_path(&self) -> String {
        links::event(self.event.id)
    }

    fn freetext(&self) -> String {
        links::freetext(self.event.id)
    }

    fn other_errors(&self) -> Vec<&str> {
        self.errors.beside(&[
            "category",
            "type",
            "value",
            "comment",
            "distribution",
            "sharing_group_id",
            "first_seen",
            "last_seen",
        ])
    }

    fn distributions(&self) -> Vec<Choice> {
        attribute_distributions(!self.sharing_groups.is_empty())
    }
}
