//! Generations of programs: forks, execs, numbers used again, facts that came too late.

use super::Paper;
use crate::process::programs::Programs;

const MS: u64 = 1_000_000;

fn name(programs: &mut Programs, pid: u32, paper: &mut Paper) -> Option<String> {
    programs.find(pid, paper)?;
    programs.untold(pid).map(|program| program.name.to_string())
}

#[test]
fn a_child_is_its_parent_until_it_becomes_another() {
    let mut paper = Paper::default().with(10, 0, 1, "bash").with(1, 0, 0, "init");
    let mut programs = Programs::default();
    programs.fork(10, 11, 500 * MS, &mut paper);
    let shell = programs.find(11, &mut paper);
    assert_eq!(name(&mut programs, 11, &mut paper).as_deref(), Some("bash"));
    programs.exec(11, b"/usr/bin/curl", 501 * MS, &mut paper);
    assert_ne!(programs.find(11, &mut paper), shell);
    let told = programs.untold(11).unwrap();
    assert_eq!(
        (&*told.name, told.path.as_deref(), told.cmdline),
        ("curl", Some("/usr/bin/curl"), None)
    );
    assert_eq!((told.parent.as_deref(), told.parent_pid), (Some("bash"), Some(10)));
}

#[test]
fn a_program_that_is_gone_before_anyone_looked_is_still_known() {
    let mut paper = Paper::default();
    let mut programs = Programs::default();
    programs.fork(10, 11, 500 * MS, &mut paper);
    programs.exec(11, b"/bin/brief", 500 * MS, &mut paper);
    programs.exit(11, 501 * MS);
    programs.find(11, &mut paper).unwrap();
    let told = programs.untold(11).unwrap();
    assert_eq!((&*told.name, told.uid, told.cmdline), ("brief", None, None));
    assert_eq!(told.parent.as_deref(), Some("_destroyed_"));
}

#[test]
fn a_number_used_again_is_another_program() {
    let mut paper = Paper::default().with(10, 0, 1, "bash");
    let mut programs = Programs::default();
    programs.fork(10, 11, 500 * MS, &mut paper);
    programs.exec(11, b"/bin/first", 500 * MS, &mut paper);
    let first = programs.find(11, &mut paper).unwrap();
    programs.exit(11, 501 * MS);
    programs.fork(10, 11, 502 * MS, &mut paper);
    assert_eq!(name(&mut programs, 11, &mut paper).as_deref(), Some("bash"));
    assert!(programs.find(11, &mut paper).unwrap() > first);
}

#[test]
fn facts_of_another_process_with_the_same_number_are_not_taken() {
    let mut paper = Paper::default().with(10, 0, 1, "bash").with(11, 9000 * MS, 10, "later");
    let mut programs = Programs::default();
    programs.fork(10, 11, 500 * MS, &mut paper);
    programs.exec(11, b"/bin/first", 501 * MS, &mut paper);
    programs.find(11, &mut paper).unwrap();
    let told = programs.untold(11).unwrap();
    assert_eq!((&*told.name, told.cmdline), ("first", None));
}

#[test]
fn facts_of_the_program_it_became_next_are_not_taken() {
    let mut paper = Paper::default().with(10, 0, 1, "bash").with(11, 500 * MS, 10, "second");
    let mut programs = Programs::default();
    programs.fork(10, 11, 500 * MS, &mut paper);
    programs.exec(11, b"/bin/first", 501 * MS, &mut paper);
    programs.find(11, &mut paper).unwrap();
    let told = programs.untold(11).unwrap();
    assert_eq!(
        (&*told.name, told.path.as_deref(), told.cmdline),
        ("first", Some("/bin/first"), None)
    );
}

#[test]
fn after_a_loss_only_what_proc_confirms_is_said() {
    let mut paper = Paper::default().with(10, 0, 1, "bash").with(11, 0, 10, "gone");
    let mut programs = Programs::default();
    assert!(programs.find(10, &mut paper).is_some() && programs.find(11, &mut paper).is_some());
    paper.facts.remove(&11);
    programs.doubt();
    assert!(programs.find(10, &mut paper).is_some());
    assert_eq!(programs.find(11, &mut paper), None);
}

#[test]
fn after_a_loss_another_process_is_another_program() {
    let mut paper = Paper::default().with(10, 0, 1, "bash");
    let mut programs = Programs::default();
    let before = programs.find(10, &mut paper);
    paper.write(10, 5000 * MS, 1, "cat");
    programs.doubt();
    assert_ne!(programs.find(10, &mut paper), before);
    assert_eq!(name(&mut programs, 10, &mut paper).as_deref(), Some("cat"));
}

#[test]
fn a_parent_that_is_gone_or_denied_is_said_so() {
    let mut paper = Paper::default().with(10, 0, 7, "orphan").with(20, 0, 8, "guarded");
    paper.denied.push(8);
    let mut programs = Programs::default();
    let mut parent = |pid: u32| {
        programs.find(pid, &mut paper).unwrap();
        programs.untold(pid).unwrap().parent.unwrap().to_string()
    };
    assert_eq!(parent(10), "_destroyed_");
    assert_eq!(parent(20), "AccessDenied");
}

#[test]
fn threads_of_the_kernel_are_nobody() {
    let mut paper = Paper::default().with(10, 0, 2, "kworker");
    paper.facts.get_mut(&10).unwrap().kernel = true;
    assert_eq!(Programs::default().find(10, &mut paper), None);
}

#[test]
fn a_cut_name_is_made_whole_from_the_file() {
    let mut paper = Paper::default().with(10, 0, 1, "a-very-long-pro");
    paper.facts.get_mut(&10).unwrap().path = Some("/opt/a-very-long-program".to_owned());
    let mut programs = Programs::default();
    assert_eq!(name(&mut programs, 10, &mut paper).as_deref(), Some("a-very-long-program"));
}

#[test]
fn many_programs_end_and_the_oldest_are_forgotten() {
    let mut paper = Paper::default();
    let mut programs = Programs::default();
    for pid in 1..=70_000 {
        programs.fork(0, pid, u64::from(pid) * MS, &mut paper);
        programs.exit(pid, u64::from(pid) * MS);
    }
    assert!(programs.len() <= 65_536);
}

#[test]
fn many_programs_whose_end_is_not_told_are_forgotten_too() {
    let mut paper = Paper::default();
    let mut programs = Programs::default();
    for pid in 1..=70_000 {
        programs.fork(0, pid, u64::from(pid) * MS, &mut paper);
        programs.exec(pid, b"/bin/one", u64::from(pid) * MS, &mut paper);
        assert!(programs.len() <= 65_536);
    }
    assert_eq!(name(&mut programs, 70_000, &mut paper).as_deref(), Some("one"));
    assert_eq!(programs.find(1, &mut paper), None);
}

#[test]
fn what_was_read_after_the_next_exec_is_withdrawn() {
    let mut paper = Paper::default().with(10, 0, 1, "bash").with(11, 500 * MS, 10, "first");
    paper.facts.get_mut(&11).unwrap().read = 600 * MS;
    let mut programs = Programs::default();
    programs.fork(10, 11, 500 * MS, &mut paper);
    programs.exec(11, b"/bin/first", 501 * MS, &mut paper);
    programs.find(11, &mut paper).unwrap();
    assert!(programs.untold(11).unwrap().cmdline.is_some());
    paper.facts.remove(&11);
    programs.exec(11, b"/bin/second", 550 * MS, &mut paper);
    let [less] = programs.withdrawn().try_into().unwrap();
    assert_eq!((&*less.name, less.cmdline), ("first", None));
}
