//! Making something by a form: what was made is shown, or the form once more with what is wrong.

use axum::http::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::desk::Desk;
use super::page::{Shown, Trouble};

/// Something that was made.
pub(super) trait Creation: DeserializeOwned {
    /// Where the admin API has it.
    const COLLECTION: &'static str;

    /// Its page, with what is shown this once.
    async fn show(self, desk: &Desk) -> Shown;

    /// The form with what is wrong.
    async fn refuse(desk: &Desk, wrong: Trouble, name: String) -> Shown;
}

/// Makes what a form of this name wants.
pub(super) async fn create<T: Creation>(desk: &Desk, name: &str, wish: Value) -> Shown {
    match desk
        .send::<T>(Method::POST, &[T::COLLECTION], Some(wish))
        .await
    {
        Ok(made) => made.show(desk).await,
        Err(wrong) => T::refuse(desk, wrong, name.to_owned()).await,
    }
}
