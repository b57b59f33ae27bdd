//! Exchanges a partner's secret for a token that lives for minutes.

use serde_json::json;

use crate::Answer;
use crate::partner::{LIFETIME, Partner, Seen};
use crate::query::Query;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/partner/token",
    access: Access::PartnerSecret,
    handle: |route| route.to(exchange),
};

async fn exchange(partner: Partner) -> Answer {
    Query::parse(partner.request.query_string())?.close()?;
    let token = partner.token().await?;
    let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": LIFETIME });
    partner.serve(Seen::default(), &body).await
}
