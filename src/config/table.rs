//! The two macros in which the shape of infra.toml is written down: `table!` and `choice!`.
//! One definition gives the type, its reader, its JSON Schema and its place in the reference.

/// Defines a table of infra.toml: a struct, and how it is read and described.
///
/// A field is `name: Type` (required unless the type can be absent, like `Option`) or
/// `name: Type = default`. Keys are the fields' names; every other key is an error.
macro_rules! table {
    (
        $(#[doc = $doc:literal])+
        $visibility:vis struct $name:ident {
            $( $(#[doc = $field_doc:literal])+ $field:ident : $type:ty $(= $default:expr)? ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        $visibility struct $name {
            $( $(#[doc = $field_doc])+ $visibility $field: $type, )*
        }

        impl $crate::config::reader::Decode for $name {
            fn decode(
                node: &$crate::config::node::Node,
                reader: &mut $crate::config::reader::Reader<'_>,
            ) -> Option<Self> {
                use $crate::config::table::key;
                reader.table(node, &[ $( key(stringify!($field)) ),* ])?;
                $(
                    let $field = reader.field::<$type>(
                        node,
                        key(stringify!($field)),
                        $crate::config::table::default!($type $(, $default)?),
                    );
                )*
                Some(Self { $( $field: $field? ),* })
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).trim_end_matches("Table").into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                use $crate::config::table::key;
                let mut shape = $crate::config::schema::Shape::new(&[ $( $doc ),+ ]);
                $(
                    shape.field::<$type>(
                        key(stringify!($field)),
                        &[ $( $field_doc ),+ ],
                        $crate::config::table::default!($type $(, $default)?),
                        generator,
                    );
                )*
                shape.finish()
            }
        }
    };
}

/// The default of a field as an optional function.
macro_rules! default {
    ($type:ty) => {
        None::<fn() -> $type>
    };
    ($type:ty, $default:expr) => {
        Some((|| $default) as fn() -> $type)
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

        impl $crate::config::reader::Decode for $name {
            fn decode(
                node: &$crate::config::node::Node,
                reader: &mut $crate::config::reader::Reader<'_>,
            ) -> Option<Self> {
                let words = [ $( $text ),* ];
                let text = reader.word(node, &words)?;
                Self::from_text(&text)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::config::schema::words(
                    &[ $( $doc ),+ ],
                    &[ $( ($text, concat!($( $variant_doc ),+)) ),* ],
                )
            }
        }
    };
}

pub(crate) use {choice, default, table};

/// The key of a field whose name is a word of Rust.
pub(crate) fn key(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}
