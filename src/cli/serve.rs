//! `pagefree serve`: runs the server until it is told to stop.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use api::metrics::Source;
use api::readiness::Watch;
use api::{Network, Options, Rooms, Server};
use clap::Args;
use commands::{Bus, ids, setup};
use projections::{Feed, Views, registry};
use reactions::{Reactions, Registry, Status};
use storage::Store;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::settings::{File, Place, given};
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
    /// Whose word counts for where a request came from: an address, or a range like 10.0.0.0/8. May be repeated.
    #[arg(long, value_name = "CIDR", env = "PAGEFREE_TRUSTED_PROXIES", value_delimiter = ',')]
    trusted_proxy: Vec<Network>,
    #[command(flatten)]
    place: Place,
}

impl Serve {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let file = self.place.file()?;
        let listen = given(self.listen.as_ref()).or(given(file.listen.as_ref())).map_or(LISTEN, String::as_str);
        let public_url = given(self.public_url.as_ref()).or(given(file.public_url.as_ref()));
        let public_url = public_url.map(|url| checked(url)).transpose()?;
        let trusted_proxies = self.trusted_proxies(&file)?;
        let options =
            Options { listen: resolve(listen)?, drain: DRAIN, public_url: public_url.clone(), trusted_proxies };
        let stop = stop_signal()?;
        let config = self.place.config(&file)?.serve();
        let store = Store::open(&config).await.map_err(|error| Failure::database(&config.url, &error))?;
        let keys = self.place.keys(&store).await?;
        let bus = Bus::new(store.clone());
        let signing = keys::signing(&keys).await?;
        let (stopping, mut stopped) = watch::channel(false);
        let stop = async move {
            stop.await;
            stopping.send_replace(true);
        };
        let feed = Feed::new(store.clone());
        let views = Views::start(&feed, ids::fresh(), registry::VIEWS);
        let (status, source, watch) = of_reactions();
        let rooms = Rooms {
            bus: bus.clone(),
            views: views.clone(),
            keys: keys.clone(),
            signing: signing.clone(),
            sources: vec![source],
            watches: vec![watch],
        };
        let server = Server::bind(rooms, &options, stop)
            .map_err(|error| Failure::Failed(format!("cannot listen on {listen}: {error}")))?;
        let address = format!("http://{}", server.address());
        housekeeping::warn_of_unsafe_settings(&store).await;
        tokio::spawn(housekeeping::sweep(store.clone()));
        tokio::spawn(keys::follow_each_other(signing));
        // Before the first request: what it leads to must not be missed.
        let reactions = Reactions::start(&feed, Registry::of(&bus, &views, &keys), reactions::Options::default())
            .await
            .map_err(|error| Failure::database(&config.url, &error))?;
        let _set_once = status.set(reactions.status());
        greet(&bus, public_url.as_ref().unwrap_or(&address), &address).await?;
        let draining = async move {
            // Together with the requests; when the server stops by itself there is nobody left to tell.
            let _told_or_gone = stopped.wait_for(|stopped| *stopped).await;
            reactions.drain().await;
        };
        let (ended, ()) = tokio::join!(server.run(), draining);
        ended.map_err(|error| Failure::Failed(format!("the server stopped: {error}")))
    }
}

impl Serve {
    fn trusted_proxies(&self, file: &File) -> Result<Vec<Network>, Failure> {
        if !self.trusted_proxy.is_empty() {
            return Ok(self.trusted_proxy.clone());
        }
        let named = file.trusted_proxies.iter().map(|text| text.parse());
        named.collect::<Result<_, String>>().map_err(|error| Failure::Usage(format!("trusted_proxies: {error}")))
    }
}

