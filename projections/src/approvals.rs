//! An approval as it is shown, in lists and alone: what exactly is asked for, of whom, and how they have voted.

use std::collections::BTreeSet;

use domain::Aggregate;
use domain::approval::{Approval, Eligible, Event, Status, Subject, Terms, Verdict, Vote};
use domain::ids::{ActorId, TeamId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::terms::words;
use crate::view::{Column, Origin, Value, integer, moment, optional, text};
use crate::{Decoded, View};

/// What stands in the column of those that never expire: behind all that do.
const NEVER: i64 = i64::MAX;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ApprovalDetail {
    pub id: String,
    pub status: Status,
    /// What is to be approved: its hash, and the version before, which it is compared with.
    pub subject: Option<Subject>,
    /// The subject's.
    pub team_id: Option<TeamId>,
    pub eligible: Eligible,
    /// How many must approve; one rejection rejects.
    pub quorum: u32,
    pub four_eyes: bool,
    /// Who may not vote under four eyes.
    pub authors: BTreeSet<ActorId>,
    pub expires_at: Option<Timestamp>,
    pub votes: Vec<Voted>,
    /// An author was among those who approved it.
    pub self_approved: bool,
    pub opened_by: Option<ActorId>,
    pub withdrawn: Option<Withdrawn>,
    /// When it ended, however it did.
    pub ended_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The aggregate's sequence, as in the ETag.
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Voted {
    pub by: ActorId,
    pub standing_in_for: Option<ActorId>,
    pub verdict: Verdict,
    pub reason: Option<String>,
    pub self_approved: bool,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Withdrawn {
    pub by: ActorId,
    pub reason: Option<String>,
}

impl View for ApprovalDetail {
    const NAME: &'static str = "approvals";
    const VERSION: u32 = 1;
    const READS: &'static [&'static str] = &[Approval::TYPE];
    const ORIGIN: Origin = Origin::Stream;
    const COLUMNS: &'static [Column] = &[
        text("status"),
        text("subject_kind"),
        text("subject_id"),
        text("team_id"),
        text("opened_by"),
        integer("expires_at"),
        integer("created_at"),
        integer("updated_at"),
    ];
    const INDEXES: &'static [&'static [&'static str]] = &[
        &["status", "created_at"],
        &["status", "expires_at"],
        &["status", "updated_at"],
        &["team_id", "status", "created_at"],
        &["subject_id", "created_at"],
    ];
    const SEARCHED: bool = true;

    fn keys(event: &Decoded) -> Vec<String> {
        event.of::<Approval>().map(|_| event.aggregate_id().to_owned()).into_iter().collect()
    }

    fn apply(&mut self, event: &Decoded) {
        let Some(fact) = event.of::<Approval>() else { return };
        event.aggregate_id().clone_into(&mut self.id);
        self.updated_at = event.at();
        self.version = event.sequence();
        self.fold(fact, event.at());
    }

    fn columns(&self) -> Vec<Value> {
        vec![
            Value::Text(self.status.as_str().to_owned()),
            optional(self.subject.as_ref().map(|subject| subject.kind.as_str())),
            optional(self.subject.as_ref().map(|subject| &subject.id)),
            optional(self.team_id.as_ref()),
            optional(self.opened_by.as_ref()),
            self.expires_at.map_or(Value::Integer(NEVER), moment),
            moment(self.created_at),
            moment(self.updated_at),
        ]
    }

    fn terms(&self) -> Vec<String> {
        let title = self.subject.as_ref().and_then(|subject| subject.title.as_deref());
        words(title).into_iter().collect()
    }

    fn counted(&self) -> Vec<(&'static str, String)> {
        vec![("status", self.status.as_str().to_owned())]
    }
}

impl ApprovalDetail {
    fn fold(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Opened(opened) => {
                self.status = Status::Pending;
                self.opened_by = Some(opened.by.clone());
                self.created_at = at;
                self.ask(&opened.terms);
            }
            Event::Voted(vote) => self.votes.push(voted(vote, at)),
            Event::Approved { self_approved, .. } => {
                self.self_approved = *self_approved;
                self.end(Status::Approved, at);
            }
            Event::Rejected { .. } => self.end(Status::Rejected, at),
            Event::Withdrawn { by, reason } => {
                self.withdrawn = Some(Withdrawn { by: by.clone(), reason: reason.clone() });
                self.end(Status::Withdrawn, at);
            }
            Event::Expired { .. } => self.end(Status::Expired, at),
        }
    }

    fn ask(&mut self, terms: &Terms) {
        let Terms { subject, eligible, quorum, four_eyes, authors, expires_at } = terms.clone();
        self.team_id.clone_from(&subject.team_id);
        self.subject = Some(subject);
        self.eligible = eligible;
        self.quorum = quorum;
        self.four_eyes = four_eyes;
        self.authors = authors;
        self.expires_at = expires_at;
    }

    fn end(&mut self, status: Status, at: Timestamp) {
        self.status = status;
        self.ended_at = Some(at);
    }
}

