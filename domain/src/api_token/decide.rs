//! What each command does to a token.

use crate::api_token::{ApiToken, Command, Event, Minted};
use crate::roles;
use crate::{Fault, Refusal, ids, text};

const NAME_CHARACTERS: usize = 100;

impl ApiToken {
    pub(super) fn decide_on(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        text::refuse_if_any(faults(command))?;
        match command {
            Command::Mint { .. } if self.id.is_some() => {
                Err(Refusal::state("token_exists", "a token with this id exists already"))
            }
            Command::Mint { by, token, owner, held, name, grants, read_only, expires_at, .. } => {
                if let Some(held) = held
                    && let Some(beyond) = grants.iter().find(|grant| !roles::covers(held, grant))
                {
                    let detail = format!("a token does not reach beyond its owner, who is no {}", beyond.role);
                    return Err(Refusal::forbidden("beyond_owner", detail));
                }
                Ok(vec![Event::Minted(Box::new(Minted {
                    by: by.clone(),
                    token: token.clone(),
                    owner: owner.clone(),
                    name: name.trim().to_owned(),
                    grants: grants.clone(),
                    read_only: *read_only,
                    expires_at: *expires_at,
                }))])
            }
            Command::Revoke { .. } if self.id.is_none() => {
                Err(Refusal::missing("token_missing", "there is no such token"))
            }
            Command::Revoke { .. } if self.revoked => Ok(vec![]),
            Command::Revoke { by, reason } => {
                Ok(vec![Event::Revoked { by: by.clone(), reason: text::trimmed(reason.as_deref()) }])
            }
        }
    }
}

fn faults(command: &Command) -> Vec<Fault> {
    let mut faults = Vec::new();
    ids::check(command.by(), "/by", &mut faults);
    match command {
        Command::Mint { token, name, grants, expires_at, at, .. } => {
            ids::check(token, "/id", &mut faults);
            text::check(name, 1, NAME_CHARACTERS, "/name", &mut faults);
            if grants.is_empty() {
                faults.push(Fault::new("/roles", "must name at least one role"));
            }
            roles::check_all(grants, &mut faults);
            if expires_at.is_some_and(|end| end <= *at) {
                faults.push(Fault::new("/expires_at", "must be in the future"));
            }
        }
        Command::Revoke { reason: Some(reason), .. } => {
            text::check(reason, 0, text::REASON_CHARACTERS, "/reason", &mut faults);
        }
        Command::Revoke { reason: None, .. } => {}
    }
    faults
}
