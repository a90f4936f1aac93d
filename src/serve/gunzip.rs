//! Decompresses an upload within limits, hashing it as it goes.

use std::{
    io::{self, BufReader, BufWriter, Read, Write},
    path::Path,
};

use axum::http::StatusCode;
use flate2::bufread::MultiGzDecoder;
use tempfile::NamedTempFile;

use super::{
    body::{temporary, too_large},
    error::{Refusal, Result},
};
use crate::artifact::digest::{Digest, Digester};

/// Below this a file may be of any ratio: few rows alike compress very well.
const FREE_BYTES: u64 = 64 << 20;
/// The most a larger file may grow. Gzip itself ends at 1032:1, prices in JSON are
/// near 10:1.
const MAX_RATIO: u64 = 200;

/// A decompressed upload.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) file: NamedTempFile,
    pub(super) digest: Digest,
}

/// Decompresses all members of a gzip file into a temporary file. What is cut short,
/// fails its checksum or has anything behind its end is refused.
pub(super) fn gunzip(encoded: &NamedTempFile, max_bytes: u64, temp: &Path) -> Result<Decoded> {
    let encoded = encoded.reopen().map_err(Refusal::Disk)?;
    let encoded_bytes = encoded.metadata().map_err(Refusal::Disk)?.len();
    let limit = limit(encoded_bytes, max_bytes);
    let file = temporary(temp)?;
    let mut out = BufWriter::new(file.reopen().map_err(Refusal::Disk)?);
    let mut digester = Digester::default();
    let mut decoder = MultiGzDecoder::new(BufReader::new(encoded));
    let mut buffer = vec![0; 256 << 10];
    let mut decoded_bytes = 0;
    loop {
        let read = decoder.read(&mut buffer).map_err(not_gzip)?;
        if read == 0 {
            break;
        }
        decoded_bytes += read as u64;
        if decoded_bytes > limit {
            return Err(too_large(format!(
                "the file is over {limit} bytes decompressed"
            )));
        }
        let write = |out: &mut dyn Write| out.write_all(&buffer[..read]);
        write(&mut out)
            .and_then(|()| write(&mut digester))
            .map_err(Refusal::Disk)?;
    }
    out.flush().map_err(Refusal::Disk)?;
    Ok(Decoded {
        file,
        digest: digester.finish(),
    })
}

fn limit(encoded_bytes: u64, max_bytes: u64) -> u64 {
    let by_ratio = encoded_bytes.saturating_mul(MAX_RATIO);
    max_bytes.min(by_ratio.max(FREE_BYTES))
}

fn not_gzip(error: io::Error) -> Refusal {
    let reason = format!("the file is not complete gzip data: {error}");
    Refusal::upload(StatusCode::BAD_REQUEST, reason)
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(encoded: &[u8], max_bytes: u64) -> Result<String> {
        let temp = tempfile::tempdir().unwrap();
        let mut file = temporary(temp.path())?;
        file.write_all(encoded).unwrap();
        let decoded = gunzip(&file, max_bytes, temp.path())?;
        Ok(std::fs::read_to_string(decoded.file.path()).unwrap())
    }

    #[test]
    fn every_member_is_decoded() {
        let two = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(decoded(&two, 100).unwrap(), "one two");
    }

    #[test]
    fn what_is_not_whole_gzip_is_refused() {
        let whole = gzip(b"some rows");
        let mut wrong_sum = whole.clone();
        let at = wrong_sum.len() - 6;
        wrong_sum[at] ^= 1;
        for broken in [
            &whole[..whole.len() - 1],
            &whole[..12],
            &wrong_sum,
            &[&whole, &b"junk"[..]].concat(),
            b"plain text",
            b"",
        ] {
            assert!(decoded(broken, 100).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn a_file_grows_no_further_than_allowed() {
        assert!(decoded(&gzip(&[b'1'; 100]), 100).is_ok());
        assert!(decoded(&gzip(&[b'1'; 101]), 100).is_err());
        assert_eq!(limit(1000, u64::MAX), FREE_BYTES);
        assert_eq!(limit(1 << 20, u64::MAX), 200 << 20);
    }
}
