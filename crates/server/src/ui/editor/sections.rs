//! The sections of a connector's rules, each a tab of its page with a form of its own.

use super::shape::{Inside, Member, Shape, Variant};
use super::steps::{DATE_SPAN, STEPS, member};

/// A part of the rules that is edited on one page.
pub(in crate::ui) struct Section {
    /// Its name in addresses.
    pub(in crate::ui) key: &'static str,
    pub(in crate::ui) title: &'static str,
    pub(in crate::ui) lead: &'static str,
    /// Members of the rules.
    pub(super) shape: Shape,
}

/// The sections, in the order of the tabs.
pub(in crate::ui) static SECTIONS: [Section; 5] = [
    Section {
        key: "provisioning",
        title: "Provisioning",
        lead: "Who gets an account, and what may be done to accounts.",
        shape: Shape::Record(&[
            member("accounts", "Switches", "", Shape::Record(ACCOUNTS)),
            member("scope", "Who has an account", "", Shape::Record(SCOPE)),
            member(
                "identity",
                "Accounts that exist already",
                "",
                Shape::Record(IDENTITY),
            ),
        ]),
    },
    Section {
        key: "mapping",
        title: "Mapping",
        lead: "Where each attribute comes from, and what happens to it on the way. What has no row takes the usual attribute.",
        shape: Shape::Record(&[member(
            "mapping",
            "Rows",
            "",
            Shape::List {
                item: &Shape::Record(ROW),
                noun: "Row",
                none: "No row: user name, names, e-mail and state are taken over as the identity provider has them.",
                fresh: r#"{"target":"username","steps":[],"on_no_match":"pass"}"#,
            },
        )]),
    },
    Section {
        key: "groups",
        title: "Groups",
        lead: "Which groups products see, under which names, and who is in them.",
        shape: Shape::Record(&[member("groups", "Groups", "", Shape::Record(GROUPS))]),
    },
    Section {
        key: "conditions",
        title: "Conditions",
        lead: "What happens to users who are so or so: groups they get, accounts they lose.",
        shape: Shape::Record(&[member(
            "conditions",
            "Conditional rules",
            "",
            Shape::List {
                item: &Shape::Record(CONDITION),
                noun: "Rule",
                none: "No conditional rule. One can add groups to, drop or disable users for whom a filter holds.",
                fresh: r#"{"name":"new rule","when":"","add_groups":[],"drop":false,"disable":false}"#,
            },
        )]),
    },
    Section {
        key: "cleanup",
        title: "Cleanup",
        lead: "What becomes of accounts of people who leave, at once and later.",
        shape: Shape::Record(&[
            member(
                "cleanup",
                "When somebody leaves",
                "",
                Shape::Record(CLEANUP),
            ),
            member(
                "inactivity",
                "People who no longer log in",
                "",
                Shape::Maybe {
                    inside: &Shape::Record(INACTIVITY),
                    ask: "Do something about them",
                    fresh: r#"{"days":365,"include_never_logged_in":false,"only_groups":[],"action":"disable","sticky":true,"never":["re:.*administrators","re:.*-admins?"]}"#,
                },
            ),
        ]),
    },
];

/// The section of this name.
pub(in crate::ui) fn section(key: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.key == key)
}

/// The targets of the directory. Only the last may have several rows.
pub(super) const TARGETS: [&str; 7] = [
    "username",
    "email",
    "display_name",
    "first_name",
    "last_name",
    "active",
    "groups",
];

/// Attributes that identity providers usually push.
const PATHS: [&str; 25] = [
    "userName",
    "externalId",
    "displayName",
    "name.givenName",
    "name.familyName",
    "name.formatted",
    "nickName",
    "emails[type eq \"work\"].value",
    "emails[primary eq true].value",
    "phoneNumbers[type eq \"work\"].value",
    "addresses[type eq \"work\"].country",
    "addresses[type eq \"work\"].locality",
    "title",
    "userType",
    "active",
    "preferredLanguage",
    "locale",
    "timezone",
    "department",
    "division",
    "organization",
    "costCenter",
    "employeeNumber",
    "manager.value",
    "manager.displayName",
];

/// The ids of the lists that make suggestions for fields, with what is in them.
pub(super) const SUGGESTIONS: [(&str, &[&str]); 2] = [("targets", &TARGETS), ("paths", &PATHS)];

