//! What Jira sends in read/write mode: each write, and the read that follows it.

use super::events::How;
use super::xml::{self, escaped};
use super::{Jira, JiraError, Method, User, accepted, parameter};

impl Jira {
    /// An administrator makes a group in Jira.
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn create_group(&mut self, name: &str, description: &str) -> Result<(), JiraError> {
        self.write(
            Method::POST,
            "/group",
            Some(group_body(name, description)),
            &[201],
        )
        .await?;
        let group = self.read_group(name).await?;
        self.directory.put_group(group);
        Ok(())
    }

    /// An administrator changes a group's description.
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn update_group(&mut self, name: &str, description: &str) -> Result<(), JiraError> {
        let path = format!("/group?{}", parameter("groupname", name));
        self.write(
            Method::PUT,
            &path,
            Some(group_body(name, description)),
            &[200],
        )
        .await?;
        let group = self.read_group(name).await?;
        self.directory.put_group(group);
        Ok(())
    }

    /// An administrator deletes a group.
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn delete_group(&mut self, name: &str) -> Result<(), JiraError> {
        self.write(
            Method::DELETE,
            &format!("/group?{}", parameter("groupname", name)),
            None,
            &[204],
        )
        .await?;
        self.directory.remove_group(name);
        Ok(())
    }

    /// An administrator puts a user into a group.
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn add_member(&mut self, group: &str, user: &str) -> Result<(), JiraError> {
        let path = format!("/group/user/direct?{}", parameter("groupname", group));
        // "Just a name": the flag that comes along means nothing.
        let body = format!(
            "{DECLARATION}<user name=\"{}\"><active>false</active></user>",
            escaped(user)
        );
        self.change_member(Method::POST, path, Some(body), 201, (group, user, How::Add))
            .await
    }

    /// An administrator takes a user out of a group.
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn remove_member(&mut self, group: &str, user: &str) -> Result<(), JiraError> {
        let path = format!(
            "/group/user/direct?{}&{}",
            parameter("groupname", group),
            parameter("username", user)
        );
        self.change_member(Method::DELETE, path, None, 204, (group, user, How::Remove))
            .await
    }

    /// An administrator puts a group into another, which Jira offers where nested groups are on.
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn add_child_group(&mut self, group: &str, child: &str) -> Result<(), JiraError> {
        let path = format!(
            "/group/child-group/direct?{}",
            parameter("groupname", group)
        );
        let body = group_body(child, "");
        self.change_child(
            Method::POST,
            path,
            Some(body),
            201,
            (group, child, How::Add),
        )
        .await
    }

    /// An administrator takes a group out of another.
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn remove_child_group(&mut self, group: &str, child: &str) -> Result<(), JiraError> {
        let path = format!(
            "/group/child-group/direct?{}&{}",
            parameter("groupname", group),
            parameter("child-groupname", child)
        );
        self.change_child(Method::DELETE, path, None, 204, (group, child, How::Remove))
            .await
    }

    /// An administrator makes a user in Jira.
    ///
    /// # Errors
    /// If the server refuses it, or answers without the stored user.
    pub async fn create_user(&mut self, user: &User, password: &str) -> Result<(), JiraError> {
        let answer = self
            .write(
                Method::POST,
                "/user",
                Some(user_body(user, Some(password))),
                &[201],
            )
            .await?;
        xml::read(&answer, "user", xml::user)?;
        self.read_user(&user.name).await
    }

    /// An administrator changes a user's names, mail address or active flag.
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn update_user(&mut self, user: &User) -> Result<(), JiraError> {
        let path = format!("/user?{}", parameter("username", &user.name));
        self.write(Method::PUT, &path, Some(user_body(user, None)), &[204])
            .await?;
        self.read_user(&user.name).await
    }

    /// Jira stores attributes of a user, as it does for its bookkeeping of logins.
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn set_attributes(
        &mut self,
        user: &str,
        attributes: &[(&str, &[&str])],
    ) -> Result<(), JiraError> {
        let path = format!("/user/attribute?{}", parameter("username", user));
        let mut body = format!("{DECLARATION}<attributes>");
        for (name, values) in attributes {
            let values: String = values
                .iter()
                .map(|value| format!("<value>{}</value>", escaped(value)))
                .collect();
            body.push_str(&format!(
                "<attribute name=\"{}\"><values>{values}</values></attribute>",
                escaped(name)
            ));
        }
        body.push_str("</attributes>");
        self.write(Method::POST, &path, Some(body), &[204])
            .await
            .map(drop)
    }

    async fn change_member(
        &mut self,
        method: Method,
        path: String,
        body: Option<String>,
        status: u16,
        (group, user, how): (&str, &str, How),
    ) -> Result<(), JiraError> {
        let answer = self.write(method, &path, body, &[status]).await?;
        let changed = self
            .directory
            .change_groups_of(user, &[group.to_owned()], how);
        changed.map_err(|why| JiraError::invalid(&answer, why))
    }

    async fn change_child(
        &mut self,
        method: Method,
        path: String,
        body: Option<String>,
        status: u16,
        (group, child, how): (&str, &str, How),
    ) -> Result<(), JiraError> {
        let answer = self.write(method, &path, body, &[status]).await?;
        let changed = self
            .directory
            .change_children_of(group, &[child.to_owned()], how);
        changed.map_err(|why| JiraError::invalid(&answer, why))
    }

    async fn read_user(&mut self, name: &str) -> Result<(), JiraError> {
        let answer = self
            .get(&format!(
                "/user?{}&expand=attributes",
                parameter("username", name)
            ))
            .await?;
        let user = xml::read(&answer, "user", xml::user)?;
        self.directory
            .put_user(user)
            .map_err(|why| JiraError::invalid(&answer, why))
    }

    async fn write(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        statuses: &[u16],
    ) -> Result<super::Answer, JiraError> {
        accepted(self.ask(method, path, body).await?, statuses)
    }
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";

fn group_body(name: &str, description: &str) -> String {
    format!(
        "{DECLARATION}<group name=\"{}\"><description>{}</description><type>GROUP</type><active>true</active></group>",
        escaped(name),
        escaped(description)
    )
}

fn user_body(user: &User, password: Option<&str>) -> String {
    let password = password.map_or_else(String::new, |value| {
        format!("<password><value>{}</value></password>", escaped(value))
    });
    format!(
        "{DECLARATION}<user name=\"{}\"><first-name>{}</first-name><last-name>{}</last-name><display-name>{}</display-name>\
         <email>{}</email><active>{}</active>{password}</user>",
        escaped(&user.name),
        escaped(&user.first_name),
        escaped(&user.last_name),
        escaped(&user.display_name),
        escaped(&user.email),
        user.active
    )
}
