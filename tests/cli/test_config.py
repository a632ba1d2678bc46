"""`tidegate config`: what it says of files, keys and conmon's settings."""

from pathlib import Path

from helpers import Run


def test_check(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yml").write_text("store: {keep_age: 7d}\n")
    done = run("config", "check", "t.yml")
    assert (done.returncode, done.stdout) == (0, "t.yml: all is well\n")
    (tmp_path / "t.yml").write_text("store: {keep_age: 7x, path: [1]}\nwtch: {}\n")
    done = run("config", "check", "t.yml")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 3
    assert all(line.startswith("t.yml:") for line in done.stderr.splitlines())


def test_a_hostile_file_harms_no_terminal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yml").write_text('"\\e]52;c;aGk=\\a\\e[31m": 5\n"\\u202e": 5\n')
    done = run("config", "check", "t.yml")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "\u202e" not in done.stderr


def test_explain(run: Run) -> None:
    done = run("config", "explain", "store.keep_age")
    assert "a duration" in done.stdout
    assert "30d unless given" in done.stdout
    assert "TIDEGATE_STORE__KEEP_AGE" in done.stdout
    assert "alerts.rules[].window" in run("config", "explain").stdout
    rules = run("config", "explain", "alerts.rules").stdout
    assert "TIDEGATE_ALERTS__RULES, as YAML in one line: [{name: …, metric: …}]" in rules
    assert "inside TIDEGATE_ALERTS__RULES" in rules
    assert "TIDEGATE_WATCH__INTERFACES, with commas or as YAML" in run("config", "explain", "watch").stdout
    assert "TIDEGATE_LOGGER, as YAML in one line" in run("config", "explain", "logger").stdout
    wrong = run("config", "explain", "store.keep_ag")
    assert wrong.returncode == 2
    assert 'did you mean "store.keep_age"?' in wrong.stderr


def test_import(run: Run, tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text("service: {hostip: 10.0.0.1, hport: 80}\n")
    done = run("config", "import", "config.yml")
    assert done.returncode == 0
    (tmp_path / "t.yml").write_text(done.stdout)
    assert run("config", "check", "t.yml").returncode == 0
    assert "tcp and host 10.0.0.1 and port 80" in done.stdout


def test_the_environments_file_is_used(run: Run, tmp_path: Path, environment: dict[str, str]) -> None:
    done = run("config", "check", env=environment | {"TIDEGATE_CONFIG": "gone.yml"})
    assert (done.returncode, done.stderr) == (2, "tidegate: gone.yml: no such file\n")
