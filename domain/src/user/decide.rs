//! What each command does to a person's account.
//!
//! | Standing | create | profile, roles, password, provider, delegation | deactivate | reactivate | erase |
//! |---|---|---|---|---|---|
//! | absent | → active | – | – | – | – |
//! | active | – | ✓ | → deactivated | nothing | → erased |
//! | deactivated | – | roles and profile only | nothing | → active | → erased |
//! | erased | – | – | – | – | nothing |
//!
//! That somebody must remain who can look after the platform is decided by [`crate::platform`], in the same append.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use crate::ids::{self, ActorId, UserId};
use crate::roles::{self, GRANTS, Grant};
use crate::sealed::{BOX_CHARACTERS, Sealed};
use crate::user::command::Command;
use crate::user::event::{Created, Event};
use crate::user::state::{Delegation, Standing, User};
use crate::{Fault, Refusal, text};

/// Characters of a provider's name.
const PROVIDER_CHARACTERS: usize = 100;
/// How long somebody may stand in at most.
const LONGEST_DELEGATION: SignedDuration = SignedDuration::from_hours(366 * 24);

type Decision = Result<Vec<Event>, Refusal>;

impl User {
    pub(super) fn decide_on(&self, command: &Command) -> Decision {
        text::refuse_if_any(faults(command))?;
        if let Command::Create { by, user, name, email, grants, origin } = command {
            if self.standing != Standing::Absent {
                return Err(Refusal::state("user_exists", "a user with this id exists already"));
            }
            return Ok(vec![Event::Created(Box::new(Created {
                by: by.clone(),
                user: user.clone(),
                name: name.clone(),
                email: email.clone(),
                grants: grants.clone(),
                origin: *origin,
            }))]);
        }
        match self.standing {
            Standing::Absent => return Err(Refusal::missing("user_missing", "there is no such user")),
            Standing::Erased if matches!(command, Command::Erase { .. }) => return Ok(vec![]),
            Standing::Erased => return Err(Refusal::state("user_erased", "this person was erased, for good")),
            Standing::Active | Standing::Deactivated => {}
        }
        match command {
            // Decided above.
            Command::Create { .. } => Ok(vec![]),
            Command::ChangeProfile { by, name, email } => self.change_profile(by, name.as_ref(), email.as_ref()),
            Command::GrantRole { by, grant } => self.grant(by, grant),
            Command::RevokeRole { by, grant } => Ok(self.revoke(by, grant)),
            Command::Deactivate { by, reason } => Ok(self.deactivate(by, reason.as_deref())),
            Command::Reactivate { by } => Ok(self.reactivate(by)),
            Command::Erase { by, reason } => {
                Ok(vec![Event::Erased { by: by.clone(), reason: text::trimmed(reason.as_deref()) }])
            }
            Command::Invite { by } => {
                self.must_be_active()?;
                Ok(vec![Event::Invited { by: by.clone() }])
            }
            Command::SetPassword { by, how } => {
                self.must_be_active()?;
                Ok(vec![Event::PasswordSet { by: by.clone(), how: *how }])
            }
            Command::LinkProvider { by, provider, link } => self.link(by, provider, link),
            Command::UnlinkProvider { by, provider } => self.unlink(by, provider),
            Command::Delegate { by, to, active, from, until, at } => self.delegate(by, to, *active, *from..*until, *at),
            Command::EndDelegation { by } => Ok(self.end_delegation(by).into_iter().collect()),
        }
    }

    fn must_be_active(&self) -> Result<(), Refusal> {
        if self.is_active() {
            return Ok(());
        }
        Err(Refusal::state("user_deactivated", "this account is deactivated; reactivate it first"))
    }

    /// Sealed anew is not the same envelope, so the caller leaves out what has not changed.
    fn change_profile(&self, by: &ActorId, name: Option<&Sealed>, email: Option<&Sealed>) -> Decision {
        let mut faults = Vec::new();
        self.id.iter().for_each(|id| check_sealed(id, name, email, &mut faults));
        text::refuse_if_any(faults)?;
        let new =
            |sent: Option<&Sealed>, known: &Option<Sealed>| sent.filter(|sent| known.as_ref() != Some(sent)).cloned();
        let (name, email) = (new(name, &self.name), new(email, &self.email));
        if name.is_none() && email.is_none() {
            return Ok(vec![]);
        }
        Ok(vec![Event::ProfileChanged { by: by.clone(), name, email }])
    }

    fn grant(&self, by: &ActorId, grant: &Grant) -> Decision {
        if self.grants.contains(grant) {
            return Ok(vec![]);
        }
        if self.grants.len() >= GRANTS {
            return Err(Refusal::state("too_many_roles", format!("a user has at most {GRANTS} roles")));
        }
        Ok(vec![Event::RoleGranted { by: by.clone(), grant: grant.clone() }])
    }

