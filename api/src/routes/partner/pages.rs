//! The pages of a grant, as much of each as it opens: all of them, one, and the files of Statuspage's API of one.

use commands::Bus;
use domain::ids::StatusPageId;
use domain::partner_grant::Extent;
use domain::status_page::StatusPage;
use projections::status::{File, Shown, shown};
use projections::status_pages::StatusPageDetail;
use projections::{View, Views};
use serde_json::{Value, json};

use crate::Answer;
use crate::freshness::PATIENCE;
use crate::partner::{Partner, Seen};
use crate::problem::Problem;
use crate::public_url::PublicUrl;
use crate::query::Query;
use crate::read::{data, part};
use crate::routes::{Access, Route};

pub(in crate::routes) const LIST: Route =
    Route { method: "GET", path: "/api/partner/pages", access: Access::Partner, handle: |route| route.to(list) };

pub(in crate::routes) const SHOW: Route =
    Route { method: "GET", path: "/api/partner/pages/{page}", access: Access::Partner, handle: |route| route.to(show) };

pub(in crate::routes) const FILE: Route = Route {
    method: "GET",
    path: "/api/partner/pages/{page}/api/v2/{file:.*}",
    access: Access::Partner,
    handle: |route| route.to(file),
};

pub(in crate::routes) const LIST_ALIAS: Route = Route { path: "/api/status/pages", ..LIST };
pub(in crate::routes) const SHOW_ALIAS: Route = Route { path: "/api/status/pages/{page}", ..SHOW };
pub(in crate::routes) const FILE_ALIAS: Route = Route { path: "/api/status/pages/{page}/api/v2/{file:.*}", ..FILE };

/// A grant names only so many pages: all of them fit into one answer.
async fn list(partner: Partner) -> Answer {
    Query::parse(partner.request.query_string())?.close()?;
    let mut cards: Vec<Value> = Vec::new();
    let mut seen = Seen::default();
    for (id, extent) in &partner.grant().scope {
        if let Some(page) = look(&partner, id, extent).await? {
            seen.components.extend(page.component_ids().cloned());
            cards.push(page.card());
        }
    }
    partner.serve(seen, &json!({ "items": cards, "next_cursor": null })).await
}

async fn show(partner: Partner) -> Answer {
    answer(&partner, Some(File::Summary)).await
}

async fn file(partner: Partner) -> Answer {
    let name = partner.request.match_info().get("file").unwrap_or_default();
    answer(&partner, File::named(name)).await
}

/// Whatever is not his is not there: a page of others, one that is no more, a file that there is not.
async fn answer(partner: &Partner, file: Option<File>) -> Answer {
    Query::parse(partner.request.query_string())?.close()?;
    let id = StatusPageId::new(partner.request.match_info().get("page").unwrap_or_default());
    let page = match partner.grant().scope.get(&id) {
        Some(extent) => look(partner, &id, extent).await?,
        None => None,
    };
    match (page, file) {
        (Some(page), Some(file)) => {
            let components = page.component_ids().cloned().collect();
            partner.serve(Seen { page: Some(id), components }, &page.file(file)).await
        }
        (page, _) => {
            let reason = if page.is_some() { "no_such_file" } else { "out_of_scope" };
            // Of what a stranger writes only what could be an id is kept.
            let id = Some(id).filter(|id| domain::ids::is_sound(id.as_str()));
            Err(partner.denied(id, Problem::missing("there is nothing under this address"), reason).await)
        }
    }
}

/// What he sees of a page that his grant names.
async fn look(partner: &Partner, id: &StatusPageId, extent: &Extent) -> Result<Option<Shown>, Problem> {
    let (views, url) = (data::<Views>(&partner.request)?, data::<PublicUrl>(&partner.request)?);
    let bus = data::<Bus>(&partner.request)?;
    let Some((_, _, position)) = bus.look::<StatusPage>(id.as_str()).await? else { return Ok(None) };
    // A page as it was before it was archived or narrowed would show him more than is his.
    if let Err(behind) = views.reach(StatusPageDetail::NAME, position, PATIENCE).await {
        return Err(Problem::behind(&bus.token(behind.position).await?));
    }
    let (stored, _) = views.find::<StatusPageDetail>(id.as_str()).await?;
    let Some(stored) = stored else { return Ok(None) };
    if stored.parked.is_some() {
        return Err(Problem::unavailable("this page cannot be shown at the moment"));
    }
    let page: StatusPageDetail = part(&stored)?;
    Ok(shown(&page, extent, &url.of_partner_page(id.as_str())))
}
