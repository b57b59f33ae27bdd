//! Lists approvals: those that wait for the caller's vote where nothing else is said.

use commands::approvals::voter;
use commands::authorize::Action;
use commands::platform;
use domain::approval::{Status, SubjectKind};
use projections::approvals::ApprovalDetail;
use projections::lists::{ApprovalList, Awaiting};

use crate::Answer;
use crate::clock::now;
use crate::collection::Collection;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/approvals",
    access: Access::Holding(Action::ReadApprovals),
    handle: |route| route.to(list),
};

/// Stands for every status.
const ALL: &str = "all";

async fn list(mut collection: Collection) -> Answer {
    let (wanted, mine) = wanted(&mut collection);
    if !mine {
        return collection.answer::<ApprovalDetail>(wanted.query()).await;
    }
    let actor = &collection.actor;
    let voter = voter(actor, platform::knows_another_admin(&collection.bus, &actor.id, now()).await?);
    let awaiting = Awaiting { voter, at: now() };
    collection.answer_only::<ApprovalDetail>(wanted.query(), |stored| awaiting.includes(stored)).await
}

/// What is asked for, and whether only what the caller may vote on.
fn wanted(collection: &mut Collection) -> (ApprovalList, bool) {
    let teams = collection.teams(Action::ReadApprovals);
    let query = &mut collection.query;
    let statuses = query.words("status", "pending, approved, rejected, withdrawn, expired or all", statuses).concat();
    let mine = query.named("mine").unwrap_or(statuses.is_empty());
    // Whatever has ended waits for nobody.
    if mine && statuses.iter().any(|status| *status != Status::Pending) {
        query.fault("mine", "goes only with status=pending");
    }
    let kind = |word: &str| SubjectKind::ALL.into_iter().find(|kind| kind.as_str() == word);
    let kinds: Vec<SubjectKind> = query.words("subject_kind", "runbook_version", kind);
    let statuses = if statuses.is_empty() { vec![Status::Pending] } else { statuses };
    let list = ApprovalList {
        teams,
        statuses,
        kinds,
        limit: query.limit(),
        subject: collection.identifier::<String>("subject_id"),
        opened_by: collection.identifier("opened_by"),
        search: collection.search(),
        sort: collection.sort(ApprovalList::SORTS),
    };
    (list, mine)
}

fn statuses(word: &str) -> Option<Vec<Status>> {
    if word == ALL {
        return Some(Status::ALL.to_vec());
    }
    Status::ALL.into_iter().find(|status| status.as_str() == word).map(|status| vec![status])
}
