//! What a terminal's colours are in a picture, and how a cell's style becomes two of them.

use avt::{Color, Pen};

/// A colour, red, green and blue.
pub(super) type Rgb = [u8; 3];

/// Behind the text.
pub(super) const BACKGROUND: Rgb = [0x11, 0x16, 0x1c];
/// Text without a colour of its own.
pub(super) const FOREGROUND: Rgb = [0xd5, 0xdb, 0xe2];

/// The terminal's own sixteen. Each of the last fifteen can be read on the background.
const SIXTEEN: [Rgb; 16] = [
    [0x2b, 0x33, 0x3b],
    [0xd4, 0x48, 0x53],
    [0x7f, 0xc0, 0x61],
    [0xd9, 0xb2, 0x4c],
    [0x5c, 0x9d, 0xea],
    [0xbb, 0x83, 0xdb],
    [0x4f, 0xb8, 0xc4],
    [0xc4, 0xcc, 0xd4],
    [0x7d, 0x89, 0x96],
    [0xff, 0x76, 0x82],
    [0xa6, 0xe2, 0x83],
    [0xf6, 0xd9, 0x7f],
    [0x8e, 0xc2, 0xff],
    [0xe2, 0xa9, 0xff],
    [0x82, 0xe0, 0xea],
    [0xff, 0xff, 0xff],
];

/// How much of the way to the background dimmed text goes, in percent.
const DIMMED: u16 = 40;

/// A cell's colours: of what stands in it, and behind that where it isn't the screen's own.
pub(super) fn of(pen: &Pen) -> (Rgb, Option<Rgb>) {
    let foreground = pen.foreground().map_or(FOREGROUND, rgb);
    let background = pen.background().map(rgb);
    let (foreground, background) = if pen.is_inverse() {
        (background.unwrap_or(BACKGROUND), Some(foreground))
    } else {
        (foreground, background)
    };
    let behind = background.unwrap_or(BACKGROUND);
    let foreground = if pen.is_faint() {
        mix(foreground, behind, DIMMED)
    } else {
        foreground
    };
    (foreground, background.filter(|own| *own != BACKGROUND))
}

/// `percent` of the way from `one` to `other`.
pub(super) fn mix(one: Rgb, other: Rgb, percent: u16) -> Rgb {
    let part = |place: usize| {
        let (one, other) = (u16::from(one[place]), u16::from(other[place]));
        let mixed = (one * (100 - percent) + other * percent) / 100;
        u8::try_from(mixed).expect("it lies between two bytes")
    };
    [part(0), part(1), part(2)]
}

/// As SVG writes it.
pub(super) fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn rgb(color: Color) -> Rgb {
    match color {
        Color::RGB(rgb) => [rgb.r, rgb.g, rgb.b],
        Color::Indexed(index) => indexed(index),
    }
}

/// The 256 of xterm: the sixteen, a cube of 6 × 6 × 6, and 24 greys.
fn indexed(index: u8) -> Rgb {
    match index {
        0..16 => SIXTEEN[usize::from(index)],
        16..232 => {
            let level = |part: u8| if part == 0 { 0 } else { 55 + 40 * part };
            let place = index - 16;
            [place / 36, place / 6 % 6, place % 6].map(level)
        }
        232.. => [8 + 10 * (index - 232); 3],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_256_are_those_of_xterm() {
        assert_eq!(indexed(1), SIXTEEN[1]);
        assert_eq!(indexed(16), [0, 0, 0]);
        assert_eq!(indexed(110), [0x87, 0xaf, 0xd7]);
        assert_eq!(indexed(231), [255, 255, 255]);
        assert_eq!(indexed(232), [8, 8, 8]);
        assert_eq!(indexed(255), [238, 238, 238]);
    }

    #[test]
    fn reverse_swaps_and_dim_goes_to_what_is_behind() {
        let plain = Pen::default();
        assert_eq!(of(&plain), (FOREGROUND, None));
        let mut reversed = plain;
        reversed.set_inverse();
        assert_eq!(of(&reversed), (BACKGROUND, Some(FOREGROUND)));
        assert_eq!(mix([0, 100, 200], [100, 0, 200], 40), [40, 60, 200]);
    }

    /// As the guidelines for web content count it.
    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let light = |color: Rgb| {
            let [red, green, blue] = color.map(|part| {
                let part = f64::from(part) / 255.0;
                if part <= 0.040_45 {
                    part / 12.92
                } else {
                    ((part + 0.055) / 1.055).powf(2.4)
                }
            });
            0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
        };
        let (one, other) = (light(one), light(other));
        one.max(other) / one.min(other)
    }

    #[test]
    fn the_sixteen_can_be_read() {
        for color in &SIXTEEN[1..] {
            let contrast = contrast(*color, BACKGROUND);
            assert!(contrast >= 4.0, "{}: {contrast:.2}", hex(*color));
        }
    }
}
