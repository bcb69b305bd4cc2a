//! Errors before the request itself counts: credentials, limits, addresses, and trouble of the server.

use super::section;

section! { CREDENTIALS "Credentials"
CREDENTIALS_MISSING "credentials-missing" 401 {
    meaning: "The request shows no credentials.",
    cause: "The field for the token is empty at the identity provider, or a proxy on the way drops the Authorization header.",
    remedy: "Enter the connector's token; `vestibule connector rotate-token NAME` makes a new one.",
}
AUTHORIZATION_WITHOUT_SCHEME "authorization-without-scheme" 401 {
    meaning: "The Authorization header holds one word, and not `Bearer` and a token.",
    cause: "Okta's *Header Auth* app sends what was typed, as it was typed.",
    remedy: "Write `Bearer`, a blank and the token in that field, or switch on `bare_token` in the connector's settings.",
}
AUTHORIZATION_UNREADABLE "authorization-unreadable" 401 {
    meaning: "What is in the Authorization header cannot be used.",
    cause: "A scheme that is not offered, a text that is too long, or a user name and password that are not in base64.",
    remedy: "Choose the bearer token as the way of authentication at the identity provider, and enter the token and nothing else.",
}
BASIC_SWITCHED_OFF "basic-switched-off" 401 {
    meaning: "User name and password are shown, which the connector does not take.",
    cause: "Basic authentication is chosen at the identity provider.",
    remedy: "Choose the bearer token there, or switch on `basic` in the connector's settings.",
}
CLIENT_UNKNOWN "client-unknown" 401 {
    meaning: "User name and password are not the id and secret of a client of this connector.",
    cause: "A token was entered as the password, or the client was deleted.",
    remedy: "Enter id and secret of a client (`vestibule client create`), or use the bearer token.",
}
TOKEN_MALFORMED "token-malformed" 401 {
    meaning: "The text shown as a token cannot be a connector's token.",
    cause: "It was cut while it was copied, or it is another secret: one of the admin API, of a client, or of another product.",
    remedy: "Copy the whole token again; it begins with `vst_scim_`.",
}
TOKEN_UNKNOWN "token-unknown" 401 {
    meaning: "The token is not known, has expired, or was revoked.",
    cause: "The token was rotated here and is still the former one at the identity provider. Entra ID puts the job into quarantine meanwhile.",
    remedy: "Make a new one with `vestibule connector rotate-token NAME`, and enter it at the identity provider; in Entra ID restart provisioning afterwards.",
}
TOKEN_OF_ANOTHER_CONNECTOR "token-of-another-connector" 401 {
    meaning: "The token belongs to another connector than the one in the URL.",
    cause: "Base URL and token were copied from different connectors.",
    remedy: "Copy both from the same connector.",
}
SIGNED_TOKENS_SWITCHED_OFF "signed-tokens-switched-off" 401 {
    meaning: "The token is one that the identity provider signed itself, and the connector takes none.",
    cause: "In Entra ID the field *Secret Token* is empty.",
    remedy: "Enter the connector's token there, or let the connector take signed tokens (`jwt` in its settings).",
}
SIGNED_TOKEN_REFUSED "signed-token-refused" 401 {
    meaning: "The token is signed, but not one that the connector takes.",
    cause: "Issuer, audience, signature or time are others than the settings of the connector say; the sentence names which.",
    remedy: "Compare `jwt` in the connector's settings with the tenant, and the clocks of both sides.",
}
TOKEN_IN_ADDRESS "token-in-address" 403 Sensitive {
    meaning: "The URL holds a token, where logs keep it.",
    cause: "The token was entered as a part of the base URL.",
    remedy: "Take it out of the URL, make a new one, and send that as a bearer token.",
}
CONNECTOR_SWITCHED_OFF "connector-switched-off" 403 {
    meaning: "The connector is disabled.",
    cause: "An administrator disabled it.",
    remedy: "Enable it with `vestibule connector resume NAME`; what was missed comes with the next full cycle.",
}
SEVERAL_CREDENTIALS "several-credentials" 400 {
    meaning: "The request shows more than one credential.",
    cause: "A proxy on the way adds an Authorization header of its own.",
    remedy: "Send one only; change the proxy.",
}
ADDRESS_NOT_ALLOWED "address-not-allowed" 403 {
    meaning: "The connector or the credential may not be used from this address.",
    cause: "The identity provider sends from new addresses, or a proxy is not named in `trusted_proxies` and is taken for the sender.",
    remedy: "Add the address that the sentence names to the allowed ones, or name the proxy.",
}
CREDENTIAL_READS_ONLY "credential-reads-only" 403 {
    meaning: "The credential may only read, and the request would change something.",
    cause: "A token that was made for an import is used for provisioning.",
    remedy: "Use a credential that may also write.",
}
ISSUER_KEYS_UNAVAILABLE "issuer-keys-unavailable" 503 {
    meaning: "The signature of a token cannot be checked, because the issuer's keys cannot be fetched.",
    cause: "This server cannot reach the issuer; the sentence says how it failed.",
    remedy: "Let the server reach the issuer's address. The client repeats by itself.",
}
}

