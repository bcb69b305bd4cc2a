//! The admin API without a network in between: for the console's pages, and for commands on a data folder.

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use provision::ProvisionError;
use store::{ActorKind, Rights, Role};
use tower::ServiceExt;

use crate::authority::Admin;
use crate::{App, api};

/// The admin API for callers who have proved who they are elsewhere. Cheap to clone.
#[derive(Clone)]
pub struct LocalApi {
    app: App,
    router: Router,
}

/// Who calls, and how that was reached.
#[derive(Clone)]
pub struct Caller {
    pub(crate) proof: Admin,
    /// What tells the address of this server.
    pub(crate) headers: HeaderMap,
}

impl Caller {
    /// Somebody who has the store itself in hand, by name, for the journal.
    pub fn owner(name: &str) -> Self {
        Self {
            proof: Admin {
                name: name.to_owned(),
                request: String::new(),
                rights: Rights::of(Role::Owner),
                kind: ActorKind::CommandLine,
                id: None,
                address: None,
                account_only: false,
            },
            headers: HeaderMap::new(),
        }
    }
}

impl LocalApi {
    /// The API on these use cases.
    pub fn new(app: App) -> Self {
        Self {
            router: api::unguarded_routes(app.clone()).with_state(app.clone()),
            app,
        }
    }

    /// Does what is owed: evaluations and imports that a server would do beside its other work.
    pub async fn work_off(&self) -> Result<(), ProvisionError> {
        self.app.provision().work_off().await.map(|_count| ())
    }

    /// An answer as it is given, perhaps piece by piece. A body is JSON.
    pub(crate) async fn answer(
        &self,
        caller: &Caller,
        method: Method,
        url: &str,
        body: Option<String>,
    ) -> Result<Response, axum::Error> {
        let body = body.map(|body| ("application/json", Body::from(body)));
        self.answer_to(caller, method, url, body).await
    }

    /// The same to a body of another type.
    pub(crate) async fn answer_to(
        &self,
        caller: &Caller,
        method: Method,
        url: &str,
        body: Option<(&'static str, Body)>,
    ) -> Result<Response, axum::Error> {
        let request = Request::builder().method(method).uri(url);
        let request = match body {
            Some((kind, body)) => request.header(CONTENT_TYPE, kind).body(body),
            None => request.body(Body::empty()),
        };
        let mut request = request.map_err(axum::Error::new)?;
        request.headers_mut().extend(caller.headers.clone());
        request.extensions_mut().insert(self.known(caller));
        match self.router.clone().oneshot(request).await {
            Ok(answer) => Ok(answer),
            Err(never) => match never {},
        }
    }

    /// The proof of a caller, with an id by which the journal and an undo know what this one request did.
    fn known(&self, caller: &Caller) -> Admin {
        let mut proof = caller.proof.clone();
        if proof.request.is_empty() {
            proof.request = self.app.provision().store().new_request_id().to_string();
        }
        proof
    }

    /// Hands a file of the API over as it comes. If the answer is no success, its text is given instead.
    pub async fn download(
        &self,
        caller: &Caller,
        url: &str,
        mut each: impl FnMut(&[u8]) -> std::io::Result<()>,
    ) -> Result<(StatusCode, String), axum::Error> {
        let answer = self.answer(caller, Method::GET, url, None).await?;
        let status = answer.status();
        let mut body = answer.into_body();
        if !status.is_success() {
            let bytes = body.collect().await?.to_bytes();
            return Ok((status, String::from_utf8_lossy(&bytes).into_owned()));
        }
        while let Some(frame) = body.frame().await {
            if let Ok(bytes) = frame?.into_data() {
                each(&bytes).map_err(axum::Error::new)?;
            }
        }
        Ok((status, String::new()))
    }

    /// The status and the text of an answer. A body is JSON.
    pub async fn call(
        &self,
        caller: &Caller,
        method: Method,
        url: &str,
        body: Option<String>,
    ) -> Result<(StatusCode, String), axum::Error> {
        text_of(self.answer(caller, method, url, body).await?).await
    }

    /// The same of a file that is sent, of this type.
    pub(crate) async fn upload(
        &self,
        caller: &Caller,
        method: Method,
        url: &str,
        file: (&'static str, Body),
    ) -> Result<(StatusCode, String), axum::Error> {
        let answer = self.answer_to(caller, method, url, Some(file)).await?;
        text_of(answer).await
    }
}

async fn text_of(answer: Response) -> Result<(StatusCode, String), axum::Error> {
    let status = answer.status();
    let bytes = answer.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}
