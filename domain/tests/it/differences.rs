//! What is told about two definitions, and that nothing is missing in it.

use domain::runbook::Definition;
use serde_json::{Value, json};

use super::samples::{definition, full_body, short_body};

fn waits(steps: &[(&str, u32)]) -> Definition {
    let step = |(id, seconds): &(&str, u32)| json!({"id": id, "type": "wait", "duration_seconds": seconds});
    definition(&json!({
        "name": "Wait", "description": "Waits.", "steps": steps.iter().map(step).collect::<Vec<_>>(),
    }))
}

fn told(from: &Definition, to: &Definition) -> Vec<(String, String)> {
    let told = to.differences(from).into_iter().map(|difference| serde_json::to_value(difference).unwrap());
    told.map(|one| (one["op"].as_str().unwrap().to_owned(), one["pointer"].as_str().unwrap().to_owned())).collect()
}

#[track_caller]
fn tells(from: &Definition, to: &Definition, expected: &[(&str, &str)]) {
    let told = told(from, to);
    let told: Vec<_> = told.iter().map(|(op, pointer)| (op.as_str(), pointer.as_str())).collect();
    assert_eq!(told, expected);
}

#[test]
fn what_is_the_same_has_no_difference() {
    for body in [short_body(), full_body()] {
        assert_eq!(definition(&body).differences(&definition(&body)), []);
    }
}

#[test]
fn fields_are_told_where_they_are() {
    let (mut from, mut to) = (full_body(), full_body());
    from["variables"] = json!({"region": "eu", "limit": 3, "b": 1});
    to["variables"] = json!({"region": "us", "limit": 3, "c": 2});
    to["name"] = json!("Fail over");
    to["tags"] = json!(["database"]);
    to["team_id"] = Value::Null;
    to["steps"][2]["max_rows"] = json!(20);
    let (from, to) = (definition(&from), definition(&to));
    let expected = [
        ("replace", "/name"),
        ("replace", "/steps/2/max_rows"),
        ("replace", "/tags"),
        ("replace", "/team_id"),
        ("remove", "/variables/b"),
        ("add", "/variables/c"),
        ("replace", "/variables/region"),
    ];
    tells(&from, &to, &expected);
    let all = to.differences(&from);
    assert_eq!((&all[0].from, &all[0].to), (&Some(json!("Fail over the database")), &Some(json!("Fail over"))));
    assert_eq!((&all[4].from, &all[4].to, &all[5].from), (&Some(json!(1)), &None, &None));
}

#[test]
fn steps_are_told_apart_by_their_ids() {
    let from = waits(&[("a", 1), ("b", 2), ("c", 3)]);
    tells(&from, &waits(&[("new", 9), ("a", 1), ("b", 2), ("c", 3)]), &[("add", "/steps/0")]);
    tells(&from, &waits(&[("a", 1), ("c", 3)]), &[("remove", "/steps/1")]);
    tells(
        &from,
        &waits(&[("new", 9), ("a", 1), ("b", 7), ("c", 3)]),
        &[("add", "/steps/0"), ("replace", "/steps/2/duration_seconds")],
    );
    tells(&from, &waits(&[("a", 1), ("renamed", 2), ("c", 3)]), &[("remove", "/steps/1"), ("add", "/steps/1")]);
    let moved = waits(&[("c", 3), ("a", 1), ("b", 5)]);
    tells(&from, &moved, &[("reorder", "/steps"), ("replace", "/steps/2/duration_seconds")]);
    let reorder = &moved.differences(&from)[0];
    assert_eq!((&reorder.from, &reorder.to), (&Some(json!(["a", "b", "c"])), &Some(json!(["c", "a", "b"]))));
}

#[test]
fn branches_are_told_by_their_places() {
    let branch = |id: &str| json!([{"id": id, "type": "wait", "duration_seconds": 1}]);
    let body = |branches: Vec<Value>| {
        definition(&json!({"name": "P", "description": "p", "steps": [
            {"id": "p", "type": "parallel", "branches": branches}
        ]}))
    };
    let two = body(vec![branch("a"), branch("b")]);
    tells(&two, &body(vec![branch("a"), branch("b"), branch("c")]), &[("add", "/steps/0/branches/2")]);
    let other = body(vec![branch("a"), branch("x")]);
    tells(&two, &other, &[("remove", "/steps/0/branches/1/0"), ("add", "/steps/0/branches/1/0")]);
}