section! { LIMITS "Too much at once"
TOO_MANY_REQUESTS "too-many-requests" 429 {
    meaning: "The connector asks more often than it may.",
    cause: "A full cycle of a large tenant. Okta and Entra ID wait as long as `Retry-After` says, and go on.",
    remedy: "Nothing, if it passes; else raise the limit of the connector.",
}
TOO_MANY_FAILURES "too-many-failures" 429 {
    meaning: "Too many requests with wrong credentials came from this address.",
    cause: "A wrong token, or somebody who guesses.",
    remedy: "Correct the credentials, which the sentence tells more about; then wait as long as `Retry-After` says.",
}
TOO_MANY_AT_ONCE "too-many-at-once" 503 {
    meaning: "Too many requests of the connector are in progress.",
    cause: "The client sends in parallel, and something slows the server down.",
    remedy: "Nothing, if it passes; else look at the load of the server and its database.",
}
TOO_MANY_PASSWORDS "too-many-passwords" 503 {
    meaning: "Too many passwords are being set at once.",
    cause: "Passwords of many people are pushed in parallel; keeping one costs work on purpose.",
    remedy: "Nothing: the client repeats. If passwords are not used for logins, switch their synchronization off.",
}
}

section! { ADDRESSES "Addresses and methods"
BASE_ADDRESS_WRONG "base-address-wrong" 404 {
    meaning: "The path names no connector.",
    cause: "The base URL was copied in part. In Entra ID the field is called *Tenant URL*.",
    remedy: "Copy the base URL as it is shown with the connector: `https://<server>/scim/v2/<connector>`.",
}
ENDPOINT_UNKNOWN "endpoint-unknown" 404 {
    meaning: "There is no such endpoint below the base URL.",
    cause: "Something was appended to the base URL, such as `/Users` or a second `/scim/v2`.",
    remedy: "Enter the base URL without anything after the connector.",
}
USER_NOT_FOUND "user-not-found" 404 {
    meaning: "No user of this connector has this id.",
    cause: "The user was deleted here, or the identity provider was pointed at another connector and keeps the ids of the former one.",
    remedy: "Let the identity provider look the user up again: in Okta unassign and assign the user, in Entra ID restart provisioning.",
}
GROUP_NOT_FOUND "group-not-found" 404 {
    meaning: "No group of this connector has this id.",
    cause: "The group was deleted here, or the identity provider keeps the id of a former connector. Okta shows an error at the push mapping.",
    remedy: "In Okta use *Push now*, or unlink the group and push it again; in Entra ID restart provisioning.",
}
RESOURCE_TYPE_UNKNOWN "resource-type-unknown" 404 {
    meaning: "There is no such resource type.",
    cause: "The client expects types that this server does not offer.",
    remedy: "Use User and Group only.",
}
SCHEMA_UNKNOWN "schema-unknown" 404 {
    meaning: "There is no such schema.",
    cause: "A schema of your own is not registered with this connector.",
    remedy: "See `/Schemas` for those there are; register yours with `vestibule schema`.",
}
METHOD_NOT_OFFERED "method-not-offered" 405 {
    meaning: "The path does not take this method.",
    cause: "A defect of the client, or an id that is missing in its address.",
    remedy: "Use one of the methods that the sentence and the header `Allow` name.",
}
ME_NOT_OFFERED "me-not-offered" 501 {
    meaning: "`/Me` stands for nobody: a token belongs to a connector and to no user.",
    cause: "The client was made for servers where people sign in.",
    remedy: "Name the user by its id, or look it up with a filter.",
}
ADDRESS_TOO_LONG "address-too-long" 414 {
    meaning: "Path and query are longer than 16 KiB.",
    cause: "A filter that lists very many values.",
    remedy: "Ask for less at a time, or use `.search` with a body.",
}
ADDRESS_WITH_BLANK "address-with-blank" 400 {
    meaning: "The address of the request has a blank in it.",
    cause: "A client that does not encode its filters.",
    remedy: "Encode a blank as `%20` or `+`, and a quotation mark as `%22`.",
}
}

section! { SERVER "Trouble of the server"
STORE_UNAVAILABLE "store-unavailable" 503 {
    meaning: "The database cannot be reached, is full, or has too much to do. Nothing of the request happened.",
    cause: "The database restarts, its disk is full, or the network between is down.",
    remedy: "Nothing, if it passes: clients repeat. Else look at `/health/ready` and the log.",
}
TOOK_TOO_LONG "took-too-long" 503 {
    meaning: "The request took longer than a request may. Nothing is known of its outcome.",
    cause: "Very many members in one request, or a slow database.",
    remedy: "Let the client repeat: a write that is there already does no harm. Send fewer members at once.",
}
INTERNAL_ERROR "internal-error" 500 {
    meaning: "A defect of Vestibule. Nothing of the request was stored.",
    cause: "The log of the server says more, under the id in the header `X-Request-Id`.",
    remedy: "Please report it, with the lines of the log.",
}
}
