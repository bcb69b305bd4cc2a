//! `vestibule connector presets` and `departures`: what identity providers do otherwise than the RFCs say.

use std::collections::BTreeMap;

use directory::Preset;
use scim::{Departure, dialect::ALWAYS};
use serde::Serialize;

use crate::door::{ConnectorDetail, Door};
use crate::exit::Failure;
use crate::output::{Output, table};

/// All that is known of dialects.
#[derive(Serialize)]
pub struct Catalogue {
    presets: Vec<PresetFacts>,
    departures: Vec<DepartureFacts>,
    always: Vec<AlwaysFacts>,
}

#[derive(Serialize)]
struct PresetFacts {
    preset: Preset,
    name: &'static str,
    about: &'static str,
    guide: Option<&'static str>,
    departures: Vec<Departure>,
}

#[derive(Serialize)]
struct DepartureFacts {
    departure: Departure,
    about: &'static str,
    seen_from: &'static str,
}

#[derive(Serialize)]
struct AlwaysFacts {
    accepted: &'static str,
    seen_from: &'static str,
}

/// What this program knows.
pub fn catalogue() -> Catalogue {
    let presets = Preset::ALL.into_iter().map(|preset| PresetFacts {
        preset,
        name: preset.name(),
        about: preset.about(),
        guide: preset.guide(),
        departures: preset.dialect().departures().collect(),
    });
    let departures = Departure::ALL.into_iter().map(|departure| DepartureFacts {
        departure,
        about: departure.about(),
        seen_from: departure.seen_from(),
    });
    let always = ALWAYS.into_iter().map(|(accepted, seen_from)| AlwaysFacts {
        accepted,
        seen_from,
    });
    Catalogue {
        presets: presets.collect(),
        departures: departures.collect(),
        always: always.collect(),
    }
}

impl Catalogue {
    /// The presets, for people.
    pub fn told(&self) -> String {
        let rows = self.presets.iter().map(|one| {
            [
                one.preset.as_str().to_owned(),
                one.name.to_owned(),
                one.about.to_owned(),
            ]
        });
        table(["preset", "for", "what it sends"], rows)
    }
}

/// What the flags ask to change.
pub fn changes(
    on: &[Departure],
    off: &[Departure],
    reset: &[Departure],
) -> BTreeMap<Departure, Option<bool>> {
    let one = |choice: Option<bool>| move |departure: &Departure| (*departure, choice);
    let (on, off) = (
        on.iter().map(one(Some(true))),
        off.iter().map(one(Some(false))),
    );
    on.chain(off).chain(reset.iter().map(one(None))).collect()
}

/// A departure as it stands for a connector.
#[derive(Serialize)]
struct Standing {
    departure: Departure,
    on: bool,
    set_by: &'static str,
    about: &'static str,
}

/// Shows the departures of a connector, after switching them if there is anything to switch.
pub fn run(
    door: &Door,
    connector: &str,
    changes: &BTreeMap<Departure, Option<bool>>,
    out: Output,
) -> Result<(), Failure> {
    let detail = match changes.is_empty() {
        true => door.connector(connector)?,
        false => door.switch_departures(connector, changes)?,
    };
    out.show(&standings(&detail), |all| {
        let rows = all.iter().map(|one| {
            [
                one.departure.to_string(),
                if one.on { "on" } else { "off" }.to_owned(),
                one.set_by.to_owned(),
                one.about.to_owned(),
            ]
        });
        table(["departure", "is", "by", "what it does"], rows)
    })
}

fn standings(detail: &ConnectorDetail) -> Vec<Standing> {
    let preset = Preset::parse(&detail.connector.preset).unwrap_or_default();
    let dialect = detail.settings.dialect(preset);
    let all = Departure::ALL.into_iter().map(|departure| Standing {
        departure,
        on: dialect.has(departure),
        set_by: match detail.settings.departures.contains_key(&departure) {
            true => "setting",
            false => "preset",
        },
        about: departure.about(),
    });
    all.collect()
}
