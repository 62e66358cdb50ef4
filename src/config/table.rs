//! The two macros in which the shape of infra.toml is written down: `table!` and `choice!`.
//! One definition gives the type, its reader, its JSON Schema and its place in the reference.

/// Defines a table of infra.toml: a struct, and how it is read and described.
///
/// A field is `name: Type` (required unless the type can be absent, like `Option`) or
/// `name: Type = default`. Keys are the fields' names; every other key is an error.
macro_rules! table {
    (
        $(#[doc = $doc:literal])+
        pub struct $name:ident {
            $( $(#[doc = $field_doc:literal])+ $field:ident : $type:ty $(= $default:expr)? ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        pub struct $name {
            $( $(#[doc = $field_doc])+ pub $field: $type, )*
        }
    };
}

/// Defines a word that AWS's API spells: an enum whose text is the API's own.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])+
        pub enum $name:ident {
            $( $(#[doc = $variant_doc:literal])+ $variant:ident = $text:literal ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
        pub enum $name {
            $( $(#[doc = $variant_doc])+ #[serde(rename = $text)] $variant, )*
        }

        impl $name {
            /// Every value, in the order of the reference.
            pub const ALL: &'static [Self] = &[ $( Self::$variant ),* ];

            /// The value as AWS's API spells it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text ),* }
            }

            /// The value of this spelling, if there is one.
            #[must_use]
            pub fn from_text(text: &str) -> Option<Self> {
                match text { $( $text => Some(Self::$variant), )* _ => None }
            }
        }
    };
}

pub(crate) use {choice, table};
