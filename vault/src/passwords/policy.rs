//! What a password must be: long enough, not one that everybody tries, and not made of what is known about its owner.
//!
//! There are no rules about kinds of characters: they make passwords worse.

use std::fmt;
use std::ops::RangeInclusive;

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// Characters of a password, after normalisation.
pub const CHARACTERS: RangeInclusive<usize> = 8..=128;
/// Bytes beyond which nothing can be a password: 128 characters of at most 4 bytes, and what normalisation shortens.
const BYTES: usize = 4_096;
/// Guesses within which a password must not be found: attackers try lists of leaked ones and what is made of them by rules.
const GUESSES: u64 = 1_000_000;
/// Characters that are looked for in the lists. For so many it takes milliseconds, half a second at worst; for a hundred that
/// were chosen for it, minutes. Whoever cannot guess the beginning cannot guess the whole.
const LOOKED_FOR: usize = 24;
/// Letters of a part of a name from which on it must not stand in a password.
const PART: usize = 4;
/// Ours, which an attacker tries first here.
const OURS: [&str; 6] = ["pagefree", "incident", "oncall", "on-call", "pager", "runbook"];

/// One thing that is wrong with a password. Says nothing about the password itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    TooShort,
    TooLong,
    /// It stands in lists of leaked passwords, or follows from one by a simple change.
    Guessable,
    /// It holds a part of a name or an address.
    Personal,
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => write!(f, "it has fewer than {} characters", CHARACTERS.start()),
            Self::TooLong => write!(f, "it has more than {} characters", CHARACTERS.end()),
            Self::Guessable => f.write_str(
                "it, or something close to it, is among the first million that attackers try; some unrelated words make \
                 a good one",
            ),
            Self::Personal => f.write_str("it contains a part of the name or the address"),
        }
    }
}

/// Everything that is wrong with `password`, for somebody about whom `about` is known: his name, his addresses. Takes
/// milliseconds.
pub fn check(password: &str, about: &[&str]) -> Vec<Weakness> {
    if password.len() > BYTES {
        return vec![Weakness::TooLong];
    }
    let password = normalised(password);
    let mut weaknesses = Vec::new();
    let characters = password.chars().count();
    if characters < *CHARACTERS.start() {
        weaknesses.push(Weakness::TooShort);
    } else if characters > *CHARACTERS.end() {
        weaknesses.push(Weakness::TooLong);
    }
    let parts = parts(about);
    let folded = folded(&password);
    if parts.iter().any(|part| folded.contains(part.as_str())) {
        weaknesses.push(Weakness::Personal);
    }
    let known: Vec<&str> = parts.iter().map(String::as_str).chain(OURS).collect();
    let beginning: Zeroizing<String> = Zeroizing::new(folded.chars().take(LOOKED_FOR).collect());
    // Of what is too short the other weakness says enough.
    if characters >= *CHARACTERS.start() && zxcvbn::zxcvbn(&beginning, &known).guesses() < GUESSES {
        weaknesses.push(Weakness::Guessable);
    }
    weaknesses
}

/// As it is hashed, whatever keyboard it was typed on. Too much is cut to what is wrong for any hash, so that a caller
/// cannot make us work.
pub(crate) fn normalised(password: &str) -> Zeroizing<String> {
    if password.len() > BYTES {
        return Zeroizing::new(String::new());
    }
    let mut text = Zeroizing::new(String::with_capacity(password.len() * 2));
    text.extend(password.nfkc());
    text
}

fn folded(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_lowercase())
}

/// The words of names and addresses that are long enough to be missed in a password.
fn parts(about: &[&str]) -> Vec<String> {
    let mut parts = Vec::new();
    for text in about {
        let text: String = text.nfkc().take(BYTES).collect::<String>().to_lowercase();
        let words = text.split(|letter: char| !letter.is_alphanumeric());
        parts.extend(words.filter(|word| word.chars().count() >= PART).map(str::to_owned));
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    const ADA: [&str; 2] = ["Ada Lovelace", "countess@analytical.example"];

    #[test]
    fn length_is_counted_in_characters_after_normalisation() {
        assert_eq!(check("7&kQz!x", &[]), [Weakness::TooShort]);
        assert_eq!(check("7&kQz!xé", &[]), []);
        // A ligature of three letters is three, and half as many signs as code points may be left.
        assert_eq!(check("ﬃ7&kQz", &[]), []);
        assert_eq!(check("7&kQz!e\u{301}", &[]), [Weakness::TooShort]);
        let long = "correct horse battery staple ".repeat(5);
        assert_eq!(check(&long[..128], &[]), []);
        assert_eq!(check(&long[..129], &[]), [Weakness::TooLong]);
        assert_eq!(check(&"x".repeat(1 << 20), &[]), [Weakness::TooLong]);
        assert_eq!(check("", &[]), [Weakness::TooShort]);
    }

    #[test]
    fn what_everybody_tries_is_refused() {
        for password in [
            "password",
            "Password1",
            "P@ssw0rd",
            "12345678",
            "1234567890",
            "qwertyuiop",
            "iloveyou",
            "sunshine1",
            "drowssap",
            "aaaaaaaaaaaa",
            "abcdefgh",
            "abcabcabc",
            "trustno1",
            "letmein123",
            "football",
            "princess1",
            "pagefree",
            "PageFree1",
            "incident1",
            "11111111",
            "20012001",
            "zaq12wsx",
            "1qaz2wsx",
            "baseball",
        ] {
            assert!(check(password, &[]).contains(&Weakness::Guessable), "{password}");
        }
    }

    /// No rules about kinds of characters.
    #[test]
    fn what_is_hard_to_guess_is_accepted_whatever_it_is_made_of() {
        for password in [
            "correct horse battery staple",
            "vbxkqzjwpf",
            "83920174650291",
            "тридцать три коровы",
            "雨上がりの夜空に輝く",
            "        f q z        ",
            "🦊🐙🦄🐝🦋🐌🐞🦂",
        ] {
            assert_eq!(check(password, &ADA), [], "{password}");
        }
    }

    #[test]
    fn what_is_made_of_the_owner_is_refused() {
        for password in
            ["xq7 LoveLace zz!k", "lovelace-vbxkqz", "vbx.Countess.qz", "w analytical fzq", "ｌｏｖｅｌａｃｅ vbxq"]
        {
            assert!(check(password, &ADA).contains(&Weakness::Personal), "{password}");
            assert!(!check(password, &["Grace Hopper"]).contains(&Weakness::Personal), "control: {password}");
        }
        assert_eq!(check("vbx ada qzk!w", &ADA), [], "three letters stand in too many words");
    }

    #[test]
    fn every_weakness_is_told_and_none_repeats_the_password() {
        let found = check("ada love", &["Love"]);
        assert!(found.contains(&Weakness::Personal), "{found:?}");
        for weakness in [Weakness::TooShort, Weakness::TooLong, Weakness::Guessable, Weakness::Personal] {
            assert!(!weakness.to_string().contains("love") && weakness.to_string().len() > 20);
        }
    }

    #[test]
    fn nothing_that_can_be_sent_takes_long() {
        let longest = [
            "a".repeat(128),
            "password".repeat(16),
            "p@ssw0rd$1!|7+(".repeat(8),
            "4@8({[<369!1|0$5+7%2".repeat(6),
            "qwertyuiop".repeat(12),
            "20012001".repeat(16),
        ];
        for password in &longest {
            let started = Instant::now();
            check(password, &ADA);
            let took = started.elapsed();
            assert!(took < Duration::from_secs(3), "{took:?} for {password}");
        }
    }
}
