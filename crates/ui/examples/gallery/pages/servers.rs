//! Connected servers, their ledger and guard, dry runs, jobs.

use pisax_model::Category;
use pisax_model::peer::{Direction, Outcome};
use pisax_ui::server_form::RuleTexts;
use pisax_ui::{
    Area, Choice, Coming, DryRun, Errors, Exchange, GuardForm, JobList, JobRow, JobState, Leaving, LedgerRow,
    LedgerView, OutcomeCount, Paging, PostAction, ServerForm, ServerLink, ServerList, ServerPage, ServerRow,
    Ticked, Time, WhatComes, WhatLeaves, links, words,
};

use super::{NOW, Text, chrome};

fn failing(t: Text<'_>) -> Exchange {
    Exchange {
        last_good: Some(Time::ago(NOW - 90_000, NOW)),
        last_bad: Some(Time::ago(NOW - 300, NOW)),
        fault: t("it answered 403: Authentication failed. Please make sure you pass the API key"),
        failures: 4,
    }
}

fn well() -> Exchange {
    Exchange { last_good: Some(Time::ago(NOW - 120, NOW)), ..Exchange::default() }
}

fn counts(id: i64) -> Vec<OutcomeCount> {
    [
        (Direction::Push, Outcome::Done, 1_204),
        (Direction::Push, Outcome::Guard, 12),
        (Direction::Pull, Outcome::Done, 40_112),
        (Direction::Pull, Outcome::Failed, 2),
    ]
    .map(|(direction, outcome, count)| OutcomeCount {
        words: words::outcome(direction, outcome).to_owned(),
        class: words::outcome_class(outcome),
        count,
        url: links::with_query(&links::server(id), &[("outcome", outcome.name())]),
    })
    .into()
}

pub fn list(t: Text<'_>) -> ServerList {
    let row = |id: i64, name: &str, ways: &str, exchange: Exchange, counts: Vec<OutcomeCount>| ServerRow {
        id,
        name: t(name),
        url: t("https://share.hub.example"),
        org: t("CSIRT Hub"),
        ways: ways.to_owned(),
        exchange,
        counts,
    };
    ServerList {
        chrome: chrome(t, Area::Servers),
        servers: vec![
            row(1, "Hub of the exchanges", "Pulls and pushes", well(), counts(1)),
            row(2, "National CSIRT", "Pulls", failing(t), counts(2)),
            row(3, "Roaming exchange", "Switched off", Exchange::default(), Vec::new()),
        ],
    }
}

fn job(t: Text<'_>, id: i64, what: &str, state: JobState, message: &str) -> JobRow {
    JobRow {
        id,
        what: t(what),
        url: Some(links::server(1)),
        state,
        percent: 37,
        message: t(message),
        asked: Time::ago(NOW - 40, NOW),
        changed: Time::ago(NOW - 4, NOW),
        next: (state == JobState::Later).then(|| Time::ahead(NOW + 240, NOW)),
    }
}

pub fn page(t: Text<'_>) -> ServerPage {
    let row = |direction, kind, title: &str, outcome: Outcome, reason: &str, retry: i64| LedgerRow {
        at: Time::ago(NOW - 300, NOW),
        direction: words::direction(direction),
        kind,
        title: t(title),
        uuid: "5f3a1c0e-0000-4000-8000-000000000001".to_owned(),
        url: (outcome == Outcome::Done).then(|| links::event(12)),
        outcome: words::outcome(direction, outcome),
        class: words::outcome_class(outcome),
        reason: t(reason),
        attempts: 3,
        retry: (retry > 0).then(|| Time::ahead(NOW + retry, NOW)),
    };
    let rows = vec![
        row(Direction::Push, "Event", "Scanning of the route servers", Outcome::Done, "", 0),
        row(
            Direction::Push,
            "Event",
            "Extortion of a member by DDoS, with the mails",
            Outcome::Guard,
            "The guard lets nothing above tlp:green leave, this is tlp:amber.",
            0,
        ),
        row(Direction::Pull, "Event", "", Outcome::Failed, "No answer in time.", 480),
        row(Direction::Pull, "Cluster", "Sea Turtle", Outcome::Refused, "It is a cluster of this server.", 0),
    ];
    ServerPage {
        chrome: chrome(t, Area::Servers),
        id: 1,
        name: t("Hub of the exchanges"),
        url: t("https://share.hub.example"),
        org: t("CSIRT Hub"),
        ways: "Pulls and pushes".to_owned(),
        internal: true,
        pulls: true,
        pushes: true,
        trust: "Its certificate as this machine trusts it.".to_owned(),
        guard: t("Nothing above tlp:green; 2 types held back."),
        exchange: failing(t),
        jobs: vec![
            job(t, 812, "Pull from Hub of the exchanges", JobState::Running, "Pulling event 37 of 100."),
            job(t, 811, "Push what was published to Hub", JobState::Later, "No answer in time."),
        ],
        counts: counts(1),
        ledger: LedgerView {
            outcome: "guard".to_owned(),
            rows,
            paging: Paging {
                page: 2,
                per_page: 50,
                total: 1_218,
                noun: "records",
                path: links::server(1),
                query: vec![("outcome".to_owned(), t("guard"))],
                anchor: "ledger",
            },
            ..LedgerView::default()
        },
    }
}

