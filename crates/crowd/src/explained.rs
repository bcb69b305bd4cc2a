//! What each reason means when a product is answered with it, and what its administrator does.

use crate::Reason;

/// A reason for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explained {
    /// What it means, as a sentence.
    pub meaning: &'static str,
    /// When it occurs here.
    pub cause: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

const NEVER: &str = "Never: this server does not offer what it belongs to.";
const NOTHING: &str = "Nothing.";

impl Reason {
    /// What it means here. Each reason has to be told of.
    pub const fn explained(self) -> Explained {
        let (meaning, cause, remedy) = match self {
            Reason::ApplicationAccessDenied => (
                "The user may not log in to this application.",
                "The password is right, and the user is in none of the groups that may log in.",
                "Put the user into such a group at the identity provider, or let other groups log in with `vestibule application`.",
            ),
            Reason::ApplicationPermissionDenied => (
                "The application may not do this, or nobody may do it here.",
                "The product wants to change people or groups of the identity provider, it may only read, or it sees no directory.",
                "Make the change at the identity provider and set the directory to read-only in the product; or let the application write, which reaches local users and groups only.",
            ),
            Reason::ApplicationNotFound => ("There is no such application.", NEVER, NOTHING),
            Reason::ExpiredCredential => (
                "The password is right, and has to be changed.",
                "An administrator asked for it, or a product did.",
                "Let the person set a new one.",
            ),
            Reason::GroupNotFound => (
                "The application sees no group of this name.",
                "The group was deleted, renamed, or is hidden by rules; products ask for what they remember.",
                "Nothing, if the next synchronization clears it; else see whether a rule hides the group.",
            ),
            Reason::IllegalArgument => (
                "A parameter is missing or wrong, or a body cannot be read.",
                "A client other than Atlassian's, or a proxy that cuts bodies.",
                "Correct what the message names. With 413, 415 or 408 the body is too large, of another kind, or too slow.",
            ),
            Reason::InactiveAccount => (
                "The password is right, and the account is disabled.",
                "The identity provider sent `active` false, or a rule says so.",
                "Enable the person at the identity provider.",
            ),
            Reason::InvalidUserAuthentication => (
                "The password is wrong, or there is none here.",
                "Mistyped; or the identity provider pushes no passwords, or the connector keeps none.",
                "Log in by the identity provider's single sign-on; or switch on `accept_passwords` (`vestibule connector settings NAME --accept-passwords true`) and the push of passwords.",
            ),
            Reason::InvalidCredential => (
                "A new password cannot be used.",
                "It is empty, too long, or given in an encrypted form.",
                "Choose another one.",
            ),
            Reason::InvalidEmail => ("The user has no usable mail address.", NEVER, NOTHING),
            Reason::InvalidGroup => (
                "A group cannot be made as it was asked for.",
                "A group of this name exists, or the name cannot be used.",
                "Choose another name.",
            ),
            Reason::InvalidUser => (
                "A user cannot be made or changed as it was asked for.",
                "A user of this name exists, or a value cannot be used.",
                "Choose another name, or correct the value that the message names.",
            ),
            Reason::InvalidSsoToken => (
                "The session is not known, is over, or is another browser's.",
                "Normal after a logout, after half an hour without use, or when the address of the browser changes. Products then ask for a login.",
                "Nothing; if people have to log in again and again, let all products see the same address of the browser.",
            ),
            Reason::InvalidMembership => (
                "A membership cannot be made.",
                "A group would be in itself by way of others.",
                "Undo the other membership first.",
            ),
            Reason::MembershipNotFound => (
                "The one is not a member of the other.",
                "Normal: it is the answer *no* to a question.",
                NOTHING,
            ),
            Reason::MembershipAlreadyExists => (
                "The one is a member of the other already.",
                "The product repeats what was done.",
                NOTHING,
            ),
            Reason::NestedGroupsNotSupported => ("Groups cannot be in groups.", NEVER, NOTHING),
            Reason::UnsupportedOperation => (
                "This server does not offer this.",
                "The product offers its users what only Crowd itself can do, such as a mail for a forgotten password. With 404 or 405 the path or the method is unknown, most often because of a wrong server URL.",
                "Do it at the identity provider; with 404 compare the server URL in the product with that of the application.",
            ),
            Reason::UserNotFound => (
                "The application sees no user of this name.",
                "The user was deleted, renamed, or is hidden by rules; or a person mistyped the name at a login.",
                "Nothing, if the next synchronization clears it; else `vestibule why` tells why the user is hidden.",
            ),
            Reason::OperationFailed => (
                "The server is in trouble.",
                "With 503 the database cannot be reached or there is too much to do, and the product keeps what it has and asks again; with 429 too many wrong passwords were tried, and none is looked at for a while; with 500 it is a defect.",
                "With 503 and 429 nothing, if it passes; with 500 look at the log, and report it.",
            ),
            Reason::EventTokenExpired => (
                "What has happened since the last time is not known any more.",
                "Normal after a long pause, a restore of the database, or a change of what the application sees. The product synchronizes everything.",
                NOTHING,
            ),
            Reason::IncrementalSyncNotAvailable => ("There are no events.", NEVER, NOTHING),
            Reason::WebhookNotFound => (
                "The application has no such webhook.",
                "It was given up after a day of failures, or removed. The product registers a new one.",
                NOTHING,
            ),
            Reason::ApplicationModificationFailed
            | Reason::ApplicationAlreadyExists
            | Reason::DirectoryNotFound
            | Reason::PermissionDenied => ("Crowd's own administration refuses.", NEVER, NOTHING),
            Reason::InvalidChangeEmailToken | Reason::SameEmailAddress => {
                ("A mail address cannot be changed.", NEVER, NOTHING)
            }
        };
        Explained {
            meaning,
            cause,
            remedy,
        }
    }
}
