//! The steps at somebody else's console, taken from the guides of the book: one text for both.
//!
//! A guide marks its steps with `<!-- steps -->` and `<!-- /steps -->`; a word in the first mark keeps them for the preset
//! of that name. In tables, what the reader has to enter is put in the place of the words for it.

use askama::filters::{Html, escape};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

const OTHER: &str = include_str!("../../../../docs/src/guides/other.md");
const PRODUCTS: &str = include_str!("../../../../docs/src/guides/products.md");

const GUIDES: &[(&str, &str)] = &[
    ("okta", include_str!("../../../../docs/src/guides/okta.md")),
    (
        "entra",
        include_str!("../../../../docs/src/guides/entra.md"),
    ),
    (
        "google",
        include_str!("../../../../docs/src/guides/google.md"),
    ),
    (
        "onelogin",
        include_str!("../../../../docs/src/guides/onelogin.md"),
    ),
    (
        "jumpcloud",
        include_str!("../../../../docs/src/guides/jumpcloud.md"),
    ),
    ("ping", include_str!("../../../../docs/src/guides/ping.md")),
    (
        "keycloak",
        include_str!("../../../../docs/src/guides/keycloak.md"),
    ),
    (
        "authentik",
        include_str!("../../../../docs/src/guides/authentik.md"),
    ),
    (
        "rauthy",
        include_str!("../../../../docs/src/guides/rauthy.md"),
    ),
    (
        "pocketid",
        include_str!("../../../../docs/src/guides/pocketid.md"),
    ),
    (
        "sailpoint",
        include_str!("../../../../docs/src/guides/sailpoint.md"),
    ),
    (
        "polis",
        include_str!("../../../../docs/src/guides/polis.md"),
    ),
];

/// The words of a guide for something to enter, and what that is; none while it is not to be shown.
pub(super) type Values<'v> = [(&'static str, Option<&'v str>)];

/// The steps at an identity provider's console, as HTML.
pub(super) fn provider(preset: &str, guide: Option<&str>, values: &Values<'_>) -> String {
    let found = GUIDES.iter().find(|(name, _)| Some(*name) == guide);
    let text = found.map_or(OTHER, |(_, text)| text);
    rendered(&steps(text, preset), values)
}

/// The steps in a product, as HTML. `product` is its name as the guide has it.
pub(super) fn product(product: &str, values: &Values<'_>) -> String {
    let mut kept = String::new();
    let mut others = false;
    for line in steps(PRODUCTS, "").lines() {
        // The table of places: only the row of this product is left, as a sentence.
        match line.strip_prefix("| product |") {
            Some(_) => others = true,
            None if others && !line.starts_with('|') => others = false,
            None => {}
        }
        match line.strip_prefix(&format!("| {product} | ")) {
            Some(place) if others => {
                kept.push_str("Open ");
                kept.push_str(place.trim_end_matches([' ', '|']));
                kept.push('.');
            }
            _ if others => continue,
            _ => kept.push_str(line),
        }
        kept.push('\n');
    }
    rendered(&kept, values)
}

/// The parts of a guide that are steps for everybody or for this preset.
fn steps(text: &str, preset: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in text.lines() {
        let mark = line
            .strip_prefix("<!-- ")
            .and_then(|rest| rest.strip_suffix(" -->"));
        match mark {
            Some("/steps") => {
                inside = false;
                kept.push('\n');
            }
            Some(mark) => {
                let whose = mark.strip_prefix("steps").map(str::trim);
                inside = whose.is_some_and(|whose| whose.is_empty() || whose == preset);
            }
            None if inside => {
                kept.push_str(line);
                kept.push('\n');
            }
            None => {}
        }
    }
    kept
}

