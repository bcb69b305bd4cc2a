//! The forms of a page as a browser would send them.

use crate::http::Answer;

/// What the form with this attribute sends if nobody touches it, without its buttons.
pub fn fields(page: &Answer, mark: &str) -> Vec<(String, String)> {
    let text = page.text();
    let (head, rest) = text
        .split_once(mark)
        .unwrap_or_else(|| panic!("no form {mark} on {text}"));
    assert!(
        head.rsplit('<').next().unwrap().starts_with("form"),
        "{mark}"
    );
    let form = rest.split_once("</form>").unwrap().0;
    let mut fields = Vec::new();
    let mut rest = form;
    while let Some((_, found)) = rest.split_once('<') {
        let (tag, behind) = found.split_once('>').unwrap();
        rest = behind;
        let Some(name) = attribute(tag, "name") else {
            continue;
        };
        let value = if tag.starts_with("input") {
            let is_off = tag.contains("type=\"checkbox\"") || tag.contains("type=\"radio\"");
            if is_off && !tag.contains(" checked") {
                continue;
            }
            attribute(tag, "value").unwrap_or_default()
        } else if tag.starts_with("textarea") {
            plain(behind.split_once("</textarea>").unwrap().0)
        } else if tag.starts_with("select") {
            let options = behind.split_once("</select>").unwrap().0;
            let mut all = options.split("<option").skip(1);
            let first = all.clone().next().unwrap_or_default();
            let chosen = all.find(|option| option.split('>').next().unwrap().contains(" selected"));
            attribute(chosen.unwrap_or(first), "value").unwrap_or_default()
        } else {
            continue;
        };
        fields.push((name, value));
    }
    fields
}

/// The same with other values in some fields, and a button.
pub fn filled(
    fields: &[(String, String)],
    with: &[(&str, &str)],
    button: &str,
) -> Vec<(String, String)> {
    let mut filled = fields.to_vec();
    for (name, value) in with {
        filled.retain(|(other, _)| other != name);
        filled.push(((*name).to_owned(), (*value).to_owned()));
    }
    filled.push(("do".to_owned(), button.to_owned()));
    filled
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(plain(rest.split('"').next()?))
}

/// Text without what HTML needs to write it.
fn plain(text: &str) -> String {
    text.replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#38;", "&")
}
