//! What the HTTP stack does alone: a handler that gives back fixed bytes, and one that only reads JSON.
//!
//! The measure for `cargo xtask bench`. Arguments: a folder of answers. `GET /NAME` gives the file of that name,
//! `POST /` and `PUT /` read the body as JSON. Prints one line of JSON with its URL.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

type Answers = Arc<HashMap<String, Bytes>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: bare FOLDER")?;
    let mut answers = HashMap::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        answers.insert(
            entry.file_name().to_string_lossy().into_owned(),
            Bytes::from(std::fs::read(entry.path())?),
        );
    }
    let router = Router::new()
        .route("/", axum::routing::post(read).put(read))
        .route("/{name}", get(answer))
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::new(answers));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{{\"url\":\"http://{}\"}}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

async fn answer(State(answers): State<Answers>, Path(name): Path<String>) -> Response {
    match answers.get(&name) {
        Some(bytes) => ([(CONTENT_TYPE, "application/scim+json")], bytes.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn read(Json(body): Json<serde_json::Value>) -> StatusCode {
    if body.is_object() {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::BAD_REQUEST
    }
}
