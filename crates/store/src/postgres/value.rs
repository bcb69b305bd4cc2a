//! Values on their way to and from the server.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use tokio_postgres::Row;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::row::Value;
use crate::{Arg, StoreError};

impl ToSql for Arg<'_> {
    /// Writes a value as the type that the server gave the place: a sum with a small constant, for example, is
    /// narrower than a column.
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self, kind) {
            (Arg::Null, _) => return Ok(IsNull::Yes),
            (Arg::Int(value), &Type::INT8) => out.put_i64(*value),
            (Arg::Int(value), &Type::INT4) => out.put_i32(i32::try_from(*value)?),
            (Arg::Int(value), &Type::INT2) => out.put_i16(i16::try_from(*value)?),
            (Arg::Int(value), &Type::BOOL) => out.put_u8(u8::from(*value != 0)),
            (Arg::Int(value), &Type::TEXT | &Type::VARCHAR) => {
                out.put_slice(value.to_string().as_bytes())
            }
            (Arg::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::NAME | &Type::UNKNOWN) => {
                out.put_slice(text.as_bytes());
            }
            (Arg::Bytes(bytes), &Type::BYTEA) => out.put_slice(bytes),
            (value, kind) => {
                return Err(format!("{value:?} does not go into the type {kind}").into());
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The value in a column.
pub(crate) fn value<'r>(row: &'r Row, column: usize) -> Result<Value<'r>, StoreError> {
    let failed = |error: tokio_postgres::Error| StoreError::sql(error.to_string());
    let Some(kind) = row
        .columns()
        .get(column)
        .map(|column| column.type_().clone())
    else {
        return Err(StoreError::sql(format!("an answer has no column {column}")));
    };
    let value = match kind {
        Type::INT8 => row
            .try_get::<_, Option<i64>>(column)
            .map_err(failed)?
            .map(Value::Int),
        Type::INT4 => row
            .try_get::<_, Option<i32>>(column)
            .map_err(failed)?
            .map(|value| Value::Int(value.into())),
        Type::INT2 => row
            .try_get::<_, Option<i16>>(column)
            .map_err(failed)?
            .map(|value| Value::Int(value.into())),
        Type::BOOL => row
            .try_get::<_, Option<bool>>(column)
            .map_err(failed)?
            .map(|value| Value::Int(value.into())),
        Type::BYTEA => row
            .try_get::<_, Option<&[u8]>>(column)
            .map_err(failed)?
            .map(Value::Bytes),
        _ => row
            .try_get::<_, Option<&str>>(column)
            .map_err(failed)?
            .map(Value::Text),
    };
    Ok(value.unwrap_or(Value::Null))
}
