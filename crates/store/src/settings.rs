//! Settings of the server that are no settings of one connector or application.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::connectors::json;
use crate::{ReadTx, StoreError, WriteTx, args};

impl ReadTx<'_> {
    /// The settings of this name, or their default.
    pub fn setting<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, StoreError> {
        let found = self.query_one(
            "SELECT value FROM setting WHERE name = $1",
            args![name],
            |row| row.text(0),
        )?;
        match found {
            None => Ok(T::default()),
            Some(text) => serde_json::from_str(&text)
                .map_err(|error| StoreError::corrupt(format!("setting {name}: {error}"))),
        }
    }
}

impl WriteTx<'_> {
    /// Keeps the settings of this name.
    pub fn set_setting<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StoreError> {
        let text = json(value)?;
        self.execute(
            "INSERT INTO setting (name, value) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            args![name, text],
        )?;
        Ok(())
    }
}
