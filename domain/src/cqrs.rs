//! The only file that knows cqrs-es: our aggregates as its `Aggregate`, for its `TestFramework` and for reading our
//! log with its repositories. Our own bus does not go through it, see `docs/decisions/0002-cqrs-es-at-arms-length.md`.

use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use serde::{Deserialize, Serialize};

use crate::stored::{Upcaster, lift};
use crate::{Aggregate, Refusal};

/// One of our aggregates, seen as cqrs-es's.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Adapted<A: Aggregate>(pub A);

impl<A> cqrs_es::Aggregate for Adapted<A>
where
    A: Aggregate,
    A::Event: cqrs_es::DomainEvent,
{
    const TYPE: &'static str = A::TYPE;
    type Command = A::Command;
    type Event = A::Event;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: A::Command, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        for event in self.0.decide(&command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: A::Event) {
        self.0.apply(&event);
    }
}

/// One of our upcasters, seen as cqrs-es's. Its chains are ordered: pass them by rising `from`.
#[derive(Debug, Clone, Copy)]
pub struct AdaptedUpcaster(pub Upcaster);

impl EventUpcaster for AdaptedUpcaster {
    fn can_upcast(&self, event_type: &str, event_version: &str) -> bool {
        event_type == self.0.event_type && event_version == self.0.from.to_string()
    }

    fn upcast(&self, event: SerializedEvent) -> SerializedEvent {
        let (version, payload) = lift(&[self.0], &event.event_type, self.0.from, event.payload);
        SerializedEvent { event_version: version.to_string(), payload, ..event }
    }
}

/// Makes an event enum one of cqrs-es's too. A macro because neither trait is cqrs-es's to blanket over.
macro_rules! domain_event {
    ($event:ty) => {
        impl cqrs_es::DomainEvent for $event {
            fn event_type(&self) -> String {
                crate::StoredEvent::name(self).to_owned()
            }
            fn event_version(&self) -> String {
                crate::StoredEvent::version(self).to_string()
            }
        }
    };
}
pub(crate) use domain_event;
