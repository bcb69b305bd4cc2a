//! A SCIM client that proved to be one of the connector in the path: by a token, by id and secret of
//! a client, or by a token that its identity provider signed.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use directory::{Cause, ConnectorState, Trigger};
use percent_encoding::percent_decode_str;
use provision::{Credential, LoadedConnector, ProvisionError, can_be_scim_token};
use scim::catalogue;
use sha2::{Digest, Sha256};
use store::Access;

use super::jwt::{self, SignedTokens};
use super::known::{Known, Moment};
use super::refusal::Refusal;
use super::{Presented, address_behind, basic_pair, may_come_from, presented, request_id};
use crate::App;
use crate::traffic::Turn;

/// The proof that a request may act for one connector, and only for that one.
#[derive(Clone)]
pub struct ScimCaller {
    /// The connector, named by the credential.
    pub connector: Arc<LoadedConnector>,
    /// Who acts, in which request, for the journal.
    pub cause: Cause,
    /// Where the connector's resources are, without a slash at the end.
    pub base_url: String,
    /// The id of the credential; empty if it has none.
    pub credential_id: String,
}

/// A credential and the connector it opens.
pub(crate) struct Admitted {
    credential: Credential,
    connector: Arc<LoadedConnector>,
}

/// What is remembered of credentials that were right a moment ago.
#[derive(Default)]
pub(crate) struct KnownCallers {
    /// By the digest of what was shown and for which path.
    admitted: Known<[u8; 32], Admitted>,
    /// By the id in the path.
    connectors: Known<String, LoadedConnector>,
}

/// The caller of the SCIM face, if what a request shows opens the connector in its path, from where it comes and for
/// what it wants; and its place among the requests in flight, kept while it is answered.
pub(crate) async fn scim_caller(
    app: &App,
    request: &Parts,
) -> Result<(ScimCaller, Turn), Response> {
    let address = address_behind(app, &request.extensions, &request.headers);
    let refused = |refusal: Refusal| refusal.counted(app, address).into_scim();
    let admitted = admit(app, request, address).await.map_err(refused)?;
    let connector = &admitted.connector.connector;
    let credentials = &connector.settings.credentials;
    let turn = app.inner().traffic.enter(connector.id, credentials).await;
    let turn = turn.map_err(|later| refused(Refusal::later(later)))?;
    let caller = ScimCaller {
        cause: Cause {
            trigger: Trigger::Scim,
            connector: Some(connector.id),
            actor: admitted.credential.label.clone(),
            request: request_id(&request.headers),
        },
        base_url: format!(
            "{}/scim/v2/{}",
            app.base_url(&request.headers),
            connector.public_id
        ),
        connector: Arc::clone(&admitted.connector),
        credential_id: admitted.credential.id.clone(),
    };
    Ok((caller, turn))
}

async fn admit(
    app: &App,
    request: &Parts,
    address: Option<IpAddr>,
) -> Result<Arc<Admitted>, Refusal> {
    let named = named_connector(request.uri.path());
    let at = Moment::of(app.provision().store());
    let admitted = prove(app, named, &request.headers, at).await;
    if request.uri.query().is_some_and(tells_a_token) {
        return Err(Refusal::exposed(admitted.is_err()));
    }
    let admitted = admitted?;
    if admitted.connector.connector.state == ConnectorState::Disabled {
        return Err(Refusal::anonymous(
            &catalogue::CONNECTOR_SWITCHED_OFF,
            "The connector is switched off. An administrator has to switch it on before the identity provider can write.",
        ));
    }
    let credential = &admitted.credential;
    for (ranges, whose) in [
        (&admitted.connector.addresses, "The connector"),
        (&credential.addresses, "The credential"),
    ] {
        if !may_come_from(ranges, address) {
            return Err(Refusal::address(whose, address));
        }
    }
    if credential.access == Access::ReadOnly && writes(request) {
        return Err(Refusal::read_only());
    }
    if !credential.id.is_empty() {
        app.inner().seen.token(&credential.id, at.now, address);
    }
    Ok(admitted)
}

/// The id of the connector in a path, as it is written: what is encoded otherwise names none.
fn named_connector(path: &str) -> &str {
    path.split('/').nth(3).unwrap_or_default()
}

