//! Administrators: who they are, what they may do, and links for new ones.

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::confirm::Confirm;
use super::desk::{Desk, Listed, segment};
use super::form::Fields;
use super::page::{Shell, Shown, Trouble, show, show_wrong};
use super::secret::Secret;
use super::when::When;

/// Where this page is.
const PLACE: &str = "/console/administrators";

#[derive(Template)]
#[template(path = "administrators.html")]
struct ListPage {
    shell: Shell,
    wrong: Option<Trouble>,
    administrators: Vec<Row>,
    invitations: Vec<InvitationRow>,
    /// The role of somebody new.
    role: String,
    choices: Choices,
    require_second_factor: bool,
    /// Whether the one who looks has a second factor.
    has_own: bool,
}

#[derive(Deserialize)]
struct SignIn {
    require_second_factor: bool,
}

struct Row {
    address: String,
    last_sign_in: Option<When>,
    administrator: Administrator,
}

#[derive(Deserialize)]
struct Administrator {
    id: String,
    name: String,
    role: String,
    connectors: Option<Vec<String>>,
    last_sign_in: Option<Timestamp>,
    second_factor: Option<Timestamp>,
    issuer: Option<String>,
}

impl Administrator {
    /// What the person may do from now on.
    fn rights_told(&self) -> String {
        let of = match &self.connectors {
            Some(names) => format!(" of {}", names.join(", ")),
            None => String::new(),
        };
        format!("{} has the role {}{of} from now on.", self.name, self.role)
    }
}

struct InvitationRow {
    address: String,
    expires: When,
    invitation: Invitation,
}

#[derive(Deserialize)]
struct Invitation {
    id: String,
    role: String,
    connectors: Option<Vec<String>>,
    administrator: Option<String>,
    created_by: String,
    created_by_id: Option<String>,
    expires: Timestamp,
}

#[derive(Deserialize)]
struct Link {
    link: String,
}

/// `GET /console/administrators`
pub(super) async fn list(desk: Desk) -> Shown {
    show(&listed(&desk).await?)
}

async fn listed(desk: &Desk) -> Result<ListPage, Trouble> {
    let all: Listed<Administrator> = desk.get(&["administrators"], &[]).await?;
    let invitations: Listed<Invitation> = desk.get(&["invitations"], &[]).await?;
    let rules: SignIn = desk.get(&["sign-in"], &[]).await?;
    let rows = all.items.into_iter().map(|administrator| Row {
        address: segment(&administrator.id),
        last_sign_in: administrator.last_sign_in.map(|at| desk.when(at)),
        administrator,
    });
    let invitations = invitations
        .items
        .into_iter()
        .map(|invitation| InvitationRow {
            address: segment(&invitation.id),
            expires: desk.when(invitation.expires),
            invitation,
        });
    Ok(ListPage {
        shell: desk.shell("settings"),
        administrators: rows.collect(),
        invitations: invitations.collect(),
        wrong: None,
        role: "operator".to_owned(),
        choices: choices(desk, &[]).await?,
        require_second_factor: rules.require_second_factor,
        has_own: desk.who().second_factor.is_some(),
    })
}

impl Link {
    /// The page that shows it this once.
    fn show(&self, desk: &Desk, title: &str) -> Shown {
        Secret::new("settings", title, PLACE)
            .field("Link", &self.link)
            .hint("Give it to the person over a way that nobody else reads. It is good once, for a day, and cannot be shown again.")
            .show(desk)
    }
}

/// `POST /console/administrators`
pub(super) async fn invite(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let wish = rights_wish(&form);
    desk.once(&form, PLACE, async {
        let made = desk.send::<Link>(Method::POST, &["invitations"], Some(wish));
        let wrong = match made.await {
            Ok(link) => return link.show(&desk, "A link for somebody new"),
            Err(wrong) => wrong,
        };
        let mut page = listed(&desk).await?;
        let status = wrong.status;
        page.wrong = Some(wrong);
        page.role = form.text("role").to_owned();
        page.choices = choices(&desk, &form.ticked("connector.")).await?;
        show_wrong(status, &page)
    })
    .await
}

/// The rights that a form says. Who owns the server is confined to nothing, whatever is ticked.
pub(super) fn rights_wish(form: &Fields) -> Value {
    let ticked = form.ticked("connector.");
    match ticked.is_empty() {
        true => json!({ "role": form.text("role") }),
        false => json!({ "role": form.text("role"), "connectors": ticked }),
    }
}

/// The connectors that somebody may be confined to.
pub(super) struct Choices {
    /// Whether some are chosen.
    pub(super) open: bool,
    pub(super) all: Vec<Choice>,
}

/// One of them.
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) ticked: bool,
}

#[derive(Deserialize)]
struct Connector {
    name: String,
}

/// All connectors, of which some are chosen.
pub(super) async fn choices(desk: &Desk, chosen: &[String]) -> Result<Choices, Trouble> {
    let all: Listed<Connector> = desk.get(&["connectors"], &[]).await?;
    let choice = |connector: Connector| Choice {
        ticked: chosen.contains(&connector.name),
        name: connector.name,
    };
    Ok(Choices {
        open: !chosen.is_empty(),
        all: all.items.into_iter().map(choice).collect(),
    })
}

#[derive(Template)]
#[template(path = "rights.html")]
struct RightsPage {
    shell: Shell,
    wrong: Option<Trouble>,
    name: String,
    role: String,
    choices: Choices,
    /// What becomes of the links that the person made, if there are any.
    links: Option<String>,
}