const ENTRIES: &str =
    "One on a line. re: begins an expression, source: the identity provider’s name.";
const STATE: Member = member(
    "state",
    "State",
    "",
    Shape::Choice(&[
        ("active", "in force"),
        ("shadow", "shadow: only previews tell its effect"),
        ("off", "off"),
    ]),
);

const ACCOUNTS: &[Member] = &[
    member("create", "Make accounts for new users", "", Shape::Switch),
    member(
        "update",
        "Let attributes follow the identity provider",
        "",
        Shape::Switch,
    ),
    member(
        "enable",
        "Enable disabled accounts again",
        "",
        Shape::Switch,
    ),
    member("disable", "Disable or delete accounts", "", Shape::Switch),
    member(
        "rename",
        "User names",
        "",
        Shape::Choice(&[
            ("follow", "follow the identity provider"),
            ("pin", "stay as the account was made with"),
        ]),
    ),
    member(
        "names_reserved_days",
        "Days a user name that was given up is kept",
        "Nobody else gets it so long; 0 for none.",
        Shape::Number,
    ),
];

const SCOPE: &[Member] = &[
    member(
        "filter",
        "Only users for whom this holds",
        "A SCIM filter, such as userType eq \"Employee\". Empty for everybody.",
        Shape::Optional,
    ),
    member(
        "required_groups",
        "Only members of one of these groups",
        ENTRIES,
        Shape::Lines,
    ),
    member(
        "grace_minutes",
        "Minutes an account outlives its being in scope",
        "So that a client that removes and adds again harms nobody.",
        Shape::Number,
    ),
];

const MET: Shape = Shape::Choice(&[
    ("link", "becomes the user’s own"),
    ("conflict", "waits for a decision"),
    ("reject", "is refused to the identity provider"),
]);

const IDENTITY: &[Member] = &[
    member("by_username", "Find them by user name", "", Shape::Switch),
    member(
        "by_email",
        "Find them by e-mail",
        "Whoever can set addresses at the identity provider can take over accounts by this.",
        Shape::Switch,
    ),
    member(
        "by_attribute",
        "Find them by an attribute",
        "The NAME of a row for attr:NAME.",
        Shape::Optional,
    ),
    member("on_copied", "An account copied from elsewhere", "", MET),
    member(
        "on_existing",
        "An account kept here or of another connector",
        "",
        MET,
    ),
];

const ROW: &[Member] = &[
    member(
        "target",
        "Target",
        "username, email, display_name, first_name, last_name, active, groups or attr:NAME.",
        Shape::Suggested("targets"),
    ),
    member("source", "Comes from", "", Shape::Tagged(SOURCES)),
    member("steps", "Steps", "", STEP_LIST),
    member(
        "apply",
        "Counts",
        "",
        Shape::Choice(&[
            ("always", "at every evaluation"),
            ("create_only", "only for a new account"),
        ]),
    ),
    member("on_no_match", "If nothing matched", "", NO_MATCH),
    member(
        "on_null",
        "If there is no value",
        "",
        Shape::Choice(&[
            ("", "what is usual for the target"),
            ("keep", "the target stays as it is"),
            ("clear", "the target is emptied"),
            ("drop_user", "the user is dropped"),
        ]),
    ),
    member(
        "empty_as_null",
        "An empty text counts as no value",
        "Off, an attribute that is there and empty empties the target.",
        Shape::OnUnlessOff,
    ),
    STATE,
];

const NO_MATCH: Shape = Shape::Choice(&[
    ("pass", "the value goes through"),
    ("keep", "the target stays as it is"),
    ("clear", "the value goes"),
    ("drop_user", "the user is dropped"),
]);

const STEP_LIST: Shape = Shape::Nested(&STEPS);

const SOURCES: &[Variant] = &[
    from("", "the usual attribute", None),
    from(
        "attribute",
        "an attribute",
        source(
            "Attribute, such as emails[type eq \"work\"].value",
            &Shape::Suggested("paths"),
            "\"\"",
        ),
    ),
    from(
        "first_of",
        "the first of attributes with a value",
        source("Attributes, one on a line", &Shape::Lines, "[]"),
    ),
    from(
        "template",
        "a text with ${path} in it",
        source(
            "Template",
            &Shape::Text,
            "\"${name.givenName} ${name.familyName}\"",
        ),
    ),
    from(
        "constant",
        "always the same text",
        source("Text", &Shape::Text, "\"\""),
    ),
    from(
        "email_primary",
        "the primary address, else the one for work",
        None,
    ),
    from("groups", "the names of the user’s groups", None),
    from(
        "result",
        "the result of another row",
        source(
            "Target of that row",
            &Shape::Suggested("targets"),
            "\"username\"",
        ),
    ),
];

