//! ServiceProviderConfig and ResourceTypes, and whether what they say is true (RFC 7644 section 4).

use serde_json::{Value, json};

use crate::catalogue::{Check, Client, habit, must, should};
use crate::profile::Need;
use crate::stop::{Step, skip};
use crate::talk::{GROUP, LIST, Talk, USER, encoded, resources, with_query};
use crate::wire::{Answer, Ask, integer};

const CONFIG_PATH: &str = "/ServiceProviderConfig";
const CONFIG_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RFC_CONFIG: &str = "RFC 7643 section 5";
const RFC_DISCOVERY: &str = "RFC 7644 section 4";
const WHY_CONFIG: &str = "Clients decide by this document what they may send; a wrong one makes them do too much or too little.";
const WHY_TYPES: &str =
    "Governance products build their whole picture of the server from this list.";

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = config();
    checks.extend(truth());
    checks.extend(types());
    checks
}

fn read_config(t: &Talk<'_>) -> Step<Answer> {
    let answer = t.get(CONFIG_PATH)?;
    answer.status(&[200])?;
    answer.object()?;
    Ok(answer)
}

fn config() -> Vec<Check> {
    vec![
        must("DSC-SPC-01", RFC_DISCOVERY, "ServiceProviderConfig is served with its schema", |t| {
            let answer = read_config(t)?;
            let schemas = &answer.body["schemas"];
            let has = schemas.as_array().is_some_and(|list| list.iter().any(|urn| urn == CONFIG_URN));
            answer.ensure(has, format!("schemas with {CONFIG_URN}"), || schemas.to_string())
        })
        .why(WHY_CONFIG)
        .fix("Serve GET /ServiceProviderConfig as one JSON object with its URN in `schemas`."),
        must("DSC-SPC-02", RFC_CONFIG, "Each feature says whether it is supported, as a boolean", |t| {
            let answer = read_config(t)?;
            for feature in ["patch", "bulk", "filter", "changePassword", "sort", "etag"] {
                let flag = &answer.body[feature]["supported"];
                answer.ensure(flag.is_boolean(), format!("a boolean in {feature}.supported"), || flag.to_string())?;
            }
            Ok(())
        })
        .why(WHY_CONFIG)
        .fix("Give patch, bulk, filter, changePassword, sort and etag, each with `supported` as true or false."),
        must("DSC-SPC-03", RFC_CONFIG, "The limits of bulk and filter are integers", |t| {
            let answer = read_config(t)?;
            for pointer in ["/bulk/maxOperations", "/bulk/maxPayloadSize", "/filter/maxResults"] {
                integer(&answer, pointer)?;
            }
            Ok(())
        })
        .why("Clients cut their requests to these sizes; authentik computes its batches from bulk.maxOperations even without bulk.")
        .fix("Give bulk.maxOperations, bulk.maxPayloadSize and filter.maxResults as JSON integers, also where the feature is off."),
        must("DSC-SPC-04", RFC_CONFIG, "The ways to authenticate are listed", |t| {
            let answer = read_config(t)?;
            let schemes = answer.body["authenticationSchemes"].as_array().cloned().unwrap_or_default();
            answer.ensure(!schemes.is_empty(), "at least one entry in authenticationSchemes", || {
                answer.body["authenticationSchemes"].to_string()
            })?;
            for scheme in schemes {
                for key in ["type", "name", "description"] {
                    answer.ensure(scheme[key].is_string(), format!("each scheme with a {key}"), || scheme.to_string())?;
                }
            }
            Ok(())
        })
        .why("An administrator reads here which kind of credential to enter.")
        .fix("List each scheme with type (oauthbearertoken, oauth2, httpbasic ...), name and description."),
        must("DSC-SPC-05", "RFC 9865 section 4", "If pages are described, the description is well-formed", |t| {
            let answer = read_config(t)?;
            let pages = &answer.body["pagination"];
            if pages.is_null() {
                return skip("ServiceProviderConfig has no `pagination`");
            }
            for key in ["cursor", "index"] {
                answer.ensure(pages[key].is_boolean(), format!("a boolean in pagination.{key}"), || pages.to_string())?;
            }
            let method = &pages["defaultPaginationMethod"];
            answer.ensure(
                method.is_null() || method == "cursor" || method == "index",
                "pagination.defaultPaginationMethod to be cursor or index",
                || method.to_string(),
            )?;
            for key in ["defaultPageSize", "maxPageSize", "cursorTimeout"] {
                let number = &pages[key];
                answer.ensure(number.is_null() || number.is_u64(), format!("an integer in pagination.{key}"), || number.to_string())?;
            }
            Ok(())
        })
        .why("A client that finds `cursor: true` pages by cursors and nothing else.")
        .fix("Give `cursor` and `index` as booleans, and the sizes as integers."),
        should("DSC-SPC-06", RFC_DISCOVERY, "Two readings of ServiceProviderConfig are the same", |t| {
            let first = read_config(t)?;
            let second = read_config(t)?;
            second.ensure(first.body == second.body, "the same document twice", || "two different ones".to_owned())
        })
        .why("Clients keep the document for a day; what it says must not depend on the moment.")
        .fix("Build the document from settings, not from the request; meta.created and meta.lastModified stay the same."),
        must("DSC-SPC-07", RFC_DISCOVERY, "ServiceProviderConfig cannot be written", |t| {
            let answer = t.ask(&Ask::new("PUT", CONFIG_PATH).json(&json!({"schemas": [CONFIG_URN]})))?;
            answer.refused()?;
            Ok(())
        })
        .why("Whoever may change what a server says about itself can switch clients off.")
        .fix("Answer other methods than GET on discovery documents with 405."),
        should("DSC-SPC-08", RFC_DISCOVERY, "A filter on a discovery document is refused with 403", |t| {
            let answer = t.get(&with_query("/ResourceTypes", &[("filter", "name eq \"User\"")]))?;
            answer.status(&[403])?;
            Ok(())
        })
        .why("The RFC wants a clear no, so that a client does not take the whole list for the filtered one.")
        .fix("Answer 403 when `filter` is given at /ServiceProviderConfig, /ResourceTypes or /Schemas.")
        .reading(),
        habit("DSC-SPC-09", Client::Authentik, "ServiceProviderConfig says at least patch, filter and bulk.maxOperations", |t| {
            let answer = read_config(t)?;
            for pointer in ["/patch/supported", "/filter/supported"] {
                let flag = answer.body.pointer(pointer).cloned().unwrap_or_default();
                answer.ensure(flag.is_boolean(), format!("a boolean in {pointer}"), || flag.to_string())?;
            }
            integer(&answer, "/bulk/maxOperations")?;
            Ok(())
        })
        .why("authentik reads it first and decides by it between PATCH and PUT, and how many members go into one request.")
        .fix("Serve the document before anything else, complete."),
    ]
    .into_iter()
    .map(|check| match check.id {
        "DSC-SPC-07" => check,
        _ => check.reading(),
    })
    .collect()
}

