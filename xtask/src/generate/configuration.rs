//! The reference of settings, from the program's own table.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::steps::Program;

const HEAD: &str = "\
<!-- Written by `cargo xtask gen` from the program. Do not edit. -->

# Settings

Settings come from flags, from environment variables, from the file `vestibule.toml` in the current folder (or the one
that `--config` or `VESTIBULE_CONFIG` names), and from defaults, in this order of weight. `vestibule config show` tells the values
and where each comes from. `vestibule config template` prints a file with all of them.

A mistake stops the start, and is told with its place, what is wrong, and what to write instead:

```text
vestibule.toml:3: lisen: there is no such setting; did you mean `listen`?
```
";

/// The page, with one section for each setting.
pub fn reference(program: &Program) -> Result<String> {
    let text = program.say(&["config", "show", "--json"])?;
    let rows: Vec<Value> = serde_json::from_str(&text).context("the settings are not JSON")?;
    let mut page = String::from(HEAD);
    for row in &rows {
        let field = |name: &str| row[name].as_str().unwrap_or_default();
        let default = match field("default") {
            "" => "not set".to_owned(),
            text => format!("`{text}`"),
        };
        write!(
            page,
            "\n## {}\n\n{}\n\n| flag | variable | default |\n|---|---|---|\n| `{}` | `{}` | {default} |\n",
            field("key"),
            field("about"),
            field("flag"),
            field("variable"),
        )?;
    }
    Ok(page)
}
