//! Asking modules about what an event holds.

use super::{Failed, Plugin, about, add, find, modules};
use crate::{Error, Service};
use pisax_access::Actor;
use pisax_access::edit::{EventOwner, may_edit};
use pisax_model::event::Event;
use pisax_model::filter::{Filter, Scope};
use pisax_model::ids::Ref;
use pisax_modules::{Answer, Findings, Module, Question};

/// Most questions of one call: each takes a module's time, and the caller waits.
const MOST_QUESTIONS: usize = 1000;
/// The longest one call goes on, in milliseconds.
const LONGEST: i64 = 10 * 60 * 1000;

/// What is to be enriched, decided and allowed.
pub struct Enrichment {
    plugin: Plugin,
    event_id: i64,
    /// Attribute and module.
    questions: Vec<(i64, usize)>,
    modules: Vec<Module>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Attributes and objects added.
    pub added: usize,
    /// What modules had to say instead of an answer, each once.
    pub errors: Vec<String>,
}

/// What to enrich.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    Event(Ref),
    Attribute(Ref),
}

/// Finds the modules and attributes; nothing has been asked when it returns.
pub fn begin(
    service: &Service,
    actor: &Actor,
    target: Target,
    names: &[String],
) -> Result<Enrichment, Failed> {
    let (event, attribute) = service.read(actor, |r| match target {
        Target::Event(event) => Ok((r.event(event)?.ok_or(Error::NotFound("event"))?, None)),
        Target::Attribute(attribute) => {
            let batch = r.attribute(attribute)?.ok_or(Error::NotFound("attribute"))?;
            let (id, event) = (batch.get(0).id, batch.get(0).event_id);
            Ok((r.event(Ref::Id(event))?.ok_or(Error::NotFound("event"))?, Some(id)))
        }
    })?;
    allowed(actor, &event)?;
    let plugin = Plugin::load(service)?;
    let mut modules = modules(service, actor, &plugin)?;
    modules.retain(|module| module.is("expansion") && names.contains(&module.name));
    if modules.is_empty() {
        return Err(Failed::NoModule);
    }
    let questions = service.read(actor, |r| {
        let ids = match attribute {
            Some(id) => vec![id],
            None => r.find(Scope::Attributes, &Filter::event(Ref::Id(event.id)))?,
        };
        let mut questions = Vec::new();
        for some in ids.chunks(1000) {
            for attribute in r.attributes_by_ids(some)?.iter() {
                let fitting = modules.iter().enumerate().filter(|(_, m)| m.takes(attribute.kind.name()));
                questions.extend(fitting.map(|(module, _)| (attribute.id, module)));
            }
            if questions.len() > MOST_QUESTIONS {
                let many = format!(
                    "More than {MOST_QUESTIONS} questions: name fewer modules, or single attributes."
                );
                return Err(Error::Refused(many));
            }
        }
        Ok(questions)
    })?;
    Ok(Enrichment { plugin, event_id: event.id, questions, modules })
}

fn allowed(actor: &Actor, event: &Event) -> Result<(), Error> {
    let owner = EventOwner { orgc_id: event.orgc_id, user_id: event.user_id, locked: event.locked };
    if may_edit(actor, owner) { Ok(()) } else { Err(Error::Forbidden) }
}

impl Enrichment {
    /// Asks and adds, question by question. A module that fails is passed over and named.
    pub fn run(&self, service: &Service, actor: &Actor) -> Result<Outcome, Failed> {
        let server = self.plugin.server(service).ok_or(Failed::Off)?;
        let until = service.clock.now_ms() + LONGEST;
        let mut outcome = Outcome::default();
        let mut unanswered = vec![0; self.modules.len()];
        for (attribute, module) in &self.questions {
            let name = &self.modules[*module].name;
            if service.clock.now_ms() > until {
                outcome.say("the time for one call is over".to_owned());
                break;
            }
            // One that is silent three times will be silent the fourth.
            if unanswered[*module] >= 3 {
                continue;
            }
            let added = about(service, actor, Ref::Id(*attribute), |subject| {
                let module = &self.modules[*module];
                let question = Question::about(module, subject, &self.plugin.config_of(module));
                let answer = server.ask(&question, self.plugin.timeout())?;
                let findings = Findings::read(&answer);
                let error = findings.error.clone();
                let added = add::add(service, actor, self.event_id, module, &subject.attribute, findings)?;
                Ok((added, error))
            });
            match added {
                Ok((added, error)) => {
                    outcome.added += added;
                    if let Some(error) = error {
                        outcome.say(format!("{name}: {error}"));
                    }
                }
                Err(Failed::Unreachable(error)) => {
                    unanswered[*module] += 1;
                    outcome.say(format!("{name}: {error}"));
                }
                // A workflow keeps it from being asked about.
                Err(Failed::Other(Error::Refused(reason))) => outcome.say(reason),
                // It was deleted in between.
                Err(Failed::Other(Error::NotFound("attribute"))) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(outcome)
    }
}

impl Outcome {
    fn say(&mut self, error: String) {
        /// Different words kept.
        const MOST: usize = 20;
        if self.errors.len() < MOST && !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }
}

/// Asks one module about an attribute and adds nothing.
pub fn try_out(service: &Service, actor: &Actor, attribute: Ref, name: &str) -> Result<Answer, Failed> {
    let plugin = Plugin::load(service)?;
    let module = find(service, actor, &plugin, name)?;
    let server = plugin.server(service).ok_or(Failed::Off)?;
    about(service, actor, attribute, |subject| {
        let question = Question::about(&module, subject, &plugin.config_of(&module));
        Ok(server.ask(&question, plugin.timeout())?)
    })
}
