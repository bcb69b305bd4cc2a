//! `vestibule errors`: what errors mean, and what to do about them.

use crowd::Reason;
use scim::catalogue;
use serde::Serialize;

use crate::cli::ErrorsArgs;
use crate::exit::{Exit, Failure};
use crate::output::{Output, fields, table};

/// One kind of error.
#[derive(Debug, Serialize)]
struct Error {
    face: &'static str,
    section: &'static str,
    code: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    scim_type: Option<&'static str>,
    meaning: &'static str,
    cause: &'static str,
    remedy: &'static str,
}

/// Does what was asked.
pub fn run(args: &ErrorsArgs, out: Output) -> Result<(), Failure> {
    let Some(code) = &args.code else {
        let all: Vec<Error> = scim_errors().chain(crowd_errors()).collect();
        return out.show(&all, |all| list(all));
    };
    let found = scim_errors()
        .chain(crowd_errors())
        .find(|error| error.code.eq_ignore_ascii_case(code));
    let error = found.ok_or_else(|| {
        Failure::new(Exit::NotFound, format!("there is no error '{code}'"))
            .with("vestibule errors lists them all")
    })?;
    out.show(&error, detail)
}

fn scim_errors() -> impl Iterator<Item = Error> {
    catalogue::SECTIONS.iter().flat_map(|section| {
        section.entries.iter().map(|entry| Error {
            face: "scim",
            section: section.title,
            code: entry.code,
            status: entry.status,
            scim_type: entry.scim_type.map(scim::ScimType::as_str),
            meaning: entry.meaning,
            cause: entry.cause,
            remedy: entry.remedy,
        })
    })
}

fn crowd_errors() -> impl Iterator<Item = Error> {
    Reason::ALL.into_iter().map(|reason| {
        let told = reason.explained();
        Error {
            face: "crowd",
            section: "",
            code: reason.as_str(),
            status: reason.default_status(),
            scim_type: None,
            meaning: told.meaning,
            cause: told.cause,
            remedy: told.remedy,
        }
    })
}

fn list(all: &[Error]) -> String {
    let rows = all.iter().map(|error| {
        [
            error.code.to_owned(),
            error.status.to_string(),
            error.scim_type.unwrap_or_default().to_owned(),
            error.meaning.to_owned(),
        ]
    });
    table(["code", "status", "scimType", "means"], rows)
}

fn detail(error: &Error) -> String {
    let status = error.status.to_string();
    let mut rows = vec![("code", error.code), ("status", status.as_str())];
    rows.extend([
        ("scimType", error.scim_type.unwrap_or_default()),
        ("means", error.meaning),
        ("likely", error.cause),
        ("to do", error.remedy),
    ]);
    fields(&rows)
}
