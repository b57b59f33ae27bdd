//! What waits for a decision: opened by a submission, voted on through either door, shown, listed, and decided in bulk.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::client::{Client, Reply, runbook};
use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(
    a_quorum_of_two_takes_two_votes_through_either_door,
    votes_at_once_count_each_once,
    one_rejection_is_enough_and_has_a_reason,
    what_is_no_longer_asked_for_is_withdrawn,
    who_may_not_vote_is_told_why,
    a_list_shows_what_waits_for_the_caller,
    an_approval_is_shown_as_it_was,
    many_are_decided_each_on_its_own,
    a_bulk_is_repeated_under_its_key,
    a_bulk_lists_everything_wrong_with_it,
    versions_and_the_draft_are_compared,
);

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

async fn document(client: &Client, path: &str) -> Value {
    client.get(path).await.expect(200).json()
}

/// The ids of what a list shows, once it holds what an answer told.
async fn listed(client: &Client, after: &Reply, query: &str) -> Vec<String> {
    let page = client.get_after(after, &format!("/api/approvals{query}")).await.expect(200).json();
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn a_quorum_of_two_takes_two_votes_through_either_door(serving: Serving) {
    let (author, first, second) =
        (serving.somebody("team_manager"), serving.admin(), serving.somebody("platform_admin"));
    let path = author.new_runbook("Fail over").await;
    author.post(&format!("{path}/submit"), json!({ "quorum": 11 })).await.faults(&["/quorum"]);
    author.post(&format!("{path}/submit"), json!({ "quorum": "2" })).await.faults(&["/quorum"]);
    let approval = author.submitted(&path, json!({ "quorum": 2 })).await;
    let asked = document(&first, &approval).await;
    let draft = document(&author, &path).await["draft"].clone();
    assert_eq!((&asked["status"], &asked["quorum"], &asked["version"]), (&json!("pending"), &json!(2), &json!(1)));
    let subject = json!({
        "kind": "runbook_version", "id": id(&path), "version": 1,
        "content_hash": draft["content_hash"], "title": "Fail over",
    });
    assert_eq!((&asked["subject"], &asked["authors"]), (&subject, &draft["authors"]));
    assert_eq!((&draft["approval"]["quorum"], &draft["approval"]["votes"]), (&json!(2), &json!([])));
    assert_eq!(draft["approval"]["expires_at"], asked["expires_at"]);

    let reply = first.post(&format!("{approval}/approve"), json!({ "reason": "tried it" })).await.expect(200);
    assert_eq!(
        (&reply.json()["status"], reply.json()["votes"][0]["reason"].as_str()),
        (&json!("pending"), Some("tried it"))
    );
    assert_eq!(reply.etag(), "\"2\"");
    let half = author.get_after(&reply, &path).await.expect(200);
    assert_eq!((half.json()["draft"]["phase"].as_str(), half.etag().as_str()), (Some("pending"), "\"3\""));
    assert_eq!(half.json()["draft"]["approval"]["votes"][0]["by"], reply.json()["votes"][0]["by"]);
    // The same vote again changes nothing, whichever door it comes through.
    for (again, version) in [(format!("{approval}/approve"), "\"2\""), (format!("{path}/approve"), "\"3\"")] {
        assert_eq!(first.post(&again, json!({})).await.expect(200).etag(), version);
    }
    first.post(&format!("{approval}/reject"), json!({ "reason": "no" })).await.problem(409, "voted_already");

    let done = second.post(&format!("{path}/approve"), json!({})).await.expect(200);
    let version = done.json()["versions"][0].clone();
    assert_eq!((&done.json()["status"], &done.json()["draft"]), (&json!("APPROVED"), &Value::Null));
    assert_eq!((version["consents"].as_array().map(Vec::len), &version["self_approved"]), (Some(2), &json!(false)));
    assert_eq!(version["approval_id"], id(&approval));
    let over = first.get_after(&done, &approval).await.expect(200).json();
    assert_eq!((&over["status"], over["votes"].as_array().map(Vec::len)), (&json!("approved"), Some(2)));
    assert_eq!(over["ended_at"], over["updated_at"]);
    second.post(&format!("{approval}/approve"), json!({})).await.problem(409, "approval_over");
    // The next one is compared with what was approved.
    author.put(&path, runbook("Fail over gently")).await.expect(200);
    let next = author.submitted(&path, json!({})).await;
    assert_eq!(document(&first, &next).await["subject"]["base_version"], 1);
}

async fn votes_at_once_count_each_once(serving: Serving) {
    let author = serving.somebody("team_manager");
    let admins = [serving.admin(), serving.somebody("platform_admin"), serving.somebody("platform_admin")];
    for round in 0..6 {
        let path = author.new_runbook(&format!("Round {round}")).await;
        let approval = author.submitted(&path, json!({ "quorum": 3 })).await;
        // Each votes twice at the same time, once through either door.
        let votes = admins.iter().flat_map(|admin| {
            [format!("{path}/approve"), format!("{approval}/approve")]
                .map(|door| async move { admin.post(&door, json!({})).await })
        });
        let replies = join_all(votes).await;
        // Whoever comes second to his own vote changes nothing, or finds it over.
        assert!(replies.iter().all(|reply| [200, 409].contains(&reply.status)), "{replies:?}");
        let last = replies.iter().filter(|reply| reply.status == 200).max_by_key(|reply| reply.number()).unwrap();
        let over = author.get_after(last, &approval).await.expect(200).json();
        let people: std::collections::BTreeSet<_> =
            over["votes"].as_array().unwrap().iter().map(|vote| vote["by"].as_str().unwrap().to_owned()).collect();
        assert_eq!((&over["status"], people.len()), (&json!("approved"), 3), "{over}");
        assert_eq!(over["votes"].as_array().map(Vec::len), Some(3), "each once: {over}");
        let approved = author.get_after(last, &path).await.expect(200).json();
        assert_eq!((&approved["current"], approved["versions"].as_array().map(Vec::len)), (&json!(1), Some(1)));
        let history = document(&author, &format!("{path}/history")).await;
        let events = history["items"].as_array().unwrap();
        let count = |name: &str| events.iter().filter(|event| event["event_type"] == name).count();
        assert_eq!((count("runbook.vote_counted"), count("runbook.approved")), (2, 1));
    }
    // The control: two of three are not enough, however often they vote.
    let path = author.new_runbook("Two").await;
    let approval = author.submitted(&path, json!({ "quorum": 3 })).await;
    let door = format!("{approval}/approve");
    let votes = (0..8).map(|n| admins[n % 2].post(&door, json!({})));
    let replies = join_all(votes).await;
    let last = replies.iter().max_by_key(|reply| reply.number()).unwrap();
    let waiting = author.get_after(last, &approval).await.expect(200).json();
    assert_eq!((&waiting["status"], waiting["votes"].as_array().map(Vec::len)), (&json!("pending"), Some(2)));
}

async fn one_rejection_is_enough_and_has_a_reason(serving: Serving) {
    let (author, admin) = (serving.somebody("responder"), serving.admin());
    let path = author.new_runbook("Restart").await;
    let approval = author.submitted(&path, json!({ "quorum": 3 })).await;
    admin.post(&format!("{approval}/reject"), json!({})).await.faults(&["/reason"]);
    admin.post(&format!("{approval}/reject"), json!({ "reason": "  " })).await.faults(&["/reason"]);
    let long = json!({ "reason": "x".repeat(1_001), "more": 1 });
    admin.post(&format!("{approval}/approve"), long).await.faults(&["/more"]);
    let other = json!({ "content_hash": "77aa" });
    admin.post(&format!("{approval}/approve"), other).await.problem(409, "content_changed");
    let rejected = admin.post(&format!("{approval}/reject"), json!({ "reason": "not like this" })).await.expect(200);
    assert_eq!(rejected.json()["status"], "rejected");
    let draft = author.get_after(&rejected, &path).await.expect(200).json()["draft"].clone();
    assert_eq!((&draft["phase"], &draft["approval"]), (&json!("editing"), &Value::Null));
    assert_eq!(draft["rejected"]["reason"], "not like this");
}

async fn what_is_no_longer_asked_for_is_withdrawn(serving: Serving) {
    let (author, admin) = (serving.somebody("team_manager"), serving.admin());
    let path = author.new_runbook("Restart").await;
    let first = author.submitted(&path, json!({})).await;
    let edited = author.put(&path, runbook("Restart gently")).await.expect(200);
    let gone = admin.get_after(&edited, &first).await.expect(200).json();
    assert_eq!((&gone["status"], &gone["withdrawn"]["reason"]), (&json!("withdrawn"), &json!("the draft was edited")));
    admin.post(&format!("{first}/approve"), json!({})).await.problem(409, "approval_over");
    let second = author.submitted(&path, json!({})).await;
    assert_ne!(first, second);
    admin.post(&format!("{second}/approve"), json!({})).await.expect(200);
    // Deprecating withdraws as well.
    author.put(&path, runbook("Restart very gently")).await.expect(200);
    let third = author.submitted(&path, json!({})).await;
    let deprecated = admin.post(&format!("{path}/deprecate"), json!({})).await.expect(200);
    assert_eq!(deprecated.json()["draft"]["phase"], "editing");
    let gone = admin.get_after(&deprecated, &third).await.expect(200).json();
    assert_eq!(gone["withdrawn"]["reason"], "the runbook was deprecated");
    let fourth = author.submitted(&path, json!({})).await;
    let discarded = author.ask("DELETE", &format!("{path}/draft")).send().await.expect(200);
    let gone = admin.get_after(&discarded, &fourth).await.expect(200).json();
    assert_eq!(gone["withdrawn"]["reason"], "the draft was discarded");
}

async fn who_may_not_vote_is_told_why(serving: Serving) {
    let (admin, second) = (serving.admin(), serving.somebody("platform_admin"));
    let approval = admin.new_approval("Mine").await;
    admin.post(&format!("{approval}/approve"), json!({})).await.problem(403, "four_eyes");
    admin.post(&format!("{approval}/reject"), json!({ "reason": "x" })).await.problem(403, "four_eyes");
    let responder = serving.somebody("responder");
    responder.post(&format!("{approval}/approve"), json!({})).await.problem(403, "not_eligible");
    for role in ["auditor", "viewer"] {
        serving.somebody(role).post(&format!("{approval}/approve"), json!({})).await.problem(403, "denied");
    }
    admin.post("/api/approvals/nothing/approve", json!({})).await.problem(404, "approval_missing");
    admin.get("/api/approvals/nothing").await.problem(404, "not_found");
    assert_eq!(admin.get(&approval).await.expect(200).etag(), "\"1\"", "none of them left a trace");
    let moved = second.ask("POST", &format!("{approval}/approve")).header("if-match", "\"7\"").json(&json!({}));
    moved.send().await.problem(412, "moved");
    let met = second.ask("POST", &format!("{approval}/approve")).header("if-match", "\"1\"").json(&json!({}));
    assert_eq!(met.send().await.expect(200).json()["status"], "approved");
}

async fn a_list_shows_what_waits_for_the_caller(serving: Serving) {
    let (author, admin, other) =
        (serving.somebody("team_manager"), serving.admin(), serving.somebody("platform_admin"));
    let mut made = Vec::new();
    for (name, team, hours) in [("Alpha", json!("shop"), 9), ("Beta", json!(null), 3), ("Gamma", json!("shop"), 6)] {
        let mut body = runbook(name);
        body["team_id"] = team;
        let path = author.post("/api/runbooks", body).await.expect(201).location();
        let until = json!({ "quorum": 2, "expires_at": format!("2999-01-01T{hours:02}:00:00Z") });
        made.push((path.clone(), id(&author.submitted(&path, until).await).to_owned()));
    }
    let own = id(&admin.new_approval("Own").await).to_owned();
    let [alpha, beta, gamma] = [0, 1, 2].map(|n| made[n].1.clone());
    // What expires first comes first; one's own work and what one has voted on do not wait for one.
    let voted = admin.post(&format!("/api/approvals/{gamma}/approve"), json!({})).await.expect(200);
    assert_eq!(listed(&admin, &voted, "").await, [beta.clone(), alpha.clone()]);
    assert_eq!(listed(&other, &voted, "?limit=200").await, [own.clone(), beta.clone(), gamma.clone(), alpha.clone()]);
    for nobody in [author.clone(), serving.somebody("auditor")] {
        assert_eq!(listed(&nobody, &voted, "").await, [""; 0]);
        assert_eq!(listed(&nobody, &voted, "?mine=false").await.len(), 4);
    }
    let rejected = other.post(&format!("/api/approvals/{alpha}/reject"), json!({ "reason": "no" })).await.expect(200);
    let runbook_id = id(&made[1].0);
    for (query, expected) in [
        ("?mine=false", vec![&own, &beta, &gamma]),
        ("?status=pending", vec![&own, &beta, &gamma]),
        ("?status=pending&mine=true", vec![&beta]),
        ("?status=rejected", vec![&alpha]),
        ("?status=rejected,pending&sort=created_at", vec![&alpha, &beta, &gamma, &own]),
        ("?status=all&sort=-created_at", vec![&own, &gamma, &beta, &alpha]),
        ("?status=approved", vec![]),
        ("?status=all&team_id=shop", vec![&gamma, &alpha]),
        ("?status=all&team_id=global&sort=created_at", vec![&beta, &own]),
        (&format!("?status=all&subject_id={runbook_id}"), vec![&beta]),
        ("?status=all&subject_kind=runbook_version&q=gam", vec![&gamma]),
        ("?status=all&opened_by=nobody", vec![]),
    ] {
        assert_eq!(listed(&admin, &rejected, query).await.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    // Pages of what waits for the caller add up, and the last one says that it is.
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = other.get(&format!("/api/approvals?limit=1{cursor}")).await.expect(200).json();
        all.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(all, [own, beta, gamma]);
    let wrong = "status=gone&mine=perhaps&subject_kind=x&subject_id=a%20b&sort=title&limit=0&as_of=1";
    admin.get(&format!("/api/approvals?{wrong}")).await.faults(&[
        "/query/status",
        "/query/mine",
        "/query/subject_kind",
        "/query/limit",
        "/query/subject_id",
        "/query/sort",
        "/query/as_of",
    ]);
    admin.get("/api/approvals?mine=true&status=all").await.faults(&["/query/mine"]);
    admin.get("/api/approvals?cursor=x").await.faults(&["/query/cursor"]);
}

async fn an_approval_is_shown_as_it_was(serving: Serving) {
    let (author, admin) = (serving.somebody("team_manager"), serving.admin());
    let path = author.new_runbook("Restart").await;
    let approval = author.submitted(&path, json!({})).await;
    let before = admin.get(&approval).await.expect(200);
    let voted = admin.post(&format!("{approval}/approve"), json!({})).await.expect(200);
    let then = admin.get(&format!("{approval}?as_of={}", before.number())).await.expect(200);
    assert_eq!((then.json(), then.etag()), (before.json(), before.etag()));
    assert_eq!(admin.get(&format!("{approval}?as_of={}", voted.number())).await.json(), voted.json());
    let history = document(&admin, &format!("{approval}/history")).await;
    let names: Vec<&str> =
        history["items"].as_array().unwrap().iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    assert_eq!(names, ["approval.opened", "approval.voted", "approval.approved"]);
    // The vote and what followed from it are of one command.
    let of_runbook = document(&admin, &format!("{path}/history")).await;
    assert_eq!(of_runbook["items"][2]["command_id"], history["items"][2]["command_id"]);
    let again = admin.ask("GET", &approval).header("if-none-match", &voted.etag()).send().await;
    assert_eq!(again.status, 304);
}

fn results(reply: &Reply) -> Vec<(String, u64, String)> {
    let told = reply.json()["results"].as_array().unwrap().clone();
    let one = |result: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let what = if result["problem"].is_null() { &result["approval"]["status"] } else { &result["problem"]["type"] };
        (text(&result["id"]), result["status"].as_u64().unwrap(), text(what))
    };
    told.iter().map(one).collect()
}

async fn many_are_decided_each_on_its_own(serving: Serving) {
    let (author, admin) = (serving.somebody("team_manager"), serving.admin());
    let mut ids = Vec::new();
    for name in ["Yes", "No", "Read"] {
        ids.push(id(&author.new_approval(name).await).to_owned());
    }
    let own = id(&admin.new_approval("Own").await).to_owned();
    serving.somebody("platform_admin");
    let decisions = json!({ "decisions": [
        { "id": ids[0], "verdict": "approve", "reason": "fine" },
        { "id": "nothing", "verdict": "approve" },
        { "id": ids[1], "verdict": "reject", "reason": "no" },
        { "id": own, "verdict": "approve" },
        { "id": ids[2], "verdict": "approve", "content_hash": "77aa" },
    ] });
    let reply = admin.post("/api/approvals/bulk", decisions).await.expect(200);
    let problem = |code: &str| format!("urn:pagefree:problem:{code}");
    let expected = [
        (ids[0].clone(), 200, "approved".to_owned()),
        ("nothing".to_owned(), 404, problem("approval_missing")),
        (ids[1].clone(), 200, "rejected".to_owned()),
        (own, 403, problem("four_eyes")),
        (ids[2].clone(), 409, problem("content_changed")),
    ];
    assert_eq!(results(&reply), expected);
    let first = reply.json()["results"][0]["approval"].clone();
    assert_eq!(admin.get_after(&reply, &format!("/api/approvals/{}", ids[0])).await.expect(200).json(), first);
    let path = format!("/api/runbooks/{}", first["subject"]["id"].as_str().unwrap());
    assert_eq!(admin.get_after(&reply, &path).await.expect(200).json()["status"], "APPROVED");
    // A rejection says why, also here; and nothing is done where nothing may be.
    let silent = json!({ "decisions": [{ "id": ids[2], "verdict": "reject" }] });
    let reply = admin.post("/api/approvals/bulk", silent).await.expect(200);
    assert_eq!(reply.json()["results"][0]["problem"]["errors"][0]["pointer"], "/reason");
    assert!(reply.number() > 0);
}

async fn a_bulk_is_repeated_under_its_key(serving: Serving) {
    let (author, admin) = (serving.somebody("team_manager"), serving.admin());
    let (one, two) = (author.new_approval("One").await, author.new_approval("Two").await);
    let body =
        json!({ "decisions": [{ "id": "nothing", "verdict": "approve" }, { "id": id(&one), "verdict": "approve" }] });
    let ask = |body: &Value| admin.ask("POST", "/api/approvals/bulk").header("idempotency-key", "k").json(body).send();
    let first = ask(&body).await.expect(200);
    assert_eq!(first.header("idempotent-replayed"), "");
    let head = admin.get("/readyz").await.json()["position"].clone();
    let again = ask(&body).await.expect(200);
    assert_eq!((again.text.as_str(), again.header("idempotent-replayed")), (first.text.as_str(), "true"));
    assert_eq!(again.position(), first.position());
    assert_eq!(admin.get("/readyz").await.json()["position"], head);
    let other = json!({ "decisions": [{ "id": id(&two), "verdict": "approve" }] });
    ask(&other).await.problem(422, "key_reused");
    assert_eq!(document(&admin, &two).await["status"], "pending");
}

async fn a_bulk_lists_everything_wrong_with_it(serving: Serving) {
    let admin = serving.admin();
    let bulk = "/api/approvals/bulk";
    admin.post(bulk, json!({})).await.faults(&["/decisions"]);
    admin.post(bulk, json!({ "decisions": [] })).await.faults(&["/decisions"]);
    admin.post(bulk, json!({ "decisions": 7, "more": 1 })).await.faults(&["/decisions", "/more"]);
    let wrong = json!({ "decisions": [
        { "id": "a b", "verdict": "perhaps" },
        { "verdict": "approve", "reason": 7 },
        7,
        { "id": "x", "extra": null },
    ] });
    admin.post(bulk, wrong).await.faults(&[
        "/decisions/0/id",
        "/decisions/0/verdict",
        "/decisions/1/id",
        "/decisions/1/reason",
        "/decisions/2",
        "/decisions/3/verdict",
        "/decisions/3/extra",
    ]);
    let one = |n: usize| json!({ "id": format!("a{n}"), "verdict": "approve" });
    admin.post(bulk, json!({ "decisions": [one(1), one(2), one(1)] })).await.faults(&["/decisions/2/id"]);
    let many = |n: usize| json!({ "decisions": (0..n).map(one).collect::<Vec<_>>() });
    admin.post(bulk, many(101)).await.faults(&["/decisions"]);
    assert_eq!(results(&admin.post(bulk, many(100)).await.expect(200)).len(), 100);
    let matched = admin.ask("POST", bulk).header("if-match", "\"1\"").json(&many(1)).send().await;
    matched.faults(&["/header/if-match"]);
}

async fn versions_and_the_draft_are_compared(serving: Serving) {
    let (author, admin) = (serving.somebody("team_manager"), serving.admin());
    let path = author.new_runbook("Restart").await;
    let diff = |query: &str| admin.ask("GET", &format!("{path}/diff{query}")).send();
    diff("").await.faults(&["/query/from"]);
    let first = admin.post(&format!("{path}/approve"), json!({})).await.expect(200);
    assert_eq!(diff("?from=1&to=1").await.expect(200).json()["changes"], json!([]));
    let mut body = runbook("Restart gently");
    body["tags"] = json!(["quick"]);
    let edited = author.put(&path, body).await.expect(200).json();
    let told = diff("").await.expect(200).json();
    let hash = |document: &Value, pointer: &str| document.pointer(pointer).unwrap().clone();
    assert_eq!(told["from"], json!({ "version": 1, "content_hash": hash(&first.json(), "/versions/0/content_hash") }));
    let draft = json!({ "version": "draft", "of_version": 2, "content_hash": hash(&edited, "/draft/content_hash") });
    assert_eq!(told["to"], draft);
    let expected = json!([
        { "pointer": "/name", "op": "replace", "from": "Restart", "to": "Restart gently" },
        { "pointer": "/tags", "op": "replace", "from": [], "to": ["quick"] },
    ]);
    assert_eq!(told["changes"], expected);
    admin.post(&format!("{path}/approve"), json!({})).await.expect(200);
    assert_eq!(diff("?from=1&to=2").await.expect(200).json()["changes"], expected);
    assert_eq!(diff("").await.expect(200).json()["changes"], expected, "without a draft, the last two");
    assert_eq!(diff("?from=2&to=1").await.expect(200).json()["changes"][0]["to"], "Restart");
    let then = diff(&format!("?from=1&to=draft&as_of={}", first.number())).await;
    then.problem(404, "not_found");
    diff("?from=1&to=3").await.problem(404, "not_found");
    diff("?from=draft").await.problem(404, "not_found");
    diff("?from=0&to=last&other=1").await.faults(&["/query/from", "/query/to", "/query/other"]);
}
