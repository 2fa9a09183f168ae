//! Compiles the eBPF programs with the project's one pinned toolchain.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The toolchain of `rust-toolchain.toml`: one stable compiler builds both sides.
const TOOLCHAIN: &str = "1.95.0";

fn main() -> anyhow::Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the workspace's root");
    let tools = tools_bin(workspace);
    println!(
        "cargo:rerun-if-changed={}",
        tools.join("bpf-linker").display()
    );
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(std::iter::once(tools).chain(env::split_paths(&path)))?;
    // Cargo's own configuration would hand RUSTC_BOOTSTRAP to the build scripts of every
    // dependency too, and some of them switch nightly features on when they see it.
    #[expect(
        unsafe_code,
        reason = "a build script's environment is what its children inherit"
    )]
    // SAFETY: a build script has one thread until it starts another, and this one never does.
    unsafe {
        env::set_var("RUSTC_BOOTSTRAP", "1");
    }
    #[expect(
        unsafe_code,
        reason = "a build script's environment is what its children inherit"
    )]
    // SAFETY: as above.
    unsafe {
        env::set_var("PATH", path);
    }
    aya_build::build_ebpf(
        [aya_build::Package {
            name: "inspector-ebpf",
            root_dir: &workspace.join("inspector-ebpf").display().to_string(),
            ..Default::default()
        }],
        aya_build::Toolchain::Custom(TOOLCHAIN),
    )
}

/// Where `cargo xtask setup` puts bpf-linker: below the workspace's target folder.
fn tools_bin(workspace: &Path) -> PathBuf {
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
    target.join("tools/bin")
}
