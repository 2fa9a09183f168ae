//! Attaches the mark program to the `lifecycle` probes of a target's program.

use std::{collections::HashMap, fs::File, os::unix::fs::MetadataExt as _, path::Path};

use aya::{
    Ebpf,
    maps::{Array, MapData},
    programs::{
        UProbe,
        uprobe::{UProbeAttachLocation, UProbeAttachPoint, UProbeLink, UProbeScope},
    },
};
use inspector_ebpf::abi::mark::{SITES, Site};
use zerocopy::IntoBytes as _;

use super::{
    load::chain,
    usdt::{self, Instruction},
};
use crate::source::Followed;

type RawSite = [u8; size_of::<Site>()];

/// The sites attached so far.
pub(super) struct Marks {
    sites: Array<MapData, RawSite>,
    next_cookie: u32,
    links: Vec<UProbeLink>,
    /// Programs whose sites are attached, by device and inode, and what that came to.
    files: HashMap<(u64, u64), Followed>,
}

impl Marks {
    pub(super) fn new(sites: Array<MapData, RawSite>) -> Self {
        Self {
            sites,
            next_cookie: 0,
            links: Vec::new(),
            files: HashMap::new(),
        }
    }

    /// Gives up the sites: dropping a link detaches it.
    pub(super) fn take_links(&mut self) -> Vec<UProbeLink> {
        std::mem::take(&mut self.links)
    }

    /// Attaches every usable site of an executable, once a file: the probe fires in every process
    /// that runs it, and the program keeps to the targets.
    pub(super) fn attach(&mut self, ebpf: &mut Ebpf, path: &Path) -> Result<Followed, String> {
        let file =
            File::open(path).map_err(|error| format!("can't open {}: {error}", path.display()))?;
        let metadata = file.metadata().map_err(|error| error.to_string())?;
        let identity = (metadata.dev(), metadata.ino());
        if let Some(followed) = self.files.get(&identity) {
            return Ok(followed.clone());
        }
        let followed = self.attach_file(ebpf, path, file);
        self.files.insert(identity, followed.clone());
        Ok(followed)
    }

    fn attach_file(&mut self, ebpf: &mut Ebpf, path: &Path, file: File) -> Followed {
        let mut followed = Followed::default();
        let probes = match usdt::probes(file) {
            Ok(probes) => probes,
            Err(error) => {
                // A script's interpreter or a damaged file: it has no marks, which is no failure.
                followed.unusable.push(error.to_string());
                return followed;
            }
        };
        followed
            .unusable
            .extend(probes.unusable.iter().map(ToString::to_string));
        for probe in &probes.sites {
            let Some((site, unsupported)) = probe.site() else {
                continue;
            };
            followed.unusable.extend(
                unsupported
                    .iter()
                    .map(|one| format!("{}: {}: {}", probe.name, one.text, one.why)),
            );
            if let Err(why) = self.attach_site(ebpf, path, probe, &site) {
                followed
                    .unusable
                    .push(format!("{} at {:#x}: {why}", probe.name, probe.offset));
            } else {
                followed.marks += 1;
            }
        }
        followed
    }

    fn attach_site(
        &mut self,
        ebpf: &mut Ebpf,
        path: &Path,
        probe: &usdt::Probe,
        site: &Site,
    ) -> Result<(), String> {
        if probe.instruction == Instruction::Nop5 {
            return Err(
                "a five-byte nop: kernels that turn it into a call kill forked children \
                        there; build the site with the ordinary one-byte nop"
                    .to_owned(),
            );
        }
        if self.next_cookie >= SITES {
            return Err(format!("more than {SITES} mark sites"));
        }
        let cookie = self.next_cookie;
        let mut raw: RawSite = [0; size_of::<Site>()];
        raw.copy_from_slice(site.as_bytes());
        self.sites
            .set(cookie, raw, 0)
            .map_err(|error| error.to_string())?;
        let program: &mut UProbe = ebpf
            .program_mut("mark_passed")
            .ok_or("the object has no mark program")?
            .try_into()
            .map_err(|error: aya::programs::ProgramError| error.to_string())?;
        let point = UProbeAttachPoint {
            location: UProbeAttachLocation::AbsoluteOffset(probe.offset),
            cookie: Some(cookie.into()),
        };
        let link = program
            .attach(point, path, UProbeScope::AllProcesses)
            .and_then(|id| program.take_link(id))
            .map_err(|error| chain(&error))?;
        self.links.push(link);
        self.next_cookie += 1;
        Ok(())
    }
}
