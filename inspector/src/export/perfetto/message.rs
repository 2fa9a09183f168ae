//! Protocol buffers as bytes: varints, and messages within messages.

/// A message under construction.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Empties it; its memory is used again.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// A number.
    pub(super) fn number(&mut self, field: u32, value: u64) {
        self.varint(u64::from(field) << 3);
        self.varint(value);
    }

    /// A number of fixed width.
    pub(super) fn fixed(&mut self, field: u32, value: u64) {
        self.varint(u64::from(field) << 3 | 1);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// Text or bytes.
    pub(super) fn bytes_field(&mut self, field: u32, bytes: &[u8]) {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A message, which `fill` writes.
    pub(super) fn message(&mut self, field: u32, fill: impl FnOnce(&mut Self)) {
        self.varint(u64::from(field) << 3 | 2);
        let start = self.0.len();
        // Most are shorter than 128 bytes: one byte is left for the length.
        self.0.push(0);
        fill(self);
        let length = self.0.len() - start - 1;
        if let Ok(short @ 0..0x80) = u8::try_from(length) {
            self.0[start] = short;
            return;
        }
        let mut prefix = Self::default();
        prefix.varint(length as u64);
        self.0.splice(start..=start, prefix.0);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_messages_are_as_the_format_says() {
        let mut message = Message::default();
        message.number(1, 150);
        message.message(3, |inner| inner.bytes_field(2, b"testing"));
        message.fixed(47, 7);
        let expected = [
            &[0x08, 0x96, 0x01, 0x1a, 9, 0x12, 7][..],
            b"testing",
            &[0xf9, 0x02, 7, 0, 0, 0, 0, 0, 0, 0],
        ];
        assert_eq!(message.bytes(), expected.concat());
    }

    #[test]
    fn a_long_message_gets_a_long_length() {
        for length in [127, 128, 20_000] {
            let mut message = Message::default();
            message.message(1, |inner| inner.0.extend(vec![7; length]));
            let prefix = message.bytes().len() - length;
            assert_eq!(
                prefix,
                [2, 3, 4][[127, 128, 20_000]
                    .iter()
                    .position(|&l| l == length)
                    .unwrap()]
            );
            assert!(message.bytes()[prefix..].iter().all(|&byte| byte == 7));
        }
    }
}
