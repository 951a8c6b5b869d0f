//! The notation of `.hex` files: bytes as people can review them.
//!
//! Pairs of hexadecimal digits, texts in quotes, `1000*( … )` for what comes a thousand times, and `#` before a remark that
//! goes to the end of its line.

/// The bytes that a text stands for.
pub(super) fn bytes(text: &str) -> Vec<u8> {
    let without_remarks: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let mut rest = without_remarks.join("\n");
    let mut open: Vec<(usize, Vec<u8>)> = vec![(1, Vec::new())];
    loop {
        let token = rest.trim_start().to_owned();
        let Some(first) = token.chars().next() else { break };
        let length = match first {
            '"' => {
                let end = token[1..].find('"').expect("a text ends in a quote");
                open.last_mut().unwrap().1.extend_from_slice(&token.as_bytes()[1..=end]);
                end + 2
            }
            '#' => token.find('\n').unwrap_or(token.len()),
            ')' => {
                let (times, inner) = open.pop().unwrap();
                open.last_mut().expect("a bracket was open").1.extend(inner.repeat(times));
                1
            }
            _ => {
                let end = token.find([' ', '\n', '"', '#', ')']).unwrap_or(token.len());
                match token[..end].strip_suffix("*(") {
                    Some(times) => open.push((times.parse().expect("a number stands before a bracket"), Vec::new())),
                    None => open.last_mut().unwrap().1.extend(pairs(&token[..end])),
                }
                end
            }
        };
        rest = token[length..].to_owned();
    }
    let (_, whole) = open.pop().unwrap();
    assert!(open.is_empty(), "a bracket is not closed");
    whole
}

fn pairs(digits: &str) -> Vec<u8> {
    assert!(digits.len().is_multiple_of(2), "{digits} is half a byte too much");
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16);
    (0..digits.len()).step_by(2).map(|at| byte(at).unwrap_or_else(|_| panic!("{digits} is no byte"))).collect()
}

#[test]
fn bytes_are_written_so_that_people_can_read_them() {
    let text = "# a remark\n0aFF \"DI#CM\" 2*( 00 3*( \"a b\" ) )ff # another\n\"山\"";
    assert_eq!(bytes(text), b"\x0a\xFFDI#CM\0a ba ba b\0a ba ba b\xFF\xE5\xB1\xB1");
}
