//! Reading: who asks for what, and as of when. What is asked for now comes from its view, as it is stored; what was, from
//! the log itself, folded into the answer.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use commands::authorize::allowed;
use commands::{Actor, Bus, Keys};
use domain::ids::{TeamId, is_sound};
use projections::as_of::{self, Folded, History, Until};
use projections::{View, Views};
use serde::de::DeserializeOwned;
use storage::documents::Stored;
use storage::{StorageError, StreamId, Token};

use crate::door::Caller;
use crate::freshness::{log_has, view_reaches};
use crate::problem::Problem;
use crate::query::{AsOf, Part, Query};
use crate::resource::{Card, Resource};
use crate::{Answer, headers, respond, unseal};

/// A request that changes nothing.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) bus: web::Data<Bus>,
    pub(crate) views: web::Data<Views>,
    /// Of the resource in the path, where there is one.
    pub(crate) id: String,
    /// As of when; none is now, as the views show it.
    pub(crate) as_of: Option<Until>,
    pub(crate) keys: web::Data<Keys>,
    /// What the answer must hold.
    wanted: Option<Token>,
    pub(crate) actor: Actor,
    request: HttpRequest,
}

/// A request for a part of what belongs to a resource.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) read: Read,
    pub(crate) part: Part,
}

/// A request for a part of the rows that stand beside the log of a resource.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) read: Read,
    /// Behind which row.
    pub(crate) after: (u64, u32),
    pub(crate) limit: usize,
}

/// A resource as it is shown.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) body: String,
    pub(crate) card: Card,
    /// The answer holds everything up to here.
    pub(crate) position: u64,
}

/// The log of a resource.
#[derive(Debug)]
pub(crate) struct Logged<V> {
    pub(crate) history: History,
    pub(crate) folded: Folded<V>,
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

impl FromRequest for Rows {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let caller = Caller::from_request(&request, payload);
        Box::pin(async move {
            let mut query = Query::parse(request.query_string())?;
            let limit = query.limit();
            let after = query.row();
            let read = Read::extract(request, caller.await?.0, query).await?;
            Ok(Self { read, after, limit })
        })
    }
}

impl Read {
    /// What is left of a query when the route has taken its own parameters.
    pub(crate) async fn extract(request: HttpRequest, actor: Actor, mut query: Query) -> Result<Self, Problem> {
        let (bus, views, keys) = (data::<Bus>(&request)?, data::<Views>(&request)?, data(&request)?);
        let as_of = query.as_of();
        query.close()?;
        let id = path_id(&request)?;
        let wanted = headers::min_position(request.headers())?;
        let as_of = match as_of {
            AsOf::Until(Until::Now) => None,
            AsOf::Until(until) => Some(until),
            AsOf::Token(token) => {
                log_has(bus.store(), &token).await?;
                Some(Until::Position(token.position))
            }
        };
        Ok(Self { bus, views, id, as_of, keys, wanted, actor, request })
    }

    /// The resource in the path, if it is there and may be seen.
    pub(crate) async fn find<R: Resource>(&self) -> Result<Shown, Problem> {
        let shown = self.found::<R>().await?;
        self.permit::<R>(shown.card.team_id.as_ref())?;
        Ok(shown)
    }

    async fn found<R: Resource>(&self) -> Result<Shown, Problem> {
        match self.as_of {
            None => {
                self.fresh::<R::Document>().await?;
                let (stored, position) = self.views.find::<R::Document>(&self.id).await?;
                Shown::stored(&stored.ok_or_else(no_such::<R>)?, position)
            }
            Some(until) => {
                let Logged { folded, .. } = self.logged::<R>(until).await?;
                Shown::folded(&folded)
            }
        }
    }

    /// The log of the resource in the path, if it is there and may be seen, up to the moment asked for.
    pub(crate) async fn log<R: Resource>(&self) -> Result<Logged<R::Document>, Problem> {
        let logged = self.logged::<R>(self.as_of.unwrap_or(Until::Now)).await?;
        let shown = Shown::folded(&logged.folded)?;
        self.permit::<R>(shown.card.team_id.as_ref())?;
        Ok(logged)
    }

