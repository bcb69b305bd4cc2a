//! The programs that others wrote, how much each must find, and where it may find something else than `passed`.

use super::report::Outcome;

/// What runs a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    Python,
    Node,
}

/// What it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Scim,
    Crowd,
}

impl Protocol {
    pub fn name(self) -> &'static str {
        match self {
            Self::Scim => "SCIM",
            Self::Crowd => "Crowd",
        }
    }
}

/// A program that others wrote, driven by a script of the folder `conformance`.
pub struct Program {
    /// The package, as its registry calls it. Its version is in the lock file.
    pub package: &'static str,
    pub runtime: Runtime,
    /// The script that drives it.
    pub script: &'static str,
    pub protocol: Protocol,
    /// What it looks at, for the documents.
    pub covers: &'static str,
    /// Checks that it tells about at least: one that stops half-way is not taken for content.
    pub at_least: usize,
    pub exceptions: &'static [Exception],
}

/// A check that does not pass, and why that is right. If it passes one day, the run fails: the entry has to go.
pub struct Exception {
    pub check: &'static str,
    pub outcome: Outcome,
    pub reason: &'static str,
}

const NO_AGENTS: &str = "The resource types for agents are a draft, and Vestibule has none.";

const NAMES_OF_MEMBERS: &str = "The checker adds a member without `display` and expects it back without. Vestibule shows \
     the names of members, as its schema says by `readOnly`: RFC 7643, section 7 lets a service set such attributes.";

/// All of them, in the order in which they run.
pub const PROGRAMS: &[Program] = &[
    Program {
        package: "scim2-tester",
        runtime: Runtime::Python,
        script: "with_scim2_tester.py",
        protocol: Protocol::Scim,
        covers: "discovery; create, read, replace, delete; PATCH `add`, `replace` and `remove` of every attribute of every \
                 schema; `attributes` and `excludedAttributes`",
        at_least: 130,
        exceptions: &[
            Exception {
                check: "Group check_add_attribute members",
                outcome: Outcome::Failed,
                reason: NAMES_OF_MEMBERS,
            },
            Exception {
                check: "Group check_replace_attribute members",
                outcome: Outcome::Failed,
                reason: NAMES_OF_MEMBERS,
            },
        ],
    },
    Program {
        package: "scim-sanity",
        runtime: Runtime::Python,
        script: "with_scim_sanity.py",
        protocol: Protocol::Scim,
        covers: "discovery, the life of a user and of a group, lists, filters and errors, in its strict mode",
        at_least: 31,
        exceptions: &[
            Exception {
                check: "Agent CRUD Lifecycle",
                outcome: Outcome::Skipped,
                reason: NO_AGENTS,
            },
            Exception {
                check: "Agent Rapid Lifecycle",
                outcome: Outcome::Skipped,
                reason: NO_AGENTS,
            },
            Exception {
                check: "AgenticApplication CRUD Lifecycle",
                outcome: Outcome::Skipped,
                reason: NO_AGENTS,
            },
        ],
    },
    Program {
        package: "scim2-client",
        runtime: Runtime::Python,
        script: "with_scim2_client.py",
        protocol: Protocol::Scim,
        covers: "every operation of the client, each answer held against the schemas that the server told: extensions, \
                 paths with filters, members, bulk, searches, sorting, pages, errors",
        at_least: 18,
        exceptions: &[],
    },
    Program {
        package: "crowd",
        runtime: Runtime::Python,
        script: "with_crowd.py",
        protocol: Protocol::Crowd,
        covers: "every method: authentication, sessions with validation factors, users, groups, memberships in XML, search, \
                 attributes, writes",
        at_least: 21,
        exceptions: &[],
    },
    Program {
        package: "atlassian-python-api",
        runtime: Runtime::Python,
        script: "with_atlassian_python_api.py",
        protocol: Protocol::Crowd,
        covers: "the user management of its class `Crowd`: authentication, sessions, users, groups, groups in groups, \
                 attributes, both ways to search, writes",
        at_least: 29,
        exceptions: &[Exception {
            check: "group_add_user",
            outcome: Outcome::Failed,
            reason: "The client names the group where `user/group/direct` takes the name of the user, and the user in the body. \
                     The protocol knows this form at `group/user/direct` only.",
        }],
    },
    Program {
        package: "atlassian-crowd-client",
        runtime: Runtime::Node,
        script: "with_atlassian_crowd_client.js",
        protocol: Protocol::Crowd,
        covers: "every method: authentication, sessions with validation factors, users, groups, groups in groups, memberships, \
                 search by text, attributes, writes, and the reasons of refusals",
        at_least: 22,
        exceptions: &[],
    },
    Program {
        package: "atlassian-crowd-patched",
        runtime: Runtime::Node,
        script: "with_atlassian_crowd_patched.js",
        protocol: Protocol::Crowd,
        covers: "every method but groups in groups: authentication, sessions, users, groups, members, search, attributes",
        at_least: 11,
        exceptions: &[],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::steps::root;

    #[test]
    fn every_script_is_run() {
        let files = std::fs::read_dir(root().join("conformance")).unwrap();
        let scripts: BTreeSet<String> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("with_"))
            .collect();
        let run: BTreeSet<String> = PROGRAMS.iter().map(|one| one.script.to_owned()).collect();
        assert_eq!(scripts, run);
    }

    #[test]
    fn an_exception_has_a_reason_and_does_not_pass() {
        for listed in PROGRAMS.iter().flat_map(|program| program.exceptions) {
            assert_ne!(listed.outcome, Outcome::Passed, "{}", listed.check);
            assert!(listed.reason.ends_with('.'), "{}", listed.check);
        }
    }
}
