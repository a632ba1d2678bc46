//! Patterns: what they mean, when they are decided, what is refused.

use super::{goes, goes_over, pattern, rule, rules, service};
use crate::relay::detect::Rules;
use crate::relay::plan::Rule;

fn refused(text: &str) -> String {
    Rules::new(&service(vec![pattern("it", text)])).unwrap_err().to_string()
}

#[test]
fn the_first_rule_that_holds_wins_whichever_is_known_first() {
    let rules = rules(vec![pattern("long", "^GET /admin"), pattern("short", "^GET ")]);
    assert_eq!(goes(&rules, b""), "wait");
    assert_eq!(goes(&rules, b"GE"), "wait");
    assert_eq!(goes(&rules, b"GET /"), "wait");
    assert_eq!(goes(&rules, b"GET /admi"), "wait");
    assert_eq!(goes(&rules, b"GET /admin"), "long");
    assert_eq!(goes(&rules, b"GET /adx"), "short");
    assert_eq!(goes(&rules, b"GET /admi\n"), "short");
    assert_eq!(goes_over(&rules, b"GET /admi"), "short");
    assert_eq!(goes(&rules, b"P"), "rest");
    assert_eq!(goes_over(&rules, b"GE"), "rest");
    assert_eq!(goes_over(&rules, b""), "rest");
}

#[test]
fn a_match_is_known_with_its_last_byte() {
    let rules = rules(vec![pattern("it", r"^\x16\x03[\x00-\x04]..\x01")]);
    assert_eq!(goes(&rules, b"\x16\x03\x01\x02\x00"), "wait");
    assert_eq!(goes(&rules, b"\x16\x03\x01\x02\x00\x01"), "it");
    // A dot is any byte but a line feed.
    assert_eq!(goes(&rules, b"\x16\x03\x01\x02\n\x01"), "rest");
}

#[test]
fn what_is_not_anchored_is_waited_for() {
    let rules = rules(vec![pattern("it", "passwd"), pattern("http", "^GET")]);
    assert_eq!(goes(&rules, b"GET / HTTP/1.1\r\n\r\n"), "wait");
    assert_eq!(goes_over(&rules, b"GET / HTTP/1.1\r\n\r\n"), "http");
    assert_eq!(goes(&rules, b"GET /etc/passwd"), "it");
    assert_eq!(goes(&rules, &[b'x'; 8192]), "rest", "no more than detect_bytes are waited for");
}

#[test]
fn a_dollar_is_where_nothing_more_comes() {
    let rules = rules(vec![
        pattern("quiet", "^$"),
        pattern("word", "^HELP$"),
        pattern("line", "(?m)^QUIT$"),
    ]);
    assert_eq!(goes(&rules, b""), "wait");
    assert_eq!(goes_over(&rules, b""), "quiet");
    assert_eq!(goes(&rules, b"HELP"), "wait");
    assert_eq!(goes_over(&rules, b"HELP"), "word");
    assert_eq!(goes_over(&rules, b"HELPED"), "rest");
    assert_eq!(goes(&rules, b"x\nQUIT\n"), "line");
    assert_eq!(goes(&rules, b"x\nQUIT"), "wait");
    assert_eq!(goes_over(&rules, b"x\nQUIT"), "line");
}

#[test]
fn a_word_ends_with_the_byte_behind_it() {
    let rules = rules(vec![pattern("it", r"^(?i)user\b")]);
    assert_eq!(goes(&rules, b"USER"), "wait");
    assert_eq!(goes(&rules, b"USER "), "it");
    assert_eq!(goes(&rules, b"USERS"), "rest");
    assert_eq!(goes_over(&rules, b"user"), "it");
}

#[test]
fn bytes_that_are_no_text_match_by_number() {
    let rules = rules(vec![pattern("it", r"^\xff\xfb[^\x00]"), pattern("text", "^é")]);
    assert_eq!(goes(&rules, b"\xff\xfb\xff"), "it");
    assert_eq!(goes(&rules, b"\xff\xfb\x00"), "rest");
    assert_eq!(goes(&rules, "é".as_bytes()), "text");
}

#[test]
fn what_is_not_linear_or_does_not_parse_is_refused_in_a_line() {
    for (text, why) in [
        (r"^(a)\1", "backreferences"),
        ("^(?=GET)", "look-around"),
        ("^(GET", "unclosed group"),
        ("^[z-a]", "range"),
        (r"^\p{Greek}", "Unicode"),
        ("^[é]", "Unicode"),
    ] {
        let said = refused(text);
        assert!(said.starts_with("rule \"it\": pattern "), "{said}");
        assert!(said.contains(why), "{said}");
        assert!(!said.contains('\n'), "{said}");
    }
    let deep = refused(&format!("{}a{}", "(".repeat(200), ")".repeat(200)));
    assert!(deep.contains("nest") && deep.len() < 300, "{deep}");
    assert!(refused(&"x".repeat(10_000)).contains("8192 at most"));
}

#[test]
fn what_takes_too_much_memory_is_refused_and_named() {
    for text in ["(a|b)*a(a|b){20}", "^(((a{100}){100}){100}){100}", "[ab]*a[ab]{30}$"] {
        let said = refused(text);
        assert!(said.starts_with("rule \"it\": pattern too large"), "{said}");
    }
    let list = vec![pattern("one", "^a"), pattern("two", "(a|b)*a(a|b){20}")];
    let said = Rules::new(&service(list)).unwrap_err().to_string();
    assert!(said.starts_with("rule \"two\""), "{said}");
}

#[test]
fn patterns_that_do_not_fit_together_are_parted() {
    // Each remembers whether its first word was seen: together 2^n states.
    let list: Vec<Rule> =
        (10..50).map(|n| pattern(&format!("r{n}"), &format!("first{n}(?s:.*)second{n}"))).collect();
    let rules = rules(list);
    assert!(rules.size().0 > 1);
    assert_eq!(goes(&rules, b"first13 first14 second14"), "wait");
    assert_eq!(goes_over(&rules, b"first13 first14 second14"), "r14");
    assert_eq!(goes(&rules, b"first10 first14 second10"), "r10");
    assert_eq!(goes_over(&rules, b"first10 first11 second12"), "rest");
}

#[test]
fn there_is_a_bound_for_all_patterns_together() {
    let list = (0..5000).map(|n| pattern(&format!("r{n}"), &format!("^{n}x"))).collect();
    let said = Rules::new(&service(list)).unwrap_err().to_string();
    assert!(said.contains("too large together") && said.contains("use fewer"), "{said}");
}

#[test]
fn more_patterns_than_a_machine_takes_are_parted() {
    let list = (0..200).map(|n| pattern(&format!("r{n}"), &format!("^cmd{n} "))).collect();
    let rules = rules(list);
    assert_eq!(rules.size().0, 4);
    assert_eq!(goes(&rules, b"cmd0 "), "r0");
    assert_eq!(goes(&rules, b"cmd199"), "wait");
    assert_eq!(goes(&rules, b"cmd199 "), "r199");
}

#[test]
fn a_rule_by_port_is_not_kept_waiting_by_patterns_of_other_ports() {
    let elsewhere = Rule { ports: vec![(1, 100)], ..pattern("elsewhere", "^GET") };
    let here = Rule { ports: vec![(8080, 8080)], ..rule("here") };
    assert_eq!(goes(&rules(vec![elsewhere, here]), b""), "here");
}
