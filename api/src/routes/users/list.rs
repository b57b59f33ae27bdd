//! Lists people. A search by name or address looks at what is opened here, because no index may know them.

use commands::authorize::Action;
use domain::user::Standing;
use projections::lists::UserList;
use projections::people::UserDetail;
use projections::terms::facet;
use serde_json::Value;

use crate::Answer;
use crate::collection::Collection;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/users",
    access: Access::Holding(Action::ReadPeople),
    handle: |route| route.to(list),
};

async fn list(mut collection: Collection) -> Answer {
    let standing = |word: &str| Standing::SHOWN.into_iter().find(|standing| standing.as_str() == word);
    let mut status = collection.query.words("status", "active, deactivated or erased", standing);
    if status.len() > 1 {
        collection.query.fault("status", "must be given once");
    }
    let role = collection.query.named::<domain::roles::Role>("role");
    let team = collection.identifier::<domain::ids::TeamId>("team_id");
    let facets = role.map(|role| facet("role", role.as_str())).into_iter();
    let facets = facets.chain(team.map(|team| facet("team", team.as_str()))).collect();
    let typed = collection.query.take("q").map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty());
    let wanted = UserList { status: status.pop(), facets, limit: collection.query.limit() };
    let wants = |person: &Value| typed.as_deref().is_none_or(|typed| matches(person, typed));
    collection.answer_opened::<UserDetail>(wanted.query(), wants).await
}

/// Each word begins a word of the name, or stands in the address.
fn matches(person: &Value, typed: &str) -> bool {
    let text = |name: &str| person[name].as_str().unwrap_or_default().to_lowercase();
    let (name, email) = (text("name"), text("email"));
    typed
        .split_whitespace()
        .all(|word| email.contains(word) || name.split_whitespace().any(|part| part.starts_with(word)))
}
