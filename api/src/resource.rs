//! What each kind of resource is called, who may read it, and which document shows it.

use commands::Governed;
use commands::authorize::Action;
use domain::ids::TeamId;
use domain::incident::Incident;
use domain::runbook::Runbook;
use projections::View;
use projections::incidents::IncidentDetail;
use projections::runbooks::RunbookDetail;

pub(crate) trait Resource: Governed {
    type Document: View;
    const NOUN: &'static str;
    /// Where its collection is.
    const PATH: &'static str;
    const READ: Action;

    fn team(document: &Self::Document) -> Option<&TeamId>;

    /// Whether only its history is left.
    fn is_gone(_: &Self::Document) -> bool {
        false
    }
}

impl Resource for Runbook {
    type Document = RunbookDetail;
    const NOUN: &'static str = "runbook";
    const PATH: &'static str = "/api/runbooks";
    const READ: Action = Action::ReadRunbooks;

    fn team(document: &RunbookDetail) -> Option<&TeamId> {
        document.team_id.as_ref()
    }

    fn is_gone(document: &RunbookDetail) -> bool {
        document.is_discarded()
    }
}

impl Resource for Incident {
    type Document = IncidentDetail;
    const NOUN: &'static str = "incident";
    const PATH: &'static str = "/api/incidents";
    const READ: Action = Action::ReadIncidents;

    fn team(document: &IncidentDetail) -> Option<&TeamId> {
        document.team_id.as_ref()
    }
}
