"""scripts/check-commits: which messages it refuses, and which commits it checks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BODY = "\n\nThe worker waited. Now it does not.\n"
GOOD = [
    "nginx: bound the memory of responses" + BODY,
    "docs: embed the table, and address two faults" + BODY,
    "tests: re-run what failed" + BODY,
    "nginx: " + "wait ".ljust(65, "x") + BODY,
    'Revert "nginx: bound the memory of responses"\n',
    "Merge branch 'docs'\n",
    "fixup! docs: write\n",
    "nginx: take comments\n\nA body.\n# a comment\n",
]
BAD = {
    "nginx: " + "wait ".ljust(66, "x") + BODY: "has 73 characters, more than 72",
    "Bound the memory" + BODY: "the subject is not like",
    "nginx: bound" + BODY: "the subject is not like",
    "nginx: the memory of responses is bound" + BODY: "imperative behind its prefix: 'the'",
    "nginx: nothing waits" + BODY: "'nothing'",
    "nginx: bounds the memory" + BODY: "'bounds'",
    "nginx: bounded the memory" + BODY: "'bounded'",
    "nginx: bounding the memory" + BODY: "'bounding'",
    "nginx: X-Accel-Redirect is obeyed" + BODY: "'X-Accel-Redirect'",
    "nginx: bound the memory\nof responses\n": "the line after the subject is not empty",
    "nginx: bound the memory\n": "there is no body",
    "nginx: bound the memory\n\n# Please enter the message\n": "there is no body",
    "nginx: bound the memory\n\n# -- >8 --\ndiff --git a/a b/a\n": "there is no body",
}
OLD = "a commit from before the rule"

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="there is no git")


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A repository with the script, and a commit on main that breaks the rule."""
    names = {"NAME": "A", "EMAIL": "a@example.org"}
    for who in ("AUTHOR", "COMMITTER"):
        for what, value in names.items():
            monkeypatch.setenv(f"GIT_{who}_{what}", value)
    for name in [name for name in os.environ if name in ("GIT_DIR", "GIT_WORK_TREE")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.delenv("COMMITS_SINCE", raising=False)
    folder = tmp_path / "clone"
    copy(folder)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "scripts")
    commit(folder, OLD)
    return folder


def copy(folder):
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts/check-commits", folder / "scripts")


def git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True)


def commit(folder, message):
    done = git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    assert done.returncode == 0, done.stderr


def check(folder, *words):
    command = [sys.executable, folder / "scripts/check-commits", *words]
    return subprocess.run(command, capture_output=True, text=True)


def check_message(folder, message):
    (folder / "message").write_text(message)
    return check(folder, "--hook", folder / "message")


@pytest.mark.parametrize("message", GOOD)
def test_a_right_message_is_accepted(tmp_path, message):
    copy(tmp_path)
    done = check_message(tmp_path, message)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("message", BAD)
def test_a_wrong_message_is_refused(tmp_path, message):
    copy(tmp_path)
    done = check_message(tmp_path, message)
    assert done.returncode == 1 and BAD[message] in done.stderr, done.stderr


def test_every_commit_of_a_branch_is_checked(clone):
    git(clone, "checkout", "--quiet", "-b", "work")
    for message in ("nginx: wait" + BODY, "nginx: wait for it" + BODY, "nginx: a wait" + BODY):
        commit(clone, message)
    done = check(clone)
    assert done.returncode == 1, "two of the three are wrong"
    assert "'a'" in done.stderr and "is not like" in done.stderr, done.stderr
    assert done.stderr.count("\n") == 2, "it must not check the commits of main"


def test_on_main_the_last_commit_is_checked(clone):
    assert "is not like" in check(clone).stderr, "the last commit breaks the rule"
    commit(clone, "nginx: wait for it" + BODY)
    assert check(clone).returncode == 0, "it must not report commits that can no longer change"


def test_commits_since_names_another_base(clone, monkeypatch):
    commit(clone, "nginx: a wait" + BODY)
    commit(clone, "nginx: wait for it" + BODY)
    assert check(clone).returncode == 0
    monkeypatch.setenv("COMMITS_SINCE", "HEAD~2")
    assert "'a'" in check(clone).stderr


def test_in_a_shallow_clone_the_last_commit_is_checked(clone, tmp_path):
    git(clone, "checkout", "--quiet", "-b", "work")
    commit(clone, OLD)
    commit(clone, "nginx: wait for it" + BODY)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=2", "--branch=work", f"file://{clone}", shallow)
    assert git(shallow, "rev-list", "--count", "HEAD").stdout == "2\n", "the clone must be shallow"
    done = check(shallow)
    assert (done.returncode, done.stderr) == (0, "")


def test_outside_a_clone_nothing_is_checked(clone):
    inside = clone / "unpacked"
    copy(inside)
    done = check(inside)
    assert (done.returncode, done.stderr) == (0, ""), "not the clone around it either"


def test_the_hook_refuses_a_commit(clone):
    assert check(clone, "--install").returncode == 0
    refused = git(clone, "commit", "--allow-empty", "-m", "nginx: a wait" + BODY)
    assert refused.returncode != 0 and "'a'" in refused.stderr, refused.stderr
    commit(clone, "nginx: wait for it" + BODY)


def test_the_hook_leaves_a_branch_without_the_script_alone(clone):
    check(clone, "--install")
    git(clone, "rm", "--quiet", "scripts/check-commits")
    commit(clone, OLD)


def test_a_hook_of_the_user_stays(clone):
    own = clone / ".git/hooks/commit-msg"
    own.parent.mkdir(exist_ok=True)
    own.write_text("#!/bin/sh\n")
    check(clone, "--install")
    assert own.read_text() == "#!/bin/sh\n"
    own.unlink()
    git(clone, "config", "core.hooksPath", "elsewhere")
    check(clone, "--install")
    assert not own.exists() and not (clone / "elsewhere").exists()
