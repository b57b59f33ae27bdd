//! Reading: who asks for what, as of when, and the log itself folded into the answer.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use commands::authorize::allowed;
use commands::{Actor, Bus};
use domain::ids::is_sound;
use projections::as_of::{self, Folded, History, Until};
use storage::{Store, StreamId, Token};

use crate::door::Caller;
use crate::problem::Problem;
use crate::query::{AsOf, Part, Query};
use crate::resource::Resource;
use crate::{Answer, headers, respond};

/// A request that changes nothing.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) bus: web::Data<Bus>,
    /// Of the resource in the path, where there is one.
    pub(crate) id: String,
    pub(crate) until: Until,
    actor: Actor,
    request: HttpRequest,
}

/// A request for a part of a list.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) read: Read,
    pub(crate) part: Part,
}

/// What was read of a resource.
#[derive(Debug)]
pub(crate) struct Found<V> {
    pub(crate) history: History,
    pub(crate) folded: Folded<V>,
    pub(crate) token: Token,
}

impl FromRequest for Read {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let caller = Caller::from_request(&request, payload);
        Box::pin(async move {
            let query = Query::parse(request.query_string())?;
            Self::extract(request, caller.await?.0, query).await
        })
    }
}

impl FromRequest for List {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let caller = Caller::from_request(&request, payload);
        Box::pin(async move {
            let mut query = Query::parse(request.query_string())?;
            let part = query.part();
            let read = Read::extract(request, caller.await?.0, query).await?;
            Ok(Self { read, part })
        })
    }
}

impl Read {
    async fn extract(request: HttpRequest, actor: Actor, mut query: Query) -> Result<Self, Problem> {
        let bus = bus(&request)?;
        let as_of = query.as_of();
        query.close()?;
        let id = path_id(&request)?;
        if let Some(wanted) = headers::min_position(request.headers())? {
            must_have_reached(bus.store(), &wanted).await?;
        }
        let until = match as_of {
            AsOf::Until(until) => until,
            AsOf::Token(token) => {
                must_have_reached(bus.store(), &token).await?;
                Until::Position(token.position)
            }
        };
        Ok(Self { bus, id, until, actor, request })
    }

    /// The resource in the path, if it is there and may be seen.
    pub(crate) async fn find<R: Resource>(&self) -> Result<Found<R::Document>, Problem> {
        let missing = || Problem::missing(format!("there is no such {}", R::NOUN));
        let history = as_of::read(self.bus.store(), StreamId::new(R::TYPE, &*self.id), self.until).await?;
        let folded: Folded<R::Document> = history.document().ok_or_else(missing)?;
        if !allowed(&self.actor, R::READ, R::team(&folded.document)) {
            // Outside of one's scope: whether it exists is none of one's business.
            return Err(missing());
        }
        let token = self.bus.token(folded.position).await?;
        Ok(Found { history, folded, token })
    }

    /// Answers with the resource's document.
    pub(crate) async fn answer<R: Resource>(&self) -> Answer {
        let Found { folded, token, .. } = self.find::<R>().await?;
        if R::is_gone(&folded.document) {
            return Err(Problem::missing(format!("the {} was discarded; its history is left", R::NOUN)));
        }
        let mut response = if headers::has_already(self.request.headers(), folded.version) {
            HttpResponse::NotModified().finish()
        } else {
            respond::json(StatusCode::OK, &folded.document)?
        };
        respond::stamp(&mut response, &token);
        respond::tag(&mut response, folded.version);
        Ok(response)
    }

    /// A further part of the path, read as what it must be.
    pub(crate) fn path<T: std::str::FromStr>(&self, name: &str) -> Result<T, Problem> {
        let text = self.request.match_info().get(name).unwrap_or_default();
        text.parse().map_err(|_| Problem::missing("there is nothing under this address"))
    }
}

/// Waiting is not needed: what is read is the log itself, so a position is there or it is not.
async fn must_have_reached(store: &Store, wanted: &Token) -> Result<(), Problem> {
    // The head first: whatever is loaded afterwards holds at least that much.
    let present = store.token(store.head().await?).await?;
    if wanted.epoch != present.epoch {
        return Err(Problem::other_history(&present));
    }
    if wanted.position > present.position { Err(Problem::behind(&present)) } else { Ok(()) }
}

pub(crate) fn bus(request: &HttpRequest) -> Result<web::Data<Bus>, Problem> {
    let bus: Option<&web::Data<Bus>> = request.app_data();
    bus.cloned().ok_or_else(|| Problem::internal(&"the app has no bus"))
}

/// The id in the path, empty for a route that has none. What cannot be an id names nothing.
pub(crate) fn path_id(request: &HttpRequest) -> Result<String, Problem> {
    match request.match_info().get("id") {
        Some(id) if is_sound(id) => Ok(id.to_owned()),
        Some(_) => Err(Problem::missing("there is nothing with such an id")),
        None => Ok(String::new()),
    }
}
