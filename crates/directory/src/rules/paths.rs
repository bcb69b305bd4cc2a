//! Paths that rules read and that never have a value, or hardly ever.

use scim::{Kind, ResourceType, ValuePath};

use super::{MappingRow, RuleError, Rules, Source, Step};

/// What is kept beside a user, so that no path leads there.
const BESIDE: [&str; 2] = ["groups", "password"];

/// Warnings about the paths in rules, seen with the schemas that a connector's users have.
pub fn path_warnings(rules: &Rules, ty: &ResourceType) -> Vec<RuleError> {
    let mut paths = Vec::new();
    for (index, row) in rules.mapping.iter().enumerate() {
        of_row(row, &format!("mapping[{index}]"), &mut paths);
    }
    for (index, condition) in rules.conditions.iter().enumerate() {
        if let Some(path) = &condition.disable_at {
            paths.push((format!("conditions[{index}].disable_at"), path));
        }
    }
    let warnings = paths.into_iter();
    warnings
        .filter_map(|(place, path)| warning(place, path, ty))
        .collect()
}

/// Paths with their places in the rules.
type Paths<'r> = Vec<(String, &'r str)>;

fn of_row<'r>(row: &'r MappingRow, place: &str, paths: &mut Paths<'r>) {
    match &row.source {
        Some(Source::Attribute(path)) => paths.push((format!("{place}.source.attribute"), path)),
        Some(Source::FirstOf(all)) => of_list(all, &format!("{place}.source.first_of"), paths),
        Some(Source::Template(text)) => {
            of_template(text, &format!("{place}.source.template"), paths);
        }
        Some(Source::Constant(_) | Source::EmailPrimary | Source::Groups | Source::Result(_))
        | None => {}
    }
    of_steps(&row.steps, &format!("{place}.steps"), paths);
}

fn of_steps<'r>(steps: &'r [Step], place: &str, paths: &mut Paths<'r>) {
    for (index, step) in steps.iter().enumerate() {
        let place = format!("{place}[{index}]");
        match step {
            Step::Template(text) => of_template(text, &format!("{place}.template"), paths),
            Step::Coalesce(all) => of_list(all, &format!("{place}.coalesce"), paths),
            Step::LookupUser { attribute, .. } => {
                paths.push((format!("{place}.lookup_user.return"), attribute));
            }
            Step::If {
                then, otherwise, ..
            } => {
                of_steps(then, &format!("{place}.if.then"), paths);
                of_steps(otherwise, &format!("{place}.if.else"), paths);
            }
            _ => {}
        }
    }
}

fn of_list<'r>(all: &'r [String], place: &str, paths: &mut Paths<'r>) {
    let places = (0..).map(|index: usize| format!("{place}[{index}]"));
    paths.extend(places.zip(all.iter().map(String::as_str)));
}

fn of_template<'r>(text: &'r str, place: &str, paths: &mut Paths<'r>) {
    let names = super::source::names_in(text);
    let read = names.filter(|name| *name != "value" && !name.starts_with("result."));
    paths.extend(read.map(|name| (place.to_owned(), name)));
}

fn warning(place: String, path: &str, ty: &ResourceType) -> Option<RuleError> {
    let resolves = |text: &str| {
        let path = ValuePath::parse(text).ok()?;
        path.resolve_open(ty).ok()
    };
    let selector = resolves(path)?;
    let attr = selector.attr();
    if attr.extension().is_none() && BESIDE.contains(&attr.attr()) {
        let message = format!("`{path}` never has a value here");
        let remedy = "names of groups are read by the source `groups`; passwords by nothing";
        return Some(RuleError::new(place, message, remedy));
    }
    if attr.extension().is_none() && attr.name() == "meta.location" {
        let message = "`meta.location` never has a value here";
        return Some(RuleError::new(place, message, "use `id`"));
    }
    if attr
        .extension()
        .is_some_and(|urn| ty.extension(urn).is_none())
    {
        let message = format!(
            "no schema of the connector has `{path}`, so it has a value only if the identity provider sends it all \
             the same"
        );
        let remedy = "correct the path, or give the connector the schema";
        return Some(RuleError::new(place, message, remedy));
    }
    let is_whole = attr.kind() == Kind::Complex && attr.sub().is_none();
    if is_whole && resolves(&format!("{path}.value")).is_none() {
        let message = format!("`{path}` has parts and no value of its own");
        let remedy = "name one of its parts, e.g. `name.givenName`";
        return Some(RuleError::new(place, message, remedy));
    }
    None
}
