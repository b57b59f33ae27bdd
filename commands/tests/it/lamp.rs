//! An aggregate that exists for the tests: a lamp that is switched, and whose events have a past. Synthetic: no event
//! of the product has been upcast yet.

use commands::Governed;
use commands::authorize::Action;
use domain::ids::{ActorId, TeamId};
use domain::{Aggregate, Refusal, StoredEvent, Upcaster};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lamp {
    pub(crate) lit: bool,
    pub(crate) switched: u32,
    pub(crate) brightness_percent: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Switch {
    /// Refused when it is on already.
    On,
    /// Nothing when it is off already.
    Off,
    /// Always something.
    Toggle,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum Switched {
    #[serde(rename = "lamp.switched_on")]
    On { brightness_percent: u32 },
    #[serde(rename = "lamp.switched_off")]
    Off {},
}

impl StoredEvent for Switched {
    const NAMES: &'static [&'static str] = &["lamp.switched_on", "lamp.switched_off"];
    // v1 knew no brightness, v2 counted it from 0 to 255.
    const UPCASTERS: &'static [Upcaster] = &[
        Upcaster { event_type: "lamp.switched_on", from: 1, lift: |payload| with(payload, "brightness", json!(255)) },
        Upcaster { event_type: "lamp.switched_on", from: 2, lift: in_percent },
    ];

    fn name(&self) -> &'static str {
        match self {
            Self::On { .. } => "lamp.switched_on",
            Self::Off {} => "lamp.switched_off",
        }
    }

    fn version(&self) -> u32 {
        match self {
            Self::On { .. } => 3,
            Self::Off {} => 1,
        }
    }
}

fn with(mut payload: Value, field: &str, value: Value) -> Value {
    payload[field] = value;
    payload
}

fn in_percent(payload: Value) -> Value {
    let brightness = payload["brightness"].as_u64().unwrap_or_default();
    with(payload, "brightness_percent", json!(brightness * 100 / 255))
}

impl Aggregate for Lamp {
    const TYPE: &'static str = "lamp";
    type Command = Switch;
    type Event = Switched;

    fn decide(&self, command: &Switch) -> Result<Vec<Switched>, Refusal> {
        let on = vec![Switched::On { brightness_percent: 100 }];
        match (command, self.lit) {
            (Switch::On, true) => Err(Refusal::state("lit", "the lamp is on")),
            (Switch::On | Switch::Toggle, false) => Ok(on),
            (Switch::Off, false) => Ok(vec![]),
            (Switch::Off | Switch::Toggle, true) => Ok(vec![Switched::Off {}]),
        }
    }

    fn apply(&mut self, event: &Switched) {
        self.switched += 1;
        match event {
            Switched::On { brightness_percent } => {
                self.lit = true;
                self.brightness_percent = *brightness_percent;
            }
            Switched::Off {} => self.lit = false,
        }
    }
}

impl Governed for Lamp {
    fn action(_: &Switch) -> Action {
        Action::HandleIncident
    }

    fn by(_: &Switch) -> Option<&ActorId> {
        None
    }

    fn teams<'a>(&'a self, _: &'a Switch) -> Vec<Option<&'a TeamId>> {
        vec![None]
    }
}
