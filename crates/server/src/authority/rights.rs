//! What a caller may do at the admin API: decided here alone, for every route, before its handler runs.

use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use store::Role;

use super::Admin;
use super::reach::{self, Asked};
use crate::App;
use crate::api::{BASE, Problem};
use crate::operations::Operations;

/// Below these, whatever changes something is for owners: it is about who may do what, or about everything at once.
const OWNED: [&str; 9] = [
    "/administrators",
    "/audit",
    "/configuration/apply",
    "/configuration/seal",
    "/invitations",
    "/notifications",
    "/sign-in",
    "/subscriptions",
    "/tokens",
];
/// What only owners may look at: it is everything at once, with what guards the way in.
const SECRET: &str = "/backup";
/// The same of this: from where somebody works, and when.
const SESSIONS: &str = "/administrators/{administrator}/sessions";
/// Below here are the caller's own name, password and second factor.
const ACCOUNT: &str = "/account";

/// What a request takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// To be an administrator who is signed in.
    Account,
    /// To look.
    Read,
    /// To change what the server does.
    Operate,
    /// To change who may do what, or everything at once.
    Own,
}

/// Lets a request through to its handler if its caller may do this.
pub(crate) async fn decide(
    State((app, operations)): State<(App, Operations)>,
    request: Request,
    next: Next,
) -> Response {
    // Without a proof the handler does not run either: the proof is its argument.
    let Some(admin) = request.extensions().get::<Admin>().cloned() else {
        return next.run(request).await;
    };
    let (mut parts, body) = request.into_parts();
    match decided(&app, &operations, &admin, &mut parts).await {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => problem.into_response(),
    }
}

async fn decided(
    app: &App,
    operations: &Operations,
    admin: &Admin,
    parts: &mut Parts,
) -> Result<(), Problem> {
    let matched = parts.extensions.get::<MatchedPath>().cloned();
    let route = match &matched {
        Some(matched) => matched.as_str(),
        None => parts.uri.path(),
    };
    let route = route.strip_prefix(BASE).unwrap_or(route).to_owned();
    let only_asks = operations.only_ask(&parts.method, &route);
    if let Some(detail) = refusal(admin, need(only_asks, &route)) {
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    if admin.rights.connectors.is_none() {
        return Ok(());
    }
    let segments = RawPathParams::from_request_parts(parts, &()).await;
    let segments = segments.map_err(|_rejection| Problem::unreadable_path())?;
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let asked = Asked {
        method: &parts.method,
        route: &route,
        segments: segments.iter().map(owned).collect(),
        query: parts.uri.query().unwrap_or_default(),
    };
    reach::check(app, &admin.rights, &asked).await
}

fn need(only_asks: bool, place: &str) -> Need {
    if is_below(place, ACCOUNT) {
        return Need::Account;
    }
    if is_below(place, SECRET) || is_below(place, SESSIONS) {
        return Need::Own;
    }
    if only_asks {
        return Need::Read;
    }
    match OWNED.iter().any(|owned| is_below(place, owned)) {
        true => Need::Own,
        false => Need::Operate,
    }
}

/// Whether a route is this one or one below it.
fn is_below(route: &str, base: &str) -> bool {
    let rest = route.strip_prefix(base);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Why a caller may not do what takes this, and what to do.
fn refusal(admin: &Admin, need: Need) -> Option<&'static str> {
    if need == Need::Account {
        return match admin.account() {
            Some(_) => None,
            None => Some("Only an administrator who is signed in to the console has an account."),
        };
    }
    if admin.account_only {
        return Some(
            "A second factor is required. Set yours up first, under your name in the console.",
        );
    }
    match (admin.rights.role, need) {
        (Role::Owner, _) | (_, Need::Read) | (Role::Operator, Need::Operate) => None,
        (Role::Operator, _) => Some(
            "Only an owner may do this. Ask one of them; the list of administrators tells who they are.",
        ),
        (Role::Auditor, _) => Some(
            "An auditor looks at everything and changes nothing, and so does a token that may only read. Ask an owner for another role.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use super::*;

    #[test]
    fn what_is_about_rights_is_for_owners() {
        let operations = Operations::of(&crate::api::description());
        for (method, route, needed) in [
            (Method::GET, "/administrators", Need::Read),
            (Method::POST, "/invitations", Need::Own),
            (Method::DELETE, "/tokens/{token}", Need::Own),
            (Method::POST, "/tokens2", Need::Operate),
            (
                Method::POST,
                "/connectors/{connector}/tokens",
                Need::Operate,
            ),
            (Method::POST, "/configuration/plan", Need::Read),
            (Method::POST, "/configuration/apply", Need::Own),
            (Method::POST, "/configuration/seal", Need::Own),
            (Method::GET, "/backup", Need::Own),
            (Method::HEAD, "/backup", Need::Own),
            (
                Method::GET,
                "/administrators/{administrator}/sessions",
                Need::Own,
            ),
            (Method::GET, "/account", Need::Account),
            (Method::POST, "/nowhere", Need::Operate),
        ] {
            let only_asks = operations.only_ask(&method, route);
            assert_eq!(need(only_asks, route), needed, "{method} {route}");
        }
    }
}
