//! What MISP calls the nouns and actions of the change log.

use pisax_store::changes::{Action, Noun};

/// The nouns with MISP's names of their models. Some share one: a tag on an event is a change of the event.
const MODELS: [(Noun, &str); 44] = [
    (Noun::Event, "Event"),
    (Noun::Attribute, "Attribute"),
    (Noun::Object, "Object"),
    (Noun::Reference, "ObjectReference"),
    (Noun::EventTag, "Event"),
    (Noun::AttributeTag, "Attribute"),
    (Noun::Sighting, "Sighting"),
    (Noun::Tag, "Tag"),
    (Noun::Org, "Organisation"),
    (Noun::User, "User"),
    (Noun::Role, "Role"),
    (Noun::AuthKey, "AuthKey"),
    (Noun::SharingGroup, "SharingGroup"),
    (Noun::Knowledge, "Knowledge"),
    (Noun::Proposal, "ShadowAttribute"),
    (Noun::EventReport, "EventReport"),
    (Noun::AnalystData, "AnalystData"),
    (Noun::Delegation, "EventDelegation"),
    (Noun::Blocklist, "EventBlocklist"),
    (Noun::Cluster, "GalaxyCluster"),
    (Noun::ClusterRelation, "GalaxyClusterRelation"),
    (Noun::TagCollection, "TagCollection"),
    (Noun::Feed, "Feed"),
    (Noun::Server, "Server"),
    (Noun::Setting, "SystemSetting"),
    (Noun::UserSetting, "UserSetting"),
    (Noun::Registration, "Inbox"),
    (Noun::DecayingModel, "DecayingModel"),
    (Noun::CorrelationExclusion, "CorrelationExclusion"),
    (Noun::Workflow, "Workflow"),
    (Noun::Bookmark, "Bookmark"),
    (Noun::Collection, "Collection"),
    (Noun::Dashboard, "Dashboard"),
    (Noun::EventGraph, "EventGraph"),
    (Noun::CryptographicKey, "CryptographicKey"),
    (Noun::Blueprint, "SharingGroupBlueprint"),
    (Noun::Warninglist, "Warninglist"),
    (Noun::Noticelist, "Noticelist"),
    (Noun::Session, "User"),
    (Noun::Mail, "User"),
    (Noun::Job, "Job"),
    (Noun::Log, "Log"),
    (Noun::Webhook, "Webhook"),
    (Noun::News, "News"),
];

const ACTIONS: [(Action, &str); 17] = [
    (Action::Add, "add"),
    (Action::Edit, "edit"),
    (Action::Delete, "delete"),
    (Action::SoftDelete, "soft_delete"),
    (Action::Restore, "undelete"),
    (Action::Publish, "publish"),
    (Action::Unpublish, "unpublish"),
    (Action::Login, "login"),
    (Action::LoginFail, "login_fail"),
    (Action::AuthFail, "auth_fail"),
    (Action::ChangePassword, "change_pw"),
    (Action::Accept, "accept"),
    (Action::Discard, "discard"),
    (Action::Enable, "enable"),
    (Action::Disable, "disable"),
    (Action::Send, "send"),
    (Action::Run, "run"),
];

/// Where a noun gives an action a name of its own.
const OWN: [(Noun, Action, &str); 5] = [
    (Noun::EventTag, Action::Add, "tag"),
    (Noun::EventTag, Action::Delete, "remove_tag"),
    (Noun::AttributeTag, Action::Add, "tag"),
    (Noun::AttributeTag, Action::Delete, "remove_tag"),
    (Noun::Mail, Action::Send, "email"),
];

/// MISP's name for the model of a noun.
pub fn model(noun: i64) -> &'static str {
    MODELS.iter().find(|(n, _)| *n as i64 == noun).map_or("", |(_, name)| name)
}

/// MISP's name for what happened.
pub fn action(noun: i64, action: i64) -> &'static str {
    let own = OWN.iter().find(|(n, a, _)| *n as i64 == noun && *a as i64 == action);
    match own {
        Some((_, _, name)) => name,
        None => ACTIONS.iter().find(|(a, _)| *a as i64 == action).map_or("", |(_, name)| name),
    }
}

/// Whether the title tells what happened, rather than naming a record.
pub fn is_told(noun: i64) -> bool {
    [Noun::Session, Noun::Mail].iter().any(|n| *n as i64 == noun)
}

/// The nouns and actions that these models and actions mean; empty: any. None, where nothing can be meant.
pub fn matching(models: &[String], actions: &[String]) -> Option<(Vec<i64>, Vec<i64>)> {
    let wanted = |list: &[String], name: &str| list.iter().any(|one| one.trim_matches('%') == name);
    let mut nouns: Vec<i64> = MODELS
        .iter()
        .filter(|(_, name)| models.is_empty() || wanted(models, name))
        .map(|(noun, _)| *noun as i64)
        .collect();
    if actions.is_empty() {
        return match (models.is_empty(), nouns.is_empty()) {
            (true, _) => Some((Vec::new(), Vec::new())),
            (false, true) => None,
            (false, false) => Some((nouns, Vec::new())),
        };
    }
    let own: Vec<_> = OWN.iter().filter(|(_, _, name)| wanted(actions, name)).collect();
    let codes: Vec<i64> = match own.is_empty() {
        false => {
            nouns.retain(|noun| own.iter().any(|(n, _, _)| *n as i64 == *noun));
            own.iter().map(|(_, action, _)| *action as i64).collect()
        }
        true => {
            let codes: Vec<i64> =
                ACTIONS.iter().filter(|(_, name)| wanted(actions, name)).map(|(a, _)| *a as i64).collect();
            nouns.retain(|noun| {
                !OWN.iter().any(|(n, a, _)| *n as i64 == *noun && codes.contains(&(*a as i64)))
            });
            codes
        }
    };
    (!nouns.is_empty() && !codes.is_empty()).then_some((nouns, codes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn every_row_has_misps_words() {
        assert_eq!(model(Noun::Mail as i64), "User");
        assert_eq!(action(Noun::Mail as i64, Action::Send as i64), "email");
        assert_eq!(action(Noun::EventTag as i64, Action::Add as i64), "tag");
        assert_eq!(action(Noun::Event as i64, Action::Add as i64), "add");
        assert_eq!((model(0), action(0, 0)), ("", ""), "what a newer version wrote has no name here");
    }

    #[test]
    fn what_is_asked_for_is_what_is_shown() {
        assert_eq!(matching(&[], &[]), Some((vec![], vec![])));
        let mail = (vec![Noun::Mail as i64], vec![Action::Send as i64]);
        assert_eq!(matching(&names(&["User"]), &names(&["email"])), Some(mail));
        assert_eq!(matching(&names(&["Event"]), &names(&["email"])), None);
        assert_eq!(matching(&names(&["Nothing"]), &[]), None);
        let added = (vec![Noun::Event as i64], vec![Action::Add as i64]);
        assert_eq!(matching(&names(&["Event"]), &names(&["add"])), Some(added), "tags are not additions");
        assert_eq!(matching(&[], &names(&["unheard_of"])), None);
    }
}
