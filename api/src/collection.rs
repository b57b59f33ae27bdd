//! Lists of resources: filtered, sorted and cut into pages by their view, and nobody sees more than he may.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, web};
use commands::authorize::{Action, Scope, scope};
use commands::{Actor, Bus, Keys};
use domain::ids::{TeamId, is_sound};
use jiff::Timestamp;
use projections::lists::{self, Search, Teams};
use projections::{Cursor, Page, View, Views};
use serde_json::{Value, json};
use storage::documents::{Sort, Stored};
use storage::{StorageError, Token};

use crate::door::Caller;
use crate::freshness::view_reaches;
use crate::problem::Problem;
use crate::query::Query;
use crate::read::{data, part};
use crate::{Answer, headers, respond, unseal};

/// What is wrong with a cursor that leads nowhere here.
const FOREIGN: &str = "must be the next_cursor of a page of the same list";
/// What stands for no team where a team is asked for.
const NO_TEAM: &str = "global";
/// Pages that are looked at for one that shows something.
const LOOKS: usize = 20;
/// Labels or tags that are asked for at once. With the words of a search they stay within the bound of `storage`.
const FACETS: usize = 10;
/// Characters of one.
const FACET_CHARACTERS: usize = 400;

/// A request for a page of a list.
#[derive(Debug)]
pub(crate) struct Collection {
    pub(crate) bus: web::Data<Bus>,
    pub(crate) views: web::Data<Views>,
    pub(crate) query: Query,
    pub(crate) keys: web::Data<Keys>,
    pub(crate) actor: Actor,
    wanted: Option<Token>,
}

impl FromRequest for Collection {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let caller = Caller::from_request(&request, payload);
        Box::pin(async move {
            Ok(Self {
                bus: data(&request)?,
                views: data(&request)?,
                keys: data(&request)?,
                query: Query::parse(request.query_string())?,
                actor: caller.await?.0,
                wanted: headers::min_position(request.headers())?,
            })
        })
    }
}

impl Collection {
    pub(crate) fn scope(&self, action: Action) -> Scope {
        scope(&self.actor, action)
    }

    /// Waits until a view holds what the caller has seen.
    pub(crate) async fn fresh<V: View>(&self) -> Result<(), Problem> {
        view_reaches::<V>(&self.views, self.wanted.as_ref()).await
    }

    /// Those teams that are asked for and in the caller's reach.
    pub(crate) fn teams(&mut self, action: Action) -> Teams {
        let mine = reachable(self.scope(action));
        match self.query.take("team_id") {
            None => mine,
            Some(none) if none == NO_TEAM => mine.only(None),
            Some(id) if is_sound(&id) => mine.only(Some(TeamId::new(id))),
            Some(_) => {
                self.query.fault("team_id", format!("must be an identifier, or {NO_TEAM}"));
                mine
            }
        }
    }

    pub(crate) fn search(&mut self) -> Search {
        // Nothing typed yet is no search.
        let typed = self.query.take("q").filter(|text| !text.is_empty());
        match typed.map(|text| text.parse()) {
            None => Search::default(),
            Some(Ok(search)) => search,
            Some(Err(error)) => {
                let error: lists::NoSearch = error;
                self.query.fault("q", error.to_string());
                Search::default()
            }
        }
    }

