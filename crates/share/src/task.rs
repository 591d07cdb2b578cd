//! What each task is.

use crate::Fault;
use crate::work::{End, Work};
use pisax_model::job::Task;

/// Does what the job asks for.
pub(crate) fn perform(work: &Work) -> Result<End, Fault> {
    let Some(task) = Task::parse(&work.job.job_type) else {
        return Err(Fault::Setup(format!("nobody here knows how to do '{}'", work.job.job_type)));
    };
    match task {
        Task::Pull => crate::pull::perform(work),
        Task::Follow => crate::native::perform(work),
        Task::Push => crate::push::perform(work),
        Task::PushPublished => crate::push::published(work),
        Task::CacheFeeds => crate::feed::cache(work),
        Task::FetchFeeds => crate::feed::fetch(work),
        Task::PublishFeed => crate::feed::publish::perform(work),
        Task::CacheServers => crate::server_cache::perform(work),
    }
}