async fn rights_page(desk: &Desk, id: &str) -> Result<RightsPage, Trouble> {
    let found = find(desk, id).await?;
    Ok(RightsPage {
        shell: desk.shell("settings"),
        wrong: None,
        links: links_of(desk, &found.id).await?,
        choices: choices(desk, &found.connectors.unwrap_or_default()).await?,
        name: found.name,
        role: found.role,
    })
}

/// What becomes of the links that somebody made and nobody has used, when that person is no owner any more.
async fn links_of(desk: &Desk, id: &str) -> Result<Option<String>, Trouble> {
    let open: Listed<Invitation> = desk.get(&["invitations"], &[]).await?;
    let made = |one: &&Invitation| one.created_by_id.as_deref() == Some(id);
    Ok(match open.items.iter().filter(made).count() {
        0 => None,
        1 => Some("One link that the person made and nobody has used stops working.".to_owned()),
        many => Some(format!(
            "{many} links that the person made and nobody has used stop working."
        )),
    })
}

/// `GET /console/administrators/{administrator}/role`
pub(super) async fn ask_role(desk: Desk, Path(administrator): Path<String>) -> Shown {
    show(&rights_page(&desk, &administrator).await?)
}

/// `POST /console/administrators/{administrator}/role`
pub(super) async fn role(desk: Desk, Path(administrator): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let path = ["administrators", &administrator];
    let changed = desk
        .send::<Administrator>(Method::PATCH, &path, Some(rights_wish(&form)))
        .await;
    let wrong = match changed {
        Ok(after) => return desk.go_told(PLACE, after.rights_told()),
        Err(wrong) => wrong,
    };
    let mut page = rights_page(&desk, &administrator).await?;
    let status = wrong.status;
    page.wrong = Some(wrong);
    page.role = form.text("role").to_owned();
    page.choices = choices(&desk, &form.ticked("connector.")).await?;
    show_wrong(status, &page)
}

/// `POST /console/administrators/{administrator}/reset`
pub(super) async fn reset(desk: Desk, Path(administrator): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    desk.once(&form, PLACE, async {
        let path = ["administrators", &administrator, "reset"];
        let link: Link = desk.send(Method::POST, &path, None).await?;
        link.show(&desk, "A link for a new password")
    })
    .await
}

/// `POST /console/administrators/sign-in`
pub(super) async fn sign_in_rules(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let is_required = form.text("require_second_factor") == "true";
    let wish = json!({ "require_second_factor": is_required });
    let _changed: Value = desk.send(Method::PATCH, &["sign-in"], Some(wish)).await?;
    desk.go_told(
        PLACE,
        match is_required {
            true => "Everybody needs a second factor from now on.",
            false => "A second factor is no longer required.",
        },
    )
}

/// `GET /console/administrators/{administrator}/second-factor`
pub(super) async fn ask_reset_second_factor(
    desk: Desk,
    Path(administrator): Path<String>,
) -> Shown {
    let found = find(&desk, &administrator).await?;
    Confirm::new("administrators", format!("Reset the second factor of {}?", found.name))
        .effect(
            "The person is signed out, and signs in with the password alone until a new second factor is set up. Be sure \
             that it is this person who asks you.",
        )
        .verb("Reset")
        .action(format!("{PLACE}/{}/second-factor", segment(&found.id)))
        .back(PLACE)
        .show(&desk)
}

/// `POST /console/administrators/{administrator}/second-factor`
pub(super) async fn reset_second_factor(
    desk: Desk,
    Path(administrator): Path<String>,
    body: Body,
) -> Shown {
    desk.form(body).await?;
    let name = find(&desk, &administrator).await?.name;
    let path = ["administrators", &administrator, "second-factor"];
    let _nothing: Value = desk.send(Method::DELETE, &path, None).await?;
    desk.go_told(PLACE, format!("The second factor of {name} is removed."))
}

/// `GET /console/administrators/{administrator}/delete`
pub(super) async fn ask_delete(desk: Desk, Path(administrator): Path<String>) -> Shown {
    let found = find(&desk, &administrator).await?;
    let mut question = Confirm::new("administrators", format!("Delete the administrator {}?", found.name))
        .effect("The person is signed out at once and cannot sign in any more. What they did stays in the journal under their name.");
    if let Some(ends) = links_of(&desk, &found.id).await? {
        question = question.effect(ends);
    }
    question
        .verb("Delete")
        .action(format!(
            "/console/administrators/{}/delete",
            segment(&found.id)
        ))
        .back(PLACE)
        .show(&desk)
}

/// `POST /console/administrators/{administrator}/delete`
pub(super) async fn delete(desk: Desk, Path(administrator): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let name = find(&desk, &administrator).await?.name;
    let path = ["administrators", &administrator];
    let _nothing: Value = desk.send(Method::DELETE, &path, None).await?;
    desk.go_told(PLACE, format!("The administrator {name} is deleted."))
}

async fn find(desk: &Desk, administrator: &str) -> Result<Administrator, Trouble> {
    desk.get(&["administrators", administrator], &[]).await
}

/// `GET /console/invitations/{invitation}/revoke`
pub(super) async fn ask_revoke(desk: Desk, Path(invitation): Path<String>) -> Shown {
    Confirm::new("settings", "Take back the link to a new account or password?")
        .effect("Whoever has it opens nothing with it from then on. Accounts that are there stay as they are.")
        .verb("Take back")
        .action(format!("/console/invitations/{}/revoke", segment(&invitation)))
        .back(PLACE)
        .show(&desk)
}

/// `POST /console/invitations/{invitation}/revoke`
pub(super) async fn revoke(desk: Desk, Path(invitation): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let path = ["invitations", &invitation];
    let _nothing: Value = desk.send(Method::DELETE, &path, None).await?;
    desk.go_told(PLACE, "The link is revoked.")
}