/// What the reactions count, and what is wrong with them, from when they have begun.
fn of_reactions() -> (Arc<OnceLock<Status>>, Source, Watch) {
    let status: Arc<OnceLock<Status>> = Arc::default();
    let (counting, watching) = (status.clone(), status.clone());
    let source = move || counting.get().map(figures::of_reactions).unwrap_or_default();
    let watch = move || watching.get().map(figures::faults_of_reactions).unwrap_or_default();
    (status, Arc::new(source), Arc::new(watch))
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

/// Says where to go, and with which code as long as nobody has set the platform up. The line that says where it listens
/// comes last.
async fn greet(bus: &Bus, public_url: &str, address: &str) -> Result<(), Failure> {
    let code = setup::new_code(bus).await;
    let code = code.map_err(|error| Failure::Failed(format!("the code for the first run was not made: {error}")))?;
    let mut text = String::new();
    if let Some(code) = code {
        let _infallible = write!(
            text,
            "Nobody has set this up yet. Whoever has this code becomes the first platform admin:\n\n  {code}\n\n\
             Set it up:\n\n  curl -sS -c cookies {public_url}/api/setup -H 'Content-Type: application/json' \
             -d '{{\"code\": \"{code}\", \"name\": \"Ada Admin\", \"email\": \"ada@example.com\", \
             \"password\": \"choose something long\"}}'\n\n\
             Or make a token for a program: pagefree token create --name NAME --role ROLE\n\n"
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use commands::{Actor, ActorKind, Keys, Request, Role};
    use domain::Aggregate;
    use domain::ids::ActorId;
    use domain::incident::{Command, Declare, Incident, Severity};
    use projections::Decoded;
    use reactions::{Reactor, Work};
    use serde_json::{Value, json};
    use storage::Config;
    use testbed::{Place, eventually};

    use super::*;

    /// Panics, without an event being to blame, while the flag is raised.
    struct Trips(Arc<AtomicBool>);

    impl Reactor for Trips {
        fn name(&self) -> &'static str {
            "trips"
        }

        fn aggregates(&self) -> &'static [&'static str] {
            assert!(!self.0.load(Ordering::SeqCst), "tripped");
            &[Incident::TYPE]
        }

        fn react(&self, _: &Decoded) -> Vec<Work> {
            vec![]
        }
    }

    async fn declare(bus: &Bus) {
        let ann = Request::new(Actor::everywhere(ActorKind::User, "ann", Role::PlatformAdmin));
        let declare = Command::Declare(Box::new(Declare::new(ActorId::new("ann"), "Down", Severity::Sev2)));
        bus.create::<Incident>(&ann, "i", &declare).await.unwrap();
    }

    /// Readiness while a reactor is well, while it panics, and when it is well again.
    async fn look(bus: &Bus, address: SocketAddr, trips: &AtomicBool) {
        let get = async |path: &str| reqwest::get(format!("http://{address}{path}")).await.unwrap();
        let is_ready = || async { get("/readyz").await.status() == 200 };
        eventually("it is ready", is_ready).await;
        assert!(!get("/metrics").await.text().await.unwrap().contains("reaction_panics_total{"));
        trips.store(true, Ordering::SeqCst);
        declare(bus).await;
        let fault = json!([{ "pointer": "/reactions/reactor/trips", "message": "panicked, and begins anew: tripped" }]);
        eventually("it is not ready, and says why", || async {
            let answer = get("/readyz").await;
            answer.status() == 503 && answer.json::<Value>().await.unwrap()["errors"] == fault
        })
        .await;
        trips.store(false, Ordering::SeqCst);
        eventually("it is ready again", is_ready).await;
        let metrics = get("/metrics").await.text().await.unwrap();
        let count = "pagefree_reaction_panics_total{part=\"reactor\",name=\"trips\"} ";
        assert!(metrics.lines().any(|line| line.starts_with(count)), "{metrics}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_panic_of_the_reactions_shows() {
        let place = Place::sqlite();
        let bus = Bus::new(Store::open(&Config::new(place.url())).await.unwrap());
        let feed = Feed::new(bus.store().clone());
        let views = Views::start(&feed, ids::fresh(), registry::VIEWS);
        let (status, source, watch) = of_reactions();
        let keys = Keys::open(bus.store(), &vault::MasterKey::draw().unwrap()).await.unwrap();
        let signing = keys::signing(&keys).await.unwrap();
        let rooms = Rooms { bus: bus.clone(), views, keys, signing, sources: vec![source], watches: vec![watch] };
        let listen = resolve("127.0.0.1:0").unwrap();
        let options = Options { listen, drain: DRAIN, public_url: None, trusted_proxies: vec![] };
        let server = Server::bind(rooms, &options, std::future::pending()).unwrap();
        let (address, trips) = (server.address(), Arc::new(AtomicBool::new(false)));
        let registry = Registry::default().reactor(Trips(trips.clone()));
        let reactions = Reactions::start(&feed, registry, reactions::Options::default()).await.unwrap();
        status.set(reactions.status()).unwrap();
        tokio::select! {
            ended = server.run() => panic!("the server ended: {ended:?}"),
            () = look(&bus, address, &trips) => {}
        }
    }
}
