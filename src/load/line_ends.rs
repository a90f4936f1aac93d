//! Makes CR LF read as LF: after a CR LF the csv crate counts lines one too low.

use std::io::{self, BufRead, BufReader, Read};

/// A reader without the CR of CR LF.
pub(super) struct OneByteLineEnds<R> {
    inner: BufReader<R>,
    /// Whether a CR was read whose successor is not known yet.
    holds_cr: bool,
}

impl<R: Read> OneByteLineEnds<R> {
    pub(super) fn new(inner: R) -> Self {
        OneByteLineEnds {
            inner: BufReader::with_capacity(1 << 16, inner),
            holds_cr: false,
        }
    }
}

impl<R: Read> Read for OneByteLineEnds<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let read = self.inner.fill_buf()?;
        if read.is_empty() {
            let held = std::mem::take(&mut self.holds_cr);
            out[0] = b'\r';
            return Ok(usize::from(held));
        }
        let plain = !self.holds_cr && !read.contains(&b'\r');
        let (consumed, written) = match plain {
            true => {
                let length = read.len().min(out.len());
                out[..length].copy_from_slice(&read[..length]);
                (length, length)
            }
            false => without_cr(read, out, &mut self.holds_cr),
        };
        self.inner.consume(consumed);
        match written {
            0 => self.read(out),
            written => Ok(written),
        }
    }
}

/// Copies bytes without the CR before an LF; returns how many were read and written.
fn without_cr(read: &[u8], out: &mut [u8], holds_cr: &mut bool) -> (usize, usize) {
    let (mut consumed, mut written) = (0, 0);
    while consumed < read.len() && written < out.len() {
        let byte = read[consumed];
        if std::mem::take(holds_cr) && byte != b'\n' {
            out[written] = b'\r';
            written += 1;
            continue;
        }
        consumed += 1;
        if byte == b'\r' {
            *holds_cr = true;
        } else {
            out[written] = byte;
            written += 1;
        }
    }
    (consumed, written)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, so that every pair is torn.
    struct Torn<'a>(&'a [u8]);

    impl Read for Torn<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut out[..1])
        }
    }

    #[test]
    fn only_the_cr_of_cr_lf_goes() {
        for (text, expected) in [
            ("a\r\nb\r\n", "a\nb\n"),
            ("a\rb\r\r\nc\r", "a\rb\r\nc\r"),
            ("\r\n\r\n", "\n\n"),
            ("", ""),
        ] {
            let mut whole = String::new();
            let mut reader = OneByteLineEnds::new(text.as_bytes());
            reader.read_to_string(&mut whole).unwrap();
            assert_eq!(whole, expected);
            let mut torn = String::new();
            let mut reader = OneByteLineEnds::new(Torn(text.as_bytes()));
            reader.read_to_string(&mut torn).unwrap();
            assert_eq!(torn, expected);
        }
    }
}
