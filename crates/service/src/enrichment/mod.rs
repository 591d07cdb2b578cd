//! Enrichment: what modules know about an attribute is added to its event.
//!
//! Modules are asked one after the other and outside of any transaction: they may take their time. What each
//! found goes the way of any attribute or object, all of one answer in one transaction.

mod add;
mod run;
pub mod setting;

pub use run::{Enrichment, Outcome, Target, begin, try_out};
pub use setting::Plugin;

pub use pisax_modules::{Answer, Module, Sent};

use crate::{Error, Service, workflow};
use pisax_access::Actor;
use pisax_model::ids::Ref;
use pisax_modules::{Question, Subject};
use pisax_store::files::Attachment;

/// Why a module was not asked or gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error("Enrichment services are not enabled.")]
    Off,
    #[error("Module not found or not available.")]
    NoModule,
    #[error("Enrichment service not reachable.")]
    Unreachable(#[from] pisax_modules::Error),
    #[error(transparent)]
    Other(#[from] Error),
}

/// The modules an actor may ask: enabled by the site's admins, and not kept for another organisation.
pub fn modules(service: &Service, actor: &Actor, plugin: &Plugin) -> Result<Vec<Module>, Failed> {
    let server = plugin.server(service).ok_or(Failed::Off)?;
    let mut modules = server.modules()?;
    modules.retain(|module| plugin.may_ask(actor, &module.name));
    Ok(modules)
}

/// Asks a module what a client wrote itself; its answer as it is.
pub fn relay(service: &Service, actor: &Actor, sent: &Sent) -> Result<Answer, Failed> {
    let plugin = Plugin::load(service)?;
    let module = find(service, actor, &plugin, sent.module())?;
    let question = Question::relayed(&module, sent, &plugin.config_of(&module));
    let server = plugin.server(service).ok_or(Failed::Off)?;
    let timeout = if module.is("hover") { plugin.hover_timeout() } else { plugin.timeout() };
    Ok(server.ask(&question, timeout)?)
}

fn find(service: &Service, actor: &Actor, plugin: &Plugin, name: &str) -> Result<Module, Failed> {
    let asked = |module: &Module| module.name == name && (module.is("hover") || module.is("expansion"));
    modules(service, actor, plugin)?.into_iter().find(asked).ok_or(Failed::NoModule)
}

/// What each of some modules said.
type Answers = Vec<(String, Result<Answer, Failed>)>;

/// Asks every module that answers at once about a stored attribute: each name with its answer or its failure.
pub fn hover(service: &Service, actor: &Actor, attribute: Ref) -> Result<Answers, Failed> {
    /// Modules asked for one attribute.
    const MOST: usize = 20;
    let plugin = Plugin::load(service)?;
    let modules = modules(service, actor, &plugin)?;
    let server = plugin.server(service).ok_or(Failed::Off)?;
    about(service, actor, attribute, |subject| {
        let fitting = modules.iter().filter(|m| m.is("hover") && m.takes(subject.attribute.kind.name()));
        let ask = |module: &Module| {
            let question = Question::about(module, subject, &plugin.config_of(module));
            (module.name.clone(), server.ask(&question, plugin.hover_timeout()).map_err(Failed::from))
        };
        Ok(fitting.take(MOST).map(ask).collect())
    })
}

/// Hands over an attribute the actor sees, with what is attached to it.
fn about<T>(
    service: &Service,
    actor: &Actor,
    attribute: Ref,
    f: impl FnOnce(Subject<'_>) -> Result<T, Failed>,
) -> Result<T, Failed> {
    let found = service.read(actor, |r| {
        let Some(batch) = r.attribute(attribute)? else { return Ok(None) };
        let (id, event) = (batch.get(0).id, batch.get(0).event_id);
        let attached = if batch.get(0).kind.holds_bytes() { r.attachment(id)? } else { None };
        let event = r.event(Ref::Id(event))?.map(|event| (event.id, event.uuid));
        Ok(Some((batch, attached, event)))
    })?;
    let (batch, attached, event) = found.ok_or(Error::NotFound("attribute"))?;
    let data = attached.map(Attachment::bytes).transpose().map_err(Error::from)?.flatten();
    if let Some((event, _)) = event {
        workflow::begin::before_enrichment(service, actor, event, batch.get(0).id)?;
    }
    let event_uuid = event.map(|(_, uuid)| uuid);
    f(Subject { attribute: batch.get(0), event_uuid, data: data.as_deref() })
}
