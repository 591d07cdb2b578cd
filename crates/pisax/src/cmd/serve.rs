//! `pisax serve`.

use crate::background;
use crate::config::Config;
use crate::config::sources::unknown_variables;
use crate::http::{self, Site};
use crate::installation;
use crate::mail::Postman;
use crate::telemetry;
use anyhow::{Context, Result};
use axum::serve::ListenerExt;
use pisax_access::Actor;
use pisax_formats::knowledge::Package;
use pisax_service::Service;
use pisax_share::{Foreman, Stop};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, Semaphore};

/// How long requests may go on after the server was asked to stop.
const GRACE: Duration = Duration::from_secs(30);
/// The same for what goes on in the background; a mail under way may be sent twice otherwise.
const BACKGROUND_GRACE: Duration = Duration::from_secs(10);

pub fn run(config: Config) -> Result<()> {
    telemetry::start(config.log_filter("info"), config.log_format)?;
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in unknown_variables(variables) {
        tracing::warn!("{name} is set, but there is no such setting: `pisax config` lists them all");
    }
    let store = installation::open_store(&config)?;
    store.make_files_folder()?;
    let listener = TcpListener::bind(&config.listen).with_context(|| format!("listen: {}", config.listen))?;
    let address = listener.local_addr().context("listen")?;
    let base_url = config.base_url.clone().unwrap_or_else(|| format!("http://{}", reachable(address)));
    let here = installation::from_store(&config, store, Some(&base_url))?;
    tell_knowledge(&here.service, &config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("threads")?;
    // `here` outlives the runtime: the PostgreSQL client cannot be dropped inside one.
    let served = runtime.block_on(serve(&config, listener, address, Arc::clone(&here.service)));
    // A request that outlived its time sits in the database: it is undone there when the process ends.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn serve(
    config: &Config,
    listener: TcpListener,
    address: SocketAddr,
    service: Arc<Service>,
) -> Result<()> {
    sweep_from_time_to_time(Arc::clone(&service));
    service.store.hear_others()?;
    let permits = Arc::new(Semaphore::new(service.store.connections()));
    let app = pisax_api::App::new(Arc::clone(&service), Arc::clone(&permits), config.body_limit);
    let app = Arc::new(app);
    tokio::spawn(pisax_api::native::watch(Arc::clone(&service), Arc::clone(&permits), app.news.clone()));
    let (stop_jobs, jobs) = start_jobs(&service)?;
    let secure_cookies =
        config.secure_cookies.unwrap_or_else(|| service.policy.base_url.starts_with("https:"));
    let postman = config.smtp.as_ref().map(Postman::new).transpose()?.map(Arc::new);
    let (stop_background, stopped) = tokio::sync::watch::channel(false);
    let zeromq =
        tokio::spawn(pisax_api::zmq::publish(Arc::clone(&service), Arc::clone(&permits), stopped.clone()));
    let webhooks = tokio::spawn(pisax_api::streams::call_webhooks(
        Arc::clone(&service),
        Arc::clone(&permits),
        stopped.clone(),
    ));
    let nats = tokio::spawn(pisax_api::streams::publish_to_nats(
        Arc::clone(&service),
        Arc::clone(&permits),
        stopped.clone(),
    ));
    let background =
        tokio::spawn(background::run(Arc::clone(&service), Arc::clone(&permits), postman, stopped));
    let pages = Arc::new(pisax_ui::Pages::new(service, permits, secure_cookies, calls()));
    let router = http::router(Arc::new(Site::new(Arc::clone(&app), pisax_ui::router(pages))));
    let mut asked = stop_signal()?;
    let stopping = Arc::new(Notify::new());
    let until = Arc::clone(&stopping);
    listener.set_nonblocking(true).context("listen")?;
    let listener = tokio::net::TcpListener::from_std(listener).context("listen")?;
    // Answers are written in few large pieces; waiting to join them (Nagle) only costs time.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
    });
    let server = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async move { until.notified().await })
        .into_future();
    tokio::pin!(server);
    println!("PISAX is ready at http://{}", reachable(address));
    tokio::select! {
        ended = &mut server => return ended.context("serve"),
        Some(()) = asked.recv() => {}
    }
    stop_jobs.stop();
    app.stop();
    tracing::info!("stopping: requests under way have {} seconds", GRACE.as_secs());
    stopping.notify_one();
    tokio::select! {
        ended = &mut server => ended.context("serve")?,
        () = tokio::time::sleep(GRACE) => tracing::warn!("stopped with requests under way"),
        Some(()) = asked.recv() => tracing::warn!("stopped at once, with requests under way"),
    }
    // Nobody listens when it has ended by itself.
    let _ = stop_background.send(true);
    // It gives back what it has not done, in less time than this takes.
    if tokio::task::spawn_blocking(move || jobs.join()).await.is_err() {
        tracing::warn!("jobs broke off");
    }
    let all = async { tokio::join!(background, webhooks, nats, zeromq) };
    if tokio::time::timeout(BACKGROUND_GRACE, all).await.is_err() {
        tracing::warn!("stopped with work in the background under way");
    }
    Ok(())
}

