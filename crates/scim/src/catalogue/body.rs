//! Errors of bodies as such, and of bulk requests.

use super::section;

section! { BODIES "Bodies"
BODY_NOT_JSON "body-not-json" 400 InvalidSyntax {
    meaning: "The body is empty, is not JSON in UTF-8, or is not an object.",
    cause: "A defect of the client, or a proxy that cuts or changes bodies.",
    remedy: "Look at the body with `vestibule requests show`; correct the client or the proxy.",
}
BODY_TOO_NESTED "body-too-nested" 400 InvalidSyntax {
    meaning: "The body is nested too deeply, or one of its objects has too many members.",
    cause: "A custom attribute whose value is a whole document.",
    remedy: "Take the attribute out of the mapping, or send it flat.",
}
NAME_TWICE "name-twice" 400 InvalidSyntax {
    meaning: "An object has the same name twice; case does not count.",
    cause: "Two mappings lead to the same attribute.",
    remedy: "Remove one of the two mappings.",
}
TEXT_TOO_LONG "text-too-long" 400 InvalidValue {
    meaning: "A text somewhere in the body is longer than 64 KiB.",
    cause: "A picture or a document in a text attribute.",
    remedy: "Take the attribute out of the mapping.",
}
TEXT_WITH_NUL "text-with-nul" 400 InvalidValue {
    meaning: "A text has a NUL character, which no product can keep.",
    cause: "Damaged data in the identity provider or in the system behind it.",
    remedy: "Enter the value anew there.",
}
NUMBER_TOO_LARGE "number-too-large" 400 InvalidValue {
    meaning: "A whole number somewhere in the body does not fit into 64 bits, so it could not be given back as it was written.",
    cause: "An id made of digits that is sent as a number.",
    remedy: "Send it as a text, in quotes.",
}
BODY_TOO_LARGE "body-too-large" 413 {
    meaning: "The body is larger than bodies may be here.",
    cause: "A group with very many members in one request.",
    remedy: "Send fewer members at once; see the limits in the chapter on operations.",
}
BODY_NOT_DECLARED_JSON "body-not-declared-json" 415 {
    meaning: "The header `Content-Type` says that the body is not JSON.",
    cause: "A setting of the client.",
    remedy: "Set it to `application/scim+json` or `application/json`.",
}
BODY_COMPRESSED "body-compressed" 415 {
    meaning: "The body is compressed.",
    cause: "A setting of the client or of a proxy.",
    remedy: "Send it without `Content-Encoding`.",
}
BODY_TOO_SLOW "body-too-slow" 408 {
    meaning: "The body did not arrive in time.",
    cause: "The network, or a proxy that holds bodies back.",
    remedy: "Nothing, if it passes: the client repeats.",
}
BODY_BROKEN_OFF "body-broken-off" 400 {
    meaning: "The connection broke before the body was complete.",
    cause: "The network, or a client that was stopped.",
    remedy: "Nothing, if it passes: the client repeats.",
}
}

section! { BULK "Bulk requests"
BULK_UNREADABLE "bulk-unreadable" 400 InvalidSyntax {
    meaning: "A bulk request lacks its operations, or one of them lacks a part or has it in a wrong form.",
    cause: "A defect of the client.",
    remedy: "Correct what the sentence names: each operation has method, path, and for a body `data`.",
}
FAIL_ON_ERRORS_WRONG "fail-on-errors-wrong" 400 InvalidValue {
    meaning: "`failOnErrors` is not a whole number.",
    cause: "A defect of the client.",
    remedy: "Send a number of errors, or leave it out.",
}
BULK_ID_TWICE "bulk-id-twice" 400 InvalidValue {
    meaning: "Several operations of one request have the same bulkId.",
    cause: "A defect of the client.",
    remedy: "Give each POST one of its own.",
}
BULK_ID_UNRESOLVED "bulk-id-unresolved" 409 {
    meaning: "A bulkId stands for nothing: no operation creates it, or the one that should have failed.",
    cause: "An earlier operation of the same request failed; its own answer says why.",
    remedy: "Correct that operation, and send both again.",
}
BULK_PATH_UNKNOWN "bulk-path-unknown" 404 {
    meaning: "An operation has a path that bulk requests do not offer.",
    cause: "The path holds the whole base URL, or names a discovery endpoint.",
    remedy: "Use `/Users`, `/Groups`, or one of these with an id.",
}
BULK_METHOD_WRONG "bulk-method-wrong" 405 {
    meaning: "The method of an operation does not fit its path.",
    cause: "An id that is missing in the path, or one too many.",
    remedy: "POST to the collection; PUT, PATCH and DELETE to one resource.",
}
BULK_OUT_OF_TIME "bulk-out-of-time" 503 {
    meaning: "The operations before this one took too long, so it was not begun.",
    cause: "Too many operations, or very large ones, in one request.",
    remedy: "Send it again, with fewer others.",
}
}
