//! The pages of errors, from what the program knows of them.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::steps::Program;

const SCIM: &str = r#"<!-- Written by `cargo xtask gen` from the program. Do not edit. -->

# Errors of the SCIM API

Identity providers show the sentence in `detail` to their administrators, so each says what was wrong and what to do. This page
lists every kind of error there is.

```json
{
  "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
  "scimType": "uniqueness",
  "status": "409",
  "detail": "A user with userName 'joy@example.org' exists already (id 2819c223-...). Look it up with a filter and update it."
}
```

The answer has the form of RFC 7644 and nothing else in it. Each kind has a code, which never changes. It is in the
[record of requests](../operations.md) (`vestibule requests list --code user-name-taken`; `show` tells what to do), in the log, and in the figure
`vestibule_scim_errors_total`. `vestibule errors CODE` tells what is told here.

## Where they are seen

| identity provider | where | what it does |
|---|---|---|
| Okta | the page *Tasks*, and the push mapping of a group | 400 and 409 end the task, and somebody has to press *Retry*. 429 is repeated as late as `Retry-After` says |
| Entra ID | *Provisioning logs* | 429 and 5xx are repeated. 4xx count: if too many requests fail, the job goes into quarantine and runs once a day |
| authentik | the log of the sync task | 409 makes it look the user up, 404 create it again |

## What is not an error

- A look-up that finds nothing: 200 with an empty list.
- Adding a member who is in the group, removing one who is not, writing what is there already: success, and nothing changes.
- A member who is unknown: success. The membership waits, and takes effect when the user arrives.
- Unknown attributes and schemas, read-only attributes, `null`, empty lists: ignored.
- A rule that drops a user, a connector that is paused: success. What was written is kept; what it means is another matter.
"#;

const CROWD: &str = "\
<!-- Written by `cargo xtask gen` from the program. Do not edit. -->

# Errors of the Crowd REST API

A product reads the `reason` of an error and goes by it; the status matters to it only where it says more. It writes the message into its own
log, behind the words *Error from Crowd server propagated to here via REST API*. A reason that is normal in running is written
by few products at all. `vestibule errors REASON` tells what is told here.

Wrong name or password of the application itself is 401 without a reason: the product then says that the credentials are
wrong. `vestibule application reset-password NAME` makes new ones.

| reason | status | means | when | do this |
|---|---|---|---|---|
";

/// The page of the SCIM face.
pub fn scim(program: &Program) -> Result<String> {
    let mut page = String::from(SCIM);
    let mut section = String::new();
    for error in errors(program, "scim")? {
        let of = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        if of("section") != section {
            section = of("section");
            write!(page, "\n## {section}\n")?;
        }
        let keyword = match error["scim_type"].as_str() {
            Some(keyword) => format!(" `{keyword}`"),
            None => String::new(),
        };
        write!(
            page,
            "\n### `{}`\n\n{}{keyword}. {}\n\n- Likely: {}\n- To do: {}\n",
            of("code"),
            error["status"],
            of("meaning"),
            of("cause"),
            of("remedy"),
        )?;
    }
    Ok(page)
}

/// The page of the Crowd face.
pub fn crowd(program: &Program) -> Result<String> {
    let mut page = String::from(CROWD);
    for error in errors(program, "crowd")? {
        let of = |name: &str| error[name].as_str().unwrap_or_default();
        writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            of("code"),
            error["status"],
            of("meaning"),
            of("cause"),
            of("remedy"),
        )?;
    }
    Ok(page)
}

fn errors(program: &Program, face: &str) -> Result<Vec<Value>> {
    let text = program.say(&["errors", "--json"])?;
    let mut all: Vec<Value> = serde_json::from_str(&text).context("the errors are not JSON")?;
    all.retain(|error| error["face"] == face);
    Ok(all)
}
