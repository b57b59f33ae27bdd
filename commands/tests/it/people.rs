//! People at work: let in, signed in, locked out and erased; on both databases and over two nodes.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use commands::sign_in::{self, Shown, SignedIn};
use commands::users::{self, Address, Change, Newcomer, Welcome, enrol};
use commands::{Actor, ActorKind, CommandError, Grant, Keys, Request, Role, invitations, sessions, setup};
use domain::ids::UserId;
use domain::platform::{self, Platform};
use domain::session::{Ended, Method};
use domain::user::{Command, Origin, PasswordBy, User};
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::bed::{Bed, admin, on_both};

on_both!(
    the_first_one_sets_it_up_once,
    an_address_is_somebody_s_alone,
    two_admins_who_leave_at_once_leave_one,
    a_password_signs_in_and_guessing_waits,
    a_session_ends_everywhere_at_once,
    a_link_opens_once,
    who_is_erased_is_gone,
);

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);
const PASSWORD: &str = "correct horse battery staple";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

fn everywhere(role: Role) -> Grant {
    Grant { role, team: None }
}

pub(crate) fn signed_in(user: &str, grants: &[Grant]) -> Request {
    Request::new(Actor::user(user, grants.iter().cloned()))
}

fn newcomer(email: &str, grants: &[Grant]) -> Newcomer {
    Newcomer {
        name: "Some Body".to_owned(),
        email: email.parse().unwrap(),
        grants: grants.iter().cloned().collect(),
        origin: Origin::Invited,
        password: Some(Welcome { password: PASSWORD.to_owned(), how: PasswordBy::CommandLine }),
    }
}

/// Lets somebody in, by the command line.
pub(crate) async fn enrolled(bed: &Bed, keys: &Keys, email: &str, grants: &[Grant]) -> String {
    let request = Request::new(Actor::system(ActorKind::System, "command-line"));
    enrol(&bed.bus, keys, &request, newcomer(email, grants), NOW).await.unwrap().user.to_string()
}

async fn generation(bed: &Bed, user: &str) -> u64 {
    bed.bus.look::<User>(user).await.unwrap().unwrap().0.generation
}

async fn shows(bed: &Bed, keys: &Keys, email: &str, password: &str) -> SignedIn {
    let shown = Shown { email: email.parse().unwrap(), password: password.to_owned(), from: HERE };
    let request = async |_: &str| Request::new(Actor::system(ActorKind::System, "door"));
    sign_in::with_password(&bed.bus, keys, request, &shown, NOW).await.unwrap()
}

fn code(result: &Result<impl Sized, CommandError>) -> &str {
    match result {
        Err(CommandError::Refused(refusal)) => refusal.code(),
        Err(_) => "another error",
        Ok(_) => "fine",
    }
}

async fn the_first_one_sets_it_up_once(bed: &Bed) {
    let keys = bed.keys().await;
    let old = setup::new_code(&bed.bus).await.unwrap().unwrap();
    let new = setup::new_code(&bed.bus).await.unwrap().unwrap();
    let try_with = async |typed: String| {
        let request = Request::new(Actor::system(ActorKind::System, "door"));
        let who = ("Ada".to_owned(), "ada@example.com".parse::<Address>().unwrap(), PASSWORD.to_owned());
        match setup::set_up(&bed.bus, &keys, &request, (&typed, HERE), who, NOW).await? {
            setup::Tried::Done(enrolled) => Ok(enrolled),
            setup::Tried::Wait(wait) => panic!("three guesses are free: {wait:?}"),
        }
    };
    assert_eq!(code(&try_with(old).await), "setup_code", "the newest one counts");
    assert_eq!(code(&try_with(String::new()).await), "setup_code");
    assert_eq!(bed.events().await, 0);
    let typed = || new.to_lowercase().replace('-', " ");
    // Twice at once: one of them sets it up.
    let both = join_all([try_with(typed()), try_with(typed())]).await;
    let fine: Vec<_> = both.iter().filter(|tried| tried.is_ok()).collect();
    assert_eq!(fine.len(), 1, "{both:?}");
    let ada = fine[0].as_ref().unwrap().user.to_string();
    let (platform, ..) = bed.bus.look::<Platform>(platform::ID).await.unwrap().unwrap();
    assert!(platform.is_set_up && platform.people().map(ToString::to_string).eq([ada]));
    assert_eq!(code(&try_with(typed()).await), "already_set_up");
    assert_eq!(setup::new_code(&bed.bus).await.unwrap(), None);
    assert!(matches!(shows(bed, &keys, "ADA@example.com", PASSWORD).await, SignedIn::Yes(_)));
}

