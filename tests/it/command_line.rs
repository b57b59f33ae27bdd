//! The command line: what it prints, what it refuses, and that it works beside a running server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::client::Client;
use crate::on_both_databases;
use crate::serving::{Serving, pagefree};

on_both_databases!(
    the_first_start_says_how_to_begin,
    a_restart_keeps_everything,
    even_a_killed_server_keeps_what_it_has_acknowledged,
    tokens_are_made_beside_the_server,
);

async fn the_first_start_says_how_to_begin(serving: Serving) {
    assert!(serving.greeting.contains(&serving.url), "{}", serving.greeting);
    // What it says is a command that can be pasted.
    let curl = serving.greeting.lines().map(str::trim).find(|line| line.starts_with("curl ")).unwrap().to_owned();
    // It keeps a cookie where it runs.
    let folder = serving.folder().to_owned();
    let run = move || Command::new("sh").args(["-c", &curl]).current_dir(folder).output().unwrap();
    let shell = tokio::task::spawn_blocking(run);
    let done = shell.await.unwrap();
    let made: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&made["method"], made["csrf_token"].is_string()), (&json!("setup"), true), "{made}");
    let serving = serving.restarted(Signal::SIGTERM).await;
    assert!(!serving.greeting.contains("code"), "it was set up: {}", serving.greeting);
}

async fn a_restart_keeps_everything(serving: Serving) {
    let token = serving.first_token.clone();
    let admin = serving.admin();
    let path = admin.new_incident("Down").await;
    let before = admin.get(&path).await.expect(200);
    let serving = serving.restarted(Signal::SIGTERM).await;
    let after = Client::new(&serving.url, Some(&token)).get(&path).await.expect(200);
    assert_eq!((after.text.clone(), after.position()), (before.text.clone(), before.position()));
}

async fn even_a_killed_server_keeps_what_it_has_acknowledged(serving: Serving) {
    let token = serving.first_token.clone();
    let admin = serving.admin();
    let mut paths = Vec::new();
    for n in 0..20 {
        paths.push(admin.new_incident(&format!("Down {n}")).await);
    }
    let serving = serving.restarted(Signal::SIGKILL).await;
    let admin = Client::new(&serving.url, Some(&token));
    for (n, path) in paths.iter().enumerate() {
        assert_eq!(admin.get(path).await.expect(200).json()["title"], format!("Down {n}"));
    }
}

async fn tokens_are_made_beside_the_server(serving: Serving) {
    let made = serving.run(&["token", "create", "--name", "ci", "--role", "responder"]);
    assert_eq!(made.status.code(), Some(0));
    let printed = String::from_utf8(made.stdout).unwrap();
    let secret = printed.strip_suffix('\n').unwrap();
    assert!(secret.starts_with("pf_") && !secret.contains(char::is_whitespace), "the token alone: {printed:?}");
    Client::new(&serving.url, Some(secret)).new_incident("Down").await;
    for wrong in [&["--name", "x", "--role", "king"][..], &["--name", "x", "--role", "partner"], &["--role", "viewer"]]
    {
        let refused = serving.run(&[&["token", "create"], wrong].concat());
        assert_eq!((refused.status.code(), refused.stdout.as_slice()), (Some(2), &b""[..]));
    }
    assert_eq!(serving.run(&["migrate"]).status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_one_sqlite_database_is_refused() {
    let serving = Serving::on_sqlite().await;
    let second = serving.run(&["serve", "--listen", "127.0.0.1:0"]);
    let why = String::from_utf8(second.stderr).unwrap();
    assert_eq!((second.status.code(), second.stdout.as_slice()), (Some(1), &b""[..]));
    assert!(why.contains("data/pagefree.db") && why.contains("another data directory"), "{why}");
    serving.admin().new_incident("Still there").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_directory_is_its_owners_alone() {
    let serving = Serving::on_sqlite().await;
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(serving.data()), 0o700);
    assert_eq!(mode(serving.data().join("pagefree.db")), 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_address_is_refused_in_words() {
    let serving = Serving::on_sqlite().await;
    let other = tempfile::tempdir().unwrap();
    let taken = serving.url.strip_prefix("http://").unwrap();
    let refused = pagefree(other.path()).args(["serve", "--listen", taken]).output().unwrap();
    let why = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && why.contains(taken) && why.contains("in use"), "{why}");
}

/// Runs `serve` with what cannot be served, and says its exit code and what it wrote to standard error.
fn refused(arguments: &[&str], environment: &[(&str, &str)], file: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pagefree.toml"), file).unwrap();
    let mut command = pagefree(folder.path());
    command.arg("serve").args(arguments).envs(environment.iter().copied());
    let done = command.output().unwrap();
    (done.status.code(), String::from_utf8(done.stderr).unwrap())
}

#[test]
fn wrong_usage_exits_with_2_and_says_what_is_wrong() {
    let file = ["--config", "pagefree.toml"];
    let wrong = |arguments: &[&str], environment: &[(&str, &str)], text: &str, part: &str| {
        let (code, why) = refused(arguments, environment, text);
        assert!(code == Some(2) && why.contains(part), "{arguments:?} {environment:?} {text}: {code:?} {why}");
    };
    wrong(&["--listne", "x"], &[], "", "--listne");
    wrong(&["--config", "nowhere.toml"], &[], "", "nowhere.toml");
    wrong(&file, &[], "lisen = 'x'", "lisen");
    wrong(&file, &[], "listen = ", "pagefree.toml");
    wrong(&["--listen", "nonsense"], &[], "", "nonsense");
    wrong(&["--database", "mysql://x"], &[], "", "mysql");
    wrong(&[], &[("PAGEFREE_LISTEN", "wrong")], "", "wrong");
    wrong(&["--public-url", "example.com"], &[], "", "http://");
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file() {
    let file = ["--config", "pagefree.toml"];
    let text = "listen = 'of-the-file'";
    let environment = [("PAGEFREE_LISTEN", "of-the-environment")];
    assert!(refused(&file, &[], text).1.contains("'of-the-file'"));
    assert!(refused(&file, &environment, text).1.contains("'of-the-environment'"));
    let flag = ["--config", "pagefree.toml", "--listen", "of-the-flag"];
    assert!(refused(&flag, &environment, text).1.contains("'of-the-flag'"));
}

#[test]
fn an_unreachable_database_is_named_without_its_password() {
    let port = testbed::free_port();
    let url = format!("postgres://ann:secret@127.0.0.1:{port}/pages");
    let (code, why) = refused(&["--database", &url], &[], "");
    assert_eq!(code, Some(1), "{why}");
    assert!(why.contains(&format!("ann@127.0.0.1:{port}/pages")) && !why.contains("secret"), "{why}");
}
