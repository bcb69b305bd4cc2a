//! A user logs in to Jira with a password, which only the server can check.

use std::collections::BTreeSet;

use super::events::How;
use super::xml::{self, escaped};
use super::{Answer, Jira, JiraError, Method, User, accepted, known, parameter};

/// What came of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// The user is in, with these groups.
    Accepted {
        /// The user as the server answered it.
        user: User,
        /// The names of all groups the user is directly in.
        groups: BTreeSet<String>,
    },
    /// The user is not let in, for a reason such as `INACTIVE_ACCOUNT`.
    Denied(String),
}

impl Jira {
    /// Logs a user in, and updates user, groups and memberships from the answers as the product does.
    ///
    /// # Errors
    /// If the server fails in another way than by not letting the user in.
    pub async fn log_in(&mut self, user: &str, password: &str) -> Result<Login, JiraError> {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><password><value>{}</value></password>",
            escaped(password)
        );
        let answer = match self
            .post(
                &format!("/authentication?{}", parameter("username", user)),
                body,
            )
            .await
        {
            Err(JiraError::Refused { reason, .. }) if is_denial(&reason) => {
                return Ok(Login::Denied(reason));
            }
            other => other?,
        };
        let user = xml::read(&answer, "user", xml::user)?;
        self.directory
            .put_user(user.clone())
            .map_err(|why| JiraError::invalid(&answer, why))?;
        let groups = self.groups_at_login(&user).await?;
        Ok(Login::Accepted { user, groups })
    }

    /// Whether a user is a direct member of a group, asked of the server without an `Accept` header.
    ///
    /// # Errors
    /// If the answer is neither yes nor no.
    pub async fn is_member(&self, group: &str, user: &str) -> Result<bool, JiraError> {
        let path = format!(
            "/group/user/direct?{}&{}",
            parameter("groupname", group),
            parameter("username", user)
        );
        let answer = known(self.client.send(Method::GET, &path, &[], None).await)?;
        match answer.status {
            200 => Ok(true),
            404 => Ok(false),
            _ => accepted(answer, &[200, 404]).map(|_| false),
        }
    }

    /// Memberships are added to match; they are taken away only if the user is in any group at all.
    async fn groups_at_login(&mut self, user: &User) -> Result<BTreeSet<String>, JiraError> {
        let path = format!(
            "/user/group/direct?{}&start-index=0&max-results=-1",
            parameter("username", &user.name)
        );
        let answer = self.get(&path).await?;
        let names = xml::read(&answer, "groups", |root| xml::names(root, "group"))?;
        for name in &names {
            if self.directory.group(name).is_none() {
                let group = self.read_group(name).await?;
                self.directory.put_group(group);
            }
        }
        let how = if names.is_empty() {
            How::Add
        } else {
            How::Equal
        };
        self.directory
            .change_groups_of(&user.name, &names, how)
            .map_err(|why| JiraError::invalid(&answer, why))?;
        Ok(names.into_iter().collect())
    }

    pub(super) async fn read_group(&self, name: &str) -> Result<super::Group, JiraError> {
        let answer: Answer = self
            .get(&format!(
                "/group?{}&expand=attributes",
                parameter("groupname", name)
            ))
            .await?;
        xml::read(&answer, "group", xml::group)
    }
}

fn is_denial(reason: &str) -> bool {
    matches!(
        reason,
        "USER_NOT_FOUND"
            | "INVALID_USER_AUTHENTICATION"
            | "INACTIVE_ACCOUNT"
            | "EXPIRED_CREDENTIAL"
    )
}
