//! Bytes to text: UTF-8, and nothing else is guessed at.

use super::finding::{Finding, Wrong};
use super::{LONGEST_TEXT, Unreadable};

/// The text of a file. What is not UTF-8 is answered with the command that makes it so.
pub fn text(bytes: Vec<u8>) -> Result<String, Unreadable> {
    let wrong = match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => return Ok(text),
        Ok(text) => (text.into_bytes(), None),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            (error.into_bytes(), Some(at))
        }
    };
    let (bytes, at) = wrong;
    if is_utf_16(&bytes) {
        let help = "save it as UTF-8: `iconv -f UTF-16 -t UTF-8 OLD > NEW`";
        return Err(Unreadable::new("", Wrong(vec![Finding::new(0..0, "this text is UTF-16", help)])));
    }
    let Some(at) = at else {
        let help = "remove it, or save the file as UTF-8 text";
        let text = String::from_utf8_lossy(&bytes);
        let at = text.find('\0').unwrap_or(0);
        return Err(Unreadable::new(&text, Wrong(vec![Finding::new(at..at + 1, "a zero byte is no text", help)])));
    };
    // The first mark of replacement stands where the first wrong byte does.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST_TEXT)]);
    let message = format!("the byte {:#04x} is not UTF-8", bytes[at]);
    let help = "if the file is Latin-1 or Windows-1252, save it as UTF-8: `iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW`";
    let span = at.min(text.len())..text.len().min(at + '\u{fffd}'.len_utf8());
    Err(Unreadable::new(&text, Wrong(vec![Finding::new(span, message, help)])))
}

/// With its mark, or with a zero in every other byte of the beginning.
fn is_utf_16(bytes: &[u8]) -> bool {
    let beginning = &bytes[..bytes.len().min(64)];
    let zeros = |from: usize| beginning.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || zeros(0).max(zeros(1)) * 4 > beginning.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: &[u8]) -> String {
        text(bytes.to_vec()).unwrap_err().to_string()
    }

    fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn utf_8_is_read_as_it_is() {
        assert_eq!(text("id: größe\n".into()), Ok("id: größe\n".to_owned()));
        assert_eq!(text(Vec::new()), Ok(String::new()));
    }

    #[test]
    fn utf_16_is_answered_with_what_to_do_with_a_mark_or_without() {
        let expected = "experiment.yaml:1:1: this text is UTF-16\n  = help: save it as UTF-8: `iconv -f UTF-16 -t UTF-8 OLD > NEW`";

        assert_eq!(answer(&utf_16("\u{feff}id: slow\n", u16::to_le_bytes)), expected);
        assert_eq!(answer(&utf_16("\u{feff}id: slow\n", u16::to_be_bytes)), expected);
        assert_eq!(answer(&utf_16("id: slow\n", u16::to_le_bytes)), expected);
        assert_eq!(answer(&utf_16("id: größe\n", u16::to_be_bytes)), expected);
    }

    #[test]
    fn latin_1_is_answered_at_its_first_byte() {
        assert_eq!(
            answer(b"id: slow\ntitle: Gr\xf6\xdfe\n"),
            "experiment.yaml:2:10: the byte 0xf6 is not UTF-8\n  |\n2 | title: Gr\u{fffd}\u{fffd}e\n  |          ^\n  \
             = help: if the file is Latin-1 or Windows-1252, save it as UTF-8: `iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW`"
        );
    }

    #[test]
    fn a_zero_byte_is_told() {
        assert!(
            answer(b"id: slow\ntitle: a\0b, and a long text after it\n")
                .starts_with("experiment.yaml:2:9: a zero byte is no text\n")
        );
    }

    #[test]
    fn bytes_that_are_no_text_at_all_are_no_reason_to_fail() {
        for bytes in [&[0xff][..], &[0x80; 300_000], &[0xe2, 0x82], &[0xf0, 0x9f, 0x98, 0x80, 0xff]] {
            assert!(text(bytes.to_vec()).is_err());
        }
    }
}
