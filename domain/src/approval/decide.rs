//! What each command does to an approval.
//!
//! | | vote | withdraw | expire |
//! |---|---|---|---|
//! | pending | counts; → approved at the quorum, → rejected by one | → withdrawn | until T refused, then → expired |
//! | withdrawn | – | nothing | nothing |
//! | approved, rejected, expired | – | – | nothing |
//!
//! "–" is refused. Expiring comes from a timer: it is never refused for the state, only for coming too early.

use jiff::Timestamp;

use crate::approval::command::{Cast, Command};
use crate::approval::event::{Event, Opened};
use crate::approval::state::{Approval, Status, Verdict, Vote};
use crate::approval::terms::{Terms, shares_people};
use crate::ids::{self, ActorId};
use crate::{Fault, Refusal, text};

type Decision = Result<Vec<Event>, Refusal>;

impl Approval {
    pub(super) fn decide_on(&self, command: &Command) -> Decision {
        text::refuse_if_any(faults(command))?;
        if let Command::Open { by, terms } = command {
            if self.terms.is_some() {
                return Err(Refusal::state("approval_exists", "an approval with this id exists already"));
            }
            return Ok(vec![Event::Opened(Box::new(Opened { by: by.clone(), terms: (**terms).clone() }))]);
        }
        let Some(terms) = &self.terms else {
            return Err(Refusal::missing("approval_missing", "there is no such approval"));
        };
        match command {
            // Decided above.
            Command::Open { .. } => Ok(vec![]),
            Command::Vote(cast) => self.vote(terms, cast),
            Command::Withdraw { by, reason } => self.withdraw(by, reason.as_deref()),
            Command::Expire { expires_at, at } => self.expire(terms, *expires_at, *at),
        }
    }

    fn vote(&self, terms: &Terms, cast: &Cast) -> Decision {
        self.must_be_pending()?;
        let voter = &cast.voter;
        let own_work = terms.admit(voter)?;
        if let Some(vote) = self.votes.iter().find(|vote| shares_people(vote, voter)) {
            return if vote.of() == voter.of() && vote.verdict == cast.verdict { Ok(vec![]) } else { Err(twice(vote)) };
        }
        if cast.content_hash != terms.subject.content_hash {
            let detail = format!("what is to be decided on is {}; read it again", terms.subject.content_hash);
            return Err(Refusal::state("content_changed", detail));
        }
        if let Some(end) = terms.expires_at.filter(|end| cast.at >= *end) {
            return Err(Refusal::state("approval_expired", format!("the time to decide on this was over at {end}")));
        }
        let vote = Vote {
            by: voter.by.clone(),
            standing_in_for: voter.standing_in_for.clone(),
            verdict: cast.verdict,
            reason: text::trimmed(cast.reason.as_deref()),
            content_hash: cast.content_hash.clone(),
            self_approved: own_work && cast.verdict == Verdict::Approve,
        };
        let end = self.end(terms, &vote);
        Ok([Event::Voted(vote)].into_iter().chain(end).collect())
    }

    /// What one more vote brings about. Only votes that approve are kept by a pending approval.
    fn end(&self, terms: &Terms, vote: &Vote) -> Option<Event> {
        let content_hash = vote.content_hash.clone();
        if vote.verdict == Verdict::Reject {
            return Some(Event::Rejected { content_hash });
        }
        let enough = u32::try_from(self.votes.len() + 1).is_ok_and(|votes| votes >= terms.quorum);
        let self_approved = vote.self_approved || self.votes.iter().any(|vote| vote.self_approved);
        enough.then_some(Event::Approved { content_hash, self_approved })
    }

    fn withdraw(&self, by: &ActorId, reason: Option<&str>) -> Decision {
        if self.status == Status::Withdrawn {
            return Ok(vec![]);
        }
        self.must_be_pending()?;
        Ok(vec![Event::Withdrawn { by: by.clone(), reason: text::trimmed(reason) }])
    }

    fn expire(&self, terms: &Terms, expires_at: Timestamp, at: Timestamp) -> Decision {
        if self.status != Status::Pending || terms.expires_at != Some(expires_at) {
            return Ok(vec![]);
        }
        if at < expires_at {
            return Err(Refusal::state("not_due", format!("this may be decided on until {expires_at}")));
        }
        Ok(vec![Event::Expired { expires_at }])
    }

    fn must_be_pending(&self) -> Result<(), Refusal> {
        if self.status == Status::Pending {
            return Ok(());
        }
        let detail = format!("the approval is over: it is {}", self.status.as_str());
        Err(Refusal::state("approval_over", detail))
    }
}

fn twice(vote: &Vote) -> Refusal {
    let detail = match &vote.standing_in_for {
        Some(_) => "a stand-in and the one he stands in for have one vote together, and it was cast",
        None => "you have voted on this already, and a vote is not taken back",
    };
    Refusal::state("voted_already", detail)
}

/// What is wrong with a command in whatever state the approval is.
fn faults(command: &Command) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(by) = command.by() {
        ids::check(by, "/by", &mut faults);
    }
    match command {
        Command::Open { terms, .. } => terms.check(&mut faults),
        Command::Vote(cast) => {
            if let Some(who) = &cast.voter.standing_in_for {
                ids::check(who, "/standing_in_for", &mut faults);
                if *who == cast.voter.by {
                    faults.push(Fault::new("/standing_in_for", "must be somebody else"));
                }
            }
            // A rejection is of use only with its reason.
            let least = usize::from(cast.verdict == Verdict::Reject);
            let reason = cast.reason.as_deref().unwrap_or_default();
            text::check(reason, least, text::REASON_CHARACTERS, "/reason", &mut faults);
        }
        Command::Withdraw { reason: Some(reason), .. } => {
            text::check(reason, 0, text::REASON_CHARACTERS, "/reason", &mut faults);
        }
        Command::Withdraw { reason: None, .. } | Command::Expire { .. } => {}
    }
    faults
}