fn truth() -> Vec<Check> {
    vec![
        must("DSC-TRU-01", RFC_DISCOVERY, "What is said about PATCH is true", |t| {
            let user = t.user(json!({}))?;
            let answer = t.patch(&user.path, &json!([{"op": "replace", "path": "displayName", "value": t.name()}]))?;
            match t.profile().flag("/patch/supported") {
                Some(true) => answer.status(&[200, 204]).map(|_| ()),
                _ => answer.ensure(!answer.is_success(), "a refusal, as patch.supported is false", || {
                    format!("status {}", answer.status)
                }),
            }
        })
        .why(WHY_CONFIG)
        .fix("Set patch.supported to what the server does; without PATCH answer 501.")
        .needs(&[Need::Config]),
        must("DSC-TRU-02", RFC_DISCOVERY, "What is said about bulk is true", |t| {
            let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
                {"method": "POST", "path": "/Users", "bulkId": "one", "data": t.user_body(json!({}))}
            ]});
            let answer = t.post("/Bulk", &body)?;
            match t.profile().flag("/bulk/supported") {
                Some(true) => answer.status(&[200]).map(|_| ()),
                _ => answer.ensure(!answer.is_success(), "a refusal, as bulk.supported is false", || {
                    format!("status {}", answer.status)
                }),
            }
        })
        .why(WHY_CONFIG)
        .fix("Set bulk.supported to what the server does; without bulk answer /Bulk with 501 or 404.")
        .needs(&[Need::Config]),
        must("DSC-TRU-03", RFC_DISCOVERY, "What is said about filters is true", |t| {
            let answer = t.query("/Users", &[("filter", "userName eq \"vcheck-nobody@example.com\"")])?;
            match t.profile().flag("/filter/supported") {
                Some(true) => {
                    answer.status(&[200])?;
                    let total = integer(&answer, "/totalResults")?;
                    answer.ensure(total == 0, "nobody for a name that nobody has", || format!("totalResults {total}"))
                }
                _ => Ok(()),
            }
        })
        .why("A filter that is passed over answers with everybody; a client then takes the first one for the one it looks for.")
        .fix("Evaluate filters, or refuse them with 400 invalidFilter and set filter.supported to false.")
        .needs(&[Need::Config])
        .reading(),
        must("DSC-TRU-04", RFC_DISCOVERY, "No page has more than filter.maxResults", |t| {
            let Some(most) = t.profile().number("/filter/maxResults") else {
                return skip("filter.maxResults is not given");
            };
            let answer = t.query("/Users", &[("count", "1000000")])?;
            answer.status(&[200])?;
            let came = resources(&answer).len() as u64;
            answer.ensure(came <= most, format!("at most {most} resources"), || came.to_string())
        })
        .why("A client sizes its memory by it.")
        .fix("Cut `count` to filter.maxResults, and say the real number in itemsPerPage.")
        .needs(&[Need::Config])
        .reading(),
        must("DSC-TRU-05", RFC_DISCOVERY, "What is said about versions is true", |t| {
            let user = t.user(json!({}))?;
            let answer = t.read(&user)?;
            let version = &answer.body["meta"]["version"];
            match t.profile().flag("/etag/supported") {
                Some(true) => {
                    answer.ensure(version.is_string(), "meta.version, as etag.supported is true", || version.to_string())?;
                    answer.ensure(answer.header("etag").is_some(), "an ETag header", || "none".to_owned())
                }
                // An ETag that a web framework adds to whatever goes out is no version.
                _ => answer.ensure(version.is_null(), "no meta.version, as etag.supported is false", || version.to_string()),
            }
        })
        .why("A client that trusts versions which are not checked overwrites the work of others.")
        .fix("Set etag.supported to what the server does, and give meta.version only with it.")
        .needs(&[Need::Config]),
        should("DSC-TRU-06", "RFC 9865 section 4", "Cursors are offered if and only if they work", |t| {
            let answer = t.get("/Users?cursor&count=1")?;
            let gives = answer.is_success() && answer.body["nextCursor"].is_string();
            let says = t.profile().flag("/pagination/cursor").unwrap_or(false);
            answer.ensure(says || !gives, "no nextCursor, as pagination.cursor is not true", || {
                answer.body["nextCursor"].to_string()
            })
        })
        .why("Clients use cursors only where ServiceProviderConfig says so.")
        .fix("Set pagination.cursor to what the server does.")
        .needs(&[Need::Config])
        .reading(),
    ]
}