    pub(crate) fn sort(&mut self, columns: &[&'static str]) -> Option<Sort> {
        let word = self.query.take("sort")?;
        let sort = lists::sort(&word, columns);
        if sort.is_none() {
            let known = columns.join(", ");
            self.query.fault("sort", format!("must be one of {known}; with - before it the last one comes first"));
        }
        sort
    }

    /// Every value of a parameter that may be given several times.
    pub(crate) fn facets(&mut self, name: &str) -> Vec<String> {
        let all = self.query.take_all(name);
        if all.len() > FACETS {
            self.query.fault(name, format!("must be given at most {FACETS} times"));
        }
        let sound = |text: &String| (1..=FACET_CHARACTERS).contains(&text.chars().count()) && !text.contains('\0');
        if !all.iter().all(sound) {
            self.query.fault(name, format!("must have 1 to {FACET_CHARACTERS} characters and no NUL"));
        }
        all
    }

    pub(crate) fn time(&mut self, name: &str) -> Option<Timestamp> {
        let read = self.query.take(name)?.parse().ok();
        if read.is_none() {
            self.query.fault(name, "must be an RFC 3339 time with its offset");
        }
        read
    }

    pub(crate) fn identifier<T: for<'a> From<&'a str>>(&mut self, name: &str) -> Option<T> {
        let id = self.query.take(name)?;
        if !is_sound(&id) {
            self.query.fault(name, "must be an identifier");
            return None;
        }
        Some(T::from(&id))
    }

    /// Answers with the page that is asked for. Everything else must have been taken from the query.
    pub(crate) async fn answer<V: View>(mut self, wanted: storage::documents::Query) -> Answer {
        let cursor = self.begin::<V>().await?;
        let page = self.views.page::<V>(wanted, cursor.as_ref()).await?;
        self.respond(page).await
    }

    /// As `answer`, of those documents that `only` says.
    pub(crate) async fn answer_only<V: View>(
        mut self,
        wanted: storage::documents::Query,
        only: impl Fn(&Stored) -> Result<bool, StorageError>,
    ) -> Answer {
        let cursor = self.begin::<V>().await?;
        let page = self.views.sift::<V>(wanted, cursor.as_ref(), only).await?;
        self.respond(page).await
    }

    async fn begin<V: View>(&mut self) -> Result<Option<Cursor>, Problem> {
        let cursor = self.query.take("cursor").map(|text| Cursor::parse(&text));
        if cursor == Some(None) {
            self.query.fault("cursor", FOREIGN);
        }
        std::mem::take(&mut self.query).close()?;
        self.fresh::<V>().await?;
        Ok(cursor.flatten())
    }

    async fn respond(self, page: Option<Page>) -> Answer {
        let page = page.ok_or_else(|| Problem::fault("/query/cursor", FOREIGN))?;
        let token = self.views.store().token(page.position).await?;
        let next = page.next.map(|cursor| cursor.to_string());
        Ok(respond::stored_page(&page.items, next.as_deref(), &token))
    }

    /// The same for documents whose sealed data are opened on the way out, and of which only those count that `wants`
    /// wants then: no index may know what it looks at. Such a page may be short, and even empty where much was looked at in
    /// vain; there is more as long as it has a cursor.
    pub(crate) async fn answer_opened<V: View>(
        mut self,
        wanted: storage::documents::Query,
        wants: impl Fn(&Value) -> bool,
    ) -> Answer {
        let mut after = self.begin::<V>().await?;
        let mut looks = 0;
        loop {
            looks += 1;
            let page = self.views.page::<V>(wanted.clone(), after.as_ref()).await?;
            let page = page.ok_or_else(|| Problem::fault("/query/cursor", FOREIGN))?;
            let mut items: Vec<Value> = Vec::with_capacity(page.items.len());
            for stored in &page.items {
                items.push(part(stored)?);
            }
            unseal::values(&self.keys, &mut items).await?;
            items.retain(&wants);
            if !items.is_empty() || page.next.is_none() || looks == LOOKS {
                let token = self.views.store().token(page.position).await?;
                let next = page.next.map(|cursor| cursor.to_string());
                let mut response = respond::json(StatusCode::OK, &json!({ "items": items, "next_cursor": next }))?;
                respond::stamp(&mut response, &token);
                return Ok(response);
            }
            after = page.next;
        }
    }
}

fn reachable(scope: Scope) -> Teams {
    match scope {
        Scope::Everything => Teams::All,
        Scope::Of { teams, global } => Teams::Only(teams.into_iter().map(Some).chain(global.then_some(None)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use commands::authorize::Scope;
    use domain::ids::TeamId;
    use projections::lists::Teams;

    use super::reachable;

    #[test]
    fn a_list_reaches_as_far_as_its_caller() {
        let team = || TeamId::new("a");
        assert_eq!(reachable(Scope::Everything), Teams::All);
        let of = |global| reachable(Scope::Of { teams: [team()].into(), global });
        assert_eq!(of(true), Teams::Only(vec![Some(team()), None]));
        assert_eq!(of(false), Teams::Only(vec![Some(team())]));
        assert_eq!(reachable(Scope::Of { teams: [].into(), global: false }), Teams::Only(vec![]));
    }
}