async fn an_address_is_somebody_s_alone(bed: &Bed) {
    let keys = bed.keys().await;
    let request = || Request::new(Actor::system(ActorKind::System, "command-line"));
    let many =
        (0..8).map(|_| async { enrol(&bed.bus, &keys, &request(), newcomer("ana@example.com", &[]), NOW).await });
    let many = join_all(many).await;
    let taken = many.iter().filter(|tried| code(tried) == "address_taken").count();
    assert_eq!((taken, bed.events().await), (7, 2), "created and given a password, once");
    // Weak passwords and names are told before anything is kept.
    let weak = Newcomer {
        password: Some(Welcome { password: "password1".to_owned(), how: PasswordBy::Setup }),
        ..newcomer("b@example.com", &[])
    };
    assert_eq!(code(&enrol(&bed.bus, &keys, &request(), weak, NOW).await), "invalid");
    enrolled(bed, &keys, "b@example.com", &[]).await;
    let ana = many.into_iter().find_map(Result::ok).unwrap().user.to_string();
    let own = signed_in(&ana, &[]);
    let edit = async |email: &str| {
        users::edit_profile(&bed.bus, &keys, &own, &ana, None, Some(email.parse().unwrap()), NOW).await
    };
    assert_eq!(code(&edit("b@example.com").await), "address_taken");
    assert!(!edit("ana@example.com").await.unwrap().changed);
    let own = signed_in(&ana, &[]);
    let moved =
        users::edit_profile(&bed.bus, &keys, &own, &ana, None, Some("c@example.com".parse().unwrap()), NOW).await;
    assert!(moved.unwrap().changed);
    assert!(matches!(shows(bed, &keys, "c@example.com", PASSWORD).await, SignedIn::Yes(_)));
    assert!(matches!(shows(bed, &keys, "ana@example.com", PASSWORD).await, SignedIn::No));
    enrolled(bed, &keys, "ana@example.com", &[]).await;
}

async fn two_admins_who_leave_at_once_leave_one(bed: &Bed) {
    let keys = bed.keys().await;
    let ana = enrolled(bed, &keys, "ana@example.com", &[everywhere(Role::PlatformAdmin)]).await;
    let ben = enrolled(bed, &keys, "ben@example.com", &[everywhere(Role::PlatformAdmin)]).await;
    let node = bed.another_node().await;
    let leave = async |bus: &commands::Bus, by: &str| {
        let command = Command::Deactivate { by: by.into(), reason: None };
        bus.run(&signed_in(by, &[everywhere(Role::PlatformAdmin)]), &Change { user: by.to_owned(), command }).await
    };
    let (one, other) = tokio::join!(leave(&bed.bus, &ana), leave(&node, &ben));
    let mut codes = [code(&one), code(&other)];
    codes.sort_unstable();
    assert_eq!(codes, ["fine", "last_admin"]);
    let left = if one.is_ok() { &ben } else { &ana };
    assert!(bed.bus.look::<User>(left).await.unwrap().unwrap().0.is_active());
    let grant = everywhere(Role::PlatformAdmin);
    let command = Command::RevokeRole { by: (&**left).into(), grant: grant.clone() };
    let resigned = bed.bus.run(&signed_in(left, &[grant]), &Change { user: left.clone(), command }).await;
    assert_eq!(code(&resigned), "last_admin");
}

async fn a_password_signs_in_and_guessing_waits(bed: &Bed) {
    let keys = bed.keys().await;
    let ana = enrolled(bed, &keys, "ana@example.com", &[]).await;
    let SignedIn::Yes(begun) = shows(bed, &keys, "ana@example.com", PASSWORD).await else {
        panic!("it is the password")
    };
    let (actor, kept) = sessions::look_up(&bed.bus, &begun.secret, NOW).await.unwrap().unwrap();
    assert_eq!((actor.id.as_str(), kept.method), (ana.as_str(), Method::Password));
    assert!(matches!(shows(bed, &keys, "nobody@example.com", PASSWORD).await, SignedIn::No));
    let mut waits = 0;
    for n in 0..30 {
        match shows(bed, &keys, "ana@example.com", &format!("guess {n}")).await {
            SignedIn::No => assert_eq!(waits, 0, "once he waits he waits"),
            SignedIn::Wait(_) => waits += 1,
            SignedIn::Yes(_) => panic!("a guess is no password"),
        }
    }
    assert!((1..30).contains(&waits), "{waits}");
    assert!(matches!(shows(bed, &keys, "ana@example.com", PASSWORD).await, SignedIn::Wait(_)));
    assert!(sessions::look_up(&bed.bus, &begun.secret, NOW).await.unwrap().is_some(), "who is in stays in");
}

