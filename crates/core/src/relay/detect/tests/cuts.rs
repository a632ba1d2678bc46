//! It does not matter how a client's bytes are cut, nor what it sends: the verdict is the same, and there is one.

use std::sync::OnceLock;

use proptest::prelude::*;

use super::conditions::hello;
use super::{goes_cut, pattern, rule, rules, speaks};
use crate::relay::detect::Rules;
use crate::relay::plan::Rule;

fn many() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(usual)
}

fn usual() -> Rules {
    let host = Rule { host: vec!["*.example".into()], ..rule("host") };
    let sni = Rule { sni: vec!["*.example".into()], alpn: vec!["h2".into()], ..rule("sni") };
    let post = Rule { services: vec!["http".into()], ..pattern("post", "^POST (?s:.)*login") };
    let list = vec![
        pattern("quiet", "^$"),
        pattern("line", r"^[A-Z]{3,9} [^ ]* \S+\r\n"),
        sni,
        post,
        host,
        pattern("end", r"\bend$"),
        speaks("http"),
        speaks("tls"),
        pattern("late", r"(?s)^.{30}x"),
        speaks("redis"),
        speaks("ssh"),
    ];
    rules(list)
}

fn said() -> impl Strategy<Value = Vec<u8>> {
    let words: &[&str] = &[
        "GET ",
        "/ ",
        "HTTP/1.1\r\n",
        "Host: ",
        "a.example",
        "\r\n",
        "POST /",
        "login",
        " end",
        "SSH-2.0-x",
        "*1\r\n$4\r\nPING\r\n",
        "x",
        "\n",
        ":",
        "CONNECT ",
    ];
    let word = prop::sample::select(words).prop_map(|word| word.as_bytes().to_vec());
    let hello = (1_usize..60, prop::bool::ANY).prop_map(|(record, named)| {
        hello(if named { "a.example" } else { "b.net" }, &["h2"], record)
    });
    let bytes = prop::collection::vec(any::<u8>(), 0..8);
    let piece = prop_oneof![6 => word, 1 => hello, 1 => bytes];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn the_verdict_does_not_depend_on_the_cut(said in said(), size in 1_usize..20) {
        let rules = many();
        let whole = goes_cut(rules, &said, usize::MAX / 2);
        let cut = goes_cut(rules, &said, size);
        prop_assert_eq!(&whole.0, &cut.0);
        // Known no later than with the piece in which it was known byte by byte.
        let one = goes_cut(rules, &said, 1);
        prop_assert_eq!(&whole.0, &one.0);
        prop_assert!(cut.1 < one.1 + size);
    }

    #[test]
    fn a_pattern_is_decided_as_the_regex_crate_would(
        said in "[ab\n ]{0,12}",
        text in prop::sample::select(vec![
            "^a", "ab", "a$", "^(a|b)*b$", r"\ba", r"a\b", "(?m)^b$", "^[^a]+a", "a{2,3}", "^$", "(?s)a.b", "a.b",
        ]),
    ) {
        let rules = rules(vec![pattern("it", text)]);
        let expected = regex_automata::dfa::regex::Regex::builder()
            .syntax(regex_automata::util::syntax::Config::new().unicode(false).utf8(false))
            .build(text).unwrap().is_match(said.as_bytes());
        let (place, _) = goes_cut(&rules, said.as_bytes(), 1);
        prop_assert_eq!(place == "it", expected);
    }
}
