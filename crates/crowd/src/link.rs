//! Links: where a resource is to be found, built from the base URL that the caller knows.

use crate::{json, xml};

/// The one base URL under which this server is reached, up to and with the API version, e.g.
/// `https://id.example.test/crowd/rest/usermanagement/1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    base: String,
}

impl Links {
    /// Takes the base URL; slashes at its end do not count.
    pub fn new(base: &str) -> Links {
        Links {
            base: base.trim_end_matches('/').to_owned(),
        }
    }

    /// The URL of a user.
    pub fn user(&self, name: &str) -> String {
        self.href("/user?username=", name)
    }

    /// The URL under which a user's password is set.
    pub fn user_password(&self, name: &str) -> String {
        self.href("/user/password?username=", name)
    }

    /// The URL of a user's attributes.
    pub fn user_attributes(&self, name: &str) -> String {
        self.href("/user/attribute?username=", name)
    }

    /// The URL of a group.
    pub fn group(&self, name: &str) -> String {
        self.href("/group?groupname=", name)
    }

    /// The URL of a group's attributes.
    pub fn group_attributes(&self, name: &str) -> String {
        self.href("/group/attribute?groupname=", name)
    }

    /// The URL of a session.
    pub fn session(&self, token: &str) -> String {
        self.href("/session/", token)
    }

    /// The URL of a webhook.
    pub fn webhook(&self, id: i64) -> String {
        self.href("/webhook/", &id.to_string())
    }

    /// The URL of a direct membership of a user.
    pub fn user_membership(&self, user: &str, group: &str) -> String {
        let mut url = self.href("/user/group/direct?username=", user);
        url.push_str("&groupname=");
        encode(&mut url, group);
        url
    }

    /// The URL of a direct membership of a group in a group.
    pub fn group_membership(&self, parent: &str, child: &str) -> String {
        let mut url = self.href("/group/child-group/direct?groupname=", parent);
        url.push_str("&child-groupname=");
        encode(&mut url, child);
        url
    }

    fn href(&self, path: &str, name: &str) -> String {
        let mut url = String::with_capacity(self.base.len() + path.len() + name.len() + 8);
        url.push_str(&self.base);
        url.push_str(path);
        encode(&mut url, name);
        url
    }
}

/// The URL of one attribute, below the URL of all attributes of its owner.
pub(crate) fn of_attribute(attributes: &str, name: &str) -> String {
    let mut url = format!("{attributes}&attributename=");
    encode(&mut url, name);
    url
}

/// Appends `<link href=".." rel=".."/>`.
pub(crate) fn write_xml(out: &mut Vec<u8>, href: &str, rel: &str) {
    xml::start_tag(out, "link");
    xml::attribute(out, "href", href);
    xml::attribute(out, "rel", rel);
    xml::end_empty(out);
}

/// Appends the member `link`.
pub(crate) fn write_json(object: &mut json::Object<'_>, href: &str, rel: &str) {
    let mut link = json::Object::open(object.member("link"));
    link.text("href", href);
    link.text("rel", rel);
    link.close();
}

/// Percent-encodes everything but RFC 3986's unreserved characters, so that no reader can mistake a `+`.
fn encode(url: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push('%');
            url.push(char::from(HEX[usize::from(byte >> 4)]));
            url.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_for_a_query() {
        let links = Links::new("https://id.example.test/crowd/rest/usermanagement/1/");
        assert_eq!(
            links.user("o'neil+ops@example.test"),
            "https://id.example.test/crowd/rest/usermanagement/1/user?username=o%27neil%2Bops%40example.test"
        );
        assert_eq!(
            links.group("Eng Team & Çö"),
            "https://id.example.test/crowd/rest/usermanagement/1/group?groupname=Eng%20Team%20%26%20%C3%87%C3%B6"
        );
        assert_eq!(
            links.user_membership("a b", "c/d"),
            "https://id.example.test/crowd/rest/usermanagement/1/user/group/direct?username=a%20b&groupname=c%2Fd"
        );
    }
}