    fn revoke(&self, by: &ActorId, grant: &Grant) -> Vec<Event> {
        if !self.grants.contains(grant) {
            return vec![];
        }
        vec![Event::RoleRevoked { by: by.clone(), grant: grant.clone() }]
    }

    fn deactivate(&self, by: &ActorId, reason: Option<&str>) -> Vec<Event> {
        if !self.is_active() {
            return vec![];
        }
        let mut events: Vec<Event> = self.end_delegation(by).into_iter().collect();
        events.push(Event::Deactivated { by: by.clone(), reason: text::trimmed(reason) });
        events
    }

    fn reactivate(&self, by: &ActorId) -> Vec<Event> {
        if self.is_active() { vec![] } else { vec![Event::Reactivated { by: by.clone() }] }
    }

    fn link(&self, by: &ActorId, provider: &str, link: &str) -> Decision {
        self.must_be_active()?;
        if self.providers.get(provider).is_some_and(|known| known == link) {
            return Ok(vec![]);
        }
        Ok(vec![Event::ProviderLinked { by: by.clone(), provider: provider.to_owned(), link: link.to_owned() }])
    }

    fn unlink(&self, by: &ActorId, provider: &str) -> Decision {
        if !self.providers.contains_key(provider) {
            return Ok(vec![]);
        }
        if !self.has_password && self.providers.len() == 1 {
            let detail = "this is the only way in that this person has; set a password first";
            return Err(Refusal::state("last_way_in", detail));
        }
        Ok(vec![Event::ProviderUnlinked { by: by.clone(), provider: provider.to_owned() }])
    }

    fn delegate(&self, by: &ActorId, to: &UserId, active: bool, time: Range<Timestamp>, at: Timestamp) -> Decision {
        self.must_be_active()?;
        if self.id.as_ref() == Some(to) {
            return Err(Refusal::Invalid(vec![Fault::new("/to", "must be somebody else")]));
        }
        if !active {
            return Err(Refusal::state("stand_in_missing", "there is no active user of that id to stand in"));
        }
        if is_bad(&time, at) {
            let message = "must be after its beginning, in the future, and at most a year after the beginning";
            return Err(Refusal::Invalid(vec![Fault::new("/until", message)]));
        }
        let same = |known: &Delegation| known.to == *to && known.from == time.start && known.until == time.end;
        if self.delegation.as_ref().is_some_and(same) {
            return Ok(vec![]);
        }
        let mut events: Vec<Event> = self.end_delegation(by).into_iter().collect();
        events.push(Event::Delegated { by: by.clone(), to: to.clone(), from: time.start, until: time.end });
        Ok(events)
    }

    fn end_delegation(&self, by: &ActorId) -> Option<Event> {
        let delegation = self.delegation.as_ref()?;
        Some(Event::DelegationEnded { by: by.clone(), to: delegation.to.clone() })
    }
}

fn is_bad(time: &Range<Timestamp>, at: Timestamp) -> bool {
    time.end <= time.start || time.end <= at || time.end.duration_since(time.start) > LONGEST_DELEGATION
}

/// What is wrong with a command in whatever state the account is.
fn faults(command: &Command) -> Vec<Fault> {
    let mut faults = Vec::new();
    ids::check(command.by(), "/by", &mut faults);
    match command {
        Command::Create { user, name, email, grants, .. } => {
            ids::check(user, "/id", &mut faults);
            check_sealed(user, Some(name), Some(email), &mut faults);
            roles::check_all(grants, &mut faults);
        }
        Command::GrantRole { grant, .. } | Command::RevokeRole { grant, .. } => roles::check(grant, "", &mut faults),
        Command::Deactivate { reason: Some(reason), .. } | Command::Erase { reason: Some(reason), .. } => {
            text::check(reason, 0, text::REASON_CHARACTERS, "/reason", &mut faults);
        }
        Command::LinkProvider { provider, .. } | Command::UnlinkProvider { provider, .. } => {
            text::check(provider, 1, PROVIDER_CHARACTERS, "/provider", &mut faults);
        }
        Command::Delegate { to, .. } => ids::check(to, "/to", &mut faults),
        _ => {}
    }
    faults
}

/// Sealed under somebody else's key, it would outlive its own person.
fn check_sealed(user: &UserId, name: Option<&Sealed>, email: Option<&Sealed>, faults: &mut Vec<Fault>) {
    for (pointer, sealed) in [("/name", name), ("/email", email)] {
        let sound = |sealed: &Sealed| sealed.subject == user.as_str() && sealed.sealed.len() <= BOX_CHARACTERS;
        if !sealed.is_none_or(sound) {
            faults.push(Fault::new(pointer, "must be sealed under the person's own key"));
        }
    }
}
