//! A value on its way into a statement. Values enter SQL in no other way.

use std::borrow::Cow;

use directory::{
    ApplicationId, ConnectorId, DirectoryId, GroupPk, JobId, SourceGroupPk, SourceUserPk, UserPk,
};
use jiff::Timestamp;
use uuid::Uuid;

/// One argument of a statement, in one of the four types that the schema uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg<'a> {
    /// No value.
    Null,
    /// A number, a flag (0 or 1), or a time in microseconds since 1970.
    Int(i64),
    /// A text without NUL.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
}

impl Arg<'_> {
    /// The same value, owning its text.
    pub fn into_owned(self) -> Arg<'static> {
        match self {
            Arg::Null => Arg::Null,
            Arg::Int(value) => Arg::Int(value),
            Arg::Text(value) => Arg::Text(Cow::Owned(value.into_owned())),
            Arg::Bytes(value) => Arg::Bytes(Cow::Owned(value.into_owned())),
        }
    }
}

/// The arguments of a statement, each by its `From`, as a `Vec<Arg>`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        ::std::vec![$($crate::Arg::from($value)),*]
    };
}

macro_rules! from_number {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Arg<'_> {
            fn from(value: $kind) -> Self {
                Self::Int(i64::from(value))
            }
        }
    )*};
}
from_number!(i64, i32, u32, u16, u8, bool);

macro_rules! from_key {
    ($($key:ty),*) => {$(
        impl From<$key> for Arg<'_> {
            fn from(key: $key) -> Self {
                Self::Int(key.0)
            }
        }
    )*};
}
from_key!(
    ApplicationId,
    ConnectorId,
    DirectoryId,
    GroupPk,
    JobId,
    SourceGroupPk,
    SourceUserPk,
    UserPk
);

impl From<Timestamp> for Arg<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Int(value.as_microsecond())
    }
}

impl From<Uuid> for Arg<'_> {
    fn from(value: Uuid) -> Self {
        Self::Text(Cow::Owned(value.to_string()))
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Arg<'_> {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

impl<'a> From<Cow<'a, str>> for Arg<'a> {
    fn from(value: Cow<'a, str>) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(value))
    }
}

impl From<Vec<u8>> for Arg<'_> {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Cow::Owned(value))
    }
}

impl<'a, T: Into<Arg<'a>>> From<Option<T>> for Arg<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<'a> From<&'a Option<String>> for Arg<'a> {
    fn from(value: &'a Option<String>) -> Self {
        value.as_deref().into()
    }
}
