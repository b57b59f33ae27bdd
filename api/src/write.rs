//! Writing: a command with all that surrounds it, and the resource as it is afterwards.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, LOCATION};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use commands::{Bus, Keys, Outcome, Procedure, Request};
use domain::ids::{ActorId, ComponentId, is_sound};
use projections::as_of::{self, Folded, Until};
use projections::{View, Views};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use storage::{StreamId, Token};

use crate::door::{Caller, SignedIn};
use crate::envelope::RequestId;
use crate::fields::Fields;
use crate::freshness::PATIENCE;
use crate::problem::Problem;
use crate::query::Query;
use crate::read::{Shown, data, path_id};
use crate::resource::Resource;
use crate::{Answer, body, headers, origin, respond, unseal};

/// A request that asks for a change.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) bus: web::Data<Bus>,
    pub(crate) views: web::Data<Views>,
    pub(crate) keys: web::Data<Keys>,
    pub(crate) request: Request,
    /// From where; not known, all are counted as one.
    pub(crate) from: IpAddr,
    /// In which session, where it is in one.
    pub(crate) signed_in: Option<SignedIn>,
    /// Of the resource in the path; for what is created, the command's.
    pub(crate) id: String,
    /// Of the view in the path, where there is one.
    pub(crate) view: String,
    /// Of the component in the path, where there is one.
    component: String,
    /// Of the partner's secret in the path, where there is one.
    pub(crate) token: String,
    /// `{}` where nothing was sent.
    pub(crate) body: Value,
    query: String,
}

impl FromRequest for Write {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let caller = Caller::from_request(&request, payload);
        let payload = payload.take();
        Box::pin(async move { Self::extract(&request, caller.await?, payload).await })
    }
}

impl Write {
    async fn extract(http: &HttpRequest, caller: Caller, payload: Payload) -> Result<Self, Problem> {
        let mut id = path_id(http)?;
        let headers = http.headers();
        let Caller(actor, signed_in) = caller;
        let mut request = Request::new(actor).if_match(headers::if_match(headers)?);
        request.request_id = http.extensions().get::<RequestId>().map(|id| id.0.clone());
        let bytes = body::receive(http, payload).await?;
        let keys: web::Data<Keys> = data(http)?;
        if let Some(key) = headers::idempotency_key(headers)? {
            request = request.keyed(key, fingerprint(&keys, http, &bytes));
        }
        let body = body::read(headers, &bytes)?;
        if id.is_empty() {
            id = request.command_id.to_string();
        }
        let view = http.match_info().get("view").unwrap_or_default().to_owned();
        let component = http.match_info().get("component").unwrap_or_default().to_owned();
        let token = http.match_info().get("token").unwrap_or_default().to_owned();
        let (bus, views) = (data(http)?, data(http)?);
        let from = origin::address(http).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        (request.ip_enc, request.client_enc) = origin::sealed(&keys, request.actor.id.as_str(), http).await;
        let query = http.query_string().to_owned();
        Ok(Self { bus, views, keys, request, from, signed_in, id, view, component, token, body, query })
    }

    /// The same request, about the caller's own account.
    pub(crate) fn own(self) -> Self {
        Self { id: self.request.actor.id.to_string(), ..self }
    }

    pub(crate) fn by(&self) -> ActorId {
        self.request.actor.id.clone()
    }

