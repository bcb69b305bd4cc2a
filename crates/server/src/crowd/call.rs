//! A request to the Crowd face: who asks, with which parameters, for which format.

use ::crowd::query::Query;
use ::crowd::transport::{BASE_PATH, CONTEXT};
use ::crowd::{Attributes, Body as Document, CrowdError, Format, Links, Reason, Style};
use axum::extract::{FromRequestParts, OriginalUri, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::Response;
use directory::{DirectoryId, Group, User};
use provision::Writer;
use store::{Attribute, ReadTx};

use super::negotiate::format_of;
use super::view::View;
use super::{Face, Refusal};
use crate::authority::CrowdApplication;
use crate::body;
use crate::limits::CROWD_BODY_BYTES_MAX;

/// Everything a handler needs to know of a request but its body.
pub(super) struct Call {
    pub(super) face: Face,
    pub(super) application: CrowdApplication,
    pub(super) query: Query,
    pub(super) style: Style,
}

impl FromRequestParts<Face> for Call {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, face: &Face) -> Result<Call, Response> {
        let application = CrowdApplication::from_request_parts(parts, face).await?;
        let whole = parts
            .extensions
            .get::<OriginalUri>()
            .map_or(&parts.uri, |original| &original.0);
        let context = if whole.path().starts_with(BASE_PATH) {
            ""
        } else {
            CONTEXT
        };
        let links = Links::new(&format!("{}{context}{BASE_PATH}/1", application.base_url));
        let query = Query::parse(whole.query().unwrap_or_default())
            .map_err(|error| axum::response::IntoResponse::into_response(Refusal::from(error)))?;
        Ok(Call {
            face: face.clone(),
            application,
            query,
            style: Style::new(format_of(&parts.headers), links),
        })
    }
}

impl Call {
    /// What the application sees.
    pub(super) fn view(&self) -> &View {
        &self.application.view
    }

    /// The format of the answer.
    pub(super) fn format(&self) -> Format {
        self.style.format
    }

    /// The parameter `username`.
    pub(super) fn username(&self) -> Result<String, Refusal> {
        Ok(self.query.required("username")?.to_owned())
    }

    /// The parameter `groupname`.
    pub(super) fn groupname(&self) -> Result<String, Refusal> {
        Ok(self.query.required("groupname")?.to_owned())
    }

    /// The right to write locally, wherever that may be.
    pub(super) fn may_write(&self) -> Result<(), Refusal> {
        self.application.may_write().then_some(()).ok_or_else(|| {
            Refusal::forbidden(format!(
                "Application <{}> may only read. An administrator can give it read-write access here, or set the directory to read-only in the product.",
                self.application.name
            ))
        })
    }

    /// The application as the author of local writes in one of its directories.
    pub(super) fn writer(&self, directory: DirectoryId) -> Writer {
        self.application.writer(directory)
    }

    /// The author of writes in the directory that a user is from. Who is not seen is not there: a directory
    /// may have users whom the application must not touch.
    pub(super) async fn writer_at_user(&self, name: &str) -> Result<Writer, Refusal> {
        let sought = name.to_owned();
        let found = self
            .look_up(move |tx, view| Ok(view.directory_of_user(tx, &sought)?))
            .await?;
        match found {
            Some(directory) => Ok(self.writer(directory)),
            None => Err(CrowdError::user_not_found(name).into()),
        }
    }

    /// The author of writes in the first directory that has a group. What is not seen is not there.
    pub(super) async fn writer_at_group(&self, name: &str) -> Result<Writer, Refusal> {
        let sought = name.to_owned();
        let found = self
            .look_up(move |tx, view| Ok(view.directories_of_group(tx, &sought)?))
            .await?;
        if found.is_empty() && self.view().hides_groups() {
            return Err(CrowdError::group_not_found(name).into());
        }
        // A group that is nowhere is missed in the first directory.
        let directory = found.first().copied().or_else(|| self.view().first());
        let directory = directory.ok_or_else(|| {
            Refusal::forbidden(
                "This application sees no directory. An administrator can give it one.",
            )
        })?;
        Ok(self.writer(directory))
    }

    /// Reads a request's body.
    pub(super) async fn read<T: Document>(&self, request: Request) -> Result<T, Refusal> {
        let (parts, body) = request.into_parts();
        let bytes = body::read(&parts.headers, body, CROWD_BODY_BYTES_MAX).await?;
        let kind = parts
            .headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        Ok(T::read(&bytes, kind)?)
    }

    /// Runs a few index look-ups in what the application sees.
    pub(super) async fn look_up<T: Send + 'static>(
        &self,
        closure: impl Fn(&ReadTx<'_>, &View) -> Result<T, Refusal> + Send + Sync + 'static,
    ) -> Result<T, Refusal> {
        let view = self.view().clone();
        let store = self.face.app.provision().store();
        store.look_up(move |tx| closure(tx, &view)).await
    }
}

/// The user of this name, or the refusal that says there is none.
pub(super) fn find_user(tx: &ReadTx<'_>, view: &View, name: &str) -> Result<User, Refusal> {
    let found = view.user(tx, name)?;
    found.ok_or_else(|| CrowdError::user_not_found(name).into())
}

/// The group of this name, or the refusal that says there is none.
pub(super) fn find_group(tx: &ReadTx<'_>, view: &View, name: &str) -> Result<Group, Refusal> {
    let found = view.group(tx, name)?;
    found.ok_or_else(|| CrowdError::group_not_found(name).into())
}

/// The refusal of a user who may not log in to this application.
pub(super) fn only_admitted(tx: &ReadTx<'_>, view: &View, user: &User) -> Result<(), Refusal> {
    if view.admits(tx, user)? {
        return Ok(());
    }
    let message = format!(
        "User <{}> is in none of the groups that may log in to this application",
        user.name
    );
    Err(CrowdError::new(Reason::ApplicationAccessDenied, message).into())
}

/// Refuses to list those who may log in where the groups that let them in are gone: a product would forget
/// everybody else.
pub(super) fn only_open(tx: &ReadTx<'_>, view: &View, application: &str) -> Result<(), Refusal> {
    let Some(groups) = view.shut_gate(tx)? else {
        return Ok(());
    };
    let groups = groups.join(", ");
    tracing::warn!(
        application,
        groups,
        "nothing is listed, since the login groups are gone"
    );
    let message = format!(
        "Application <{application}> shows only users who may log in, and its login groups ({groups}) do not \
         exist. So that the product does not forget everybody, nothing is listed until an administrator \
         names other groups."
    );
    let error = CrowdError::new(Reason::OperationFailed, message);
    Err(error.with_status(503).into())
}

/// Attributes by name.
pub(super) fn by_name(attributes: Vec<Attribute>) -> Attributes {
    attributes
        .into_iter()
        .map(|attribute| (attribute.name, attribute.values))
        .collect()
}
