//! What an approval is about and who may give it: fixed when it is opened, never changed.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::approval::state::Vote;
use crate::ids::{self, ActorId, TeamId};
use crate::roles::{Grant, Role};
use crate::{Fault, Refusal, text};

/// How many must approve.
pub const QUORUM: RangeInclusive<u32> = 1..=10;
/// Teams and people that may be named as eligible.
pub const ELIGIBLE: usize = 100;
/// People whose work one approval may be about.
pub const AUTHORS: usize = 1_000;
pub const TITLE_CHARACTERS: usize = 200;

/// A new kind of thing to approve is a variant here, and a branch where its procedure carries out what was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    RunbookVersion,
}

impl SubjectKind {
    pub const ALL: [Self; 1] = [Self::RunbookVersion];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunbookVersion => "runbook_version",
        }
    }
}

/// What exactly is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    pub kind: SubjectKind,
    /// Of the runbook, or whatever it is.
    pub id: String,
    /// The number that it gets when it is approved.
    pub version: u32,
    /// The version before, which it is to be compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_version: Option<u32>,
    pub content_hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<TeamId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// Who may vote: whoever holds one of the roles (everywhere, or in the subject's team), works in one of the teams, or is
/// one of the people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Eligible {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub teams: BTreeSet<TeamId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub people: BTreeSet<ActorId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub subject: Subject,
    pub eligible: Eligible,
    pub quorum: u32,
    /// Whether authors may not vote.
    pub four_eyes: bool,
    pub authors: BTreeSet<ActorId>,
    /// Until when it waits; without it, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Who votes, as other streams know him.
#[derive(Debug, Clone, PartialEq)]
pub struct Voter {
    pub by: ActorId,
    /// The one who has asked the voter to vote in his name.
    pub standing_in_for: Option<ActorId>,
    /// The rights of the one whose vote it is.
    pub grants: Vec<Grant>,
    /// Whether the platform has an admin beside the voter.
    pub another_platform_admin: bool,
}

impl Voter {
    /// Whose vote it is.
    pub fn of(&self) -> &ActorId {
        self.standing_in_for.as_ref().unwrap_or(&self.by)
    }
}

impl Eligible {
    fn includes(&self, voter: &Voter, team: Option<&TeamId>) -> bool {
        // The role of a platform admin reaches everywhere, wherever it was given.
        let role = |grant: &Grant| {
            let here = grant.team.is_none() || grant.team.as_ref() == team || grant.role == Role::PlatformAdmin;
            here && self.roles.contains(&grant.role)
        };
        let works = |grant: &Grant| {
            let works = matches!(grant.role, Role::PlatformAdmin | Role::TeamManager | Role::Responder);
            works && grant.team.as_ref().is_some_and(|team| self.teams.contains(team))
        };
        self.people.contains(voter.of()) || voter.grants.iter().any(|grant| role(grant) || works(grant))
    }
}

impl Terms {
    /// Whether the voter may vote, and if so, whether on his own work.
    pub fn admit(&self, voter: &Voter) -> Result<bool, Refusal> {
        if !self.eligible.includes(voter, self.subject.team_id.as_ref()) {
            return Err(Refusal::forbidden("not_eligible", "you are not among those who may decide on this"));
        }
        let wrote = |who: &ActorId| self.authors.contains(who);
        let own = wrote(&voter.by) || voter.standing_in_for.as_ref().is_some_and(wrote);
        if !self.four_eyes || !own {
            return Ok(own);
        }
        // With a stand-in there are two people, so nobody is alone.
        let alone = !voter.another_platform_admin && voter.standing_in_for.is_none();
        if alone && self.subject.kind == SubjectKind::RunbookVersion {
            return Ok(true);
        }
        let detail = "whoever worked on this does not decide on it, and nobody does so in his name; another one must";
        Err(Refusal::forbidden("four_eyes", detail))
    }

    /// Whether there is something for him to decide: he may, and neither he nor whom he stands in for has voted.
    pub fn awaits(&self, voter: &Voter, cast: &[Vote]) -> bool {
        self.admit(voter).is_ok() && !cast.iter().any(|vote| shares_people(vote, voter))
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        self.subject.check(faults);
        let Eligible { roles, teams, people } = &self.eligible;
        if roles.is_empty() && teams.is_empty() && people.is_empty() {
            faults.push(Fault::new("/eligible", "must name a role, a team or somebody"));
        }
        if teams.len() + people.len() > ELIGIBLE {
            faults.push(Fault::new("/eligible", format!("must name at most {ELIGIBLE} teams and people")));
        }
        for team in teams {
            ids::check(team, "/eligible/teams", faults);
        }
        for who in people {
            ids::check(who, "/eligible/people", faults);
        }
        check_quorum(self.quorum, faults);
        if self.authors.len() > AUTHORS {
            faults.push(Fault::new("/authors", format!("must be at most {AUTHORS}")));
        }
        for who in &self.authors {
            ids::check(who, "/authors", faults);
        }
    }
}

impl Subject {
    fn check(&self, faults: &mut Vec<Fault>) {
        ids::check(&self.id, "/subject/id", faults);
        ids::check(&self.content_hash, "/subject/content_hash", faults);
        if self.version == 0 {
            faults.push(Fault::new("/subject/version", "must be at least 1"));
        }
        if let Some(team) = &self.team_id {
            ids::check(team, "/subject/team_id", faults);
        }
        if let Some(title) = &self.title {
            text::check(title, 1, TITLE_CHARACTERS, "/subject/title", faults);
        }
    }
}

/// Whether one of the voter's two people already stands behind a vote, as its hand or its owner.
pub(super) fn shares_people(vote: &Vote, voter: &Voter) -> bool {
    let behind = [Some(&vote.by), vote.standing_in_for.as_ref()];
    [Some(&voter.by), voter.standing_in_for.as_ref()].into_iter().flatten().any(|who| behind.contains(&Some(who)))
}

/// Adds a fault unless so many votes can be asked for.
pub(crate) fn check_quorum(quorum: u32, faults: &mut Vec<Fault>) {
    if !QUORUM.contains(&quorum) {
        faults.push(Fault::new("/quorum", format!("must be from {} to {}", QUORUM.start(), QUORUM.end())));
    }
}