/// Whether a request changes anything. A search by POST does not (RFC 7644 section 3.4.3).
fn writes(request: &Parts) -> bool {
    let is_search = request.method == Method::POST && request.uri.path().ends_with("/.search");
    !request.method.is_safe() && !is_search
}

/// Whether a query holds what belongs into a header: it is in the logs of every proxy by now. Text that only looks like
/// the beginning of a token may be somebody's name.
fn tells_a_token(query: &str) -> bool {
    let query = percent_decode_str(query).decode_utf8_lossy();
    query.split('&').any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let named = name.eq_ignore_ascii_case("access_token") && !value.is_empty();
        let mut words =
            value.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        named || words.any(can_be_scim_token)
    })
}

/// A form of credential; the digests of one text in two forms differ.
#[derive(Clone, Copy)]
enum Form {
    Token,
    Bare,
    Header,
    Basic,
    Signed,
}

async fn prove(
    app: &App,
    named: &str,
    headers: &HeaderMap,
    at: Moment,
) -> Result<Arc<Admitted>, Refusal> {
    match presented(headers) {
        Presented::Bearer(token) if SignedTokens::has_form(token) => {
            let key = digest(Form::Signed, named, token);
            match live(app, &key, at) {
                Some(known) => Ok(known),
                None => signed(app, named, token, key, at).await,
            }
        }
        Presented::Bearer(token) => by_token(app, named, token, Form::Token, at).await,
        Presented::Basic(pair) => by_client(app, named, pair, at).await,
        Presented::Bare(token) => {
            let admitted = by_token(app, named, token, Form::Bare, at).await;
            admitted.map_err(|refusal| match can_be_scim_token(token) {
                true => refusal,
                false => Refusal::no_scheme(),
            })
        }
        Presented::Nothing => by_header(app, named, headers, at).await,
        unusable => Err(Refusal::unusable(&unusable)),
    }
}

/// The header that the connector of the path names.
async fn by_header(
    app: &App,
    named: &str,
    headers: &HeaderMap,
    at: Moment,
) -> Result<Arc<Admitted>, Refusal> {
    let connector = connector(app, named, at).await?;
    let name = connector.as_ref().and_then(|connector| {
        let credentials = &connector.connector.settings.credentials;
        credentials.token_header.as_deref()
    });
    let Some(name) = name else {
        return Err(Refusal::nothing());
    };
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => {
            let text = value.to_str().unwrap_or_default().trim();
            let token = match text.split_once(' ') {
                Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
                _ => text,
            };
            by_token(app, named, token, Form::Header, at).await
        }
        (Some(_), Some(_)) => Err(Refusal::unusable(&Presented::Several)),
        (None, _) => Err(Refusal::nothing()),
    }
}

async fn by_token(
    app: &App,
    named: &str,
    token: &str,
    form: Form,
    at: Moment,
) -> Result<Arc<Admitted>, Refusal> {
    let key = digest(form, named, token);
    if let Some(known) = live(app, &key, at) {
        return Ok(known);
    }
    if !can_be_scim_token(token) {
        return Err(Refusal::malformed(token));
    }
    let (provision, token) = (app.provision().clone(), token.to_owned());
    let found = app
        .provision()
        .store()
        .look_up(move |tx| {
            let Some((credential, connector)) = provision.scim_credential(tx, &token)? else {
                return Ok(None);
            };
            let loaded = provision.load_connector(tx, connector)?;
            Ok::<_, ProvisionError>(loaded.map(|connector| Admitted {
                credential,
                connector,
            }))
        })
        .await
        .map_err(Refusal::store)?;
    let admitted = of_path(found, named)?;
    let credentials = &admitted.connector.connector.settings.credentials;
    if matches!(form, Form::Bare) && !credentials.bare_token {
        return Err(Refusal::no_scheme());
    }
    Ok(keep(app, key, admitted, at))
}

