//! Errors of writes: attributes, names, members, PATCH, versions.

use super::section;

section! { ATTRIBUTES "Attributes"
ATTRIBUTE_MISSING "attribute-missing" 400 InvalidValue {
    meaning: "A required attribute is missing or empty.",
    cause: "The attribute is not mapped, or this user or group has no value for it in the identity provider.",
    remedy: "Map the attribute that the sentence names, and give it a value.",
}
VALUE_WRONG_TYPE "value-wrong-type" 400 InvalidValue {
    meaning: "A value has another type than its attribute.",
    cause: "A mapping that sends a text where a truth value, a number, a date or an object belongs.",
    remedy: "Correct the mapping of the attribute that the sentence names.",
}
VALUE_TOO_LONG "value-too-long" 400 InvalidValue {
    meaning: "A value is longer than its attribute may be.",
    cause: "A mapping to the wrong attribute, or an expression that joins many values.",
    remedy: "Shorten the value in the identity provider, or map something else.",
}
NAME_UNUSABLE "name-unusable" 400 InvalidValue {
    meaning: "A name has characters that names cannot have in the products.",
    cause: "Control characters, blanks at an end, or the like, mostly from an import.",
    remedy: "Correct the name in the identity provider; the sentence says what is wrong in it.",
}
TOO_MANY_VALUES "too-many-values" 400 InvalidValue {
    meaning: "An attribute has more than 100 values.",
    cause: "A mapping to the wrong attribute.",
    remedy: "Map fewer values.",
}
EXTENSION_NOT_AN_OBJECT "extension-not-an-object" 400 InvalidValue {
    meaning: "Under the URN of an extension is something else than an object.",
    cause: "A mapping that leads to the URN itself and not to an attribute below it.",
    remedy: "Map to `<URN>:<attribute>`.",
}
EXTENSION_TOO_LARGE "extension-too-large" 400 InvalidValue {
    meaning: "Extensions without a registered schema are too many or too large.",
    cause: "Custom attributes, of which this server keeps little as long as it does not know their schema.",
    remedy: "Register the schema with the connector (`vestibule schema`), or map fewer attributes.",
}
RESOURCE_TOO_LARGE "resource-too-large" 413 {
    meaning: "A user or a group is larger than can be kept, its members not counted.",
    cause: "Pictures or documents in attributes.",
    remedy: "Map fewer attributes.",
}
ATTRIBUTE_READ_ONLY "attribute-read-only" 400 Mutability {
    meaning: "A PATCH writes what this server computes.",
    cause: "`id`, `meta` or `groups` is in the attribute mapping.",
    remedy: "Remove it from the mapping.",
}
ATTRIBUTE_IMMUTABLE "attribute-immutable" 400 Mutability {
    meaning: "An attribute that keeps its first value would get another.",
    cause: "The schema that was registered says so, and the value has changed in the identity provider.",
    remedy: "Change it back, delete and create the resource, or change the schema.",
}
}

section! { NAMES "Values that are taken"
USER_NAME_TAKEN "user-name-taken" 409 Uniqueness {
    meaning: "Another user of the connector has this userName; case does not count.",
    cause: "The user was made by somebody else or by an earlier assignment, and the identity provider does not know its id. Okta's task stops; Entra ID looks the user up again in a later cycle.",
    remedy: "Match by userName, so that the user is found before it is created; or rename one of the two. The sentence has the id of the other.",
}
GROUP_NAME_TAKEN "group-name-taken" 409 Uniqueness {
    meaning: "Another group of the connector has this displayName; case does not count.",
    cause: "Two groups of the same name are pushed, or one was imported and is pushed as well.",
    remedy: "In Okta link the push to the group that is there; in Entra ID match by displayName; or rename one of the two.",
}
VALUE_TAKEN "value-taken" 409 Uniqueness {
    meaning: "Another resource has this value of an attribute that is unique.",
    cause: "The schema that was registered calls the attribute unique.",
    remedy: "Correct one of the two in the identity provider, or change the schema.",
}
EXTERNAL_ID_AMBIGUOUS "external-id-ambiguous" 409 Uniqueness {
    meaning: "Several resources have the externalId of a new one, so none can be taken over.",
    cause: "The attribute that is mapped to externalId is not unique, such as a mail nickname.",
    remedy: "Map an attribute that is, such as Entra ID's objectId; delete the resources that are too many.",
}
SECRETS_WOULD_SHOW "secrets-would-show" 409 {
    meaning: "A change of a schema would show values that are never returned.",
    cause: "An administrator changes `returned` of an attribute that has values.",
    remedy: "Remove the values with the identity provider first, or repeat the change with `reveal=true`.",
}
}

