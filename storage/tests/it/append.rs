//! What an append promises: dense positions, a true verdict for every command, all of it or nothing.

use std::collections::HashSet;

use futures_util::future::join_all;
use storage::bulk::BulkRow;
use storage::{Receipt, StorageError, Verdict};

use crate::bed::{Bed, everywhere};
use crate::commands::{HOUR, command, committed, event, fresh, keyed, on, stream, write};
use crate::work::claimed;

everywhere!(
    positions_are_dense_and_in_order,
    a_command_over_several_streams_is_all_or_nothing,
    an_expectation_that_does_not_hold_is_a_conflict_and_never_a_gap,
    one_batch_gets_a_verdict_for_each_of_its_commands,
    a_command_that_cannot_be_is_refused_alone,
    the_same_command_is_recorded_once,
    time_does_not_run_backwards,
    salts_differ,
    a_payload_is_kept_byte_for_byte,
);

async fn positions_are_dense_and_in_order(bed: &Bed) {
    let commands: Vec<_> = (0..60)
        .map(|n| command(vec![write(&format!("a{n}"), 0, 1 + n % 3), write(&format!("b{n}"), 0, n % 2)]))
        .collect();
    let answers = join_all(commands.iter().cloned().map(|append| bed.store.append(append))).await;

    let log = bed.store.read_after(0, 1000).await.unwrap();
    assert!((1..).zip(&log).all(|(position, event)| event.position == position));
    assert_eq!(log.len(), commands.iter().map(storage::Append::event_count).sum::<usize>());
    assert_eq!(bed.store.head().await.unwrap(), log.len() as u64);
    for (append, answer) in commands.iter().zip(answers) {
        let Receipt { first, last } = committed(answer);
        let events = &log[usize::try_from(first).unwrap() - 1..usize::try_from(last).unwrap()];
        assert_eq!(events.len(), append.event_count());
        let sent = append.streams.iter().flat_map(|write| {
            (write.expected + 1..).zip(&write.events).map(|(sequence, event)| (&write.stream, sequence, event.event_id))
        });
        for (ord, (event, sent)) in (0..).zip(events.iter().zip(sent)) {
            assert_eq!((&event.stream, event.sequence, event.event_id), sent);
            assert_eq!((event.command_id, event.command_ord), (append.command_id, ord));
        }
    }
}

async fn a_command_over_several_streams_is_all_or_nothing(bed: &Bed) {
    committed(bed.store.append(on("b", 0)).await);
    let half = command(vec![write("a", 0, 2), write("b", 0, 1), write("c", 0, 1)]);
    assert_eq!(bed.store.append(half).await.unwrap(), Verdict::Conflict);
    assert_eq!(bed.store.load(stream("a"), 0).await.unwrap(), []);
    assert_eq!(bed.store.load(stream("c"), 0).await.unwrap(), []);
    assert_eq!(bed.store.head().await.unwrap(), 1, "a refused command burns no position");

    let whole = command(vec![write("a", 0, 2), write("b", 1, 1), write("c", 0, 1)]);
    assert_eq!(committed(bed.store.append(whole).await), Receipt { first: 2, last: 5 });
}

async fn an_expectation_that_does_not_hold_is_a_conflict_and_never_a_gap(bed: &Bed) {
    committed(bed.store.append(command(vec![write("a", 0, 3)])).await);
    let signed = i64::MAX.unsigned_abs();
    for expected in [0, 1, 2, 4, 5, 1000, signed - 1, signed, signed + 1, u64::MAX - 1, u64::MAX] {
        assert_eq!(bed.store.append(on("a", expected)).await.unwrap(), Verdict::Conflict, "{expected}");
        let several = command(vec![write("new", 0, 1), write("a", expected, 3)]);
        assert_eq!(bed.store.append(several).await.unwrap(), Verdict::Conflict, "{expected}");
        if expected > 0 {
            assert_eq!(bed.store.append(on("never", expected)).await.unwrap(), Verdict::Conflict, "{expected}");
        }
    }
    assert_eq!(bed.store.head().await.unwrap(), 3);
    committed(bed.store.append(on("a", 3)).await);
}

