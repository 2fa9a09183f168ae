//! What the loader wrote into the object before it was verified: constants to the verifier, so
//! what they switch off costs nothing.

use inspector_ebpf::abi::config::Config;

/// Overwritten by the loader; zeros (all offsets 0) never reach a kernel.
#[unsafe(no_mangle)]
static CONFIG: Config = zerocopy::transmute!([0_u8; size_of::<Config>()]);

/// The constants of this load.
#[inline(always)]
pub(crate) fn config() -> &'static Config {
    &CONFIG
}

/// Reads one constant. Volatile, or the compiler would fold the zeros above into the code.
macro_rules! setting {
    ($($field:ident).+) => {{
        // SAFETY: a shared static of plain numbers, which only the loader writes, before the load.
        unsafe { core::ptr::read_volatile(&raw const $crate::settings::config().$($field).+) }
    }};
}
pub(crate) use setting;
