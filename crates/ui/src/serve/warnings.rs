//! Warninglists: values that are known and mostly harmless.

use pisax_model::AttributeType;
use pisax_service::Service;

/// Names the enabled lists, meant for a type, that have either half of a value. One look at the lists serves
/// a whole page.
pub(crate) fn of(service: &Service) -> impl Fn(AttributeType, &str, &str) -> Vec<String> + use<> {
    let lists = service.warninglists.load();
    move |kind, value1, value2| {
        let hits = lists.hits(kind, value1, value2).into_iter();
        hits.filter_map(|hit| lists.list(hit.list_id)).map(|list| list.name.clone()).collect()
    }
}
