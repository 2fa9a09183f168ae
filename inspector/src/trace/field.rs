//! How the fields of a row become bytes: varints, times against the row's own, addresses against the
//! last one.

mod shape;

use std::{net::SocketAddr, num::NonZeroU64};

pub(super) use self::shape::{fields, newtypes, variants};

use crate::event::{
    id::{BootTime, FileAddress, FilesAddress},
    text::{Comm, Text},
};

/// Rows are written and read one behind the other: each is told against what was before it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Context {
    /// The time of the row.
    pub(super) at: u64,
    /// The last address of any kind: neighbours are alike.
    pub(super) address: u64,
}

/// Where fields go.
#[derive(Debug)]
pub(super) struct Output<'a> {
    pub(super) bytes: &'a mut Vec<u8>,
    pub(super) context: &'a mut Context,
}

/// Where fields come from.
#[derive(Debug)]
pub(super) struct Input<'c, 'a> {
    pub(super) bytes: &'a [u8],
    pub(super) context: &'c mut Context,
}

/// Bytes that are no row of this format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRow {
    /// They end too early.
    #[error("a row ends within a field")]
    Short,
    /// A number is too large for its field.
    #[error("a number does not fit its field")]
    Range,
    /// A variant that this version does not know.
    #[error("a row holds what this version does not know")]
    Unknown,
}

/// What can stand in a row.
pub(super) trait Field: Sized {
    fn put(&self, row: &mut Output<'_>);
    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow>;
}

impl Output<'_> {
    #[inline]
    pub(super) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }
}

impl<'a> Input<'_, 'a> {
    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, BadRow> {
        let (&first, rest) = self.bytes.split_first().ok_or(BadRow::Short)?;
        self.bytes = rest;
        Ok(first)
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, BadRow> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(BadRow::Range);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(BadRow::Range)
    }

    pub(super) fn take(&mut self, len: u64) -> Result<&'a [u8], BadRow> {
        let len = usize::try_from(len).map_err(|_| BadRow::Short)?;
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or(BadRow::Short)?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(super) fn raw(&mut self) -> Result<&'a [u8], BadRow> {
        let len = self.varint()?;
        self.take(len)
    }
}

/// Small numbers of either sign are small.
#[inline]
pub(super) fn zigzag(difference: i64) -> u64 {
    ((difference << 1) ^ (difference >> 63)) as u64
}

#[inline]
pub(super) fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl Field for $type {
            #[inline]
            fn put(&self, row: &mut Output<'_>) {
                row.varint(u64::from(*self));
            }

            #[inline]
            fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
                Self::try_from(row.varint()?).map_err(|_| BadRow::Range)
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64);

impl Field for i32 {
    fn put(&self, row: &mut Output<'_>) {
        row.varint(zigzag(i64::from(*self)));
    }

    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        Self::try_from(unzigzag(row.varint()?)).map_err(|_| BadRow::Range)
    }
}

impl Field for bool {
    #[inline]
    fn put(&self, row: &mut Output<'_>) {
        row.bytes.push(u8::from(*self));
    }

    #[inline]
    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        match row.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(BadRow::Range),
        }
    }
}

impl Field for BootTime {
    #[inline]
    fn put(&self, row: &mut Output<'_>) {
        let difference = self.0.wrapping_sub(row.context.at);
        row.varint(zigzag(difference as i64));
    }

    #[inline]
    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        let difference = unzigzag(row.varint()?);
        Ok(Self(row.context.at.wrapping_add(difference as u64)))
    }
}

/// Addresses of kernel objects lie at multiples of this.
const ALIGNED: u64 = 64;

impl Field for NonZeroU64 {
    #[inline]
    fn put(&self, row: &mut Output<'_>) {
        let last = std::mem::replace(&mut row.context.address, self.get());
        let distance = self.get().abs_diff(last);
        if distance.is_multiple_of(ALIGNED) {
            // Even: at most 2^58 units.
            let is_below = u64::from(self.get() < last);
            row.varint((distance / ALIGNED) << 2 | is_below << 1);
        } else {
            row.varint(1);
            row.varint(self.get());
        }
    }

    #[inline]
    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        let told = row.varint()?;
        let last = row.context.address;
        let address = if told & 1 == 1 {
            row.varint()?
        } else {
            let distance = (told >> 2).wrapping_mul(ALIGNED);
            match told >> 1 & 1 {
                0 => last.wrapping_add(distance),
                _ => last.wrapping_sub(distance),
            }
        };
        row.context.address = address;
        Self::new(address).ok_or(BadRow::Range)
    }
}

impl Field for FilesAddress {
    #[inline]
    fn put(&self, row: &mut Output<'_>) {
        self.0.put(row);
    }

    #[inline]
    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        <NonZeroU64 as Field>::get(row).map(Self)
    }
}

impl Field for FileAddress {
    #[inline]
    fn put(&self, row: &mut Output<'_>) {
        self.0.put(row);
    }

    #[inline]
    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        <NonZeroU64 as Field>::get(row).map(Self)
    }
}

impl Field for Text {
    fn put(&self, row: &mut Output<'_>) {
        row.raw(self.bytes());
    }

    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        row.raw().map(Self::from)
    }
}

impl Field for Comm {
    fn put(&self, row: &mut Output<'_>) {
        row.raw(self.bytes());
    }

    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        row.raw().map(Self::from_bytes)
    }
}

impl Field for String {
    fn put(&self, row: &mut Output<'_>) {
        row.raw(self.as_bytes());
    }

    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        Ok(Self::from_utf8_lossy(row.raw()?).into_owned())
    }
}

impl Field for SocketAddr {
    /// Its text: sockets are few beside events, and an address says all of itself so.
    fn put(&self, row: &mut Output<'_>) {
        row.raw(self.to_string().as_bytes());
    }

    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        let text = std::str::from_utf8(row.raw()?).map_err(|_| BadRow::Range)?;
        text.parse().map_err(|_| BadRow::Range)
    }
}

impl<T: Field> Field for Option<T> {
    #[inline]
    fn put(&self, row: &mut Output<'_>) {
        self.is_some().put(row);
        if let Some(value) = self {
            value.put(row);
        }
    }

    #[inline]
    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        bool::get(row)?.then(|| T::get(row)).transpose()
    }
}

impl<T: Field, E: Field> Field for Result<T, E> {
    fn put(&self, row: &mut Output<'_>) {
        self.is_ok().put(row);
        match self {
            Ok(value) => value.put(row),
            Err(error) => error.put(row),
        }
    }

    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        Ok(if bool::get(row)? {
            Ok(T::get(row)?)
        } else {
            Err(E::get(row)?)
        })
    }
}

impl<T: Field> Field for Box<T> {
    fn put(&self, row: &mut Output<'_>) {
        T::put(self, row);
    }

    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        T::get(row).map(Self::new)
    }
}

impl<T: Field> Field for Vec<T> {
    fn put(&self, row: &mut Output<'_>) {
        row.varint(self.len() as u64);
        for value in self {
            value.put(row);
        }
    }

    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        let len = row.varint()?;
        // Each takes a byte at least: a length that lies reserves no more than the row is long.
        let most = row.bytes.len() as u64;
        if len > most {
            return Err(BadRow::Short);
        }
        let mut values = Self::new();
        for _ in 0..len {
            values.push(T::get(row)?);
        }
        Ok(values)
    }
}

impl<A: Field, B: Field> Field for (A, B) {
    #[inline]
    fn put(&self, row: &mut Output<'_>) {
        self.0.put(row);
        self.1.put(row);
    }

    #[inline]
    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        Ok((A::get(row)?, B::get(row)?))
    }
}