section! { MEMBERS "Members of groups"
MEMBER_UNREADABLE "member-unreadable" 400 InvalidValue {
    meaning: "A member is not an object with a value.",
    cause: "A defect of the client.",
    remedy: "Send members as `{\"value\": \"<id>\"}`.",
}
MEMBER_UNKNOWN "member-unknown" 400 InvalidValue {
    meaning: "A member is not known, and the connector does not let unknown members wait.",
    cause: "The group was pushed before the user was assigned. Okta does not repeat it by itself.",
    remedy: "Assign the user first, or switch on the departure `unknown_members_wait` in the connector's settings; then push again.",
}
TOO_MANY_MEMBERS "too-many-members" 413 {
    meaning: "The request names more members than one request may.",
    cause: "A very large group in one piece.",
    remedy: "Send the members in several requests.",
}
}

section! { PATCHES "PATCH"
PATCH_UNREADABLE "patch-unreadable" 400 InvalidSyntax {
    meaning: "A PATCH lacks its operations, or one of them is none.",
    cause: "A defect of the client.",
    remedy: "Send `Operations`, each with `op` add, replace or remove.",
}
PATCH_WITHOUT_VALUE "patch-without-value" 400 InvalidValue {
    meaning: "An operation that writes has no value.",
    cause: "A mapping whose expression yields nothing.",
    remedy: "Give the mapping a default value; to clear an attribute, remove it.",
}
PATH_UNREADABLE "path-unreadable" 400 InvalidPath {
    meaning: "The path of an operation cannot be read.",
    cause: "A target attribute that was typed by hand in the mapping.",
    remedy: "Write it like `userName`, `name.familyName` or `emails[type eq \"work\"].value`.",
}
PATH_UNKNOWN "path-unknown" 400 InvalidPath {
    meaning: "The path of an operation names an attribute that the resource does not have.",
    cause: "A target attribute that is misspelled, or one of a schema that is not registered with the connector.",
    remedy: "Correct the target attribute of the mapping, or register the schema with `vestibule schema`.",
}
PATH_FILTER_WRONG "path-filter-wrong" 400 InvalidPath {
    meaning: "The brackets in a path stand in a wrong place, or compare what cannot be compared.",
    cause: "A target attribute that was typed by hand in the mapping.",
    remedy: "Write it like `emails[type eq \"work\"].value`.",
}
TARGET_MISSING "target-missing" 400 NoTarget {
    meaning: "A PATCH names a value that is not there, and could not be made.",
    cause: "A filter in the path that says more than what equals what, or a remove without a path.",
    remedy: "Correct the target attribute of the mapping.",
}
VALUES_NOT_RECOGNISED "values-not-recognised" 400 InvalidValue {
    meaning: "None of the values to remove can be recognised. They are not taken for *all*.",
    cause: "A defect of the client.",
    remedy: "List them as `{\"value\": \"...\"}`; to remove all, remove the attribute itself.",
}
TOO_MANY_OPERATIONS "too-many-operations" 413 {
    meaning: "The request has more operations than one request may.",
    cause: "A client that sends one operation for each member.",
    remedy: "Send them in several requests.",
}
}

section! { VERSIONS "Versions"
VERSION_CHANGED "version-changed" 412 {
    meaning: "The resource has another version than `If-Match` asks for.",
    cause: "Somebody else wrote in between.",
    remedy: "Nothing: the client reads again and repeats.",
}
VERSION_EXCLUDED "version-excluded" 412 {
    meaning: "The resource has a version that `If-None-Match` excludes.",
    cause: "The client wants to write only what is not there yet.",
    remedy: "Leave the header out to change what is there.",
}
}
