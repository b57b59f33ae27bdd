//! What nobody decides on in time goes back to those who asked: expiry rejects, it never approves.

use commands::approvals::ExpireApproval;
use commands::{Bus, CommandError, Outcome, Request};
use domain::approval::{Approval, Command, Event};
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::Timer;

#[derive(Debug)]
pub struct ExpireApprovals;

impl Timer for ExpireApprovals {
    type Of = Approval;
    type Memo = ();
    const NAME: &'static str = "expire_approvals";

    fn set(event: &Event) -> Option<(Timestamp, ())> {
        match event {
            Event::Opened(opened) => opened.terms.expires_at.map(|expires_at| (expires_at, ())),
            _ => None,
        }
    }

    fn fire((): (), due: Timestamp, at: Timestamp) -> Command {
        Command::Expire { expires_at: due, at }
    }

    fn put<'a>(
        bus: &'a Bus,
        request: &'a Request,
        id: &'a str,
        command: Command,
    ) -> BoxFuture<'a, Result<Outcome, CommandError>> {
        Box::pin(async move {
            match command {
                // With what it is about.
                Command::Expire { expires_at, at } => {
                    bus.run(request, &ExpireApproval { approval_id: id.to_owned(), expires_at, at }).await
                }
                other => bus.execute::<Approval>(request, id, &other).await,
            }
        })
    }
}
