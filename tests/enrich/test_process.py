"""The program of a connection, on records and rows that a test makes up: virtual time, no kernel."""

import pytest

from enrich.told import HERE, NOW, SECOND, THERE, Told, conn, program, said, socket, stage

NONE = [None, "none"]


def test_an_opener_is_named_by_its_event() -> None:
    source = Told()
    source.program(1)
    source.socket("connect", 1)
    assert said(stage(source), conn()) == ["curl", "event", *NONE]


def test_every_column_says_what_is_known() -> None:
    source = Told()
    cgroup = "/system.slice/docker-" + "a1" * 32 + ".scope"
    source.program(1, cgroup=cgroup, parent="_destroyed_")
    source.socket("connect", 1, uid=0)
    names = ("pid", "path", "cmdline", "parent", "user", "started", "container", "method")
    found = said(stage(source), conn(), names)[: len(names)]
    assert found == [1001, "/bin/curl", "curl -x", "_destroyed_", "root", NOW - 1, "a1" * 6, "bpf"]


def test_command_lines_are_kept_only_if_wanted() -> None:
    source = Told()
    source.program(1)
    source.socket("connect", 1)
    assert said(stage(source, cmdline=False), conn(), ["name", "cmdline"])[:2] == ["curl", None]


def test_a_row_before_its_event_is_corrected_by_the_next() -> None:
    source = Told()
    filler = stage(source)
    assert said(filler, conn()) == [*NONE, *NONE]
    source.program(1)
    source.socket("connect", 1)
    assert said(filler, conn(state="closed"))[0] == "curl"


def test_what_was_sure_stays_while_the_connection_lives() -> None:
    source = Told()
    source.program(1)
    source.socket("connect", 1)
    filler = stage(source)
    said(filler, conn())
    source.records.append(("lost", NOW + SECOND, 5))
    source.program(2, "thief")
    source.socket("connect", 2, ts=NOW + SECOND)
    assert said(filler, conn(state="closed"))[0] == "curl"


