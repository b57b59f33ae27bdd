//! Procedures over several aggregates or facts: one append, and nothing half done.

use commands::CommandError;
use commands::incidents::{Merge, Unmerge};
use domain::ids::{ActorId, IncidentId};
use domain::incident::{self, Incident, Severity};

use crate::bed::{Bed, admin, on_both};

on_both!(a_merge_is_one_append_on_both_streams, two_merges_at_once_make_no_circle,);

async fn declare(bed: &Bed, id: &str) {
    let declare = incident::Declare::new(ActorId::new("a"), format!("Incident {id}"), Severity::Sev3);
    bed.bus.create::<Incident>(&admin("a"), id, &incident::Command::Declare(Box::new(declare))).await.unwrap();
}

fn merge(incident: &str, into: &str) -> Merge {
    Merge { by: ActorId::new("a"), incident: IncidentId::new(incident), into: IncidentId::new(into) }
}

async fn status(bed: &Bed, id: &str) -> incident::Status {
    bed.bus.look::<Incident>(id).await.unwrap().unwrap().0.status
}

async fn a_merge_is_one_append_on_both_streams(bed: &Bed) {
    declare(bed, "x").await;
    declare(bed, "y").await;
    let outcome = bed.bus.run(&admin("a"), &merge("x", "y")).await.unwrap();
    assert_eq!((outcome.version_of("incident", "x"), outcome.version_of("incident", "y")), (2, 2));
    assert_eq!(outcome.position, 4);
    let missing = bed.bus.run(&admin("a"), &merge("y", "nowhere")).await;
    assert!(matches!(missing, Err(CommandError::Refused(refusal)) if refusal.code() == "incident_missing"));
    let unmerge = Unmerge { by: ActorId::new("a"), incident: IncidentId::new("x") };
    bed.bus.run(&admin("a"), &unmerge).await.unwrap();
    assert_eq!(status(bed, "x").await, incident::Status::Open);
    assert!(bed.bus.look::<Incident>("y").await.unwrap().unwrap().0.absorbed.is_empty());
    let again = bed.bus.run(&admin("a"), &unmerge).await;
    assert!(matches!(again, Err(CommandError::Refused(refusal)) if refusal.code() == "not_merged"));
}

async fn two_merges_at_once_make_no_circle(bed: &Bed) {
    for round in 0..10 {
        let (x, y) = (format!("x{round}"), format!("y{round}"));
        declare(bed, &x).await;
        declare(bed, &y).await;
        let other = bed.another_node().await;
        let (there, back) = (merge(&x, &y), merge(&y, &x));
        let (mine, yours) = (admin("a"), admin("a"));
        let (first, second) = tokio::join!(bed.bus.run(&mine, &there), other.run(&yours, &back));
        assert_eq!(usize::from(first.is_ok()) + usize::from(second.is_ok()), 1, "{first:?} {second:?}");
        let merged = [status(bed, &x).await, status(bed, &y).await];
        assert_eq!(merged.iter().filter(|status| **status == incident::Status::Merged).count(), 1);
    }
}