async fn one_batch_gets_a_verdict_for_each_of_its_commands(bed: &Bed) {
    let (live, stale) = (claimed(&bed.store, "live").await, claimed(&bed.store, "stale").await);
    let before = on("before", 0);
    let first = committed(bed.store.append(before.clone()).await);
    let asked = keyed(on("asked", 0), "used", 1, HOUR);
    let answered = committed(bed.store.append(asked).await);

    let with_claim = |mut append: storage::Append, claim| {
        append.claim = Some(claim);
        append
    };
    let late = storage::work::Claim { attempt: stale.attempt + 1, ..stale };
    let batch = vec![
        on("plain", 0),
        before,
        keyed(on("other", 0), "used", 1, HOUR),
        on("behind", 7),
        command(vec![write("guarded", 1, 0), write("of guarded", 0, 1)]),
        with_claim(on("late", 0), late),
        with_claim(on("done", 0), live),
        command(vec![write("absent", 0, 0), write("x", 0, 1), write("y", 0, 2)]),
        keyed(on("new key", 0), "new", 1, HOUR),
    ];
    let reused = keyed(on("reused", 0), "new", 2, HOUR);
    let answers: Vec<_> = bed.append_in_one_batch(batch).await.into_iter().map(Result::unwrap).collect();

    let plug = answered.last + 1;
    let at = |first, last| Verdict::Committed(Receipt { first, last });
    assert_eq!(
        answers,
        [
            at(plug + 1, plug + 1),
            Verdict::Duplicate(first),
            Verdict::Duplicate(answered),
            Verdict::Conflict,
            Verdict::Conflict,
            Verdict::Fenced,
            at(plug + 2, plug + 2),
            at(plug + 3, plug + 5),
            at(plug + 6, plug + 6),
        ]
    );
    assert_eq!(bed.store.append(reused).await.unwrap(), Verdict::KeyReused);
    let log = bed.store.read_after(plug, 100).await.unwrap();
    assert_eq!(log.len(), 6);
    let at: HashSet<i64> = log.iter().map(|event| event.recorded_at_us).collect();
    assert_eq!(at.len(), 1, "all of them stood in one batch");
}

async fn a_command_that_cannot_be_is_refused_alone(bed: &Bed) {
    let used = on("used", 0);
    committed(bed.store.append(used.clone()).await);
    let payload = |text: &str| {
        let mut append = on(&format!("payload {text}"), 0);
        text.clone_into(&mut append.streams[0].events[0].payload);
        append
    };
    let mut metadata = on("metadata", 0);
    "not JSON".clone_into(&mut metadata.metadata);
    let mut event_id = on("event id", 0);
    event_id.streams[0].events[0].event_id = used.streams[0].events[0].event_id;
    let mut bulk = on("bulk", 0);
    bulk.bulk = vec![BulkRow { event: 1, kind: "k".to_owned(), subject: "s".to_owned(), body: vec![1] }];
    let bad = vec![
        payload("{"),
        payload(""),
        payload("\u{0}"),
        payload("{'a':1}"),
        metadata,
        event_id,
        bulk,
        command(vec![]),
        command(vec![write("only guarded", 0, 0)]),
        command(vec![write("twice", 0, 1), write("twice", 1, 1)]),
        on("with a \u{0} in it", 0),
        keyed(on("key", 0), "a \u{0} key", 1, HOUR),
    ];
    // Each between two good ones.
    let good = |n: usize| on(&format!("good {n}"), 0);
    let (count, batch) = (bad.len(), bad.into_iter().enumerate().flat_map(|(n, bad)| [good(n), bad]).collect());
    let answers = bed.append_in_one_batch(batch).await;
    for pair in answers.chunks_exact(2) {
        committed(pair[0].clone());
        assert!(matches!(pair[1], Err(StorageError::Rejected(_))), "{pair:?}");
    }
    assert_eq!(bed.store.head().await.unwrap(), 2 + count as u64);
}