fn rendered(text: &str, values: &Values<'_>) -> String {
    let mut events = Vec::new();
    let mut cell: Option<Vec<Event<'_>>> = None;
    let mut begins_heading = false;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::TableCell) => {
                events.push(Event::Start(Tag::TableCell));
                cell = Some(Vec::new());
            }
            Event::End(TagEnd::TableCell) => {
                events.extend(filled_in(cell.take().unwrap_or_default(), values));
                events.push(Event::End(TagEnd::TableCell));
            }
            // The other pages of the book are not here.
            Event::Start(Tag::Link { .. }) | Event::End(TagEnd::Link) => {}
            Event::Start(Tag::Heading { .. }) => {
                begins_heading = true;
                events.push(Event::Start(Tag::Heading {
                    level: HeadingLevel::H3,
                    id: None,
                    classes: Vec::new(),
                    attrs: Vec::new(),
                }));
            }
            Event::End(TagEnd::Heading(_)) => {
                events.push(Event::End(TagEnd::Heading(HeadingLevel::H3)))
            }
            Event::Text(text) if begins_heading => {
                begins_heading = false;
                let name =
                    text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
                events.push(Event::Text(CowStr::from(name.to_owned())));
            }
            event => match &mut cell {
                Some(cell) => cell.push(event),
                None => events.push(event),
            },
        }
    }
    let mut columns = Columns::default();
    let events = events.into_iter().map(|event| columns.labelled(event));
    let mut page = String::new();
    html::push_html(&mut page, events);
    page
}

/// The columns of a table. Of more than two, each cell says which it is of, for windows that are too narrow for rows.
#[derive(Default)]
struct Columns {
    are_many: bool,
    names: Vec<String>,
    in_head: bool,
    at: usize,
}

impl Columns {
    fn labelled<'e>(&mut self, event: Event<'e>) -> Event<'e> {
        let in_body = self.are_many && !self.in_head;
        match &event {
            Event::Start(Tag::Table(columns)) => {
                *self = Self {
                    are_many: columns.len() > 2,
                    ..Self::default()
                };
                if self.are_many {
                    return Event::Html(CowStr::from("<table class=\"stacked\">"));
                }
            }
            Event::Start(Tag::TableHead) => self.in_head = true,
            Event::End(TagEnd::TableHead) => self.in_head = false,
            Event::Start(Tag::TableRow) => self.at = 0,
            Event::Start(Tag::TableCell) if in_body => return self.cell(),
            Event::Start(Tag::TableCell) => self.names.push(String::new()),
            Event::Text(text) | Event::Code(text) if self.in_head => {
                let name = self.names.last_mut();
                name.into_iter().for_each(|name| name.push_str(text));
            }
            _ => {}
        }
        event
    }

    /// The beginning of the next cell of a row. The first is what the row is about.
    fn cell<'e>(&mut self) -> Event<'e> {
        let name = self.names.get(self.at).filter(|_| self.at > 0);
        self.at += 1;
        Event::Html(CowStr::from(match name {
            Some(name) => {
                let Ok(name) = escape(name, Html);
                format!("<td data-label=\"{name}\">")
            }
            None => "<td>".to_owned(),
        }))
    }
}

/// What the book says of values, whose first step is what this page has done already.
const FIRST_STEP: &str = " from step 1";

/// A cell with what is to be entered in the place of the words for it.
fn filled_in<'e>(cell: Vec<Event<'e>>, values: &Values<'_>) -> Vec<Event<'e>> {
    let Some(Event::Text(first)) = cell.first() else {
        return cell;
    };
    let named = values.iter().find_map(|(words, value)| {
        let rest = first.strip_prefix(words)?;
        Some((words, rest.strip_prefix(FIRST_STEP).unwrap_or(rest), value))
    });
    let Some((words, rest, value)) = named else {
        return cell;
    };
    let Some(value) = value else {
        let told = CowStr::from(format!("{words}{rest}"));
        let rest = cell.into_iter().skip(1);
        return [Event::Text(told)].into_iter().chain(rest).collect();
    };
    let ending = cell.iter().find_map(|event| match event {
        Event::Code(code) if code.starts_with('?') => Some(code.clone()),
        _ => None,
    });
    if let Some(ending) = ending {
        return vec![copied(&format!("{value}{ending}"))];
    }
    let mut filled = vec![copied(value)];
    // An example is of no use beside the thing itself.
    if !rest.starts_with(", for example") {
        filled.push(Event::Text(CowStr::from(rest.to_owned())));
        filled.extend(cell.into_iter().skip(1));
    }
    filled
}

