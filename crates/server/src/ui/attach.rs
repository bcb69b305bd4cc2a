//! How a product is attached, step by step, and how far it has read.

use askama::Template;
use axum::extract::{Path, Query};
use serde::Deserialize;

use super::desk::{Desk, segment};
use super::page::{Shell, Shown, show};
use super::setup::choices::{attachable, product_of};
use super::setup::{Application, ProductPart, product_part};

#[derive(Template)]
#[template(path = "attach.html")]
struct AttachPage {
    shell: Shell,
    name: String,
    product: ProductPart,
    products: Vec<Pill>,
}

/// The same page for another product.
struct Pill {
    label: &'static str,
    place: String,
    is_open: bool,
}

/// Which product it is.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    product: String,
}

/// `GET /console/applications/{application}/guide`
pub(super) async fn page(
    desk: Desk,
    Path(application): Path<String>,
    Query(which): Query<Which>,
) -> Shown {
    let found: Application = desk.get(&["applications", &application], &[]).await?;
    let product = product_of(&which.product, &found.name);
    let address = segment(&found.id);
    let pills = attachable().map(|one| Pill {
        label: one.label,
        place: format!("/console/applications/{address}/guide?product={}", one.key),
        is_open: one.key == product.key,
    });
    show(&AttachPage {
        shell: desk.shell("applications"),
        name: found.name.clone(),
        products: pills.collect(),
        product: product_part(found, product.label, None),
    })
}
