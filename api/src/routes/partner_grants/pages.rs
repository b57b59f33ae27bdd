//! What a partner sees, or saw: the pages of a grant as they are shown to him, now or as of a time or position.

use actix_web::http::StatusCode;
use commands::authorize::Action;
use domain::Aggregate;
use domain::partner_grant::{PartnerGrant, Shut};
use domain::status_page::StatusPage;
use jiff::Timestamp;
use projections::as_of::{self, Until};
use projections::status::{self, File};
use projections::status_pages::StatusPageDetail;
use serde_json::{Value, json};

use crate::Answer;
use crate::clock::now;
use crate::problem::Problem;
use crate::public_url::PublicUrl;
use crate::read::{Read, data_of};
use crate::respond;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/partner-grants/{id}/pages",
    access: Access::Holding(Action::ReadPartnerGrants),
    handle: |route| route.to(pages),
};

async fn pages(read: Read) -> Answer {
    let url = data_of::<PublicUrl>(&read)?;
    let logged = read.log::<PartnerGrant>().await?;
    let (grant, until) = (&logged.folded.document, read.as_of.unwrap_or(Until::Now));
    let at = moment(&read, until).await?;
    let shut = grant.open(at).err();
    let mut shown: Vec<Value> = Vec::new();
    if shut.is_none() {
        let ids: Vec<String> = grant.scope.keys().map(ToString::to_string).collect();
        let streams = as_of::read_all(read.bus.store(), StatusPage::TYPE, &ids, until).await?;
        for ((id, extent), stream) in grant.scope.iter().zip(&streams) {
            let Some(page) = stream.document::<StatusPageDetail>() else { continue };
            let page = status::shown(&page.document, extent, &url.of_partner_page(id.as_str()));
            shown.extend(page.map(|page| page.file(File::Summary)));
        }
    }
    let body = json!({ "at": at, "open": shut.is_none(), "shut": shut.map(Shut::as_str), "pages": shown });
    let mut response = respond::json(StatusCode::OK, &body)?;
    respond::stamp(&mut response, &read.token(logged.folded.position).await?);
    Ok(response)
}

/// The time that is asked about; of a position, that of its event.
async fn moment(read: &Read, until: Until) -> Result<Timestamp, Problem> {
    match until {
        Until::Now => Ok(now()),
        Until::Instant(at) => Ok(at),
        Until::Position(position) => {
            let event = read.bus.store().read_after(position.saturating_sub(1), 1).await?.pop();
            let at = event.and_then(|event| Timestamp::from_microsecond(event.recorded_at_us).ok());
            Ok(at.unwrap_or_else(now))
        }
    }
}