async fn the_same_command_is_recorded_once(bed: &Bed) {
    let append = command(vec![write("a", 0, 2), write("b", 0, 1)]);
    let receipt = committed(bed.store.append(append.clone()).await);
    assert_eq!(receipt, Receipt { first: 1, last: 3 });
    assert_eq!(bed.store.append(append.clone()).await.unwrap(), Verdict::Duplicate(receipt));
    // Also when it was decided anew, on the heads of today.
    let mut anew = on("a", 2);
    anew.command_id = append.command_id;
    assert_eq!(bed.store.append(anew).await.unwrap(), Verdict::Duplicate(receipt));

    let append = on("c", 0);
    let answers = join_all((0..20).map(|_| bed.store.append(append.clone()))).await;
    let receipt = Receipt { first: 4, last: 4 };
    assert_eq!(committed(answers[0].clone()), receipt);
    assert!(answers[1..].iter().all(|answer| matches!(answer, Ok(Verdict::Duplicate(r)) if *r == receipt)));
    assert_eq!(bed.store.of_command(append.command_id).await.unwrap().len(), 1);
    assert_eq!(bed.store.of_command(fresh()).await.unwrap(), []);
}

async fn time_does_not_run_backwards(bed: &Bed) {
    for n in 0..20 {
        committed(bed.store.append(on(&format!("early {n}"), 0)).await);
    }
    // As after the clock was set back by an hour.
    bed.insert_from_outside("ahead", 3600).await;
    for n in 0..5 {
        committed(bed.store.append(on(&format!("late {n}"), 0)).await);
    }
    let log = bed.store.read_after(0, 100).await.unwrap();
    assert!(log.is_sorted_by_key(|event| event.recorded_at_us));
    assert_eq!(log[20].recorded_at_us, log[25].recorded_at_us, "the clock waits until it is reached again");
    assert!(log[20].recorded_at_us > log[19].recorded_at_us + 3_000_000_000);
}

async fn salts_differ(bed: &Bed) {
    let commands = (0..50).map(|n| bed.store.append(command(vec![write(&n.to_string(), 0, 3)])));
    join_all(commands).await.into_iter().map(committed).for_each(|receipt| assert!(receipt.first > 0));
    let log = bed.store.read_after(0, 1000).await.unwrap();
    let salts: HashSet<[u8; 16]> = log.iter().map(|event| event.salt).collect();
    assert_eq!(salts.len(), 150);
    assert!(!salts.contains(&[0; 16]));
}

async fn a_payload_is_kept_byte_for_byte(bed: &Bed) {
    let payloads = [
        r#"{"b":1,"a":2}"#,
        "  {  \"a\" :\t1 ,\n\"b\":\r\n [ ] }  ",
        r#"{"a":1,"a":2,"A":3}"#,
        r#"{"number":1.0,"exponent":1E+3,"long":123456789012345678901234567890.10,"negative":-0}"#,
        r#"{"escape":"\u0000","pair":"\ud83d\ude00","lone":"\ud800","slash":"\/","upper":"\u00E9"}"#,
        "{\"raw\":\"é ß 漢字 😀 \u{2028} \u{feff} \u{7f}\"}",
        "\"text\"",
        "null",
        "[]",
        "0",
    ];
    let events = payloads.map(event);
    let sent = payloads.map(str::to_owned);
    let mut append = command(vec![storage::StreamWrite {
        stream: stream("Straße 漢 'quoted' \"é\""),
        expected: 0,
        events: events.into(),
    }]);
    " { \"actor\" : \"é\", \"a\":\"\\u0000\" } ".clone_into(&mut append.metadata);
    committed(bed.store.append(append.clone()).await);
    for log in [
        bed.store.read_after(0, 100).await.unwrap(),
        bed.store.load(append.streams[0].stream.clone(), 0).await.unwrap(),
    ] {
        assert_eq!(log.iter().map(|event| event.payload.clone()).collect::<Vec<_>>(), sent);
        assert!(log.iter().all(|event| event.metadata == append.metadata && event.stream == append.streams[0].stream));
    }
}
