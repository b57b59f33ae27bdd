//! Who may ask for what: actor × command × resource, in one table.

use std::collections::BTreeSet;

use domain::ids::TeamId;

use crate::{Actor, ActorKind, Role};

/// What somebody wants to do, as far as rights tell one thing from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    ReadRunbooks,
    ReadIncidents,
    /// Create, edit, submit, withdraw and discard drafts.
    DraftRunbook,
    /// Approve, reject and deprecate versions. The aggregate adds: not the author.
    DecideRunbook,
    /// See what waits for approval, and what became of it.
    ReadApprovals,
    /// Vote on it. The approval adds: who is eligible, and not on one's own work.
    VoteOnApprovals,
    /// Declare incidents, work on them and resolve them.
    HandleIncident,
    /// Say that a time has come. Only what happens by itself may, for it is believed.
    FireTimer,
    /// See what waits in the queue, and what has failed there.
    ReadWork,
    /// Retry, skip, pause and resume it.
    OperateWork,
    /// See where the views stand.
    ReadViews,
    /// Retry documents, skip events, pause and resume views.
    OperateViews,
    /// See who works here, and in which team.
    ReadPeople,
    /// Let people in, change what they are called, deactivate and erase them.
    ManagePeople,
    /// Give and take roles; in one's own team, those that are held there.
    ManageRoles,
    /// One's own account: name, password, ways in, sessions, stand-in, tokens.
    ManageOneself,
    /// Make teams, describe and archive them.
    ManageTeams,
    /// See, make and revoke tokens that are not one's own.
    ManageTokens,
    ReadStatusPages,
    /// Create, edit and archive pages and their components.
    ManageStatusPages,
    /// Set a component's status by hand, and give it back.
    PublishStatus,
    /// Tell a page what an incident is like. Only what happens by itself may, for it is believed.
    FollowIncidents,
    ReadPartnerGrants,
    ManagePartnerGrants,
    /// Write down what partners have asked for.
    RecordAccesses,
}

impl Action {
    pub const ALL: [Self; 25] = [
        Self::ReadRunbooks,
        Self::ReadIncidents,
        Self::DraftRunbook,
        Self::DecideRunbook,
        Self::ReadApprovals,
        Self::VoteOnApprovals,
        Self::HandleIncident,
        Self::FireTimer,
        Self::ReadWork,
        Self::OperateWork,
        Self::ReadViews,
        Self::OperateViews,
        Self::ReadPeople,
        Self::ManagePeople,
        Self::ManageRoles,
        Self::ManageOneself,
        Self::ManageTeams,
        Self::ManageTokens,
        Self::ReadStatusPages,
        Self::ManageStatusPages,
        Self::PublishStatus,
        Self::FollowIncidents,
        Self::ReadPartnerGrants,
        Self::ManagePartnerGrants,
        Self::RecordAccesses,
    ];

    /// For the one who is refused.
    pub fn describe(self) -> &'static str {
        match self {
            Self::ReadRunbooks => "read runbooks",
            Self::ReadIncidents => "read incidents",
            Self::DraftRunbook => "write and submit runbooks",
            Self::DecideRunbook => "approve, reject or deprecate runbooks",
            Self::ReadApprovals => "see what waits for approval",
            Self::VoteOnApprovals => "decide on what waits for approval",
            Self::HandleIncident => "declare and handle incidents",
            Self::FireTimer => "fire timers",
            Self::ReadWork => "see the work queue",
            Self::OperateWork => "retry, skip, pause or resume work",
            Self::ReadViews => "see where the views stand",
            Self::OperateViews => "pause, resume or repair views",
            Self::ReadPeople => "see who works here",
            Self::ManagePeople => "let people in or change their accounts",
            Self::ManageRoles => "give or take these roles",
            Self::ManageOneself => "change this account: only its person may, signed in",
            Self::ManageTeams => "make or change teams",
            Self::ManageTokens => "see, make or revoke tokens of others",
            Self::ReadStatusPages => "read status pages as the house sees them",
            Self::ManageStatusPages => "create and change status pages",
            Self::PublishStatus => "set the status of components",
            Self::FollowIncidents => "tell status pages of incidents",
            Self::ReadPartnerGrants => "read partner grants and their accesses",
            Self::ManagePartnerGrants => "give, change or take partner grants",
            Self::RecordAccesses => "record accesses of partners",
        }
    }
}

/// How far a role reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Nowhere,
    /// Resources of the team in which the role is held; everywhere when it is held everywhere.
    OwnTeams,
    /// As `OwnTeams`, and what belongs to no team.
    OwnTeamsAndGlobal,
    Everywhere,
}