const fn from(tag: &'static str, label: &'static str, inside: Option<Inside>) -> Variant {
    Variant { tag, label, inside }
}

const fn source(label: &'static str, shape: &'static Shape, fresh: &'static str) -> Option<Inside> {
    Some(Inside {
        shape,
        label,
        fresh,
    })
}

const GROUPS: &[Member] = &[
    member("enabled", "Provision groups", "", Shape::Switch),
    member("names", "Names", "", Shape::Record(NAMES)),
    member(
        "only_assign",
        "Only these are assigned",
        ENTRIES,
        Shape::Lines,
    ),
    member(
        "never_assign",
        "These are never assigned",
        ENTRIES,
        Shape::Lines,
    ),
    member(
        "always_assign",
        "Every active user is in these",
        "Plain names, one on a line.",
        Shape::Lines,
    ),
    member(
        "new_user_groups",
        "New accounts get these",
        "Plain names, one on a line.",
        Shape::Lines,
    ),
    member(
        "protected",
        "Protected: nothing here grants these",
        ENTRIES,
        Shape::Lines,
    ),
    member(
        "never_remove",
        "Nobody is ever taken out of these",
        ENTRIES,
        Shape::Lines,
    ),
    member(
        "mapping",
        "Groups one by one",
        "",
        Shape::Maybe {
            inside: &Shape::Record(GROUP_MAPPING),
            ask: "Say for single groups what they become",
            fresh: r#"{"rows":[],"unmapped":"pass"}"#,
        },
    ),
    member(
        "authority",
        "Memberships that nothing grants any more",
        "",
        Shape::Choice(&[
            ("owned_only", "end if this connector had granted them"),
            ("strict", "end, whoever granted them"),
            ("additive", "stay"),
        ]),
    ),
    member(
        "nested_groups",
        "Groups in groups",
        "",
        Shape::Choice(&[
            ("flatten", "become members of the outer group"),
            ("preserve", "stay groups in groups"),
            ("ignore", "mean nothing"),
        ]),
    ),
    member(
        "create_empty",
        "Make groups without members too",
        "",
        Shape::Switch,
    ),
    member(
        "rename",
        "When the identity provider renames a group",
        "",
        Shape::Choice(&[
            ("pin", "products keep the old name"),
            ("follow", "products see the new name"),
            ("alias", "products see both for a while"),
        ]),
    ),
    member(
        "alias_days",
        "Days that both names are seen",
        "",
        Shape::Number,
    ),
    member(
        "on_source_deleted",
        "When the identity provider deletes a group",
        "",
        Shape::Choice(&[
            ("keep", "it stays, without those members"),
            (
                "delete_if_empty_and_ours",
                "it goes if it is empty and ours",
            ),
        ]),
    ),
    member(
        "on_existing",
        "When a group has members from elsewhere",
        "",
        Shape::Choice(&[
            ("review", "it waits for a decision"),
            ("adopt", "the identity provider feeds it"),
        ]),
    ),
];

const NAMES: &[Member] = &[
    member(
        "mode",
        "Several rules",
        "",
        Shape::Choice(&[
            ("first_match", "the first that matches decides"),
            ("chain", "each works on what the one before left"),
        ]),
    ),
    member(
        "rules",
        "Rules",
        "",
        Shape::List {
            item: &Shape::Record(NAME_RULE),
            noun: "Rule",
            none: "No rule: groups keep their names.",
            fresh: r#"{"steps":[{"regex_replace":{"pattern":"","with":"","mode":"whole","i":false}}]}"#,
        },
    ),
    member("on_no_match", "If no rule matched", "", NO_MATCH),
];

const NAME_RULE: &[Member] = &[member("steps", "Steps", "", STEP_LIST), STATE];