pub fn connect(t: Text<'_>) -> ServerForm {
    let orgs = vec![Choice::new("1", t("IXP North")), Choice::new("2", t("CSIRT Hub"))];
    ServerForm { chrome: chrome(t, Area::Servers), orgs, ..ServerForm::default() }
}

pub fn change(t: Text<'_>) -> ServerForm {
    ServerForm {
        id: Some(1),
        name: t("Hub of the exchanges"),
        url: t("share.hub.example"),
        remote_org_id: "2".to_owned(),
        pull: true,
        push: true,
        pull_rules: RuleTexts { tags: t("tlp:green\ntlp:clear"), ..RuleTexts::default() },
        has_identity: true,
        authority: t("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"),
        errors: Errors::one("url", t("Give the address with https:// in front, without a path.")),
        delete: Some(PostAction {
            url: links::delete_server(1),
            label: "Disconnect this server".to_owned(),
            confirm: t("Disconnect Hub of the exchanges?"),
        }),
        ..connect(t)
    }
}

pub fn guard(t: Text<'_>) -> GuardForm {
    let group = |name: &str, on| Ticked { value: t("5f3a"), label: t(name), on };
    GuardForm {
        chrome: chrome(t, Area::Servers),
        server: ServerLink { id: 1, name: t("Hub of the exchanges") },
        ceiling: "green".to_owned(),
        untagged: "amber".to_owned(),
        required_tags: t("tlp:green"),
        blocked_tags: t("workflow:todo"),
        distributions: (0..=4)
            .map(|code| Ticked {
                value: code.to_string(),
                label: words::visibility(code, None),
                on: code == 4,
            })
            .collect(),
        some_groups: true,
        allowed_groups: vec![group("IXP CERTs", true), group("Board", false)],
        blocked_groups: vec![group("IXP CERTs", false), group("Board", true)],
        blocked_types: t("sha256x"),
        categories: Category::all()
            .map(|category| Ticked {
                value: category.name().to_owned(),
                label: category.name().to_owned(),
                on: false,
            })
            .collect(),
        blocked_objects: t("person"),
        taxonomies: t("compartment"),
        compartments: t("compartment:ixp-core"),
        levels: ["clear", "green", "amber"].map(|name| Choice::new(name, format!("tlp:{name}"))).into(),
        errors: Errors::one("blocked_types", t("There is no attribute type sha256x.")),
    }
}

pub fn dry_push(t: Text<'_>) -> DryRun {
    let row = |id, info: &str, outcome: Outcome, reason: &str, left_out: Vec<(String, u64)>| Leaving {
        id,
        info: t(info),
        published: outcome != Outcome::Rule,
        outcome: words::outcome(Direction::Push, outcome),
        class: words::outcome_class(outcome),
        reason: t(reason),
        goes: outcome == Outcome::Done,
        attributes: 1_240,
        reports: 1,
        left_out: left_out.len() as u64,
        reasons: left_out,
    };
    let kept = vec![(t("its distribution is your organisation only"), 12)];
    DryRun {
        chrome: chrome(t, Area::Servers),
        server: ServerLink { id: 1, name: t("Hub of the exchanges") },
        event: t("12"),
        leaves: Some(WhatLeaves {
            events: vec![
                row(12, "Scanning of the route servers", Outcome::Done, "", kept),
                row(13, "Extortion of a member", Outcome::Guard, "The guard blocks the tag a:b.", Vec::new()),
                row(14, "Draft", Outcome::Rule, "Its distribution is this community only.", Vec::new()),
            ],
            unasked: Some(t("No answer in time.")),
            sent: Some(t("{\n  \"Event\": {\n    \"info\": \"Scanning of the route servers\"\n  }\n}")),
            cut: true,
        }),
        ..DryRun::default()
    }
}

pub fn dry_pull(t: Text<'_>) -> DryRun {
    let row = |info: &str, outcome, class, reason: &str| Coming {
        uuid: "5f3a1c0e-0000-4000-8000-000000000001".to_owned(),
        info: t(info),
        changed: Time::ago(NOW - 4_000, NOW),
        outcome,
        class,
        reason: t(reason),
    };
    DryRun {
        pulling: true,
        off: true,
        event: String::new(),
        leaves: None,
        comes: Some(WhatComes {
            offered: 4_100,
            new: 12,
            newer: 3,
            same: 4_083,
            skipped: 2,
            events: vec![
                row("Phishing against peering portals", "Added", "good", ""),
                row("", "Skipped", "held", "The event is on the blocklist."),
            ],
            left_out: vec![t("attributes of type sha256")],
        }),
        ..dry_push(t)
    }
}

pub fn dry_failed(t: Text<'_>) -> DryRun {
    DryRun { failure: Some(t("No answer in time.")), comes: None, ..dry_pull(t) }
}

pub fn jobs(t: Text<'_>) -> JobList {
    JobList {
        chrome: chrome(t, Area::Jobs),
        under_way: page(t).jobs,
        more: 3,
        over: vec![
            job(t, 800, "Pull from National CSIRT", JobState::Failed, "It answered 403: no."),
            job(t, 799, "Push to Hub, everything", JobState::Done, "Push complete. 12 events pushed."),
        ],
        paging: Paging {
            page: 1,
            per_page: 30,
            total: 61,
            noun: "jobs",
            path: links::JOBS.to_owned(),
            query: Vec::new(),
            anchor: "over",
        },
    }
}