async fn by_client(
    app: &App,
    named: &str,
    pair: &str,
    at: Moment,
) -> Result<Arc<Admitted>, Refusal> {
    let key = digest(Form::Basic, named, pair);
    if let Some(known) = live(app, &key, at) {
        return Ok(known);
    }
    let Some((id, secret)) = basic_pair(pair) else {
        return Err(Refusal::unusable(&Presented::Basic(pair)));
    };
    let provision = app.provision().clone();
    let found = app
        .provision()
        .store()
        .look_up(move |tx| {
            let found = provision.client_credential(tx, &id, &secret)?;
            let Some((credential, connector)) = found else {
                return Ok(None);
            };
            let loaded = provision.load_connector(tx, connector)?;
            Ok::<_, ProvisionError>(loaded.map(|connector| Admitted {
                credential,
                connector,
            }))
        })
        .await
        .map_err(Refusal::store)?;
    let admitted = match found {
        Some(found) => of_path(Some(found), named)?,
        None => return Err(Refusal::wrong_pair()),
    };
    if !admitted.connector.connector.settings.credentials.basic {
        return Err(Refusal::basic_is_off());
    }
    Ok(keep(app, key, admitted, at))
}

async fn signed(
    app: &App,
    named: &str,
    token: &str,
    key: [u8; 32],
    at: Moment,
) -> Result<Arc<Admitted>, Refusal> {
    let connector = connector(app, named, at).await?;
    let settings = connector.as_ref().and_then(|connector| {
        let credentials = &connector.connector.settings.credentials;
        credentials.jwt.as_ref()
    });
    let (Some(connector), Some(settings)) = (&connector, settings) else {
        return Err(Refusal::no_signed_tokens());
    };
    let verified = app.inner().signed.verify(token, settings, at.now).await;
    let credential = verified.map_err(|refused| match refused {
        jwt::Refused::Token(why) => Refusal::invalid_token(&catalogue::SIGNED_TOKEN_REFUSED, why),
        jwt::Refused::Keys(why) => Refusal::no_keys(&settings.issuer, &why),
    })?;
    let admitted = Admitted {
        credential,
        connector: Arc::clone(connector),
    };
    Ok(keep(app, key, admitted, at))
}

/// What was found, if it is of the connector in the path.
fn of_path(found: Option<Admitted>, named: &str) -> Result<Admitted, Refusal> {
    let admitted = found.ok_or_else(Refusal::unknown_token)?;
    if admitted.connector.connector.public_id != named {
        return Err(Refusal::invalid_token(
            &catalogue::TOKEN_OF_ANOTHER_CONNECTOR,
            "The token belongs to another connector than the one in the URL. Check the base URL and the token: both are shown together when a connector is made.",
        ));
    }
    Ok(admitted)
}

/// What this very text opened a moment ago, unless its time is over since.
fn live(app: &App, key: &[u8; 32], at: Moment) -> Option<Arc<Admitted>> {
    let known = app.inner().callers.admitted.get(key, at)?;
    known.credential.is_live(at.now).then_some(known)
}

fn keep(app: &App, key: [u8; 32], admitted: Admitted, at: Moment) -> Arc<Admitted> {
    let admitted = Arc::new(admitted);
    let known = &app.inner().callers.admitted;
    known.keep(key, at, Arc::clone(&admitted));
    admitted
}

/// The connector with this id in its URLs.
async fn connector(
    app: &App,
    named: &str,
    at: Moment,
) -> Result<Option<Arc<LoadedConnector>>, Refusal> {
    let known = &app.inner().callers.connectors;
    if let Some(known) = known.get(named, at) {
        return Ok(Some(known));
    }
    let (provision, id) = (app.provision().clone(), named.to_owned());
    let found = app
        .provision()
        .store()
        .look_up(move |tx| match tx.find_connector(&id)? {
            Some(found) if found.connector.public_id == id => {
                provision.load_connector(tx, found.connector.id)
            }
            _ => Ok::<_, ProvisionError>(None),
        })
        .await
        .map_err(Refusal::store)?;
    if let Some(found) = &found {
        known.keep(named.to_owned(), at, Arc::clone(found));
    }
    Ok(found)
}

fn digest(form: Form, named: &str, shown: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update([form as u8]);
    digest.update(named.as_bytes());
    digest.update([0]);
    digest.update(shown.as_bytes());
    digest.finalize().into()
}
