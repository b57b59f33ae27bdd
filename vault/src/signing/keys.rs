//! The life of a signing key: pending (published, not used yet), active, retiring (no longer used, still good), removed.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Published before it is used: longer than anybody may keep our key set.
pub const PENDING_FOR: SignedDuration = SignedDuration::from_hours(1);
/// Used for, before the next one takes over by itself.
pub const ACTIVE_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Good for after its last use: longer than any token lives.
pub const RETIRING_FOR: SignedDuration = SignedDuration::from_hours(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Pending,
    Active,
    Retiring,
}

/// The public half of a key. The private one is wrapped like every other key, and destroyed when it is no longer used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKey {
    pub kid: String,
    pub state: State,
    /// In base64, as in a JWK.
    pub x: String,
    /// When it came into its state.
    pub since: Timestamp,
}

/// All that are not removed, oldest first: three at most, but for revoked ones that were replaced at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lives {
    pub(crate) keys: Vec<PublicKey>,
}

impl Lives {
    pub(crate) fn in_state(&self, state: State) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.state == state)
    }

    /// What time alone does.
    pub(crate) fn age(&mut self, now: Timestamp) {
        self.keys.retain(|key| key.state != State::Retiring || aged(key, now) < RETIRING_FOR);
        let orphaned = self.in_state(State::Active).is_none();
        let due =
            self.keys.iter().position(|key| key.state == State::Pending && (orphaned || aged(key, now) >= PENDING_FOR));
        let Some(due) = due else { return };
        for key in self.keys.iter_mut().filter(|key| key.state == State::Active) {
            (key.state, key.since) = (State::Retiring, now);
        }
        (self.keys[due].state, self.keys[due].since) = (State::Active, now);
    }

    /// In which state a fresh key is wanted now, if one is.
    pub(crate) fn wants(&self, now: Timestamp, rotate: bool) -> Option<State> {
        let Some(active) = self.in_state(State::Active) else { return Some(State::Active) };
        let soon = aged(active, now) >= ACTIVE_FOR.saturating_sub(PENDING_FOR);
        ((soon || rotate) && self.in_state(State::Pending).is_none()).then_some(State::Pending)
    }
}

fn aged(key: &PublicKey, now: Timestamp) -> SignedDuration {
    now.duration_since(key.since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    /// One round of a day or more: what time does, and a fresh key where one is wanted.
    fn round(lives: &mut Lives, now: Timestamp, rotate: bool) {
        lives.age(now);
        if let Some(state) = lives.wants(now, rotate) {
            let kid = format!("k{}", now.as_second() / 3600);
            lives.keys.push(PublicKey { kid, state, x: String::new(), since: now });
        }
    }

    fn told(lives: &Lives) -> String {
        lives.keys.iter().map(|key| format!("{} {:?}", key.kid, key.state)).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn keys_follow_each_other_with_overlap() {
        let mut lives = Lives::default();
        for (hour, expected) in [
            (0, "k0 Active"),
            (718, "k0 Active"),
            (719, "k0 Active, k719 Pending"),
            (720, "k0 Retiring, k719 Active"),
            (721, "k0 Retiring, k719 Active"),
            (722, "k719 Active"),
            (1438, "k719 Active"),
            (1439, "k719 Active, k1439 Pending"),
        ] {
            round(&mut lives, at(hour), false);
            assert_eq!(told(&lives), expected, "at {hour} h");
            let before = lives.clone();
            round(&mut lives, at(hour), false);
            assert_eq!(lives, before, "twice is once");
        }
    }

    #[test]
    fn a_rotation_that_is_asked_for_begins_at_once() {
        let mut lives = Lives::default();
        round(&mut lives, at(0), false);
        for (hour, rotate, expected) in [
            (5, true, "k0 Active, k5 Pending"),
            (5, true, "k0 Active, k5 Pending"),
            (6, false, "k0 Retiring, k5 Active"),
            (8, false, "k5 Active"),
        ] {
            round(&mut lives, at(hour), rotate);
            assert_eq!(told(&lives), expected, "at {hour} h");
        }
    }

    #[test]
    fn nobody_looked_for_years_and_a_clock_went_back() {
        let mut lives = Lives::default();
        round(&mut lives, at(100), false);
        round(&mut lives, at(99), false);
        assert_eq!(told(&lives), "k100 Active");
        round(&mut lives, at(90_000), false);
        assert_eq!(told(&lives), "k100 Active, k90000 Pending");
    }
}
