//! Events of former versions, read through the upcaster chain out of both databases. The chain is synthetic.

use domain::Aggregate;
use storage::{Append, NewEvent, StreamId, StreamWrite, Verdict};

use crate::bed::{Bed, admin, on_both};
use crate::lamp::{Lamp, Switch};
use commands::{CommandError, ids};

on_both!(every_version_ever_written_is_read, what_a_newer_binary_wrote_is_not_guessed_at);

async fn store(bed: &Bed, lamp: &str, events: &[(&str, u32, &str)]) {
    let events = events.iter().map(|(event_type, event_version, payload)| NewEvent {
        event_id: ids::fresh(),
        event_type: (*event_type).to_owned(),
        event_version: *event_version,
        payload: (*payload).to_owned(),
    });
    let write = StreamWrite { stream: StreamId::new(Lamp::TYPE, lamp), expected: 0, events: events.collect() };
    let verdict = bed.bus.store().append(Append::new(ids::fresh(), vec![write])).await.unwrap();
    assert!(matches!(verdict, Verdict::Committed(_)));
}

async fn every_version_ever_written_is_read(bed: &Bed) {
    let old = [
        ("lamp.switched_on", 1, r#"{"type":"lamp.switched_on"}"#),
        ("lamp.switched_off", 1, r#"{"type":"lamp.switched_off"}"#),
        ("lamp.switched_on", 2, r#"{"type":"lamp.switched_on","brightness":102}"#),
    ];
    store(bed, "old", &old).await;
    let (lamp, version, _) = bed.bus.look::<Lamp>("old").await.unwrap().unwrap();
    assert_eq!((lamp.brightness_percent, lamp.switched, version), (40, 3, 3));
    // It goes on in today's version, and what is stored stays as it was.
    bed.bus.execute::<Lamp>(&admin("a"), "old", &Switch::Off).await.unwrap();
    bed.bus.execute::<Lamp>(&admin("a"), "old", &Switch::On).await.unwrap();
    let stored = bed.bus.store().load(StreamId::new(Lamp::TYPE, "old"), 0).await.unwrap();
    assert_eq!(stored.iter().map(|event| event.event_version).collect::<Vec<_>>(), [1, 1, 2, 1, 3]);
    assert_eq!(stored[0].payload, old[0].2);
    let (lamp, ..) = bed.another_node().await.look::<Lamp>("old").await.unwrap().unwrap();
    assert_eq!((lamp.brightness_percent, lamp.switched), (100, 5));
}

async fn what_a_newer_binary_wrote_is_not_guessed_at(bed: &Bed) {
    store(bed, "new", &[("lamp.switched_on", 4, r#"{"type":"lamp.switched_on","brightness_percent":7}"#)]).await;
    store(bed, "stranger", &[("lamp.exploded", 1, r#"{"type":"lamp.exploded"}"#)]).await;
    for lamp in ["new", "stranger"] {
        let looked = bed.bus.look::<Lamp>(lamp).await;
        assert!(matches!(looked, Err(CommandError::Undecodable(_))), "{looked:?}");
        let commanded = bed.bus.execute::<Lamp>(&admin("a"), lamp, &Switch::Toggle).await;
        assert!(matches!(commanded, Err(CommandError::Undecodable(_))), "{commanded:?}");
    }
    assert_eq!(bed.events().await, 2);
}
