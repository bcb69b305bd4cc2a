//! Bodies as identity providers send them.

use serde_json::json;

/// The body of a POST of a user.
pub fn user(number: usize) -> Vec<u8> {
    let name = user_name(number);
    json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
        ],
        "userName": name,
        "externalId": format!("00u{number:017}"),
        "name": {"givenName": format!("Given{number}"), "familyName": format!("Family{number}")},
        "displayName": format!("Given{number} Family{number}"),
        "title": "Engineer",
        "locale": "en-US",
        "emails": [{"value": name, "type": "work", "primary": true}],
        "active": true,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "department": format!("Department {}", number % 100),
            "employeeNumber": format!("{number}")
        }
    })
    .to_string()
    .into_bytes()
}

/// The `userName` of a user.
pub fn user_name(number: usize) -> String {
    format!("person.{number}@example.com")
}

/// The body of a POST or PUT of a group.
pub fn group(name: &str, members: &[&str]) -> Vec<u8> {
    let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": name,
        "members": members
    })
    .to_string()
    .into_bytes()
}

/// The users of a group of a company of so many users: a hundred for each of a tenth as many groups, so that
/// everybody is in ten. Half of the groups are like departments, the other half go across all of them.
pub fn members(group: usize, users: usize) -> Vec<usize> {
    let departments = users / 100;
    let (layer, place) = (group / departments, group % departments);
    let member = |number: usize| match layer % 2 {
        0 => place * 100 + number,
        _ => number * departments + (place + layer * number) % departments,
    };
    (0..100).map(member).collect()
}

/// The body of a PATCH that adds or removes members.
pub fn patch(op: &str, members: &[&str]) -> Vec<u8> {
    let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": op, "path": "members", "value": members}]
    })
    .to_string()
    .into_bytes()
}

/// A number spread over a range, the same in every run.
pub fn spread(number: usize, range: usize) -> usize {
    (number as u64)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(31) as usize
        % range
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_in_ten_groups() {
        let mut groups_of = [0; 2_000];
        for group in 0..200 {
            for member in members(group, 2_000) {
                groups_of[member] += 1;
            }
        }
        assert!(groups_of.iter().all(|count| *count == 10));
    }
}