fn type_list(t: &Talk<'_>) -> Step<Answer> {
    let answer = t.get("/ResourceTypes")?;
    answer.status(&[200])?;
    answer.object()?;
    Ok(answer)
}

fn types() -> Vec<Check> {
    vec![
        must(
            "DSC-TYP-01",
            RFC_DISCOVERY,
            "ResourceTypes is a list of SCIM",
            |t| {
                let answer = type_list(t)?;
                let schemas = &answer.body["schemas"];
                answer.ensure(
                    *schemas == json!([LIST]),
                    format!("schemas [{LIST}]"),
                    || schemas.to_string(),
                )?;
                let total = integer(&answer, "/totalResults")?;
                let came = resources(&answer).len();
                answer.ensure(
                    came > 0 && total == came as i64,
                    "as many Resources as totalResults says",
                    || format!("{came} of {total}"),
                )
            },
        )
        .fix("Answer GET /ResourceTypes with a ListResponse that has all types at once."),
        must(
            "DSC-TYP-02",
            "RFC 7643 section 6",
            "Each resource type has a name, an endpoint and a schema",
            |t| {
                let answer = type_list(t)?;
                for kind in resources(&answer) {
                    for key in ["name", "endpoint", "schema"] {
                        answer.ensure(
                            kind[key].is_string(),
                            format!("each type with a {key}"),
                            || kind.to_string(),
                        )?;
                    }
                }
                Ok(())
            },
        )
        .fix("Give name, endpoint and schema for each type."),
        must(
            "DSC-TYP-03",
            "RFC 7643 section 6",
            "There is a type of users at /Users",
            |t| {
                let answer = type_list(t)?;
                let users = resources(&answer)
                    .into_iter()
                    .any(|kind| kind["schema"] == USER && is_at(&kind, "/Users"));
                answer.ensure(
                    users,
                    format!("a type with endpoint /Users and schema {USER}"),
                    || answer.text.clone(),
                )
            },
        )
        .fix("List User with endpoint /Users; Group with endpoint /Groups if there are groups."),
        should(
            "DSC-TYP-04",
            "RFC 7643 section 6",
            "If groups are served, there is a type of them",
            |t| {
                let answer = type_list(t)?;
                let groups = resources(&answer)
                    .into_iter()
                    .any(|kind| kind["schema"] == GROUP && is_at(&kind, "/Groups"));
                answer.ensure(
                    groups,
                    format!("a type with endpoint /Groups and schema {GROUP}"),
                    || answer.text.clone(),
                )
            },
        )
        .fix("List Group with endpoint /Groups.")
        .needs(&[Need::Groups]),
        habit(
            "DSC-TYP-05",
            Client::SailPoint,
            "Each resource type can be read by its name",
            |t| {
                for name in resources(&type_list(t)?)
                    .iter()
                    .filter_map(|kind| kind["name"].as_str())
                {
                    let answer = t.get(&format!("/ResourceTypes/{}", encoded(name)))?;
                    answer.status(&[200])?;
                    answer.ensure(
                        answer.body["name"] == name,
                        format!("the type {name}"),
                        || answer.body["name"].to_string(),
                    )?;
                }
                Ok(())
            },
        )
        .fix("Serve /ResourceTypes/User and /ResourceTypes/Group as single documents."),
        must(
            "DSC-TYP-06",
            RFC_DISCOVERY,
            "A resource type that is not there is not found",
            |t| {
                let answer = t.get("/ResourceTypes/VcheckNothing")?;
                answer.status(&[404])?.scim_error()?;
                Ok(())
            },
        )
        .fix("Answer 404 with an error body."),
        must(
            "DSC-TYP-07",
            RFC_DISCOVERY,
            "Each endpoint that is named is served",
            |t| {
                for kind in resources(&type_list(t)?) {
                    let endpoint = kind["endpoint"].as_str().unwrap_or_default();
                    let path = endpoint.strip_prefix(t.wire().base()).unwrap_or(endpoint);
                    if let Some(path) = path
                        .find('/')
                        .map(|at| &path[at..])
                        .filter(|path| !path.contains("://"))
                    {
                        let answer = t.get(&format!("{path}?count=1"))?;
                        answer.status(&[200])?;
                    }
                }
                Ok(())
            },
        )
        .fix(
            "List only the types that are really served, with endpoints relative to the base URL.",
        ),
    ]
    .into_iter()
    .map(|check| check.why(WHY_TYPES).reading())
    .collect()
}

fn is_at(kind: &Value, path: &str) -> bool {
    let endpoint = kind["endpoint"].as_str().unwrap_or_default();
    endpoint.trim_end_matches('/').ends_with(path)
}
