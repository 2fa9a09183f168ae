//! Everything that is known at one place of a recording, so that reading can begin there.
//!
//! A keyframe is a copy of the pipeline in this version's own form. It is no promise to later
//! versions: they pass over keyframes of another [`VERSION`] and replay the events instead.

use crate::pipeline::Pipeline;

/// Of what a keyframe holds. It grows with every change of the ledger's or the judge's records;
/// the test `its_form_is_known` tells when.
pub const VERSION: u32 = 3;

/// How much of the past a keyframe keeps: so many dead resources without an owner, and deleted
/// entries of each kind that [`Pipeline::without_old_dead`] names.
const DEAD_KEPT: usize = 1024;

/// Why a keyframe can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyframeError {
    /// It is of another version.
    #[error("it is in the form {0}, and this version reads {VERSION}")]
    OtherVersion(u32),
    /// It makes no sense.
    #[error("it makes no sense: {0}")]
    Odd(String),
}

/// What a keyframe holds of a pipeline.
pub fn of(pipeline: Pipeline) -> Pipeline {
    pipeline.without_old_dead(DEAD_KEPT)
}

/// Its bytes.
pub fn bytes(pipeline: &Pipeline) -> Vec<u8> {
    let bytes = VERSION.to_le_bytes().to_vec();
    let written = pipeline
        .ledger()
        .numbered(|| postcard::to_extend(pipeline, bytes));
    written.expect("a pipeline is plain data, and memory takes it")
}

/// From its bytes.
///
/// # Errors
/// [`KeyframeError`]
pub fn parse(bytes: &[u8]) -> Result<Pipeline, KeyframeError> {
    let Some((version, rest)) = bytes.split_first_chunk() else {
        return Err(KeyframeError::Odd("it is cut".to_owned()));
    };
    let version = u32::from_le_bytes(*version);
    if version != VERSION {
        return Err(KeyframeError::OtherVersion(version));
    }
    let pipeline: Pipeline =
        postcard::from_bytes(rest).map_err(|error| KeyframeError::Odd(error.to_string()))?;
    match pipeline.check_sound() {
        Ok(()) => Ok(pipeline),
        Err(what) => Err(KeyframeError::Odd(what.to_owned())),
    }
}