/// Begins to work the queue of jobs off, on a thread.
fn start_jobs(service: &Arc<Service>) -> Result<(Stop, std::thread::JoinHandle<()>)> {
    let stop = Stop::default();
    let foreman = Foreman::new(Arc::clone(service), stop.clone());
    let thread = std::thread::Builder::new().name("jobs".into()).spawn(move || foreman.run());
    Ok((stop, thread.context("a thread for jobs")?))
}

/// How often attached bytes that nothing names are looked for.
const SWEEP: Duration = Duration::from_secs(6 * 3600);

/// Removes what deletions and interrupted additions left behind.
fn sweep_from_time_to_time(service: Arc<Service>) {
    tokio::spawn(async move {
        let mut turns = tokio::time::interval(SWEEP);
        loop {
            turns.tick().await;
            let service = Arc::clone(&service);
            let sweep = move || service.store.sweep_files(service.clock.now_ms());
            match tokio::task::spawn_blocking(sweep).await {
                Ok(Ok(swept)) if swept.removed > 0 => {
                    tracing::info!(removed = swept.removed, "removed attached bytes that nothing names");
                }
                Ok(Err(error)) => tracing::warn!(%error, "attached bytes could not be looked through"),
                _ => {}
            }
        }
    });
}

/// SIGTERM or SIGINT, each time one comes.
fn stop_signal() -> Result<tokio::sync::mpsc::Receiver<()>> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if sender.send(()).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

/// Where a browser on this machine finds the server: "any address" is none to go to.
fn reachable(address: SocketAddr) -> SocketAddr {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// Says which libraries are not there: everything works without them, but less is known.
fn tell_knowledge(service: &Service, config: &Config) -> Result<()> {
    let actor = Actor::system("say which knowledge is missing");
    let counts = service.read(&actor, |r| Ok(r.knowledge_counts()?))?;
    let there = |package| match package {
        Package::Taxonomies => counts.taxonomies > 0,
        Package::Galaxies => counts.galaxies > 0,
        Package::ObjectTemplates => counts.object_templates > 0,
        Package::Warninglists => counts.warninglists > 0,
    };
    for package in Package::ALL.into_iter().filter(|package| !there(*package)) {
        let (name, pypi, folder) = (package.name(), package.pypi(), config.knowledge.display());
        tracing::warn!(
            "there are no {name}: put the package {pypi} into {folder} and run `pisax knowledge import`"
        );
    }
    Ok(())
}

/// What programs can call, for the page on it.
fn calls() -> Vec<pisax_ui::ApiCall> {
    let call = |operation: pisax_api::openapi::Operation| pisax_ui::ApiCall {
        method: operation.method.to_uppercase(),
        area: operation.controller.to_owned(),
        doc: operation.doc.to_owned(),
        need: if operation.writes { format!("{}, writes", operation.need) } else { operation.need },
        takes: operation.takes.to_owned(),
        gives: operation.gives.to_owned(),
        path: operation.path,
    };
    pisax_api::openapi::operations().into_iter().map(call).collect()
}