    async fn logged<R: Resource>(&self, until: Until) -> Result<Logged<R::Document>, Problem> {
        if let Some(wanted) = &self.wanted {
            log_has(self.bus.store(), wanted).await?;
        }
        let history = as_of::read(self.bus.store(), StreamId::new(R::TYPE, &*self.id), until).await?;
        let folded = history.document().ok_or_else(no_such::<R>)?;
        Ok(Logged { history, folded })
    }

    /// Waits until a view holds what the caller has seen.
    pub(crate) async fn fresh<V: View>(&self) -> Result<(), Problem> {
        view_reaches::<V>(&self.views, self.wanted.as_ref()).await
    }

    fn permit<R: Resource>(&self, team: Option<&TeamId>) -> Result<(), Problem> {
        // Outside of one's scope: whether it exists is none of one's business.
        if allowed(&self.actor, R::READ, team) { Ok(()) } else { Err(no_such::<R>()) }
    }

    pub(crate) async fn token(&self, position: u64) -> Result<Token, Problem> {
        Ok(self.bus.token(position).await?)
    }

    /// Answers with the resource's document.
    pub(crate) async fn answer<R: Resource>(&self) -> Answer {
        self.show::<R>(self.find::<R>().await?).await
    }

    /// Answers with the caller's own document, whatever his roles.
    pub(crate) async fn answer_own<R: Resource>(self) -> Answer {
        let own = Self { id: self.actor.id.to_string(), ..self };
        own.show::<R>(own.found::<R>().await?).await
    }

    async fn show<R: Resource>(&self, shown: Shown) -> Answer {
        let Card { version, .. } = shown.card;
        if R::is_gone(&shown.card) {
            return Err(Problem::missing(format!("the {} was discarded; its history is left", R::NOUN)));
        }
        let mut response = if headers::has_already(self.request.headers(), version) {
            HttpResponse::NotModified().finish()
        } else {
            respond::stored(StatusCode::OK, unseal::text::<R>(&self.keys, shown.body).await?)
        };
        respond::stamp(&mut response, &self.token(shown.position).await?);
        respond::tag(&mut response, version);
        Ok(response)
    }

    /// A further part of the path, read as what it must be.
    pub(crate) fn path<T: std::str::FromStr>(&self, name: &str) -> Result<T, Problem> {
        let text = self.request.match_info().get(name).unwrap_or_default();
        text.parse().map_err(|_| Problem::missing("there is nothing under this address"))
    }
}

impl Shown {
    /// A document of a view that was folded up to `position` at least.
    pub(crate) fn stored(stored: &Stored, position: u64) -> Result<Self, Problem> {
        Ok(Self { card: part(stored)?, body: respond::whole(stored).into_owned(), position })
    }

    pub(crate) fn folded(folded: &Folded<impl View>) -> Result<Self, Problem> {
        let body = serde_json::to_string(&folded.document).map_err(|error| Problem::internal(&error))?;
        let card = serde_json::from_str(&body).map_err(|error| Problem::internal(&error))?;
        Ok(Self { body, card, position: folded.position })
    }
}

/// What of a document must be known here.
pub(crate) fn part<T: DeserializeOwned>(stored: &Stored) -> Result<T, Problem> {
    let incompatible = |error| StorageError::Incompatible(format!("the document {}: {error}", stored.key));
    Ok(serde_json::from_str(&stored.body).map_err(incompatible)?)
}

fn no_such<R: Resource>() -> Problem {
    Problem::missing(format!("there is no such {}", R::NOUN))
}

/// What the server gave to all of its handlers, for those that have a request to read by.
pub(crate) fn data_of<T: 'static>(read: &Read) -> Result<web::Data<T>, Problem> {
    data(&read.request)
}

/// What the server gave to all of its handlers.
pub(crate) fn data<T: 'static>(request: &HttpRequest) -> Result<web::Data<T>, Problem> {
    let data: Option<&web::Data<T>> = request.app_data();
    data.cloned().ok_or_else(|| Problem::internal(&"the app lacks what its handlers need"))
}

/// The id in the path, empty for a route that has none. What cannot be an id names nothing.
pub(crate) fn path_id(request: &HttpRequest) -> Result<String, Problem> {
    match request.match_info().get("id") {
        Some(id) if is_sound(id) => Ok(id.to_owned()),
        Some(_) => Err(Problem::missing("there is nothing with such an id")),
        None => Ok(String::new()),
    }
}