const GROUP_MAPPING: &[Member] = &[
    member(
        "rows",
        "Rows",
        "",
        Shape::List {
            item: &Shape::Record(GROUP_ROW),
            noun: "Row",
            none: "No row yet.",
            fresh: r#"{"source":{"id":""},"groups":[]}"#,
        },
    ),
    member(
        "unmapped",
        "Groups without a row",
        "",
        Shape::Choice(&[
            ("ignore", "are left out"),
            ("pass", "go on under their own names"),
        ]),
    ),
];

const GROUP_ROW: &[Member] = &[
    member(
        "source",
        "Group of the identity provider",
        "",
        Shape::Record(&[
            member(
                "id",
                "SCIM id",
                "Under Groups of the connector.",
                Shape::Text,
            ),
            member("name", "Name, for people", "", Shape::Text),
        ]),
    ),
    member(
        "groups",
        "Its members get",
        "Plain names, one on a line.",
        Shape::Lines,
    ),
];

const CONDITION: &[Member] = &[
    member("name", "Name", "", Shape::Text),
    member(
        "when",
        "When",
        "A SCIM filter, such as department eq \"Sales\" and groups eq \"EU\".",
        Shape::Text,
    ),
    member(
        "add_groups",
        "Add to these groups",
        "Plain names, one on a line.",
        Shape::Lines,
    ),
    member("drop", "Drop: no account", "", Shape::Switch),
    member("disable", "Disable the account", "", Shape::Switch),
    member(
        "disable_at",
        "Disable at the date in",
        "An attribute with a date.",
        Shape::Optional,
    ),
    member(
        "disable_at_plus",
        "Time after that date",
        "",
        Shape::Maybe {
            inside: &DATE_SPAN,
            ask: "Add to that date",
            fresh: r#"{"years":0,"months":0,"weeks":0,"days":0,"hours":0,"minutes":0}"#,
        },
    ),
    STATE,
];

const ACTION: Shape = Shape::Choice(&[
    ("disable", "disable the account"),
    ("anonymise", "anonymise the account"),
    ("delete", "delete the account"),
    ("keep", "leave it as it is"),
]);

const LATER: Shape = Shape::Maybe {
    inside: &Shape::Record(&[
        member("after_days", "After days", "", Shape::Number),
        member("action", "Then", "", ACTION),
    ]),
    ask: "Something else after some days",
    fresh: r#"{"after_days":30,"action":"delete"}"#,
};

const CLEANUP: &[Member] = &[
    member(
        "idp_inactive",
        "The identity provider says inactive",
        "",
        ACTION,
    ),
    member(
        "idp_deleted",
        "The identity provider deleted the user",
        "",
        ACTION,
    ),
    member("out_of_scope", "The user is out of scope", "", ACTION),
    member("dropped", "The rules drop the user", "", ACTION),
    member(
        "later",
        "Later",
        "",
        Shape::Record(&[
            member(
                "idp_inactive",
                "The identity provider says inactive",
                "",
                LATER,
            ),
            member(
                "idp_deleted",
                "The identity provider deleted the user",
                "",
                LATER,
            ),
            member("out_of_scope", "The user is out of scope", "", LATER),
            member("dropped", "The rules drop the user", "", LATER),
        ]),
    ),
    member(
        "strip_groups",
        "The account leaves its groups",
        "",
        Shape::Switch,
    ),
    member("strip_exempt", "But not these", ENTRIES, Shape::Lines),
    member(
        "restore_groups",
        "Groups come back with the account",
        "",
        Shape::Switch,
    ),
    member(
        "exempt_when",
        "Nothing happens to users for whom this holds",
        "A SCIM filter.",
        Shape::Optional,
    ),
    member(
        "exempt_groups",
        "Nor to members of these groups",
        ENTRIES,
        Shape::Lines,
    ),
];

const INACTIVITY: &[Member] = &[
    member("days", "Days since the last log-in", "", Shape::Number),
    member(
        "include_never_logged_in",
        "Also those of whom no log-in is known",
        "",
        Shape::Switch,
    ),
    member(
        "only_groups",
        "Only members of these groups",
        ENTRIES,
        Shape::Lines,
    ),
    member("action", "What happens", "", ACTION),
    member(
        "sticky",
        "Only an administrator undoes it",
        "",
        Shape::Switch,
    ),
    member("never", "Never members of these", ENTRIES, Shape::Lines),
];