fn copied<'e>(value: &str) -> Event<'e> {
    Event::InlineHtml(CowStr::from(copy_field(value)))
}

/// A text to be copied, with a button that appears where scripts run.
pub(super) fn copy_field(value: &str) -> String {
    let Ok(value) = escape(value, Html);
    format!(
        "<span class=\"copied\"><code class=\"copy\">{value}</code>\
         <button type=\"button\" class=\"quiet small\" data-copy=\"{value}\" hidden>Copy</button></span>"
    )
}

#[cfg(test)]
mod tests {
    use directory::Preset;

    use super::*;

    const URL: &str = "https://v.example/scim/v2/1";
    const TOKEN: &str = "vst_scim_x";

    #[test]
    fn each_guide_has_steps_with_what_is_to_be_entered() {
        for preset in Preset::ALL {
            let values = [("the base URL", Some(URL)), ("the token", Some(TOKEN))];
            let page = provider(preset.as_str(), preset.guide(), &values);
            assert!(
                !page.contains(".md"),
                "{preset:?} leads into the book: {page}"
            );
            // These say it in a sentence; the page shows both above.
            if matches!(preset, Preset::Pocketid | Preset::Sailpoint) {
                assert!(page.contains("base URL"), "{page}");
                continue;
            }
            assert!(
                page.contains(&format!("data-copy=\"{URL}")),
                "{preset:?}: {page}"
            );
            assert!(
                page.contains(&format!("data-copy=\"{TOKEN}\"")),
                "{preset:?}: {page}"
            );
            assert!(!page.contains("from step 1</td>"), "{preset:?}: {page}");
        }
        let values = [("the base URL", Some(URL)), ("the token", None)];
        let entra = provider("entra_optscim", Some("entra"), &values);
        assert!(
            entra.contains(&format!("{URL}?aadOptscim062020")),
            "{entra}"
        );
        assert!(entra.contains("<td>the token</td>"), "{entra}");
        let okta = provider("okta", Some("okta"), &values);
        assert!(
            okta.contains("Browse App Catalog") && !okta.contains("Create App Integration"),
            "{okta}"
        );
        let wizard = provider("okta_wizard", Some("okta"), &values);
        assert!(
            wizard.contains("Create App Integration") && !wizard.contains("Browse App Catalog")
        );
        assert!(okta.contains("<h3>Say what Okta may do</h3>"), "{okta}");
    }

    #[test]
    fn each_product_has_its_own_place_and_all_values() {
        let values = [
            ("the server URL", Some("https://v.example/crowd")),
            ("the application name", Some("<jira> & \"co\"")),
            ("the application password", Some("vst_app_x")),
        ];
        for (name, place) in [
            ("Jira", "User management"),
            ("Confluence", "General configuration"),
            ("Bitbucket", "Administration &gt; User Directories"),
            ("Bamboo", "Overview &gt; User directories"),
            ("Crowd", "Remote Crowd"),
        ] {
            let page = product(name, &values);
            assert!(page.contains(place), "{name}: {page}");
            assert!(
                page.contains("data-copy=\"https://v.example/crowd\""),
                "{page}"
            );
            assert!(page.contains("data-copy=\"vst_app_x\""), "{page}");
            assert!(!page.contains("<jira>"), "{page}");
            let places = ["User management", "General configuration", "Remote Crowd"];
            let shown = places.iter().filter(|place| page.contains(**place)).count();
            assert!(shown <= 1, "{name}: {page}");
        }
    }
}
