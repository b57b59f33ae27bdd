//! What each kind of resource is called, who may read it, and which document shows it.

use commands::Governed;
use commands::authorize::Action;
use domain::api_token::ApiToken;
use domain::approval::Approval;
use domain::ids::TeamId;
use domain::incident::Incident;
use domain::partner_grant::PartnerGrant;
use domain::runbook::Runbook;
use domain::status_page::StatusPage;
use domain::team::Team;
use domain::user::User;
use projections::View;
use projections::approvals::ApprovalDetail;
use projections::incidents::IncidentDetail;
use projections::partner_grants::PartnerGrantDetail;
use projections::people::{ApiTokenDetail, TeamDetail, UserDetail};
use projections::runbooks::RunbookDetail;
use projections::status_pages::StatusPageDetail;
use serde::Deserialize;
use serde::de::IgnoredAny;

pub(crate) trait Resource: Governed {
    type Document: View;
    const NOUN: &'static str;
    /// Where its collection is.
    const PATH: &'static str;
    const READ: Action;

    /// Whether its documents hold data about people, which are opened for whoever may see them.
    const SEALED: bool = false;

    /// Whether only its history is left.
    fn is_gone(_: &Card) -> bool {
        false
    }
}

/// All that the door itself reads of a document; the rest goes out as it is stored.
#[derive(Debug, Deserialize)]
pub(crate) struct Card {
    pub(crate) version: u64,
    pub(crate) team_id: Option<TeamId>,
    draft: Option<IgnoredAny>,
    #[serde(default)]
    versions: Vec<IgnoredAny>,
}

impl Resource for Runbook {
    type Document = RunbookDetail;
    const NOUN: &'static str = "runbook";
    const PATH: &'static str = "/api/runbooks";
    const READ: Action = Action::ReadRunbooks;

    fn is_gone(card: &Card) -> bool {
        card.draft.is_none() && card.versions.is_empty()
    }
}

impl Resource for Incident {
    type Document = IncidentDetail;
    const NOUN: &'static str = "incident";
    const PATH: &'static str = "/api/incidents";
    const READ: Action = Action::ReadIncidents;
}

impl Resource for Approval {
    type Document = ApprovalDetail;
    const NOUN: &'static str = "approval";
    const PATH: &'static str = "/api/approvals";
    const READ: Action = Action::ReadApprovals;
}

impl Resource for User {
    type Document = UserDetail;
    const NOUN: &'static str = "user";
    const PATH: &'static str = "/api/users";
    const READ: Action = Action::ReadPeople;
    const SEALED: bool = true;
}

impl Resource for Team {
    type Document = TeamDetail;
    const NOUN: &'static str = "team";
    const PATH: &'static str = "/api/teams";
    const READ: Action = Action::ReadPeople;
}

impl Resource for ApiToken {
    type Document = ApiTokenDetail;
    const NOUN: &'static str = "token";
    const PATH: &'static str = "/api/tokens";
    const READ: Action = Action::ManageTokens;
}

impl Resource for StatusPage {
    type Document = StatusPageDetail;
    const NOUN: &'static str = "status page";
    const PATH: &'static str = "/api/status-pages";
    const READ: Action = Action::ReadStatusPages;
}

impl Resource for PartnerGrant {
    type Document = PartnerGrantDetail;
    const NOUN: &'static str = "partner grant";
    const PATH: &'static str = "/api/partner-grants";
    const READ: Action = Action::ReadPartnerGrants;
}

#[cfg(test)]
mod tests {
    use domain::runbook::Runbook;
    use projections::runbooks::{RunbookDetail, VersionSummary};

    use super::{Card, Resource};

    /// What the card says of a document, beside what the document says of itself.
    fn gone(document: &RunbookDetail) -> (bool, bool) {
        let card: Card = serde_json::from_str(&serde_json::to_string(document).unwrap()).unwrap();
        assert_eq!((card.version, &card.team_id), (document.version, &document.team_id));
        (Runbook::is_gone(&card), document.is_discarded())
    }

    #[test]
    fn the_card_knows_what_is_gone() {
        let discarded = RunbookDetail { version: 7, team_id: Some("t".into()), ..RunbookDetail::default() };
        assert_eq!(gone(&discarded), (true, true));
        let approved = RunbookDetail { versions: vec![VersionSummary::default()], ..discarded };
        assert_eq!(gone(&approved), (false, false));
    }
}