fn voted(vote: &Vote, at: Timestamp) -> Voted {
    let Vote { by, standing_in_for, verdict, reason, self_approved, .. } = vote.clone();
    Voted { by, standing_in_for, verdict, reason, self_approved, at }
}

#[cfg(test)]
mod tests {
    use domain::Aggregate;
    use domain::approval::{Approval, Cast, Command, Eligible, Status, Subject, SubjectKind, Terms, Verdict, Voter};
    use domain::ids::ActorId;
    use domain::roles::{Grant, Role};

    use super::ApprovalDetail;
    use crate::given::{at, stream};
    use crate::view::Value;
    use crate::{Decoded, View};

    fn terms(quorum: u32, ends: bool) -> Terms {
        Terms {
            subject: Subject {
                kind: SubjectKind::RunbookVersion,
                id: "r1".to_owned(),
                version: 2,
                base_version: Some(1),
                content_hash: "5f2c".to_owned(),
                team_id: Some("t1".into()),
                title: Some("Fail over".to_owned()),
            },
            eligible: Eligible { roles: [Role::PlatformAdmin].into(), ..Eligible::default() },
            quorum,
            four_eyes: true,
            authors: [ActorId::new("ann")].into(),
            expires_at: ends.then(|| at(9)),
        }
    }

    fn cast(by: &str, verdict: Verdict) -> Command {
        let voter = Voter {
            by: ActorId::new(by),
            standing_in_for: None,
            grants: vec![Grant { role: Role::PlatformAdmin, team: None }],
            another_platform_admin: by != "ann",
        };
        let (content_hash, reason) = ("5f2c".to_owned(), Some("because".to_owned()));
        Command::Vote(Box::new(Cast { voter, verdict, content_hash, reason, at: at(1) }))
    }

    /// What an approval's life comes to; the events are what the aggregate decides.
    fn after(terms: Terms, commands: &[Command]) -> ApprovalDetail {
        let open = Command::Open { by: ActorId::new("ann"), terms: Box::new(terms) };
        let (mut state, mut events) = (Approval::default(), vec![]);
        for command in [&open].into_iter().chain(commands) {
            for event in state.decide(command).unwrap() {
                state.apply(&event);
                events.push(event);
            }
        }
        let mut detail = ApprovalDetail::default();
        for event in stream::<Approval>("a1", &events) {
            detail.apply(&Decoded::new(event).unwrap());
        }
        let stored = serde_json::to_value(&detail).unwrap();
        assert_eq!(serde_json::from_value::<ApprovalDetail>(stored).unwrap(), detail);
        assert_eq!((detail.status, detail.votes.len()), (state.status, state.votes.len()));
        assert_eq!(detail.columns().len(), ApprovalDetail::COLUMNS.len());
        detail
    }

    #[test]
    fn what_is_asked_for_is_shown_with_what_to_compare_it_with() {
        let detail = after(terms(2, true), &[cast("bob", Verdict::Approve)]);
        assert_eq!((detail.id.as_str(), detail.status, detail.version), ("a1", Status::Pending, 2));
        let subject = detail.subject.as_ref().unwrap();
        assert_eq!((subject.base_version, subject.content_hash.as_str()), (Some(1), "5f2c"));
        assert_eq!((detail.team_id.as_ref().map(AsRef::as_ref), detail.expires_at), (Some("t1"), Some(at(9))));
        assert_eq!((detail.votes[0].at, detail.votes[0].reason.as_deref()), (at(1), Some("because")));
        assert_eq!((detail.created_at, detail.ended_at), (at(0), None));
        assert_eq!(detail.terms(), ["fail", "over"]);
        assert_eq!(detail.counted(), [("status", "pending".to_owned())]);
    }

    #[test]
    fn each_end_is_told() {
        let approved = after(terms(1, true), &[cast("ann", Verdict::Approve)]);
        assert_eq!((approved.status, approved.self_approved, approved.ended_at), (Status::Approved, true, Some(at(2))));
        let rejected = after(terms(2, true), &[cast("bob", Verdict::Reject)]);
        assert_eq!((rejected.status, rejected.self_approved), (Status::Rejected, false));
        let withdraw = Command::Withdraw { by: ActorId::new("ann"), reason: Some("edited".to_owned()) };
        let withdrawn = after(terms(2, true), &[withdraw]);
        assert_eq!(withdrawn.withdrawn.unwrap().reason.as_deref(), Some("edited"));
        let expired = after(terms(2, true), &[Command::Expire { expires_at: at(9), at: at(9) }]);
        assert_eq!((expired.status, expired.ended_at), (Status::Expired, Some(at(1))));
    }

    #[test]
    fn what_never_expires_is_sorted_behind_all_that_does() {
        let column = |ends| after(terms(1, ends), &[]).columns()[5].clone();
        assert!(matches!((column(true), column(false)), (Value::Integer(soon), Value::Integer(never)) if soon < never));
    }
}