def test_a_tuple_used_again_is_named_by_the_nearest_event() -> None:
    source = Told()
    for number, name in enumerate(["first", "second", "third"], 1):
        source.program(number, name)
        source.socket("connect", number, ts=NOW + number * SECOND // 100)
    filler = stage(source)
    for number, name in enumerate(["first", "second", "third"], 1):
        row = conn(uid=f"C{number}", ts=NOW + number * SECOND // 100, last_ts=NOW + SECOND, state="closed")
        assert said(filler, row)[0] == name


def test_a_socket_of_nobody_known_does_not_get_the_last_owner_s_name() -> None:
    source = Told()
    source.program(1)
    source.socket("connect", 1)
    source.socket("connect", 0, ts=NOW + 60 * SECOND)
    later = conn(ts=NOW + 60 * SECOND, last_ts=NOW + 61 * SECOND)
    assert said(stage(source), later) == [*NONE, *NONE]


def test_after_a_loss_old_claims_name_no_new_connection() -> None:
    source = Told()
    source.program(1)
    source.socket("connect", 1)
    source.records.append(("lost", NOW + SECOND, 1))
    later = conn(ts=NOW + 2 * SECOND, last_ts=NOW + 3 * SECOND)
    assert said(stage(source), later)[0] is None


def test_an_inbound_connection_is_its_listener_s() -> None:
    source = Told()
    source.program(1, "nginx")
    source.socket("listen", 1, local_ip="*", local_port=443, remote_ip=None, remote_port=0, ts=NOW - SECOND)
    row = conn(src_ip=THERE, src_port=5, dst_ip=HERE, dst_port=443)
    assert said(stage(source), row) == ["nginx", "listener", *NONE]


def test_who_accepted_is_surer_than_who_listens() -> None:
    source = Told()
    source.program(1, "master")
    source.program(2, "worker")
    source.socket("listen", 1, local_ip=HERE, local_port=443, remote_ip=None, remote_port=0, ts=NOW - SECOND)
    source.socket("accept", 2, local_port=443, remote_port=5, ts=NOW + 1)
    row = conn(src_ip=THERE, src_port=5, dst_ip=HERE, dst_port=443)
    assert said(stage(source), row) == ["worker", "event", *NONE]


def test_a_listener_that_was_closed_before_is_not_named() -> None:
    source = Told()
    source.program(1, "nginx")
    ends = {"local_ip": "0.0.0.0", "local_port": 443, "remote_ip": None, "remote_port": 0}
    source.socket("listen", 1, ts=NOW - 2 * SECOND, **ends)
    source.socket("close", 0, ts=NOW - SECOND, **ends)
    row = conn(src_ip=THERE, src_port=5, dst_ip=HERE, dst_port=443)
    assert said(stage(source), row) == [*NONE, *NONE]


def test_a_listener_elsewhere_on_the_port_is_another() -> None:
    source = Told()
    source.program(1, "nginx")
    source.socket("listen", 1, local_ip="10.0.0.2", local_port=443, remote_ip=None, remote_port=0)
    row = conn(src_ip=THERE, src_port=5, dst_ip=HERE, dst_port=443)
    assert said(stage(source), row)[0] is None


def test_both_ends_here_are_both_named() -> None:
    source = Told()
    source.program(1, "curl")
    source.program(2, "nginx")
    source.socket("connect", 1, remote_ip=HERE)
    source.socket("listen", 2, local_ip="0.0.0.0", local_port=443, remote_ip=None, remote_port=0, ts=NOW - 5)
    assert said(stage(source), conn(dst_ip=HERE)) == ["curl", "event", "nginx", "listener"]


def test_both_ends_here_and_the_opener_unknown_leaves_the_first_columns_empty() -> None:
    source = Told()
    source.program(2, "nginx")
    source.socket("listen", 2, local_ip="0.0.0.0", local_port=443, remote_ip=None, remote_port=0, ts=NOW - 5)
    assert said(stage(source), conn(dst_ip=HERE)) == [*NONE, "nginx", "listener"]


def test_a_connection_of_others_that_passes_by_is_nobody_s() -> None:
    source = Told()
    source.program(1, "dns")
    source.socket("listen", 1, proto="udp", local_ip="*", local_port=53, remote_ip=None, remote_port=0)
    row = conn(proto="udp", src_ip="192.0.2.1", dst_ip="192.0.2.2", dst_port=53, src_port=53)
    filler = stage(source)
    assert said(filler, row) == [*NONE, *NONE]
    assert source.asked == 0


@pytest.mark.parametrize("local", [HERE, "0.0.0.0", "*"])
def test_a_datagram_is_its_sender_s_wherever_its_socket_is_bound(local: str) -> None:
    source = Told()
    source.program(1, "dig")
    source.socket("send", 1, proto="udp", local_ip=local, remote_port=53)
    assert said(stage(source), conn(proto="udp", dst_port=53)) == ["dig", "event", *NONE]


def test_a_port_of_udp_used_again_is_its_new_owner_s() -> None:
    source = Told()
    source.program(1, "first")
    source.program(2, "second")
    ends = {"proto": "udp", "local_ip": "0.0.0.0", "remote_port": 53}
    source.socket("send", 1, **ends)
    source.socket("close", 0, ts=NOW + SECOND, **ends)
    source.socket("send", 2, ts=NOW + 2 * SECOND, **ends)
    filler = stage(source)
    early = conn(proto="udp", dst_port=53, state="closed")
    late = conn(uid="C2", proto="udp", dst_port=53, ts=NOW + 2 * SECOND, last_ts=NOW + 3 * SECOND)
    assert [said(filler, early)[0], said(filler, late)[0]] == ["first", "second"]


def test_nothing_told_is_asked_for_a_few_times_and_no_more() -> None:
    source = Told("sock_diag")
    filler = stage(source)
    for _ in range(20):
        assert said(filler, conn())[0] is None
    assert 0 < source.asked < 10
    assert said(filler, conn(uid="C2", state="closed"))[0] is None


def test_an_answer_is_a_lookup_and_stays() -> None:
    source = Told("sock_diag")
    source.answers = [program(1), socket("hold", 1, method="sock_diag", ts=NOW + 90 * SECOND)]
    filler = stage(source)
    assert said(filler, conn(), ["name", "method", "confidence"])[:3] == ["curl", "sock_diag", "lookup"]
    source.answers = []
    assert said(filler, conn(state="closed"))[0] == "curl"


def test_of_a_program_that_forked_the_oldest_stands_for_all() -> None:
    source = Told("sock_diag")
    source.answers = [program(1, "nginx", started=9), program(2, "nginx", started=5)]
    source.answers += [socket("hold", id, method="sock_diag") for id in (1, 2)]
    assert said(stage(source), conn(), ["pid"])[0] == 1002


def test_of_two_programs_that_share_a_socket_none_is_named() -> None:
    source = Told("sock_diag")
    source.answers = [program(1, "bash"), program(2, "cat")]
    source.answers += [socket("hold", id, method="sock_diag") for id in (1, 2)]
    assert said(stage(source), conn()) == [*NONE, *NONE]


def test_what_process_1_passed_on_is_its_receiver_s() -> None:
    source = Told("sock_diag")
    source.answers = [program(1, "systemd", pid=1), program(2, "sshd")]
    source.answers += [socket("hold", id, method="sock_diag") for id in (1, 2)]
    assert said(stage(source), conn())[0] == "sshd"


def test_a_listener_on_the_opener_s_port_is_not_the_opener() -> None:
    source = Told("sock_diag")
    source.answers = [program(1, "nginx"), socket("listen", 1, method="sock_diag", remote_ip=None)]
    assert said(stage(source), conn())[0] is None


def test_what_a_scan_found_names_what_was_there() -> None:
    source = Told()
    source.program(1, "sshd")
    source.socket("hold", 1, method="scan", ts=NOW + SECOND // 2)
    assert said(stage(source), conn(ts=NOW - 90 * SECOND)) == ["sshd", "lookup", *NONE]


def test_what_a_scan_found_does_not_name_what_came_later_where_no_end_is_told() -> None:
    source = Told("tracepoint")
    source.program(1, "dnsmasq")
    ends = {"proto": "udp", "local_ip": "*", "local_port": 53, "remote_ip": None, "remote_port": 0}
    source.socket("listen", 1, method="scan", **ends)
    ends_of_row = {"proto": "udp", "src_ip": THERE, "src_port": 7, "dst_ip": HERE, "dst_port": 53}
    later = conn(ts=NOW + 60 * SECOND, last_ts=NOW + 61 * SECOND, **ends_of_row)
    assert said(stage(source), later)[0] is None


def test_other_tables_pass_and_rows_without_ports_say_none() -> None:
    filler = stage(Told())
    from tidegate.model.batch import make

    http = make("http", {})
    assert list(filler.process(http)) == [http]
    assert said(filler, conn(proto="icmp")) == [*NONE, *NONE]


def test_hostile_names_are_escaped_as_the_core_s_own_text() -> None:
    source = Told()
    source.program(1, "\x1b]52;c;x\x07\x9b1m[/foo]")
    source.socket("connect", 1)
    name = said(stage(source), conn())[0]
    assert name.isprintable()
    assert "[/foo]" in name


def test_coverage_counts_the_ends_here_of_finished_connections() -> None:
    source = Told()
    source.program(1)
    source.socket("connect", 1)
    filler = stage(source)
    assert filler.coverage.share is None
    said(filler, conn())
    said(filler, conn(state="closed"))
    said(filler, conn(uid="C2", src_port=1, state="closed"))
    assert (filler.coverage.event, filler.coverage.none, filler.coverage.share) == (1, 1, 0.5)


def test_closing_ends_the_source() -> None:
    source = Told()
    filler = stage(source)
    filler.tick(NOW)
    filler.close()
    assert source.stopped
