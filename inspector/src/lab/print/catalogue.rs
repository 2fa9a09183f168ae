//! The catalogue of maps, entries, policies and scenarios, as text or as one JSON object.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Printer;
use crate::lab::{entry::EntryKind, expect::either, map::MapKind, policy::Policy, scenario};

impl<W: Write> Printer<W> {
    /// The catalogue.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn catalogue(&mut self) -> io::Result<()> {
        if self.json {
            return self.line(&catalogue());
        }
        let out = &mut self.out;
        writeln!(out, "maps")?;
        for map in MapKind::ALL {
            writeln!(out, "  {:<18}{}", map.name(), map.about())?;
        }
        writeln!(out, "\nentries")?;
        for entry in EntryKind::ALL {
            writeln!(out, "  {:<18}{}", entry.name(), entry.about())?;
        }
        writeln!(out, "\npolicies")?;
        for policy in Policy::ALL {
            writeln!(out, "  {:<18}{}", policy.name(), policy.about())?;
        }
        writeln!(out, "\nscenarios")?;
        for scenario in scenario::ALL {
            writeln!(out, "  {:<18}{}", scenario.name, scenario.point)?;
            for variant in scenario.variants {
                writeln!(
                    out,
                    "    {:<8}{}, {}",
                    variant.which.name(),
                    variant.entry.name(),
                    variant.policy.name()
                )?;
                for expect in variant.expect {
                    writeln!(
                        out,
                        "            {} × {} ({}): {}",
                        expect.per_key,
                        expect.role,
                        expect.resource.word(),
                        either(expect.allowed)
                    )?;
                }
            }
        }
        out.flush()
    }
}

fn catalogue() -> Value {
    let named = |name: &str, about: &str| json!({ "name": name, "about": about });
    let scenarios: Vec<_> = scenario::ALL
        .iter()
        .map(|scenario| {
            let variants: Vec<_> = scenario
                .variants
                .iter()
                .map(|variant| {
                    let expect: Vec<_> = variant
                        .expect
                        .iter()
                        .map(|expect| {
                            let allowed: Vec<_> =
                                expect.allowed.iter().map(|one| one.words()).collect();
                            json!({
                                "resource": expect.resource.word(), "role": expect.role,
                                "per_key": expect.per_key, "allowed": allowed,
                            })
                        })
                        .collect();
                    json!({
                        "variant": variant.which.name(), "entry": variant.entry.name(),
                        "policy": variant.policy.name(), "expect": expect,
                    })
                })
                .collect();
            json!({ "name": scenario.name, "about": scenario.point, "variants": variants })
        })
        .collect();
    json!({
        "maps": MapKind::ALL.map(|kind| named(kind.name(), kind.about())),
        "entries": EntryKind::ALL.map(|kind| named(kind.name(), kind.about())),
        "policies": Policy::ALL.map(|policy| named(policy.name(), policy.about())),
        "scenarios": scenarios,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_names_everything_in_both_forms() {
        let print = |json| {
            let mut out = Vec::new();
            Printer::new(&mut out, json, false).catalogue().unwrap();
            String::from_utf8(out).unwrap()
        };
        let (text, json) = (print(false), print(true));
        let scenarios = scenario::ALL.map(|scenario| scenario.name);
        let policies = Policy::ALL.map(Policy::name);
        for name in scenarios.iter().chain(&policies) {
            assert!(text.contains(name), "{name}");
            assert!(json.contains(name), "{name}");
        }
        serde_json::from_str::<Value>(&json).unwrap();
    }
}
