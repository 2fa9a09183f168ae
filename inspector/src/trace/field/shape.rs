//! How structs and enums become bytes: their fields one behind the other.

/// A struct: its fields one behind the other.
macro_rules! fields {
    ($type:path { $($field:ident),* $(,)? }) => {
        impl $crate::trace::field::Field for $type {
            #[inline]
            fn put(&self, row: &mut $crate::trace::field::Output<'_>) {
                let Self { $($field),* } = self;
                $($crate::trace::field::Field::put($field, row);)*
            }

            #[inline]
            fn get(
                row: &mut $crate::trace::field::Input<'_, '_>,
            ) -> Result<Self, $crate::trace::field::BadRow> {
                Ok(Self { $($field: $crate::trace::field::Field::get(row)?),* })
            }
        }
    };
}

/// A struct of one unnamed field.
macro_rules! newtypes {
    ($($type:path),* $(,)?) => {$(
        impl $crate::trace::field::Field for $type {
            #[inline]
            fn put(&self, row: &mut $crate::trace::field::Output<'_>) {
                $crate::trace::field::Field::put(&self.0, row);
            }

            #[inline]
            fn get(
                row: &mut $crate::trace::field::Input<'_, '_>,
            ) -> Result<Self, $crate::trace::field::BadRow> {
                Ok(Self($crate::trace::field::Field::get(row)?))
            }
        }
    )*};
}

/// An enum: the number of its variant, which never changes, and that one's fields.
macro_rules! variants {
    ($type:path {
        $($number:literal $variant:ident $({ $($field:ident),* })? $(( $inner:ident ))?),* $(,)?
    }) => {
        impl $crate::trace::field::Field for $type {
            #[inline]
            fn put(&self, row: &mut $crate::trace::field::Output<'_>) {
                match self {
                    $(Self::$variant $({ $($field),* })? $(( $inner ))? => {
                        row.bytes.push($number);
                        $($($crate::trace::field::Field::put($field, row);)*)?
                        $($crate::trace::field::Field::put($inner, row);)?
                    })*
                }
            }

            #[inline]
            fn get(
                row: &mut $crate::trace::field::Input<'_, '_>,
            ) -> Result<Self, $crate::trace::field::BadRow> {
                Ok(match row.byte()? {
                    $($number => {
                        $($(let $field = $crate::trace::field::Field::get(row)?;)*)?
                        $(let $inner = $crate::trace::field::Field::get(row)?;)?
                        Self::$variant $({ $($field),* })? $(( $inner ))?
                    })*
                    _ => return Err($crate::trace::field::BadRow::Unknown),
                })
            }
        }
    };
}

pub(in crate::trace) use {fields, newtypes, variants};