/// The table. Whatever does not stand here is not allowed.
pub fn reach(role: Role, action: Action) -> Reach {
    use Action::{
        DecideRunbook, DraftRunbook, FireTimer, FollowIncidents, HandleIncident, ManageOneself, ManagePartnerGrants,
        ManagePeople, ManageRoles, ManageStatusPages, ManageTeams, ManageTokens, OperateViews, OperateWork,
        PublishStatus, ReadApprovals, ReadIncidents, ReadPartnerGrants, ReadPeople, ReadRunbooks, ReadStatusPages,
        ReadViews, ReadWork, RecordAccesses, VoteOnApprovals,
    };
    use Role::{Auditor, Partner, PlatformAdmin, Responder, TeamManager, Viewer};
    match (role, action) {
        // The first three are believed without a look at the clock or the world, so nobody may who has a role; the fourth
        // comes with being a person, see `allowed`.
        (_, FireTimer | FollowIncidents | RecordAccesses | ManageOneself)
        | (
            TeamManager | Responder | Auditor,
            DecideRunbook | OperateWork | OperateViews | ManageStatusPages | ManagePartnerGrants | ManagePeople
            | ManageTokens,
        )
        | (TeamManager | Responder, ReadWork | ReadViews | ReadPartnerGrants)
        | (Responder, ReadStatusPages)
        | (Responder | Auditor, PublishStatus | ManageRoles | ManageTeams)
        | (Auditor, DraftRunbook | VoteOnApprovals | HandleIncident)
        | (Viewer | Partner, _) => Reach::Nowhere,
        (PlatformAdmin, _)
        | (
            Auditor,
            ReadRunbooks | ReadApprovals | ReadIncidents | ReadWork | ReadViews | ReadPeople | ReadStatusPages
            | ReadPartnerGrants,
        )
        | (TeamManager | Responder, HandleIncident | ReadIncidents | ReadPeople) => Reach::Everywhere,
        (TeamManager | Responder, DraftRunbook)
        | (TeamManager, ManageRoles | ManageTeams | ReadStatusPages | PublishStatus) => Reach::OwnTeams,
        (TeamManager | Responder, ReadRunbooks | ReadApprovals | VoteOnApprovals) => Reach::OwnTeamsAndGlobal,
    }
}

/// Whether `actor` may do `action` to something of `team` (null: it belongs to no team).
pub fn allowed(actor: &Actor, action: Action, team: Option<&TeamId>) -> bool {
    match actor.kind {
        // Comes with being a person who is signed in, whatever his roles; a token that could would outlive itself.
        ActorKind::User if action == Action::ManageOneself => true,
        // Deciding on a version, operating the house, and what outsiders are told or may see takes a person, or what he
        // gave his token to.
        ActorKind::System | ActorKind::Reaction => !matches!(
            action,
            Action::DecideRunbook
                | Action::VoteOnApprovals
                | Action::OperateWork
                | Action::OperateViews
                | Action::ManageStatusPages
                | Action::PublishStatus
                | Action::ManagePartnerGrants
        ),
        ActorKind::User | ActorKind::ApiToken | ActorKind::Partner => {
            actor.grants.iter().any(|grant| match reach(grant.role, action) {
                Reach::Nowhere => false,
                Reach::Everywhere => true,
                Reach::OwnTeams => grant.team.is_none() || (team.is_some() && grant.team.as_ref() == team),
                Reach::OwnTeamsAndGlobal => grant.team.is_none() || team.is_none() || grant.team.as_ref() == team,
            })
        }
    }
}

/// Where somebody may do something: what [`allowed`] says of every team there is or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    Everything,
    /// What belongs to one of these teams, or, if `global`, to none.
    Of {
        teams: BTreeSet<TeamId>,
        global: bool,
    },
}

/// For lists, which must leave out what lies outside of one's scope.
pub fn scope(actor: &Actor, action: Action) -> Scope {
    // A team that nobody has a grant in: whoever reaches it reaches all.
    if allowed(actor, action, Some(&TeamId::new(""))) {
        return Scope::Everything;
    }
    let teams = actor.grants.iter().filter_map(|grant| grant.team.clone());
    let teams = teams.filter(|team| allowed(actor, action, Some(team))).collect();
    Scope::Of { teams, global: allowed(actor, action, None) }
}

/// Whether `actor` may do `action` to something somewhere: for doors that do not yet know which thing it is.
pub fn allowed_somewhere(actor: &Actor, action: Action) -> bool {
    allowed(actor, action, None) || actor.grants.iter().any(|grant| allowed(actor, action, grant.team.as_ref()))
}
