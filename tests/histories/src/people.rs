//! People, teams, tokens, sessions and platforms in random histories.

use std::collections::BTreeSet;

use domain::api_token::{self, ApiToken};
use domain::ids::{ActorId, TeamId, UserId};
use domain::platform::{self, AdminKind, Platform};
use domain::roles::{Grant, Role};
use domain::sealed::Sealed;
use domain::session::{self, Ended, Method, Session};
use domain::team::{self, Team};
use domain::user::{Command, Origin, PasswordBy, Standing, User};
use jiff::{SignedDuration, Timestamp};
use storage::Append;

use crate::{Dice, Known, append, decided, person};

/// Of each kind, how many live at the same time.
const ALIVE: usize = 40;
const NOON: Timestamp = Timestamp::constant(1_800_000_000, 0);

#[derive(Debug)]
pub(crate) struct People {
    users: Vec<Known<User>>,
    teams: Vec<Known<Team>>,
    tokens: Vec<Known<ApiToken>>,
    sessions: Vec<Known<Session>>,
    platforms: Vec<Known<Platform>>,
    seed: u64,
    born: u64,
}

impl People {
    pub(crate) fn new(seed: u64) -> Self {
        let (users, teams, tokens, sessions, platforms) = (vec![], vec![], vec![], vec![], vec![]);
        Self { users, teams, tokens, sessions, platforms, seed, born: 0 }
    }

    pub(crate) fn next(&mut self, dice: &mut Dice) -> Append {
        let by = ActorId::new(person(dice));
        self.born += 1;
        let fresh = format!("{:x}-{:07}", self.seed, self.born);
        let write = match dice.below(20) {
            0..=11 => {
                let known = one(&mut self.users, dice, &fresh, |user| user.standing == Standing::Erased);
                decided(known, &user_command(dice, by, known))
            }
            12..=13 => {
                let known = one(&mut self.teams, dice, &fresh, |_| false);
                decided(known, &team_command(dice, by, known))
            }
            14..=15 => {
                let known = one(&mut self.tokens, dice, &fresh, |token| token.revoked);
                decided(known, &token_command(by, known))
            }
            16..=17 => {
                let known = one(&mut self.sessions, dice, &fresh, |session| session.ended);
                decided(known, &session_command(by, known))
            }
            _ => {
                let known = one(&mut self.platforms, dice, &fresh, |platform| platform.admins.len() > 5);
                decided(known, &platform_command(dice, by, known))
            }
        };
        append(dice, vec![write])
    }
}

/// One of those that live. Whoever is done makes room for somebody new, and now and then somebody else does.
fn one<'k, A: Default>(
    alive: &'k mut Vec<Known<A>>,
    dice: &mut Dice,
    fresh: &str,
    done: impl Fn(&A) -> bool,
) -> &'k mut Known<A> {
    let new = || Known { id: fresh.to_owned(), ..Known::default() };
    let index = if alive.len() < ALIVE {
        alive.push(new());
        alive.len() - 1
    } else {
        usize::try_from(dice.below(alive.len() as u64)).unwrap_or(0)
    };
    if done(&alive[index].state) || dice.one_in(40) {
        alive[index] = new();
    }
    &mut alive[index]
}

fn sealed(subject: &str, n: u64) -> Sealed {
    Sealed { subject: subject.to_owned(), key: 1, nonce: format!("{n:x}"), sealed: format!("box-{n}") }
}

fn grant(dice: &mut Dice) -> Grant {
    let role = *dice.of(&[Role::Responder, Role::TeamManager, Role::Viewer]);
    Grant { role, team: Some(TeamId::new(format!("team-{}", dice.below(4)))) }
}

fn user_command(dice: &mut Dice, by: ActorId, known: &Known<User>) -> Command {
    let (id, user) = (known.id.as_str(), &known.state);
    if user.standing == Standing::Absent {
        let grants = BTreeSet::from([grant(dice)]);
        let (name, email) = (sealed(id, dice.below(1_000)), sealed(id, dice.below(1_000)));
        return Command::Create { by, user: UserId::new(id), name, email, grants, origin: Origin::Invited };
    }
    let held = user.grants.iter().next().cloned();
    let provider = "corporate".to_owned();
    match dice.below(24) {
        0..=1 => Command::ChangeProfile { by, name: Some(sealed(id, dice.below(1_000))), email: None },
        2..=6 => Command::GrantRole { by, grant: grant(dice) },
        7..=9 => Command::RevokeRole { by, grant: held.unwrap_or_else(|| grant(dice)) },
        10 => Command::Deactivate { by, reason: None },
        11..=14 => Command::Reactivate { by },
        15 if dice.one_in(2) => Command::Invite { by },
        15 => Command::SetPassword { by, how: PasswordBy::Change },
        16..=17 => Command::LinkProvider { by, provider, link: format!("link-{}", dice.below(9)) },
        18..=19 if user.has_password => Command::UnlinkProvider { by, provider },
        18..=19 => Command::SetPassword { by, how: PasswordBy::Link },
        20..=21 => {
            let (to, until) = (UserId::new(person(dice)), NOON + SignedDuration::from_hours(24));
            Command::Delegate { by, to, active: true, from: NOON, until, at: NOON }
        }
        22 => Command::EndDelegation { by },
        _ => Command::Erase { by, reason: None },
    }
}

fn team_command(dice: &mut Dice, by: ActorId, known: &Known<Team>) -> team::Command {
    let name = format!("Team {}", dice.below(1_000));
    if known.state.id.is_none() {
        return team::Command::Create { by, team: TeamId::new(&*known.id), name, description: String::new() };
    }
    match dice.below(6) {
        0..=1 => team::Command::Edit { by, name: Some(name), description: None },
        _ if known.state.archived => team::Command::Restore { by },
        _ => team::Command::Archive { by },
    }
}

fn token_command(by: ActorId, known: &Known<ApiToken>) -> api_token::Command {
    if known.state.id.is_some() {
        return api_token::Command::Revoke { by, reason: None };
    }
    api_token::Command::Mint {
        by,
        token: known.id.clone(),
        owner: None,
        held: None,
        name: "deploys".to_owned(),
        grants: BTreeSet::from([Grant { role: Role::Responder, team: None }]),
        read_only: false,
        expires_at: None,
        at: NOON,
    }
}

fn session_command(by: ActorId, known: &Known<Session>) -> session::Command {
    if known.state.user.is_some() {
        return session::Command::End { by, why: Ended::SignedOut };
    }
    session::Command::Begin { user: UserId::new(by.as_str()), by, method: Method::Password }
}

fn platform_command(dice: &mut Dice, by: ActorId, known: &Known<Platform>) -> platform::Command {
    if !known.state.is_set_up {
        return platform::Command::SetUp { by };
    }
    let admin = ActorId::new(person(dice));
    if dice.one_in(3) {
        return platform::Command::RemoveAdmin { by, admin };
    }
    platform::Command::AddAdmin { by, admin, kind: AdminKind::User }
}
