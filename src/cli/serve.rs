//! `pagefree serve`: runs the server until it is told to stop.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use api::metrics::Source;
use api::{Options, Rooms, Server};
use clap::Args;
use commands::{Bus, Role, ids, tokens};
use projections::{Feed, Views, registry};
use reactions::{Reactions, Registry, Status};
use storage::Store;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::settings::{Place, given};
use super::{Failure, figures, housekeeping, keys};

const LISTEN: &str = "127.0.0.1:8080";
/// How long requests in flight may take to end after the signal to stop.
const DRAIN: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR", env = "PAGEFREE_LISTEN")]
    listen: Option<String>,
    /// Under which address others reach this server [default: http://<where it listens>].
    #[arg(long, value_name = "URL", env = "PAGEFREE_PUBLIC_URL")]
    public_url: Option<String>,
    /// 32 bytes in base64, under which all keys are wrapped; by default a file in the data directory holds it.
    /// Not shown in the help: what stands on a command line is seen by others.
    #[arg(long, value_name = "KEY", env = "PAGEFREE_MASTER_KEY", hide_env_values = true, hide = true)]
    master_key: Option<String>,
    #[command(flatten)]
    place: Place,
}

impl Serve {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let file = self.place.file()?;
        let listen = given(self.listen.as_ref()).or(given(file.listen.as_ref())).map_or(LISTEN, String::as_str);
        let options = Options { listen: resolve(listen)?, drain: DRAIN };
        let public_url = given(self.public_url.as_ref()).or(given(file.public_url.as_ref()));
        let public_url = public_url.map(|url| checked(url)).transpose()?;
        let stop = stop_signal()?;
        let config = self.place.config(&file)?.serve();
        let store = Store::open(&config).await.map_err(|error| Failure::database(&config.url, &error))?;
        let bus = Bus::new(store.clone());
        let master = given(self.master_key.as_ref()).map(String::as_str);
        let (vault, signing) = keys::open(master, &self.place.folder(&file)?, &store).await?;
        let (stopping, mut stopped) = watch::channel(false);
        let stop = async move {
            stop.await;
            stopping.send_replace(true);
        };
        let feed = Feed::new(store.clone());
        let views = Views::start(&feed, ids::fresh(), registry::VIEWS);
        let (status, source) = reactions_source();
        let rooms = Rooms {
            bus: bus.clone(),
            views: views.clone(),
            public_url: public_url.clone(),
            signing: signing.clone(),
            vault,
            sources: vec![source],
        };
        let server = Server::bind(rooms, &options, stop)
            .map_err(|error| Failure::Failed(format!("cannot listen on {listen}: {error}")))?;
        let address = format!("http://{}", server.address());
        housekeeping::warn_of_unsafe_settings(&store).await;
        tokio::spawn(housekeeping::sweep(store.clone()));
        tokio::spawn(keys::follow_each_other(signing));
        // Before the first request: what it leads to must not be missed.
        let reactions = Reactions::start(&feed, Registry::of(&bus, &views), reactions::Options::default())
            .await
            .map_err(|error| Failure::database(&config.url, &error))?;
        let _set_once = status.set(reactions.status());
        greet(&store, public_url.as_ref().unwrap_or(&address), &address).await?;
        let draining = async move {
            // Together with the requests; when the server stops by itself there is nobody left to tell.
            let _told_or_gone = stopped.wait_for(|stopped| *stopped).await;
            reactions.drain().await;
        };
        let (ended, ()) = tokio::join!(server.run(), draining);
        ended.map_err(|error| Failure::Failed(format!("the server stopped: {error}")))
    }
}

/// What the reactions count, from when they have begun.
fn reactions_source() -> (Arc<OnceLock<Status>>, Source) {
    let status: Arc<OnceLock<Status>> = Arc::default();
    let asked = status.clone();
    (status, Arc::new(move || asked.get().map(figures::of_reactions).unwrap_or_default()))
}

fn resolve(listen: &str) -> Result<SocketAddr, Failure> {
    let wrong = |why: String| Failure::Usage(format!("cannot listen on '{listen}': {why}"));
    let mut addresses = listen.to_socket_addrs().map_err(|error| wrong(error.to_string()))?;
    addresses.next().ok_or_else(|| wrong("the name has no address".to_owned()))
}

fn checked(url: &str) -> Result<String, Failure> {
    if url.starts_with("http://") || url.starts_with("https://") {
        Ok(url.trim_end_matches('/').to_owned())
    } else {
        Err(Failure::Usage(format!("the public URL '{url}' must begin with http:// or https://")))
    }
}

/// Says where to go, and on the first start with which token. The line that says where it listens comes last.
async fn greet(store: &Store, public_url: &str, address: &str) -> Result<(), Failure> {
    let failed = |error| Failure::Failed(format!("the first token was not made: {error}"));
    let mut text = String::new();
    if !tokens::any(store).await.map_err(failed)? {
        let secret = tokens::create(store, "made at the first start", Role::PlatformAdmin).await.map_err(failed)?;
        let _infallible = write!(
            text,
            "This is the first start. Here is the token of a platform admin; it is shown only now:\n\n  {secret}\n\n\
             Try it:\n\n  curl -sS {public_url}/api/incidents -H 'Authorization: Bearer {secret}' \
             -H 'Content-Type: application/json' -d '{{\"title\": \"A first try\", \"severity\": \"sev5\"}}'\n\n\
             More tokens: pagefree token create --name NAME --role ROLE\n\n"
        );
    }
    let _infallible = writeln!(text, "listening on {address}");
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::Failed(format!("standard output: {error}")))
}

/// Ready at the first SIGTERM or SIGINT.
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::Failed(format!("signals: {error}")));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: no new connections; requests in flight have {DRAIN:?} to end");
    })
}