async fn a_session_ends_everywhere_at_once(bed: &Bed) {
    let keys = bed.keys().await;
    let ana = enrolled(bed, &keys, "ana@example.com", &[everywhere(Role::Responder)]).await;
    let node = bed.another_node().await;
    let begin = async || {
        let request = Request::new(Actor::system(ActorKind::System, "door"));
        sessions::begin(&bed.bus, &request, (&UserId::new(&*ana), generation(bed, &ana).await), Method::Password, NOW)
            .await
            .unwrap()
    };
    let opens = async |secret: &str| sessions::look_up(&node, secret, NOW).await.unwrap().is_some();
    let (one, two, three) = (begin().await, begin().await, begin().await);
    assert!(opens(&one.secret).await && opens(&two.secret).await);
    let forged = one.secret.replace(&one.secret[4..12], "AAAAAAAA");
    assert!(!opens(&forged).await && !opens("pfs_x.y.z").await && !opens("").await);
    let other = two.secret.replace(&two.kept.id, &one.kept.id);
    assert!(!opens(&other).await, "the secret of one session does not open another");
    let own = signed_in(&ana, &[]);
    assert!(sessions::end(&bed.bus, &own, &ana, &one.kept.id, Ended::SignedOut).await.unwrap());
    assert!(!opens(&one.secret).await && opens(&two.secret).await);
    let (password, new) = (PASSWORD, "a much longer new one, truly");
    let own = signed_in(&ana, &[]);
    sign_in::change_password(&bed.bus, &keys, &own, (password, new), &two.kept.id, (HERE, NOW)).await.unwrap();
    assert!(opens(&two.secret).await && !opens(&three.secret).await, "all but the one he did it in");
    let refused = sign_in::change_password(&bed.bus, &keys, &own, (password, new), &two.kept.id, (HERE, NOW)).await;
    assert_eq!(code(&refused), "wrong_password");
    let out = Command::Deactivate { by: "ann".into(), reason: None };
    bed.bus.run(&admin("ann"), &Change { user: ana.clone(), command: out }).await.unwrap();
    assert!(!opens(&two.secret).await, "whatever the registers say");
    let later = NOW + jiff::SignedDuration::from_hours(15 * 24);
    let ben = enrolled(bed, &keys, "ben@example.com", &[]).await;
    let request = Request::new(Actor::system(ActorKind::System, "door"));
    let of_ben = generation(bed, &ben).await;
    let last = sessions::begin(&bed.bus, &request, (&UserId::new(ben), of_ben), Method::Password, NOW).await.unwrap();
    assert!(opens(&last.secret).await, "the control");
    assert_eq!(sessions::look_up(&node, &last.secret, later).await.unwrap(), None, "its time is over");
}

async fn a_link_opens_once(bed: &Bed) {
    let keys = bed.keys().await;
    let ana = enrolled(bed, &keys, "ana@example.com", &[]).await;
    let secret = invitations::invite(&bed.bus, &admin("ann"), &ana, invitations::HANDED_OVER).await.unwrap();
    let redeem = async |secret: &str, password: &str| {
        let request = async |_: &str| Request::new(Actor::system(ActorKind::System, "door"));
        invitations::redeem(&bed.bus, &keys, request, secret, password, NOW).await
    };
    assert_eq!(code(&redeem("pfl_x", "violet anvils hum at dusk").await), "link_spent");
    assert_eq!(code(&redeem(&secret, "12345678").await), "invalid", "a weak one does not use it up");
    let passwords = ["violet anvils hum at dusk", "brass lanterns drift upstream"];
    let both = join_all(passwords.map(|password| Box::pin(redeem(&secret, password)))).await;
    let mut codes: Vec<&str> = both.iter().map(code).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["fine", "link_spent"]);
    assert!(matches!(shows(bed, &keys, "ana@example.com", PASSWORD).await, SignedIn::No));
    let gone = invitations::invite(&bed.bus, &admin("ann"), "nobody", invitations::SENT).await;
    assert_eq!(code(&gone), "user_missing");
}

async fn who_is_erased_is_gone(bed: &Bed) {
    let keys = bed.keys().await;
    enrolled(bed, &keys, "ada@example.com", &[everywhere(Role::PlatformAdmin)]).await;
    let ana = enrolled(bed, &keys, "ana@example.com", &[everywhere(Role::PlatformAdmin)]).await;
    let account = bed.bus.look::<User>(&ana).await.unwrap().unwrap().0;
    let email = account.email.clone().unwrap();
    assert_eq!(keys.vault.unseal(&email, "email").await.unwrap().as_deref(), Some("ana@example.com"), "the control");
    let SignedIn::Yes(begun) = shows(bed, &keys, "ana@example.com", PASSWORD).await else { panic!() };
    users::erase(&bed.bus, &keys, &admin("ann"), &ana, Some("asked for it".to_owned())).await.unwrap();
    assert_eq!(keys.vault.unseal(&email, "email").await.unwrap(), None);
    assert_eq!(sessions::look_up(&bed.bus, &begun.secret, NOW).await.unwrap(), None);
    assert!(!keys.passwords.has_one(&ana).await.unwrap());
    assert!(sessions::of(&bed.bus, &ana).await.unwrap().is_empty());
    // His address is free for somebody else, who is not he.
    let again = enrolled(bed, &keys, "ana@example.com", &[]).await;
    assert_ne!(again, ana);
    users::forget(&bed.bus, &keys, &ana).await.unwrap();
    let (platform, ..) = bed.bus.look::<Platform>(platform::ID).await.unwrap().unwrap();
    assert_eq!(platform.people().collect::<BTreeSet<_>>().len(), 1);
}