    /// The body, of a route that takes no query.
    pub(crate) fn fields(&self) -> Result<Fields<'_>, Problem> {
        self.query()?.close()?;
        Ok(Fields::of(&self.body))
    }

    /// The component in the path. What cannot be an id names nothing.
    pub(crate) fn component(&self) -> Result<ComponentId, Problem> {
        let missing = || Problem::missing("the page has no component with this id");
        is_sound(&self.component).then(|| ComponentId::new(&*self.component)).ok_or_else(missing)
    }

    pub(crate) fn query(&self) -> Result<Query, Problem> {
        Query::parse(&self.query)
    }

    pub(crate) async fn create<R: Resource>(&self, command: &R::Command) -> Answer {
        let outcome = self.bus.create::<R>(&self.request, &self.id, command).await?;
        self.respond::<R>(StatusCode::CREATED, &outcome).await
    }

    pub(crate) async fn execute<R: Resource>(&self, command: &R::Command) -> Answer {
        let outcome = self.bus.execute::<R>(&self.request, &self.id, command).await?;
        self.respond::<R>(StatusCode::OK, &outcome).await
    }

    /// As `run`, of what makes the resource.
    pub(crate) async fn make<R: Resource>(&self, procedure: &impl Procedure) -> Answer {
        let outcome = self.bus.run(&self.request, procedure).await?;
        self.respond::<R>(StatusCode::CREATED, &outcome).await
    }

    pub(crate) async fn run<R: Resource>(&self, procedure: &impl Procedure) -> Answer {
        let outcome = self.bus.run(&self.request, procedure).await?;
        self.respond::<R>(StatusCode::OK, &outcome).await
    }

    /// Answers for what was recorded elsewhere.
    pub(crate) async fn recorded<R: Resource>(&self, status: StatusCode, outcome: &Outcome) -> Answer {
        self.respond::<R>(status, outcome).await
    }

    /// Never an error: the command is recorded, so the worst that can be said is where to look for it.
    async fn respond<R: Resource>(&self, status: StatusCode, outcome: &Outcome) -> Answer {
        let mut response = match self.opened::<R>(outcome).await {
            Ok(shown) if R::is_gone(&shown.card) => HttpResponse::NoContent().finish(),
            Ok(shown) => {
                let mut response = respond::stored(status, shown.body);
                respond::tag(&mut response, shown.card.version);
                response
            }
            Err(problem) => {
                tracing::warn!(%problem, "recorded, but not shown");
                respond::json(StatusCode::ACCEPTED, &json!({ "id": self.id }))?
            }
        };
        if let Ok(token) = self.bus.token(outcome.position).await {
            respond::stamp(&mut response, &token);
        }
        if (status == StatusCode::CREATED || response.status() == StatusCode::ACCEPTED)
            && let Ok(location) = HeaderValue::from_str(&format!("{}/{}", R::PATH, self.id))
        {
            response.headers_mut().insert(LOCATION, location);
        }
        if outcome.replayed {
            let name = HeaderName::from_static("idempotent-replayed");
            response.headers_mut().insert(name, HeaderValue::from_static("true"));
        }
        Ok(response)
    }

    async fn opened<R: Resource>(&self, outcome: &Outcome) -> Result<Shown, Problem> {
        let Shown { card, body, position } = self.document::<R>(&self.id, outcome).await?;
        Ok(Shown { card, body: unseal::text::<R>(&self.keys, body).await?, position })
    }

    /// A resource as its view shows it after the command; for a repeated request as it was then, so that the answer is
    /// the same.
    pub(crate) async fn document<R: Resource>(&self, id: &str, outcome: &Outcome) -> Result<Shown, Problem> {
        let nothing = || Problem::missing("nothing was recorded of it");
        if outcome.replayed {
            let until = Until::Position(outcome.position);
            let history = as_of::read(self.bus.store(), StreamId::new(R::TYPE, id), until).await?;
            let folded: Folded<R::Document> = history.document().ok_or_else(nothing)?;
            return Shown::folded(&folded);
        }
        if let Err(behind) = self.views.reach(R::Document::NAME, outcome.position, PATIENCE).await {
            let epoch = self.bus.store().epoch().await?;
            return Err(Problem::behind(&Token { epoch, position: behind.position }));
        }
        let (stored, position) = self.views.find::<R::Document>(id).await?;
        Shown::stored(&stored.ok_or_else(nothing)?, position)
    }
}

/// What makes two requests under one key the same: method, path, query and body. Under a key of the vault, because it is
/// kept, and a body may say who somebody is, or his password.
fn fingerprint(keys: &Keys, http: &HttpRequest, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [http.method().as_str(), http.path(), http.query_string()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(body);
    let plain: [u8; 32] = hash.finalize().into();
    let plain = plain.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    });
    Sha256::digest(keys.vault.blind("request", &plain)).into()
}
